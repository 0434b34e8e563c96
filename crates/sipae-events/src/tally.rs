//! Counts over a stream of events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sipae_spec::{Level, Weight};

use crate::event::{CaseFinished, Event, Finding, GateOutcome};
use crate::exit::ExitCode;
use crate::verdict::{Cause, Verdict};

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Totals {
    /// Cases by verdict; a case counts once for each scheme and version that it ran with.
    pub cases: VerdictCounts,
    /// Requirements that failed by level; a requirement counts once, however many cases it failed in.
    pub failed_requirements: LevelCounts,
}

/// One count per verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the verdict of its name")]
pub struct VerdictCounts {
    pub pass: u32,
    pub loose: u32,
    pub fail: u32,
    pub inconclusive: u32,
    pub blocked: u32,
    pub unsupported: u32,
    pub cancelled: u32,
}

/// One count per level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each field is the level of its name")]
pub struct LevelCounts {
    pub must: u32,
    pub must_not: u32,
    pub should: u32,
    pub should_not: u32,
    pub may: u32,
}

impl Totals {
    /// The counts of a stream of events.
    #[must_use]
    pub fn from_events<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        events.into_iter().collect::<Tally>().totals()
    }
}

impl VerdictCounts {
    /// How many cases there are.
    #[must_use]
    pub const fn sum(&self) -> u32 {
        self.decided() + self.inconclusive + self.blocked + self.unsupported + self.cancelled
    }

    /// How many cases ran and say something about the target.
    #[must_use]
    pub const fn decided(&self) -> u32 {
        self.pass + self.loose + self.fail
    }

    /// Name and count of each verdict, in the order of the enumeration.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u32)> {
        [
            ("pass", self.pass),
            ("loose", self.loose),
            ("fail", self.fail),
            ("inconclusive", self.inconclusive),
            ("blocked", self.blocked),
            ("unsupported", self.unsupported),
            ("cancelled", self.cancelled),
        ]
        .into_iter()
    }

    /// Counts one more case.
    pub fn add(&mut self, verdict: Verdict) {
        *self.of(verdict) += 1;
    }

    fn of(&mut self, verdict: Verdict) -> &mut u32 {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Loose => &mut self.loose,
            Verdict::Fail(_) => &mut self.fail,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Blocked => &mut self.blocked,
            Verdict::Unsupported => &mut self.unsupported,
            Verdict::Cancelled => &mut self.cancelled,
        }
    }
}

impl LevelCounts {
    /// How many requirements there are.
    #[must_use]
    pub const fn sum(&self) -> u32 {
        self.must + self.must_not + self.should + self.should_not + self.may
    }

    /// Name and count of each level, in the order of the enumeration.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u32)> {
        [
            (Level::Must.name(), self.must),
            (Level::MustNot.name(), self.must_not),
            (Level::Should.name(), self.should),
            (Level::ShouldNot.name(), self.should_not),
            (Level::May.name(), self.may),
        ]
        .into_iter()
    }

    fn of(&mut self, level: Level) -> &mut u32 {
        match level {
            Level::Must => &mut self.must,
            Level::MustNot => &mut self.must_not,
            Level::Should => &mut self.should,
            Level::ShouldNot => &mut self.should_not,
            Level::May => &mut self.may,
        }
    }
}

/// A fold over events: what the totals and the exit code follow from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    cases: VerdictCounts,
    failed: BTreeMap<String, Level>,
    gate_failed: bool,
    crashed: bool,
    stated: Option<ExitCode>,
}

impl Tally {
    /// Takes one event into account.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::RunStarted(_) | Event::CaseStarted(_) => {}
            Event::GateFinished(gate) => self.gate_failed |= gate.outcome == GateOutcome::Failed,
            Event::CaseFinished(case) => self.add_case(case),
            Event::RunFinished(run) => self.stated = Some(run.exit),
        }
    }

    fn add_case(&mut self, case: &CaseFinished) {
        self.cases.add(case.verdict);
        self.crashed |= case.verdict == Verdict::Fail(Cause::Crash);
        if case.verdict.is_fail() {
            let failed = case.findings.iter().filter(|finding| finding.weight == Weight::Fail);
            self.failed
                .extend(failed.map(|Finding { requirement, level, .. }| (requirement.clone(), *level)));
        }
    }

    /// The counts so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut failed_requirements = LevelCounts::default();
        for level in self.failed.values() {
            *failed_requirements.of(*level) += 1;
        }
        Totals { cases: self.cases, failed_requirements }
    }

    /// The exit code so far, by the precedence of [`ExitCode`].
    ///
    /// A stream cannot know of wrong usage or of a list of expected failures; an internal error it knows if
    /// its last event states it. The caller adds those with [`ExitCode::or`].
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        let found = [
            (self.crashed, ExitCode::Crash),
            (self.gate_failed, ExitCode::Blocked),
            (self.cases.decided() == 0, ExitCode::NothingRan),
            (self.cases.fail > 0, ExitCode::Failed),
        ];
        let stated = self.stated.unwrap_or(ExitCode::Passed);
        found.into_iter().filter(|(holds, _)| *holds).fold(stated, |worst, (_, exit)| worst.or(exit))
    }
}

impl<'a> FromIterator<&'a Event> for Tally {
    fn from_iter<I: IntoIterator<Item = &'a Event>>(events: I) -> Self {
        let mut tally = Self::default();
        events.into_iter().for_each(|event| tally.add(event));
        tally
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::case::{CaseId, Subject};
    use crate::event::{GateFinished, RunFinished};

    const FAIL: Verdict = Verdict::Fail(Cause::Reaction);
    const CRASH: Verdict = Verdict::Fail(Cause::Crash);
    const FLAKY: Verdict = Verdict::Fail(Cause::Flaky { failed: 1, of: 3 });

    fn subject() -> Subject {
        Subject::new("NTLM", 4)
    }

    fn gate(outcome: GateOutcome) -> Event {
        Event::GateFinished(GateFinished {
            subject: subject(),
            outcome,
            offered: Vec::new(),
            reason: None,
            notes: Vec::new(),
            exchange: Vec::new(),
        })
    }

    fn case(verdict: Verdict, findings: Vec<Finding>) -> Event {
        Event::CaseFinished(CaseFinished {
            case: CaseId::new("3.3.5.1/bare-ack").unwrap(),
            subject: subject(),
            title: String::new(),
            requirements: Vec::new(),
            verdict,
            findings,
            reason: None,
            exchange: Vec::new(),
            exchange_left_out: 0,
            signatures: Vec::new(),
            generated: 0,
            fault: String::new(),
            script: None,
        })
    }

    fn finding(requirement: &str, level: Level, weight: Weight) -> Finding {
        Finding {
            requirement: requirement.into(),
            level,
            reconstructed: false,
            expected: String::new(),
            got: String::new(),
            weight,
        }
    }

    #[rstest]
    #[case::nothing_at_all(None, &[], ExitCode::NothingRan)]
    #[case::only_an_open_gate(Some(GateOutcome::Open), &[], ExitCode::NothingRan)]
    #[case::only_unsupported(None, &[Verdict::Unsupported, Verdict::Cancelled], ExitCode::NothingRan)]
    #[case::only_blocked_by_a_resource(None, &[Verdict::Blocked], ExitCode::NothingRan)]
    #[case::only_inconclusive(None, &[Verdict::Inconclusive], ExitCode::NothingRan)]
    #[case::passed(Some(GateOutcome::Open), &[Verdict::Pass], ExitCode::Passed)]
    #[case::loose(None, &[Verdict::Loose, Verdict::Inconclusive, Verdict::Unsupported], ExitCode::Passed)]
    #[case::some_blocked_by_a_resource(None, &[Verdict::Pass, Verdict::Blocked], ExitCode::Passed)]
    #[case::another_gate_unsupported(Some(GateOutcome::Unsupported), &[Verdict::Pass], ExitCode::Passed)]
    #[case::another_gate_untested(Some(GateOutcome::Untested), &[Verdict::Pass], ExitCode::Passed)]
    #[case::failed(None, &[Verdict::Pass, FAIL], ExitCode::Failed)]
    #[case::flaky(None, &[Verdict::Pass, FLAKY], ExitCode::Failed)]
    #[case::silent(None, &[Verdict::Fail(Cause::Silent)], ExitCode::Failed)]
    #[case::gate_before_nothing_ran(Some(GateOutcome::Failed), &[Verdict::Blocked], ExitCode::Blocked)]
    #[case::gate_before_failed(Some(GateOutcome::Failed), &[FAIL], ExitCode::Blocked)]
    #[case::crash_before_gate(Some(GateOutcome::Failed), &[FAIL, CRASH], ExitCode::Crash)]
    fn the_exit_code_follows_from_the_events(
        #[case] outcome: Option<GateOutcome>,
        #[case] verdicts: &[Verdict],
        #[case] exit: ExitCode,
    ) {
        let cases = verdicts.iter().map(|verdict| case(*verdict, Vec::new()));
        let events: Vec<_> = outcome.map(gate).into_iter().chain(cases).collect();
        assert_eq!(ExitCode::from_events(&events), exit);
    }

    #[rstest]
    #[case(ExitCode::Internal, FAIL, ExitCode::Internal)]
    #[case(ExitCode::Passed, FAIL, ExitCode::Failed)]
    #[case(ExitCode::Stale, Verdict::Pass, ExitCode::Stale)]
    fn what_the_last_event_states_counts_where_it_takes_precedence(
        #[case] stated: ExitCode,
        #[case] verdict: Verdict,
        #[case] exit: ExitCode,
    ) {
        let last = Event::RunFinished(RunFinished { totals: Totals::default(), exit: stated });
        assert_eq!(ExitCode::from_events(&[case(verdict, Vec::new()), last]), exit);
    }

    #[test]
    fn each_verdict_is_counted_on_its_own() {
        let verdicts = [
            Verdict::Pass,
            Verdict::Loose,
            FAIL,
            FLAKY,
            Verdict::Inconclusive,
            Verdict::Blocked,
            Verdict::Unsupported,
            Verdict::Cancelled,
        ];
        let events = verdicts.map(|verdict| case(verdict, Vec::new()));
        let counts = Totals::from_events(&events).cases;
        let one_each = VerdictCounts {
            pass: 1,
            loose: 1,
            fail: 2,
            inconclusive: 1,
            blocked: 1,
            unsupported: 1,
            cancelled: 1,
        };
        assert_eq!(counts, one_each);
        assert_eq!((counts.sum(), counts.decided()), (8, 4));
    }

    #[test]
    fn a_requirement_that_fails_in_two_cases_counts_once_and_a_loose_one_not_at_all() {
        let events = [
            case(FAIL, vec![finding("A-1", Level::Must, Weight::Fail)]),
            case(
                FAIL,
                vec![
                    finding("A-1", Level::Must, Weight::Fail),
                    finding("A-2", Level::Should, Weight::Loose),
                    finding("A-3", Level::MustNot, Weight::Fail),
                ],
            ),
            case(Verdict::Loose, vec![finding("A-4", Level::Should, Weight::Loose)]),
        ];
        let failed = Totals::from_events(&events).failed_requirements;
        assert_eq!(failed, LevelCounts { must: 1, must_not: 1, ..LevelCounts::default() });
        assert_eq!(failed.sum(), 2);
    }
}
