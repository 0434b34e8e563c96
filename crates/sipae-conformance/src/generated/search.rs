//! Looking for an iteration that fails, and for the smallest one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sipae_events::{CaseFinished, Cause, Finding, Verdict};
use sipae_gen::{Fast, Recorded, Recording, Script};
use sipae_spec::Weight;

use super::lane::{Batch, Lane};
use super::{Iteration, Property, Scene, Stop, Stopwatch};
use crate::campaign::{Key, Known};
use crate::execute::{Played, Stage, play};
use crate::judge::{Judge, Judgement};
use crate::observation::Observation;
use crate::pace::Pace;
use crate::reaction::Reaction;
use crate::trial::{Conversation, Outcome, Trial, lost};

/// How much is generated for each property.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Conversations.
    pub cases: u64,
    /// In place of a number: how long it goes on.
    pub time: Option<Duration>,
    /// How many conversations are on their way before the first answer is waited for; by default as many as suit the
    /// target.
    pub depth: Option<u64>,
    /// Conversations that may be played to make a failing one smaller.
    pub shrink_plays: usize,
    /// How long that may take.
    pub shrink_time: Duration,
    /// How long making conversations smaller has taken, of all cases with this effort and its clones. The last look at the result,
    /// which waits with patience, comes on top.
    pub shrinking: Arc<Stopwatch>,
    /// When it ends before its time.
    pub stop: Stop,
    /// Where findings are kept: what is known is passed over, and what is loose is not looked for.
    pub known: Option<Arc<Known>>,
}

impl Effort {
    /// Whether a finding of this kind is kept already.
    pub(super) fn knows(&self, trial: &Trial, fault: &str, judgement: &Judgement) -> bool {
        let key = || Key::new(trial.case.id(), &trial.subject, fault, judgement.verdict, &judgement.findings);
        self.known.as_ref().is_some_and(|known| known.meets(&key()))
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            cases: 25,
            time: None,
            depth: None,
            shrink_plays: 1000,
            shrink_time: Duration::from_secs(10),
            shrinking: Arc::default(),
            stop: Stop::default(),
            known: None,
        }
    }
}

/// The golden ratio: numbers that follow each other give seeds that have nothing in common.
pub(super) const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
/// Iterations over one ground: numbers stay far from their end, and what one leaves behind is soon forgotten.
const LANE: u64 = 400;
/// How many are sent before the first answer is waited for.
const DEPTH_IN_MEMORY: u64 = 16;
const DEPTH: u64 = 64;
/// The same where answers overtake each other.
const DEPTH_OUT_OF_ORDER: u64 = 8;

/// Runs a generated case.
pub(crate) fn run<'c>(
    trial: &Trial<'c>,
    property: &Property,
    effort: &Effort,
    pace: &Pace,
    stages: &dyn Fn(&str) -> Stage,
) -> Outcome<'c> {
    let stage = stages("choices");
    let (seed, is_exact) = (stage.choices, stage.wire.is_exact());
    drop(stage);
    let mut search = Search {
        trial,
        property,
        effort,
        pace,
        stages,
        seed,
        is_exact,
        failures: Failures::default(),
        loose: None,
        plays: 0,
        last: Vec::new(),
        lost: None,
    };
    let failing = search.look();
    let (failures, loose) = (std::mem::take(&mut search.failures), search.loose.take());
    let outcome = match failing.or(loose) {
        _ if search.lost.is_some() => search.tell_lost(),
        Some(failing) => {
            let smallest = effort.shrinking.measured(|| search.smallest(failing));
            search.tell(&smallest)
        }
        None => Outcome::Finished(Box::new(decided(trial, &failures, effort))),
    };
    counted(outcome, failures.made)
}

/// How much was generated for it goes with the verdict.
pub(super) fn counted(outcome: Outcome<'_>, made: u64) -> Outcome<'_> {
    match outcome {
        Outcome::Finished(mut finished) => {
            finished.generated = made;
            Outcome::Finished(finished)
        }
        parked @ Outcome::Parked(_) => parked,
    }
}

/// How many conversations were made, and how many of them decided nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    pub(super) made: u64,
    undecided: u64,
    why: Option<String>,
}

impl Failures {
    pub(super) fn undecided(&mut self, why: Option<String>) {
        self.undecided += 1;
        self.why = why.or_else(|| self.why.take());
    }
}

/// Nothing failed: a pass, if all but a few were decided.
pub(super) fn decided(trial: &Trial<'_>, failures: &Failures, effort: &Effort) -> CaseFinished {
    let Failures { made, undecided, why } = failures;
    if *made == 0 && effort.stop.is_due() {
        trial.not_run(Verdict::Cancelled, None)
    } else if *made == 0 || *made < undecided * 10 {
        let why = why.as_deref().unwrap_or("nothing was generated");
        let reason = format!("{undecided} of {made} conversations decided nothing: {why}");
        trial.not_run(Verdict::Inconclusive, Some(reason))
    } else {
        trial.not_run(Verdict::Pass, None)
    }
}

/// A record of choices that fails, and those that were played before it over the same ground if it does not fail alone.
#[derive(Clone, Debug)]
struct Failing {
    records: Vec<Vec<u32>>,
    shown: Shown,
}

/// What something that failed has shown: it may not fail again.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    verdict: Verdict,
    findings: Vec<Finding>,
}

impl Shown {
    pub(super) fn of(judgement: &Judgement) -> Self {
        Self { verdict: judgement.verdict, findings: judgement.findings.clone() }
    }

    /// How it fails.
    pub(super) fn kind(&self) -> Kind {
        Kind::new(self.verdict, &self.findings)
    }

    /// What is told of it where it did not show again: what it has shown, and with which script. What was never more than
    /// loose does not become a failure by that.
    pub(super) fn told(self, passed: CaseFinished, script: serde_json::Value) -> CaseFinished {
        let flaky = Verdict::Fail(Cause::Flaky { failed: 1, of: 2 });
        let verdict = if self.verdict.is_fail() { flaky } else { self.verdict };
        let reason = Some("it did not show again: the exchange is that of the last try".to_owned());
        CaseFinished { verdict, reason, findings: self.findings, script: Some(script), ..passed }
    }
}

/// How long something may be made smaller, and up to which play.
pub(super) struct Budget {
    pub(super) begun: Instant,
    pub(super) plays: usize,
}

impl Budget {
    /// Whether another one may be played after so many.
    pub(super) fn allows(&self, plays: usize, effort: &Effort) -> bool {
        plays < self.plays && self.begun.elapsed() < effort.shrink_time && !effort.stop.is_due()
    }
}

/// What became of conversations that were played alone.
enum Taken {
    /// They are looked for.
    Found(Failing),
    /// They fail, and that is known.
    Known,
    /// They do not fail.
    Nothing,
}

impl Taken {
    fn found(self) -> Option<Failing> {
        match self {
            Self::Found(failing) => Some(failing),
            Self::Known | Self::Nothing => None,
        }
    }
}

struct Search<'s, 'c> {
    trial: &'s Trial<'c>,
    property: &'s Property,
    effort: &'s Effort,
    pace: &'s Pace,
    stages: &'s dyn Fn(&str) -> Stage,
    seed: u64,
    is_exact: bool,
    failures: Failures,
    loose: Option<Failing>,
    plays: usize,
    /// What was played last over the ground before.
    last: Vec<Vec<u32>>,
    /// How the target was lost, and with what.
    lost: Option<(Cause, Vec<Vec<u32>>)>,
}

impl<'c> Search<'_, 'c> {
    /// The first that fails.
    fn look(&mut self) -> Option<Failing> {
        let begun = Instant::now();
        let (effort, cases) = (self.effort, self.effort.cases.div_ceil(self.property.fewer));
        let may_go_on = |made: u64| match effort.time {
            _ if effort.stop.is_due() => false,
            Some(time) => begun.elapsed() < time,
            None => made < cases,
        };
        while may_go_on(self.failures.made) {
            let found = if self.property.is_alone { self.one() } else { self.lane(&may_go_on) };
            match found {
                Ok(Some(failing)) => return Some(failing),
                Ok(None) => {}
                Err(broken) => {
                    // The gate was open: what does not open again is looked at when it is told.
                    self.failures.undecided(Some(broken));
                    self.failures.made += 1;
                    let last = std::mem::take(&mut self.last);
                    if 3 < self.failures.undecided || self.notices_loss(last) {
                        return None;
                    }
                }
            }
            if self.lost.is_some() {
                return None;
            }
        }
        None
    }

    /// The iteration of a number, and the record of its choices.
    fn drawn(&self, number: u64, name: &str) -> (Vec<u32>, Iteration) {
        let mut source = Recording::new(Fast::new(self.seed ^ number.wrapping_mul(SPREAD)));
        let iteration = self.property.make(&mut source, &self.scene(name));
        (source.into_choices(), iteration)
    }

    const fn scene<'s>(&self, name: &'s str) -> Scene<'s> {
        Scene { mode: self.trial.mode, name }
    }

    fn made_again(&self, record: &[u32], name: &str) -> Iteration {
        self.property.make(&mut Recorded::new(record.to_vec()), &self.scene(name))
    }

    /// One iteration on a ground of its own.
    fn one(&mut self) -> Result<Option<Failing>, String> {
        let (record, iteration) = self.drawn(self.failures.made, NAME);
        self.failures.made += 1;
        let judgement = self.confirmed(std::slice::from_ref(&iteration));
        Ok(self.taken(judgement, iteration.fault, vec![record]).found())
    }

    /// Iterations over one ground until one fails.
    fn lane(&mut self, may_go_on: &dyn Fn(u64) -> bool) -> Result<Option<Failing>, String> {
        let stage = (self.stages)(&format!("lane {}", self.failures.made));
        let rows = self.trial.case.requirements();
        let mut lane = Lane::open(self.property, stage, rows, self.trial.strict)?;
        let end = self.failures.made + LANE;
        let mut before: Vec<Vec<u32>> = Vec::new();
        while self.failures.made < end && may_go_on(self.failures.made) {
            let (records, iterations) = self.batch(end);
            let batch = lane.play(&iterations);
            if matches!(batch, Batch::Unclear) {
                // A target that takes few connections has them for what is played alone.
                lane.close();
                self.last = recent(&before, &[]);
                return Ok(self.batch_seen(&batch, &records, &before));
            }
            if let Some(failing) = self.batch_seen(&batch, &records, &before) {
                lane.close();
                return Ok(Some(failing));
            }
            before.extend(records);
        }
        lane.close();
        self.last = recent(&before, &[]);
        Ok(None)
    }

    fn batch(&mut self, end: u64) -> (Vec<Vec<u32>>, Vec<Iteration>) {
        let usual = match (self.is_exact, self.pace.is_in_order()) {
            (true, _) => DEPTH_IN_MEMORY,
            (false, true) => DEPTH,
            (false, false) => DEPTH_OUT_OF_ORDER,
        };
        let depth = self.effort.depth.unwrap_or(usual).max(1);
        let rest = if self.effort.time.is_some() {
            depth
        } else {
            self.effort.cases.saturating_sub(self.failures.made)
        };
        let count = depth.min(rest).min(end - self.failures.made);
        let first = self.failures.made;
        let batch = (0..count).map(|place| self.drawn(first + place, &format!("m{place}"))).unzip();
        self.failures.made += count;
        batch
    }

    /// What a batch showed. What is not a pass there is looked at alone.
    fn batch_seen(&mut self, batch: &Batch, records: &[Vec<u32>], before: &[Vec<u32>]) -> Option<Failing> {
        let suspects: Vec<usize> = match batch {
            Batch::Judged(judgements) => {
                let is_suspect = |judgement: &Judgement| judgement.verdict != Verdict::Pass;
                (0..judgements.len()).filter(|place| judgements.get(*place).is_some_and(is_suspect)).collect()
            }
            Batch::Unclear => (0..records.len()).collect(),
        };
        if matches!(batch, Batch::Unclear) && self.notices_loss(recent(before, records)) {
            return None;
        }
        let mut is_known = false;
        for place in &suspects {
            let record = records.get(*place)?.clone();
            let iteration = self.made_again(&record, NAME);
            let judgement = self.confirmed(std::slice::from_ref(&iteration));
            match self.taken(judgement, iteration.fault, vec![record]) {
                Taken::Found(failing) => return Some(failing),
                Taken::Known => is_known = true,
                Taken::Nothing => {}
            }
            if self.lost.is_some() {
                return None;
            }
        }
        let failed = match batch {
            Batch::Judged(judgements) => judgements.iter().any(|judgement| judgement.verdict.is_fail()),
            Batch::Unclear => true,
        };
        if failed && !is_known { self.with_history(records, before) } else { None }
    }

    /// What fails behind others and not alone: all that went before it over the same ground.
    fn with_history(&mut self, records: &[Vec<u32>], before: &[Vec<u32>]) -> Option<Failing> {
        let records = recent(before, records);
        let iterations = self.iterations(&records);
        let judgement = self.confirmed(&iterations);
        let fault = joined(&iterations).fault;
        self.taken(judgement, fault, records).found()
    }

    fn taken(&mut self, judgement: Judgement, fault: &str, records: Vec<Vec<u32>>) -> Taken {
        let failing = Failing { records, shown: Shown::of(&judgement) };
        match judgement.verdict {
            verdict if verdict.is_fail() => {
                let is_known = self.effort.knows(self.trial, fault, &judgement);
                return if is_known { Taken::Known } else { Taken::Found(failing) };
            }
            Verdict::Loose if self.wants_loose() => self.loose = Some(failing),
            Verdict::Loose | Verdict::Pass => {}
            _ => {
                self.failures.undecided(judgement.undecided);
                self.notices_loss(failing.records);
            }
        }
        Taken::Nothing
    }

    /// Looks whether the target is gone, or hangs, behind these. Nothing can be played against it then, nor made smaller.
    fn notices_loss(&mut self, records: Vec<Vec<u32>>) -> bool {
        if self.lost.is_none() && !self.is_exact {
            self.lost = lost(self.stages).map(|cause| (cause, records));
        }
        self.lost.is_some()
    }

    fn tell_lost(&self) -> Outcome<'c> {
        let Some((cause, records)) = &self.lost else {
            return Outcome::Finished(Box::new(decided(self.trial, &self.failures, self.effort)));
        };
        let joined = joined(&self.iterations(records));
        let (script, checks) = (self.property.whole(&joined, self.trial.mode), self.property.checks(&joined));
        let read = |judge: &mut Judge<'_>| judge.all(&checks);
        let conversation = Conversation { script: &script, checks: &checks, read: &read, may_wait: false };
        let mut finished = self.trial.lost(&conversation, *cause, self.seed);
        joined.fault.clone_into(&mut finished.fault);
        Outcome::Finished(Box::new(finished))
    }

    fn iterations(&self, records: &[Vec<u32>]) -> Vec<Iteration> {
        let name = |place: usize| if records.len() == 1 { NAME.to_owned() } else { format!("m{place}") };
        records.iter().enumerate().map(|(place, record)| self.made_again(record, &name(place))).collect()
    }

    fn played_records(&mut self, records: &[Vec<u32>]) -> Judgement {
        let iterations = self.iterations(records);
        self.played(&iterations)
    }

    /// What is loose is told once, where findings are not kept.
    const fn wants_loose(&self) -> bool {
        self.loose.is_none() && self.effort.known.is_none()
    }

    /// What fails, or is loose and told, at a brief look is looked at with patience.
    fn confirmed(&mut self, iterations: &[Iteration]) -> Judgement {
        let judgement = self.played(iterations);
        let is_told = judgement.verdict != Verdict::Loose || self.wants_loose();
        if self.is_exact || !is_told || !is_found(&judgement) {
            return judgement;
        }
        let stage = self.stage();
        self.played_at(stage, iterations)
    }

    /// A brief look.
    fn played(&mut self, iterations: &[Iteration]) -> Judgement {
        let stage = self.stage().brief();
        self.played_at(stage, iterations)
    }

    fn stage(&mut self) -> Stage {
        self.plays += 1;
        (self.stages)(&format!("alone {}", self.plays))
    }

    /// Plays iterations on a ground of their own and judges all of them.
    fn played_at(&self, stage: Stage, iterations: &[Iteration]) -> Judgement {
        let joined = joined(iterations);
        let played = play(stage, &self.property.whole(&joined, self.trial.mode));
        let rows = self.trial.case.requirements();
        let are_many = 1 < iterations.len();
        let is_doubtful = |judgement: &Judgement, observation: &Observation| {
            observation.messages.values().any(|seen| match seen.reaction {
                // What came fails by itself, whatever did not.
                Reaction::Overdue => {
                    matches!(judgement.verdict, Verdict::Fail(Cause::Silent) | Verdict::Loose)
                }
                // A target may have enough of a connection.
                Reaction::Closed | Reaction::Reset => are_many,
                _ => false,
            })
        };
        let (judgement, _) = judged(played, self.is_exact, is_doubtful, |observation| {
            let mut judge = Judge::new(observation, rows, self.trial.mode, self.trial.strict);
            self.property.read(&joined, &mut judge);
            judge.judgement()
        });
        judgement
    }

    /// The smallest that fails by the same row.
    fn smallest(&mut self, failing: Failing) -> Failing {
        let budget = Budget { begun: Instant::now(), plays: self.plays + 1 + self.effort.shrink_plays };
        let kind = Kind::of(&self.played_records(&failing.records));
        let mut smallest = self.fewest(failing, &kind, &budget);
        for place in 0..smallest.records.len() {
            let record = smallest.records.get(place).cloned().unwrap_or_default();
            let mut current = self.iterations(&smallest.records);
            let mut shown = smallest.shown.clone();
            let mut still_fails = |batch: &[Vec<u32>]| {
                batch.iter().position(|candidate| {
                    let mut records = smallest.records.clone();
                    if let Some(slot) = records.get_mut(place) {
                        slot.clone_from(candidate);
                    }
                    let iterations = self.iterations(&records);
                    // Another record of the same conversation shows nothing new.
                    let is_new = iterations != current && self.keeps_fault(&current, &iterations);
                    if !is_new || !self.may_shrink(&budget) {
                        return false;
                    }
                    let judgement = self.played(&iterations);
                    let fails = Kind::of(&judgement).is_like(&kind);
                    if fails {
                        (current, shown) = (iterations, Shown::of(&judgement));
                    }
                    fails
                })
            };
            let shrunk = sipae_gen::shrink(record, usize::MAX, &mut still_fails);
            if let Some(slot) = smallest.records.get_mut(place) {
                *slot = shrunk;
            }
            smallest.shown = shown;
        }
        smallest
    }

    /// As few conversations as fail by the same row.
    fn fewest(&mut self, mut failing: Failing, kind: &Kind, budget: &Budget) -> Failing {
        while 1 < failing.records.len() {
            let next = fewer(&failing.records).into_iter().find_map(|records| {
                let judgement = self.may_shrink(budget).then(|| self.played_records(&records))?;
                let shown = Shown::of(&judgement);
                Kind::of(&judgement).is_like(kind).then_some(Failing { records, shown })
            });
            match next {
                Some(fewer) => failing = fewer,
                None => break,
            }
        }
        failing
    }

    fn may_shrink(&self, budget: &Budget) -> bool {
        budget.allows(self.plays, self.effort)
    }

    /// Where findings are kept, another fault is another finding: what is made smaller does not become that.
    fn keeps_fault(&self, one: &[Iteration], other: &[Iteration]) -> bool {
        self.effort.known.is_none() || joined(one).fault == joined(other).fault
    }

    /// The verdict of the smallest one, with everything that a report needs.
    fn tell(&self, failing: &Failing) -> Outcome<'c> {
        let joined = joined(&self.iterations(&failing.records));
        let script = self.property.whole(&joined, self.trial.mode);
        let checks = self.property.checks(&joined);
        let read = |judge: &mut Judge<'_>| judge.all(&checks);
        let conversation = Conversation { script: &script, checks: &checks, read: &read, may_wait: false };
        let outcome = self.trial.clone().hold(&conversation, self.pace, self.stages);
        let Outcome::Finished(mut finished) = outcome else { return outcome };
        if !finished.verdict.is_fail() && finished.verdict != Verdict::Loose {
            let script = self.trial.kept(&conversation, self.seed);
            *finished = failing.shown.clone().told(*finished, script);
        }
        joined.fault.clone_into(&mut finished.fault);
        Outcome::Finished(finished)
    }
}

/// What a conversation that was played alone comes to, and what was seen. Where what became of a message makes a failure
/// doubtful, as a missed answer does without a fence, a request without credential comes behind it, which a target answers
/// that has lost nothing but an association; what is doubtful still proves nothing.
pub(super) fn judged(
    mut played: Played,
    is_exact: bool,
    is_doubtful: impl Fn(&Judgement, &Observation) -> bool,
    judgement_of: impl Fn(&Observation) -> Judgement,
) -> (Judgement, Observation) {
    let misses = |observation: &Observation, judgement: &Judgement| {
        !is_exact && is_found(judgement) && is_doubtful(judgement, observation)
    };
    let mut observation = played.observe();
    let mut judgement = judgement_of(&observation);
    if misses(&observation, &judgement) {
        played.fence();
        observation = played.observe();
        judgement = judgement_of(&observation);
    }
    let ends = played.finish().wire.ends().noted();
    if ends.iter().any(|end| end.is_crash) {
        judgement.verdict = Verdict::Fail(Cause::Crash);
    }
    if misses(&observation, &judgement) {
        judgement.verdict = Verdict::Inconclusive;
        judgement.undecided = Some("an answer was missed".to_owned());
    }
    (judgement, observation)
}

/// Whether something is found that is told.
pub(super) fn is_found(judgement: &Judgement) -> bool {
    judgement.verdict.is_fail() || judgement.verdict == Verdict::Loose
}

/// What a message of an iteration that is played alone is called.
const NAME: &str = "m";
/// How many conversations before a failing one are looked at.
const HISTORY: usize = 128;

/// How something fails: by which rows, or by the end of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    rows: Vec<String>,
    is_crash: bool,
    verdict: Verdict,
}

impl Kind {
    pub(super) fn of(judgement: &Judgement) -> Self {
        Self::new(judgement.verdict, &judgement.findings)
    }

    fn new(verdict: Verdict, findings: &[Finding]) -> Self {
        let is_grave = |weight| match verdict {
            Verdict::Loose => weight == Weight::Loose,
            _ => weight == Weight::Fail,
        };
        let rows = findings.iter().filter(|finding| is_grave(finding.weight));
        Self {
            rows: rows.map(|finding| finding.requirement.clone()).collect(),
            is_crash: verdict == Verdict::Fail(Cause::Crash),
            verdict,
        }
    }

    pub(super) const fn is_crash(&self) -> bool {
        self.is_crash
    }

    /// Whether it fails by one of these rows.
    pub(super) fn is_by(&self, rows: &[&str]) -> bool {
        self.rows.iter().any(|row| rows.contains(&row.as_str()))
    }

    /// Whether this is a failure, and of the same kind.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_failure = self.verdict.is_fail() == other.verdict.is_fail()
            && (self.verdict.is_fail() || self.verdict == Verdict::Loose);
        let shares = self.rows.iter().any(|row| other.rows.contains(row));
        is_failure && self.is_crash == other.is_crash && (shares || self.is_crash)
    }
}

/// The last of these, one after the other.
fn recent(before: &[Vec<u32>], records: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let left_out = (before.len() + records.len()).saturating_sub(HISTORY);
    before.iter().chain(records).skip(left_out).cloned().collect()
}

fn joined(iterations: &[Iteration]) -> Iteration {
    let script =
        Script { steps: iterations.iter().flat_map(|one| one.script.steps.iter().cloned()).collect() };
    let checks = iterations.iter().flat_map(|one| one.checks.iter().cloned()).collect();
    // The last one fails: those before it are its history.
    Iteration { script, checks, fault: iterations.last().map_or("", |last| last.fault) }
}

/// Without a part of the conversations: halves first, single ones last.
fn fewer(records: &[Vec<u32>]) -> Vec<Vec<Vec<u32>>> {
    let mut candidates = Vec::new();
    let mut size = records.len().div_ceil(2);
    loop {
        for start in (0..records.len()).step_by(size) {
            let is_left = |place: &usize| !(start..start + size).contains(place);
            let left: Vec<Vec<u32>> =
                (0..records.len()).filter(is_left).filter_map(|place| records.get(place).cloned()).collect();
            if !left.is_empty() {
                candidates.push(left);
            }
        }
        if size == 1 {
            return candidates;
        }
        size = size.div_ceil(2);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sipae_events::{CaseId, Subject};

    use super::*;

    #[rstest]
    #[case(Verdict::Fail(Cause::Reaction), Verdict::Fail(Cause::Flaky { failed: 1, of: 2 }))]
    #[case(Verdict::Loose, Verdict::Loose)]
    fn what_does_not_show_again_is_told_as_what_it_was(#[case] shown: Verdict, #[case] told: Verdict) {
        let id = CaseId::new("3.1/any-case").expect("an id");
        let passed = CaseFinished::new(id, Subject::new("NTLM", 4), "a property", &[], Verdict::Pass);
        let shown = Shown { verdict: shown, findings: Vec::new() };
        let told_of = shown.told(passed, "its script".into());
        assert_eq!((told_of.verdict, told_of.script), (told, Some("its script".into())));
    }
}
