//! Campaigns (docs/campaigns.md) as users of the program meet them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;
use serde_json::Value;
use sipae::draft::Draft;
use sipae::message::Message;
use tempfile::TempDir;

use crate::commands::{assert_exit, sipae};
use crate::relays::{Deed, at_once, served};

/// A night of one property.
fn night(folder: &Path, more: &[&str], code: i32) -> String {
    night_of("2s", folder, more, code)
}

fn night_of(time: &str, folder: &Path, more: &[&str], code: i32) -> String {
    let out = folder.display().to_string();
    let args = ["fuzz", "--for", time, "--out", &out, "--scheme", "ntlm", "3.3.5.3/any-forged-signature"];
    assert_exit(&sipae(&[&args, more].concat()), code)
}

fn state(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("state.json")).expect("a state");
    serde_json::from_str(&text).expect("JSON")
}

fn number(state: &Value, name: &str) -> u64 {
    state[name].as_u64().expect("a number")
}

#[test]
fn a_night_against_a_right_server_finds_nothing_and_the_next_one_goes_on() {
    let folder = TempDir::new().expect("a folder");
    let stdout = night(folder.path(), &["--seed", "7", "--depth", "8"], 0);
    assert!(stdout.contains("seed 7: night 1, 0 findings kept, from round 1 on\n"), "{stdout}");
    assert!(stdout.contains("\nnothing found: "), "{stdout}");
    let onwards = format!(
        "\ngo on: sipae fuzz --target ref --out {} --depth 8 --scheme ntlm 3.3.5.3/any-forged-signature\n",
        folder.path().display()
    );
    assert!(stdout.contains(&onwards), "{stdout}");
    let first = state(folder.path());
    assert_eq!((first["format"].as_str(), first["seed"].as_str()), (Some("sipae-campaign/1"), Some("7")));
    assert!(0 < number(&first, "conversations"), "{first}");

    let stdout = night(folder.path(), &[], 0);
    let from = number(&first, "rounds") + 1;
    assert!(
        stdout.contains(&format!("seed 7: night 2, 0 findings kept, from round {from} on\n")),
        "{stdout}"
    );
    let second = state(folder.path());
    assert!(number(&first, "rounds") < number(&second, "rounds"), "{second}");
    assert!(number(&first, "conversations") < number(&second, "conversations"), "{second}");
    let summary = fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(summary.starts_with("# Night 2 of a campaign\n\nnothing found: "), "{summary}");
}

#[test]
fn a_second_campaign_in_the_same_folder_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let lock = fs::File::create(folder.path().join("lock")).expect("a file");
    lock.lock().expect("a lock");
    let out = folder.path().display().to_string();
    let output = sipae(&["fuzz", "--for", "1s", "--out", &out]);
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.ends_with(": another campaign is running in this folder\n"), "{stderr}");
}

#[cfg(feature = "defects")]
#[test]
fn a_bug_is_new_in_the_first_night_still_there_in_the_second_and_gone_when_it_is_mended() {
    let folder = TempDir::new().expect("a folder");
    let defect = ["--defect", "accepts-forged-signature"];
    let stdout = night(folder.path(), &defect, 1);
    let new = stdout.lines().filter(|line| line.starts_with("new: SIPAE-3.3.5.3-04 ")).count();
    assert!(0 < new && !stdout.contains("still there\n"), "{stdout}");
    let findings = state(folder.path())["findings"].as_array().expect("findings").clone();
    for found in &findings {
        let bundle = folder.path().join("findings").join(found["name"].as_str().expect("a name"));
        let script: Value =
            serde_json::from_str(&fs::read_to_string(bundle.join("script.json")).expect("a script"))
                .expect("JSON");
        assert_eq!(script, found["script"]);
        assert!(bundle.join("finding.md").exists());
    }

    let stdout = night(folder.path(), &defect, 1);
    assert!(stdout.contains(&format!("\n{} still there\n", findings.len())), "{stdout}");

    let stdout = night(folder.path(), &[], 0);
    assert!(stdout.contains(" gone\n") && !stdout.contains("still there"), "{stdout}");
    let stdout = night(folder.path(), &[], 0);
    assert!(!stdout.contains(" gone\n"), "{stdout}");
    let stdout = night(folder.path(), &defect, 1);
    assert!(stdout.contains("back: SIPAE-3.3.5.3-04 "), "{stdout}");
}

/// An ACK is never answered (RFC 3261 17.1.1.1).
fn answering_ack(message: &Message<'_>) -> Deed {
    match message.method() {
        Some(b"ACK") => Deed::Answer(Draft::response_to(message, 400, "t").close().to_octets()),
        _ => Deed::Forward,
    }
}

#[test]
fn a_bundle_that_was_taken_away_is_written_again() {
    let (_served, target) = served(answering_ack, at_once);
    let folder = TempDir::new().expect("a folder");
    let night = || {
        let out = folder.path().display().to_string();
        let args = ["fuzz", "--target", &target, "--for", "3s", "--out", &out, "--scheme", "ntlm"];
        assert_exit(&sipae(&[&args[..], &["3.3.5.1/any-bare-ack"]].concat()), 1)
    };
    night();
    let findings = folder.path().join("findings");
    let bundles = || fs::read_dir(&findings).expect("a folder").map(|entry| entry.expect("an entry").path());
    let written: BTreeSet<PathBuf> = bundles().collect();
    bundles().for_each(|bundle| fs::remove_dir_all(bundle).expect("a folder"));
    let stdout = night();
    assert!(!written.is_empty() && stdout.contains(" still there\n"), "{stdout}");
    assert_eq!(bundles().collect::<BTreeSet<_>>(), written);
    assert!(bundles().all(|bundle| bundle.join("script.json").exists()), "{written:?}");
}

#[rstest]
#[case("not JSON", "no state of a campaign: ")]
#[case("{\"format\": \"sipae-campaign/9\"}", "unknown format \"sipae-campaign/9\"")]
fn a_state_that_cannot_be_read_is_told_and_left_alone(#[case] text: &str, #[case] problem: &str) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("state.json");
    fs::write(&file, text).expect("a file");
    let output = sipae(&["fuzz", "--for", "1s", "--out", folder.path().to_str().expect("text")]);
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(problem) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), text);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[rstest]
#[case(&["--target", "codec:x"], "codec:x: campaigns are for servers")]
#[case(&["3.3.5.1/bare-ack"], "no generated case meets all filters")]
#[case(&["--for", "1d"], "is not a whole number with ms, s, m or h")]
fn wrong_usage_is_one_line_and_leaves_nothing_behind(#[case] args: &[&str], #[case] problem: &str) {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("campaign").display().to_string();
    let output = sipae(&[&["fuzz", "--out", &out], args].concat());
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(problem) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// The summary is in the terminal all the same.
#[test]
fn a_summary_that_cannot_be_written_is_told_behind_it() {
    let folder = TempDir::new().expect("a folder");
    let in_its_place = folder.path().join("summary.md");
    fs::create_dir(&in_its_place).expect("a folder");
    let out = folder.path().display().to_string();
    let output = sipae(&["fuzz", "--for", "1s", "--out", &out, "--scheme", "ntlm", "any-forged-signature"]);
    let stdout = assert_exit(&output, 7);
    assert!(stdout.contains("\nnothing found: "), "{stdout}");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!("error: cannot write the report: {}: ", in_its_place.display());
    assert!(stderr.starts_with(&expected), "{stderr}");
}

#[test]
fn another_target_than_that_of_the_night_before_is_told() {
    let folder = TempDir::new().expect("a folder");
    let told = |stdout: &str| stdout.contains("the night before was against ref, this one is against tcp://");
    assert!(!told(&night(folder.path(), &[], 0)));
    let elsewhere = ["--target", "tcp://127.0.0.1:9"];
    let stdout = night(folder.path(), &elsewhere, 3);
    assert!(told(&stdout), "{stdout}");
}

#[test]
fn a_campaign_keeps_its_seed() {
    let folder = TempDir::new().expect("a folder");
    night_of("1ms", folder.path(), &["--seed", "7"], 4);
    night_of("1ms", folder.path(), &["--seed", "8"], 2);
    assert_eq!(state(folder.path())["seed"], "7");
}

/// Nobody listens there.
#[test]
fn a_target_that_is_not_there_ends_the_night_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = format!("tcp://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().display().to_string();
    let stdout = assert_exit(&sipae(&["fuzz", "--for", "60s", "--out", &out, "--target", &target]), 3);
    assert!(stdout.contains("no gate opened: "), "{stdout}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_night_with_its_summary() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let folder = TempDir::new().expect("a folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_sipae"))
        .args(["fuzz", "--for", "10m", "--scheme", "ntlm", "--out"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sipae starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut text = String::new();
    stdout.read_line(&mut text).expect("a first line");
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill").success());
    stdout.read_to_string(&mut text).expect("the rest");
    let code = child.wait().expect("it ends").code();
    assert!(text.contains("; interrupted\n") && code == Some(0), "{code:?}\n{text}");
    assert!(folder.path().join("summary.md").exists());
}
