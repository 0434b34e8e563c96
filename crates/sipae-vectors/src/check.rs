//! Putting vectors to a codec.

use std::collections::BTreeMap;

use core::fmt;

use crate::answer::{Answer, Expected};
use crate::compare::Difference;
use crate::file::{Vector, VectorFile};
use crate::operation::Operation;

/// Whoever computes: the reference, a foreign implementation behind a pipe, a deliberately wrong one.
pub trait Codec {
    /// The results of an operation; a codec may keep state, but the answer must depend on the operation alone.
    fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal>;
}

/// Why a codec gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The codec does not do this operation, or not with these inputs; says which.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The codec says that nothing can be computed from the inputs; says why. No vector expects that.
    #[error("malformed: {0}")]
    Malformed(String),
}

/// How many vectors came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The answer is the expected one.
    pub passed: usize,
    /// The answer is wrong or missing.
    pub failed: usize,
    /// The codec does not do the operation.
    pub unsupported: usize,
}

/// A vector that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// File of the vector.
    pub file: String,
    /// Family of the vector.
    pub family: String,
    /// Id of the vector.
    pub id: String,
    /// Name of the operation.
    pub op: &'static str,
    /// What is wrong.
    pub cause: Cause,
}

/// What is wrong with the outcome of a vector.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The answer differs in these places.
    Differs(Vec<Difference>),
    /// The codec says that nothing can be computed, for this reason.
    Malformed(String),
    /// The vector expects nothing, so that no answer could be wrong.
    NothingExpected,
}

impl fmt::Display for Failure {
    /// One line, and one more for each difference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: vector {:?}: {}: ", self.file, self.id, self.op)?;
        match &self.cause {
            Cause::Differs(differences) => {
                f.write_str("wrong answer")?;
                differences.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
            }
            Cause::Malformed(reason) => write!(f, "the codec finds the inputs malformed: {reason}"),
            Cause::NothingExpected => f.write_str("the vector expects nothing"),
        }
    }
}

/// What came out of a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Counts by family.
    pub families: BTreeMap<String, Counts>,
    /// The failures in the order of the files, with their differences in full.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Sum of the counts of all families.
    #[must_use]
    pub fn total(&self) -> Counts {
        self.families.values().fold(Counts::default(), |sum, counts| Counts {
            passed: sum.passed + counts.passed,
            failed: sum.failed + counts.failed,
            unsupported: sum.unsupported + counts.unsupported,
        })
    }

    /// Whether something passed and nothing failed: a check of nothing is not green.
    #[must_use]
    pub fn is_green(&self) -> bool {
        let total = self.total();
        0 < total.passed && total.failed == 0
    }

    fn count(&mut self, file: &VectorFile, vector: &Vector, outcome: Outcome) {
        let counts = self.families.entry(file.family.clone()).or_default();
        match outcome {
            Outcome::Passed => counts.passed += 1,
            Outcome::Unsupported(_) => counts.unsupported += 1,
            Outcome::Failed(cause) => {
                counts.failed += 1;
                self.failures.push(failure(file, vector, cause));
            }
        }
    }
}

/// What came out of a vector.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The answer is the expected one.
    Passed,
    /// The codec does not do that, for this reason.
    Unsupported(String),
    /// The answer is wrong or missing.
    Failed(Cause),
}

/// Puts every vector to the codec, in order. A panic of the codec goes through.
pub fn check(files: &[VectorFile], codec: &mut dyn Codec) -> Report {
    let mut report = Report::default();
    for file in files {
        for vector in &file.vectors {
            report.count(file, vector, outcome(vector, codec));
        }
    }
    report
}

fn outcome(vector: &Vector, codec: &mut dyn Codec) -> Outcome {
    vector.expected.judge(&codec.answer(&vector.operation))
}

impl Expected {
    /// What an answer is worth.
    #[must_use]
    pub fn judge(&self, answer: &Result<Answer, Refusal>) -> Outcome {
        match answer {
            Err(Refusal::Unsupported(reason)) => Outcome::Unsupported(reason.clone()),
            _ if self.is_empty() => Outcome::Failed(Cause::NothingExpected),
            Err(Refusal::Malformed(_)) if self.is_refusal() => Outcome::Passed,
            Err(Refusal::Malformed(reason)) => Outcome::Failed(Cause::Malformed(reason.clone())),
            Ok(answer) if !self.is_compared_with(answer) => {
                Outcome::Unsupported("the codec remarks nothing".to_owned())
            }
            Ok(answer) => compared(answer.differences(self)),
        }
    }
}

fn compared(differences: Vec<Difference>) -> Outcome {
    if differences.is_empty() { Outcome::Passed } else { Outcome::Failed(Cause::Differs(differences)) }
}

fn failure(file: &VectorFile, vector: &Vector, cause: Cause) -> Failure {
    Failure {
        file: file.name.clone(),
        family: file.family.clone(),
        id: vector.id.clone(),
        op: vector.operation.name(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::file::{Provenance, parse_file};

    struct Closure<F>(F);

    impl<F: FnMut(&Operation) -> Result<Answer, Refusal>> Codec for Closure<F> {
        fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
            self.0(operation)
        }
    }

    fn run(files: &[VectorFile], answer: impl FnMut(&Operation) -> Result<Answer, Refusal>) -> Report {
        check(files, &mut Closure(answer))
    }

    fn file() -> VectorFile {
        let vector = |id: &str, text: &str, decoded: &str| {
            json!({"id": id, "op": "base16", "source": "RFC 4648", "provenance": "published",
                "inputs": {"text": text}, "expected": {"decoded": decoded}, "note": ""})
        };
        let text = json!({"family": "encoding", "description": "d",
            "vectors": [vector("b16-1", "AB", "ab"), vector("b16-2", "CD", "cd")]});
        parse_file("encoding/encoding.json", &text.to_string()).expect("a vector file")
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape of a codec")]
    fn right(operation: &Operation) -> Result<Answer, Refusal> {
        let Operation::Base16(inputs) = operation else { panic!("only base16 here") };
        Ok(Answer::new().text("decoded", inputs.text.clone()))
    }

    #[test]
    fn right_answers_are_green_and_counted_by_family() {
        let report = run(&[file()], right);
        assert!(report.is_green());
        assert_eq!(report.families["encoding"], Counts { passed: 2, ..Counts::default() });
    }

    #[test]
    fn a_wrong_answer_is_a_failure_with_both_values() {
        let report = run(&[file()], |_| Ok(Answer::new().hex("decoded", &[0xab])));
        assert!(!report.is_green());
        assert_eq!(report.total(), Counts { passed: 1, failed: 1, unsupported: 0 });
        let text = report.failures[0].to_string();
        assert_eq!(
            text,
            "encoding/encoding.json: vector \"b16-2\": base16: wrong answer\n  decoded: expected \"cd\", got \"ab\""
        );
    }

    #[test]
    fn an_answer_without_the_result_is_a_failure() {
        let report = run(&[file()], |_| Ok(Answer::new()));
        let expected = Difference { path: "decoded".into(), expected: Some(json!("ab")), got: None };
        assert_eq!(report.failures[0].cause, Cause::Differs(vec![expected]));
    }

    #[test]
    fn finding_the_inputs_malformed_is_a_failure() {
        let report = run(&[file()], |_| Err(Refusal::Malformed("why".into())));
        assert_eq!(report.failures[1].cause, Cause::Malformed("why".into()));
        assert!(!report.is_green());
    }

    #[test]
    fn finding_the_inputs_malformed_is_the_answer_where_a_refusal_is_expected() {
        let refusal: Expected = [("buffers".to_owned(), json!(null))].into_iter().collect();
        assert_eq!(refusal.judge(&Err(Refusal::Malformed("two From".into()))), Outcome::Passed);
        assert_eq!(refusal.judge(&Ok(Answer::new().value("buffers", json!(null)))), Outcome::Passed);
        assert!(matches!(refusal.judge(&Ok(Answer::new())), Outcome::Failed(_)));
        let buffers = Ok(Answer::new().texts("buffers", [("4", "<NTLM>")]));
        assert!(matches!(refusal.judge(&buffers), Outcome::Failed(_)));
    }

    #[test]
    fn an_answer_of_which_nothing_is_compared_is_no_pass() {
        let remarks: Expected = [("findings".to_owned(), json!(["comma-missing"]))].into_iter().collect();
        assert!(matches!(remarks.judge(&Ok(Answer::new().text("scheme", "NTLM"))), Outcome::Unsupported(_)));
        let silent = Ok(Answer::new().value("findings", json!([])));
        assert!(matches!(remarks.judge(&silent), Outcome::Failed(_)));
    }

    #[test]
    fn zero_vectors_are_not_green() {
        assert!(!run(&[], right).is_green());
        assert!(!run(&[VectorFile { vectors: vec![], ..file() }], right).is_green());
    }

    #[test]
    fn unsupported_alone_is_not_green_but_does_not_spoil_what_passed() {
        let mut first = true;
        let refuse = |_: &Operation| Err(Refusal::Unsupported("base16".into()));
        assert!(!run(&[file()], refuse).is_green());
        let report =
            run(
                &[file()],
                |operation| {
                    if std::mem::take(&mut first) { right(operation) } else { refuse(operation) }
                },
            );
        assert!(report.is_green());
        assert_eq!(report.total(), Counts { passed: 1, failed: 0, unsupported: 1 });
    }

    #[test]
    fn a_vector_that_expects_nothing_is_a_failure() {
        let mut file = file();
        file.vectors.truncate(1);
        file.vectors[0].expected = Expected::default();
        assert_eq!(file.vectors[0].provenance, Provenance::Published);
        assert_eq!(run(&[file], right).failures[0].cause, Cause::NothingExpected);
    }
}
