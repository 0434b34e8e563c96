//! Lines for a reader: what was offered, each failure with what went over the wire, the totals last.

use std::collections::BTreeMap;
use std::io::{self, Write};

use sipae_events::{
    CaseFinished, Direction, Event, Exchanged, Finding, GateFinished, GateOutcome, RunFinished, RunStarted,
    Subject, Verdict,
};

use crate::Writer;

/// Writes the summary of a run for a terminal or a log: plain text, no cursor movements.
#[derive(Debug)]
pub struct Console<W> {
    out: W,
    run: Option<RunStarted>,
    counts: BTreeMap<&'static str, u32>,
    current: Option<Subject>,
    last_reason: Option<String>,
    open: Vec<CaseFinished>,
}

impl<W: Write> Console<W> {
    /// A report to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, run: None, counts: BTreeMap::new(), current: None, last_reason: None, open: Vec::new() }
    }

    fn started(&mut self, run: &RunStarted) -> io::Result<()> {
        self.run = Some(run.clone());
        writeln!(self.out, "{} {}, target {}, seed {}", run.program, run.version, run.target, run.seed)
    }

    fn gate(&mut self, gate: &GateFinished) -> io::Result<()> {
        self.subject_ends()?;
        self.current = Some(gate.subject.clone());
        let outcome = match gate.outcome {
            GateOutcome::Open => "open",
            GateOutcome::Failed => "closed",
            GateOutcome::Unsupported => "not offered",
        };
        let reason = match &gate.reason {
            None => String::new(),
            Some(reason) if self.last_reason.as_ref() == Some(reason) => ", as above".to_owned(),
            Some(reason) => format!(": {}", printable(reason)),
        };
        self.last_reason.clone_from(&gate.reason);
        writeln!(self.out, "{}  gate {outcome}{reason}", gate.subject)
    }

    fn finished(&mut self, case: &CaseFinished) {
        *self.counts.entry(case.verdict.name()).or_default() += 1;
        let is_told =
            !case.findings.is_empty() || matches!(case.verdict, Verdict::Fail(_) | Verdict::Inconclusive);
        if is_told {
            self.open.push(case.clone());
        }
    }

    /// The counts of the scheme and version that is over.
    fn subject_ends(&mut self) -> io::Result<()> {
        let counts = std::mem::take(&mut self.counts);
        if let Some(subject) = self.current.take() {
            let counts: Vec<String> =
                counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
            writeln!(self.out, "{subject}  {}", counts.join(", "))?;
        }
        Ok(())
    }

    fn run_ends(&mut self, run: &RunFinished) -> io::Result<()> {
        self.subject_ends()?;
        for case in std::mem::take(&mut self.open) {
            self.told(&case)?;
        }
        let totals = &run.totals;
        writeln!(self.out, "\n{} cases: {}", totals.cases.sum(), counts(totals.cases.named()))?;
        if totals.failed_requirements.sum() != 0 {
            writeln!(self.out, "failed requirements: {}", counts(totals.failed_requirements.named()))?;
        }
        writeln!(self.out, "{}", run.exit)?;
        self.out.flush()
    }

    fn told(&mut self, case: &CaseFinished) -> io::Result<()> {
        writeln!(self.out, "\n{}  {}  {}", case.verdict.to_string().to_uppercase(), case.case, case.subject)?;
        writeln!(self.out, "  {}", case.title)?;
        for finding in &case.findings {
            self.finding(finding)?;
        }
        if let Some(undecided) = &case.undecided {
            writeln!(self.out, "  undecided: {undecided}")?;
        }
        for message in &case.exchange {
            self.arrow(message)?;
        }
        if let Some(run) = &self.run {
            let (target, seed) = (&run.target, run.seed);
            writeln!(self.out, "  again: sipae run --target {target} --seed {seed} {}", case.case)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let Finding { requirement, level, expected, got, .. } = finding;
        let reconstructed = if finding.reconstructed { ", reconstructed" } else { "" };
        writeln!(self.out, "  {requirement} ({level}{reconstructed})")?;
        writeln!(self.out, "    expected  {}", printable(expected))?;
        writeln!(self.out, "    got       {}", printable(got))
    }

    fn arrow(&mut self, message: &Exchanged) -> io::Result<()> {
        let arrow = match message.direction {
            Direction::Sent => "->",
            Direction::Received => "<-",
        };
        let line = message.octets.lines().next().unwrap_or_default();
        writeln!(self.out, "    {} {arrow} {}", message.connection, printable(line))
    }
}

/// Peers choose much of what is shown: no control characters, and not too long.
fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let shown: String =
        text.chars().take(LONGEST).map(|shown| if shown.is_control() { '\u{FFFD}' } else { shown }).collect();
    if text.chars().nth(LONGEST).is_some() { format!("{shown}…") } else { shown }
}

fn counts(counts: impl Iterator<Item = (&'static str, u32)>) -> String {
    let present: Vec<String> =
        counts.filter(|(_, count)| *count != 0).map(|(name, count)| format!("{count} {name}")).collect();
    if present.is_empty() { "none".to_owned() } else { present.join(", ") }
}

impl<W: Write> Writer for Console<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted(run) => self.started(run),
            Event::GateFinished(gate) => self.gate(gate),
            Event::CaseFinished(case) => {
                self.finished(case);
                Ok(())
            }
            Event::RunFinished(run) => self.run_ends(run),
            Event::CaseStarted(_) => Ok(()),
        }
    }
}
