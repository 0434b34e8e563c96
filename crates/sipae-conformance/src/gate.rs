//! A good exchange first: what depends on it is not blamed for it.

use sipae::auth::AuthHeader;
use sipae::message::{HeaderName, Message};
use sipae::version::Version;
use sipae_events::{Exchanged, GateOutcome};
use sipae_gen::Script;

use crate::cases;
use crate::execute::{Stage, play};
use crate::observation::{Observation, ntlm_challenge};
use crate::reaction::{Reaction, Signature};

/// What the good exchange showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// Whether the version is offered, and a handshake works.
    pub outcome: GateOutcome,
    /// Whether the target answers at all.
    pub is_reachable: bool,
    /// Whether trying again, at another version, would show the same: no server, or refused credentials.
    pub is_final: bool,
    /// Schemes that it offers.
    pub offered: Vec<String>,
    /// Why the gate is not open, in one line.
    pub reason: Option<String>,
    /// What went over the wires.
    pub exchange: Vec<Exchanged>,
}

/// Plays the good exchange. `is_claimed` tells whether the version must work or may be another than the offered one.
/// No credentials are sent to a server that offers another.
///
/// The gate opens for a final answer that is a success or carries a signature: what is wrong with it is for the cases.
pub fn pass(stage: &mut Stage<'_>, is_claimed: bool) -> GateReport {
    let first = play(stage, &cases::bare(Script::connected()));
    let mut report = GateReport {
        outcome: GateOutcome::Failed,
        is_reachable: first.reaction("bare").is_some_and(is_answer),
        is_final: false,
        offered: first.answer("bare", offered).unwrap_or_default(),
        reason: other_offer(&first, stage.version),
        exchange: first.exchange.clone(),
    };
    if report.reason.is_some() {
        report.outcome = if is_claimed { GateOutcome::Failed } else { GateOutcome::Unsupported };
        return report;
    }
    let mut observation = first;
    if report.is_reachable {
        *stage.in_order = answers_in_order(&play(stage, &cases::pipelined()));
        observation = play(stage, &cases::handshake(stage.version));
        report.exchange.clone_from(&observation.exchange);
    }
    report.reason = why_closed(&observation, &stage.profile.user.name());
    report.is_final = !report.is_reachable || is_refused(&observation);
    if report.reason.is_none() {
        report.outcome = GateOutcome::Open;
    }
    report
}

/// Trying the same credentials again would lock the account.
fn is_refused(observation: &Observation) -> bool {
    observation.reaction("last").is_some_and(|last| !is_open(last))
}

/// A success, or an answer with a signature, whatever that is worth.
const fn is_open(last: &Reaction) -> bool {
    match last {
        Reaction::Final { status, signature: Signature::Unsigned } => *status < 300,
        Reaction::Final { .. } => true,
        _ => false,
    }
}

fn answers_in_order(observation: &Observation) -> bool {
    let places: Vec<Option<u32>> = cases::PIPELINED
        .iter()
        .filter_map(|name| observation.messages.get(&(*name).into()))
        .map(|seen| seen.place)
        .collect();
    places.is_sorted() && places.iter().all(Option::is_some) && places.len() == cases::PIPELINED.len()
}

const fn is_answer(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Challenge(_) | Reaction::Continuation(_) | Reaction::Final { .. })
}

fn offered(answer: &Message<'_>) -> Vec<String> {
    let lines = HeaderName::CHALLENGES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read);
    lines.map(|line| String::from_utf8_lossy(line.scheme_text()).into_owned()).collect()
}

/// What the server offers in place of NTLM at this version.
fn other_offer(observation: &Observation, version: Version) -> Option<String> {
    let offer = |answer: &Message<'_>| match ntlm_challenge(answer) {
        Some((_, line)) => line
            .version()
            .ok()
            .filter(|number| *number != version.number())
            .map(|number| format!("NTLM version {number}")),
        None => Some(offered(answer).join(", ")).filter(|schemes| !schemes.is_empty()),
    };
    observation.answer("bare", offer).flatten().map(|offer| format!("the server offers {offer}"))
}

fn why_closed(observation: &Observation, user: &str) -> Option<String> {
    let step = |name: &str| observation.reaction(name);
    match (step("bare"), step("first"), step("last")) {
        (_, _, Some(last)) if is_open(last) => None,
        (_, _, Some(Reaction::Challenge(kind))) => Some(format!(
            "the server does not accept the credentials of {user}: {} after AUTHENTICATE",
            kind.status()
        )),
        (_, _, Some(other)) => Some(format!("AUTHENTICATE of {user}: {other}")),
        (_, Some(first), None) if !matches!(first, Reaction::Continuation(_)) => {
            Some(format!("empty NTLM token: {first}"))
        }
        (Some(bare), None, None) if !matches!(bare, Reaction::Challenge(_)) => {
            Some(format!("bare REGISTER: {bare}"))
        }
        _ => Some(observation.broken.clone().unwrap_or_else(|| "the exchange ended early".to_owned())),
    }
}
