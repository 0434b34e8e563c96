//! Lines for a reader: what was offered while the run goes on; then each requirement level, each failure with what went
//! over the wire, remarks, and the totals last.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use sipae_events::{
    CaseFinished, Event, Finding, GateFinished, GateOutcome, RunFinished, RunStarted, SignatureSeen, Subject,
    Verdict,
};
use sipae_spec::{Requirement, Role};

use crate::Writer;
use crate::bundle::Bundles;
use crate::command;
use crate::expected::Comparison;
use crate::ladder::{ladder, told_lines, told_messages};
use crate::levels::Levels;
use crate::palette::Palette;
use crate::text::{counts, first_sentence, printable, visible, wrapped};

/// Reasons why cases were not run that are told at most.
const REASONS: usize = 12;

/// Writes a run for a terminal or a log: lines only, no cursor movements.
#[derive(Debug)]
pub struct Console<W> {
    out: W,
    palette: Palette,
    is_verbose: bool,
    run: Option<RunStarted>,
    counts: BTreeMap<&'static str, u32>,
    /// Conversations that were generated.
    generated: u64,
    current: Option<Subject>,
    last_reason: Option<String>,
    levels: Levels,
    open: Vec<CaseFinished>,
    /// Why cases were not run, and how many.
    not_run: BTreeMap<(&'static str, String), u32>,
    comparison: Option<Comparison>,
    /// Where the bundles of failures are listed.
    bundles: Option<PathBuf>,
    has_loose_bundles: bool,
}

impl<W: Write> Console<W> {
    /// A plain and short report to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            palette: Palette::default(),
            is_verbose: false,
            run: None,
            counts: BTreeMap::new(),
            generated: 0,
            current: None,
            last_reason: None,
            levels: Levels::default(),
            open: Vec::new(),
            not_run: BTreeMap::new(),
            comparison: None,
            bundles: None,
            has_loose_bundles: false,
        }
    }

    /// Whether `out` shows colours.
    #[must_use]
    pub fn coloured(self, is_coloured: bool) -> Self {
        Self { palette: Palette::new(is_coloured), ..self }
    }

    /// Whether remarks are told like failures, and long ladders as a whole.
    #[must_use]
    pub fn verbose(self, is_verbose: bool) -> Self {
        Self { is_verbose, ..self }
    }

    /// Compares the run with a list of failures that are expected: those are told in short, and the last line says how
    /// the run ends with the list.
    #[must_use]
    pub fn expecting(self, comparison: Comparison) -> Self {
        Self { comparison: Some(comparison), ..self }
    }

    /// Says at the end where these bundles are, if there are any.
    #[must_use]
    pub fn bundled(self, bundles: &Bundles) -> Self {
        Self { bundles: Some(bundles.index()), has_loose_bundles: bundles.wants(Verdict::Loose), ..self }
    }

    fn started(&mut self, run: &RunStarted) -> io::Result<()> {
        self.run = Some(run.clone());
        let RunStarted { program, version, target, seed, .. } = run;
        writeln!(self.out, "{program} {version}, target {}, seed {seed}", printable(target))?;
        run.notes.iter().try_for_each(|note| writeln!(self.out, "  {}", printable(note)))
    }

    fn gate(&mut self, gate: &GateFinished) -> io::Result<()> {
        self.subject_ends()?;
        self.current = Some(gate.subject.clone());
        let outcome = match gate.outcome {
            GateOutcome::Open => "open",
            GateOutcome::Failed => "closed",
            GateOutcome::Unsupported => "not offered",
            GateOutcome::Untested => "not tested",
        };
        let reason = match &gate.reason {
            None => String::new(),
            Some(reason) if self.last_reason.as_ref() == Some(reason) => ", as above".to_owned(),
            Some(reason) => format!(": {}", printable(reason)),
        };
        self.last_reason.clone_from(&gate.reason);
        let notes: Vec<String> = gate.notes.iter().map(|note| printable(note)).collect();
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        writeln!(self.out, "{}  gate {outcome}{reason}{notes}", gate.subject)?;
        let lines = told_lines(&gate.exchange, self.is_verbose);
        lines.iter().try_for_each(|line| writeln!(self.out, "  {line}"))
    }

    fn finished(&mut self, case: &CaseFinished) {
        *self.counts.entry(case.verdict.name()).or_default() += 1;
        self.generated += case.generated;
        self.levels.add(case);
        if matches!(case.verdict, Verdict::Blocked | Verdict::Unsupported) {
            let reason = case.reason.clone().unwrap_or_default();
            *self.not_run.entry((case.verdict.name(), reason)).or_default() += 1;
        }
        let is_told = !case.findings.is_empty()
            || matches!(case.verdict, Verdict::Fail(_) | Verdict::Loose | Verdict::Inconclusive);
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
            let counts = if counts.is_empty() { "no case".to_owned() } else { counts.join(", ") };
            writeln!(self.out, "{subject}  {counts}")?;
        }
        Ok(())
    }

    fn run_ends(&mut self, run: &RunFinished) -> io::Result<()> {
        self.subject_ends()?;
        if self.generated != 0 {
            writeln!(self.out, "{} conversations were generated", self.generated)?;
        }
        self.levels()?;
        let (failed, mut remarks): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.open).into_iter().partition(|case| case.verdict.is_fail());
        remarks.sort_by_key(|case| rank(case.verdict));
        let (expected, failed): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|case| self.excuse(case).is_some());
        for group in grouped(failed) {
            self.told(&group)?;
        }
        self.expected(&grouped(expected))?;
        self.remarks(&grouped(remarks))?;
        self.not_run()?;
        let cases = &run.totals.cases;
        let noun = if cases.sum() == 1 { "case" } else { "cases" };
        let total = format!("{} {noun}: {}", cases.sum(), counts(cases.named()));
        writeln!(self.out, "\n{}", self.palette.strong(total))?;
        if let Some(comparison) = &self.comparison {
            writeln!(self.out, "expected failures: {}", comparison.counts())?;
        }
        let has_bundles = cases.fail != 0 || self.has_loose_bundles && cases.loose != 0;
        if let Some(index) = self.bundles.iter().find(|_| has_bundles) {
            writeln!(self.out, "failures are in {}", printable(&index.display().to_string()))?;
        }
        writeln!(self.out, "{}", self.comparison.as_ref().map_or(run.exit, Comparison::exit))?;
        self.out.flush()
    }

    /// Why cases were blocked, unless a gate has said it; with `--verbose` why they are unsupported, too.
    fn not_run(&mut self) -> io::Result<()> {
        let is_told = |(verdict, reason): &(&'static str, String)| {
            let is_known = reason.is_empty() || self.last_reason.as_ref() == Some(reason);
            !is_known && (*verdict == Verdict::Blocked.name() || self.is_verbose)
        };
        let told: Vec<_> = self.not_run.iter().filter(|(key, _)| is_told(key)).collect();
        let more = told.len().saturating_sub(REASONS);
        for (place, ((verdict, reason), count)) in told.into_iter().take(REASONS).enumerate() {
            let gap = if place == 0 { "\n" } else { "" };
            let noun = if *count == 1 { "case" } else { "cases" };
            writeln!(self.out, "{gap}{}  {count} {noun}: {}", verdict.to_uppercase(), printable(reason))?;
        }
        if more == 0 { Ok(()) } else { writeln!(self.out, "and {more} more reasons, in the events (--json)") }
    }

    fn excuse(&self, case: &CaseFinished) -> Option<String> {
        self.comparison.as_ref()?.list().excuse(case).map(ToString::to_string)
    }

    /// A line for each failure that was expected, with its reason, and for each entry that is not as it says.
    fn expected(&mut self, groups: &[Group]) -> io::Result<()> {
        let mut lines = Vec::new();
        for group in groups {
            let reason = self.excuse(&group.case).unwrap_or_default();
            lines.push(format!("EXPECTED  {}  {}", self.heading(group), printable(&reason)));
        }
        let comparison = self.comparison.iter();
        lines.extend(
            comparison.flat_map(Comparison::disagreements).map(|entry| printable(&entry.to_string())),
        );
        if !lines.is_empty() {
            writeln!(self.out)?;
        }
        lines.iter().try_for_each(|line| writeln!(self.out, "{line}"))
    }

    /// How many requirements were tested, by level.
    fn levels(&mut self) -> io::Result<()> {
        let lines = self.levels.lines();
        if lines.is_empty() {
            return Ok(());
        }
        let head = format!(
            "{:<13}{:>8}{:>8}{:>8}{:>8}{:>13}",
            "requirements", "tested", "passed", "loose", "failed", "not decided"
        );
        writeln!(self.out, "\n{}", self.palette.strong(head))?;
        for (level, line) in lines {
            let [tested, passed, loose, failed, open] =
                [line.tested(), line.passed, line.loose, line.failed, line.not_decided];
            writeln!(self.out, "{level:<13}{tested:>8}{passed:>8}{loose:>8}{failed:>8}{open:>13}")?;
        }
        Ok(())
    }

    /// A case with everything that is known about it.
    fn told(&mut self, group: &Group) -> io::Result<()> {
        let case = &group.case;
        writeln!(self.out, "\n{}", self.heading(group))?;
        writeln!(self.out, "{}", wrapped("  ", 2, &case.title))?;
        let mut last: Option<&Finding> = None;
        for finding in &case.findings {
            self.finding(finding, last)?;
            last = Some(finding);
        }
        if case.generated != 0 {
            let after = format!("after {} generated conversations", case.generated);
            match case.exchange.is_empty() {
                true => writeln!(self.out, "  seen {after}")?,
                false => writeln!(self.out, "  the smallest that was found, {after}:")?,
            }
        }
        if let Some(reason) = &case.reason {
            writeln!(self.out, "{}", wrapped("  reason: ", 4, &printable(reason)))?;
        }
        let messages = told_messages(&case.exchange);
        for line in ladder(&messages, case.exchange_left_out, self.is_verbose) {
            writeln!(self.out, "    {}", self.palette.faint(line))?;
        }
        for line in told_lines(&case.exchange, self.is_verbose) {
            writeln!(self.out, "  {line}")?;
        }
        self.signatures(&case.signatures)?;
        self.again(case)
    }

    fn heading(&self, group: &Group) -> String {
        let case = &group.case;
        // A case that passes is told only for what is recorded about it.
        let word = match case.verdict {
            Verdict::Pass => "RECORDED".to_owned(),
            other => other.to_string().to_uppercase(),
        };
        let verdict = self.palette.verdict(case.verdict, word);
        format!("{verdict}  {}  {}", self.palette.strong(&case.case), listed(&group.subjects))
    }

    fn finding(&mut self, finding: &Finding, last: Option<&Finding>) -> io::Result<()> {
        let requirement = &finding.requirement;
        if last.is_none_or(|last| last.requirement != *requirement) {
            writeln!(self.out, "  {requirement} ({})", level(finding))?;
            if let Some(row) = Requirement::get(requirement) {
                writeln!(self.out, "{}", wrapped("    rule      ", 14, first_sentence(row.text)))?;
            }
        }
        // Several rows may be broken by one answer.
        if last.is_some_and(|last| last.expected == finding.expected && last.got == finding.got) {
            return Ok(());
        }
        self.side("expected", &finding.expected)?;
        self.side("got", &finding.got)
    }

    /// Values of codecs are not wrapped: a blank that is wrong must be seen.
    fn side(&mut self, name: &str, text: &str) -> io::Result<()> {
        let head = format!("    {name:<10}");
        if self.run.as_ref().is_some_and(|run| run.role == Role::Codec) {
            let text: String = text.chars().map(visible).collect();
            return writeln!(self.out, "{head}{text}");
        }
        writeln!(self.out, "{}", wrapped(&head, 14, &printable(text)))
    }

    /// Mostly they do not verify for one reason, so that the first says enough.
    fn signatures(&mut self, signatures: &[SignatureSeen]) -> io::Result<()> {
        let shown = if self.is_verbose { signatures.len() } else { 1 };
        signatures.iter().take(shown).try_for_each(|signature| self.signature(signature))?;
        let more = signatures.len().saturating_sub(shown);
        if more == 0 { Ok(()) } else { writeln!(self.out, "    and {more} more, with --verbose") }
    }

    /// The signature buffer, a field a line and as a whole as it is signed: what differs must be seen.
    fn signature(&mut self, signature: &SignatureSeen) -> io::Result<()> {
        let SignatureSeen { message, signer, version, fields, outcome } = signature;
        let outcome = printable(outcome);
        let head =
            format!("signature buffer of {message}, version {version}, signed by the {signer}: {outcome}");
        writeln!(self.out, "{}", wrapped("    ", 6, &head))?;
        let width = fields.iter().map(|field| field.name.chars().count()).max().unwrap_or_default();
        for field in fields {
            let value: String = field.value.chars().map(visible).collect();
            writeln!(self.out, "      {:width$}  <{value}>", field.name)?;
        }
        Ok(())
    }

    /// The command that repeats the case.
    fn again(&mut self, case: &CaseFinished) -> io::Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        let command = command::run(run, &case.case);
        writeln!(self.out, "  again: {}", self.palette.strong(command))
    }

    /// What fails nobody: a line for each finding, or for the reason why there is none.
    fn remarks(&mut self, groups: &[Group]) -> io::Result<()> {
        if self.is_verbose {
            return groups.iter().try_for_each(|group| self.told(group));
        }
        for (group, place) in groups.iter().zip(0..) {
            if place == 0 {
                writeln!(self.out)?;
            }
            for line in remark(&group.case) {
                let whole = format!("{}  {line}", self.heading(group));
                writeln!(self.out, "{whole}")?;
            }
        }
        Ok(())
    }
}

fn remark(case: &CaseFinished) -> Vec<String> {
    let reason = case.reason.iter().map(|reason| printable(reason));
    let findings = case.findings.iter().map(|finding| {
        let (requirement, level) = (&finding.requirement, level(finding));
        format!("{requirement} ({level}): {}", printable(&finding.got))
    });
    let lines: Vec<String> = findings.chain(reason).collect();
    if lines.is_empty() { vec![case.title.clone()] } else { lines }
}

/// The level of a row and how sure it is.
pub(crate) fn level(finding: &Finding) -> String {
    let reconstructed = if finding.reconstructed { ", reconstructed" } else { "" };
    format!("{}{reconstructed}", finding.level)
}

/// A case and the schemes and versions at which it came out the same.
struct Group {
    /// What the first of them saw.
    case: CaseFinished,
    subjects: Vec<Subject>,
}

/// Cases that came out the same at several schemes and versions are told once.
fn grouped(cases: Vec<CaseFinished>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for case in cases {
        let subject = case.subject.clone();
        let same = |group: &&mut Group| {
            let first = &group.case;
            let outcome = |case: &CaseFinished| (case.verdict, case.findings.clone(), case.reason.clone());
            first.case == case.case && outcome(first) == outcome(&case)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.subjects.push(subject),
            None => groups.push(Group { case, subjects: vec![subject] }),
        }
    }
    groups
}

/// `NTLM v3, NTLM v4`, and once for both kinds of challenge where all of them have both.
fn listed(subjects: &[Subject]) -> String {
    const KINDS: [Option<u16>; 2] = [Some(401), Some(407)];
    let kind = |subject: &Subject| Some(subject.kind.unwrap_or(401));
    let of_kind = |wanted: Option<u16>| {
        let of_kind = subjects.iter().filter(|subject| kind(subject) == wanted);
        of_kind.map(|subject| Subject { kind: None, ..subject.clone() }.to_string()).collect::<Vec<_>>()
    };
    let [one, other] = KINDS.map(of_kind);
    if one == other && one.len() + other.len() == subjects.len() {
        format!("{} with 401 and 407", one.join(", "))
    } else {
        subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// What matters more comes first; otherwise the order is that of the run.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail(_) => 0,
        Verdict::Loose => 1,
        Verdict::Inconclusive => 2,
        Verdict::Pass | Verdict::Blocked | Verdict::Unsupported | Verdict::Cancelled => 3,
    }
}

impl<W: Write> Writer for Console<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if let Some(comparison) = &mut self.comparison {
            comparison.add(event);
        }
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
    use sipae_events::{BufferField, Cause, Direction, Exchanged};
    use sipae_spec::Weight;

    use super::*;
    use crate::sample::{self, FAIL, MUST};

    fn gate(version: u32, outcome: GateOutcome, reason: Option<&str>) -> Event {
        let reason = reason.map(str::to_owned);
        Event::GateFinished(GateFinished { outcome, reason, ..sample::gate(version) })
    }

    fn case(version: u32, verdict: Verdict, got: Option<&str>) -> CaseFinished {
        let weight = if verdict.is_fail() { Weight::Fail } else { Weight::Loose };
        let finding = |got| Finding { weight, ..sample::finding(MUST, got) };
        CaseFinished { findings: got.map(finding).into_iter().collect(), ..sample::case(version, verdict) }
    }

    fn report_with(middle: Vec<Event>, set: fn(Console<&mut Vec<u8>>) -> Console<&mut Vec<u8>>) -> String {
        let mut out = Vec::new();
        let mut console = set(Console::new(&mut out));
        sample::run(middle).iter().for_each(|event| console.event(event).unwrap());
        String::from_utf8(out).unwrap()
    }

    fn report(middle: Vec<Event>) -> String {
        report_with(middle, |console| console)
    }

    fn two_versions() -> Vec<Event> {
        let got = Some("401 with a fresh challenge");
        vec![
            gate(3, GateOutcome::Open, None),
            Event::CaseFinished(case(3, FAIL, got)),
            gate(4, GateOutcome::Open, None),
            Event::CaseFinished(case(4, FAIL, got)),
        ]
    }

    #[test]
    fn a_failure_at_two_versions_is_told_once_with_the_command_that_repeats_it() {
        insta::assert_snapshot!(report(two_versions()));
    }

    #[test]
    fn a_closed_gate_is_one_line_and_its_reason_is_not_repeated() {
        let reason = Some("cannot connect to 127.0.0.1:5060: Connection refused");
        insta::assert_snapshot!(report(vec![
            gate(3, GateOutcome::Failed, reason),
            Event::CaseFinished(case(3, Verdict::Blocked, None)),
            gate(4, GateOutcome::Failed, reason),
            Event::CaseFinished(case(4, Verdict::Blocked, None)),
        ]));
    }

    /// Two parties, notes, a second finding of the same row, a signature that does not verify.
    fn everything() -> Vec<Event> {
        let noted = GateFinished {
            notes: vec!["answers out of order".to_owned(), "pipelining depth 3".to_owned()],
            ..sample::gate(4)
        };
        let signature = sample::signature();
        let message = |direction, party: &str, connection, line: &str| {
            Exchanged::new(direction, connection, "", line.as_bytes()).of(party)
        };
        let (sent, received) = (Direction::Sent, Direction::Received);
        let mut case = case(4, FAIL, Some("401 with a fresh challenge"));
        case.findings.push(Finding { expected: "cancel: drop".to_owned(), ..sample::finding(MUST, "200") });
        case.signatures = vec![signature.clone(), signature];
        case.exchange = vec![
            message(sent, "alice", 1, "INVITE sip:bob@contoso.com SIP/2.0"),
            message(received, "bob", 2, "INVITE sip:bob@192.0.2.1 SIP/2.0"),
            message(sent, "bob", 2, "SIP/2.0 200 OK"),
            message(received, "alice", 1, "SIP/2.0 200 OK"),
        ];
        vec![Event::GateFinished(noted), Event::CaseFinished(case)]
    }

    #[test]
    fn a_failure_is_told_with_everything_that_is_known_about_it() {
        insta::assert_snapshot!(report(everything()));
    }

    fn remarks() -> Vec<Event> {
        let open = CaseFinished {
            reason: Some("ack: silence could not be proven".to_owned()),
            ..case(3, Verdict::Inconclusive, None)
        };
        vec![
            gate(3, GateOutcome::Open, None),
            Event::CaseFinished(case(3, Verdict::Loose, Some("connection closed"))),
            Event::CaseFinished(open),
            gate(4, GateOutcome::Open, None),
            Event::CaseFinished(case(4, Verdict::Loose, Some("connection closed"))),
            Event::CaseFinished(case(4, Verdict::Fail(Cause::Flaky { failed: 1, of: 2 }), None)),
        ]
    }

    #[test]
    fn expected_failures_are_told_in_short_and_what_is_wrong_with_the_list() {
        let list = r#"
            [[expected]]
            id = "3.3.5.1/bare-ack"
            reason = "the gateway answers everything"
            link = "GW-17"

            [[expected]]
            id = "3.3.5.1/date"
            subject = "NTLM v4"
            reason = "no clock"
        "#;
        let list: crate::ExpectedFailures = toml::from_str(list).unwrap();
        let mut out = Vec::new();
        let mut console = Console::new(&mut out).expecting(Comparison::new(list, true));
        sample::run(two_versions()).iter().for_each(|event| console.event(event).unwrap());
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn the_bundles_are_pointed_to_where_there_are_any() {
        let folder = tempfile::TempDir::new().unwrap();
        let bundles = Bundles::create(folder.path()).unwrap();
        let line = format!("\nfailures are in {}\n", bundles.index().display());
        let told = |verdict, has_loose| {
            let mut out = Vec::new();
            let bundles = Bundles::create(folder.path()).unwrap().with_loose(has_loose);
            let mut console = Console::new(&mut out).bundled(&bundles);
            let events = sample::run(vec![Event::CaseFinished(case(4, verdict, None))]);
            events.iter().for_each(|event| console.event(event).unwrap());
            String::from_utf8(out).unwrap().contains(&line)
        };
        assert!(told(FAIL, false) && told(Verdict::Loose, true));
        assert!(!told(Verdict::Loose, false) && !told(Verdict::Pass, true));
    }

    #[test]
    fn remarks_come_after_the_failures_a_line_each() {
        insta::assert_snapshot!(report(remarks()));
    }

    #[test]
    fn remarks_are_told_like_failures_when_asked_for() {
        let told = report_with(remarks(), |console| console.verbose(true));
        assert_eq!(told.matches("  again: ").count(), 3, "{told}");
        assert!(told.contains("  reason: ack: silence could not be proven"), "{told}");
    }

    #[test]
    fn subjects_that_differ_in_the_kind_of_challenge_only_are_listed_once() {
        let www = [2, 3].map(|version| Subject::new("NTLM", version));
        let proxy = www.clone().map(|subject| subject.with_kind(407));
        assert_eq!(listed(&www), "NTLM v2, NTLM v3");
        assert_eq!(listed(&proxy), "NTLM v2 407, NTLM v3 407");
        assert_eq!(listed(&[www.clone(), proxy.clone()].concat()), "NTLM v2, NTLM v3 with 401 and 407");
        let [two, three] = www;
        assert_eq!(listed(&[two, three, proxy[0].clone()]), "NTLM v2, NTLM v3, NTLM v2 407");
    }

    #[test]
    fn colours_change_no_word() {
        let coloured = report_with(everything(), |console| console.coloured(true));
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31mFAIL (REACTION)\u{1b}[0m"), "{coloured:?}");
        let mut plain = String::new();
        for (part, place) in coloured.split('\u{1b}').zip(0..) {
            plain += if place == 0 { part } else { part.split_once('m').unwrap().1 };
        }
        assert_eq!(plain, report(everything()));
    }

    #[test]
    fn what_a_peer_wrote_moves_no_cursor() {
        let mut case = case(4, FAIL, Some("\u{1b}[2J\r\nFAKE"));
        case.reason = Some("\u{1b}]0;x\u{7}".to_owned());
        case.exchange = vec![Exchanged::new(Direction::Received, 1, "", b"\x1b[2J SIP/2.0")];
        case.signatures = vec![SignatureSeen {
            message: "m".to_owned(),
            signer: "server".to_owned(),
            version: 4,
            fields: vec![BufferField { name: "From tag".to_owned(), value: "\u{1b}[2J\r".to_owned() }],
            outcome: "\u{1b}".to_owned(),
        }];
        let reason = Some("\u{1b}[31m");
        let told = report(vec![gate(4, GateOutcome::Open, reason), Event::CaseFinished(case)]);
        assert!(!told.contains('\u{1b}') && !told.contains('\r') && !told.contains('\u{7}'), "{told}");
    }
}
