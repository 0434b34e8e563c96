//! From an answer to a verdict.

use serde_json::Value;
use sipae_events::{CaseFinished, Cause, Direction, Exchanged, Finding, Subject, Verdict};
use sipae_spec::{Requirement, Weight};
use sipae_vectors::{Cause as Wrong, Difference, Outcome};

use super::asked::{Answered, Breakdown};
use super::case::CodecCase;

/// Differences that a finding tells; the others are counted.
const SHOWN: usize = 4;
/// Longest value in a finding, in characters.
const LONGEST: usize = 400;

/// Puts verdicts together.
#[derive(Clone, Copy)]
pub(super) struct Judge<'c> {
    pub(super) case: &'c CodecCase,
    pub(super) strict: bool,
    /// Whether the profile claims the operation.
    pub(super) is_claimed: bool,
}

/// One answer, and what it is held against.
pub(super) struct Seen {
    /// The request as a line.
    pub(super) request: String,
    /// What became of it.
    pub(super) answered: Answered,
    /// What that is worth; none where there is no answer.
    pub(super) outcome: Option<Outcome>,
}

impl Judge<'_> {
    /// The case with a verdict, and why.
    pub(super) fn verdict(self, verdict: Verdict, reason: Option<String>) -> CaseFinished {
        let subject = Subject::of_codec(self.case.scheme());
        let (id, title) = (self.case.case_id().clone(), self.case.title());
        CaseFinished { reason, ..CaseFinished::new(id, subject, title, self.case.requirements(), verdict) }
    }

    pub(super) fn finished(self, seen: &Seen) -> CaseFinished {
        let finished = match (&seen.answered, &seen.outcome) {
            (Answered::NotAsked(reason), _) => return self.verdict(Verdict::Blocked, Some(reason.clone())),
            (Answered::Broken(breakdown), _) => self.broken(breakdown),
            (_, Some(Outcome::Passed)) => self.verdict(Verdict::Pass, None),
            (_, Some(Outcome::Unsupported(reason))) => self.unsupported(reason),
            (_, Some(Outcome::Failed(wrong))) => self.wrong(wrong),
            (Answered::Replied(_), None) => self.verdict(Verdict::Inconclusive, None),
        };
        self.with_exchange(finished, seen)
    }

    fn broken(self, breakdown: &Breakdown) -> CaseFinished {
        let mut finished = self.verdict(Verdict::Fail(breakdown.cause), Some(breakdown.how.clone()));
        if !breakdown.complaints.is_empty() {
            let complaints = breakdown.complaints.as_bytes();
            let name = Exchanged::STANDARD_ERROR;
            finished.push(Exchanged::new(Direction::Received, 1, "the end of it", complaints).of(name));
        }
        finished
    }

    /// A legal answer, unless the profile claims the operation.
    fn unsupported(self, reason: &str) -> CaseFinished {
        if !self.is_claimed {
            return self.verdict(Verdict::Unsupported, Some(reason.to_owned()));
        }
        let expected = format!("an answer: the profile claims {}", self.case.operation());
        self.found(&expected, &format!("unsupported: {reason}"))
    }

    fn wrong(self, wrong: &Wrong) -> CaseFinished {
        let finished = self.broken_rows(wrong);
        match finished.findings.first() {
            Some(finding) if self.case.is_lenient() => {
                let reason = format!(
                    "the inputs break a rule of the grammar, and no row says how they are read then; here {}, this codec {}",
                    finding.expected, finding.got
                );
                self.verdict(Verdict::Inconclusive, Some(reason))
            }
            _ => finished,
        }
    }

    fn broken_rows(self, wrong: &Wrong) -> CaseFinished {
        match wrong {
            Wrong::Differs(differences) => self.differs(differences),
            Wrong::Malformed(reason) => self.found("an answer", &format!("malformed: {reason}")),
            Wrong::NothingExpected => {
                self.verdict(Verdict::Inconclusive, Some("nothing is expected".to_owned()))
            }
        }
    }

    fn differs(self, differences: &[Difference]) -> CaseFinished {
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        for Difference { path, expected: wanted, got: answered } in differences.iter().take(SHOWN) {
            let alike = alike(wanted.as_ref(), answered.as_ref());
            expected.push(format!("{path}: {}", shown(wanted.as_ref(), alike)));
            got.push(format!("{path}: {}", shown(answered.as_ref(), alike)));
        }
        let more = differences.len().saturating_sub(SHOWN);
        if more != 0 {
            expected.push(format!("and {more} more"));
        }
        self.found(&expected.join("; "), &got.join("; "))
    }

    /// Every row of the case is broken; what that means follows from the rows.
    fn found(self, expected: &str, got: &str) -> CaseFinished {
        let rows = self.case.requirements().iter().filter_map(|id| Requirement::get(id));
        let finding = |row: &'static Requirement| Finding {
            requirement: row.id.to_owned(),
            level: row.level,
            reconstructed: row.is_reconstructed(),
            expected: expected.to_owned(),
            got: got.to_owned(),
            weight: row.weight(self.strict),
        };
        let findings: Vec<Finding> = rows.map(finding).collect();
        let fails = findings.iter().any(|finding| finding.weight == Weight::Fail);
        let verdict = if fails { Verdict::Fail(Cause::Reaction) } else { Verdict::Loose };
        CaseFinished { findings, ..self.verdict(verdict, None) }
    }

    /// The request and the answer, where somebody will look at them.
    fn with_exchange(self, mut finished: CaseFinished, seen: &Seen) -> CaseFinished {
        if matches!(finished.verdict, Verdict::Pass | Verdict::Unsupported) {
            return finished;
        }
        let op = self.case.operation();
        let mut exchange = vec![Exchanged::new(Direction::Sent, 1, op, seen.request.as_bytes()).of("codec")];
        if let Answered::Replied(result) = &seen.answered {
            let answer = match result {
                Ok(answer) => serde_json::to_string(answer).unwrap_or_default(),
                Err(refusal) => refusal.to_string(),
            };
            exchange.push(Exchanged::new(Direction::Received, 1, "answer", answer.as_bytes()).of("codec"));
        }
        exchange.append(&mut finished.exchange);
        finished.exchange = exchange;
        finished
    }
}

/// A value in short: what both sides have in common at their beginning is left out where it is long.
fn shown(value: Option<&Value>, alike: usize) -> String {
    let text = match value {
        None => return "missing".to_owned(),
        Some(value) => value.to_string(),
    };
    let begin = text.char_indices().nth(alike).map_or(0, |(place, _)| place);
    let (left_out, rest) = text.split_at(begin);
    let rest = match rest.char_indices().nth(LONGEST) {
        None => rest.to_owned(),
        Some((end, _)) => format!("{}...", rest.get(..end).unwrap_or_default()),
    };
    if left_out.is_empty() { rest } else { format!("({alike} characters alike) ...{rest}") }
}

/// Characters at the beginning that need not be shown.
fn alike(expected: Option<&Value>, got: Option<&Value>) -> usize {
    /// Characters before the first difference that are shown all the same.
    const BEFORE: usize = 24;
    let (Some(Value::String(_)), Some(Value::String(_))) = (expected, got) else { return 0 };
    let text = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    let (expected, got) = (text(expected), text(got));
    let common = expected.chars().zip(got.chars()).take_while(|(one, other)| one == other).count();
    if common < 2 * BEFORE { 0 } else { common - BEFORE }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_two_long_values_have_in_common_is_left_out() {
        let (one, other) = (json!("a".repeat(100) + "x"), json!("a".repeat(100) + "y and more"));
        let alike = alike(Some(&one), Some(&other));
        assert_eq!(shown(Some(&one), alike), format!("(77 characters alike) ...{}x\"", "a".repeat(24)));
        assert_eq!(
            shown(Some(&json!("short")), super::alike(Some(&json!("short")), Some(&json!("shirt")))),
            "\"short\""
        );
        assert_eq!(shown(None, 0), "missing");
    }
}
