//! KerberosTime (RFC 4120 5.2.3).

use std::fmt;
use std::time::Duration;

use crate::clock::Time;

/// A time in whole seconds, written `19700101000000Z`. Years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KerberosTime(u64);

/// Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar.
const DAYS_TO_EPOCH: u64 = 719_468;
const DAYS_OF_400_YEARS: u64 = 146_097;
const SECONDS_OF_DAY: u64 = 86_400;
/// 9999-12-31 23:59:59.
const LATEST: u64 = 253_402_300_799;

impl KerberosTime {
    /// The second that this moment falls into.
    #[must_use]
    pub fn of(time: Time) -> Self {
        Self((time.0 / 1000).min(LATEST))
    }

    /// Its first moment.
    #[must_use]
    pub fn time(self) -> Time {
        Time::default().plus(Duration::from_secs(self.0))
    }

    /// Reads the fifteen characters of GeneralizedTime that Kerberos has: no fraction, always UTC.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let (digits, zone) = text.split_at_checked(14)?;
        let number = |place: usize, length: usize| {
            crate::octets::decimal::<u64>(crate::octets::slice(digits, place, place + length))
        };
        let days = days(number(0, 4)?, number(4, 2)?, number(6, 2)?)?;
        let seconds = number(8, 2)? * 3600 + number(10, 2)? * 60 + number(12, 2)?;
        let time = Self(days * SECONDS_OF_DAY + seconds);
        // What is out of range reads as another time, which is written otherwise.
        (zone == b"Z" && time.to_string().as_bytes() == text).then_some(time)
    }

    /// Year, month and day. Years are counted from March on, so that the leap day is the last one.
    const fn date(self) -> (u64, u64, u64) {
        let days = self.0 / SECONDS_OF_DAY + DAYS_TO_EPOCH;
        let day_of_era = days % DAYS_OF_400_YEARS;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - days_before_year(year_of_era);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = days / DAYS_OF_400_YEARS * 400 + year_of_era;
        (if month <= 2 { year + 1 } else { year }, month, day)
    }
}

const fn days_before_year(year_of_era: u64) -> u64 {
    365 * year_of_era + year_of_era / 4 - year_of_era / 100
}

/// Days since 1970-01-01; `None` for dates before it and months that do not exist.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = days_before_year(year % 400) + day_of_year;
    (year / 400 * DAYS_OF_400_YEARS + day_of_era).checked_sub(DAYS_TO_EPOCH)
}

impl fmt::Display for KerberosTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let seconds = self.0 % SECONDS_OF_DAY;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// Dates of the AP-REQ vectors and of the calendar's corners; seconds as `date -u +%s` has them.
    #[rstest]
    #[case("19700101000000Z", 0)]
    #[case("20000229235959Z", 951_868_799)]
    #[case("20000301000000Z", 951_868_800)]
    #[case("20261123070154Z", 1_795_417_314)]
    #[case("21000228235959Z", 4_107_542_399)]
    #[case("99991231235959Z", LATEST)]
    fn a_time_is_written_and_read_as_the_calendar_has_it(#[case] text: &str, #[case] seconds: u64) {
        assert_eq!(KerberosTime::of(Time(seconds * 1000 + 999)).to_string(), text);
        assert_eq!(KerberosTime::read(text.as_bytes()).map(KerberosTime::time), Some(Time(seconds * 1000)));
    }

    #[rstest]
    #[case("20260229000000Z")]
    #[case("20260931000000Z")]
    #[case("20261301000000Z")]
    #[case("20260001000000Z")]
    #[case("20260100000000Z")]
    #[case("20260101240000Z")]
    #[case("20260101000060Z")]
    #[case("19691231235959Z")]
    #[case("00000000000000Z")]
    #[case("20260101000000")]
    #[case("20260101000000+")]
    #[case("202601010000Z")]
    #[case("20260101000000.5Z")]
    #[case("+0260101000000Z")]
    #[case("")]
    fn what_is_no_such_time_is_not_read(#[case] text: &str) {
        assert_eq!(KerberosTime::read(text.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn every_second_is_read_as_it_was_written(seconds in 0..=LATEST) {
            let time = KerberosTime(seconds);
            prop_assert_eq!(KerberosTime::read(time.to_string().as_bytes()), Some(time));
        }
    }
}
