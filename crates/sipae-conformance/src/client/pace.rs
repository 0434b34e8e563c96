//! How long a client takes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What has been learnt about how fast a client goes on, shared by all conversations with it.
#[derive(Debug)]
pub struct ClientPace {
    start: Duration,
    limit: Duration,
    slowest: Mutex<Option<Duration>>,
}

impl ClientPace {
    /// No silence is believed earlier: the scheduler of a busy machine.
    const SHORTEST: Duration = Duration::from_millis(250);
    /// Steps are expected to take no longer than so many times the slowest one that was seen.
    const MARGIN: u32 = 4;

    /// A client has `start` until it connects, and `limit` for a step before anything is known.
    #[must_use]
    pub const fn new(start: Duration, limit: Duration) -> Self {
        Self { start, limit, slowest: Mutex::new(None) }
    }

    /// How long a client may take until its first request.
    #[must_use]
    pub const fn start(&self) -> Duration {
        self.start
    }

    /// A step took this long.
    pub fn measured(&self, time: Duration) {
        let mut slowest = self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        *slowest = Some(slowest.unwrap_or_default().max(time.min(self.limit)));
    }

    /// How long to wait for what is owed.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.limit
    }

    /// How long nothing must come until it is believed that nothing will.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        let slowest = *self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = slowest.map_or(self.limit, |slowest| slowest * Self::MARGIN);
        quiet.max(Self::SHORTEST).min(self.limit)
    }
}
