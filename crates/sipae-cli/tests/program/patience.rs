//! A right server that is slow, late, or has enough of connections, and what a wrong one does in time.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sipae::auth::AuthParam;
use sipae::encoding::decode_base64;
use sipae::message::Message;

use crate::commands::{Scratch, Served, assert_exit, profile, sipae};
use crate::relays::{
    Deed, NTLM, Surplus, at_once, credential, forward, is_authenticate, relay_for, reordered, served,
};

/// A handshake waits for a domain controller; the patience of the profile holds for every step.
#[test]
fn one_slow_answer_closes_no_gate() {
    let slow = |message: &Message<'_>| {
        if is_authenticate(message) {
            thread::sleep(Duration::from_secs(3));
        }
        Deed::Forward
    };
    let (_served, target) = served(slow, at_once);
    assert_exit(&sipae(&["run", "--target", &target, "3.3.5.1/date"]), 0);
}

const BOB: &str = "[[peer]]\nuser = \"bob\"\ndomain = \"CONTOSO\"\npassword = \"test-password-of-bob\"\n\
                   address = \"bob@contoso.com\"\n";

/// Whether the second user has begun to log in.
static HAS_PAUSED: AtomicBool = AtomicBool::new(false);

/// The second user's first proof is answered too late.
fn pause_once(message: &Message<'_>) -> Deed {
    let is_of_bob = message.from().is_ok_and(|from| from.uri == b"sip:bob@contoso.com");
    if is_of_bob && is_authenticate(message) && !HAS_PAUSED.swap(true, Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(600));
    }
    Deed::Forward
}

/// What a pause makes impossible would be blocked for the whole run, and the run would pass all the same.
#[test]
fn one_pause_of_the_second_user_blocks_no_delivery() {
    let (_served, target) = served(pause_once, at_once);
    let profile = Scratch::new("pause.toml", &[&profile("test-password-of-alice", 400)[..], BOB].concat());
    let args = ["run", "--target", &target, "--profile", profile.path(), "delivered-message"];
    let stdout = assert_exit(&sipae(&args), 0);
    assert!(HAS_PAUSED.load(Ordering::Relaxed) && !stdout.contains("blocked"), "{stdout}");
    assert!(stdout.contains("NTLM v4  1 pass"), "{stdout}");
}

/// A method that the server answers slowly, each time.
fn slow_subscribe(message: &Message<'_>) -> Deed {
    if message.method() == Some(b"SUBSCRIBE") {
        thread::sleep(Duration::from_secs(3));
    }
    Deed::Forward
}

/// What was quick until then is not waited for so long at first; but it is the profile that says how long an answer may take.
#[test]
fn what_is_slow_each_time_within_the_time_of_the_profile_has_not_failed() {
    let (_served, target) = served(slow_subscribe, at_once);
    let args = ["run", "--target", &target, "--scheme", "ntlm", "3.3.5.1/challenges-subscribe"];
    let stdout = assert_exit(&sipae(&args), 0);
    assert!(stdout.contains("NTLM v4  1 pass"), "{stdout}");
}

/// Whether the one request has come that is answered late.
static WAS_LATE: AtomicBool = AtomicBool::new(false);

/// Proofs of identity are slow, so that answers are given some time; one other request is slower than the suite foresees.
fn late_once(message: &Message<'_>) -> Deed {
    if is_authenticate(message) {
        thread::sleep(Duration::from_millis(700));
    } else if message.method() == Some(b"SUBSCRIBE") && !WAS_LATE.swap(true, Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(1500));
    }
    Deed::Forward
}

/// The challenge that the handshake needs comes, and too late to go on with it.
#[test]
fn an_answer_that_came_too_late_for_the_rest_of_a_case_is_asked_for_again() {
    let (_served, target) = served(late_once, at_once);
    let args = ["run", "--target", &target, "--scheme", "ntlm", "3.3.5.2/handshake-over-subscribe"];
    let stdout = assert_exit(&sipae(&args), 0);
    assert!(WAS_LATE.load(Ordering::Relaxed) && stdout.contains("NTLM v4  1 pass"), "{stdout}");
}

/// A connection may ask so often; each has a thread of its own here.
fn close_behind_many(_: &Message<'_>) -> Deed {
    thread_local!(static ASKED: Cell<u32> = const { Cell::new(0) });
    ASKED.set(ASKED.get() + 1);
    if ASKED.get() <= 40 { Deed::Forward } else { Deed::Close }
}

/// Where the suite asks hundreds of times over one connection, its end is no answer to the last question.
#[test]
fn a_target_that_has_enough_of_a_connection_has_failed_no_property() {
    let (_served, target) = served(close_behind_many, at_once);
    let args = ["run", "--target", &target, "--scheme", "ntlm", "--cases", "150", "3.3.4.1/any-answer"];
    let stdout = assert_exit(&sipae(&args), 0);
    assert!(!stdout.contains("FAIL") && !stdout.contains("FLAKY"), "{stdout}");
}

/// Proofs of the second user.
static PROOFS: AtomicU32 = AtomicU32::new(0);

/// Accounts lock: who is refused is not tried again, in whatever way that was done.
#[test]
fn a_login_that_was_refused_by_closing_is_not_tried_again() {
    let refuse = |message: &Message<'_>| {
        let is_of_bob = message.from().is_ok_and(|from| from.uri == b"sip:bob@contoso.com");
        if is_of_bob && is_authenticate(message) {
            PROOFS.fetch_add(1, Ordering::Relaxed);
            return Deed::Close;
        }
        Deed::Forward
    };
    let (_served, target) = served(refuse, at_once);
    let profile = Scratch::new("refused.toml", &[&profile("test-password-of-alice", 400)[..], BOB].concat());
    let args = ["run", "--target", &target, "--profile", profile.path(), "delivered-message"];
    let stdout = String::from_utf8_lossy(&sipae(&args).stdout).into_owned();
    assert!(stdout.contains("blocked"), "{stdout}");
    assert_eq!(PROOFS.load(Ordering::Relaxed), 1, "{stdout}");
}

/// Wrong passwords that were sent.
static WRONG: AtomicU32 = AtomicU32::new(0);

/// Behind a proof of the account for wrong passwords, whatever is signed is lost.
fn lose_what_is_signed_behind_a_wrong_password(message: &Message<'_>) -> Deed {
    let token = credential(message, AuthParam::GssapiData);
    let token = token.and_then(|token| decode_base64(token.as_bytes()));
    let name: Vec<u8> = "mallory".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let is_wrong = token.is_some_and(|token| token.windows(name.len()).any(|part| part == name));
    WRONG.fetch_add(u32::from(is_wrong), Ordering::Relaxed);
    let is_signed = credential(message, AuthParam::Response).is_some() && !is_wrong;
    if is_signed && 0 < WRONG.load(Ordering::Relaxed) { Deed::Swallow } else { Deed::Forward }
}

/// Accounts lock.
#[test]
fn a_case_with_a_wrong_password_is_not_played_twice() {
    let (_served, target) = served(lose_what_is_signed_behind_a_wrong_password, at_once);
    let case = "3.3.5.2/stranger-with-wrong-password";
    let stdout = sipae(&["run", "--target", &target, "--scheme", "ntlm", case]).stdout;
    assert_eq!(WRONG.load(Ordering::Relaxed), 1, "{}", String::from_utf8_lossy(&stdout));
}

static STALLS_UNTIL: Mutex<Option<Instant>> = Mutex::new(None);

/// Everything stands still for a while behind an ACK.
fn stall_after_ack(message: &Message<'_>) -> Deed {
    let mut until = STALLS_UNTIL.lock().expect("not poisoned");
    if message.method() == Some(b"ACK") {
        until.get_or_insert(Instant::now() + Duration::from_secs(6));
    }
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    drop(until);
    thread::sleep(left.unwrap_or_default());
    Deed::Forward
}

/// Its open connections stand still as well: that is not for want of more.
#[test]
fn a_target_that_hangs_for_a_while_is_told_though_it_answers_again() {
    let (_served, target) = served(stall_after_ack, at_once);
    let profile = Scratch::new("stall.toml", &profile("test-password-of-alice", 300));
    let args = ["run", "--target", &target, "--profile", profile.path(), "--jobs", "1", "3.3.5.1/bare-ack"];
    let stdout = assert_exit(&sipae(&args), 1);
    assert!(stdout.contains("FAIL (HANG)  3.3.5.1/bare-ack"), "{stdout}");
}

/// Products bound what comes from one address. What two cases cannot have side by side is no failure of either.
#[test]
fn a_target_that_takes_few_connections_is_tested_with_one_case_at_a_time() {
    let served = Served::start(&NTLM);
    let target = relay_for(4, Surplus::Closes, &served.target, forward, at_once);
    let args = ["run", "--target", &target, "--scheme", "ntlm", "--jobs", "6", "--cases", "5", "delivered-"];
    let stdout = assert_exit(&sipae(&args), 0);
    assert!(!stdout.contains("HANG") && !stdout.contains("blocked"), "{stdout}");
}

/// Where answers overtake each other, cases wait for time to tell, connected.
#[test]
fn cases_that_wait_let_go_of_the_connections_that_others_lack() {
    let served = Served::start(&NTLM);
    let target = relay_for(4, Surplus::Waits, &served.target, forward, reordered);
    let args = ["run", "--target", &target, "--scheme", "ntlm", "--jobs", "1", "--cases", "3", "2.2/cnum"];
    let stdout = assert_exit(&sipae(&args), 0);
    assert!(stdout.contains("overtake") && !stdout.contains("INCONCLUSIVE"), "{stdout}");
}
