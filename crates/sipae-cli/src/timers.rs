//! Times on the command line: the arguments `--timers` of `sipae serve` and `--for` of `sipae fuzz`.

use std::time::Duration;

use sipae_conformance::profile::TimerDurations;

/// No timer is longer: far beyond every use, and far from where times overflow.
const LONGEST: Duration = Duration::from_secs(10_000 * 60 * 60);

/// Reads `expiry=6s,idle=2s`.
pub(crate) fn timers(text: &str) -> Result<TimerDurations, String> {
    let mut timers = TimerDurations::default();
    for part in text.split(',') {
        let (name, value) =
            part.split_once('=').ok_or_else(|| format!("{part:?} is not of the form TIMER=TIME"))?;
        let timer = timer(&mut timers, name)?;
        if timer.replace(time(name, value)?).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    Ok(timers)
}

/// Reads `8h`.
pub(crate) fn time_of_night(text: &str) -> Result<Duration, String> {
    time("--for", text)
}

fn timer<'t>(timers: &'t mut TimerDurations, name: &str) -> Result<&'t mut Option<Duration>, String> {
    match name {
        "expiry" => Ok(&mut timers.expiry),
        "idle" => Ok(&mut timers.idle),
        "handshake" => Ok(&mut timers.handshake),
        "connection" => Ok(&mut timers.connection),
        _ => Err(format!("{name:?} is not one of expiry, idle, handshake, connection")),
    }
}

/// Reads a time such as `10m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    time("time", text)
}

/// A whole number with its unit.
fn time(name: &str, value: &str) -> Result<Duration, String> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at_checked(digits).unwrap_or_default();
    let unread = || format!("{name}: {value:?} is not a whole number with ms, s, m or h");
    let (number, unit) = number.parse::<u64>().ok().zip(milliseconds(unit)).ok_or_else(unread)?;
    let time = Duration::from_millis(number.saturating_mul(unit));
    if time.is_zero() || LONGEST < time {
        return Err(format!("{name}: {value} is not in 1ms to 10000h"));
    }
    Ok(time)
}

fn milliseconds(unit: &str) -> Option<u64> {
    match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60 * 1000),
        "h" => Some(60 * 60 * 1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn each_timer_has_its_unit() {
        let read = timers("expiry=8h,idle=15m,handshake=2s,connection=500ms").expect("timers");
        let [expiry, idle, handshake, connection] =
            [28_800_000, 900_000, 2000, 500].map(|time| Some(Duration::from_millis(time)));
        assert_eq!(read, TimerDurations { expiry, idle, handshake, connection });
    }

    #[test]
    fn a_timer_that_is_not_given_is_not_known() {
        assert_eq!(timers("idle=2s").map(|timers| timers.expiry), Ok(None));
    }

    #[rstest]
    #[case("", "\"\" is not of the form TIMER=TIME")]
    #[case("idle", "\"idle\" is not of the form TIMER=TIME")]
    #[case("idle=2s,", "\"\" is not of the form TIMER=TIME")]
    #[case("sleep=2s", "\"sleep\" is not one of expiry, idle, handshake, connection")]
    #[case("idle=2s,idle=3s", "idle is given twice")]
    #[case("idle=2", "idle: \"2\" is not a whole number with ms, s, m or h")]
    #[case("idle=2d", "idle: \"2d\" is not a whole number with ms, s, m or h")]
    #[case("idle=s", "idle: \"s\" is not a whole number with ms, s, m or h")]
    #[case("idle=-2s", "idle: \"-2s\" is not a whole number with ms, s, m or h")]
    #[case("idle=1.5s", "idle: \"1.5s\" is not a whole number with ms, s, m or h")]
    #[case("idle=2\u{e9}", "idle: \"2\u{e9}\" is not a whole number with ms, s, m or h")]
    #[case("idle=0s", "idle: 0s is not in 1ms to 10000h")]
    #[case("idle=10001h", "idle: 10001h is not in 1ms to 10000h")]
    #[case("idle=18446744073709551615h", "idle: 18446744073709551615h is not in 1ms to 10000h")]
    fn an_error_says_what_is_wrong_and_what_there_is(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(timers(text), Err(expected.to_owned()));
    }
}
