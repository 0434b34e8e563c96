//! Time and randomness, handed in by whoever drives a state machine.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: milliseconds since the Unix epoch. Nothing in this crate reads a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub u64);

/// Seconds from 1601-01-01 to 1970-01-01.
const FILETIME_EPOCH: u64 = 11_644_473_600;

impl Time {
    /// A moment later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Windows FILETIME, little-endian: 100 ns since 1601 ([MS-NLMP] 2.2.2.7).
    #[must_use]
    pub const fn filetime(self) -> [u8; 8] {
        let milliseconds = self.0.saturating_add(FILETIME_EPOCH * 1000);
        milliseconds.saturating_mul(10_000).to_le_bytes()
    }

    /// The form of the Date header field: `Thu, 31 Jan 2008 00:01:56 GMT` (RFC 3261 20.17).
    #[must_use]
    pub fn date(self) -> String {
        const YEAR_9999: u64 = 253_402_300_799_000;
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(self.0.min(YEAR_9999)))
    }

    /// Reads a Date header field.
    #[must_use]
    pub fn from_date(text: &str) -> Option<Self> {
        httpdate::parse_http_date(text).ok().map(Self::from)
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::default().plus(since_epoch)
    }
}

/// A source of randomness. A seeded one makes a whole conversation repeatable.
pub trait Entropy {
    /// Fills `octets`.
    fn fill(&mut self, octets: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` octets.
    pub fn octets<const N: usize>(&mut self) -> [u8; N] {
        let mut octets = [0; N];
        self.fill(&mut octets);
        octets
    }
}

impl<F: FnMut(&mut [u8])> Entropy for F {
    fn fill(&mut self, octets: &mut [u8]) {
        self(octets);
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [MS-SIPAE] 4.1, message 2.
    #[test]
    fn a_date_is_written_and_read_in_the_form_of_rfc_1123() {
        let date = "Thu, 31 Jan 2008 00:01:56 GMT";
        assert_eq!(Time::from_date(date).map(Time::date).as_deref(), Some(date));
        assert_eq!(Time::from_date("yesterday"), None);
    }

    #[test]
    fn the_unix_epoch_is_11_644_473_600_seconds_after_that_of_filetime() {
        assert_eq!(u64::from_le_bytes(Time(0).filetime()), 116_444_736_000_000_000);
    }
}
