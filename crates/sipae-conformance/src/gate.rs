//! A good exchange first: what depends on it is not blamed for it.

use sipae::auth::AuthHeader;
use sipae::message::{HeaderName, Message};
use sipae::version::Version;
use sipae_events::GateOutcome;
use sipae_gen::Script;

use crate::cases;
use crate::execute::{Stage, play};
use crate::observation::{Observation, ntlm_challenge};
use crate::reaction::Reaction;

/// What the good exchange showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// Whether the version is offered, and a handshake works.
    pub outcome: GateOutcome,
    /// Whether the target answers at all.
    pub is_reachable: bool,
    /// Whether three requests sent at once were answered in their order.
    pub in_order: bool,
    /// Whether trying again, at another version, would show the same: no server, or refused credentials.
    pub is_final: bool,
    /// Schemes that it offers.
    pub offered: Vec<String>,
    /// Why the gate is not open, in one line.
    pub reason: Option<String>,
}

/// Plays the good exchange. `is_claimed` tells whether the version must work or may be another than the offered one;
/// no credentials are sent to a server that offers another.
///
/// The gate opens for a final answer that is no challenge, signed or not: what is wrong with it is for the cases.
pub fn pass(stage: &mut Stage<'_>, is_claimed: bool) -> GateReport {
    let first = play(stage, &cases::bare(Script::connected()));
    let offered = first.answer("bare", offered).unwrap_or_default();
    let is_reachable = first.reaction("bare").is_some_and(is_answer);
    let in_order = is_reachable && answers_in_order(&play(stage, &cases::pipelined()));
    let report =
        |outcome, reason, is_final| GateReport { outcome, is_reachable, in_order, is_final, offered, reason };
    if let Some(other) = other_version(&first, stage.version).filter(|_| !is_claimed) {
        return report(
            GateOutcome::Unsupported,
            Some(format!("the server offers NTLM version {other}")),
            false,
        );
    }
    let observation = if is_reachable { play(stage, &cases::handshake(stage.version)) } else { first };
    match why_closed(&observation, &stage.profile.user.name()) {
        Some(reason) => {
            let is_refused = matches!(observation.reaction("last"), Some(Reaction::Challenge(_)));
            report(GateOutcome::Failed, Some(reason), is_refused || !is_reachable)
        }
        None => report(GateOutcome::Open, None, false),
    }
}

fn answers_in_order(observation: &Observation) -> bool {
    let places: Vec<Option<usize>> = cases::PIPELINED
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

fn other_version(observation: &Observation, version: Version) -> Option<u32> {
    let found = observation.answer("bare", |answer| ntlm_challenge(answer)?.1.version().ok()).flatten()?;
    (found != version.number()).then_some(found)
}

fn why_closed(observation: &Observation, user: &str) -> Option<String> {
    let step = |name: &str| observation.reaction(name);
    match (step("bare"), step("first"), step("last")) {
        (_, _, Some(Reaction::Final { .. })) => None,
        (_, _, Some(Reaction::Challenge(kind))) => Some(format!(
            "the server does not accept the credentials of {user}: {} after AUTHENTICATE",
            kind.status()
        )),
        (_, _, Some(other)) => Some(format!("AUTHENTICATE: {other}")),
        (_, Some(first), None) if !matches!(first, Reaction::Continuation(_)) => {
            Some(format!("empty NTLM token: {first}"))
        }
        (Some(bare), None, None) if !matches!(bare, Reaction::Challenge(_)) => {
            Some(format!("bare REGISTER: {bare}"))
        }
        _ => Some(observation.broken.clone().unwrap_or_else(|| "the exchange ended early".to_owned())),
    }
}
