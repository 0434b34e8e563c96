//! Tickets (SIPAE-3.3.5.2-10, -16, -19, -20).

use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::message::{HeaderName, Message};
use sipae_gen::{Mode, Party, Password, Script, Signing, Template, Text, TicketFault, Token};

use super::{STRANGER, deepest, refuses, stopped};
use crate::case::Case;
use crate::cases::{Handshake, SA, handshake};
use crate::judge::Judge;
use crate::reaction::Reaction;

const KERBEROS: &[Scheme] = &[Scheme::Kerberos];

pub(super) fn cases() -> Vec<Case> {
    [steps(), clocks(), faults(), again()].into_iter().flatten().collect()
}

fn steps() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.2/kerberos-in-one-step",
            "an AP-REQ establishes the association, and the signed answer gives its opaque",
            &["SIPAE-3.3.5.2-10"],
        )
        .with(KERBEROS)
        .plan(handshake)
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.2-10", "last");
            if matches!(judge.observation().reaction("last"), Some(Reaction::Final { .. })) {
                judge.answer("SIPAE-3.3.5.2-10", "last", "an opaque beside the signature", has_opaque);
            }
        }),
    ]
}

fn has_opaque(answer: &Message<'_>) -> Result<(), String> {
    let mut signatures =
        HeaderName::SIGNATURES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read);
    let own = signatures.find(|header| header.scheme() == Some(Scheme::Kerberos)).ok_or("no signature")?;
    match own.get(AuthParam::Opaque) {
        Some(opaque) if !opaque.raw().is_empty() => Ok(()),
        _ => Err(own.value().to_text()),
    }
}

/// The ticket comes from a second endpoint: the first one is in nobody's way.
fn with_ticket(fault: TicketFault) -> Handshake {
    Handshake::of(Party::SECOND, "second").with_password(Password::Ticket(fault)).fenced()
}

fn play(handshake: &Handshake, mode: Mode) -> Script {
    handshake.play(Script::default().connect(Party::SECOND.connection()), mode)
}

fn clocks() -> Vec<Case> {
    let slightly = with_ticket(TicketFault::SlightlySkewed);
    let played_slightly = slightly.clone();
    vec![
        skewed("clock-skew", "an AP-REQ whose clock is ten minutes behind is refused", TicketFault::Skewed),
        skewed(
            "clock-skew-ahead",
            "an AP-REQ whose clock is ten minutes ahead is refused",
            TicketFault::SkewedAhead,
        ),
        Case::new(
            "3.3.5.2/slight-clock-skew",
            "an AP-REQ whose clock is four minutes behind is accepted",
            &["SIPAE-3.3.5.2-19"],
        )
        .with(KERBEROS)
        .plan(move |mode| play(&played_slightly, mode))
        // The clock of the target need not be that of the suite: to it the four minutes may be six.
        .judge(move |judge| {
            let message = deepest(judge, &slightly);
            if !stopped(judge, &slightly, message) {
                let refusal = judge.observed(message).filter(|reaction| !reaction.is_acceptance());
                let holds = refusal.map_or(Ok(()), |refusal| Err(refusal.to_string()));
                judge.weakly("SIPAE-3.3.5.2-19", &format!("{message}: accepted"), holds);
            }
        }),
    ]
}

fn skewed(name: &str, title: &str, fault: TicketFault) -> Case {
    let handshake = with_ticket(fault);
    let played = handshake.clone();
    Case::new(&format!("3.3.5.2/{name}"), title, &["SIPAE-3.3.5.2-19"])
        .with(KERBEROS)
        .plan(move |mode| play(&played, mode))
        .judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-19", &handshake))
}

/// No password is wrong in any of them: nobody's account is locked.
const FAULTS: [(&str, &str, TicketFault); 8] = [
    ("expired-ticket", "a ticket that has ended", TicketFault::Expired),
    ("future-ticket", "a ticket that begins later", TicketFault::Future),
    ("ticket-for-another-service", "a ticket for another service", TicketFault::OtherService),
    ("ticket-of-another-realm", "a ticket for the service of another realm", TicketFault::OtherRealm),
    ("ticket-of-another-type", "a ticket under a key of a type that the service has none of", TicketFault::OtherType),
    ("ticket-of-another-client", "an authenticator of another client than its ticket", TicketFault::OtherClient),
    ("truncated-ticket", "a ticket that is cut short", TicketFault::Truncated),
    ("other-checksum", "an authenticator without the checksum of GSS-API", TicketFault::Checksum),
];

fn faults() -> Vec<Case> {
    let case = |(name, what, fault): (&str, &str, TicketFault)| {
        let handshake = with_ticket(fault);
        let played = handshake.clone();
        let title = format!("{what} gives no association");
        Case::new(&format!("3.3.5.2/{name}"), &title, &["SIPAE-3.3.5.2-16"])
            .with(KERBEROS)
            .minting()
            .plan(move |mode| play(&played, mode))
            .judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-16", &handshake))
    };
    let wrong_key = Handshake::of(Party::SECOND, "second").with_password(wrong_key()).fenced();
    let played = wrong_key.clone();
    let wrong = Case::new(
        "3.3.5.2/ticket-under-another-key",
        "a ticket under another key than that of the service gives no association",
        &["SIPAE-3.3.5.2-16"],
    )
    .with(KERBEROS)
    .minting()
    .plan(move |mode| play(&played, mode))
    .judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-16", &wrong_key));
    FAULTS.into_iter().map(case).chain([wrong]).collect()
}

fn wrong_key() -> Password {
    Password::Wrong("another key".to_owned())
}

/// The same AP-REQ in another transaction, from the same endpoint over another connection. At version 4 it is signed: the
/// key of the association that it made is that of the ticket.
fn again() -> Vec<Case> {
    let case = Case::new(
        "3.3.5.2/ap-req-again",
        "an AP-REQ that comes a second time makes no association",
        &["SIPAE-3.3.5.2-20"],
    );
    let case = case.with(KERBEROS).plan(|mode| {
        let script = handshake(mode).connect(STRANGER).compose("again", Template::new("REGISTER"));
        let token = Token::Text(Text::of("{sa.token}"));
        let script = if mode.signs_completing_request() {
            let signing = Signing { token: Some(token), number: Some(1), ..Signing::default() };
            script.sign_with("again", SA, signing)
        } else {
            script.credential("again", SA, token)
        };
        let no_opaque = sipae_gen::Edit::Param(AuthParam::Opaque, sipae_gen::ParamEdit::Remove);
        script.edit("again", no_opaque).send_on("again", STRANGER).fence_on(STRANGER)
    });
    vec![case.judge(|judge: &mut Judge<'_>| judge.reaction("SIPAE-3.3.5.2-20", "again"))]
}
