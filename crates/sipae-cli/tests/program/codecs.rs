//! Codecs behind a pipe: right ones, wrong ones, and those that break.

use std::fs;
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::commands::{Scratch, assert_exit, sipae};

const GREETING: &str = r#"{"protocol":"sipae-codec","version":1,"program":"a shell"}"#;

/// A codec in the language of the shell: what it does with each line, whose id is `$id` and whose text is `$line`.
fn codec(each: &str) -> String {
    let script =
        format!("echo '{GREETING}'; while read -r line; do id=${{line#*:}}; id=${{id%%,*}}; {each}; done");
    format!("codec:sh -c {}", shlex::try_quote(&script).expect("no NUL"))
}

const UNSUPPORTED: &str = r#"echo "{\"id\":$id,\"unsupported\":\"x\"}""#;

/// The summary of a run over the thirteen vectors of epids, and its exit code.
fn run(target: &str, arguments: &[&str], exit: i32) -> String {
    run_of(target, "/epid/", arguments, exit)
}

fn run_of(target: &str, cases: &str, arguments: &[&str], exit: i32) -> String {
    let all: Vec<&str> = [&["run", "--target", target, "--seed", "1", cases], arguments].concat();
    assert_exit(&sipae(&all), exit)
}

/// The vectors of the greeting's operations, by whoever answers each of them.
fn for_operation(op: &str, deed: &str) -> String {
    codec(&format!("case $line in *'\"op\":\"{op}\"'*) {deed};; *) {UNSUPPORTED};; esac"))
}

#[test]
fn a_codec_that_supports_nothing_has_run_nothing() {
    let summary = run(&codec(UNSUPPORTED), &[], 4);
    assert!(summary.contains("gate open (a shell)"), "{summary}");
    assert!(summary.contains("13 cases: 13 unsupported"), "{summary}");
}

#[test]
fn answers_come_in_any_order() {
    let right = r#"{\"id\":$id,\"answer\":{\"gruu_epid\":\"21nYNIVlkV-jtN6FPBU0fQAA\"}}"#;
    let held = format!(
        "held=\"$held {right}\"; count=$((count + 1)); if [ $count = 4 ]; then echo \"$held\" | tr ' ' '\\n' | tac; fi"
    );
    let summary = run_of(&for_operation("uuid_gruu", &held), "uuid_gruu", &[], 1);
    assert!(summary.contains("4 cases: 1 pass, 3 fail"), "{summary}");
}

#[rstest]
#[case::exit_code("exit 3", "the codec ended: exit code 3")]
#[case::signal("kill -SEGV $$", "the codec ended: signal 11 (SIGSEGV)")]
fn what_ends_a_codec_is_found_among_all_that_were_asked(#[case] deed: &str, #[case] reason: &str) {
    let deed = format!("echo trouble ahead >&2; {deed}");
    let summary = run(&for_operation("uuid_gruu", &deed), &[], 6);
    assert_eq!(summary.matches(reason).count(), 4, "{summary}");
    assert!(summary.contains("trouble ahead"), "{summary}");
    assert!(summary.contains("13 cases: 4 fail, 9 unsupported"), "{summary}");
}

#[test]
fn an_operation_without_an_answer_costs_its_own_case() {
    let profile = Scratch::new("codec.toml", "[codec]\n[pace]\nanswer_timeout_ms = 300\n");
    let begun = Instant::now();
    let summary = run(&for_operation("uuid_gruu", ":"), &["--profile", profile.path()], 1);
    assert_eq!(summary.matches("FAIL (HANG)").count(), 4, "{summary}");
    assert!(summary.contains("13 cases: 4 fail, 9 unsupported"), "{summary}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_codec_that_breaks_again_and_again_is_given_up() {
    let summary = run(&codec("exit 1"), &[], 6);
    assert!(summary.contains("8 fail, 5 blocked"), "{summary}");
    assert!(summary.contains("gate closed: the codec was started again 8 times"), "{summary}");
}

#[rstest]
#[case::a_log_line("echo handling", "\"handling\" is no answer: ")]
#[case::twice(
    "echo \"{\\\"id\\\":$id,\\\"unsupported\\\":\\\"x\\\"}\"; echo \"{\\\"id\\\":$id,\\\"unsupported\\\":\\\"x\\\"}\"",
    "is answered twice"
)]
#[case::another_id("echo '{\"id\":12345,\"unsupported\":\"x\"}'", "id 12345 was not asked")]
#[case::nothing_in_it("echo \"{\\\"id\\\":$id}\"", "it has none of answer")]
#[case::no_text("printf '\\377\\n'", "is no answer")]
#[case::a_flood("head -c 5000000 /dev/zero | tr '\\0' x", "a line of more than 4194304 octets")]
fn a_codec_that_breaks_the_protocol_is_told_how(#[case] deed: &str, #[case] reason: &str) {
    // No case is to blame: the gate is closed.
    let summary = run(&codec(deed), &[], 3);
    assert!(summary.contains("gate closed: the codec breaks the protocol: "), "{summary}");
    assert!(summary.contains(reason) && !summary.contains("FAIL"), "{summary}");
}

#[rstest]
#[case::missing("codec:/no/such/program", "\"/no/such/program\" cannot be started: ")]
#[case::ends("codec:sh -c 'echo no such thing >&2; exit 7'", "does not greet, and ended: exit code 7")]
#[case::says_hello("codec:echo hello", "greets with \"hello\": ")]
#[case::another_version(
    "codec:echo '{\"protocol\":\"sipae-codec\",\"version\":2}'",
    "speaks version 2 of the codec protocol, not 1"
)]
fn what_does_not_greet_is_not_asked(#[case] target: &str, #[case] reason: &str) {
    let summary = run(target, &[], 3);
    assert!(summary.contains(&format!("gate closed: the codec {reason}")), "{summary}");
    assert!(summary.contains("13 cases: 13 blocked"), "{summary}");
}

#[test]
fn a_codec_that_closes_its_output_and_goes_on_hangs() {
    let summary = run(&for_operation("uuid_gruu", "exec >&-; sleep 60"), &[], 1);
    assert!(summary.contains("FAIL (HANG)"), "{summary}");
    assert!(summary.contains("the codec closed its standard output, and went on"), "{summary}");
}

#[test]
fn a_profile_without_accounts_is_for_codecs_alone() {
    let profile = Scratch::new("codec.toml", "[codec]\noperations = [\"base16\"]\n");
    let told = assert_exit(&sipae(&["profile", "check", profile.path()]), 0);
    assert!(told.contains("operations  base16 must be answered"), "{told}");
    let refused = sipae(&["run", "--target", "tcp://127.0.0.1:1", "--profile", profile.path()]);
    assert_exit(&refused, 2);
    let problem = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(problem.contains("the table user is missing, which a server needs"), "{problem}");
}

#[test]
fn what_a_codec_says_before_it_ends_is_shown() {
    let summary = run("codec:sh -c 'echo no such thing >&2; exit 7'", &[], 3);
    assert!(summary.contains("standard error (before its greeting):\n    no such thing"), "{summary}");
}

#[test]
fn what_a_codec_writes_to_its_standard_error_is_shown_with_a_failure() {
    let wrong = "echo confused >&2; echo \"{\\\"id\\\":$id,\\\"answer\\\":{\\\"gruu_epid\\\":\\\"x\\\"}}\"";
    let summary = run(&for_operation("uuid_gruu", wrong), &[], 1);
    assert!(summary.contains("standard error (until then):\n    confused"), "{summary}");
}

#[test]
fn saying_that_a_claimed_operation_is_not_supported_is_a_failure() {
    let profile = Scratch::new("codec.toml", "[codec]\noperations = [\"uuid_gruu\"]\n");
    let summary = run(&codec(UNSUPPORTED), &["--profile", profile.path()], 1);
    assert!(summary.contains("the profile claims uuid_gruu"), "{summary}");
    assert!(summary.contains("13 cases: 4 fail, 9 unsupported"), "{summary}");
}

#[test]
fn a_name_in_the_greeting_that_is_no_operation_is_told() {
    let greeting = r#"{"protocol":"sipae-codec","version":1,"operations":["base-16"]}"#;
    let summary = run(&format!("codec:sh -c \"echo '{}'; cat\"", greeting.replace('"', "\\\"")), &[], 4);
    assert!(summary.contains("operations that are not known: base-16"), "{summary}");
}

/// Its own group hears nothing of what a terminal sends.
#[test]
fn a_codec_ends_with_a_run_that_is_interrupted() {
    let id = Scratch::new("id", "");
    let target = codec(&format!("echo $$ > {}; exec sleep 60", id.path()));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sipae"))
        .args(["run", "--target", &target, "/epid/"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("sipae starts");
    let begun = Instant::now();
    let codec_id = loop {
        match fs::read_to_string(id.path()) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => assert!(begun.elapsed() < Duration::from_secs(20)),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let is_there = || std::path::Path::new(&format!("/proc/{codec_id}/cmdline")).exists();
    let is_zombie =
        || fs::read_to_string(format!("/proc/{codec_id}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    let begun = Instant::now();
    while is_there() && !is_zombie() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_run_of_a_codec_takes_cases_by_their_operation_and_lists_them() {
    let listed = assert_exit(&sipae(&["run", "--target", "codec:x", "--list", "uuid_gruu"]), 0);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    let refused = sipae(&["run", "--target", "codec:x", "3.3.5.1/bare-ack"]);
    let problem = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(problem.contains("no case for a codec has \"3.3.5.1/bare-ack\" in its id"), "{problem}");
}
