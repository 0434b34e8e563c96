//! A good exchange first: what depends on it is not blamed for it.

use sipae::auth::{AuthHeader, Scheme};
use sipae::message::{HeaderName, Message};
use sipae_events::{Exchanged, GateOutcome};
use sipae_gen::{Mode, Party, Script};

use crate::cases;
use crate::cases::anonymous;
use crate::execute::{Stage, play};
use crate::observation::{Observation, challenge_of};
use crate::pace::Pace;
use crate::profile::Profile;
use crate::reaction::{Reaction, Signature};

/// What the good exchange showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// Whether the version is offered, and a handshake works.
    pub outcome: GateOutcome,
    /// Whether the target answers at all.
    pub is_reachable: bool,
    /// Whether the scheme is offered at this version, and a handshake of it can be begun.
    pub is_offered: bool,
    /// Why a request of one user does not reach another; `None` if it does.
    pub undeliverable: Option<String>,
    /// Why the second user cannot log in: trying again would lock the account.
    pub peer_refused: Option<String>,
    /// Whether the profile says that the scheme is not there, or has no credentials for it.
    pub is_unclaimed: bool,
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
            is_unclaimed: false,
            is_final: false,
            offered: Vec::new(),
            reason,
            notes: Vec::new(),
            exchange: Vec::new(),
        }
    }

    /// The same for another version, where nothing was sent.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { exchange: Vec::new(), ..self.clone() }
    }

    /// Whether there is nothing to tell of a scheme but this gate: it is not claimed, or not offered at any version.
    #[must_use]
    pub fn is_nothing(&self, scheme: Scheme) -> bool {
        self.outcome.is_absent() && (self.is_unclaimed || self.lacks(scheme))
    }

    /// Whether the server offers no version of the scheme at all: its challenges are for other ones.
    #[must_use]
    pub fn lacks(&self, scheme: Scheme) -> bool {
        !self.offered.is_empty()
            && !self.offered.iter().any(|offered| Scheme::from_octets(offered.as_bytes()) == Some(scheme))
    }
}

/// What is known before a gate is tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'k> {
    /// Whether scheme and version must work, or may be others than the offered ones.
    pub is_claimed: bool,
    /// Why no connection knows of another one, where that is so: then nothing can be delivered.
    pub isolation: Option<&'k str>,
    /// The gate of another version at which the credentials were refused: they are not sent again.
    pub refused: Option<&'k GateReport>,
}

/// Makes a stage for each script of a gate.
pub type Stages<'s> = dyn Fn(&str) -> Stage + 's;

/// Plays the good exchange. No credentials are sent to a server that offers other schemes and versions.
///
/// The gate opens for a final answer that is a success or carries a signature: what is wrong with it is for the cases.
pub fn pass(stages: &Stages<'_>, pace: &Pace, mode: Mode, known: &Known<'_>) -> GateReport {
    match mode.scheme {
        Scheme::Digest => pass_digest(stages, pace),
        _ => pass_signing(stages, pace, mode, known),
    }
}

fn pass_signing(stages: &Stages<'_>, pace: &Pace, mode: Mode, known: &Known<'_>) -> GateReport {
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
        report.outcome = if known.is_claimed { GateOutcome::Failed } else { GateOutcome::Unsupported };
        return report;
    }
    if let Some(refused) = known.refused {
        return refused.again();
    }
    let mut observation = first;
    if report.is_reachable {
        observation = observe(stages, "handshake", &cases::handshake(mode));
        report.exchange.clone_from(&observation.exchange);
        report.is_offered = match mode.scheme {
            Scheme::Kerberos => !report.lacks(mode.scheme),
            _ => matches!(observation.reaction("first"), Some(Reaction::Continuation(_))),
        };
        if !pace.is_in_order() {
            report.notes.push("its answers overtake each other, so silence takes time to prove".to_owned());
        }
    }
    let user = stages("user").profile.user.name();
    report.reason = why_closed(&observation, mode.scheme, &user);
    report.is_final = !report.is_reachable || report.reason.is_some() && is_refused(&observation);
    if report.reason.is_none() {
        report.outcome = GateOutcome::Open;
        (report.undeliverable, report.peer_refused) = match known.isolation {
            Some(reason) => (Some(reason.to_owned()), None),
            None => undeliverable(stages, mode),
        };
    }
    report
}

/// The same for Digest, which has one exchange only: an anonymous INVITE, or the user's REGISTER at a registrar.
fn pass_digest(stages: &Stages<'_>, pace: &Pace) -> GateReport {
    let first = observe(stages, "bare", &anonymous::challenged());
    let is_reachable = first.reaction("bare").is_some_and(is_answer);
    let is_offered = first.challenge("bare", |_, _| ()).is_some();
    let mut report = GateReport {
        is_reachable,
        is_offered,
        is_final: true,
        offered: first.answer("bare", offered).unwrap_or_default(),
        undeliverable: Some("nothing is delivered under Digest".to_owned()),
        exchange: first.exchange.clone(),
        ..GateReport::closed(GateOutcome::Failed, not_challenged(&first).filter(|_| !is_offered))
    };
    if is_reachable {
        pace.set_in_order(answers_in_order(&observe(stages, "order", &cases::pipelined())));
    }
    if is_offered {
        let joining = anonymous::hang_up(anonymous::join(), Party::ANONYMOUS, "last");
        let observation = observe(stages, "handshake", &joining);
        report.exchange.clone_from(&observation.exchange);
        report.reason = refused_digest(&observation, &stages("user").profile);
    }
    if report.reason.is_none() {
        report.outcome = GateOutcome::Open;
    }
    report
}

/// What the server does in place of a Digest challenge.
fn not_challenged(observation: &Observation) -> Option<String> {
    let schemes = observation.answer("bare", offered).unwrap_or_default().join(", ");
    let reaction = observation.reaction("bare").map(ToString::to_string);
    let reaction = reaction.or(observation.broken.clone()).unwrap_or_default();
    let instead = if schemes.is_empty() { reaction } else { format!("the server offers {schemes}") };
    Some(format!("no Digest challenge: {instead}"))
}

/// Why a right credential is not good enough, in one line.
fn refused_digest(observation: &Observation, profile: &Profile) -> Option<String> {
    let Some(last) = observation.reaction("last") else {
        return Some(observation.broken.clone().unwrap_or_else(|| "the exchange ended early".to_owned()));
    };
    let whose = match profile.conference() {
        Some(conference) => format!("the key of {}", conference.uri),
        None => format!("the password of {}", profile.user.name()),
    };
    match last {
        last if anonymous::is_let_in(last) => None,
        Reaction::DigestChallenge(_) | Reaction::Challenge(_) => {
            let said = said(observation, "last");
            Some(format!("the server does not accept {whose}: {last} and {said}"))
        }
        other => Some(format!("Digest credential with {whose}: {other}")),
    }
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
    let mut observation = observe(stages, "delivery", &cases::delivery(mode));
    if is_chance(&observation) {
        observation = observe(stages, "delivery again", &cases::delivery(mode));
    }
    let refused = observation.reaction("peer last").filter(|last| !is_open(last));
    if let Some(last) = refused {
        let why = format!("the second user (peer) cannot log in: {last}");
        return (Some(why.clone()), Some(why));
    }
    let why = match observation.reaction("message") {
        Some(_) if is_delivered(&observation) => None,
        Some(reaction) => Some(format!("MESSAGE to {} is not delivered: {reaction}", Party::PEER)),
        None => Some(observation.broken.unwrap_or_else(|| "the exchange ended early".to_owned())),
    };
    (why, None)
}

fn is_delivered(observation: &Observation) -> bool {
    !observation.deliveries("message").is_empty()
}

/// Whether it was no answer that decided: a pause of the server blocks no cases for a whole run.
fn is_chance(observation: &Observation) -> bool {
    let is_refusal = |reaction: &Reaction| match reaction {
        Reaction::Final { status, .. } => 300 <= *status,
        other => is_answer(other),
    };
    match observation.reaction("peer last") {
        // Who closes the connection over a login has refused it.
        Some(login) if !is_open(login) => *login == Reaction::Overdue,
        Some(_) => !is_delivered(observation) && !observation.reaction("message").is_some_and(is_refusal),
        // A login that was refused half-way is over as well.
        None => observation.messages.values().any(|seen| seen.reaction == Reaction::Overdue),
    }
}

/// Trying the same credentials again would lock the account.
fn is_refused(observation: &Observation) -> bool {
    observation.seen("last").or(observation.seen("second")).is_some()
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
    matches!(
        reaction,
        Reaction::Challenge(_)
            | Reaction::DigestChallenge(_)
            | Reaction::Continuation(_)
            | Reaction::Final { .. }
    )
}

/// The schemes of a challenge, in its order and spelling.
#[must_use]
pub fn offered(answer: &Message<'_>) -> Vec<String> {
    let lines = HeaderName::CHALLENGES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read);
    lines.map(|line| String::from_utf8_lossy(line.scheme_text()).into_owned()).collect()
}

/// What the server offers in place of the scheme at this version.
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

/// What carries the credentials of a user.
const fn proof(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Kerberos => "AP-REQ",
        Scheme::TlsDsk => "the certificate",
        _ => "AUTHENTICATE",
    }
}

/// One line: what the server did about the good exchange, and what it said of that.
pub(crate) fn why_closed(observation: &Observation, scheme: Scheme, user: &str) -> Option<String> {
    let proof = proof(scheme);
    let broken = || observation.broken.clone().unwrap_or_else(|| "the exchange ended early".to_owned());
    let deepest =
        ["last", "second", "first", "bare"].into_iter().find(|name| observation.seen(name).is_some());
    let Some((name, reaction)) = deepest.and_then(|name| Some((name, observation.reaction(name)?))) else {
        return Some(broken());
    };
    let is_proof = name == "last" || name == "second";
    match reaction {
        last if name == "last" && is_open(last) => None,
        Reaction::Challenge(kind) if is_proof => Some(format!(
            "the server does not accept {proof} of {user}: {} and {}",
            kind.status(),
            said(observation, name)
        )),
        Reaction::Continuation(_) if name != "bare" => Some(broken()),
        other if is_proof => Some(format!("{proof} of {user}: {other}{}", adds(observation, name))),
        other if name == "first" => Some(format!("first {scheme} token: {other}{}", adds(observation, name))),
        Reaction::Challenge(_) => Some(broken()),
        other => Some(format!("bare REGISTER: {other}{}", adds(observation, name))),
    }
}

/// What an answer says of its reason, behind the answer itself; nothing where there was none.
fn adds(observation: &Observation, name: &str) -> String {
    match observation.reaction(name) {
        Some(Reaction::Final { .. } | Reaction::Challenge(_)) => format!(", and {}", said(observation, name)),
        _ => String::new(),
    }
}

/// What an answer says of its reason.
fn said(observation: &Observation, name: &str) -> String {
    let reason = observation.answer(name, diagnosis).flatten();
    reason.map_or_else(|| "no reason".to_owned(), |reason| format!("says {reason}"))
}

/// The header field that tells why: ms-diagnostics, its public form, Reason or Warning.
fn diagnosis(answer: &Message<'_>) -> Option<String> {
    const LONGEST: usize = 200;
    const NAMES: [&str; 4] = ["ms-diagnostics", "ms-diagnostics-public", "Reason", "Warning"];
    let is_reason = |name: &[u8]| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    let found = answer.headers().find(|header| is_reason(header.name))?;
    Some(found.value.to_text().chars().take(LONGEST).collect())
}
