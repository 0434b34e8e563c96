//! JUnit XML, for the pages of CI systems.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use sipae_events::{CaseFinished, Event, Finding, GateFinished, GateOutcome, RunStarted, Subject, Verdict};

use crate::Writer;
use crate::expected::ExpectedFailures;
use crate::ladder::{ladder, told_lines, told_messages};
use crate::text::{printable, visible};

/// Writes a test suite for each scheme and version and a test case for each case, at the end of the run.
///
/// What was not decided is skipped, with its reason. A gate that failed is an error of its suite: a suite in which
/// everything was skipped must not look green.
#[derive(Debug)]
pub struct Junit<W> {
    out: W,
    properties: Vec<Property>,
    suites: Vec<Suite>,
    expected: ExpectedFailures,
}

#[derive(Debug)]
struct Suite {
    subject: Subject,
    properties: Vec<Property>,
    cases: Vec<TestCase>,
}

impl<W: Write> Junit<W> {
    /// A report to `out`.
    pub fn new(out: W) -> Self {
        Self { out, properties: Vec::new(), suites: Vec::new(), expected: ExpectedFailures::default() }
    }

    /// Failures that are as this list expects are skipped, with the reason of the list.
    #[must_use]
    pub fn expecting(self, expected: ExpectedFailures) -> Self {
        Self { expected, ..self }
    }

    fn started(&mut self, run: &RunStarted) {
        let mut property =
            |name: &str, value: &str| self.properties.push(Property::new(name, harmless(value)));
        property("program", &run.program);
        property("version", &run.version);
        property("target", &run.target);
        property("seed", &run.seed.to_string());
        property("role", run.role.name());
        run.profile.iter().for_each(|file| property("profile", file));
        run.arguments.iter().for_each(|argument| property("argument", argument));
        run.notes.iter().for_each(|note| property("note", note));
    }

    /// What comes for a scheme and version goes to its suite; they come one after the other.
    fn add(&mut self, subject: &Subject, properties: Vec<Property>, case: Option<TestCase>) {
        match self.suites.iter_mut().find(|suite| suite.subject == *subject) {
            Some(suite) => {
                suite.properties.extend(properties);
                suite.cases.extend(case);
            }
            None => self.suites.push(Suite {
                subject: subject.clone(),
                properties: self.properties.iter().cloned().chain(properties).collect(),
                cases: case.into_iter().collect(),
            }),
        }
    }

    fn gate(&mut self, gate: &GateFinished) {
        let notes = gate.notes.iter().map(|note| Property::new("gate note", harmless(note))).collect();
        let failed = (gate.outcome == GateOutcome::Failed).then(|| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("gate").set_message(reason(gate.reason.as_deref()));
            status.set_description(lines(&ladder(&gate.exchange, 0, false)));
            let mut case = TestCase::new("gate", status);
            case.set_classname("gate");
            case
        });
        self.add(&gate.subject, notes, failed);
    }

    fn finished(&mut self, case: &CaseFinished) {
        let mut test = TestCase::new(case.case.as_str(), self.status(case));
        let section = case.case.as_str().split('/').next().unwrap_or_default();
        test.set_classname(section);
        test.add_properties(case.requirements.iter().map(|id| Property::new("requirement", id)));
        let remarks: Vec<String> = case.findings.iter().map(told).collect();
        if !case.verdict.is_fail() && !remarks.is_empty() {
            test.set_system_out(lines(&remarks));
        }
        self.add(&case.subject, Vec::new(), Some(test));
    }

    fn status(&self, case: &CaseFinished) -> TestCaseStatus {
        let Some(entry) = self.expected.excuse(case) else { return status(case) };
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("expected failure: {}", printable(&entry.to_string())));
        status.set_description(lines(&body(case)));
        status
    }

    fn ended(&mut self) -> io::Result<()> {
        let mut report = Report::new("sipae");
        report.add_test_suites(self.suites.drain(..).map(Suite::whole));
        let mut text = Vec::new();
        report.serialize(&mut text).map_err(io::Error::other)?;
        self.out.write_all(&text)?;
        self.out.flush()
    }
}

impl Suite {
    fn whole(self) -> TestSuite {
        let mut suite = TestSuite::new(self.subject.to_string());
        suite.add_properties(self.properties);
        suite.add_test_cases(self.cases);
        suite
    }
}

fn status(case: &CaseFinished) -> TestCaseStatus {
    match case.verdict {
        Verdict::Pass | Verdict::Loose => TestCaseStatus::success(),
        Verdict::Fail(cause) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(cause.name()).set_message(message(case)).set_description(lines(&body(case)));
            status
        }
        Verdict::Inconclusive | Verdict::Blocked | Verdict::Unsupported | Verdict::Cancelled => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("{}: {}", case.verdict.name(), reason(case.reason.as_deref())));
            status
        }
    }
}

/// What fails the case, in one line.
fn message(case: &CaseFinished) -> String {
    match case.findings.first() {
        Some(finding) => told(finding),
        None => reason(case.reason.as_deref()),
    }
}

/// Everything that the case found, and its messages.
fn body(case: &CaseFinished) -> Vec<String> {
    let mut body = vec![harmless(&case.title)];
    body.extend(case.findings.iter().map(told));
    body.extend(case.reason.iter().map(|reason| format!("reason: {}", printable(reason))));
    body.extend(ladder(&told_messages(&case.exchange), case.exchange_left_out, false));
    body.extend(told_lines(&case.exchange, false));
    for signature in &case.signatures {
        let (message, signer, version) = (&signature.message, &signature.signer, signature.version);
        body.push(format!("signature buffer of {message}, version {version}, signed by the {signer}:"));
        let fields = signature.fields.iter();
        body.extend(fields.map(|field| format!("  {}  <{}>", field.name, harmless(&field.value))));
    }
    body
}

fn told(finding: &Finding) -> String {
    let Finding { requirement, level, expected, got, .. } = finding;
    format!("{requirement} ({level}): expected {}; got {}", printable(expected), printable(got))
}

fn reason(reason: Option<&str>) -> String {
    printable(reason.unwrap_or("no reason is known"))
}

/// XML cannot hold all characters, and a terminal that shows the file should not obey them.
fn harmless(text: &str) -> String {
    text.chars().map(visible).collect()
}

fn lines(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

impl<W: Write> Writer for Junit<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted(run) => self.started(run),
            Event::GateFinished(gate) => self.gate(gate),
            Event::CaseStarted(_) => {}
            Event::CaseFinished(case) => self.finished(case),
            Event::RunFinished(_) => return self.ended(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};
    use sipae_events::{Cause, Direction, Exchanged, Totals};

    use super::*;
    use crate::sample::{self, FAIL, MUST};

    fn report(middle: Vec<Event>) -> (String, Totals) {
        let events = sample::run(middle);
        let mut out = Vec::new();
        let mut junit = Junit::new(&mut out);
        events.iter().for_each(|event| junit.event(event).unwrap());
        (String::from_utf8(out).unwrap(), Totals::from_events(&events))
    }

    fn every_verdict() -> Vec<Event> {
        let verdicts = [
            Verdict::Pass,
            Verdict::Loose,
            FAIL,
            Verdict::Fail(Cause::Flaky { failed: 1, of: 2 }),
            Verdict::Inconclusive,
            Verdict::Blocked,
            Verdict::Unsupported,
            Verdict::Cancelled,
        ];
        let case = |verdict: Verdict| CaseFinished {
            findings: verdict.is_fail().then(|| sample::finding(MUST, "401")).into_iter().collect(),
            reason: Some("a < b & \"c\"".to_owned()),
            ..sample::case(4, verdict)
        };
        let cases = verdicts.map(|verdict| Event::CaseFinished(case(verdict)));
        let kinds = [sample::gate(4), GateFinished { outcome: GateOutcome::Failed, ..sample::gate(3) }];
        kinds.map(Event::GateFinished).into_iter().chain(cases).collect()
    }

    fn count(document: &Document<'_>, name: &str) -> u32 {
        document.descendants().filter(|node| node.has_tag_name(name)).count().try_into().unwrap()
    }

    fn attribute<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
        node.attribute(name).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn the_counts_are_those_of_the_run() {
        let (text, totals) = report(every_verdict());
        let document = Document::parse(&text).unwrap();
        let cases = totals.cases;
        let skipped = cases.inconclusive + cases.blocked + cases.unsupported + cases.cancelled;
        assert_eq!(count(&document, "failure"), cases.fail);
        assert_eq!(count(&document, "skipped"), skipped);
        // The gate that failed is a case of its own.
        assert_eq!((count(&document, "error"), count(&document, "testcase")), (1, cases.sum() + 1));
        let root = document.root_element();
        let attributes =
            [("tests", cases.sum() + 1), ("failures", cases.fail), ("skipped", skipped), ("errors", 1)];
        for (name, expected) in attributes {
            assert_eq!(attribute(root, name), expected.to_string(), "{name}");
        }
    }

    #[test]
    fn a_failure_has_its_cause_row_and_ladder() {
        let (text, _) = report(every_verdict());
        let document = Document::parse(&text).unwrap();
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(attribute(failure, "type"), "reaction");
        assert_eq!(attribute(failure, "message"), "SIPAE-3.3.5.1-03 (MUST): expected ack: drop; got 401");
        assert!(failure.text().unwrap().contains("|---------------- ACK --------------->|"), "{text}");
        let case = failure.parent().unwrap();
        assert_eq!((attribute(case, "classname"), attribute(case, "name")), ("3.3.5.1", "3.3.5.1/bare-ack"));
        assert_eq!(attribute(case.parent().unwrap(), "name"), "NTLM v4");
        let skipped = document.descendants().find(|node| node.has_tag_name("skipped")).unwrap();
        assert_eq!(attribute(skipped, "message"), "inconclusive: a < b & \"c\"");
    }

    #[test]
    fn a_suite_says_how_to_run_again() {
        let (text, _) = report(every_verdict());
        let document = Document::parse(&text).unwrap();
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let properties = suite.children().find(|node| node.has_tag_name("properties")).unwrap();
        let property = |name: &str| {
            properties
                .children()
                .find(|node| node.attribute("name") == Some(name))
                .map(|node| attribute(node, "value"))
        };
        assert_eq!((property("seed"), property("version")), (Some("7"), Some("0.1.0")));
        assert_eq!(property("target"), Some("tcp://127.0.0.1:5060"));
        assert_eq!(property("note"), Some("timers run at 1:450 of the specification's durations"));
    }

    #[test]
    fn a_failure_that_is_expected_is_skipped_with_the_reason_of_the_list() {
        let list = "[[expected]]\nid = \"3.3.5.1/bare-ack\"\ncause = \"reaction\"\nreason = \"known\"\nlink = \"L-1\"\n";
        let mut out = Vec::new();
        let mut junit = Junit::new(&mut out).expecting(toml::from_str(list).unwrap());
        sample::run(every_verdict()).iter().for_each(|event| junit.event(event).unwrap());
        let text = String::from_utf8(out).unwrap();
        // The other failure is a flaky one.
        assert_eq!(count(&Document::parse(&text).unwrap(), "failure"), 1, "{text}");
        assert!(text.contains("message=\"expected failure: known (L-1)\""), "{text}");
    }

    /// What a peer sends is in findings, reasons, ladders and buffers.
    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let bad = "\u{0}\u{8}\u{1b}[31m\u{FFFE}\u{FFFF}]]>\u{85}";
        let case = CaseFinished {
            title: bad.to_owned(),
            findings: vec![sample::finding(MUST, bad)],
            reason: Some(bad.to_owned()),
            exchange: vec![Exchanged::new(Direction::Received, 1, bad, bad.as_bytes()).of(bad)],
            ..sample::case(4, FAIL)
        };
        let gate = GateFinished {
            reason: Some(bad.to_owned()),
            notes: vec![bad.to_owned()],
            outcome: GateOutcome::Failed,
            ..sample::gate(4)
        };
        let (text, _) = report(vec![Event::GateFinished(gate), Event::CaseFinished(case)]);
        Document::parse(&text).unwrap();
        let is_bad =
            |shown: char| shown.is_control() && shown != '\n' || matches!(shown, '\u{FFFE}' | '\u{FFFF}');
        assert!(!text.contains(is_bad), "{text:?}");
    }
}
