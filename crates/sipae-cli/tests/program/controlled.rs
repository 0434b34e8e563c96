//! Targets that the suite starts itself, and whose clock it sets; and programs that are none.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::commands::{Scratch, Served, assert_exit, sipae};
use crate::misbehaving::{hang, misbehaving};

const SIPAE: &str = env!("CARGO_BIN_EXE_sipae");
/// Cases about timers.
const TIMED: [&str; 2] = ["3.3.2/", "3.3.6/"];

/// Runs cases about timers against a target with port 0 that this command starts.
fn run(scheme: &str, exec: &str, args: &[&str]) -> std::process::Output {
    let target = format!("{scheme}://127.0.0.1:0");
    sipae(&[&["run", "--target", &target, "--exec", exec], args, &TIMED].concat())
}

/// A script of a shell as the command of `--exec`.
fn shell(script: &str) -> String {
    format!("sh -c '{}'", script.replace('\'', "'\\''"))
}

/// Says hello for the server at this address, and that its clock can be set.
fn hello(address: &str) -> String {
    let hello = r#"{\"id\":1,\"hello\":{\"protocol\":1,\"can\":[\"advance\"],\"address\":\"ADDRESS\",\"durations\":{\"expiry_ms\":28800000,\"idle_ms\":900000,\"handshake_ms\":900000,\"connection_ms\":60000}}}"#;
    format!("read -r request; echo \"{}\"; ", hello.replace("ADDRESS", address))
}

/// Whether the process is there, and no zombie.
fn is_running(id: &str) -> bool {
    let listed = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().expect("ps");
    let state = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// 8 hours, in an instant: nothing is waited for.
#[rstest]
#[case("tcp", "", &[])]
#[case("tls", "--tls", &["--tls-insecure"])]
fn the_clock_of_a_target_that_the_suite_starts_is_set(
    #[case] scheme: &str,
    #[case] serve: &str,
    #[case] args: &[&str],
) {
    let begun = Instant::now();
    let output = run(scheme, &format!("'{SIPAE}' serve --listen 127.0.0.1:0 --control {serve}"), args);
    let stdout = assert_exit(&output, 0);
    assert!(stdout.contains("the clock of the target is set"), "{stdout}");
    assert!(!stdout.contains("1:1 of") && !stdout.contains("stays open"), "{stdout}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with(&format!("{scheme}://127.0.0.1:")) && stderr.lines().count() == 1, "{stderr}");
}

/// What cannot set its clock is waited for, as far as its timers are short.
#[test]
fn a_target_that_says_its_short_timers_is_waited_for() {
    let served = Served::start(&["--timers", "connection=1s"]);
    let address = served.target.trim_start_matches("tcp://");
    let says = hello(address).replace("\\\"advance\\\"", "").replace(":60000", ":1000");
    let output = run("tcp", &shell(&format!("{says} read -r end")), &["--jobs", "16"]);
    let stdout = assert_exit(&output, 0);
    assert!(
        stdout.contains("connection timer of 1000 ms, 1:60 of") && !stdout.contains("expiry timer"),
        "{stdout}"
    );
}

/// One line that says what came instead of a hello, whatever else the target does; and nothing of it is left.
#[rstest]
#[case::says_nothing("echo $$ > FILE; sleep 60", "sh says nothing within 5 s")]
#[case::ends("echo $$ > FILE; exit 1", "sh has ended")]
#[case::says_garbage(
    "echo $$ > FILE; echo \"tcp://x:1 ready\"; sleep 60",
    "sh says \"tcp://x:1 ready\", which is no answer"
)]
#[case::says_no_text("echo $$ > FILE; printf \"\\377\\n\"; sleep 60", "sh says a line that is no text")]
#[case::says_a_line_without_end(
    "echo $$ > FILE; while :; do printf xxxxxxxx; done",
    "sh says a line of more than 16384 octets"
)]
#[case::says_lines_without_end("echo $$ > FILE; while :; do echo; done", "sh says \"\", which is no answer")]
#[case::says_what_it_hears("echo $$ > FILE; cat", "sh says \"{\\\"id\\\":1,\\\"hello")]
#[case::refuses(
    "echo $$ > FILE; read -r line; echo \"{\\\"id\\\":1,\\\"error\\\":\\\"no\\\"}\"; cat",
    "sh answers with an error: \"no\""
)]
#[case::speaks_another_version(
    "echo $$ > FILE; read -r line; echo \"{\\\"id\\\":1,\\\"hello\\\":{\\\"protocol\\\":2,\\\"can\\\":[]}}\"; cat",
    "sh speaks version 2"
)]
#[case::does_not_say_where(
    "echo $$ > FILE; read -r line; echo \"{\\\"id\\\":1,\\\"hello\\\":{\\\"protocol\\\":1,\\\"can\\\":[]}}\"; cat",
    "sh does not say where it listens"
)]
fn a_program_without_the_channel_is_one_line(#[case] script: &str, #[case] expected: &str) {
    let id = Scratch::new("id", "");
    let output = run("tcp", &shell(&script.replace("FILE", id.path())), &[]);
    assert_exit(&output, 3);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with(&format!("error: --exec: {expected}")), "{stderr}");
    assert!(stderr.lines().count() == 1 && output.stdout.is_empty(), "{stderr}");
    let id = std::fs::read_to_string(id.path()).expect("the id of the shell");
    assert!(!id.is_empty() && !is_running(&id), "{id}");
}

/// Where the channel breaks and the target goes on, cases about its timers are blocked, and no others; the run is not
/// green then.
#[rstest]
#[case::ends("exit 1", "sh has ended")]
#[case::says_garbage(
    "read -r line; echo garbage; cat",
    "sh says \"garbage\", which is no answer on the control channel"
)]
#[case::says_lines_without_end(
    "while :; do echo more; done",
    "sh says \"more\", which is no answer on the control channel"
)]
#[case::cannot(
    "read -r line; echo \"{\\\"id\\\":2,\\\"error\\\":\\\"stuck\\\"}\"; cat",
    "sh answers with an error: \"stuck\""
)]
fn a_channel_that_breaks_blocks_what_needs_it(#[case] then: &str, #[case] expected: &str) {
    let served = Served::start(&[]);
    let script = hello(served.target.trim_start_matches("tcp://")) + then;
    let output = run("tcp", &shell(&script), &["bare-ack"]);
    let stdout = assert_exit(&output, 3);
    assert!(stdout.contains(" blocked, ") && stdout.ends_with("passed\n"), "{stdout}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with(&format!("error: --exec: {expected}")) && stderr.lines().count() == 1,
        "{stderr}"
    );
}

/// A target that dies when its clock is set has crashed, like one that dies at any other time.
#[test]
fn a_target_that_dies_is_a_crash_and_leaves_nothing() {
    let (line, id) = (Scratch::new("line", ""), Scratch::new("id", ""));
    let script = format!(
        "'{SIPAE}' serve --listen 127.0.0.1:0 > {line} & echo $! > {id}; \
         until [ -s {line} ]; do sleep 0.1; done; address=$(sed 's,^tcp://\\([^ ]*\\).*,\\1,' {line}); {} \
         read -r advance; kill $!; wait",
        hello("$address"),
        line = line.path(),
        id = id.path(),
    );
    let output = run("tcp", &shell(&script), &["--seed", "1"]);
    let stdout = assert_exit(&output, 6);
    assert!(stdout.contains("the target takes no connection any more"), "{stdout}");
    assert!(stdout.contains("again: sipae run --target tcp://127.0.0.1:0 --exec "), "{stdout}");
    assert!(!is_running(&std::fs::read_to_string(id.path()).expect("the id of the server")));
}

/// What a target started goes with it, whether it ends by itself or not.
#[test]
fn a_target_that_does_not_end_is_ended_with_what_it_started() {
    let (served, ids) = (Served::start(&[]), Scratch::new("ids", ""));
    let script = format!("sleep 60 & echo $! $$ > {}; {} sleep 60", ids.path(), hello("ADDRESS"));
    let script = script.replace("ADDRESS", served.target.trim_start_matches("tcp://"));
    let output = sipae(&["run", "--target", "tcp://127.0.0.1:0", "--exec", &shell(&script), "bare-ack"]);
    assert_exit(&output, 0);
    let ids = std::fs::read_to_string(ids.path()).expect("two ids");
    assert_eq!(ids.split_whitespace().filter(|id| is_running(id)).count(), 0, "{ids}");
}

/// Nobody can end a target after a run that was ended by force: it sees the end of its input.
#[test]
fn the_reference_ends_with_a_run_that_is_ended_by_force() {
    let id = Scratch::new("id", "");
    let script = format!("echo $$ > {}; exec '{SIPAE}' serve --listen 127.0.0.1:0 --control", id.path());
    let mut run = Command::new(SIPAE)
        .args(["run", "--target", &misbehaving(hang), "--exec", &shell(&script)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sipae starts");
    let started = || std::fs::read_to_string(id.path()).ok().filter(|id| id.ends_with('\n'));
    let wait_until = |is_there: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !is_there() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
            thread::sleep(Duration::from_millis(10));
        }
    };
    wait_until(&|| started().is_some_and(|id| is_running(&id)));
    run.kill().expect("ended by its handle");
    run.wait().expect("gone");
    let id = started().expect("an id");
    wait_until(&|| !is_running(&id));
}

/// One line, exit 2.
#[rstest]
#[case(&["run", "--target", "tcp://127.0.0.1:0"], "tcp://127.0.0.1:0: port 0 needs --exec")]
#[case(&["run", "--exec", "x"], "--exec: ref is not of the form tcp://host:port, tls://host:port, listen:tcp://host:port or listen:tls://host:port")]
#[case(&["run", "--target", "tcp://127.0.0.1:0", "--exec", "'x"], "a quote is not closed")]
#[case(&["run", "--target", "tcp://127.0.0.1:0", "--exec", ""], "'--exec <COMMAND>'")]
#[case(&["run", "--target", "tcp://127.0.0.1:0", "--exec", "/no/such/program"], "--exec: /no/such/program cannot be started: ")]
fn a_command_that_cannot_be_used_gets_one_line(#[case] args: &[&str], #[case] expected: &str) {
    let output = sipae(args);
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.lines().count() == 1 && stderr.contains(expected), "{stderr}");
}

/// The lines of docs/control-channel.md, as a target in any language would exchange them.
#[test]
fn the_reference_speaks_on_the_control_channel() {
    use std::io::{Read, Write};
    let mut served = Command::new(SIPAE)
        .args(["serve", "--listen", "127.0.0.1:0", "--control", "--timers", "idle=2s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sipae starts");
    let asked = "{\"id\":1,\"hello\":{\"protocol\":1}}\n{\"id\":2,\"advance\":{\"ms\":900000}}\n\
                 {\"id\":3,\"reset\":{}}\n{\"id\":4,\"fly\":{}}\ngarbage\n";
    // Its end is the end of the server.
    served.stdin.take().expect("piped").write_all(asked.as_bytes()).expect("taken");
    let mut said = String::new();
    served.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
    assert!(served.wait().expect("gone").success());
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["hello"]["durations"]["idle_ms"], 2000, "{said}");
    assert!(
        lines[0]["hello"]["address"].as_str().is_some_and(|text| text.starts_with("127.0.0.1:")),
        "{said}"
    );
    assert_eq!(
        lines[1..3],
        [serde_json::json!({"id": 2, "ok": true}), serde_json::json!({"id": 3, "ok": true})]
    );
    assert!(lines[3]["id"] == 4 && lines[3]["error"].is_string(), "{said}");
    assert!(lines[4]["id"].is_null() && lines[4]["error"].is_string() && lines.len() == 5, "{said}");
}
