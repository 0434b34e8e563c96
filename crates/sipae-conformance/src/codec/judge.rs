//! From an answer to a verdict.

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
    pub(super) fn not_run(self, verdict: Verdict, reason: Option<String>) -> CaseFinished {
        CaseFinished {
            case: self.case.case_id().clone(),
            subject: Subject::of_codec(self.case.scheme()),
            title: self.case.title().to_owned(),
            requirements: self.case.requirements().iter().map(ToString::to_string).collect(),
            verdict,
            findings: Vec::new(),
            reason,
            exchange: Vec::new(),
            exchange_left_out: 0,
            signatures: Vec::new(),
        }
    }

    pub(super) fn finished(self, seen: &Seen) -> CaseFinished {
        let finished = match (&seen.answered, &seen.outcome) {
            (Answered::NotAsked(reason), _) => return self.not_run(Verdict::Blocked, Some(reason.clone())),
            (Answered::Broken(breakdown), _) => self.broken(breakdown),
            (_, Some(Outcome::Passed)) => self.not_run(Verdict::Pass, None),
            (_, Some(Outcome::Unsupported(reason))) => self.unsupported(reason),
            (_, Some(Outcome::Failed(wrong))) => self.wrong(wrong),
            (Answered::Replied(_), None) => self.not_run(Verdict::Inconclusive, None),
        };
        self.with_exchange(finished, seen)
    }

    fn broken(self, breakdown: &Breakdown) -> CaseFinished {
        let mut finished = self.not_run(Verdict::Fail(breakdown.cause), Some(breakdown.how.clone()));
        if !breakdown.complaints.is_empty() {
            let complaints = breakdown.complaints.as_bytes();
            finished.push(Exchanged::new(Direction::Received, 1, "standard error", complaints).of("codec"));
        }
        finished
    }

    /// A legal answer, unless the profile claims the operation.
    fn unsupported(self, reason: &str) -> CaseFinished {
        if !self.is_claimed {
            return self.not_run(Verdict::Unsupported, Some(reason.to_owned()));
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
                self.not_run(Verdict::Inconclusive, Some(reason))
            }
            _ => finished,
        }
    }

    fn broken_rows(self, wrong: &Wrong) -> CaseFinished {
        match wrong {
            Wrong::Differs(differences) => self.differs(differences),
            Wrong::Malformed(reason) => self.found("an answer", &format!("malformed: {reason}")),
            Wrong::NothingExpected => {
                self.not_run(Verdict::Inconclusive, Some("nothing is expected".to_owned()))
            }
        }
    }

    fn differs(self, differences: &[Difference]) -> CaseFinished {
        let side = |side: fn(&Difference) -> Option<&serde_json::Value>| {
            let shown = differences.iter().take(SHOWN).map(|difference| {
                let value = side(difference).map_or_else(|| "nothing".to_owned(), ToString::to_string);
                format!("{}: {}", difference.path, cut(&value))
            });
            let more = differences.len().saturating_sub(SHOWN);
            let more = (more != 0).then(|| format!("and {more} more"));
            shown.chain(more).collect::<Vec<_>>().join("; ")
        };
        self.found(
            &side(|difference| difference.expected.as_ref()),
            &side(|difference| difference.got.as_ref()),
        )
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
        CaseFinished { findings, ..self.not_run(verdict, None) }
    }

    /// The request and the answer, where somebody will look at them.
    fn with_exchange(self, mut finished: CaseFinished, seen: &Seen) -> CaseFinished {
        if matches!(finished.verdict, Verdict::Pass | Verdict::Unsupported) {
            return finished;
        }
        let op = self.case.operation();
        let mut exchange = vec![Exchanged::new(Direction::Sent, 1, op, seen.request.as_bytes()).of("suite")];
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

fn cut(value: &str) -> String {
    match value.char_indices().nth(LONGEST) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}...", value.get(..end).unwrap_or_default()),
    }
}
