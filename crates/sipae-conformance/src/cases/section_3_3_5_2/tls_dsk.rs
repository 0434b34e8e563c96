//! Flights and certificates of TLS-DSK (SIPAE-3.3.5.2-11, -12).

use sipae::auth::{AuthHeader, AuthParam, ChallengeKind, Scheme};
use sipae::tlsdsk::{ContentType, Flight, HandshakeType, Record};
use sipae_gen::{CertificateFault, Edit, Mode, ParamEdit, Party, Password, Script};

use super::{deepest, stopped};
use crate::case::{Case, Gate};
use crate::cases::{Handshake, handshake, signed};
use crate::judge::Judge;
use crate::reaction::Reaction;

const TLS_DSK: &[Scheme] = &[Scheme::TlsDsk];

pub(super) fn cases() -> Vec<Case> {
    [steps(), certificates(), flights(), chains()].into_iter().flatten().collect()
}

fn steps() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.2/tls-dsk-flights",
            "ClientHello is answered with a flight that asks for a certificate, the client's flight with Finished",
            &["SIPAE-3.3.5.2-11"],
        )
        .with(TLS_DSK)
        .behind(Gate::Offered)
        .plan(handshake)
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.2-11", "first");
            first_flight(judge);
            if matches!(judge.observation().reaction("second"), Some(Reaction::Challenge(_))) {
                return judge.undecide("the certificate is not accepted".to_owned());
            }
            judge.reaction("SIPAE-3.3.5.2-11", "second");
            last_flight(judge);
        }),
    ]
}

/// What the first flight of a server has in a full handshake with a certificate of the client (RFC 5246 7.3).
const FIRST: [HandshakeType; 4] = [
    HandshakeType::SERVER_HELLO,
    HandshakeType::CERTIFICATE,
    HandshakeType::CERTIFICATE_REQUEST,
    HandshakeType::SERVER_HELLO_DONE,
];

fn first_flight(judge: &mut Judge<'_>) {
    const ROW: &str = "SIPAE-3.3.5.2-11";
    let read = |_: ChallengeKind, line: &AuthHeader<'_>| {
        let octets = line.token().ok().flatten().unwrap_or_default();
        let flight = Flight::read(&octets).map_err(|error| error.to_string())?;
        let kinds: Vec<HandshakeType> = flight.messages().flatten().map(|message| message.kind).collect();
        let missing = FIRST.into_iter().find(|kind| !kinds.contains(kind));
        Ok::<_, String>((missing.map(|kind| kind.to_string()), flight.records().len()))
    };
    match judge.observation().challenge("first", read) {
        Some(Ok((missing, records))) => {
            let holds = missing.map_or(Ok(()), |kind| Err(format!("no {kind}")));
            judge.check(ROW, "ServerHello, Certificate, CertificateRequest and ServerHelloDone", holds);
            // One client at least reads no other form.
            let alone = if records == 1 { Ok(()) } else { Err(format!("{records} records")) };
            judge.recorded(ROW, "the first flight is one record", alone);
        }
        Some(Err(error)) => judge.check(ROW, "first: a flight", Err(error)),
        None => judge.undecide("first was not continued".to_owned()),
    }
}

fn last_flight(judge: &mut Judge<'_>) {
    let read = |_: ChallengeKind, line: &AuthHeader<'_>| {
        let octets = line.token().ok().flatten().unwrap_or_default();
        let flight = Flight::read(&octets).map_err(|error| error.to_string())?;
        let is_change = |record: &Record<'_>| record.content == ContentType::ChangeCipherSpec;
        if flight.records().iter().any(is_change) { Ok(()) } else { Err("no ChangeCipherSpec".to_owned()) }
    };
    match judge.observation().challenge("second", read) {
        Some(holds) => judge.check("SIPAE-3.3.5.2-11", "second: ChangeCipherSpec and Finished", holds),
        None => judge.undecide("second was not continued".to_owned()),
    }
}

const FAULTS: [(&str, &str, &str, Password); 5] = [
    (
        "expired-certificate",
        "a certificate that has expired",
        "SIPAE-3.3.5.2-12",
        Password::Certificate(CertificateFault::Expired),
    ),
    (
        "future-certificate",
        "a certificate that is not valid yet",
        "SIPAE-3.3.5.2-12",
        Password::Certificate(CertificateFault::Future),
    ),
    (
        "certificate-of-nobody",
        "a certificate that names no user",
        "SIPAE-3.3.5.2-12",
        Password::Certificate(CertificateFault::Unnamed),
    ),
    ("untrusted-certificate", "a certificate of another authority", "SIPAE-3.3.5.2-12", Password::Wrong(String::new())),
    (
        "no-certificate",
        "a flight without a certificate",
        "SIPAE-3.3.5.2-11",
        Password::Certificate(CertificateFault::Absent),
    ),
];

fn certificates() -> Vec<Case> {
    let case = |(name, what, row, password): (&str, &str, &'static str, Password)| {
        let needs_issuer = matches!(
            password,
            Password::Certificate(
                CertificateFault::Expired | CertificateFault::Future | CertificateFault::Unnamed
            )
        );
        let handshake = Handshake::of(Party::SECOND, "second").with_password(password).fenced();
        let case = refused(name, &format!("{what} gives no association"), row, handshake);
        if needs_issuer { case.minting() } else { case }
    };
    let other = Handshake::of(Party::SECOND, "second").authenticated_as(Party::PEER).fenced();
    let title = "a certificate of another user than From gives no association";
    let foreign = refused("certificate-of-another-user", title, "SIPAE-3.3.5.2-12", other);
    FAULTS.into_iter().map(case).chain([foreign.with_second_account()]).collect()
}

fn refused(name: &str, title: &str, row: &'static str, handshake: Handshake) -> Case {
    let played = handshake.clone();
    Case::new(&format!("3.3.5.2/{name}"), title, &[row])
        .with(TLS_DSK)
        .plan(move |mode: Mode| played.play(Script::default().connect(Party::SECOND.connection()), mode))
        .judge(move |judge| not_continued(judge, row, &handshake))
}

/// Neither the next flight nor an association, whatever is said instead.
fn not_continued(judge: &mut Judge<'_>, row: &'static str, handshake: &Handshake) {
    let message = deepest(judge, handshake);
    if stopped(judge, handshake, message) {
        return;
    }
    let is_refused = |reaction: &Reaction| {
        !matches!(reaction, Reaction::Continuation(_) | Reaction::Final { status: 200..300, .. })
    };
    judge.answered_as(row, message, "refused", is_refused);
}

/// Whether so long a chain is accepted is not judged: products have limits of their own.
fn chains() -> Vec<Case> {
    const ROW: &str = "SIPAE-3.3.5.2-21";
    let far = Handshake::of(Party::SECOND, "bad")
        .with_password(Password::Certificate(CertificateFault::FarFromRoot))
        .fenced();
    let title = "a chain of a hundred certificates leaves others served";
    vec![
        Case::new("3.3.5.2/chain-of-100-certificates", title, &[ROW])
            .with(TLS_DSK)
            .minting()
            .rough()
            .plan(move |mode| {
                let script = handshake(mode).connect(Party::SECOND.connection());
                signed(script.attempt(|script| far.play(script, mode)), "served").ask("served")
            })
            .judge(|judge| judge.processed(ROW, "served")),
    ]
}

/// The last octet of the flight belongs to Finished.
fn flights() -> Vec<Case> {
    let changed = [Edit::Param(AuthParam::GssapiData, ParamEdit::FlipLastOctet)];
    let handshake = Handshake::of(Party::SECOND, "second").proving(changed).fenced();
    vec![refused(
        "changed-finished",
        "a Finished that is not that of the handshake gives no association",
        "SIPAE-3.3.5.2-11",
        handshake,
    )]
}
