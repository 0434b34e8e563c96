//! Cases that need time to pass, against a server in another process: waited for where its timers are short.

use std::time::{Duration, Instant};

use rstest::rstest;

use crate::commands::{Scratch, Served, assert_exit, profile, sipae};

/// Cases about timers.
const TIMED: [&str; 2] = ["3.3.2/", "3.3.6/"];
/// So long takes the longest timer of these tests, with what is around it.
const LONGEST: Duration = Duration::from_secs(8);

/// The timers of `--timers expiry=6s,idle=2s,handshake=2s,connection=1s`.
const SHORT: &str =
    "[durations]\nexpiry_ms = 6000\nidle_ms = 2000\nhandshake_ms = 2000\nconnection_ms = 1000\n";

#[test]
fn short_timers_are_waited_for_side_by_side() {
    let served = Served::start(&["--timers", "expiry=6s,idle=2s,handshake=2s,connection=1s"]);
    let profile = Scratch::new("timers.toml", &(profile("test-password-of-alice", 5000) + SHORT));
    let begun = Instant::now();
    let args = ["run", "--target", &served.target, "--profile", profile.path(), "--jobs", "16"];
    let stdout = assert_exit(&sipae(&[&args[..], &TIMED].concat()), 0);
    assert!(stdout.contains("expiry timer of 6000 ms, 1:4800 of the specification's"), "{stdout}");
    assert!(!stdout.contains("inconclusive") && !stdout.contains("loose  3."), "{stdout}");
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
}

/// What nobody can wait for is not run, and the reason says what would help.
#[test]
fn timers_that_are_not_known_are_not_waited_for() {
    let served = Served::start(&[]);
    let stdout = assert_exit(&sipae(&["run", "--target", &served.target, "3.3.2/expiry"]), 4);
    assert!(stdout.contains("5 cases: 5 unsupported"), "{stdout}");
}

#[rstest]
#[case("idle=2", "idle: \"2\" is not a whole number with ms, s, m or h")]
#[case("nap=2s", "\"nap\" is not one of expiry, idle, handshake, connection")]
fn a_wrong_timer_gets_one_line(#[case] timers: &str, #[case] expected: &str) {
    let output = sipae(&["serve", "--timers", timers]);
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.lines().count() == 1 && stderr.contains(expected), "{stderr}");
}
