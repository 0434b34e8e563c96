//! How the program ends.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::tally::Tally;

/// How the program ends. Stable: scripts may rely on the numbers.
///
/// Where several hold, the first of this order is the one: 7, 2, 6, 3, 4, 1, 5, 0. What makes the result
/// worthless comes before what the result says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum ExitCode {
    /// 0: nothing failed; inconclusive and unsupported cases are allowed beside one that passed or is loose.
    Passed = 0,
    /// 1: a requirement failed, flaky ones included.
    Failed = 1,
    /// 2: the command line or the profile is wrong.
    Usage = 2,
    /// 3: a gate failed, so the cases behind it were blocked.
    Blocked = 3,
    /// 4: no case ran to a decision; a run that shows nothing is never green.
    NothingRan = 4,
    /// 5: the list of expected failures is not what came out.
    Stale = 5,
    /// 6: the target crashed.
    Crash = 6,
    /// 7: the suite itself failed.
    Internal = 7,
}

impl ExitCode {
    /// Every code, the one that takes precedence first.
    pub const BY_PRECEDENCE: [Self; 8] = [
        Self::Internal,
        Self::Usage,
        Self::Crash,
        Self::Blocked,
        Self::NothingRan,
        Self::Failed,
        Self::Stale,
        Self::Passed,
    ];

    /// The code of a stream of events; see [`Tally::exit`].
    #[must_use]
    pub fn from_events<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        events.into_iter().collect::<Tally>().exit()
    }

    /// The one of two that takes precedence.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.rank() <= other.rank() { self } else { other }
    }

    /// The number that the process returns.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    fn rank(self) -> Option<usize> {
        Self::BY_PRECEDENCE.iter().position(|code| *code == self)
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "a requirement failed",
            Self::Usage => "wrong usage or profile",
            Self::Blocked => "a gate failed",
            Self::NothingRan => "nothing ran",
            Self::Stale => "the list of expected failures is stale",
            Self::Crash => "the target crashed",
            Self::Internal => "internal error",
        })
    }
}

impl From<ExitCode> for u8 {
    fn from(exit: ExitCode) -> Self {
        exit.code()
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(exit: ExitCode) -> Self {
        Self::from(exit.code())
    }
}

impl TryFrom<u8> for ExitCode {
    type Error = BadExitCode;

    fn try_from(code: u8) -> Result<Self, Self::Error> {
        Self::BY_PRECEDENCE.into_iter().find(|exit| exit.code() == code).ok_or(BadExitCode(code))
    }
}

/// A number that is none of the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadExitCode(u8);

impl fmt::Display for BadExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown exit code `{}`", self.0)
    }
}

impl std::error::Error for BadExitCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_order_decides_between_two_codes() {
        let codes = ExitCode::BY_PRECEDENCE.map(ExitCode::code);
        assert_eq!(codes, [7, 2, 6, 3, 4, 1, 5, 0]);
        for pair in ExitCode::BY_PRECEDENCE.windows(2) {
            assert_eq!(pair[0].or(pair[1]), pair[0]);
            assert_eq!(pair[1].or(pair[0]), pair[0]);
        }
    }

    #[test]
    fn every_code_is_found_by_its_number_and_no_other() {
        for exit in ExitCode::BY_PRECEDENCE {
            assert_eq!(ExitCode::try_from(exit.code()), Ok(exit));
        }
        assert_eq!(ExitCode::try_from(8), Err(BadExitCode(8)));
    }
}
