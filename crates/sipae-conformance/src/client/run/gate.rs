//! The good conversation, which opens a setting or closes it.

use sipae::client::{Standing, Stimulus};
use sipae_events::GateOutcome;
use sipae_gen::Service;

use super::super::home::Class;
use super::super::pace::Haste;
use super::super::play::Player;
use super::super::seen::Conversation;
use super::Runner;

/// Methods of requests that clients are known to answer; the first that this one answers makes the fences.
const ANSWERED: [&str; 4] = ["OPTIONS", "MESSAGE", "NOTIFY", "INFO"];
/// What the good conversation came to.
pub(super) struct Gate {
    pub(super) outcome: GateOutcome,
    pub(super) reason: Option<String>,
    pub(super) notes: Vec<String>,
    pub(super) seen: Option<Conversation>,
    pub(super) player: Option<Player>,
    pub(super) fence: Option<String>,
    pub(super) stimuli: Vec<Stimulus>,
    pub(super) has_standing: bool,
    pub(super) has_clock: bool,
    /// Whether the client could not even be reached, so that it is not tried again.
    pub(super) is_lost: bool,
}

impl Gate {
    pub(super) fn closed(outcome: GateOutcome, reason: String) -> Self {
        Self {
            outcome,
            reason: Some(reason),
            notes: Vec::new(),
            seen: None,
            player: None,
            fence: None,
            stimuli: Vec::new(),
            has_standing: false,
            has_clock: false,
            is_lost: false,
        }
    }
}

impl Runner<'_> {
    /// The good conversation: the client authenticates, and what it answers is measured.
    pub(super) fn pass(&self) -> Gate {
        let stage = match self.stage("gate", Haste::Patient, None) {
            Ok(stage) => stage,
            Err(reason) => return Gate { is_lost: true, ..Gate::closed(GateOutcome::Failed, reason) },
        };
        let mut player = Player::new(stage);
        let mut seen = player.play(&Service::good());
        if let Some(problem) = problem_of(&seen) {
            return self.failed(seen, problem);
        }
        if !player.is_told() && seen.standings.get(&"good".into()).is_some_and(is_silent) {
            // Of one that writes nothing of its registration nobody knows.
            seen.standings.insert("good".into(), None);
        }
        let stimuli = player.stimuli();
        // Nobody asks the anonymous anything.
        let methods = ANSWERED.into_iter().filter(|_| self.mode().scheme.signs());
        let fence = methods.into_iter().find(|method| answers(&mut player, method));
        if let Some(method) = fence {
            player.set_fence(method);
        }
        if let Some(end) = player.crash() {
            let reason = format!("the client has ended: {}, after a request of the suite", end.how);
            let seen = Conversation { end: Some(end), ..seen };
            return Gate { seen: Some(seen), ..Gate::closed(GateOutcome::Failed, reason) };
        }
        let has_standing = matches!(seen.standings.get(&"good".into()), Some(Some(_)));
        let has_clock = player.has_clock();
        let mut notes = Vec::new();
        match fence {
            Some(method) => notes.push(format!("it answers {method}")),
            None if self.mode().scheme.signs() => {
                notes.push("it answers no request: what it does not act upon cannot be seen".to_owned());
            }
            None => {}
        }
        if !has_standing {
            notes.push("nobody can know what it tells its user".to_owned());
        }
        let _first = self.good.set(seen.clone());
        Gate {
            outcome: GateOutcome::Open,
            reason: None,
            notes,
            seen: Some(seen),
            player: Some(player),
            fence: fence.map(str::to_owned),
            stimuli,
            has_standing,
            has_clock,
            is_lost: false,
        }
    }

    /// The methods of requests that the client answers well, that of the fences first. What one of them does to it has a
    /// case of its own: a client that is asked for all of them is asked for nothing else.
    pub(super) fn methods(&self, fence: Option<&str>) -> &[String] {
        self.methods.get_or_init(|| {
            let mut methods: Vec<String> = fence.map(str::to_owned).into_iter().collect();
            if let Ok(mut player) = self.established("methods", Haste::Brisk, fence) {
                let others = ANSWERED.into_iter().filter(|method| Some(*method) != fence);
                methods.extend(others.filter(|method| answers_well(&mut player, method)).map(str::to_owned));
            }
            methods
        })
    }

    /// A client that does not answer the challenge does not do this scheme or version, unless its profile says so.
    fn failed(&self, seen: Conversation, problem: String) -> Gate {
        let profile = &self.options.profile;
        let is_claimed = profile.versions.is_some() && profile.claims(self.mode().scheme);
        let has_asked = !seen.heard.is_empty();
        let is_quiet = seen.heard.iter().all(|heard| heard.read.class == Class::Bare)
            && !seen.flooded
            && seen.connections.unreadable.is_none();
        let is_absent =
            has_asked && is_quiet && !is_claimed && !seen.end.as_ref().is_some_and(|end| end.is_crash);
        let outcome = if is_absent { GateOutcome::Unsupported } else { GateOutcome::Failed };
        let is_lost = !has_asked;
        Gate { seen: Some(seen), is_lost, ..Gate::closed(outcome, problem) }
    }
}

fn is_silent(standing: &Option<Standing>) -> bool {
    standing.as_ref().is_some_and(|standing| !standing.registered && !standing.failed)
}

/// Why the good conversation was none.
pub(super) fn problem_of(seen: &Conversation) -> Option<String> {
    let broken = seen.broken.clone()?;
    let problem = seen.heard.iter().rev().find_map(|heard| heard.read.problem.clone());
    let signature = seen.signatures.last().map(|signature| signature.outcome.clone());
    match problem.or(signature) {
        Some(problem) => Some(format!("{broken} ({problem})")),
        None => Some(broken),
    }
}

/// Whether a client answers requests of a method; how it signs what it answers is for the cases.
fn answers(player: &mut Player, method: &str) -> bool {
    let seen = player.play(&Service::new().request("probe", method).sign("probe").ask("probe"));
    seen.sent("probe").is_some_and(|sent| sent.answer().is_some())
}

/// Whether it takes requests of another method than that of the fences, which tell soon that it does not answer.
fn answers_well(player: &mut Player, method: &str) -> bool {
    let seen = player.play(&Service::new().request("probe", method).sign("probe").send("probe").fence());
    let status = seen.sent("probe").and_then(|sent| sent.answer().map(|reply| reply.status));
    status.is_some_and(|status| (200..300).contains(&status))
}
