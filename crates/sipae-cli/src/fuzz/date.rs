//! The date, for people.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-03-01 06:30 UTC`.
pub(super) fn now() -> String {
    date(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

fn date(seconds: u64) -> String {
    let (days, minutes) = (seconds / 86_400, seconds % 86_400 / 60);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// Year, month and day of so many days after 1970-01-01, in years that begin with March: the day that not every year has
/// is the last one then.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    /// From 0000-03-01 to 1970-01-01.
    const BEFORE: u64 = 719_468;
    let days = days + BEFORE;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next = 10 <= month;
    let month = if is_next { month - 9 } else { month + 3 };
    (era * 400 + year + u64::from(is_next), month, day)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "1970-01-01 00:00 UTC")]
    #[case(951_782_399, "2000-02-28 23:59 UTC")]
    #[case(951_782_400, "2000-02-29 00:00 UTC")]
    #[case(951_868_800, "2000-03-01 00:00 UTC")]
    #[case(1_767_225_599, "2025-12-31 23:59 UTC")]
    #[case(4_107_542_400, "2100-03-01 00:00 UTC")]
    fn a_date_is_that_of_the_calendar(#[case] seconds: u64, #[case] expected: &str) {
        assert_eq!(date(seconds), expected);
    }
}
