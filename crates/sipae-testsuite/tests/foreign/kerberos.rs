//! Kerberos: RFC 4120, RFC 4121, RFC 4757.

use std::path::Path;
use std::time::Duration;

use sipae::clock::Time;
use sipae::kerberos::{
    self as ours, Ccache, Initiate, Initiated, KerberosError, KerberosMac, Keytab, Mint, Principal,
    ReplayCache, ServiceKey, ServiceTicket, Subkey,
};
use sipae::side::Side;
use sipae_gssapi::{
    Acceptor, Context, Credential, Flags, Gss, GssError, Initiator, Name, Oid, Step, Usage, Wanted,
};
use sipae_net::{OsEntropy, system_time};

use super::part::{Part, Rig};
use super::realm::{self, Etype, KEYTAB, OTHER_KEYTAB, Offer, REALM, SERVICE};

/// Whether the server proves itself too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    OneWay,
    Mutual,
}

impl Mode {
    const ALL: [Self; 2] = [Self::OneWay, Self::Mutual];

    const fn name(self) -> &'static str {
        match self {
            Self::OneWay => "one-way",
            Self::Mutual => "mutual",
        }
    }

    fn flags(self) -> Flags {
        match self {
            Self::OneWay => Flags::INTEGRITY,
            Self::Mutual => Flags::INTEGRITY | Flags::MUTUAL,
        }
    }
}

type Run = fn(&Path, Etype, Mode);

const TABLE: &[(&str, Offer, Run)] = &[
    ("mit_and_mit_agree_so_the_realm_works", Offer::One, mit_and_mit),
    ("our_acceptor_takes_its_client_and_both_verify_signatures", Offer::One, its_client),
    ("our_acceptor_takes_its_client_that_offers_better_types", Offer::All, its_client),
    ("its_acceptor_takes_our_client_with_a_ticket_of_the_kdc", Offer::One, our_client),
    ("its_acceptor_that_has_better_types_takes_our_client", Offer::All, our_client),
    ("its_acceptor_takes_our_client_without_a_subkey", Offer::One, our_client_without_subkey),
    ("its_acceptor_takes_a_ticket_that_we_mint", Offer::One, our_ticket),
    ("clocks_ten_minutes_apart_are_refused_by_both", Offer::One, skew),
    ("a_ticket_that_has_ended_is_refused_by_both", Offer::One, expired),
    ("a_ticket_for_another_key_is_refused_by_both", Offer::One, other_key),
    ("a_token_that_comes_twice_is_refused_by_both", Offer::One, replay),
];

pub(crate) fn parts() -> Vec<Part> {
    let settings = || Etype::ALL.into_iter().flat_map(|etype| Mode::ALL.map(|mode| (etype, mode)));
    let rows = TABLE.iter().flat_map(|row| settings().map(move |setting| (row, setting)));
    rows.map(|((name, offer, run), (etype, mode))| {
        let name = format!("kerberos::{name}/{}-{}", etype.short(), mode.name());
        Part::new(name, Rig::Realm(etype, *offer), move |folder| run(folder, etype, mode))
    })
    .collect()
}

const MESSAGES: [&[u8]; 4] = [b"", b"<Kerberos><0a1b2c3d><1>", &[0x5A; 255], &[0xA5; 5000]];

fn gss() -> Gss {
    Gss::load().expect("the library")
}

/// Alice, with the tickets of her cache.
fn mit_initiator(mode: Mode) -> Initiator {
    let own = Credential::acquire(gss(), &Wanted::new(Usage::Initiate, &Oid::KRB5)).expect("tickets");
    let server = Name::principal(gss(), SERVICE).expect("a name");
    Initiator::new(gss(), Some(own), server, Oid::KRB5, mode.flags())
}

/// The service, with the key of its keytab.
fn mit_acceptor() -> Acceptor {
    let own = Credential::acquire(gss(), &Wanted::new(Usage::Accept, &Oid::KRB5)).expect("a keytab");
    Acceptor::new(gss(), Some(own))
}

fn mit_and_mit(_: &Path, etype: Etype, mode: Mode) {
    let (mut initiator, mut acceptor) = (mit_initiator(mode), mit_acceptor());
    let asked = initiator.step(None).expect("an AP-REQ");
    assert_eq!(asked.done, mode == Mode::OneWay);
    let answered = acceptor.step(&asked.token).expect("accepted");
    assert!(answered.done);
    if mode == Mode::Mutual {
        let last = initiator.step(Some(&answered.token)).expect("an AP-REP that fits");
        assert_eq!(last, Step { token: Vec::new(), done: true });
    }
    let client = acceptor.client_name().expect("a client").text();
    assert_eq!(client, Ok(format!("alice@{REALM}")));
    let (client, server) = (initiator.into_context().expect("done"), acceptor.into_context().expect("done"));
    agree(&client, &server, etype);
    agree(&server, &client, etype);
}

fn agree(from: &Context, to: &Context, etype: Etype) {
    for message in MESSAGES {
        let signature = from.get_mic(message).expect("a signature");
        assert!(signature.starts_with(head(etype)), "{signature:02x?}");
        assert_eq!(to.verify_mic(message, &signature), Ok(()));
        let altered = [message, b"x"].concat();
        assert!(to.verify_mic(&altered, &signature).is_err());
    }
}

/// How the signature of an encryption type begins (RFC 4121 4.2.6.1; RFC 4757 7.3 behind RFC 2743 3.1).
const fn head(etype: Etype) -> &'static [u8] {
    match etype {
        Etype::Aes256 | Etype::Aes128 => b"\x04\x04",
        Etype::Rc4 => b"\x60\x23\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x01\x11\x00\xff\xff\xff\xff",
    }
}

/// Ours, with the keys of a keytab of the realm.
fn our_acceptor(folder: &Path, keytab: &str) -> ours::Acceptor {
    ours::Acceptor::new(service_keys(folder, keytab))
}

fn service_keys(folder: &Path, keytab: &str) -> Vec<ServiceKey> {
    Keytab::read(&std::fs::read(folder.join(keytab)).expect("a keytab")).expect("its keys")
}

/// Ours, of now.
fn our_initiator(mode: Mode) -> Initiate {
    Initiate { mutual: mode == Mode::Mutual, ..Initiate::new(system_time()) }
}

/// What the KDC has given to a user, read from the cache.
fn ticket_of(folder: &Path, user: &str) -> ServiceTicket {
    let octets = std::fs::read(realm::ccache_path(folder, user)).expect("a cache");
    let cache = Ccache::read(&octets).expect("its tickets");
    assert_eq!(cache.client, Principal::user(user, REALM));
    cache.ticket_for(&service()).expect("a ticket of the service").clone()
}

fn service() -> Principal {
    Principal::service("sip", "server.contoso.com", REALM)
}

/// A ticket of ours, for a user whom no KDC knows.
fn minted(folder: &Path, keytab: &str, change: impl FnOnce(&mut Mint)) -> ServiceTicket {
    let keys = service_keys(folder, keytab);
    let [ServiceKey { kvno, key, .. }] = keys.as_slice() else { panic!("one key, not {}", keys.len()) };
    let session_key = ours::Key::random(key.etype(), &mut OsEntropy);
    let client = Principal::user("nobody", REALM);
    let mut mint = Mint { kvno: *kvno, ..Mint::new(client, service(), session_key, system_time()) };
    change(&mut mint);
    mint.mint(key, &mut OsEntropy).expect("a ticket")
}

fn its_client(folder: &Path, etype: Etype, mode: Mode) {
    let mut initiator = mit_initiator(mode);
    let asked = initiator.step(None).expect("an AP-REQ").token;
    let accepted = our_acceptor(folder, KEYTAB)
        .accept(&asked, system_time(), &mut ReplayCache::default(), &mut OsEntropy)
        .expect("accepted");
    assert_eq!(accepted.client, Principal::user("alice", REALM));
    assert_eq!(accepted.service, service());
    assert_eq!(accepted.end, ticket_of(folder, "alice").end);
    assert_eq!(accepted.reply.is_some(), mode == Mode::Mutual);
    if let Some(reply) = accepted.reply {
        assert!(initiator.step(Some(&reply)).expect("an AP-REP that fits").done);
    }
    agree_with_ours(&initiator.into_context().expect("done"), &accepted.mac, Side::Server, etype);
}

fn our_client(folder: &Path, etype: Etype, mode: Mode) {
    for user in ["alice", "mallory"] {
        let client = our_initiator(mode).token(&ticket_of(folder, user), &mut OsEntropy).expect("an AP-REQ");
        accepted_by_mit(client, user, etype, mode);
    }
}

fn our_client_without_subkey(folder: &Path, etype: Etype, mode: Mode) {
    let initiate = Initiate { subkey: Subkey::Absent, ..our_initiator(mode) };
    let client = initiate.token(&ticket_of(folder, "alice"), &mut OsEntropy).expect("an AP-REQ");
    accepted_by_mit(client, "alice", etype, mode);
}

fn our_ticket(folder: &Path, etype: Etype, mode: Mode) {
    let ticket = minted(folder, KEYTAB, |_| ());
    let client = our_initiator(mode).token(&ticket, &mut OsEntropy).expect("an AP-REQ");
    accepted_by_mit(client, "nobody", etype, mode);
}

fn accepted_by_mit(client: Initiated, user: &str, etype: Etype, mode: Mode) {
    let mut acceptor = mit_acceptor();
    let answered = acceptor.step(&client.token).expect("accepted");
    assert!(answered.done);
    assert_eq!(acceptor.client_name().expect("a client").text(), Ok(format!("{user}@{REALM}")));
    let mac = match mode {
        Mode::OneWay => client.mac(),
        Mode::Mutual => client.complete(&answered.token).expect("an AP-REP that fits"),
    };
    agree_with_ours(&acceptor.into_context().expect("done"), &mac, Side::Client, etype);
}

/// Both verify what the other one signs. Ours all have the sequence number 0, as those of products have; MIT counts.
fn agree_with_ours(theirs: &Context, mac: &KerberosMac, our_side: Side, etype: Etype) {
    for message in MESSAGES.iter().chain(MESSAGES.iter().rev()) {
        let altered = [*message, b"x"].concat();
        let signature = mac.sign(our_side, message);
        assert!(signature.starts_with(head(etype)), "{signature:02x?}");
        assert_eq!(theirs.verify_mic(message, &signature), Ok(()));
        assert!(theirs.verify_mic(&altered, &signature).is_err());
        assert!(theirs.verify_mic(message, &mac.sign(our_side.peer(), message)).is_err(), "reflected");
        let signature = theirs.get_mic(message).expect("a signature");
        assert!(mac.verify(our_side.peer(), message, &signature));
        assert!(!mac.verify(our_side.peer(), &altered, &signature));
        assert!(!mac.verify(our_side, message, &signature), "reflected");
    }
}

const TEN_MINUTES: Duration = Duration::from_mins(10);

/// Ten minutes before and behind now.
fn wrong_times() -> [Time; 2] {
    let now = system_time();
    [Time(now.0 - Time::default().plus(TEN_MINUTES).0), now.plus(TEN_MINUTES)]
}

fn skew(folder: &Path, _: Etype, mode: Mode) {
    for time in wrong_times() {
        let error = refused_by_us(folder, KEYTAB, mode, time);
        assert!(matches!(error, KerberosError::Skew { .. } | KerberosError::NotYetValid { .. }), "{error}");
        let initiate = Initiate { time, ..our_initiator(mode) };
        refused_by_mit(&initiate, &ticket_of(folder, "alice"), "Clock skew too great");
    }
}

fn expired(folder: &Path, _: Etype, mode: Mode) {
    let late = ticket_of(folder, "alice").end.plus(TEN_MINUTES);
    assert!(matches!(refused_by_us(folder, KEYTAB, mode, late), KerberosError::Expired { .. }));
    let [end, _] = wrong_times();
    let ticket = minted(folder, KEYTAB, |mint| (mint.start, mint.end) = (Time(end.0 - 3_600_000), end));
    refused_by_mit(&our_initiator(mode), &ticket, "Ticket expired");
}

fn other_key(folder: &Path, _: Etype, mode: Mode) {
    let error = refused_by_us(folder, OTHER_KEYTAB, mode, system_time());
    assert_eq!(error, KerberosError::Integrity { what: "ticket" });
    refused_by_mit(&our_initiator(mode), &minted(folder, OTHER_KEYTAB, |_| ()), "cannot decrypt ticket");
}

fn refused_by_us(folder: &Path, keytab: &str, mode: Mode, now: Time) -> KerberosError {
    let token = mit_initiator(mode).step(None).expect("an AP-REQ").token;
    let acceptor = our_acceptor(folder, keytab);
    acceptor.accept(&token, now, &mut ReplayCache::default(), &mut OsEntropy).expect_err("refused")
}

fn refused_by_mit(initiate: &Initiate, ticket: &ServiceTicket, why: &str) {
    let token = initiate.token(ticket, &mut OsEntropy).expect("an AP-REQ").token;
    let mut acceptor = mit_acceptor();
    let error = acceptor.step(&token).expect_err("refused");
    assert!(error.to_string().contains(why), "{error}");
    assert!(acceptor.client_name().is_none());
    assert_eq!(acceptor.step(&token), Err(GssError::HandshakeOver));
    assert_eq!(acceptor.into_context().err(), Some(GssError::HandshakeNotDone));
}

fn replay(folder: &Path, _: Etype, mode: Mode) {
    let theirs = mit_initiator(mode).step(None).expect("an AP-REQ").token;
    let (acceptor, mut seen) = (our_acceptor(folder, KEYTAB), ReplayCache::default());
    let mut accept = || acceptor.accept(&theirs, system_time(), &mut seen, &mut OsEntropy);
    assert!(accept().is_ok());
    assert_eq!(accept().err(), Some(KerberosError::Replay));

    let ticket = ticket_of(folder, "alice");
    let ours = our_initiator(mode).token(&ticket, &mut OsEntropy).expect("an AP-REQ").token;
    assert!(mit_acceptor().step(&ours).is_ok());
    let error = mit_acceptor().step(&ours).expect_err("a replay");
    assert!(error.to_string().contains("Request is a replay"), "{error}");
}
