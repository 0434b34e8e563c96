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
        for (case, subjects) in grouped(std::mem::take(&mut self.open)) {
            self.told(&case, &subjects)?;
        }
        let totals = &run.totals;
        writeln!(self.out, "\n{} cases: {}", totals.cases.sum(), counts(totals.cases.named()))?;
        if totals.failed_requirements.sum() != 0 {
            writeln!(self.out, "failed requirements: {}", counts(totals.failed_requirements.named()))?;
        }
        writeln!(self.out, "{}", run.exit)?;
        self.out.flush()
    }

    fn told(&mut self, case: &CaseFinished, subjects: &[String]) -> io::Result<()> {
        let verdict = case.verdict.to_string().to_uppercase();
        writeln!(self.out, "\n{verdict}  {}  {}", case.case, subjects.join(", "))?;
        writeln!(self.out, "  {}", case.title)?;
        for finding in &case.findings {
            self.finding(finding)?;
        }
        if let Some(reason) = &case.reason {
            writeln!(self.out, "  reason: {}", printable(reason))?;
        }
        for message in &case.exchange {
            self.arrow(message)?;
        }
        if let Some(run) = &self.run {
            let profile = run.profile.as_ref().map(|file| format!(" --profile {}", quoted(file)));
            let arguments: String = run.arguments.iter().map(|argument| format!(" {argument}")).collect();
            let (target, profile, seed) = (quoted(&run.target), profile.unwrap_or_default(), run.seed);
            let case = &case.case;
            writeln!(
                self.out,
                "  again: sipae run --target {target}{profile}{arguments} --seed {seed} {case}"
            )?;
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

/// Cases that came out the same at several schemes and versions are told once, with what the first of them saw.
fn grouped(cases: Vec<CaseFinished>) -> Vec<(CaseFinished, Vec<String>)> {
    let mut groups: Vec<(CaseFinished, Vec<String>)> = Vec::new();
    for case in cases {
        let subject = case.subject.to_string();
        let same = |(first, _): &&mut (CaseFinished, Vec<String>)| {
            let key = |case: &CaseFinished| (case.verdict, case.findings.clone(), case.reason.clone());
            first.case == case.case && key(first) == key(&case)
        };
        match groups.iter_mut().find(same) {
            Some((_, subjects)) => subjects.push(subject),
            None => groups.push((case, vec![subject])),
        }
    }
    groups
}

/// Peers choose much of what is shown: no control characters, and not too long.
fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let shown: String =
        text.chars().take(LONGEST).map(|shown| if shown.is_control() { '\u{FFFD}' } else { shown }).collect();
    if text.chars().nth(LONGEST).is_some() { format!("{shown}…") } else { shown }
}

/// A word as a POSIX shell reads it, for commands that are meant to be copied.
fn quoted(word: &str) -> String {
    let is_plain = |shown: char| shown.is_alphanumeric() || "/._-:@%+,=".contains(shown);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", printable(word).replace('\'', r"'\''"))
    }
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

#[cfg(test)]
mod tests {
    use sipae_events::{CaseId, Cause, ExitCode, Tally};
    use sipae_spec::{Level, Role, Weight};

    use super::*;

    fn subject(version: u32) -> Subject {
        Subject { scheme: "NTLM".to_owned(), version }
    }

    fn gate(version: u32, outcome: GateOutcome, reason: Option<&str>) -> Event {
        let (offered, reason) = (vec!["NTLM".to_owned()], reason.map(str::to_owned));
        Event::GateFinished(GateFinished {
            subject: subject(version),
            outcome,
            offered,
            reason,
            exchange: Vec::new(),
        })
    }

    fn case(version: u32, verdict: Verdict, got: Option<&str>) -> Event {
        let finding = |got: &str| Finding {
            requirement: "SIPAE-3.3.5.1-03".to_owned(),
            level: Level::Must,
            reconstructed: false,
            expected: "ack: drop".to_owned(),
            got: got.to_owned(),
            weight: Weight::Fail,
        };
        Event::CaseFinished(CaseFinished {
            case: CaseId::new("3.3.5.1/bare-ack").unwrap(),
            subject: subject(version),
            title: "a bare ACK is dropped".to_owned(),
            requirements: vec!["SIPAE-3.3.5.1-03".to_owned()],
            verdict,
            findings: got.map(finding).into_iter().collect(),
            reason: None,
            exchange: vec![Exchanged::new(Direction::Sent, 1, "ACK", b"ACK sip:a@x SIP/2.0\r\nVia: x\r\n")],
            exchange_left_out: 0,
        })
    }

    fn report(middle: Vec<Event>) -> String {
        let mut events = vec![Event::RunStarted(RunStarted {
            program: "sipae".to_owned(),
            version: "0.1.0".to_owned(),
            seed: 7,
            target: "tcp://127.0.0.1:5060".to_owned(),
            profile: Some("p.toml".to_owned()),
            arguments: vec!["--strict".to_owned()],
            role: Role::Server,
        })];
        events.extend(middle);
        let tally: Tally = events.iter().collect();
        events.push(Event::RunFinished(RunFinished {
            totals: tally.totals(),
            exit: ExitCode::from_events(&events),
        }));
        let mut out = Vec::new();
        let mut console = Console::new(&mut out);
        for event in &events {
            console.event(event).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failure_at_two_versions_is_told_once_with_the_command_that_repeats_it() {
        let fail = Verdict::Fail(Cause::Reaction);
        insta::assert_snapshot!(report(vec![
            gate(3, GateOutcome::Open, None),
            case(3, fail, Some("401 with a fresh challenge")),
            gate(4, GateOutcome::Open, None),
            case(4, fail, Some("401 with a fresh challenge")),
        ]));
    }

    #[test]
    fn a_closed_gate_is_one_line_and_its_reason_is_not_repeated() {
        let reason = Some("cannot connect to 127.0.0.1:5060: Connection refused");
        insta::assert_snapshot!(report(vec![
            gate(3, GateOutcome::Failed, reason),
            case(3, Verdict::Blocked, None),
            gate(4, GateOutcome::Failed, reason),
            case(4, Verdict::Blocked, None),
        ]));
    }

    #[test]
    fn a_word_that_a_shell_would_split_or_expand_is_quoted() {
        for plain in ["p.toml", "../my-server.toml", "tcp://server.contoso.com:5060"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my server.toml"), "'my server.toml'");
        assert_eq!(quoted("tcp://[::1]:5060"), "'tcp://[::1]:5060'");
        assert_eq!(quoted("it's $HOME.toml"), r"'it'\''s $HOME.toml'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn what_a_peer_wrote_moves_no_cursor() {
        let told = report(vec![
            gate(4, GateOutcome::Open, None),
            case(4, Verdict::Fail(Cause::Reaction), Some("\u{1b}[2J\r\nFAKE")),
        ]);
        assert!(!told.contains('\u{1b}') && !told.contains('\r'), "{told}");
    }
}
