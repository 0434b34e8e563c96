//! `sipae replay`: scripts of failures, played again.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rstest::rstest;
use tempfile::TempDir;

use crate::commands::{assert_exit, command, sipae};
use crate::relays::{answer_ack, at_once, served};

/// The script that a run has written about an answer to ACK.
fn script(target: &str, folder: &Path) -> PathBuf {
    let failures = format!("--failures={}", folder.display());
    assert_exit(&sipae(&["run", "--target", target, "--seed", "7", &failures, "3.3.5.1/bare-ack"]), 1);
    folder.join("3.3.5.1-bare-ack-ntlm-v4/script.json")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// The relay stands between the suite and a right server.
#[test]
fn the_script_of_a_failure_fails_again_and_passes_at_a_right_server() {
    let (_served, target) = served(answer_ack, at_once);
    let folder = TempDir::new().expect("a folder");
    let script = script(&target, folder.path());
    let again = folder.path().join("again");
    let failures = format!("--failures={}", again.display());
    let replay = ["replay", text(&script), "--target", &target, &failures];
    let stdout = assert_exit(&sipae(&replay), 1);
    let note = "one script is played, without a gate";
    let command = format!("again: sipae replay {} --target {target}", script.display());
    assert!(stdout.contains(note) && stdout.contains(&command), "{stdout}");
    assert!(again.join("3.3.5.1-bare-ack-ntlm-v4/finding.md").exists());
    assert_exit(&sipae(&["replay", text(&script)]), 0);
}

#[test]
fn the_events_of_a_replay_name_its_script() {
    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("mine.json");
    fs::write(&script, SCRIPT).expect("a file");
    let stdout = assert_exit(&sipae(&["replay", text(&script), "--json", "-"]), 0);
    let first: serde_json::Value =
        serde_json::from_str(stdout.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["script"], text(&script));
    assert_eq!(stdout.lines().count(), 4, "{stdout}");
}

#[test]
fn a_script_is_read_from_the_standard_input() {
    let replay = |script: &str| {
        let mut child =
            command(&["replay", "-", "--json", "-"]).stdin(Stdio::piped()).spawn().expect("sipae");
        child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("room in the pipe");
        child.wait_with_output().expect("an end")
    };
    let stdout = assert_exit(&replay(SCRIPT), 0);
    assert!(stdout.contains("case-finished"), "{stdout}");
    let output = replay("{}");
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.starts_with("error: the standard input: "), "{stderr}");
}

const SCRIPT: &str = r#"{
  "format": "sipae-script/1",
  "mode": {"scheme": "NTLM", "version": 4},
  "steps": [
    {"connect": 1},
    {"compose": {"message": "bare", "method": "REGISTER"}},
    {"send": {"message": "bare"}},
    {"await": {"message": "bare"}}
  ],
  "checks": [{"message": "bare", "requirement": "SIPAE-3.3.5.1-01", "expect": "challenged"}]
}
"#;

#[rstest]
#[case::nothing_in_it("", &[], "mine.json: EOF while parsing a value at line 1 column 0")]
#[case::another_format(r#"{"format": "sipae-script/2"}"#, &[], r#"mine.json: unknown format "sipae-script/2""#)]
#[case::a_codec(SCRIPT, &["--target", "codec:none"], "codec:none: it is a script for servers")]
fn what_cannot_be_played_is_wrong_usage(#[case] file: &str, #[case] args: &[&str], #[case] problem: &str) {
    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("mine.json");
    fs::write(&script, file).expect("a file");
    let output = sipae(&[&["replay", text(&script)], args].concat());
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(problem) && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_script_that_is_not_there_is_told_in_one_line() {
    let output = sipae(&["replay", "no-such-file.json"]);
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("error: no-such-file.json: ") && stderr.lines().count() == 1, "{stderr}");
}

/// A script is not overwritten by what is told of it.
#[test]
fn a_report_does_not_replace_the_script() {
    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("mine.json");
    fs::write(&script, SCRIPT).expect("a file");
    assert_exit(&sipae(&["replay", text(&script), "--json", text(&script)]), 2);
    assert_eq!(fs::read_to_string(&script).expect("a file"), SCRIPT);
}
