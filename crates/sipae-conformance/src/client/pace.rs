//! How long a client takes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How soon silence is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// Nearly at once: whatever does not pass then is tried again.
    Brisk,
    /// Not before a busy machine has had its time: what was found is for good.
    Patient,
}

impl Haste {
    /// How long what was sent before a clock was set may take to arrive.
    #[must_use]
    pub const fn aftermath(self) -> Duration {
        Duration::from_millis(match self {
            Self::Brisk => 4,
            Self::Patient => 20,
        })
    }

    /// No silence is believed earlier: the scheduler of a busy machine.
    const fn shortest(self) -> Duration {
        Duration::from_millis(match self {
            Self::Brisk => 60,
            Self::Patient => 250,
        })
    }
}

/// What has been learnt about how fast a client goes on, shared by all conversations with it.
#[derive(Debug)]
pub struct ClientPace {
    start: Duration,
    limit: Duration,
    slowest: Mutex<Option<Duration>>,
    /// The longest that it took to tell its user what it had just heard.
    telling: Mutex<Duration>,
}

impl ClientPace {
    /// Steps are expected to take no longer than so many times the slowest one that was seen.
    const MARGIN: u32 = 4;

    /// A client has `start` until it connects, and `limit` for a step before anything is known.
    #[must_use]
    pub const fn new(start: Duration, limit: Duration) -> Self {
        Self { start, limit, slowest: Mutex::new(None), telling: Mutex::new(Duration::ZERO) }
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

    /// The client took this long to tell its user what it had heard.
    pub fn told(&self, time: Duration) {
        let mut telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        *telling = (*telling).max(time.min(self.limit));
    }

    /// How long to wait for what the client would tell its user.
    #[must_use]
    pub fn telling(&self) -> Duration {
        let telling = *self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        (telling * Self::MARGIN).min(self.limit)
    }

    /// How long to wait for what is owed.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.limit
    }

    /// How long nothing must come until it is believed that nothing will.
    #[must_use]
    pub fn quiet(&self, haste: Haste) -> Duration {
        let slowest = *self.slowest.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = slowest.map_or(self.limit, |slowest| slowest * Self::MARGIN);
        quiet.max(haste.shortest()).min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::of_whom_nothing_is_known(Haste::Brisk, &[], 5000)]
    #[case::of_a_fast_one(Haste::Brisk, &[1], 60)]
    #[case::of_a_fast_one_with_patience(Haste::Patient, &[1], 250)]
    #[case::of_a_slow_one(Haste::Brisk, &[1, 200], 800)]
    #[case::of_a_slow_one_with_patience(Haste::Patient, &[200, 1], 800)]
    #[case::of_one_slower_than_the_limit(Haste::Brisk, &[4000], 5000)]
    fn silence_is_believed_soon(#[case] haste: Haste, #[case] steps: &[u64], #[case] ms: u64) {
        let pace = ClientPace::new(Duration::from_secs(10), Duration::from_secs(5));
        steps.iter().for_each(|ms| pace.measured(Duration::from_millis(*ms)));
        assert_eq!(pace.quiet(haste), Duration::from_millis(ms));
    }

    #[test]
    fn what_is_told_late_is_waited_for() {
        let pace = ClientPace::new(Duration::from_secs(10), Duration::from_secs(5));
        assert_eq!(pace.telling(), Duration::ZERO);
        pace.told(Duration::from_millis(300));
        pace.told(Duration::from_millis(10));
        assert_eq!(pace.telling(), Duration::from_millis(1200));
        pace.told(Duration::from_secs(60));
        assert_eq!(pace.telling(), Duration::from_secs(5));
    }
}
