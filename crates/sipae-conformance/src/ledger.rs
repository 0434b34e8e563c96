//! What judges write down: checks that hold, rows that do not, and what could not be decided.

use sipae_events::{Cause, Finding, Verdict};
use sipae_spec::{Requirement, Weight};

/// Checks of one observation. Every check names its row; what a broken row means follows from the row alone.
#[derive(Debug)]
pub(crate) struct Ledger<'r> {
    requirements: &'r [&'static str],
    strict: bool,
    findings: Vec<Finding>,
    checks: usize,
    silent: bool,
    undecided: Option<String>,
}

impl<'r> Ledger<'r> {
    /// Nothing has been decided yet; only these rows can be.
    pub(crate) const fn new(requirements: &'r [&'static str], strict: bool) -> Self {
        Self { requirements, strict, findings: Vec::new(), checks: 0, silent: false, undecided: None }
    }

    /// A check held.
    pub(crate) const fn held(&mut self) {
        self.checks += 1;
    }

    /// A row of the case.
    pub(crate) fn row(&mut self, requirement: &'static str) -> Option<&'static Requirement> {
        let row = Requirement::get(requirement).filter(|_| self.requirements.contains(&requirement));
        if row.is_none() {
            self.undecide(format!("{requirement} is not a row of this case"));
        }
        row
    }

    /// A row does not hold. Where that is weak it fails nobody.
    pub(crate) fn found(&mut self, row: &Requirement, is_weak: bool, expected: String, got: String) {
        self.checks += 1;
        let weight = match row.weight(self.strict) {
            Weight::Fail if is_weak => Weight::Loose,
            weight => weight,
        };
        self.findings.push(finding(row, expected, got, weight));
    }

    /// A statement about what was seen; `Err` says what was there instead.
    pub(crate) fn check(
        &mut self,
        requirement: &'static str,
        is_weak: bool,
        expected: &str,
        holds: Result<(), String>,
    ) {
        let Some(row) = self.row(requirement) else { return };
        match holds {
            Ok(()) => self.held(),
            Err(got) => self.found(row, is_weak, expected.to_owned(), got),
        }
    }

    /// What is written down, whatever it is: the row asks for nothing more.
    pub(crate) fn record(&mut self, requirement: &'static str, what: &str, got: &str) {
        let Some(row) = self.row(requirement) else { return };
        self.checks += 1;
        self.findings.push(finding(row, what.to_owned(), got.to_owned(), Weight::Record));
    }

    /// Silence is the cause of a failure where the row that it breaks can fail.
    pub(crate) fn missed(&mut self, row: &Requirement) {
        self.silent |= row.weight(self.strict) == Weight::Fail;
    }

    /// What was seen does not decide it.
    pub(crate) fn undecide(&mut self, why: String) {
        self.undecided.get_or_insert(why);
    }

    /// The verdict, as far as the observation tells: the worst finding; without one a pass, if something was checked and
    /// nothing is open. With it the findings, and what is open.
    pub(crate) fn close(self) -> (Verdict, Vec<Finding>, Option<String>) {
        let has = |weight| self.findings.iter().any(|finding| finding.weight == weight);
        let verdict = if has(Weight::Fail) {
            Verdict::Fail(if self.silent { Cause::Silent } else { Cause::Reaction })
        } else if self.undecided.is_some() || self.checks == 0 {
            Verdict::Inconclusive
        } else if has(Weight::Loose) {
            Verdict::Loose
        } else {
            Verdict::Pass
        };
        (verdict, self.findings, self.undecided)
    }
}

fn finding(row: &Requirement, expected: String, got: String, weight: Weight) -> Finding {
    Finding {
        requirement: row.id.to_owned(),
        level: row.level,
        reconstructed: row.is_reconstructed(),
        expected,
        got,
        weight,
    }
}

/// What a statement comes to; `got` is what was there instead.
pub(crate) fn holds_if(is_so: bool, got: impl Into<String>) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(got.into()) }
}
