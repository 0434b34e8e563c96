//! Reports: pure functions of the stream of events. A report that breaks changes no verdict.

mod bundle;
mod command;
mod console;
mod expected;
mod json;
mod junit;
mod ladder;
mod levels;
mod palette;
mod progress;
#[cfg(test)]
mod sample;
mod text;

pub use bundle::{Bundles, write_bundle};
pub use console::Console;
pub use expected::{
    Comparison, ComparisonCounts, Disagreement, DisagreementKind, ExpectedFailure, ExpectedFailures, TO_DO,
};
pub use json::JsonLines;
pub use junit::Junit;
pub use progress::Progress;
pub use text::visible;

use std::io;

use sipae_events::Event;

/// A report that is written while the run goes on.
pub trait Writer {
    /// Takes the next event.
    ///
    /// # Errors
    /// When the report cannot be written.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}
