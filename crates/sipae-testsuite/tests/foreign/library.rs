//! What `sipae-gssapi` promises of MIT's library, with a realm that has what it asks for.

use std::path::Path;
use std::time::Duration;

use sipae_gssapi::{Acceptor, Credential, Flags, Gss, GssError, Initiator, Name, Oid, Store, Usage, Wanted};

use super::part::{Part, Rig};
use super::realm::{self, Etype, KEYTAB, OTHER_KEYTAB, Offer, REALM, SERVICE};

type Run = fn(&Path);

const TABLE: &[(&str, Run)] = &[
    ("tickets_of_the_environment_are_those_of_their_user", tickets_of_environment),
    ("tickets_of_a_store_win_over_those_of_the_environment", tickets_of_store),
    ("a_password_is_as_good_as_tickets", password),
    ("a_wrong_password_is_told_of_in_words", wrong_password),
    ("a_cache_that_is_not_there_is_told_of_in_words", no_cache),
    ("a_keytab_of_a_store_wins_over_that_of_the_environment", keytab_of_store),
    ("a_context_knows_how_long_it_lives", lifetime),
    ("signatures_that_come_twice_are_refused_where_that_is_asked_for", order),
    ("a_token_that_is_none_ends_the_handshake", garbage),
];

pub(crate) fn parts() -> Vec<Part> {
    let rig = Rig::Realm(Etype::Aes256, Offer::One);
    TABLE.iter().map(|(name, run)| Part::new(format!("library::{name}"), rig, run)).collect()
}

fn gss() -> Gss {
    Gss::load().expect("the library")
}

const TICKETS: Wanted<'static> = Wanted::new(Usage::Initiate, &Oid::KRB5);
const KEYS: Wanted<'static> = Wanted::new(Usage::Accept, &Oid::KRB5);
/// Tickets of this KDC live no longer.
const DAY: Duration = Duration::from_hours(24);

fn server() -> Name {
    Name::hostbased_service(gss(), "sip@server.contoso.com").expect("a name")
}

/// Who the service, with the keys of the environment, takes the owner of a credential for.
fn taken_for(own: Credential) -> String {
    let mut initiator = Initiator::new(gss(), Some(own), server(), Oid::KRB5, Flags::INTEGRITY);
    let token = initiator.step(None).expect("an AP-REQ").token;
    let mut acceptor = Acceptor::new(gss(), None);
    acceptor.step(&token).expect("accepted");
    acceptor.client_name().expect("a client").text().expect("text")
}

fn name_of(own: &Credential) -> String {
    own.name().expect("an owner").expect("one owner").text().expect("text")
}

fn tickets_of_environment(_: &Path) {
    let own = Credential::acquire(gss(), &TICKETS).expect("tickets");
    assert_eq!(name_of(&own), format!("alice@{REALM}"));
    let lifetime = own.lifetime().expect("a lifetime").expect("an end");
    assert!(DAY - Duration::from_mins(10) < lifetime && lifetime <= DAY, "{lifetime:?}");
    assert_eq!(taken_for(own), format!("alice@{REALM}"));
}

fn store(folder: &Path, user: &str) -> Store {
    Store { ccache: Some(realm::ccache(folder, user)), ..Store::default() }
}

fn tickets_of_store(folder: &Path) {
    let own = Credential::acquire_from(gss(), &TICKETS, &store(folder, "mallory")).expect("tickets");
    assert_eq!(name_of(&own), format!("mallory@{REALM}"));
    assert_eq!(taken_for(own), format!("mallory@{REALM}"));
}

fn with_password(password: &str) -> Result<Credential, GssError> {
    let user = Name::user(gss(), "mallory").expect("a name");
    let own = Credential::with_password(gss(), &TICKETS.of(&user), password)?;
    // The KDC is asked no later than here.
    own.lifetime().map(|_| own)
}

fn password(_: &Path) {
    let own = with_password(&realm::password("mallory")).expect("tickets");
    assert_eq!(taken_for(own), format!("mallory@{REALM}"));
}

fn wrong_password(_: &Path) {
    let error = with_password("another").expect_err("refused").to_string();
    let words = ["Decrypt integrity check failed", "Preauthentication failed", "Password incorrect"];
    assert!(words.iter().any(|words| error.contains(words)), "{error}");
    assert!(!error.contains("another"), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

fn no_cache(folder: &Path) {
    let found = Credential::acquire_from(gss(), &TICKETS, &store(folder, "nobody"));
    let error = found.and_then(|own| own.lifetime().map(|_| own)).expect_err("no tickets").to_string();
    assert!(error.contains("No credentials cache found"), "{error}");
    let nul = Store { ccache: Some("FILE:a\0b".to_owned()), ..Store::default() };
    assert_eq!(Credential::acquire_from(gss(), &TICKETS, &nul).err(), Some(GssError::Nul { what: "store" }));
}

fn keytab_of_store(folder: &Path) {
    for (keytab, is_right) in [(KEYTAB, true), (OTHER_KEYTAB, false)] {
        let store = Store { keytab: Some(realm::keytab(folder, keytab)), ..Store::default() };
        let own = Credential::acquire_from(gss(), &KEYS, &store).expect("keys");
        let mut acceptor = Acceptor::new(gss(), Some(own));
        let mut initiator = initiator(Flags::INTEGRITY);
        let token = initiator.step(None).expect("an AP-REQ").token;
        assert_eq!(acceptor.step(&token).is_ok(), is_right, "{keytab}");
    }
}

fn initiator(flags: Flags) -> Initiator {
    let server = Name::principal(gss(), SERVICE).expect("a name");
    Initiator::new(gss(), None, server, Oid::KRB5, flags)
}

fn lifetime(_: &Path) {
    let mut initiator = initiator(Flags::INTEGRITY);
    assert!(initiator.step(None).expect("an AP-REQ").done);
    assert_eq!(initiator.step(None), Err(GssError::HandshakeOver));
    let lifetime = initiator.into_context().expect("done").lifetime().expect("a lifetime");
    assert!((DAY - Duration::from_mins(10)..=DAY).contains(&lifetime.expect("an end")), "{lifetime:?}");
}

fn order(_: &Path) {
    for (flags, is_asked_for) in
        [(Flags::INTEGRITY, false), (Flags::INTEGRITY | Flags::REPLAY | Flags::SEQUENCE, true)]
    {
        let (mut initiator, mut acceptor) = (initiator(flags), Acceptor::new(gss(), None));
        let token = initiator.step(None).expect("an AP-REQ").token;
        acceptor.step(&token).expect("accepted");
        let client = initiator.into_context().expect("done");
        let server = acceptor.into_context().expect("done");
        let signature = client.get_mic(b"once").expect("a signature");
        assert_eq!(server.verify_mic(b"once", &signature), Ok(()));
        assert_eq!(server.verify_mic(b"once", &signature).is_err(), is_asked_for);
    }
}

fn garbage(_: &Path) {
    // An empty one is none of these: it asks MIT's library for SPNEGO.
    for token in [&b"\0"[..], b"NTLMSSP\0", &[0xFF; 70_000]] {
        let mut acceptor = Acceptor::new(gss(), None);
        assert!(matches!(acceptor.step(token), Err(GssError::Status { .. })), "{} octets", token.len());
        assert_eq!(acceptor.step(token), Err(GssError::HandshakeOver));
    }
    let mut initiator = initiator(Flags::INTEGRITY | Flags::MUTUAL);
    assert!(!initiator.step(None).expect("an AP-REQ").done);
    assert!(matches!(initiator.step(Some(b"\x60\x03abc")), Err(GssError::Status { .. })));
    assert_eq!(initiator.into_context().err(), Some(GssError::HandshakeNotDone));
}
