//! The stable vocabulary of results: what the engine says and all that a report sees.
//!
//! A run is one stream of [`Event`]s. Every report, [`Totals`] and [`ExitCode`] are pure functions of it, so a
//! stored stream can be reported again at any time. There is no wall-clock in it: two runs that did the same
//! thing give the same octets.

mod case;
mod event;
mod exit;
mod tally;
mod text;
mod verdict;

pub use case::{BadCaseId, CaseId, Subject};
pub use event::{
    BufferField, CaseFinished, CaseStarted, Direction, Event, Exchanged, Finding, GateFinished, GateOutcome,
    RunFinished, RunStarted, SignatureSeen,
};
pub use exit::{BadExitCode, ExitCode};
pub use tally::{LevelCounts, Tally, Totals, VerdictCounts};
pub use verdict::{Cause, Verdict};
