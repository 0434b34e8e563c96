//! How long something has taken, for whoever measures.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time of several pieces of work together, whoever did them.
#[derive(Debug, Default)]
pub struct Stopwatch {
    nanoseconds: AtomicU64,
}

impl Stopwatch {
    /// The time of all that has been measured.
    #[must_use]
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    pub(super) fn measured<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        let nanoseconds = begun.elapsed().as_nanos().try_into().unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        done
    }
}
