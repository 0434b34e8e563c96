//! What a run says of each requirement, summed by level.

use std::collections::BTreeMap;

use sipae_events::{CaseFinished, Verdict};
use sipae_spec::{Level, Requirement, Weight};

/// What came out for a requirement; of several cases and subjects the worst, which stands last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    /// Nothing was sent for it.
    NotRun,
    Passed,
    /// A case ran, and nothing that could be seen decides it.
    Inconclusive,
    Loose,
    Failed,
}

/// The requirements of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LevelLine {
    pub(crate) passed: u32,
    pub(crate) loose: u32,
    pub(crate) failed: u32,
    /// Cases name it, and none of them ran to a decision about it.
    pub(crate) not_decided: u32,
}

impl LevelLine {
    /// How many were decided.
    pub(crate) const fn tested(self) -> u32 {
        self.passed + self.loose + self.failed
    }

    fn add(&mut self, status: Status) {
        let count = match status {
            Status::NotRun | Status::Inconclusive => &mut self.not_decided,
            Status::Passed => &mut self.passed,
            Status::Loose => &mut self.loose,
            Status::Failed => &mut self.failed,
        };
        *count += 1;
    }
}

/// A fold over finished cases.
#[derive(Debug, Default)]
pub(crate) struct Levels(BTreeMap<String, (Level, Status)>);

impl Levels {
    /// Takes a case into account.
    pub(crate) fn add(&mut self, case: &CaseFinished) {
        let found = case.findings.iter().map(|finding| (&finding.requirement, Some(finding.level)));
        let named = case.requirements.iter().map(|id| (id, None));
        for (id, level) in named.chain(found) {
            let level = level.or_else(|| Requirement::get(id).map(|row| row.level));
            // A row that neither the catalogue nor a finding knows has no level to be counted under.
            let Some(level) = level else { continue };
            let status = status(case, id);
            let (_, known) = self.0.entry(id.clone()).or_insert((level, status));
            *known = status.max(*known);
        }
    }

    /// The levels that a requirement of the run has, in the order of the enumeration.
    pub(crate) fn lines(&self) -> Vec<(Level, LevelLine)> {
        let line = |level: Level| {
            let mut line = LevelLine::default();
            let statuses = self.0.values().filter(|(known, _)| *known == level);
            statuses.for_each(|(_, status)| line.add(*status));
            (level, line)
        };
        let lines = Level::ALL.iter().copied().map(line);
        lines.filter(|(_, line)| *line != LevelLine::default()).collect()
    }
}

fn status(case: &CaseFinished, id: &str) -> Status {
    let weights =
        case.findings.iter().filter(|finding| finding.requirement == id).map(|finding| finding.weight);
    // A breakdown of the target says nothing of the rows that nothing was found about.
    let broke_down = case.findings.is_empty() && case.verdict.is_fail();
    match (weights.min(), case.verdict) {
        (_, Verdict::Blocked | Verdict::Unsupported | Verdict::Cancelled) => Status::NotRun,
        (Some(Weight::Fail), _) => Status::Failed,
        (Some(Weight::Loose), _) => Status::Loose,
        (_, Verdict::Inconclusive) => Status::Inconclusive,
        _ if broke_down => Status::Inconclusive,
        _ => Status::Passed,
    }
}

#[cfg(test)]
mod tests {
    use sipae_events::{Cause, Finding};

    use super::*;
    use crate::sample::{self, FAIL, MUST};

    fn must(cases: &[CaseFinished]) -> LevelLine {
        let mut levels = Levels::default();
        cases.iter().for_each(|case| levels.add(case));
        levels.lines().first().expect("a line").1
    }

    fn case(verdict: Verdict, weight: Option<Weight>) -> CaseFinished {
        let findings = weight.map(|weight| Finding { weight, ..sample::finding(MUST, "got") });
        CaseFinished { findings: findings.into_iter().collect(), ..sample::case(4, verdict) }
    }

    #[test]
    fn a_requirement_counts_once_and_by_its_worst() {
        let pass = case(Verdict::Pass, None);
        let one = LevelLine::default();
        assert_eq!(must(std::slice::from_ref(&pass)), LevelLine { passed: 1, ..one });
        let loose = case(Verdict::Loose, Some(Weight::Loose));
        assert_eq!(must(&[pass.clone(), loose.clone()]), LevelLine { loose: 1, ..one });
        let fail = case(FAIL, Some(Weight::Fail));
        assert_eq!(must(&[fail, loose, pass.clone()]), LevelLine { failed: 1, ..one });
        let open = case(Verdict::Inconclusive, None);
        assert_eq!(must(&[pass.clone(), open]), LevelLine { not_decided: 1, ..one });
        let blocked = case(Verdict::Blocked, None);
        assert_eq!(must(&[blocked.clone(), pass]), LevelLine { passed: 1, ..one });
        assert_eq!(must(&[blocked]), LevelLine { not_decided: 1, ..one });
    }

    #[test]
    fn a_crash_decides_no_requirement_that_nothing_was_found_about() {
        let crash = case(Verdict::Fail(Cause::Crash), None);
        assert_eq!(must(&[crash]), LevelLine { not_decided: 1, ..LevelLine::default() });
    }
}
