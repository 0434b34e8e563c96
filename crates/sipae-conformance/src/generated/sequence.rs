//! Sequences of actions that a model foresees.

mod shrinking;

use std::collections::BTreeSet;
use std::time::Instant;

use sipae_events::{Cause, Verdict};
use sipae_gen::model::{
    Action, Delivery, Expectation, Expected, Outcome as Became, PARTIES, Prediction, Rows, Scripted,
    Seen as Reacted, Surprise, actions, meaningful, script,
};
use sipae_gen::{Check, Connection, Expect, Fast, Label, Mode, Recorded, Script};

use super::search::{Effort, Failures, Kind, SPREAD, counted, decided, is_found, judged};
use crate::execute::{Played, Stage, play};
use crate::judge::{Judge, Judgement};
use crate::observation::{Observation, Seen};
use crate::pace::Pace;
use crate::reaction::{Reaction, Signature};
use crate::trial::{Conversation, Outcome, Trial, lost};
use shrinking::Failing;

/// How many actions a sequence has at most.
const LONGEST: u64 = 40;
/// Sequences cost more than single requests: so many fewer of them are played.
const FEWER: u64 = 5;

/// The script of the plainest sequence, for whoever lists cases.
pub(crate) fn plainest(mode: Mode) -> Script {
    script(&actions(&mut Recorded::default(), 3, false), mode).script
}

/// Runs a case of sequences.
pub(crate) fn run<'c>(
    trial: &Trial<'c>,
    effort: &Effort,
    pace: &Pace,
    stages: &dyn Fn(&str) -> Stage,
) -> Outcome<'c> {
    let stage = stages("choices");
    let (seed, is_exact) = (stage.choices, stage.wire.is_exact());
    let may_elapse = is_exact && stage.durations.is_some();
    drop(stage);
    let (plays, lost) = (0, None);
    let mut search = Search { trial, effort, pace, stages, seed, may_elapse, is_exact, plays, lost };
    let mut failures = Failures::default();
    let failing = search.look(&mut failures);
    let made = failures.made;
    let outcome = match failing {
        Some(failing) => {
            let smallest = effort.shrinking.measured(|| search.smallest(failing));
            search.tell(smallest)
        }
        None if search.lost.is_some() => search.tell_lost(),
        None => Outcome::Finished(Box::new(decided(trial, &failures, effort))),
    };
    counted(outcome, made)
}

struct Search<'s, 'c> {
    trial: &'s Trial<'c>,
    effort: &'s Effort,
    pace: &'s Pace,
    stages: &'s dyn Fn(&str) -> Stage,
    seed: u64,
    may_elapse: bool,
    is_exact: bool,
    plays: usize,
    /// How the target was lost, and with what.
    lost: Option<(Cause, Vec<Action>)>,
}

/// When a look at a sequence waits for what may come behind everything else: what another client has to answer first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// Always.
    Awaited,
    /// Not where the sequence fails without it and without doubt.
    Decides,
    /// Only where it makes a failure doubtful.
    Doubts,
}

/// What a look at a sequence has shown.
struct Look {
    judgement: Judgement,
    surprises: Vec<Surprise>,
}

impl Late {
    fn matters(self, scripted: &Scripted, played: &mut Played) -> bool {
        if self == Self::Awaited {
            return true;
        }
        let observation = played.observe();
        if surprises(scripted, &observation).is_empty() {
            self == Self::Decides
        } else {
            is_behind_missed(scripted, &observation)
        }
    }
}

impl<'c> Search<'_, 'c> {
    fn look(&mut self, failures: &mut Failures) -> Option<Failing> {
        let begun = Instant::now();
        let effort = self.effort;
        let may_go_on = |made: u64| match effort.time {
            _ if effort.stop.is_due() => false,
            Some(time) => begun.elapsed() < time,
            None => made < effort.cases.div_ceil(FEWER),
        };
        while may_go_on(failures.made) {
            let sequence = self.drawn(failures.made);
            failures.made += 1;
            let look = self.confirmed(&sequence);
            match look.judgement.verdict {
                verdict if verdict.is_fail() => {
                    if !effort.knows(self.trial, "", &look.judgement) {
                        let kind = Kind::of(&look.judgement);
                        return Some(Failing::new(sequence, look, &kind));
                    }
                }
                Verdict::Pass | Verdict::Loose => {}
                _ => {
                    failures.undecided(look.judgement.undecided);
                    if !self.is_exact
                        && let Some(cause) = lost(self.stages)
                    {
                        self.lost = Some((cause, sequence));
                        return None;
                    }
                }
            }
        }
        None
    }

    fn drawn(&self, number: u64) -> Vec<Action> {
        let mut source = Fast::new(self.seed ^ number.wrapping_mul(SPREAD));
        // Short ones first: most of what is wrong shows early.
        let length = usize::try_from((number + 2).min(LONGEST)).unwrap_or_default();
        let mut drawn = Vec::new();
        loop {
            drawn.extend(actions(&mut source, length, self.may_elapse));
            let mut sequence = meaningful(&drawn);
            if length <= sequence.len() {
                sequence.truncate(length);
                return sequence;
            }
        }
    }

    /// What fails at a brief look is looked at with patience.
    fn confirmed(&mut self, sequence: &[Action]) -> Look {
        let look = self.played(sequence, Late::Decides);
        if self.is_exact || !is_found(&look.judgement) {
            return look;
        }
        let stage = self.stage();
        self.played_at(stage, sequence, Late::Awaited)
    }

    /// A brief look.
    fn played(&mut self, sequence: &[Action], late: Late) -> Look {
        let stage = self.stage().brief();
        self.played_at(stage, sequence, late)
    }

    fn stage(&mut self) -> Stage {
        self.plays += 1;
        (self.stages)(&format!("sequence {}", self.plays))
    }

    fn played_at(&self, stage: Stage, sequence: &[Action], late: Late) -> Look {
        let scripted = script(sequence, self.trial.mode);
        let is_exact = stage.wire.is_exact();
        let mut played = play(stage, &scripted.script);
        if !is_exact && played.is_open() && late.matters(&scripted, &mut played) {
            played.settle(self.pace.quiet());
        }
        let is_doubtful = |_: &Judgement, observation: &Observation| is_behind_missed(&scripted, observation);
        let (judgement, observation) = judged(played, is_exact, is_doubtful, |observation| {
            let rows = self.trial.case.requirements();
            let mut judge = Judge::new(observation, rows, self.trial.mode, self.trial.strict);
            read(&scripted, &mut judge);
            judge.judgement()
        });
        Look { judgement, surprises: surprises(&scripted, &observation) }
    }

    fn tell_lost(&self) -> Outcome<'c> {
        let (cause, sequence) = self.lost.clone().unwrap_or((Cause::Crash, Vec::new()));
        let scripted = script(&sequence, self.trial.mode);
        let (checks, read) = (checks(&scripted, &[]), |judge: &mut Judge<'_>| read(&scripted, judge));
        let conversation =
            Conversation { script: &scripted.script, checks: &checks, read: &read, may_wait: false };
        Outcome::Finished(Box::new(self.trial.lost(&conversation, cause, self.seed)))
    }

    fn tell(&self, failing: Failing) -> Outcome<'c> {
        let scripted = script(&failing.sequence, self.trial.mode);
        let read = |judge: &mut Judge<'_>| read(&scripted, judge);
        let checks = checks(&scripted, &failing.surprises);
        let conversation =
            Conversation { script: &scripted.script, checks: &checks, read: &read, may_wait: false };
        let outcome = self.trial.clone().hold(&conversation, self.pace, self.stages);
        let Outcome::Finished(mut finished) = outcome else { return outcome };
        if !finished.verdict.is_fail() {
            let script = self.trial.kept(&conversation, self.seed);
            *finished = failing.shown.told(*finished, script);
        }
        Outcome::Finished(finished)
    }
}

/// What the model expects up to what surprised, for who has no model: as far as that is certain without having seen what was
/// open, since another target may do otherwise there.
fn checks(scripted: &Scripted, surprises: &[Surprise]) -> Vec<Check> {
    let end = surprises.first().map_or(usize::MAX, |surprise| surprise.action);
    let before = scripted.expectations.iter().filter(|expectation| expectation.action < end);
    let before = before.map(|expectation| (expectation, expectation.prediction.clone()));
    let surprising = surprises.iter().filter_map(|surprise| {
        let foreseen = scripted.expectations.iter().find(|expected| expected.message == surprise.message)?;
        Some((foreseen, certain(&surprise.prediction, &foreseen.prediction)))
    });
    before
        .chain(surprising)
        .flat_map(|(expectation, prediction)| checks_of(expectation, &prediction))
        .collect()
}

/// What was expected by what was seen, as far as it was foreseen.
fn certain(expected: &Prediction, foreseen: &Prediction) -> Prediction {
    let is_certain = expected.expected == foreseen.expected;
    let delivery = expected.delivery.clone().filter(|_| expected.delivery == foreseen.delivery);
    let expected_of = if is_certain { expected.expected } else { Expected::Open };
    Prediction { expected: expected_of, delivery, rows: expected.rows }
}

fn checks_of(expectation: &Expectation, prediction: &Prediction) -> Vec<Check> {
    let message = &expectation.message;
    let reaction = reaction(prediction.expected).map(|expect| (message, prediction.rows, expect));
    let deliveries = prediction
        .delivery
        .iter()
        .flat_map(|delivery| reached(delivery).into_iter().map(|expect| (message, delivery.rows, expect)));
    // A copy may look like the message that it repeats, where it arrives.
    let is_certain = prediction.expected != Expected::Open;
    let original = expectation.original.as_ref().filter(|_| is_certain);
    let once = original.map(|original| (original, prediction.rows, Expect::Once));
    let expected = reaction.into_iter().chain(deliveries).chain(once);
    let checks = |(message, rows, expect): (&Label, Rows, Expect)| {
        rows.iter().map(move |row| Check::new(message.as_str(), row, expect)).collect::<Vec<_>>()
    };
    expected.flat_map(checks).collect()
}

/// Whom a message reaches: an endpoint of one user, and nobody else.
fn reached(delivery: &Delivery) -> Vec<Expect> {
    let Some(first) = delivery.only.first() else { return vec![Expect::Undelivered] };
    let reaches = delivery.reaches.then_some(Expect::Reaches(first.account));
    let others = PARTIES.into_iter().filter(|party| !delivery.only.contains(party)).map(Expect::Misses);
    reaches.into_iter().chain(others).collect()
}

const fn reaction(expected: Expected) -> Option<Expect> {
    match expected {
        Expected::Challenged => Some(Expect::ChallengedUnlessClosed),
        Expected::Accepted => Some(Expect::AcceptedUnlessClosed),
        Expected::Refused => Some(Expect::Refused),
        Expected::Denied => Some(Expect::NotGranted),
        Expected::Open => None,
    }
}

/// What was otherwise than the model foresees.
fn surprises(scripted: &Scripted, observation: &Observation) -> Vec<Surprise> {
    let became = |label: &Label| observation.messages.get(label).map(became);
    let closed: BTreeSet<Connection> = observation.ended.keys().copied().map(Connection).collect();
    scripted.judge(&became, &closed)
}

/// Whether an answer is missing up to the first surprise. The model goes on from each answer, so that this makes doubtful
/// whatever comes after it. What was delivered was processed, whether its answer comes or not, unless that may have been a
/// copy of it.
fn is_behind_missed(scripted: &Scripted, observation: &Observation) -> bool {
    let first = surprises(scripted, observation).into_iter().next().map(|surprise| surprise.message);
    let sent = scripted.expectations.iter().map(|expectation| &expectation.message);
    let place = sent.clone().position(|message| Some(message) == first.as_ref());
    let is_copied =
        |message: &Label| scripted.expectations.iter().any(|other| other.original.as_ref() == Some(message));
    let is_missed = |message: &Label| {
        let seen = observation.messages.get(message);
        let overdue = seen.filter(|seen| seen.reaction == Reaction::Overdue);
        overdue.is_some_and(|seen| seen.deliveries.is_empty() || is_copied(message))
    };
    sent.take(place.map_or(usize::MAX, |place| place + 1)).any(is_missed)
}

/// Judges by the model.
fn read(scripted: &Scripted, judge: &mut Judge<'_>) {
    let observation = judge.observation();
    let surprises = surprises(scripted, observation);
    for Surprise { message, broken, .. } in &surprises {
        for row in broken.rows {
            let expected = format!("{message}: {}", broken.expected);
            judge.check(row, &expected, Err(broken.seen.clone()));
        }
    }
    if surprises.is_empty() {
        as_foreseen(observation, scripted, judge);
    }
}

/// Nothing was otherwise than foreseen. That counts by the rows of what was certain; a sequence of which nothing was has
/// been kept too. A sequence that no message was sent of decides nothing.
fn as_foreseen(observation: &Observation, scripted: &Scripted, judge: &mut Judge<'_>) {
    const ANY: &str = "SIPAE-3.1-01";
    let sent =
        scripted.expectations.iter().filter(|expected| observation.messages.contains_key(&expected.message));
    let mut sent = sent.peekable();
    let is_silent = sent.peek().is_none();
    let rows = sent.filter_map(|expected| expected.prediction.rows.first()).copied();
    rows.chain([ANY]).for_each(|row| judge.check(row, "as foreseen", Ok(())));
    if let Some(broken) = &observation.broken {
        judge.undecide(broken.clone());
    } else if is_silent {
        judge.undecide("nothing was sent".to_owned());
    }
}

fn became(seen: &Seen) -> Became {
    let seen_by_sender = match &seen.reaction {
        Reaction::Silent => Reacted::Silent,
        Reaction::Overdue => Reacted::Missed,
        Reaction::Closed | Reaction::Reset | Reaction::Unreadable(_) => Reacted::Closed,
        Reaction::Challenge(_) | Reaction::DigestChallenge(_) => Reacted::Challenged,
        Reaction::Continuation(_) => Reacted::Continued,
        Reaction::Final { status, signature } => Reacted::Answered {
            status: *status,
            is_signed: matches!(signature, Signature::Verified(_) | Signature::Replayed(_)),
        },
    };
    Became { seen: seen_by_sender, deliveries: seen.deliveries.iter().map(|delivery| delivery.to).collect() }
}

#[cfg(test)]
mod tests;
