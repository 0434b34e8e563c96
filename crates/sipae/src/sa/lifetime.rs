//! How long a security association lives ([MS-SIPAE] 3.2.2, 3.3.2).

use std::time::Duration;

use crate::clock::Time;

/// The durations of the timers. Only those who test shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// From establishment to the end: 8 hours (SIPAE-3.3.2-01).
    pub expiry: Duration,
    /// Without a verified message: 15 minutes (SIPAE-3.3.2-03).
    pub idle: Duration,
    /// From a CHALLENGE to the end of an unfinished handshake: as long as the idle timer (SIPAE-3.3.2-07).
    pub handshake: Duration,
    /// Until a connection that has not authenticated is closed: one minute (SIPAE-3.3.2-06 gives no value).
    pub connection: Duration,
    /// What is added to the granted Expires of a REGISTER: 30 seconds (SIPAE-3.3.2-04).
    pub register_margin: Duration,
    /// How long before the end a client authenticates anew: 5 minutes (SIPAE-3.2.2).
    pub client_margin: Duration,
    /// How long a forwarded request waits for its answer: 32 seconds (RFC 3261 17.1.2.2, timer F).
    pub transaction: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            expiry: Duration::from_secs(8 * 60 * 60),
            idle: Duration::from_secs(15 * 60),
            handshake: Duration::from_secs(15 * 60),
            connection: Duration::from_secs(60),
            register_margin: Duration::from_secs(30),
            client_margin: Duration::from_secs(5 * 60),
            transaction: Duration::from_secs(32),
        }
    }
}

impl Durations {
    /// The shortest timer that a server looks at: whoever ticks it has to do so often enough for that one.
    #[must_use]
    pub fn shortest(&self) -> Duration {
        let others = [self.idle, self.handshake, self.connection, self.transaction];
        others.into_iter().fold(self.expiry, Duration::min)
    }
}

/// The two timers of a security association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    expiry: Time,
    idle: Duration,
    used: Time,
}

impl Lifetime {
    /// Both timers started.
    #[must_use]
    pub fn start(now: Time, durations: &Durations) -> Self {
        Self { expiry: now.plus(durations.expiry), idle: durations.idle, used: now }
    }

    /// The same, over when this time comes: credentials end, whatever the timers say (SIPAE-3.3.2-02).
    #[must_use]
    pub fn ending_by(self, end: Option<Time>) -> Self {
        Self { expiry: end.map_or(self.expiry, |end| self.expiry.min(end)), ..self }
    }

    /// A message has verified: the idle timer starts again (SIPAE-3.3.5.3-10).
    pub const fn touch(&mut self, now: Time) {
        self.used = now;
    }

    /// A REGISTER was granted this long: silence is expected meanwhile.
    pub const fn registered(&mut self, granted: Duration, durations: &Durations) {
        self.idle = granted.saturating_add(durations.register_margin);
    }

    /// When a message last verified.
    #[must_use]
    pub const fn used(&self) -> Time {
        self.used
    }

    /// When the first of the timers fires.
    #[must_use]
    pub fn end(&self) -> Time {
        self.expiry.min(self.used.plus(self.idle))
    }

    /// Whether a timer has fired.
    #[must_use]
    pub fn is_over(&self, now: Time) -> bool {
        self.end() <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time(1_000_000);

    fn after(seconds: u64) -> Time {
        START.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn an_unused_association_ends_after_15_minutes_and_a_used_one_after_8_hours() {
        let mut lifetime = Lifetime::start(START, &Durations::default());
        assert!(!lifetime.is_over(after(899)) && lifetime.is_over(after(900)));
        for minutes in (10..480).step_by(10) {
            lifetime.touch(after(60 * minutes));
            assert!(!lifetime.is_over(after(60 * minutes)));
        }
        assert!(!lifetime.is_over(after(28_799)) && lifetime.is_over(after(28_800)));
    }

    #[test]
    fn a_granted_registration_may_be_silent_until_it_ends_and_30_seconds_more() {
        let durations = Durations::default();
        let mut lifetime = Lifetime::start(START, &durations);
        lifetime.registered(Duration::from_secs(3600), &durations);
        assert!(!lifetime.is_over(after(3629)) && lifetime.is_over(after(3630)));
    }
}
