//! Failures that are known and expected: a comparison of a list with finished results.
//!
//! The runner knows nothing of the list, and verdicts are what they are without it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use sipae_events::{CaseFinished, CaseId, Cause, Event, ExitCode, Subject, Tally, Verdict};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// What a new entry gives as its reason.
pub const TO_DO: &str = "TODO: say why";

/// The name of the tables.
const KEY: &str = "expected";

/// A list of failures that are expected: tables called `expected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFailures {
    #[serde(default)]
    expected: Vec<ExpectedFailure>,
}

/// A failure that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFailure {
    /// The case that fails.
    pub id: CaseId,
    /// Where it fails, such as `NTLM v4`; everywhere when absent.
    pub subject: Option<String>,
    /// The cause by which it fails, such as `silent`; any when absent.
    pub cause: Option<String>,
    /// Why it fails and is not mended.
    pub reason: String,
    /// Where more is said about it.
    pub link: Option<String>,
}

impl ExpectedFailures {
    /// Whether the list makes sense: causes that there are, reasons that say something, no entry twice.
    ///
    /// # Errors
    /// Names entry, key and value.
    pub fn check(&self) -> Result<(), String> {
        let mut known = BTreeMap::new();
        for (entry, number) in self.expected.iter().zip(1..) {
            entry.check().map_err(|(key, problem)| format!("{KEY} {number}.{key}: {problem}"))?;
            if let Some(first) = known.insert((&entry.id, &entry.subject), number) {
                return Err(format!("{KEY} {number}: the case and subject of {KEY} {first}"));
            }
        }
        Ok(())
    }

    /// The entry for a case at a subject: one that names the subject comes before one for all.
    #[must_use]
    pub fn entry(&self, case: &CaseId, subject: &Subject) -> Option<&ExpectedFailure> {
        self.expected.get(self.place(case, subject)?)
    }

    /// The entry by which a case that failed is as expected.
    #[must_use]
    pub fn excuse(&self, case: &CaseFinished) -> Option<&ExpectedFailure> {
        let Verdict::Fail(cause) = case.verdict else { return None };
        self.entry(&case.case, &case.subject).filter(|entry| entry.covers(cause))
    }

    fn place(&self, case: &CaseId, subject: &Subject) -> Option<usize> {
        let subject = Some(subject.to_string());
        let with = |wanted: &Option<String>| {
            self.expected.iter().position(|entry| entry.id == *case && entry.subject == *wanted)
        };
        with(&subject).or_else(|| with(&None))
    }
}

impl ExpectedFailure {
    fn check(&self) -> Result<(), (&'static str, String)> {
        let is_cause = |cause: &String| Cause::NAMES.contains(&cause.as_str());
        if let Some(cause) = self.cause.as_ref().filter(|cause| !is_cause(cause)) {
            return Err(("cause", format!("{cause:?} is not one of {}", Cause::NAMES.join(", "))));
        }
        if self.reason.trim().is_empty() { Err(("reason", "says nothing".to_owned())) } else { Ok(()) }
    }

    fn covers(&self, cause: Cause) -> bool {
        self.cause.as_ref().is_none_or(|expected| expected == cause.name())
    }
}

/// The reason, and where more is said.
impl fmt::Display for ExpectedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        self.link.iter().try_for_each(|link| write!(f, " ({link})"))
    }
}

/// What came out at the subjects of one entry.
#[derive(Clone, Debug, Default)]
struct Outcomes {
    failed: Vec<Subject>,
    otherwise: Vec<(Subject, Cause)>,
    passed: Vec<Subject>,
    /// It ran and showed nothing, or something else held it up.
    undecided: bool,
}

impl Outcomes {
    fn is_unused(&self) -> bool {
        self.failed.is_empty() && self.otherwise.is_empty() && self.passed.is_empty() && !self.undecided
    }

    /// Where the case fails, in the order of the run, whether by the expected cause or another.
    fn failing(&self) -> impl Iterator<Item = &Subject> {
        self.failed.iter().chain(self.otherwise.iter().map(|(subject, _)| subject))
    }
}

/// How a list and a run agree: a fold over the events.
#[derive(Clone, Debug)]
pub struct Comparison {
    list: ExpectedFailures,
    /// Whether the run was about every case; else what did not run says nothing.
    is_full: bool,
    outcomes: Vec<Outcomes>,
    unlisted: Vec<(CaseId, Subject)>,
    /// The cases that ran to a decision, with where.
    decided: Vec<(CaseId, Subject)>,
    /// What would be if the expected failures were none.
    tally: Tally,
}

/// An entry of a list that is not as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What is wrong.
    pub kind: DisagreementKind,
    /// The case.
    pub case: CaseId,
    /// Where: a subject, or all.
    pub subject: String,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisagreementKind {
    /// The case passes.
    Stale,
    /// It fails by another cause than the entry says.
    Otherwise(Cause),
    /// There is no such case, or the target does not offer what it is about.
    Unused,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, case, subject } = self;
        match kind {
            DisagreementKind::Stale => write!(f, "STALE  {case}  {subject}  is expected to fail and passes"),
            DisagreementKind::Otherwise(cause) => {
                write!(f, "OTHERWISE  {case}  {subject}  is expected to fail, but not by: {cause}")
            }
            DisagreementKind::Unused => {
                write!(f, "UNUSED  {case}  {subject}  does not exist or does not run")
            }
        }
    }
}

/// How many results and entries are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComparisonCounts {
    /// Results that failed as an entry says.
    pub expected: usize,
    /// Results that failed and are not listed.
    pub unlisted: usize,
    /// Results that passed in spite of an entry.
    pub stale: usize,
    /// Results that failed by another cause than the entry says.
    pub otherwise: usize,
    /// Entries that were about nothing that ran.
    pub unused: usize,
}

impl fmt::Display for ComparisonCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, unlisted, stale, otherwise, unused } = self;
        write!(
            f,
            "{expected} as expected, {unlisted} not listed, {stale} stale, {otherwise} otherwise, {unused} unused"
        )
    }
}

impl Comparison {
    /// A comparison with a run that has not begun; `is_full` says whether it is about every case.
    #[must_use]
    pub fn new(list: ExpectedFailures, is_full: bool) -> Self {
        let outcomes = vec![Outcomes::default(); list.expected.len()];
        Self { list, is_full, outcomes, unlisted: Vec::new(), decided: Vec::new(), tally: Tally::default() }
    }

    /// The list.
    #[must_use]
    pub const fn list(&self) -> &ExpectedFailures {
        &self.list
    }

    /// Takes one event into account.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::CaseFinished(case) => self.add_case(case),
            // What it states follows from failures that may be expected; that the suite failed is another matter.
            Event::RunFinished(run) if run.exit != ExitCode::Internal => {}
            other => self.tally.add(other),
        }
    }

    fn add_case(&mut self, case: &CaseFinished) {
        let place = self.list.place(&case.case, &case.subject);
        let expected = place.and_then(|place| self.list.expected.get(place));
        let outcomes = place.and_then(|place| self.outcomes.get_mut(place));
        let here = || (case.case.clone(), case.subject.clone());
        if case.verdict.is_decided() {
            self.decided.push(here());
        }
        let mut counted = case.verdict;
        match (case.verdict, expected.zip(outcomes)) {
            (Verdict::Fail(_), None) => self.unlisted.push(here()),
            (Verdict::Fail(cause), Some((expected, outcomes))) if expected.covers(cause) => {
                outcomes.failed.push(case.subject.clone());
                counted = Verdict::Loose;
            }
            (Verdict::Fail(cause), Some((_, outcomes))) => {
                outcomes.otherwise.push((case.subject.clone(), cause));
                // An entry that is not quite right excuses no crash.
                counted = if cause == Cause::Crash { counted } else { Verdict::Loose };
            }
            (Verdict::Pass | Verdict::Loose, Some((_, outcomes))) => {
                outcomes.passed.push(case.subject.clone());
            }
            // What was held up by something else says nothing about the entry.
            (Verdict::Inconclusive | Verdict::Blocked | Verdict::Cancelled, Some((_, outcomes))) => {
                outcomes.undecided = true;
            }
            _ => {}
        }
        self.tally.add(&Event::CaseFinished(without_messages(case, counted)));
    }

    /// The entries that are not as they say, in the order of the list.
    #[must_use]
    pub fn disagreements(&self) -> Vec<Disagreement> {
        let mut found = Vec::new();
        for (entry, outcomes) in self.list.expected.iter().zip(&self.outcomes) {
            let at = |kind, subject| Disagreement { kind, case: entry.id.clone(), subject };
            found.extend(
                outcomes.passed.iter().map(|subject| at(DisagreementKind::Stale, subject.to_string())),
            );
            let otherwise = outcomes.otherwise.iter();
            found.extend(
                otherwise
                    .map(|(subject, cause)| at(DisagreementKind::Otherwise(*cause), subject.to_string())),
            );
            if self.is_full && outcomes.is_unused() {
                let subject = entry.subject.clone().unwrap_or_else(|| "all".to_owned());
                found.push(at(DisagreementKind::Unused, subject));
            }
        }
        found
    }

    /// How many are how.
    #[must_use]
    pub fn counts(&self) -> ComparisonCounts {
        let sum = |count: fn(&Outcomes) -> usize| self.outcomes.iter().map(count).sum();
        let unused = self.outcomes.iter().filter(|outcomes| self.is_full && outcomes.is_unused()).count();
        ComparisonCounts {
            expected: sum(|outcomes| outcomes.failed.len()),
            unlisted: self.unlisted.len(),
            stale: sum(|outcomes| outcomes.passed.len()),
            otherwise: sum(|outcomes| outcomes.otherwise.len()),
            unused,
        }
    }

    /// The exit code of the run: expected failures are none, an entry that is not as it says makes the list stale.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        let run = self.tally.exit();
        if self.disagreements().is_empty() { run } else { run.or(ExitCode::Stale) }
    }

    /// The text of the list as this run would have it: without what is stale or unused, with what failed and is not
    /// listed. Comments and order of what stays are kept. An entry for all subjects that is stale at some becomes one
    /// for each of the others; one that fails otherwise is left to people.
    ///
    /// # Errors
    /// When the text is not that of the list, or has it in a form that cannot be rewritten.
    pub fn fixed(&self, text: &str) -> Result<String, String> {
        let mut document: DocumentMut = text.parse().map_err(|_| "no TOML".to_owned())?;
        let tables = match document.remove(KEY) {
            None => ArrayOfTables::new(),
            Some(Item::ArrayOfTables(tables)) => tables,
            Some(_) => {
                return Err(format!(
                    "{KEY}: write each entry as a table [[{KEY}]], so that it can be rewritten"
                ));
            }
        };
        if tables.len() != self.outcomes.len() {
            return Err("the file has changed since the run began".to_owned());
        }
        let mut kept = Rewriter::default();
        for (table, (entry, outcomes)) in
            tables.into_iter().zip(self.list.expected.iter().zip(&self.outcomes))
        {
            kept.entry(table, entry, outcomes);
        }
        for (case, subject) in self.new_entries() {
            kept.add(&case, subject.as_ref());
        }
        Ok(kept.into_text(document))
    }

    /// What failed and is not listed: once for a case that fails so wherever it was decided, else for each subject.
    fn new_entries(&self) -> Vec<(CaseId, Option<Subject>)> {
        let count =
            |list: &[(CaseId, Subject)], case: &CaseId| list.iter().filter(|(id, _)| id == case).count();
        let mut entries: Vec<(CaseId, Option<Subject>)> = Vec::new();
        for (case, subject) in &self.unlisted {
            let is_everywhere = count(&self.unlisted, case) == count(&self.decided, case);
            let subject = (!is_everywhere).then(|| subject.clone());
            if !entries.iter().any(|(known, at)| known == case && *at == subject) {
                entries.push((case.clone(), subject));
            }
        }
        entries
    }
}

/// What a count needs of a case: a flood of messages need not be copied.
fn without_messages(case: &CaseFinished, verdict: Verdict) -> CaseFinished {
    CaseFinished {
        case: case.case.clone(),
        subject: case.subject.clone(),
        title: String::new(),
        requirements: Vec::new(),
        verdict,
        findings: case.findings.clone(),
        reason: None,
        exchange: Vec::new(),
        exchange_left_out: 0,
        signatures: Vec::new(),
        generated: 0,
        fault: String::new(),
        script: None,
    }
}

/// The tables of a list that is being rewritten.
#[derive(Default)]
struct Rewriter {
    tables: Vec<Table>,
    /// Comments that stood apart from an entry that is gone, for the next one.
    loose_comments: String,
}

impl Rewriter {
    fn entry(&mut self, table: Table, entry: &ExpectedFailure, outcomes: &Outcomes) {
        let is_stale = !outcomes.passed.is_empty();
        let mut failing = outcomes.failing();
        match failing.next() {
            _ if outcomes.is_unused() => self.remove(&table),
            None if is_stale => self.remove(&table),
            Some(first) if is_stale && entry.subject.is_none() => {
                self.keep(narrowed(table.clone(), first));
                for subject in failing {
                    let mut other = narrowed(table.clone(), subject);
                    other.decor_mut().set_prefix("\n");
                    self.keep(other);
                }
            }
            _ => self.keep(table),
        }
    }

    fn keep(&mut self, mut table: Table) {
        let loose = std::mem::take(&mut self.loose_comments);
        if !loose.is_empty() {
            let prefix = format!("{loose}{}", prefix(&table).trim_start_matches('\n'));
            table.decor_mut().set_prefix(prefix);
        }
        // Tables are written in their order here, and not where they once stood.
        table.set_position(None);
        self.tables.push(table);
    }

    /// The comment right above an entry goes with it; what a blank line parts from it stays.
    fn remove(&mut self, table: &Table) {
        if let Some((loose, _)) = prefix(table).rsplit_once("\n\n") {
            let loose = loose.trim_matches('\n');
            if !loose.is_empty() {
                let is_first = self.tables.is_empty() || !self.loose_comments.is_empty();
                let gap = if is_first { "" } else { "\n" };
                self.loose_comments.push_str(&format!("{gap}{loose}\n\n"));
            }
        }
    }

    fn add(&mut self, case: &CaseId, subject: Option<&Subject>) {
        let mut table = Table::new();
        table.insert("id", value(case.as_str()));
        subject.into_iter().for_each(|subject| drop(table.insert("subject", value(subject.to_string()))));
        table.insert("reason", value(TO_DO));
        if !self.tables.is_empty() {
            table.decor_mut().set_prefix("\n");
        }
        self.keep(table);
    }

    fn into_text(self, mut document: DocumentMut) -> String {
        let loose = self.loose_comments.trim_end_matches('\n');
        if !loose.is_empty() {
            let trailing = document.trailing().as_str().unwrap_or_default();
            let trailing = format!("{loose}\n\n{}", trailing.trim_start_matches('\n'));
            document.set_trailing(trailing);
        }
        if !self.tables.is_empty() {
            document.insert(KEY, Item::ArrayOfTables(self.tables.into_iter().collect()));
        }
        let text = document.to_string();
        let text = text.trim_start_matches('\n').trim_end_matches('\n');
        if text.is_empty() { String::new() } else { format!("{text}\n") }
    }
}

fn narrowed(mut table: Table, subject: &Subject) -> Table {
    table.insert("subject", value(subject.to_string()));
    table
}

fn prefix(table: &Table) -> &str {
    table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sample::{self, FAIL, MUST};

    const CRASH: Verdict = Verdict::Fail(Cause::Crash);

    fn list(text: &str) -> ExpectedFailures {
        let list: ExpectedFailures = toml::from_str(text).unwrap();
        list.check().unwrap();
        list
    }

    fn result(case: &str, version: u32, verdict: Verdict) -> Event {
        let finding = || sample::finding(MUST, "401");
        Event::CaseFinished(CaseFinished {
            case: CaseId::new(case).unwrap(),
            findings: verdict.is_fail().then(finding).into_iter().collect(),
            ..sample::case(version, verdict)
        })
    }

    fn compared(text: &str, is_full: bool, results: &[(&str, u32, Verdict)]) -> Comparison {
        let mut comparison = Comparison::new(list(text), is_full);
        let middle =
            results.iter().map(|(case, version, verdict)| result(case, *version, *verdict)).collect();
        sample::run(middle).iter().for_each(|event| comparison.add(event));
        comparison
    }

    const A: &str = "[[expected]]\nid = \"a\"\nreason = \"r\"\n";
    const A_AT_4: &str = "[[expected]]\nid = \"a\"\nsubject = \"NTLM v4\"\nreason = \"r\"\n";
    const A_SILENT: &str = "[[expected]]\nid = \"a\"\ncause = \"silent\"\nreason = \"r\"\n";

    #[rstest]
    #[case::no_list("", &[("a", 4, FAIL)], ExitCode::Failed)]
    #[case::listed(A, &[("a", 4, FAIL)], ExitCode::Passed)]
    #[case::listed_at_all(A, &[("a", 3, FAIL), ("a", 4, FAIL), ("b", 4, Verdict::Pass)], ExitCode::Passed)]
    #[case::listed_elsewhere(A_AT_4, &[("a", 3, FAIL), ("a", 4, FAIL)], ExitCode::Failed)]
    #[case::another_fails(A, &[("a", 4, FAIL), ("b", 4, FAIL)], ExitCode::Failed)]
    #[case::stale(A, &[("a", 4, Verdict::Pass)], ExitCode::Stale)]
    #[case::stale_where_loose(A, &[("a", 4, Verdict::Loose)], ExitCode::Stale)]
    #[case::stale_at_one(A, &[("a", 3, Verdict::Pass), ("a", 4, FAIL)], ExitCode::Stale)]
    #[case::stale_and_another_fails(A, &[("a", 4, Verdict::Pass), ("b", 4, FAIL)], ExitCode::Failed)]
    #[case::otherwise(A_SILENT, &[("a", 4, FAIL)], ExitCode::Stale)]
    #[case::by_its_cause(A_SILENT, &[("a", 4, Verdict::Fail(Cause::Silent))], ExitCode::Passed)]
    #[case::unused(A, &[("b", 4, Verdict::Pass)], ExitCode::Stale)]
    #[case::not_run(A, &[("a", 4, Verdict::Unsupported), ("b", 4, Verdict::Pass)], ExitCode::Stale)]
    #[case::undecided(A, &[("a", 4, Verdict::Inconclusive), ("b", 4, Verdict::Pass)], ExitCode::Passed)]
    #[case::held_up(A, &[("a", 4, Verdict::Blocked), ("b", 4, Verdict::Pass)], ExitCode::Passed)]
    #[case::crash_as_expected(A, &[("a", 4, CRASH)], ExitCode::Passed)]
    #[case::crash_in_its_place(A_SILENT, &[("a", 4, CRASH)], ExitCode::Crash)]
    #[case::nothing_ran(A, &[("a", 4, Verdict::Blocked)], ExitCode::NothingRan)]
    fn the_exit_code_follows_from_list_and_run(
        #[case] text: &str,
        #[case] results: &[(&str, u32, Verdict)],
        #[case] exit: ExitCode,
    ) {
        assert_eq!(compared(text, true, results).exit(), exit);
    }

    #[test]
    fn what_a_filter_left_out_is_not_unused() {
        let results = [("b", 4, Verdict::Pass)];
        assert_eq!(compared(A, false, &results).exit(), ExitCode::Passed);
        assert_eq!(compared(A, false, &results).counts(), ComparisonCounts::default());
        assert_eq!(compared(A, true, &results).counts().unused, 1);
    }

    #[test]
    fn an_entry_that_names_the_subject_comes_first() {
        let both = format!("{A_AT_4}{}", A.replace("\"r\"", "\"all\""));
        let list = list(&both);
        let reason = |version| {
            let case = CaseFinished { case: CaseId::new("a").unwrap(), ..sample::case(version, FAIL) };
            list.excuse(&case).map(ToString::to_string)
        };
        assert_eq!((reason(3).as_deref(), reason(4).as_deref()), (Some("all"), Some("r")));
    }

    #[test]
    fn each_disagreement_names_case_and_subject() {
        let results = [("a", 3, FAIL), ("a", 4, Verdict::Pass)];
        let told = |text| {
            let disagreements = compared(text, true, &results).disagreements();
            disagreements.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(A), ["STALE  a  NTLM v4  is expected to fail and passes"]);
        assert_eq!(told(A_SILENT)[1], "OTHERWISE  a  NTLM v3  is expected to fail, but not by: reaction");
        assert_eq!(told(&A.replace("\"a\"", "\"x\"")), ["UNUSED  x  all  does not exist or does not run"]);
    }

    #[rstest]
    #[case(&A.repeat(2), "expected 2: the case and subject of expected 1")]
    #[case(&A.replace("\"r\"", "\" \""), "expected 1.reason: says nothing")]
    #[case(
        &A_SILENT.replace("silent", "silence"),
        "expected 1.cause: \"silence\" is not one of reaction, silent, crash, hang, flaky"
    )]
    fn a_list_that_makes_no_sense_names_entry_and_key(#[case] text: &str, #[case] problem: &str) {
        let list: ExpectedFailures = toml::from_str(text).unwrap();
        assert_eq!(list.check(), Err(problem.to_owned()));
    }

    const COMMENTED: &str = "\
# What our product does not do yet.

# Both of these wait for the new parser.
[[expected]]
id = \"a\" # the first
reason = \"r\"

# Nobody knows.
[[expected]]
reason = 'r'
link = 'L'
id = \"b\"

# About dates.

# And this one in particular.
[[expected]]
id = \"c\"
reason = \"r\"
# The end.
";

    fn fixed(text: &str, results: &[(&str, u32, Verdict)]) -> String {
        let fixed = compared(text, true, results).fixed(text).unwrap();
        list(&fixed);
        fixed
    }

    #[test]
    fn a_list_that_is_right_is_left_as_it_is() {
        let results = [("a", 4, FAIL), ("b", 4, FAIL), ("c", 4, Verdict::Inconclusive)];
        assert_eq!(fixed(COMMENTED, &results), COMMENTED);
        assert_eq!(fixed("", &[("a", 4, Verdict::Pass)]), "");
    }

    #[test]
    fn what_is_stale_goes_with_its_comment_and_what_is_new_comes_last() {
        let results = [
            ("a", 4, Verdict::Pass),
            ("b", 4, FAIL),
            ("d", 3, FAIL),
            ("d", 4, FAIL),
            ("e", 3, Verdict::Pass),
            ("e", 4, FAIL),
        ];
        insta::assert_snapshot!(fixed(COMMENTED, &results), @r#"
        # What our product does not do yet.

        # Nobody knows.
        [[expected]]
        reason = 'r'
        link = 'L'
        id = "b"

        # About dates.

        [[expected]]
        id = "d"
        reason = "TODO: say why"

        [[expected]]
        id = "e"
        subject = "NTLM v4"
        reason = "TODO: say why"
        # The end.
        "#);
    }

    #[test]
    fn an_entry_for_all_is_narrowed_to_where_the_case_still_fails() {
        let results =
            [("a", 2, Verdict::Pass), ("a", 3, FAIL), ("a", 4, FAIL), ("b", 4, FAIL), ("c", 4, FAIL)];
        insta::assert_snapshot!(fixed(COMMENTED, &results), @r#"
        # What our product does not do yet.

        # Both of these wait for the new parser.
        [[expected]]
        id = "a" # the first
        reason = "r"
        subject = "NTLM v3"

        [[expected]]
        id = "a" # the first
        reason = "r"
        subject = "NTLM v4"

        # Nobody knows.
        [[expected]]
        reason = 'r'
        link = 'L'
        id = "b"

        # About dates.

        # And this one in particular.
        [[expected]]
        id = "c"
        reason = "r"
        # The end.
        "#);
    }

    #[test]
    fn a_first_list_is_made_of_what_failed() {
        insta::assert_snapshot!(fixed("", &[("a", 3, FAIL), ("b", 3, FAIL), ("b", 4, Verdict::Pass)]), @r#"
        [[expected]]
        id = "a"
        reason = "TODO: say why"

        [[expected]]
        id = "b"
        subject = "NTLM v3"
        reason = "TODO: say why"
        "#);
    }

    #[test]
    fn an_emptied_list_keeps_what_is_said_about_the_whole() {
        let gone = [("a", 4, Verdict::Pass), ("b", 4, Verdict::Pass), ("c", 4, Verdict::Pass)];
        insta::assert_snapshot!(fixed(COMMENTED, &gone), @r#"
        # What our product does not do yet.

        # About dates.

        # The end.
        "#);
    }

    #[test]
    fn what_cannot_be_rewritten_is_refused() {
        let inline = "expected = [{ id = \"a\", reason = \"r\" }]\n";
        let error = compared(inline, true, &[("a", 4, Verdict::Pass)]).fixed(inline).unwrap_err();
        assert_eq!(error, "expected: write each entry as a table [[expected]], so that it can be rewritten");
        assert!(compared(A, true, &[]).fixed("").unwrap_err().contains("has changed"));
    }
}
