//! Sequences of actions that a model foresees.

use std::collections::BTreeSet;
use std::time::Instant;

use sipae_events::{Cause, Verdict};
use sipae_gen::model::{
    Action, Expectation, Expected, Outcome as Became, Rows, Scripted, Seen as Reacted, Surprise, actions,
    meaningful, script, shrink_candidates,
};
use sipae_gen::{Check, Connection, Expect, Fast, Label, Mode, Recorded, Script};

use super::search::{Budget, Effort, Failures, Kind, SPREAD, Shown, counted, decided, is_found, judged};
use crate::execute::{Played, Stage, play};
use crate::judge::{Judge, Judgement};
use crate::observation::{Observation, Seen};
use crate::pace::Pace;
use crate::reaction::{Reaction, Signature};
use crate::trial::{Conversation, Outcome, Trial, lost};

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
            let smallest = search.smallest(failing);
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
    Awaited,
    /// Not where the sequence fails without it and without doubt.
    Decides,
    /// Only where it makes a failure doubtful.
    Doubts,
}

/// What a look at a sequence has shown.
struct Look {
    judgement: Judgement,
    /// The place of the first action that was otherwise than foreseen.
    surprise: Option<usize>,
}

/// A sequence that fails, and what it has shown.
#[derive(Clone, Debug)]
struct Failing {
    sequence: Vec<Action>,
    shown: Shown,
    surprise: Option<usize>,
}

impl Failing {
    fn new(sequence: Vec<Action>, look: &Look) -> Self {
        Self { sequence, shown: Shown::of(&look.judgement), surprise: look.surprise }
    }

    /// Smaller ones. What comes behind the first surprise goes first: each answer that is missing there costs time over a
    /// network.
    fn candidates(&self) -> impl Iterator<Item = Vec<Action>> {
        let end = self.surprise.map(|place| place + 1).filter(|end| *end < self.sequence.len());
        let until = end.and_then(|end| self.sequence.get(..end)).map(<[Action]>::to_vec);
        until.into_iter().chain(shrink_candidates(&self.sequence))
    }
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
                        return Some(Failing::new(sequence, &look));
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
        meaningful(&actions(&mut source, length * 2, self.may_elapse))
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
        let surprise = surprises(&scripted, &observation).first().map(|surprise| surprise.action);
        Look { judgement, surprise }
    }

    /// The smallest that fails by the same row. Where that shows at once, what comes late is waited for only behind the
    /// result; a target that crashes may need a moment for it.
    fn smallest(&mut self, failing: Failing) -> Failing {
        let budget = Budget { begun: Instant::now(), plays: self.plays + self.effort.shrink_plays };
        let kind = failing.shown.kind();
        if !kind.is_crash() && self.is_like(&failing.sequence, Late::Doubts, &kind) {
            let smallest = self.shrunk(failing.clone(), &kind, Late::Doubts, &budget);
            if self.is_exact || self.is_like(&smallest.sequence, Late::Awaited, &kind) {
                return smallest;
            }
        }
        self.shrunk(failing, &kind, Late::Awaited, &budget)
    }

    fn is_like(&mut self, sequence: &[Action], late: Late, kind: &Kind) -> bool {
        Kind::of(&self.played(sequence, late).judgement).is_like(kind)
    }

    /// Nothing is played twice: without one action, others have no meaning any more, so that many ways lead to the same.
    fn shrunk(&mut self, mut failing: Failing, kind: &Kind, late: Late, budget: &Budget) -> Failing {
        let mut tried = BTreeSet::from([failing.sequence.clone()]);
        let mut smaller = |failing: &Failing| {
            let new = failing.candidates().filter(|sequence| tried.insert(sequence.clone()));
            let mut played = new.map_while(|sequence| {
                let look = budget.allows(self.plays, self.effort).then(|| self.played(&sequence, late))?;
                Some((sequence, look))
            });
            let found = played.find(|(_, look)| Kind::of(&look.judgement).is_like(kind));
            found.map(|(sequence, look)| Failing::new(sequence, &look))
        };
        while let Some(found) = smaller(&failing) {
            failing = found;
        }
        failing
    }

    fn tell_lost(&self) -> Outcome<'c> {
        let (cause, sequence) = self.lost.clone().unwrap_or((Cause::Crash, Vec::new()));
        let scripted = script(&sequence, self.trial.mode);
        let (checks, read) = (checks(&scripted), |judge: &mut Judge<'_>| read(&scripted, judge));
        let conversation =
            Conversation { script: &scripted.script, checks: &checks, read: &read, may_wait: false };
        Outcome::Finished(Box::new(self.trial.lost(&conversation, cause, self.seed)))
    }

    fn tell(&self, failing: Failing) -> Outcome<'c> {
        let scripted = script(&failing.sequence, self.trial.mode);
        let read = |judge: &mut Judge<'_>| read(&scripted, judge);
        let checks = checks(&scripted);
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

/// What the model expects of each message, as far as that is certain whatever was seen: for who has no model.
fn checks(scripted: &Scripted) -> Vec<Check> {
    let checks = |Expectation { message, prediction, .. }: &Expectation| {
        let check = |rows: Rows, expect| Some(Check::new(message.as_str(), rows.first()?, expect));
        let reaction = reaction(prediction.expected).and_then(|expect| check(prediction.rows, expect));
        let to_nobody = prediction.delivery.as_ref().filter(|delivery| delivery.only.is_empty());
        let delivery = to_nobody.and_then(|delivery| check(delivery.rows, Expect::Undelivered));
        reaction.into_iter().chain(delivery)
    };
    scripted.expectations.iter().flat_map(checks).collect()
}

const fn reaction(expected: Expected) -> Option<Expect> {
    match expected {
        Expected::Challenged => Some(Expect::Challenged),
        Expected::Accepted => Some(Expect::Accepted),
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

/// Judges by the model. A sequence that no message was sent of decides nothing.
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
        undecided(observation, scripted, judge);
    }
}

/// Nothing was otherwise than foreseen. That counts by the rows of what was certain; a sequence of which nothing was has
/// been kept too.
fn undecided(observation: &Observation, scripted: &Scripted, judge: &mut Judge<'_>) {
    const ANY: &str = "SIPAE-3.1-01";
    let sent =
        scripted.expectations.iter().filter(|expected| observation.messages.contains_key(&expected.message));
    let rows = sent.filter_map(|expected| expected.prediction.rows.first()).copied();
    rows.chain([ANY]).for_each(|row| judge.check(row, "as foreseen", Ok(())));
    if let Some(broken) = &observation.broken {
        judge.undecide(broken.clone());
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
mod tests {
    use rstest::rstest;
    use sipae::auth::Scheme;
    use sipae::version::Version;
    use sipae_gen::Party;
    use sipae_gen::model::{Carrier, Number, Request};

    use super::*;
    use crate::observation::Delivery;

    #[rstest]
    #[case::of_four(Some(1), Some(2))]
    #[case::nothing_is_behind_the_last(Some(3), None)]
    #[case::the_target_has_crashed(None, None)]
    fn what_comes_behind_the_first_surprise_goes_first(
        #[case] surprise: Option<usize>,
        #[case] left: Option<usize>,
    ) {
        let sequence = vec![Action::Bare { party: Party::USER, request: Request::Message }; 4];
        let verdict = Verdict::Fail(Cause::Reaction);
        let shown = Shown::of(&Judgement { verdict, findings: Vec::new(), undecided: None, waits: false });
        let failing = Failing { sequence: sequence.clone(), shown, surprise };
        let candidates: Vec<_> = failing.candidates().collect();
        let first = left.map(|left| sequence[..left].to_vec());
        let expected: Vec<_> = first.into_iter().chain(shrink_candidates(&sequence)).collect();
        assert_eq!(candidates, expected);
    }

    /// Two users log in, one sends to the other, and again the same octets.
    fn replayed() -> Scripted {
        let login = |party| Action::Login { party, over: Carrier::Register };
        let party = Party::USER;
        let sequence = [
            login(party),
            login(Party::PEER),
            Action::Sign { party, request: Request::Message, number: Number::Next },
            Action::Replay { party, back: 0, over: party },
        ];
        script(&sequence, Mode { scheme: Scheme::Ntlm, version: Version::V4 })
    }

    /// Everything is answered, but for the last ones: whether the answer is missing and the message has come.
    fn observed(scripted: &Scripted, last: [[bool; 2]; 2]) -> Observation {
        let signed = Reaction::Final { status: 200, signature: Signature::Verified(1) };
        let answered = |expectation: &Expectation| {
            (expectation.message.clone(), Seen::unanswered(signed.clone(), Vec::new()))
        };
        let messages = scripted.expectations.iter().map(answered).collect();
        let mut observation = Observation { messages, ..Observation::default() };
        let last = scripted.expectations.iter().rev().zip(last.into_iter().rev());
        for (expectation, [is_missing, has_come]) in last {
            let (to, signature, signed_by) = (Party::PEER, Signature::Unsigned, None);
            let delivery = Delivery { to, octets: Vec::new(), signature, signed_by };
            let reaction = if is_missing { Reaction::Overdue } else { signed.clone() };
            let mut seen = Seen::unanswered(reaction, Vec::new());
            seen.deliveries.extend(has_come.then_some(delivery));
            drop(observation.messages.insert(expectation.message.clone(), seen));
        }
        observation
    }

    #[rstest]
    #[case::the_copy_has_come([[false, true], [true, true]], false)]
    #[case::both_have_come_in_some_order([[true, true], [true, true]], true)]
    #[case::the_first_may_still_come([[true, false], [true, true]], true)]
    fn a_missing_answer_makes_no_failure_doubtful_where_the_message_has_come(
        #[case] last: [[bool; 2]; 2],
        #[case] is_doubtful: bool,
    ) {
        let scripted = replayed();
        let observation = observed(&scripted, last);
        assert!(!surprises(&scripted, &observation).is_empty(), "{scripted:?}");
        assert_eq!(is_behind_missed(&scripted, &observation), is_doubtful);
    }
}
