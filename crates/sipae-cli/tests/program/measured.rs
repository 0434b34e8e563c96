//! What a run costs: time, and memory where Linux tells it.

use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Memory that no target may make a run take.
const MOST_KIB: u64 = 64 * 1024;
/// Time that no target may make a run take with an answer time-out below half a second.
const LONGEST: Duration = Duration::from_secs(20);
/// Memory is looked at this often. The peak only grows, so that the last look is short of it by little.
const LOOK: Duration = Duration::from_millis(1);
/// A run may end before the first look; in so little time it takes little memory too.
const SHORT: Duration = Duration::from_millis(100);

/// Runs `sipae run` against a target with these further arguments, and holds it to bounds of memory and time.
#[track_caller]
pub(crate) fn bounded_run(target: &str, args: &[&str]) -> Output {
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sipae"));
    command.args(["run", "--target", target]).args(args).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sipae starts");
    let status = format!("/proc/{}/status", child.id());
    let output = thread::spawn(move || child.wait_with_output().expect("an end"));
    let mut peak = 0;
    while !output.is_finished() {
        peak = peak_kib(&status).unwrap_or(0).max(peak);
        thread::sleep(LOOK);
    }
    let (output, took) = (output.join().expect("an output"), begun.elapsed());
    let can_be_measured = cfg!(target_os = "linux") && SHORT < took;
    assert!(0 < peak || !can_be_measured, "nothing was measured");
    assert!(peak < MOST_KIB, "{peak} KiB");
    assert!(took < LONGEST, "{took:?}");
    output
}

/// The peak of the memory in use; a process that has ended has none.
fn peak_kib(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
