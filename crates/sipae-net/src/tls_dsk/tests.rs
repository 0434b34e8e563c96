use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, OtherNameValue, SanType};
use rstest::rstest;
use sipae::clock::Time;
use sipae::side::Side;
use sipae::tlsdsk::{Flight, HandshakeType, TlsDskError, TlsHandshake, TlsOutcome, TlsProvider, coalesce};

use super::*;
#[cfg(feature = "legacy-tls")]
use sipae::tlsdsk::Hash;

/// 1 January 2026.
const NOW: Time = Time(1_767_225_600_000);
const DAY: i64 = 86_400_000;

const USER: &str = "alice@contoso.com";
const HOST: &str = "server.contoso.com";

const VALID: Validity = days(-1, 1);
const EXPIRED: Validity = days(-9, -1);
const NOT_YET_VALID: Validity = days(1, 9);

const fn days(first: i64, last: i64) -> Validity {
    Validity { not_before: day(first), not_after: day(last) }
}

/// Days after now, or before.
const fn day(days: i64) -> Time {
    Time(NOW.0.saturating_add_signed(days * DAY))
}

fn authority() -> Authority {
    Authority::test().unwrap()
}

fn user(validity: Validity, key: TestKey) -> TlsDskIdentity {
    authority().user(USER, validity, key).unwrap()
}

fn host(validity: Validity, key: TestKey) -> TlsDskIdentity {
    authority().server(HOST, validity, key).unwrap()
}

fn settings(engine: TlsDskEngine, identity: TlsDskIdentity) -> TlsDskSettings {
    TlsDskSettings::new(engine, Some(identity), authority().certificate())
}

fn client(engine: TlsDskEngine) -> TlsDskSettings {
    settings(engine, user(VALID, TestKey::Rsa))
}

fn server(engine: TlsDskEngine) -> TlsDskSettings {
    settings(engine, host(VALID, TestKey::Rsa))
}

fn handshake(settings: &TlsDskSettings, side: Side) -> TlsHandshake {
    let provider = TlsDskProvider::new(settings).unwrap();
    TlsHandshake::new(provider.engine(side, NOW).unwrap(), side)
}

/// What a handshake came to, and what was said.
#[derive(Debug)]
struct Ended {
    client: TlsOutcome,
    server: TlsOutcome,
    flights: [Vec<u8>; 4],
}

/// A handshake in memory; an error with the side that found it.
fn shake(client: &TlsDskSettings, server: &TlsDskSettings) -> Result<Ended, (Side, TlsDskError)> {
    let (mut client, mut server) = (handshake(client, Side::Client), handshake(server, Side::Server));
    let by = |side| move |error| (side, error);
    let first = client.step(&[]).map_err(by(Side::Client))?;
    let second = server.step(&first).map_err(by(Side::Server))?;
    let third = client.step(&second).map_err(by(Side::Client))?;
    assert!(!client.is_done() && !server.is_done());
    let fourth = server.step(&third).map_err(by(Side::Server))?;
    assert_eq!(client.step(&fourth).map_err(by(Side::Client))?, b"", "the client says nothing at the end");
    let outcome = |handshake: &TlsHandshake| handshake.outcome().unwrap().clone();
    let (client, server) = (outcome(&client), outcome(&server));
    Ok(Ended { client, server, flights: [first, second, third, fourth] })
}

fn kinds(flight: &[u8]) -> Vec<u8> {
    let read = Flight::read(flight).unwrap();
    read.messages().map(|message| message.unwrap().kind.0).collect()
}

/// What holds of every handshake that succeeds.
#[track_caller]
fn check(ended: &Ended) {
    assert_eq!(ended.client.key_material, ended.server.key_material);
    assert_eq!(ended.client.hash, ended.server.hash);
    let peer = ended.server.peer.as_ref().unwrap();
    assert_eq!(peer.names, [USER, "sip:alice@contoso.com"]);
    assert_eq!(peer.not_after, VALID.not_after);
    assert_eq!(ended.client.peer.as_ref().unwrap().names, [HOST, HOST]);
    let [first, second, third, fourth] = &ended.flights;
    assert_eq!(kinds(first), [1]);
    assert_eq!(Flight::read(second).unwrap().records().len(), 1);
    assert!([vec![2, 11, 13, 14], vec![2, 11, 12, 13, 14]].contains(&kinds(second)));
    assert_eq!(kinds(third), [11, 16, 15]);
    assert_eq!(kinds(fourth), [0; 0]);
    assert_eq!(Flight::read(fourth).unwrap().records().len(), 2);
    assert!(names_an_authority(second));
}

/// One known client refuses a CertificateRequest that names no authority. The list is at the end of the message.
fn names_an_authority(flight: &[u8]) -> bool {
    let read = Flight::read(flight).unwrap();
    let mut messages = read.messages().map(Result::unwrap);
    let request = messages.find(|message| message.kind == HandshakeType::CERTIFICATE_REQUEST).unwrap();
    let name = b"sipae TEST authority";
    request.body.windows(name.len()).any(|window| window == name)
}

#[rstest]
#[case(TlsDskEngine::Rustls, TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::Rustls, TlsDskEngine::OpenSsl))]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl, TlsDskEngine::Rustls))]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl, TlsDskEngine::OpenSsl))]
fn both_sides_get_the_same_keys(
    #[case] near: TlsDskEngine,
    #[case] far: TlsDskEngine,
    #[values(TestKey::Rsa, TestKey::P256)] key: TestKey,
) {
    let ended = shake(&settings(near, user(VALID, key)), &settings(far, host(VALID, key))).unwrap();
    check(&ended);
    let again = shake(&client(near), &server(far)).unwrap();
    assert_ne!(ended.client.key_material, again.client.key_material);
}

#[cfg(feature = "legacy-tls")]
#[rstest]
#[case(TlsDskVersion::V1_0, "AES128-SHA", Hash::Sha1)]
#[case(TlsDskVersion::V1_0, "AES256-SHA", Hash::Sha1)]
#[case(TlsDskVersion::V1_1, "AES128-SHA", Hash::Sha1)]
#[case(TlsDskVersion::V1_1, "AES256-SHA", Hash::Sha1)]
#[case(TlsDskVersion::V1_2, "AES128-SHA", Hash::Sha1)]
#[case(TlsDskVersion::V1_2, "AES256-SHA", Hash::Sha1)]
#[case(TlsDskVersion::V1_2, "AES128-SHA256", Hash::Sha256)]
#[case(TlsDskVersion::V1_2, "AES256-GCM-SHA384", Hash::Sha384)]
fn old_versions_with_rsa_key_exchange_are_spoken(
    #[case] version: TlsDskVersion,
    #[case] suite: &str,
    #[case] hash: Hash,
) {
    let only = |settings: TlsDskSettings| TlsDskSettings {
        oldest: version,
        newest: version,
        suites: Some(suite.to_owned()),
        ..settings
    };
    // The server takes what comes.
    let (client, server) = (only(client(TlsDskEngine::OpenSsl)), server(TlsDskEngine::OpenSsl));
    let ended = shake(&client, &server).unwrap();
    check(&ended);
    assert_eq!(ended.server.hash, hash);
    let [_, second, ..] = &ended.flights;
    assert_eq!(kinds(second), [2, 11, 13, 14], "no ephemeral key");
    assert_eq!(Flight::read(second).unwrap().records()[0].version, version.number());
}

/// E-19: the number of flights is always the same.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_second_handshake_of_the_same_providers_is_a_full_one(#[case] engine: TlsDskEngine) {
    let (near, far) = (client(engine), server(engine));
    let (near, far) = (TlsDskProvider::new(&near).unwrap(), TlsDskProvider::new(&far).unwrap());
    for _ in 0..2 {
        let mut client = TlsHandshake::new(near.engine(Side::Client, NOW).unwrap(), Side::Client);
        let mut server = TlsHandshake::new(far.engine(Side::Server, NOW).unwrap(), Side::Server);
        let second = server.step(&client.step(&[]).unwrap()).unwrap();
        assert!(kinds(&second).contains(&HandshakeType::CERTIFICATE_REQUEST.0));
        server.step(&client.step(&second).unwrap()).unwrap();
        assert!(server.is_done());
    }
}

/// An identity of an authority that nobody trusts.
fn stranger() -> TlsDskIdentity {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "somebody");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(params, KeyPair::generate().unwrap());
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, USER);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    TlsDskIdentity { certificates: certificate.pem(), key: key.serialize_pem() }
}

#[derive(Clone, Copy, Debug)]
enum Wrong {
    Expired,
    NotYetValid,
    Untrusted,
}

impl Wrong {
    fn identity(self, issue: fn(Validity, TestKey) -> TlsDskIdentity) -> TlsDskIdentity {
        match self {
            Self::Expired => issue(EXPIRED, TestKey::P256),
            Self::NotYetValid => issue(NOT_YET_VALID, TestKey::P256),
            Self::Untrusted => stranger(),
        }
    }

    fn is(self, error: &TlsDskError) -> bool {
        match self {
            Self::Expired => *error == TlsDskError::CertificateExpired,
            Self::NotYetValid => *error == TlsDskError::CertificateNotYetValid,
            Self::Untrusted => matches!(error, TlsDskError::CertificateUntrusted(_)),
        }
    }
}

/// SIPAE-3.3.5.2-12, SIPAE-3.2.5.1-17.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_certificate_that_is_not_accepted_says_why(
    #[case] engine: TlsDskEngine,
    #[values(Wrong::Expired, Wrong::NotYetValid, Wrong::Untrusted)] wrong: Wrong,
) {
    let near = settings(TlsDskEngine::Rustls, wrong.identity(user));
    let (side, error) = shake(&near, &server(engine)).unwrap_err();
    assert!(side == Side::Server && wrong.is(&error), "{side:?}: {error}");
    assert_eq!(error.rule(), "SIPAE-3.3.5.2-12");
    let far = settings(TlsDskEngine::Rustls, wrong.identity(host));
    let (side, error) = shake(&client(engine), &far).unwrap_err();
    assert!(side == Side::Client && wrong.is(&error), "{side:?}: {error}");
}

/// Test servers show a certificate that nobody has issued, often one that says it is an authority.
#[test]
fn a_client_trusts_the_very_certificate_that_it_is_told_to_trust() {
    let shown = |authority: &Authority| {
        let (certificates, key) = (authority.certificate().to_owned(), authority.key());
        settings(TlsDskEngine::Rustls, TlsDskIdentity { certificates, key })
    };
    let client = client(TlsDskEngine::Rustls);
    assert!(shake(&client, &shown(&authority())).is_ok());
    let (side, error) = shake(&client, &shown(&Authority::stranger().unwrap())).unwrap_err();
    assert!(
        side == Side::Client && matches!(error, TlsDskError::CertificateUntrusted(_)),
        "{side:?}: {error}"
    );
}

/// Every certificate of the chain is right; the chain is what nobody needs, and what costs a server time.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_chain_of_a_hundred_certificates_is_refused_by_both_sides(#[case] engine: TlsDskEngine) {
    let far = below(100);
    let near = settings(TlsDskEngine::Rustls, far.user(USER, VALID, TestKey::P256).unwrap());
    let (side, error) = shake(&near, &server(engine)).unwrap_err();
    assert!(side == Side::Server && error.rule() == "SIPAE-3.3.5.2-12", "{side:?}: {error}");
    let host = settings(TlsDskEngine::Rustls, far.server(HOST, VALID, TestKey::P256).unwrap());
    let (side, error) = shake(&client(engine), &host).unwrap_err();
    assert!(side == Side::Client && error.rule() == "SIPAE-3.3.5.2-12", "{side:?}: {error}");
}

/// Users and servers have their certificates from an authority below the root.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_chain_of_two_authorities_is_accepted_by_both_sides(#[case] engine: TlsDskEngine) {
    let far = below(2);
    let near = settings(engine, far.user(USER, VALID, TestKey::P256).unwrap());
    let host = settings(engine, far.server(HOST, VALID, TestKey::P256).unwrap());
    check(&shake(&near, &host).unwrap());
}

/// The last of so many authorities, each below the one before, the first below the one that is trusted.
fn below(count: usize) -> Authority {
    let below = |above: Authority, place: usize| above.subordinate(&place.to_string()).unwrap();
    (1..=count).fold(authority(), below)
}

/// SIPAE-3.3.5.2-11.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_client_without_certificate_is_refused(#[case] engine: TlsDskEngine) {
    let near = TlsDskSettings { identity: None, ..client(TlsDskEngine::Rustls) };
    let refused = shake(&near, &server(engine)).unwrap_err();
    assert_eq!(refused, (Side::Server, TlsDskError::CertificateAbsent));
}

#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_server_needs_a_certificate_and_an_authority(#[case] engine: TlsDskEngine) {
    let settings = TlsDskSettings { identity: None, ..server(engine) };
    let error = TlsDskProvider::new(&settings).unwrap().engine(Side::Server, NOW).unwrap_err();
    assert_eq!(error.to_string(), "TLS settings: a server needs a certificate");
    let settings = TlsDskSettings { trusted: Vec::new(), ..server(engine) };
    let error = TlsDskProvider::new(&settings).unwrap_err();
    assert_eq!(error.to_string(), "TLS settings: no PEM certificate of an authority");
}

#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_certificate_with_the_key_of_another_is_refused(#[case] engine: TlsDskEngine) {
    let mut identity = host(VALID, TestKey::P256);
    identity.key = host(VALID, TestKey::P256).key;
    assert!(matches!(TlsDskProvider::new(&settings(engine, identity)), Err(TlsDskError::Settings(_))));
}

#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_flight_of_the_own_side_is_refused(#[case] engine: TlsDskEngine) {
    let [first, second, third, _] = shake(&client(engine), &server(engine)).unwrap().flights;
    let sent = |kind, by| TlsDskError::Direction { kind, by };
    let mut near = handshake(&client(engine), Side::Client);
    near.step(&[]).unwrap();
    assert_eq!(near.step(&first), Err(sent(HandshakeType::CLIENT_HELLO, Side::Server)));
    let mut far = handshake(&server(engine), Side::Server);
    assert_eq!(far.step(&second), Err(sent(HandshakeType::SERVER_HELLO, Side::Client)));
    // The right side, at the wrong time.
    let mut far = handshake(&server(engine), Side::Server);
    assert!(far.step(&third).is_err() && !far.is_done());
}

/// SIPAE-3.2.5.1-16, SIPAE-3.3.5.2-11: every octet of what is encrypted counts.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_finished_that_was_changed_is_refused(#[case] engine: TlsDskEngine) {
    let (near, far) = (client(engine), server(engine));
    for changed in [Side::Client, Side::Server] {
        let (mut client, mut server) = (handshake(&near, Side::Client), handshake(&far, Side::Server));
        let second = server.step(&client.step(&[]).unwrap()).unwrap();
        let mut third = client.step(&second).unwrap();
        if changed == Side::Client {
            *third.last_mut().unwrap() ^= 1;
            let error = server.step(&third).unwrap_err();
            assert!(matches!(error, TlsDskError::Proof(_)) && !server.is_done(), "{error:?}");
            continue;
        }
        let mut fourth = server.step(&third).unwrap();
        *fourth.last_mut().unwrap() ^= 1;
        let error = client.step(&fourth).unwrap_err();
        assert!(matches!(error, TlsDskError::Proof(_)) && !client.is_done(), "{error:?}");
    }
}

/// SIPAE-3.3.5.2-11: the key of the certificate is proved.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn a_certificate_verify_that_was_changed_is_refused(#[case] engine: TlsDskEngine) {
    let (mut near, mut far) =
        (handshake(&client(engine), Side::Client), handshake(&server(engine), Side::Server));
    let second = far.step(&near.step(&[]).unwrap()).unwrap();
    let mut third = near.step(&second).unwrap();
    let last_of_verify = {
        let read = Flight::read(&third).unwrap();
        let mut plain = read.records().iter().rev().filter(|record| !record.encrypted);
        plain
            .find(|record| 1 < record.fragment.len())
            .map(|record| record.offset + 5 + record.fragment.len() - 1)
            .unwrap()
    };
    third[last_of_verify] ^= 1;
    let error = far.step(&third).unwrap_err();
    assert!(matches!(error, TlsDskError::Proof(_)) && !far.is_done(), "{error:?}");
}

#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn half_a_flight_is_told_from_a_whole_one(#[case] engine: TlsDskEngine) {
    let (mut near, mut far) =
        (handshake(&client(engine), Side::Client), handshake(&server(engine), Side::Server));
    let second = far.step(&near.step(&[]).unwrap()).unwrap();
    let third = near.step(&second).unwrap();
    let cut = {
        let read = Flight::read(&third).unwrap();
        read.records().iter().find(|record| record.encrypted).unwrap().offset
    };
    assert_eq!(far.step(&third[..cut]), Err(TlsDskError::FlightIncomplete));
}

/// Joining records once more changes nothing, and another cut of the records ends as well.
#[rstest]
#[case(TlsDskEngine::Rustls)]
#[cfg_attr(feature = "legacy-tls", case(TlsDskEngine::OpenSsl))]
fn the_boundaries_of_records_mean_nothing(#[case] engine: TlsDskEngine) {
    let (mut near, mut far) =
        (handshake(&client(engine), Side::Client), handshake(&server(engine), Side::Server));
    let second = far.step(&near.step(&[]).unwrap()).unwrap();
    assert_eq!(coalesce(&second), second);
    let cut: Vec<u8> = second[5..]
        .chunks(100)
        .flat_map(|chunk| {
            let length = u16::try_from(chunk.len()).unwrap().to_be_bytes();
            [&second[..3], &length, chunk].concat()
        })
        .collect();
    let fourth = far.step(&near.step(&cut).unwrap()).unwrap();
    near.step(&fourth).unwrap();
    assert_eq!(near.outcome().unwrap().key_material, far.outcome().unwrap().key_material);
}

#[test]
fn versions_without_overlap_are_told() {
    let only = |version| TlsDskSettings { newest: version, ..client(TlsDskEngine::Rustls) };
    let error = TlsDskProvider::new(&only(TlsDskVersion::V1_2));
    assert!(error.is_ok());
    let old = TlsDskSettings { oldest: TlsDskVersion::V1_0, ..only(TlsDskVersion::V1_1) };
    assert!(matches!(TlsDskProvider::new(&old), Err(TlsDskError::Settings(_))));
}

#[cfg(feature = "legacy-tls")]
#[test]
fn a_client_of_an_old_version_is_incompatible_with_a_new_server() {
    let near = TlsDskSettings { newest: TlsDskVersion::V1_1, ..client(TlsDskEngine::OpenSsl) };
    for engine in [TlsDskEngine::Rustls, TlsDskEngine::OpenSsl] {
        let far = TlsDskSettings { oldest: TlsDskVersion::V1_2, ..server(engine) };
        let (side, error) = shake(&near, &far).unwrap_err();
        assert!(side == Side::Server && matches!(error, TlsDskError::Incompatible(_)), "{error}");
    }
}

/// Separate processes agree on the authority.
#[test]
fn the_test_authority_is_the_same_each_time() {
    assert_eq!(authority().certificate(), authority().certificate());
}

#[test]
fn a_certificate_names_whom_it_is_for_in_every_form() {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Älice");
    let principal = OtherNameValue::Utf8String("alice@corp.contoso.com".to_owned());
    params.subject_alt_names = vec![
        SanType::URI("sip:alice@contoso.com".try_into().unwrap()),
        SanType::Rfc822Name("alice@contoso.com".try_into().unwrap()),
        SanType::DnsName("contoso.com".try_into().unwrap()),
        SanType::OtherName((vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3], principal)),
        SanType::OtherName((
            vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 4],
            OtherNameValue::Utf8String("x".to_owned()),
        )),
    ];
    params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let read = certificate::read(certificate.der()).unwrap();
    let names =
        ["Älice", "sip:alice@contoso.com", "alice@contoso.com", "contoso.com", "alice@corp.contoso.com"];
    assert_eq!(read.names, names);
    assert_eq!(read.not_after, NOW);
    assert!(matches!(certificate::read(b"no DER"), Err(TlsDskError::CertificateInvalid(_))));
}

#[test]
fn no_key_is_shown() {
    let shown = format!("{:?}", server(TlsDskEngine::Rustls));
    assert!(!shown.contains("PRIVATE"), "{shown}");
}

#[cfg(feature = "legacy-tls")]
mod foreign;
