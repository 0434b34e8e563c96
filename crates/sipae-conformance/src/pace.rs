//! How long the target takes, and what that says of the answers that are missing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Kinds of steps that take their own time: a logon asks a domain controller, a delivery goes through two clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepClass {
    /// A request that asks for a challenge.
    Handshake,
    /// A request with a token of a user, about which a target may ask a domain controller.
    Logon,
    /// A signed request that the target answers itself.
    Request,
    /// A request that the target delivers to another client.
    Delivery,
}

/// Smoothed round-trip time and its variation (RFC 6298 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
}

impl Estimate {
    fn first(measured: Duration) -> Self {
        Self { smoothed: measured, variation: measured / 2 }
    }

    /// RFC 6298 2.3, with its gains of 1/8 and 1/4.
    fn next(self, measured: Duration) -> Self {
        let deviation = self.smoothed.abs_diff(measured);
        Self { variation: (self.variation * 3 + deviation) / 4, smoothed: (self.smoothed * 7 + measured) / 8 }
    }

    fn timeout(self) -> Duration {
        self.smoothed + self.variation * 4
    }
}

/// What has been learnt about how a target answers, shared by everything that talks to it.
#[derive(Debug)]
pub struct Pace {
    limit: Duration,
    estimates: [Mutex<Option<Estimate>>; 4],
    in_order: AtomicBool,
    closes_on_asking: AtomicBool,
}

impl Pace {
    /// No time-out is shorter: RFC 6298 2.4, and the scheduler of a busy machine.
    pub const SHORTEST: Duration = Duration::from_secs(1);

    /// Nothing is known yet; no answer is waited for longer than `limit`.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            limit,
            estimates: Default::default(),
            in_order: AtomicBool::new(false),
            closes_on_asking: AtomicBool::new(false),
        }
    }

    /// The longest that an answer may take.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }

    /// An answer took this long.
    pub fn measured(&self, class: StepClass, time: Duration) {
        let mut estimate = self.estimate(class);
        *estimate = Some(estimate.map_or(Estimate::first(time), |known| known.next(time)));
    }

    /// How long to wait for an answer that is owed, before it counts as missed and is looked into. What is not known
    /// yet has all the time that the profile gives.
    #[must_use]
    pub fn patience(&self, class: StepClass) -> Duration {
        let timeout = self.estimate(class).map_or(self.limit, Estimate::timeout);
        (timeout * 2).max(Self::SHORTEST).min(self.limit)
    }

    /// How long to wait before a missing answer is asked behind: twice the time-out, whatever the scheduler of a machine does.
    #[must_use]
    pub fn soon(&self, class: StepClass) -> Duration {
        const SHORTEST: Duration = Duration::from_millis(10);
        let timeout = self.estimate(class).map_or(self.limit, Estimate::timeout);
        (timeout * 2).max(SHORTEST).min(self.patience(class))
    }

    /// How long nothing must come, where answers may overtake each other, until silence is believed.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        let classes = [StepClass::Handshake, StepClass::Logon, StepClass::Request, StepClass::Delivery];
        let slowest =
            classes.into_iter().filter_map(|class| self.estimate(class).map(Estimate::timeout)).max();
        (slowest.unwrap_or(self.limit) * 2).max(Self::SHORTEST).min(self.limit)
    }

    /// Whether the target answers in the order of the requests, as far as it has been seen: only then does a fence
    /// prove silence.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.in_order.load(Ordering::Relaxed)
    }

    /// What the gate has seen of the order of answers, or any case of an answer that overtook another one.
    pub fn set_in_order(&self, in_order: bool) {
        self.in_order.store(in_order, Ordering::Relaxed);
    }

    /// Whether a request without credential may be asked behind what is not answered.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        !self.closes_on_asking.load(Ordering::Relaxed)
    }

    /// The target has closed a connection over such a request.
    pub fn forbid_asking(&self) {
        self.closes_on_asking.store(true, Ordering::Relaxed);
    }

    fn estimate(&self, class: StepClass) -> std::sync::MutexGuard<'_, Option<Estimate>> {
        let [handshake, logon, request, delivery] = &self.estimates;
        let estimate = match class {
            StepClass::Handshake => handshake,
            StepClass::Logon => logon,
            StepClass::Request => request,
            StepClass::Delivery => delivery,
        };
        // An estimate is replaced as a whole: a thread that panicked left a good one.
        estimate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn measured(times: &[u64]) -> Pace {
        let pace = Pace::new(LIMIT);
        for time in times {
            pace.measured(StepClass::Request, Duration::from_millis(*time));
        }
        pace
    }

    #[test]
    fn what_has_not_been_measured_has_all_the_time_of_the_profile() {
        let pace = measured(&[1]);
        assert_eq!(pace.patience(StepClass::Handshake), LIMIT);
        assert_eq!(pace.patience(StepClass::Request), Pace::SHORTEST);
    }

    /// RFC 6298 2.2: after the first measurement R the time-out is R + 4 * R/2.
    #[test]
    fn the_first_measurement_gives_three_times_itself() {
        assert_eq!(measured(&[2000]).patience(StepClass::Request), Duration::from_secs(12));
    }

    #[test]
    fn steady_answers_bring_the_time_out_near_them_and_a_slow_one_brings_it_up_again() {
        let steady = measured(&[2000; 64]).patience(StepClass::Request);
        assert!(steady < Duration::from_millis(4100), "{steady:?}");
        let mut times = [2000; 65];
        times[64] = 6000;
        assert!(steady + Duration::from_secs(4) < measured(&times).patience(StepClass::Request));
    }

    /// Twice the time-out, which is three times the first measurement; no scheduler is as quick as answers may be.
    #[rstest::rstest]
    #[case::quick(&[1], 10)]
    #[case::slow(&[100], 600)]
    #[case::unknown(&[], 30_000)]
    fn what_is_missing_is_soon_asked_behind(#[case] times: &[u64], #[case] expected: u64) {
        assert_eq!(measured(times).soon(StepClass::Request), Duration::from_millis(expected));
    }

    #[test]
    fn nothing_is_waited_for_longer_than_the_profile_says() {
        assert_eq!(measured(&[60_000]).patience(StepClass::Request), LIMIT);
        assert_eq!(measured(&[60_000]).quiet(), LIMIT);
    }
}
