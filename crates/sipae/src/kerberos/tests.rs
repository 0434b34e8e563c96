//! Contexts from ticket to signature.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use rstest::rstest;

use super::EncryptionType::{Aes128, Aes256, Rc4};
use super::*;
use crate::clock::{Entropy, Time};
use crate::encoding::{decode_base16, encode_base16};
use crate::side::Side::{Client, Server};

/// Vector `apreq-mit-aes256-oneway`: MIT krb5 1.20.1.
const AES256_ONE_WAY: &str = "608202c206092a864886f71201020201006e8202b1308202ada003020105a10302010ea20703050000000000a38201c46182\
    01c0308201bca003020105a10e1b0c4558414d504c452e54455354a2243022a003020103a11b30191b037369701b12616573\
    3235362e636f6e746f736f2e636f6da382017d30820179a003020112a103020101a282016b04820167f5179755b52c0e6f6a\
    3f77757f9118390c43f96c8ba2960ccaa7889199f5174870dc4801a5afc0624f9e681c6a45e971ac9d743e6b0f2d44c9eca8\
    260fb9b0dcc881afa3ca118700b8e8c3b6e7f57fe500058a899cbf18bfa5412c5a0d3bbfc7b6c71b32406126048a9268575c\
    20cd30db71ca48aec10a300992a7818338bcd3d097bd0749240668a623748b1f7a128b92c87cbe92dc7e500ad4f9cdf64aee\
    85ab06c886af7c6014a25d30629c600759269fd10374d828912a99227aa2c59cf6e41f5b795de19c66fd9ff11140569f501e\
    2eb7f3adb2e3cf4cc29c2e59fc55b74930315534e5e56e8a50423f355cbfd0eed0e0676f71bf4cc28bd953848e40c5b0ad2a\
    c11224745b129f0084fb66696ef59e6dba490bf2c31ff3bef58e593a4573a872e061e049ddc7c91c2c05b46989579042f935\
    3ba0067cccd524fe5c3052a881a6b8af38fcdcbe2c7734917fc55e579497eddcf1ee7ce44b851fc65826a28ec75ac00af14b\
    a481cf3081cca003020112a281c40481c1bb22465dd99189f17a66b0dae997aca2d4a7a77f8764a1e3c33d8dbbd9469bb5b7\
    6997214537f1876179822b8abb3965236c9f55f472fecba6ac1429f310a006a880d531980fd023199272389b90d8ec867a41\
    8a2e035a82d6837af114187d3b79c70826f58de7f271de5f4b2e819bae2ae0f075764223ff8d3bdedafcfbf9d1e15bdc84fe\
    66786dfc23f1c6f0692daf856da4f500edf4ee46680e9ce281f0673d2c17a052918fc987f16962648ce2c1fcc11f9ca99c9b\
    9197665ea48c0187258f";

/// Vector `apreq-mit-rc4-mutual`: MIT krb5 1.20.1.
const RC4_MUTUAL: &str = "608202a206092a864886f71201020201006e8202913082028da003020105a10302010ea20703050020000000a38201b86182\
    01b4308201b0a003020105a10e1b0c4558414d504c452e54455354a2243022a003020103a11b30191b037369701b12617263\
    666f752e636f6e746f736f2e636f6da38201713082016da003020117a103020101a282015f0482015b70f823c31e73e1a7ad\
    5b3cca42de81248945d76c0f7813f90a3b8e315e30efc400f276e0ff74de8abebebe485908432c116914ef86571108e707e4\
    c98f5b44c1bc7bfb46cc971872f6ed88c13174996136c5d0396e9acf2805330d123312fbdd122d4d05ac84be0e533ebf669c\
    439000e1ba1312e1ed1c4797e2c8d18d8ed361783fa411a432ebfd950d684230f4f0cefe0679d8c81a190285a440f3349eab\
    eec0312ad57af2a48b6674932e9153f36bae343af9f86a223c11081fc6e73dfb67b47f091d2d1f058585d5e8971fb1f21f28\
    52dd6777155b93808a0e5132a0b46b4f1aef9d8c5b92837f076ca5bbf4f12fcd5051f6393911c258158b82f0a25555d9ff3e\
    42d8c14fdcdb9764716eb4d7428dd526b3d7554a7fdbfd1bef88f89e8046ec743c6d731e6e6048d0854dc6bf4ecaf17f27a8\
    88a8baab98ca6976d6659eccb72b07479e8c8cef1fed7326fb781034fb7d8dfe87fdd9356941a481bb3081b8a003020117a2\
    81b00481ad04af6a2bcd0f5dfa023b0b72927b8d9a799d58057a843afc4d7e5c4debd2cc090fddf9956ddda2eb435838a18c\
    38dd0b87368088c7de61c5be1531ff8e052d6224ae81c8dad8b91dfb5f566329e629c924ec13da100b065b030b2928ec0df3\
    fe6d92a81e2d92fc7877892573236adff20698ad72ab4139e15d63f39392cca61c979fdc024e21264f09c17d6e6b0f2db055\
    a170f7d68510936f237cd8c8bc691a5cda57b5c3eff5963298de3284";

/// Vector `aprep-mit-aes256-mutual`.
const AES256_REPLY: &str = "60819906092a864886f71201020202006f8189308186a003020105a10302010fa27a3078a003020112a271046f85902e5f03\
    c1640cfd17e6d15dfcd16686a620e2ede362d4f7d479f023c0db79caab28299e875fc82766835c079fd6825de83449dc4b19\
    e3991be72c32ffd224267182d0656b14825c06eaf7b7fd9e6cc82099a89f3eedcd33bc1e1f1ea9d81f5bf1715257d0e71c15\
    fd2d29ed623b";

const NOW: Time = Time(1_795_417_314_000);
const MINUTE: Duration = Duration::from_mins(1);
const BUFFER: &[u8] = b"<Kerberos><0a1b2c3d><1>";

fn octets(hex: &str) -> Vec<u8> {
    decode_base16(hex.as_bytes()).unwrap()
}

/// Other octets each time, the same ones in each run.
fn entropy() -> impl Entropy {
    entropy_from(0)
}

fn entropy_from(seed: u8) -> impl Entropy {
    let mut state = seed;
    move |octets: &mut [u8]| {
        octets.iter_mut().for_each(|octet| {
            state = state.wrapping_mul(5).wrapping_add(17);
            *octet = state;
        });
        state ^= 0x5A;
    }
}

fn service() -> Principal {
    Principal::service("sip", "server.contoso.com", "CONTOSO.COM")
}

fn alice() -> Principal {
    Principal::user("alice", "CONTOSO.COM")
}

fn service_key(etype: EncryptionType) -> Key {
    Key::new(etype, &[0x11; 32][..etype.key_length()]).unwrap()
}

fn session_key(etype: EncryptionType) -> Key {
    Key::new(etype, &[0x22; 32][..etype.key_length()]).unwrap()
}

/// A service with a key of each type.
fn acceptor() -> Acceptor {
    let key = |etype| ServiceKey { principal: service(), kvno: 1, key: service_key(etype) };
    Acceptor::new(EncryptionType::ALL.map(key).to_vec())
}

fn mint(etype: EncryptionType) -> Mint {
    Mint::new(alice(), service(), session_key(etype), NOW)
}

fn ticket(mint: &Mint) -> ServiceTicket {
    let key = service_key(mint.session_key.etype());
    mint.mint(&key, &mut entropy()).unwrap()
}

fn initiate(mint: &Mint, initiate: &Initiate) -> Initiated {
    initiate.token(&ticket(mint), &mut entropy()).unwrap()
}

fn accept_at(now: Time, token: &[u8]) -> Result<Accepted, KerberosError> {
    acceptor().accept(token, now, &mut ReplayCache::default(), &mut entropy_from(99))
}

fn accept(mint: &Mint, how: &Initiate) -> Result<Accepted, KerberosError> {
    accept_at(NOW, &initiate(mint, how).token)
}

fn sign_each_other(client: &KerberosMac, server: &KerberosMac) {
    for (signer, from, to) in [(Client, client, server), (Server, server, client)] {
        let token = from.sign(signer, BUFFER);
        assert!(to.verify(signer, BUFFER, &token), "{signer:?}");
        assert_eq!(token, to.sign(signer, BUFFER));
    }
}

#[rstest]
fn both_ends_of_a_one_way_context_sign_alike(
    #[values(Aes256, Aes128, Rc4)] etype: EncryptionType,
    #[values(Subkey::Absent, Subkey::Random, Subkey::Given(service_key(Aes128)))] subkey: Subkey,
) {
    let initiated = initiate(&mint(etype), &Initiate { subkey, ..Initiate::new(NOW) });
    let accepted = accept_at(NOW, &initiated.token).unwrap();
    assert_eq!((accepted.client, accepted.service), (alice(), service()));
    assert_eq!(accepted.end, NOW.plus(Mint::LIFETIME));
    assert_eq!((accepted.flags, accepted.reply), (GssFlags::INTEG, None));
    sign_each_other(&initiated.mac(), &accepted.mac);
}

#[rstest]
fn both_ends_of_a_mutual_context_sign_alike(
    #[values(Aes256, Aes128, Rc4)] etype: EncryptionType,
    #[values(Subkey::Absent, Subkey::Random)] subkey: Subkey,
) {
    let initiated = initiate(&mint(etype), &Initiate { subkey, mutual: true, ..Initiate::new(NOW) });
    let accepted = accept_at(NOW, &initiated.token).unwrap();
    let (before, mac) = (initiated.mac(), initiated.complete(&accepted.reply.unwrap()).unwrap());
    sign_each_other(&mac, &accepted.mac);
    let token = before.sign(Client, BUFFER);
    // RFC 4121 has the acceptor assert a key; RFC 1964 stays with that of the client.
    assert_eq!(accepted.mac.verify(Client, BUFFER, &token), etype == Rc4);
}

/// RFC 4121 4.2.2.
#[rstest]
#[case(false, 0x00, 0x01)]
#[case(true, 0x04, 0x05)]
fn the_flags_of_a_signature_say_who_asserted_the_key(
    #[case] mutual: bool,
    #[case] client: u8,
    #[case] server: u8,
) {
    let mac = accept(&mint(Aes256), &Initiate { mutual, ..Initiate::new(NOW) }).unwrap().mac;
    assert_eq!([mac.sign(Client, BUFFER)[2], mac.sign(Server, BUFFER)[2]], [client, server]);
}

fn mit(name: &str, etype: EncryptionType) -> Acceptor {
    let principal = Principal::service("sip", &format!("{name}.contoso.com"), "EXAMPLE.TEST");
    let key = Key::from_password(etype, "svcpw", &principal.salt());
    Acceptor::new(vec![ServiceKey { principal, kvno: 1, key }])
}

/// Subkey and signature: `mic-mit-aes256-oneway-initiator-0`, over a text of 16 fields.
#[test]
fn a_token_of_mit_is_accepted_at_its_time() {
    let accepted = mit("aes256", Aes256)
        .accept(&octets(AES256_ONE_WAY), NOW, &mut ReplayCache::default(), &mut entropy())
        .unwrap();
    assert_eq!(accepted.client, Principal::user("alice", "EXAMPLE.TEST"));
    assert_eq!(accepted.flags.0, 304);
    assert_eq!(accepted.reply, None);
    let buffer = b"<Kerberos><5f3c10aa><1><SIP Communications Service><sip/server.contoso.com>\
        <c7142b90f8c94668807a382f552a6770><2><REGISTER><sip:alice@contoso.com><604168c9c0><sip:alice@contoso.com>\
        <><><><>";
    let signature = "040400ffffffffff0000000014ccffc53fe4a9106e212fa498b72bc7";
    assert!(accepted.mac.verify(Client, buffer, &octets(signature)));
}

#[test]
fn a_mutual_token_of_mit_is_answered() {
    let accepted = mit("arcfou", Rc4)
        .accept(&octets(RC4_MUTUAL), NOW, &mut ReplayCache::default(), &mut entropy())
        .unwrap();
    let session_key = Key::new(Rc4, &octets("4b9fb71c0a024fae87df94fc554e57f9")).unwrap();
    let reply = ApRep::read(&accepted.reply.unwrap()).unwrap().decrypt(&session_key).unwrap();
    assert_eq!(reply.ctime.to_string(), "20261123070155Z");
}

/// `aprep-mit-aes256-mutual`.
#[test]
fn an_answer_of_mit_holds_its_subkey() {
    let session = octets("1daf31b44c4d6f7ed8d508285f38483863817f04010486a37249e1ee4559d889");
    let reply = ApRep::read(&octets(AES256_REPLY)).unwrap();
    let part = reply.decrypt(&Key::new(Aes256, &session).unwrap()).unwrap();
    assert_eq!((part.ctime.to_string().as_str(), part.sequence), ("20261123070154Z", Some(694_289_622)));
    let subkey = part.subkey.unwrap();
    assert_eq!(subkey.etype, 18);
    let asserted = "0b0c2f737c4042799ec9871393f97d47dd7d248f6da5c99a98e741cb065d8086";
    assert_eq!(encode_base16(&subkey.octets), asserted);
}

/// SIPAE-3.3.5.2-19: within 5 minutes all is well, to the millisecond of the clocks.
#[rstest]
fn clocks_may_be_five_minutes_apart(
    #[values(false, true)] client_is_late: bool,
    #[values(0, 1)] beyond: u64,
) {
    let apart = Time(NOW.0 + 300_000 + beyond);
    let (client, server) = if client_is_late { (NOW, apart) } else { (apart, NOW) };
    let mint = mint(Aes256);
    let accepted = accept_at(server, &initiate(&mint, &Initiate::new(client)).token);
    match accepted.map(|accepted| accepted.client) {
        Ok(client) => assert_eq!((client, beyond), (alice(), 0)),
        Err(error) => {
            assert_eq!(error, KerberosError::Skew { client, now: server, skew: 5 * MINUTE });
            assert_eq!((error.rule(), error.code(), beyond), ("SIPAE-3.3.5.2-19", 37, 1));
        }
    }
}

/// RFC 4120 3.2.3: the end of a ticket is taken with the skew too.
#[rstest]
#[case(5, true)]
#[case(6, false)]
fn a_ticket_that_has_ended_is_refused(#[case] minutes: u32, #[case] accepted: bool) {
    let end = Time(NOW.0 - u64::from(minutes) * 60_000);
    let mint = Mint { start: Time(0), end, ..mint(Aes128) };
    match accept(&mint, &Initiate::new(NOW)) {
        Ok(context) => assert!(accepted && context.end == end),
        Err(error) => assert_eq!((error, accepted), (KerberosError::Expired { end, now: NOW }, false)),
    }
}

#[rstest]
#[case(5, true)]
#[case(6, false)]
fn a_ticket_that_has_not_begun_is_refused(#[case] minutes: u32, #[case] accepted: bool) {
    let start = NOW.plus(minutes * MINUTE);
    match accept(&Mint { start, ..mint(Aes128) }, &Initiate::new(NOW)) {
        Ok(_) => assert!(accepted),
        Err(error) => assert_eq!((error, accepted), (KerberosError::NotYetValid { start, now: NOW }, false)),
    }
}

#[test]
fn an_authenticator_is_accepted_once() {
    let (mut replays, mut entropy) = (ReplayCache::default(), entropy());
    let ticket = mint(Aes256).mint(&service_key(Aes256), &mut entropy).unwrap();
    let token = Initiate::new(NOW).token(&ticket, &mut entropy).unwrap().token;
    let mut accept = |token: &[u8], now| acceptor().accept(token, now, &mut replays, &mut entropy_from(99));
    assert!(accept(&token, NOW).is_ok());
    let again = accept(&token, NOW.plus(5 * MINUTE)).unwrap_err();
    assert_eq!((again.rule(), again.code()), ("SIPAE-3.3.5.2-20", 34));
    assert_eq!(again, KerberosError::Replay);
    // The same ticket with a fresh authenticator is no replay, nor does a refused token count as seen.
    let fresh = Initiate::new(NOW).token(&ticket, &mut entropy).unwrap().token;
    assert!(accept(&fresh, NOW.plus(6 * MINUTE)).is_err_and(|error| error.code() == 37));
    assert!(accept(&fresh, NOW).is_ok());
}

#[rstest]
#[case(Principal::service("host", "server.contoso.com", "CONTOSO.COM"))]
#[case(Principal::service("sip", "other.contoso.com", "CONTOSO.COM"))]
#[case(Principal::service("sip", "server.contoso.com", "FABRIKAM.COM"))]
fn a_ticket_for_another_service_is_refused(#[case] service: Principal) {
    let error = accept(&Mint { service: service.clone(), ..mint(Aes256) }, &Initiate::new(NOW)).unwrap_err();
    assert_eq!((error.rule(), error.code()), ("SIPAE-3.3.5.2-31", 35));
    assert_eq!(error, KerberosError::UnknownService { service });
}

#[test]
fn the_letter_case_of_the_service_in_the_ticket_does_not_matter() {
    let service = Principal::service("sip", "SERVER.Contoso.com", "CONTOSO.COM");
    let accepted = accept(&Mint { service: service.clone(), ..mint(Aes256) }, &Initiate::new(NOW)).unwrap();
    assert_eq!(accepted.service, service);
}

#[test]
fn a_ticket_under_a_key_that_the_service_has_not_does_not_decrypt() {
    let ticket = mint(Aes256).mint(&session_key(Aes256), &mut entropy()).unwrap();
    let token = Initiate::new(NOW).token(&ticket, &mut entropy()).unwrap().token;
    assert_eq!(accept_at(NOW, &token).unwrap_err(), KerberosError::Integrity { what: "ticket" });
}

#[rstest]
#[case(Mint { missing: 1, ..mint(Aes256) }, KerberosError::Integrity { what: "ticket" })]
#[case(Mint { missing: 1, ..mint(Rc4) }, KerberosError::Integrity { what: "ticket" })]
#[case(Mint { etype: Some(17), ..mint(Aes256) }, KerberosError::Integrity { what: "ticket" })]
#[case(Mint { etype: Some(3), ..mint(Aes256) }, KerberosError::EncryptionType { what: "ticket", found: 3 })]
#[case(Mint { flags: EncTicketPart::INVALID, ..mint(Aes256) }, KerberosError::TicketInvalid)]
fn a_wrong_ticket_is_refused_for_what_is_wrong(#[case] mint: Mint, #[case] error: KerberosError) {
    assert_eq!(accept(&mint, &Initiate::new(NOW)).unwrap_err(), error);
}

#[rstest]
#[case(Initiate { checksum_type: 7, ..Initiate::new(NOW) }, KerberosError::ChecksumType { found: Some(7) })]
#[case(Initiate { flags: GssFlags::CONF, ..Initiate::new(NOW) }, KerberosError::FlagClear { flag: "INTEG" })]
#[case(
    Initiate { client: Some(Principal::user("bob", "CONTOSO.COM")), ..Initiate::new(NOW) },
    KerberosError::ClientMismatch { authenticator: Principal::user("bob", "CONTOSO.COM"), ticket: alice() }
)]
fn a_wrong_authenticator_is_refused_for_what_is_wrong(#[case] how: Initiate, #[case] error: KerberosError) {
    assert_eq!(accept(&mint(Aes256), &how).unwrap_err(), error);
}

/// RFC 4121 4.1.1.2: an acceptor without bindings of its own does not look at them.
#[test]
fn channel_bindings_are_not_looked_at() {
    assert!(accept(&mint(Aes256), &Initiate { bindings: [1; 16], ..Initiate::new(NOW) }).is_ok());
}

/// The version that the ticket names is tried first, but not only.
#[rstest]
#[case(&[1, 2], 2)]
#[case(&[1], 9)]
fn a_key_of_another_version_may_fit(#[case] versions: &[u32], #[case] kvno: u32) {
    let keys = versions.iter().map(|version| ServiceKey {
        principal: service(),
        kvno: *version,
        key: if *version == 2 { session_key(Aes256) } else { service_key(Aes256) },
    });
    let acceptor = Acceptor::new(keys.collect());
    let token = initiate(&Mint { kvno, ..mint(Aes256) }, &Initiate::new(NOW)).token;
    assert!(acceptor.accept(&token, NOW, &mut ReplayCache::default(), &mut entropy()).is_ok());
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let how = |time| Initiate { mutual: true, ..Initiate::new(time) };
    let (one, other) = (initiate(&mint(Aes256), &how(NOW)), initiate(&mint(Aes256), &how(NOW.plus(MINUTE))));
    let reply = accept_at(NOW, &other.token).unwrap().reply.unwrap();
    assert_eq!(one.complete(&reply).unwrap_err(), KerberosError::Mutual);
}

#[test]
fn an_error_in_place_of_an_answer_is_told_with_its_code_and_text() {
    let error = KrbError {
        code: KerberosError::Replay.code(),
        time: KerberosTime::of(NOW),
        service: service(),
        text: Some("Request is a replay".to_owned()),
    };
    assert_eq!(KrbError::read(&error.write()), Ok(error.clone()));
    let initiated = initiate(&mint(Aes256), &Initiate { mutual: true, ..Initiate::new(NOW) });
    let told = initiated.complete(&error.write()).unwrap_err();
    assert_eq!(told, KerberosError::Peer { code: 34, text: "Request is a replay".to_owned() });
}

/// SIPAE-3.2.5.1-11: a raw AP-REQ is no token, nor is one of another mechanism.
#[test]
fn a_token_without_its_frame_is_refused() {
    let token = initiate(&mint(Aes256), &Initiate::new(NOW)).token;
    let raw = token.windows(1).position(|octets| octets == [0x6E]).map(|start| &token[start..]).unwrap();
    let spnego = [&token[..6], &[0x2B], &token[7..]].concat();
    for wrong in [raw, &spnego, &token[..token.len() - 1], &[&token[..], b"x"].concat(), b""] {
        assert_eq!(accept_at(NOW, wrong).unwrap_err(), KerberosError::Framing);
    }
    let reply = octets(AES256_REPLY);
    let error = KerberosError::TokenId { expected: TokenId::ApReq, found: 0x0200 };
    assert_eq!(accept_at(NOW, &reply).unwrap_err(), error);
}

#[test]
fn no_text_of_an_error_or_a_value_shows_a_key() {
    let how = Initiate { subkey: Subkey::Given(session_key(Aes256)), ..Initiate::new(NOW) };
    let initiated = initiate(&mint(Aes256), &how);
    let accepted = accept_at(NOW, &initiated.token).unwrap();
    let shown = format!("{:?} {how:?} {initiated:?} {accepted:?} {:?}", acceptor(), mint(Aes256));
    let shown = shown.replace(&format!("{:?}", initiated.token), "");
    for octet in ["17, 17", "34, 34", "1111", "2222"] {
        assert!(!shown.contains(octet), "{shown}");
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Overwrite(u8),
    Insert(u8),
    Remove(usize),
    Cut,
}

fn edit() -> impl Strategy<Value = (Index, Edit)> {
    let kind = prop_oneof![
        6 => any::<u8>().prop_map(Edit::Overwrite),
        2 => any::<u8>().prop_map(Edit::Insert),
        2 => (1..40_usize).prop_map(Edit::Remove),
        1 => Just(Edit::Cut),
    ];
    (any::<Index>(), kind)
}

fn edited(mut octets: Vec<u8>, edits: &[(Index, Edit)]) -> Vec<u8> {
    for (place, edit) in edits {
        let place = place.index(octets.len() + 1);
        match edit {
            Edit::Overwrite(octet) => octets[place..].iter_mut().take(1).for_each(|old| *old = *octet),
            Edit::Insert(octet) => octets.insert(place, *octet),
            Edit::Remove(length) => drop(octets.drain(place..octets.len().min(place + length))),
            Edit::Cut => octets.truncate(place),
        }
    }
    octets
}

proptest! {
    #[test]
    fn any_octets_are_refused_without_a_panic(token in vec(any::<u8>(), 0..300)) {
        prop_assert!(accept_at(NOW, &token).is_err());
        prop_assert!(ApRep::read(&token).is_err());
        prop_assert!(KrbError::read(&token).is_err());
    }

    /// What is not encrypted may be changed, but it makes no second context of one authenticator.
    #[test]
    fn no_edit_of_a_used_token_is_accepted(edits in vec(edit(), 0..5), kind in 0..3_usize, mutual: bool) {
        let etype = EncryptionType::ALL[kind];
        let token = initiate(&mint(etype), &Initiate { mutual, ..Initiate::new(NOW) }).token;
        let (mut replays, mut entropy) = (ReplayCache::default(), entropy());
        prop_assert!(acceptor().accept(&token, NOW, &mut replays, &mut entropy).is_ok());
        let error = acceptor().accept(&edited(token, &edits), NOW, &mut replays, &mut entropy).unwrap_err();
        prop_assert!(!error.to_string().is_empty() && !error.rule().is_empty());
    }

    #[test]
    fn an_edited_answer_or_error_is_read_or_refused(edits in vec(edit(), 1..5)) {
        let how = Initiate { mutual: true, ..Initiate::new(NOW) };
        let initiated = initiate(&mint(Aes128), &how);
        let reply = accept_at(NOW, &initiated.token).unwrap().reply.unwrap();
        if let Ok(mac) = initiated.clone().complete(&edited(reply.clone(), &edits)) {
            sign_each_other(&mac, &initiated.complete(&reply).unwrap());
        }
        let error = KrbError { code: 60, time: KerberosTime::of(NOW), service: service(), text: None };
        if let Ok(read) = KrbError::read(&edited(error.write(), &edits)) {
            prop_assert_eq!(KrbError::read(&read.write()), Ok(read));
        }
    }
}
