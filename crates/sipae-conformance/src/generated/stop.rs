//! What ends a search before its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Ends what looks at it once somebody asks, or a moment has come. Clones are asked together.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    at: Option<Instant>,
}

impl Stop {
    /// The same, at this moment at the latest.
    #[must_use]
    pub fn at(&self, moment: Instant) -> Self {
        Self { asked: Arc::clone(&self.asked), at: Some(moment) }
    }

    /// The same, when somebody asks alone.
    #[must_use]
    pub fn without_time(&self) -> Self {
        Self { asked: Arc::clone(&self.asked), at: None }
    }

    /// Asks for the end.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether it is time to end.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.is_asked() || self.at.is_some_and(|at| at <= Instant::now())
    }
}
