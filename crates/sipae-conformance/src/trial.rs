//! One case at one setting: played, judged, and looked into where an answer is missing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sipae_events::{CaseFinished, Cause, Direction, Exchanged, Subject, Verdict};
use sipae_gen::{Check, Got, Mode, Script, ScriptFile};
use sipae_net::End;

use crate::case::Case;
use crate::cases;
use crate::execute::{Played, Stage, play};
use crate::generated::{self, Effort};
use crate::judge::{Judge, Judgement};
use crate::observation::Observation;
use crate::pace::Pace;
use crate::reaction::Reaction;

/// A case that is to be run.
#[derive(Clone)]
pub(crate) struct Trial<'c> {
    pub(crate) case: &'c Case,
    pub(crate) subject: Subject,
    pub(crate) mode: Mode,
    pub(crate) strict: bool,
}

/// What a case plays, and how it is judged.
pub(crate) struct Conversation<'c> {
    pub(crate) script: &'c Script,
    /// What is judged by data alone, for whoever plays the script without the case.
    pub(crate) checks: &'c [Check],
    pub(crate) read: &'c dyn Fn(&mut Judge<'_>),
    /// Whether it can be settled at the end of the run.
    pub(crate) may_wait: bool,
}

/// What became of a case.
pub(crate) enum Outcome<'c> {
    /// It has its verdict.
    Finished(Box<CaseFinished>),
    /// Silence decides it, and answers can overtake each other: time tells.
    Parked(Box<Parked<'c>>),
}

/// A case that waits for what must not come.
pub(crate) struct Parked<'c> {
    trial: Trial<'c>,
    played: Played,
}

/// One time that a case was played.
struct Attempt {
    played: Played,
    observation: Observation,
    judgement: Judgement,
}

impl Attempt {
    fn is_pass(&self) -> bool {
        self.judgement.verdict == Verdict::Pass
    }

    /// Whether an answer that did not come may be why the case did not pass.
    fn is_missed(&self) -> bool {
        let is_overdue = |reaction: &Reaction| *reaction == Reaction::Overdue;
        let overdue = self.observation.messages.values().any(|seen| is_overdue(&seen.reaction));
        let is_silent = self.judgement.verdict == Verdict::Fail(Cause::Silent);
        is_silent || overdue && !self.is_pass() && !self.judgement.waits
    }

    fn standing(&self) -> Standing {
        match (self.judgement.verdict, self.is_missed()) {
            (Verdict::Pass, _) => Standing::Pass,
            (Verdict::Fail(_), false) => Standing::Failure,
            (Verdict::Fail(_), true) => Standing::Missed,
            (Verdict::Loose, false) => Standing::Loose,
            (Verdict::Loose, true) => Standing::Faint,
            _ => Standing::Undecided,
        }
    }
}

/// What one time says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Pass,
    /// It fails by what came.
    Failure,
    /// It fails, and an answer that did not come may be why.
    Missed,
    /// It is loose by what came.
    Loose,
    /// It is loose, and an answer that did not come may be why.
    Faint,
    Undecided,
}

/// Which of two times is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    is_first: bool,
    is_flaky: bool,
}

impl Told {
    const FIRST: Self = Self { is_first: true, is_flaky: false };
    const SECOND: Self = Self { is_first: false, is_flaky: false };

    /// Of a first time that has had all the time that the profile gives, and a second one that has not.
    const fn of(first: Standing, second: Standing) -> Self {
        use Standing::{Failure, Faint, Loose, Missed, Pass, Undecided};
        match (first, second) {
            (Pass, Failure) => Self { is_flaky: true, ..Self::SECOND },
            (Pass, _) | (Failure | Missed, Failure | Missed) => Self::FIRST,
            (Failure | Missed, _) => Self { is_flaky: true, ..Self::FIRST },
            (_, Failure | Pass) | (Undecided, Loose | Undecided) => Self::SECOND,
            (Loose | Faint | Undecided, _) => Self::FIRST,
        }
    }
}

impl<'c> Trial<'c> {
    /// What an event says of a case that was not run.
    pub(crate) fn not_run(&self, verdict: Verdict, reason: Option<String>) -> CaseFinished {
        let (id, subject, title) = (self.case.case_id().clone(), self.subject.clone(), self.case.title());
        CaseFinished { reason, ..CaseFinished::new(id, subject, title, self.case.requirements(), verdict) }
    }

    /// Plays the case; `stages` makes a stage for each time that it is played, and for each look at whether the target
    /// is still there.
    pub(crate) fn run(self, effort: &Effort, pace: &Pace, stages: &dyn Fn(&str) -> Stage) -> Outcome<'c> {
        let case = self.case;
        if let Some(property) = case.property() {
            return generated::run(&self, property, effort, pace, stages);
        }
        if case.has_sequences() {
            return generated::sequence::run(&self, effort, pace, stages);
        }
        let script = case.script(self.mode);
        let read = |judge: &mut Judge<'_>| case.read(judge);
        let checks = case.checks();
        self.hold(&Conversation { script: &script, checks, read: &read, may_wait: true }, pace, stages)
    }

    /// Holds a conversation.
    pub(crate) fn hold(
        self,
        conversation: &Conversation<'_>,
        pace: &Pace,
        stages: &dyn Fn(&str) -> Stage,
    ) -> Outcome<'c> {
        let mut first = self.attempt(conversation, stages("first"));
        let is_exact = stages("exact").wire.is_exact();
        if is_exact {
            return self.finished(conversation, first, None);
        }
        if let Some(trouble) = breakdown(&mut first, stages) {
            return self.finished(conversation, first, Some(trouble));
        }
        let was_missed = first.is_missed();
        if !first.is_pass() && !first.judgement.waits && first.played.is_open() {
            // What overtook it may have ended the script before it came.
            first.played.settle(pace.quiet());
            first = self.judged(first.played, conversation.read);
        }
        // One that came too late for what was to be done with it may be in time the next time.
        if first.is_missed() || was_missed && !first.is_pass() {
            return self.missed(conversation, first, pace, stages);
        }
        let waits = first.judgement.waits && first.judgement.verdict == Verdict::Inconclusive;
        if waits && conversation.may_wait && first.played.is_open() {
            return Outcome::Parked(Box::new(Parked { trial: self, played: first.played }));
        }
        self.finished(conversation, first, None)
    }

    /// A missed answer is believed when it is missed twice, and once for as long as the profile allows: a server may be busy,
    /// or slow down guessing.
    fn missed(
        self,
        conversation: &Conversation<'_>,
        mut first: Attempt,
        pace: &Pace,
        stages: &dyn Fn(&str) -> Stage,
    ) -> Outcome<'c> {
        if self.case.needs().failed_logons != 0 {
            // Accounts lock.
            first.played.settle(pace.limit());
            first = self.judged(first.played, conversation.read);
            return self.finished(conversation, first, None);
        }
        let mut second = self.attempt(conversation, stages("second"));
        let trouble = breakdown(&mut second, stages);
        if trouble.is_none() {
            first.played.settle(pace.limit());
            first = self.judged(first.played, conversation.read);
        }
        let told = match trouble {
            Some(_) => Told::FIRST,
            None => Told::of(first.standing(), second.standing()),
        };
        let (mut told_of, other) = if told.is_first { (first, second) } else { (second, first) };
        if told.is_flaky {
            told_of.judgement.verdict = Verdict::Fail(Cause::Flaky { failed: 1, of: 2 });
        } else if told.is_first && !told_of.is_pass() {
            told_of.observation.exchange.extend(other.observation.exchange);
        }
        drop(other.played.finish());
        self.finished(conversation, told_of, trouble)
    }

    fn attempt(&self, conversation: &Conversation<'_>, stage: Stage) -> Attempt {
        self.judged(play(stage, conversation.script), conversation.read)
    }

    fn judged(&self, mut played: Played, read: &dyn Fn(&mut Judge<'_>)) -> Attempt {
        let observation = played.observe();
        if let Some(reason) = observation.clock_lost.clone() {
            let (findings, undecided) = (Vec::new(), Some(reason));
            let judgement = Judgement { verdict: Verdict::Blocked, findings, undecided, waits: false };
            return Attempt { played, observation, judgement };
        }
        let mut judge = Judge::new(&observation, self.case.requirements(), self.mode, self.strict);
        read(&mut judge);
        let judgement = judge.judgement();
        Attempt { played, observation, judgement }
    }

    fn finished(
        &self,
        conversation: &Conversation<'_>,
        attempt: Attempt,
        trouble: Option<Trouble>,
    ) -> Outcome<'c> {
        let Attempt { played, observation, judgement } = attempt;
        let ends = ends(played);
        let crash = ends.iter().find(|end| end.is_crash);
        let (verdict, reason) = match (crash, trouble) {
            (Some(end), _) => (Verdict::Fail(Cause::Crash), Some(end.to_string())),
            (None, Some(Trouble::Lost(cause))) => (Verdict::Fail(cause), Some(why_lost(cause).to_owned())),
            (None, Some(Trouble::Crowded)) => (Verdict::Inconclusive, Some(CROWDED.to_owned())),
            (None, None) => {
                let is_open = matches!(judgement.verdict, Verdict::Inconclusive | Verdict::Blocked);
                (judgement.verdict, judgement.undecided.filter(|_| is_open))
            }
        };
        let mut finished = self.not_run(verdict, reason);
        finished.findings = judgement.findings;
        finished.exchange_left_out = observation.exchange_left_out;
        finished.signatures = observation.signatures.clone();
        if verdict.is_fail() || verdict == Verdict::Loose {
            finished.script = Some(self.script_file(conversation, &observation).to_value());
        }
        observation.exchange.into_iter().for_each(|message| finished.push(message));
        ends.iter().for_each(|end| finished.push(farewell(end)));
        Outcome::Finished(Box::new(finished))
    }
}

/// How an end shows that no program told of.
const fn why_lost(cause: Cause) -> &'static str {
    match cause {
        Cause::Crash => "the target takes no connection any more",
        _ => "the target answers on no new connection either",
    }
}

impl Trial<'_> {
    /// The target was lost with this conversation, which cannot be held again.
    pub(crate) fn lost(&self, conversation: &Conversation<'_>, cause: Cause, seed: u64) -> CaseFinished {
        let mut finished = self.not_run(Verdict::Fail(cause), Some(why_lost(cause).to_owned()));
        finished.script = Some(self.kept(conversation, seed));
        finished
    }

    /// The script of a conversation whose last play is not what is told of it.
    pub(crate) fn kept(&self, conversation: &Conversation<'_>, seed: u64) -> serde_json::Value {
        ScriptFile { seed, ..self.file(conversation) }.to_value()
    }

    /// The conversation for whoever plays it again.
    fn script_file(&self, conversation: &Conversation<'_>, observation: &Observation) -> ScriptFile {
        let got = |check: &Check| {
            let reaction = observation.messages.get(&check.message)?.reaction.outline();
            Some(Got {
                message: check.message.clone(),
                requirement: check.requirement.clone(),
                got: reaction,
            })
        };
        ScriptFile {
            seed: observation.seed,
            got: conversation.checks.iter().filter_map(got).collect(),
            ..self.file(conversation)
        }
    }

    fn file(&self, conversation: &Conversation<'_>) -> ScriptFile {
        ScriptFile {
            program: format!("sipae {}", env!("CARGO_PKG_VERSION")),
            case: self.case.id().to_owned(),
            title: self.case.title().to_owned(),
            requirements: self.case.requirements().iter().map(ToString::to_string).collect(),
            mode: self.mode,
            kind: self.subject.kind,
            seed: 0,
            script: conversation.script.clone(),
            checks: conversation.checks.to_vec(),
            got: Vec::new(),
        }
    }
}

impl Parked<'_> {
    /// Waits until silence is believed, so long after the last request, and judges.
    pub(crate) fn settle(self, patience: Duration) -> CaseFinished {
        let Self { trial, mut played } = self;
        played.settle(patience);
        let (case, script) = (trial.case, trial.case.script(trial.mode));
        let read = |judge: &mut Judge<'_>| case.read(judge);
        let attempt = trial.judged(played, &read);
        let conversation =
            Conversation { script: &script, checks: case.checks(), read: &read, may_wait: false };
        match trial.finished(&conversation, attempt, None) {
            Outcome::Finished(finished) => *finished,
            Outcome::Parked(parked) => parked.trial.not_run(Verdict::Inconclusive, None),
        }
    }
}

/// How the connections of a script have ended where they are programs, or a server of this process that panicked.
fn ends(played: Played) -> Vec<End> {
    let stage = played.finish();
    let ends = stage.wire.ends();
    // Whatever ends with its wire has done so now.
    drop(stage);
    ends.noted()
}

/// The end of a program in a ladder.
fn farewell(end: &End) -> Exchanged {
    let connection = u32::try_from(end.connection.0).unwrap_or(u32::MAX);
    Exchanged::new(Direction::Received, connection, end.how.clone(), end.errors.as_bytes())
        .of(Exchanged::STANDARD_ERROR)
}

/// What is the matter with a target that answers on no new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// It has ended, or hangs.
    Lost(Cause),
    /// It takes no more connections than it has.
    Crowded,
}

/// Why a case is inconclusive that has more connections than the target takes.
pub(crate) const CROWDED: &str = "the target answers on no more connections: it takes few at a time";

/// Whether the target has ended or hangs. Missed answers, closed connections and refused ones are looked into over new
/// connections. One that answers on those of the case at the same time takes no more of them.
fn breakdown(attempt: &mut Attempt, stages: &dyn Fn(&str) -> Stage) -> Option<Trouble> {
    let is_suspect =
        |reaction: &Reaction| matches!(reaction, Reaction::Overdue | Reaction::Closed | Reaction::Reset);
    let observation = &attempt.observation;
    let suspect = observation.messages.values().any(|seen| is_suspect(&seen.reaction));
    if !suspect && !observation.is_unreachable {
        return None;
    }
    let cause = lost(stages)?;
    Some(if attempt.played.answers_still() { Trouble::Crowded } else { Trouble::Lost(cause) })
}

/// Probes of this process. What they send is told nowhere, so that runs with one seed tell the same.
static PROBES: AtomicU64 = AtomicU64::new(0);

/// Whether nobody takes connections any more, or answers on them.
pub(crate) fn lost(stages: &dyn Fn(&str) -> Stage) -> Option<Cause> {
    // What restarts, or holds off strangers for a moment after a forgery, is given the time.
    let pauses = [0, 500, 1500].map(Duration::from_millis);
    let mut cause = None;
    for pause in pauses {
        std::thread::sleep(pause);
        // A server takes what it has seen for a retransmission.
        let number = PROBES.fetch_add(1, Ordering::Relaxed);
        cause = probe(stages(&format!("probe {number}")));
        if cause.is_none() {
            break;
        }
    }
    cause
}

/// One bare request over a new connection: does anybody take it, does anybody answer?
fn probe(stage: Stage) -> Option<Cause> {
    let observation = asked_bare(stage);
    match observation.reaction("bare") {
        None if observation.is_absent => Some(Cause::Crash),
        None => Some(Cause::Hang),
        Some(Reaction::Overdue | Reaction::Closed | Reaction::Reset) => Some(Cause::Hang),
        Some(_) => None,
    }
}

/// What becomes of one bare request over a connection of its own; it is called `bare`.
pub(crate) fn asked_bare(stage: Stage) -> Observation {
    let mut played = play(stage, &cases::bare(Script::connected()));
    let observation = played.observe();
    drop(played.finish());
    observation
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A target that once does what is right and once does not is called flaky, unless it only missed the second time: that
    /// was not waited for as long. What the first time leaves open is for the second to tell.
    #[rstest]
    #[case(Standing::Pass, Standing::Failure, "second, flaky")]
    #[case(Standing::Pass, Standing::Missed, "first")]
    #[case(Standing::Missed, Standing::Pass, "first, flaky")]
    #[case(Standing::Failure, Standing::Pass, "first, flaky")]
    #[case(Standing::Missed, Standing::Missed, "first")]
    #[case(Standing::Failure, Standing::Failure, "first")]
    #[case(Standing::Undecided, Standing::Pass, "second")]
    #[case(Standing::Undecided, Standing::Failure, "second")]
    #[case(Standing::Undecided, Standing::Missed, "first")]
    #[case(Standing::Undecided, Standing::Loose, "second")]
    #[case(Standing::Undecided, Standing::Faint, "first")]
    #[case(Standing::Faint, Standing::Undecided, "first")]
    #[case(Standing::Faint, Standing::Pass, "second")]
    #[case(Standing::Loose, Standing::Failure, "second")]
    #[case(Standing::Loose, Standing::Missed, "first")]
    fn of_two_times_one_is_told(#[case] first: Standing, #[case] second: Standing, #[case] expected: &str) {
        let Told { is_first, is_flaky } = Told::of(first, second);
        let told = [if is_first { "first" } else { "second" }, if is_flaky { ", flaky" } else { "" }];
        assert_eq!(told.concat(), expected);
    }
}
