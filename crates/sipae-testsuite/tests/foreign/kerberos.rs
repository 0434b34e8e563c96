//! Kerberos: RFC 4120, RFC 4121, RFC 4757.

use std::path::Path;

use sipae_gssapi::{
    Acceptor, Context, Credential, Flags, Gss, GssError, Initiator, Name, Oid, Step, Usage, Wanted,
};

use super::part::{Part, Rig};
use super::realm::{Etype, REALM, SERVICE};

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

const TABLE: &[(&str, Run)] = &[
    ("mit_and_mit_agree_so_the_realm_works", mit_and_mit),
    ("mit_refuses_a_token_twice_so_its_replay_cache_works", mit_refuses_a_replay),
];

pub(crate) fn parts() -> Vec<Part> {
    let settings = || Etype::ALL.into_iter().flat_map(|etype| Mode::ALL.map(|mode| (etype, mode)));
    let rows = TABLE.iter().flat_map(|(name, run)| settings().map(move |setting| (name, run, setting)));
    rows.map(|(name, run, (etype, mode))| {
        let name = format!("kerberos::{name}/{}-{}", etype.short(), mode.name());
        Part::new(name, Rig::Realm(etype), move |folder| run(folder, etype, mode))
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

fn mit_refuses_a_replay(_: &Path, _: Etype, mode: Mode) {
    let token = mit_initiator(mode).step(None).expect("an AP-REQ").token;
    assert!(mit_acceptor().step(&token).is_ok());
    let mut second = mit_acceptor();
    let error = second.step(&token).expect_err("a replay");
    assert!(matches!(error, GssError::Status { call: "gss_accept_sec_context", .. }), "{error}");
    assert!(second.client_name().is_none());
    assert_eq!(second.step(&token), Err(GssError::HandshakeOver));
    assert_eq!(second.into_context().err(), Some(GssError::HandshakeNotDone));
}
