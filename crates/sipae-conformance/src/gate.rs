//! A good exchange first: what depends on it is not blamed for it.

use sipae::auth::AuthHeader;
use sipae::message::{HeaderName, Message};
use sipae_events::{Exchanged, GateOutcome};
use sipae_gen::{Mode, Party, Script};

use crate::cases;
use crate::execute::{Stage, play};
use crate::observation::{Observation, challenge_of};
use crate::pace::Pace;
use crate::reaction::{Reaction, Signature};

/// What the good exchange showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// Whether the version is offered, and a handshake works.
    pub outcome: GateOutcome,
    /// Whether the target answers at all.
    pub is_reachable: bool,
    /// Whether NTLM is offered at this version.
    pub is_offered: bool,
    /// Why a request of one user does not reach another; `None` if it does.
    pub undeliverable: Option<String>,
    /// Why the second user cannot log in: trying again would lock the account.
    pub peer_refused: Option<String>,
    /// Whether trying again, at another version, would show the same: no server, or refused credentials.
    pub is_final: bool,
    /// Schemes that it offers.
    pub offered: Vec<String>,
    /// Why the gate is not open, in one line.
    pub reason: Option<String>,
    /// What else was learnt.
    pub notes: Vec<String>,
    /// What went over the wires.
    pub exchange: Vec<Exchanged>,
}

impl GateReport {
    /// A gate before which nothing has been tried.
    #[must_use]
    pub const fn closed(outcome: GateOutcome, reason: Option<String>) -> Self {
        Self {
            outcome,
            is_reachable: false,
            is_offered: false,
            undeliverable: None,
            peer_refused: None,
            is_final: false,
            offered: Vec::new(),
            reason,
            notes: Vec::new(),
            exchange: Vec::new(),
        }
    }

    /// Whether the server offers no version of NTLM at all: its challenges are for other schemes.
    #[must_use]
    pub fn offers_others_only(&self) -> bool {
        !self.offered.is_empty() && !self.offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("NTLM"))
    }
}

/// Makes a stage for each script of a gate.
pub type Stages<'s> = dyn Fn(&str) -> Stage + 's;

/// Plays the good exchange. `is_claimed` tells whether the version must work or may be another than the offered one.
/// No credentials are sent to a server that offers another. `isolation` tells why no connection knows of another one,
/// where that is so: then nothing can be delivered.
///
/// The gate opens for a final answer that is a success or carries a signature: what is wrong with it is for the cases.
pub fn pass(
    stages: &Stages<'_>,
    pace: &Pace,
    mode: Mode,
    is_claimed: bool,
    isolation: Option<&str>,
) -> GateReport {
    let first = observe(stages, "bare", &cases::bare(Script::connected()));
    let mut report = GateReport {
        is_reachable: first.reaction("bare").is_some_and(is_answer),
        offered: first.answer("bare", offered).unwrap_or_default(),
        exchange: first.exchange.clone(),
        ..GateReport::closed(GateOutcome::Failed, other_offer(&first, mode))
    };
    if report.is_reachable {
        pace.set_in_order(answers_in_order(&observe(stages, "order", &cases::pipelined())));
    }
    if report.reason.is_some() {
        let is_missing = is_claimed || report.offers_others_only();
        report.outcome = if is_missing { GateOutcome::Failed } else { GateOutcome::Unsupported };
        return report;
    }
    let mut observation = first;
    if report.is_reachable {
        observation = observe(stages, "handshake", &cases::handshake(mode));
        report.exchange.clone_from(&observation.exchange);
        report.is_offered = matches!(observation.reaction("first"), Some(Reaction::Continuation(_)));
        if !pace.is_in_order() {
            report.notes.push("its answers overtake each other, so silence takes time to prove".to_owned());
        }
    }
    let user = stages("user").profile.user.name();
    report.reason = why_closed(&observation, &user);
    report.is_final = !report.is_reachable || is_refused(&observation);
    if report.reason.is_none() {
        report.outcome = GateOutcome::Open;
        (report.undeliverable, report.peer_refused) = match isolation {
            Some(reason) => (Some(reason.to_owned()), None),
            None => undeliverable(stages, mode),
        };
    }
    report
}

fn observe(stages: &Stages<'_>, part: &str, script: &Script) -> Observation {
    let mut played = play(stages(part), script);
    let observation = played.observe();
    drop(played.finish());
    observation
}

/// Why a MESSAGE of the user does not reach the second user; what depends on it is blocked then.
/// And why the second user cannot log in, if that is why.
fn undeliverable(stages: &Stages<'_>, mode: Mode) -> (Option<String>, Option<String>) {
    if stages("peers").profile.peers.is_empty() {
        return (Some("the profile has no second user (peer)".to_owned()), None);
    }
    let observation = observe(stages, "delivery", &cases::delivery(mode));
    let refused = observation.reaction("peer last").filter(|last| !is_open(last));
    if let Some(last) = refused {
        let why = format!("the second user (peer) cannot log in: {last}");
        return (Some(why.clone()), Some(why));
    }
    let why = match observation.reaction("message") {
        Some(_) if !observation.deliveries("message").is_empty() => None,
        Some(reaction) => Some(format!("MESSAGE to {} is not delivered: {reaction}", Party::PEER)),
        None => Some(observation.broken.unwrap_or_else(|| "the exchange ended early".to_owned())),
    };
    (why, None)
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
    let places: Vec<Option<u32>> =
        cases::PIPELINED.iter().filter_map(|name| observation.seen(name)).map(|seen| seen.place).collect();
    places.is_sorted() && places.iter().all(Option::is_some) && places.len() == cases::PIPELINED.len()
}

const fn is_answer(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Challenge(_) | Reaction::Continuation(_) | Reaction::Final { .. })
}

/// The schemes of a challenge, in its order and spelling.
#[must_use]
pub fn offered(answer: &Message<'_>) -> Vec<String> {
    let lines = HeaderName::CHALLENGES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read);
    lines.map(|line| String::from_utf8_lossy(line.scheme_text()).into_owned()).collect()
}

/// What the server offers in place of NTLM at this version.
fn other_offer(observation: &Observation, mode: Mode) -> Option<String> {
    let offer = |answer: &Message<'_>| match challenge_of(mode.scheme, answer) {
        Some((_, line)) => line
            .version()
            .ok()
            .filter(|number| *number != mode.version.number())
            .map(|number| format!("{} version {number}", mode.scheme)),
        None => {
            let schemes = offered(answer).join(", ");
            Some(format!("{schemes} and no {}", mode.scheme)).filter(|_| !schemes.is_empty())
        }
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
