//! What came out of a case.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What came out of a case. Each is given once and never revised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The target did what the row asks for.
    Pass,
    /// A row is broken that does not fail a target: a SHOULD, or one that is reconstructed.
    Loose,
    /// A row is broken that fails the target, or the target broke down.
    Fail(Cause),
    /// The case ran, and nothing that can be seen decides it.
    Inconclusive,
    /// A resource or a gate that the case needs was missing; nothing was sent.
    Blocked,
    /// The profile does not claim what the case needs; nothing was sent.
    Unsupported,
    /// The run ended before the case did.
    Cancelled,
}

/// Why a case failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The target showed a reaction that is not legal.
    Reaction,
    /// The target was silent where it has to answer.
    Silent,
    /// The target ended.
    Crash,
    /// The target no longer answers, on new connections either.
    Hang,
    /// The case did not fail each time that it was repeated.
    Flaky {
        /// How many times it failed.
        failed: u32,
        /// How many times it ran.
        of: u32,
    },
}

impl Verdict {
    /// Whether the case ran and its outcome says something about the target.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Pass | Self::Loose | Self::Fail(_))
    }

    /// Whether the case failed, for whatever cause.
    #[must_use]
    pub const fn is_fail(self) -> bool {
        matches!(self, Self::Fail(_))
    }

    /// Lower-case name without the cause.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Loose => "loose",
            Self::Fail(_) => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Blocked => "blocked",
            Self::Unsupported => "unsupported",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Cause {
    /// The words for causes, in the order of the enumeration.
    pub const NAMES: [&str; 5] = ["reaction", "silent", "crash", "hang", "flaky"];

    /// Lower-case name without the counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reaction => "reaction",
            Self::Silent => "silent",
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::Flaky { .. } => "flaky",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fail(cause) => write!(f, "fail ({cause})"),
            other => f.write_str(other.name()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flaky { failed, of } => write!(f, "flaky, {failed} of {of}"),
            other => f.write_str(other.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Verdict::Pass, "pass", r#""pass""#)]
    #[case(Verdict::Unsupported, "unsupported", r#""unsupported""#)]
    #[case(Verdict::Fail(Cause::Silent), "fail (silent)", r#"{"fail":"silent"}"#)]
    #[case(
        Verdict::Fail(Cause::Flaky { failed: 2, of: 5 }),
        "fail (flaky, 2 of 5)",
        r#"{"fail":{"flaky":{"failed":2,"of":5}}}"#
    )]
    fn a_verdict_is_written_for_people_and_for_programs(
        #[case] verdict: Verdict,
        #[case] text: &str,
        #[case] json: &str,
    ) {
        assert_eq!(verdict.to_string(), text);
        assert_eq!(serde_json::to_string(&verdict).unwrap(), json);
        assert_eq!(serde_json::from_str::<Verdict>(json).unwrap(), verdict);
    }
}
