//! Sequences of actions that a model foresees.

mod shrinking;

use std::collections::BTreeSet;
use std::time::Instant;

use sipae_events::{Cause, Verdict};
use sipae_gen::model::{
    Action, Delivery, Expected, Outcome as Became, PARTIES, Prediction, Rows, Scripted, Seen as Reacted,
    Surprise, actions, meaningful, script,
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
    let before = before.map(|expectation| (&expectation.message, expectation.prediction.clone()));
    let surprising = surprises.iter().filter_map(|surprise| {
        let foreseen = scripted.expectations.iter().find(|expected| expected.message == surprise.message)?;
        Some((&surprise.message, certain(&surprise.prediction, &foreseen.prediction)))
    });
    before.chain(surprising).flat_map(|(message, prediction)| checks_of(message, &prediction)).collect()
}

/// What was expected by what was seen, as far as it was foreseen.
fn certain(expected: &Prediction, foreseen: &Prediction) -> Prediction {
    let is_certain = expected.expected == foreseen.expected;
    let delivery = expected.delivery.clone().filter(|_| expected.delivery == foreseen.delivery);
    let expected_of = if is_certain { expected.expected } else { Expected::Open };
    Prediction { expected: expected_of, delivery, rows: expected.rows }
}

fn checks_of(message: &Label, prediction: &Prediction) -> Vec<Check> {
    let check = |rows: Rows, expect| rows.iter().map(move |row| Check::new(message.as_str(), row, expect));
    let reaction =
        reaction(prediction.expected).into_iter().flat_map(|expect| check(prediction.rows, expect));
    let deliveries = prediction
        .delivery
        .iter()
        .flat_map(|delivery| reached(delivery).into_iter().flat_map(|expect| check(delivery.rows, expect)));
    reaction.chain(deliveries).collect()
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
mod tests {
    use rstest::rstest;
    use sipae::auth::Scheme;
    use sipae::version::Version;
    use sipae_events::Finding;
    use sipae_gen::Party;
    use sipae_gen::model::{Carrier, Expectation, Number, Request, shrink_candidates};
    use sipae_spec::{Level, Weight};

    use super::*;
    use crate::observation;

    const MODE: Mode = Mode { scheme: Scheme::Ntlm, version: Version::V4 };

    /// Two users log in, one sends to the other, and again the same octets.
    fn replaying() -> Vec<Action> {
        let login = |party| Action::Login { party, over: Carrier::Register };
        let party = Party::USER;
        vec![
            login(party),
            login(Party::PEER),
            Action::Sign { party, request: Request::Message, number: Number::Next },
            Action::Replay { party, back: 0, over: party },
        ]
    }

    fn replayed() -> Scripted {
        script(&replaying(), MODE)
    }

    fn failing_by(rows: &[&str]) -> Judgement {
        let finding = |row: &&str| Finding {
            requirement: (*row).to_owned(),
            level: Level::Must,
            reconstructed: false,
            expected: String::new(),
            got: String::new(),
            weight: Weight::Fail,
        };
        let findings = rows.iter().map(finding).collect();
        Judgement { verdict: Verdict::Fail(Cause::Reaction), findings, undecided: None, waits: false }
    }

    /// Whatever is sent has a signed answer: the message is not delivered, what comes again is not refused, and what is
    /// unsigned is not challenged.
    #[rstest]
    #[case::the_first(Some(0), Some(3))]
    #[case::another_one_is_before_it(Some(1), Some(4))]
    #[case::nothing_is_behind_the_last(Some(2), None)]
    #[case::the_target_has_crashed(None, None)]
    fn what_comes_behind_that_by_which_it_fails_goes_first(
        #[case] by: Option<usize>,
        #[case] left: Option<usize>,
    ) {
        let bare = Action::Bare { party: Party::USER, request: Request::Refresh };
        let sequence = [replaying(), vec![bare]].concat();
        let scripted = script(&sequence, MODE);
        let surprises = surprises(&scripted, &observed(&scripted, [[false; 2]; 2]));
        let places: Vec<_> = surprises.iter().map(|surprise| surprise.action).collect();
        assert_eq!(places, [2, 3, 4]);
        let judgement = failing_by(by.map_or(&[], |place| surprises[place].broken.rows));
        let kind = Kind::of(&judgement);
        let failing = Failing::new(sequence.clone(), Look { judgement, surprises }, &kind);
        let cut = left.map(|left| sequence[..left].to_vec());
        let expected = cut.into_iter().chain(shrink_candidates(&sequence));
        assert_eq!(failing.candidates().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    /// The model goes another way behind what was not foreseen.
    #[test]
    fn what_is_checked_without_a_model_ends_with_what_it_fails_by() {
        let scripted = replayed();
        let surprises = surprises(&scripted, &observed(&scripted, [[false, false], [true, false]]));
        let checked = |surprises| {
            let checks = checks(&scripted, surprises);
            checks.into_iter().map(|check| check.message.to_string()).collect::<BTreeSet<_>>()
        };
        let all = ["message 002", "message 003", "sa000 last", "sa001 last"].map(str::to_owned);
        assert_eq!(checked(&[]), BTreeSet::from(all.clone()));
        assert_eq!(
            checked(&surprises),
            BTreeSet::from(["message 002", "sa000 last", "sa001 last"].map(str::to_owned))
        );
    }

    /// A target may bind an association to its connection. This one does not, and owes the delivery; another one does not.
    #[test]
    fn what_only_some_targets_owe_is_not_checked() {
        let sign = |party, request| Action::Sign { party, request, number: Number::Next };
        let [first, second, ..] = replaying()[..] else { panic!("two logins") };
        let back = [Action::Reconnect { party: Party::USER }, sign(Party::USER, Request::Refresh)];
        let sequence = [&[first, second], &back[..], &[sign(Party::PEER, Request::Message)]].concat();
        let scripted = script(&sequence, MODE);
        let surprises = surprises(&scripted, &observed(&scripted, [[false; 2]; 2]));
        let [surprise] = surprises.as_slice() else { panic!("{surprises:?}") };
        assert!(surprise.prediction.delivery.as_ref().is_some_and(|delivery| delivery.reaches));
        let checks = checks(&scripted, &surprises);
        assert!(!checks.iter().any(|check| matches!(check.expect, Expect::Reaches(_))), "{checks:?}");
    }

    #[test]
    fn a_sequence_that_nothing_was_sent_of_decides_nothing() {
        let rows = ["SIPAE-3.1-01"];
        let observation = Observation::default();
        let judgement = |scripted: &Scripted| {
            let mut judge = Judge::new(&observation, &rows, MODE, false);
            read(scripted, &mut judge);
            judge.judgement().verdict
        };
        assert_eq!(judgement(&Scripted::default()), Verdict::Inconclusive);
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
            let delivery = observation::Delivery { to, octets: Vec::new(), signature, signed_by };
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
