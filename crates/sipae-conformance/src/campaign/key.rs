//! What makes two findings the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sipae_events::{CaseFinished, Cause, Finding, Subject, Verdict};
use sipae_spec::Weight;

use crate::reaction::Reaction;

/// Requirement, case, scheme and version, fault and reaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Id of the first requirement that was broken; empty where the target ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub requirement: String,
    /// The case.
    pub case: String,
    /// Scheme and version.
    #[serde(flatten)]
    pub subject: Subject,
    /// The name of the fault in what was sent, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fault: String,
    /// What the target did, without the numbers that it happened to be at.
    pub reaction: String,
}

impl Key {
    pub(crate) fn new(
        case: &str,
        subject: &Subject,
        fault: &str,
        verdict: Verdict,
        findings: &[Finding],
    ) -> Self {
        let grave = findings.iter().find(|finding| finding.weight == Weight::Fail);
        let (requirement, reaction) = match (verdict, grave) {
            (Verdict::Fail(Cause::Crash), _) => ("", CRASH.to_owned()),
            (Verdict::Fail(Cause::Hang), _) => ("", HANG.to_owned()),
            (Verdict::Fail(Cause::Flaky { .. }), Some(finding)) => {
                (finding.requirement.as_str(), FLAKY.to_owned())
            }
            (_, Some(finding)) => (finding.requirement.as_str(), outline(&finding.got)),
            (_, None) => ("", FLAKY.to_owned()),
        };
        Self {
            requirement: requirement.to_owned(),
            case: case.to_owned(),
            subject: subject.clone(),
            fault: fault.to_owned(),
            reaction,
        }
    }

    /// The key of a case that failed; none where it did not.
    #[must_use]
    pub fn of(case: &CaseFinished) -> Option<Self> {
        let key = || Self::new(case.case.as_str(), &case.subject, &case.fault, case.verdict, &case.findings);
        case.verdict.is_fail().then(key)
    }

    /// Whether the target ended, or answered nobody any more.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.requirement.is_empty() && (self.reaction == CRASH || self.reaction == HANG)
    }

    /// Whether the target did not fail each time.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.reaction == FLAKY
    }

    /// Whether the target ended.
    #[must_use]
    pub fn is_crash(&self) -> bool {
        self.requirement.is_empty() && self.reaction == CRASH
    }
}

const CRASH: &str = "the target ended";
const HANG: &str = "the target hangs";
const FLAKY: &str = "not each time";

/// A reaction without its numbers, but for the status code that it begins with. Whether a connection that a target closes is
/// reset depends on what its system has read by then.
fn outline(got: &str) -> String {
    const STATUS: usize = 3;
    if got == Reaction::Reset.to_string() {
        return Reaction::Closed.to_string();
    }
    let digits = got.bytes().take_while(u8::is_ascii_digit).count();
    let (status, rest) = got.split_at(if digits == STATUS { STATUS } else { 0 });
    let mut shown = status.to_owned();
    for plain in rest.chars() {
        match plain {
            '0'..='9' if shown.ends_with('#') => {}
            '0'..='9' => shown.push('#'),
            other => shown.push(other),
        }
    }
    shown
}

/// The findings that are kept already, and how often they were met since.
#[derive(Debug, Default)]
pub struct Known {
    keys: BTreeSet<Key>,
    met: Mutex<BTreeMap<Key, u64>>,
}

impl Known {
    pub(super) fn new(keys: impl Iterator<Item = Key>) -> Self {
        Self { keys: keys.collect(), met: Mutex::default() }
    }

    /// Whether this one is among them; it is counted then.
    pub(crate) fn meets(&self, key: &Key) -> bool {
        let is_known = self.keys.contains(key);
        if is_known {
            *self.counts().entry(key.clone()).or_default() += 1;
        }
        is_known
    }

    pub(super) fn met(&self) -> BTreeMap<Key, u64> {
        self.counts().clone()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, u64>> {
        // Each change is whole: a thread that panicked left good counts.
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sipae_spec::Level;

    use super::*;

    /// Else a failure that comes each time would be passed over as known.
    #[test]
    fn what_fails_now_and_then_is_not_what_fails_each_time() {
        let finding = Finding {
            requirement: "SIPAE-3.3.5.3-03".to_owned(),
            level: Level::Must,
            reconstructed: false,
            expected: "m: refused".to_owned(),
            got: "200, signed".to_owned(),
            weight: Weight::Fail,
        };
        let key = |cause| {
            let subject = Subject::new("NTLM", 4);
            Key::new("3.1/any-case", &subject, "", Verdict::Fail(cause), std::slice::from_ref(&finding))
        };
        let (flaky, steady) = (key(Cause::Flaky { failed: 1, of: 2 }), key(Cause::Reaction));
        assert_ne!(flaky, steady);
        assert_eq!((flaky.is_flaky(), steady.is_flaky()), (true, false));
        assert_eq!(flaky.requirement, steady.requirement);
    }

    #[rstest]
    #[case("200, signed with snum 17", "200, signed with snum #")]
    #[case("401 with a fresh challenge", "401 with a fresh challenge")]
    #[case("connection closed", "connection closed")]
    #[case("connection reset", "connection closed")]
    #[case("1234 octets at 99", "# octets at #")]
    fn the_outline_of_a_reaction_keeps_the_status_and_no_other_number(
        #[case] got: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(outline(got), expected);
    }
}
