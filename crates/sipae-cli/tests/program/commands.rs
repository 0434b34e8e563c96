//! The program as its users meet it: arguments, output, exit codes, and targets that misbehave.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::misbehaving::{hang, misbehaving};

pub(crate) fn sipae(args: &[&str]) -> Output {
    command(args).stdin(Stdio::null()).output().expect("sipae starts")
}

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sipae"));
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[track_caller]
pub(crate) fn assert_exit(output: &Output, code: i32) -> String {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stdout}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stdout
}

/// A reference server in another process, ended with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) target: String,
    /// What it says at its start.
    pub(crate) line: String,
}

impl Served {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sipae"));
        Self::of(command.args(["serve", "--listen", "127.0.0.1:0"]).args(args))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("sipae starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a first line");
        let target = line.split_whitespace().next().expect("an address").to_owned();
        Self { child, target, line }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().expect("ended by its handle");
        self.child.wait().expect("gone");
    }
}

/// A file for one test, removed with it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, content: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sipae-{}-{unique}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("a scratch file");
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("the scratch file is ours");
    }
}

pub(crate) fn profile(password: &str, answer_timeout_ms: u32) -> String {
    format!(
        "[user]\nuser = \"alice\"\ndomain = \"CONTOSO\"\npassword = \"{password}\"\naddress = \"alice@contoso.com\"\n\
         [pace]\nanswer_timeout_ms = {answer_timeout_ms}\n"
    )
}

#[test]
fn without_arguments_the_reference_passes() {
    let stdout = assert_exit(&sipae(&["run"]), 0);
    assert!(stdout.contains("NTLM v4  gate open") && stdout.ends_with("passed\n"), "{stdout}");
}

#[rstest]
fn a_server_in_another_process_passes(
    #[values("2", "3", "4")] version: &str,
    #[values("401", "407")] challenge: &str,
    #[values(true, false)] legacy: bool,
) {
    let mut args = vec!["--offer", version, "--challenge", challenge];
    if legacy {
        args.push("--legacy-signatures");
    }
    let served = Served::start(&args);
    // Only NTLM has legacy signatures.
    let (schemes, count): (&[&str], usize) = if legacy { (&["--scheme", "ntlm"], 1) } else { (&[], 3) };
    let run = ["run", "--target", &served.target, "--cases", "3"];
    let stdout = assert_exit(&sipae(&[&run[..], schemes].concat()), 0);
    assert!(stdout.contains(&format!("NTLM v{version}  gate open")), "{stdout}");
    // Two other versions of each scheme.
    assert_eq!(stdout.matches("gate not offered").count(), 2 * count, "{stdout}");
}

#[test]
fn a_wrong_password_ends_in_one_clear_line_and_exit_3() {
    let served = Served::start(&[]);
    let profile = Scratch::new("wrong-password.toml", &profile("never-shown", 2000));
    let stdout = assert_exit(&sipae(&["run", "--target", &served.target, "--profile", profile.path()]), 3);
    let line = "NTLM v4  gate closed: the server does not accept AUTHENTICATE of CONTOSO\\alice: 401 and says \
                1000;reason=\"Final handshake failed\";source=\"server.contoso.com\"";
    assert_eq!(stdout.lines().filter(|shown| *shown == line).count(), 1, "{stdout}");
    assert!(!stdout.contains("never-shown"));
}

#[test]
fn a_dead_target_is_named_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let stdout = assert_exit(&sipae(&["run", "--target", &format!("tcp://{address}")]), 3);
    assert_eq!(stdout.matches(&format!("cannot connect to {address}")).count(), 1, "{stdout}");
}

#[test]
fn events_are_json_lines() {
    // A TLS library draws its own randomness.
    let schemes = ["--scheme", "ntlm", "--scheme", "kerberos", "--scheme", "digest"];
    let run =
        [&["run"], &schemes[..], &["--seed", "7", "--cases", "5", "--section", "3.3.5", "--json"]].concat();
    let file = Scratch::new("events.jsonl", "");
    assert_exit(&sipae(&[&run[..], &[file.path()]].concat()), 0);
    let written = std::fs::read_to_string(file.path()).expect("written");
    let stdout = assert_exit(&sipae(&[&run[..], &["-"]].concat()), 0);
    assert_eq!(written, stdout);
    let events: Vec<serde_json::Value> =
        written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.first().expect("a first")["event"], "run-started");
    assert_eq!(events.last().expect("a last")["exit"], 0);
}

#[test]
fn cases_are_chosen_by_a_part_of_their_id() {
    let stdout = assert_exit(&sipae(&["run", "--scheme", "ntlm", "challenges-foo", "3.3.5.1/date"]), 0);
    assert!(stdout.contains("12 cases: 12 pass"), "{stdout}");
}

#[rstest]
#[case(&["--section", "3.3.5.1", "--level", "must", "--scheme", "ntlm"], "3.3.5.1/bare-ack")]
#[case(&["--section", "3.3.5", "--role", "server", "--scheme", "ntlm"], "3.3.5.3/forged-signature")]
#[case(&["--level", "should-not", "--level", "SHOULD", "--scheme", "ntlm"], "3.3.5")]
fn cases_are_chosen_by_section_level_role_and_scheme(#[case] filters: &[&str], #[case] chosen: &str) {
    let all = assert_exit(&sipae(&["run", "--list"]), 0);
    let some = assert_exit(&sipae(&[&["run", "--list"], filters].concat()), 0);
    assert!(some.contains(chosen) && some.lines().count() < all.lines().count(), "{some}");
    let ran = assert_exit(&sipae(&[&["run"], filters].concat()), 0);
    let subjects = ran.matches("  gate open\n").count();
    assert!(ran.contains(&format!("{} cases: ", subjects * some.lines().count())), "{ran}");
}

#[test]
fn a_junit_file_has_a_suite_for_each_version_and_a_case_for_each_case() {
    let file = Scratch::new("junit.xml", "");
    let stdout = assert_exit(&sipae(&["run", "--seed", "7", "--junit", file.path(), "3.3.5.1/"]), 0);
    let written = std::fs::read_to_string(file.path()).expect("written");
    let document = roxmltree::Document::parse(&written).expect("XML");
    let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
    assert_eq!(count("testsuite"), stdout.matches("  gate open\n").count(), "{written}");
    assert!(stdout.contains(&format!("{} cases: ", count("testcase"))), "{stdout}");
    assert!(written.contains(r#"name="seed" value="7""#), "{written}");
}

/// Which levels and roles have cases changes with the suite; what has none is answered with what there is.
#[rstest]
fn a_level_or_role_chooses_cases_or_is_answered_with_what_there_is(
    #[values(
        "--level must",
        "--level must-not",
        "--level may",
        "--role server",
        "--role client",
        "--role both"
    )]
    filter: &str,
) {
    let output = sipae(&["run", "--list"].into_iter().chain(filter.split(' ')).collect::<Vec<_>>());
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let (flag, _) = filter.split_once(' ').expect("a flag");
    let is_refused = output.status.code() == Some(2)
        && stderr.starts_with(&format!("error: {flag}"))
        && stderr.contains(": no case for a server is about ")
        && stderr.contains("; there are ");
    assert!(is_refused || output.status.code() == Some(0) && !stdout.is_empty(), "{stdout}{stderr}");
}

/// Output that is no terminal has neither colours nor a bar.
#[test]
fn piped_output_is_plain() {
    let output = sipae(&["run", "--scheme", "ntlm", "--cases", "5"]);
    let stdout = assert_exit(&output, 0);
    assert!(!stdout.contains('\u{1b}') && output.stderr.is_empty(), "{stdout}");
    assert!(stdout.contains("requirements   tested  passed   loose  failed  not decided\nMUST "), "{stdout}");
}

#[test]
fn the_list_of_cases_has_ids_and_titles() {
    let all = assert_exit(&sipae(&["run", "--list"]), 0);
    assert!(all.lines().any(|line| line.starts_with("3.3.5.1/bare-ack  ")), "{all}");
    let listed = assert_exit(&sipae(&["list"]), 0);
    let known = |line: &str| listed.lines().any(|other| other.split_whitespace().eq(line.split_whitespace()));
    assert!(all.lines().all(known) && all.lines().count() < listed.lines().count());
    let some = assert_exit(&sipae(&["list", "challenges-foo"]), 0);
    assert_eq!(some.lines().count(), 1, "{some}");
    assert!(some.trim_end().ends_with("a bare FOO is challenged"), "{some}");
}

#[test]
fn the_list_of_rows_has_their_cases_or_the_reason_why_there_are_none() {
    let rows = assert_exit(&sipae(&["list", "--requirements", "--section", "3.3.5.1"]), 0);
    let tested = rows.lines().find(|line| line.starts_with("SIPAE-3.3.5.1-03  MUST")).expect("a row");
    assert!(tested.ends_with("3.3.5.1/bare-ack, 3.3.5.1/any-bare-ack"), "{tested}");
    assert!(rows.lines().all(|line| line.starts_with("SIPAE-3.3.5.1-") && 30 < line.len()), "{rows}");
    let all = assert_exit(&sipae(&["list", "--requirements"]), 0);
    assert_eq!(all.lines().count(), 393);
}

#[test]
fn lists_are_written_for_programs_too() {
    let read = |args: &[&str]| -> serde_json::Value {
        serde_json::from_str(&assert_exit(&sipae(args), 0)).expect("JSON")
    };
    let cases = read(&["list", "--json", "challenges-foo"]);
    assert_eq!((&cases[0]["id"], &cases[1]), (&"3.3.5.1/challenges-foo".into(), &serde_json::Value::Null));
    assert_eq!(cases[0]["requirements"][0]["level"], "MUST");
    let rows = read(&["list", "--json", "--requirements", "--level", "may"]);
    assert!(rows.as_array().expect("a list").iter().all(|row| row["level"] == "MAY"), "{rows}");
}

#[test]
fn a_profile_is_checked_and_told_without_its_passwords() {
    let content = profile("never-shown", 700)
        + "[target]\nversions = [3, 4]\n[tls]\nserver_name = \"sip.contoso.com\"\n[durations]\nidle_ms = 2000\n\
           [[peer]]\nuser = \"bob@contoso.com\"\npassword = \"never-shown\"\naddress = \"bob@contoso.com\"\n";
    let file = Scratch::new("profile.toml", &content);
    let told = assert_exit(&sipae(&["profile", "check", file.path()]), 0);
    let expected = [
        "user        CONTOSO\\alice, alice@contoso.com",
        "peers       bob@contoso.com, bob@contoso.com",
        "sacrificial none: cases that need wrong passwords are blocked",
        "versions    3, 4 must work, others are not tested",
        "patience    an answer may take 700 ms",
        "timers      idle timer of 2000 ms, 1:450 of the specification's",
        "TLS         the system's authorities are trusted, and the name sip.contoso.com",
    ];
    assert!(expected.iter().all(|line| told.contains(&format!("\n  {line}\n"))), "{told}");
    assert!(!told.contains("never-shown"), "{told}");
}

#[test]
fn a_profile_that_is_none_is_named_in_one_line() {
    let file = Scratch::new("profile.toml", "[user]\nuser = \"a\"\npasword = \"secret\"\n");
    let output = sipae(&["profile", "check", file.path()]);
    assert_exit(&output, 2);
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with(&format!("error: {}: line 3: unknown field `pasword`", file.path())),
        "{stderr}"
    );
    assert!(!stderr.contains("secret") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn the_schema_of_profiles_is_json() {
    let schema = assert_exit(&sipae(&["profile", "schema"]), 0);
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["title"], "sipae profile");
}

/// What is known about a row, whichever way it is named.
#[rstest]
fn a_row_is_explained(#[values("SIPAE-3.3.5.3-04", "3.3.5.3-04", "sipae-3.3.5.3-04")] id: &str) {
    let page = assert_exit(&sipae(&["explain", id]), 0);
    for expected in [
        "SIPAE-3.3.5.3-04  MUST\n3.3.5.3 Server: signed messages\n",
        "\nif broken     fails: ",
        "\nlegal         drop (preferred), challenge-401, ",
        "\ncases         3.3.5.3/forged-signature",
        "\nsources       mssip: MS-SIP section 3.1",
        "\nproducts      OfficeSIP",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
}

#[test]
fn every_row_and_case_can_be_explained() {
    for id in ["SIPAE-2.2-07", "SIPAE-3.1.1-08", "PATENT-0001", "SIPAE-3.3.5.1-09", "SIPAE-6-01"] {
        let page = assert_exit(&sipae(&["explain", id]), 0);
        assert!(page.starts_with(id) && page.contains("\nsources "), "{page}");
    }
    for id in ["3.3.5.1/challenges-foo", "challenges-foo"] {
        let page = assert_exit(&sipae(&["explain", id]), 0);
        let row = "SIPAE-3.3.5.1-04 (MUST; broken: fail)";
        assert!(page.starts_with("3.3.5.1/challenges-foo\n") && page.contains(row), "{page}");
    }
}

#[test]
fn a_case_is_explained_by_what_it_needs_and_what_it_sends() {
    let page = assert_exit(&sipae(&["explain", "3.3.5.3/reflected-signature"]), 0);
    for part in [
        "needs         a good handshake; versions 2, 3, 4",
        "sign message with sa, cnum 100\n",
        "edit reflected: RequestUri(\"sip:{user.address}\")",
    ] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
}

/// Waits for something that must come soon.
#[track_caller]
fn wait_until(mut is_there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_run_that_is_broken_off_leaves_whole_lines() {
    let (file, profile) =
        (Scratch::new("broken.jsonl", ""), Scratch::new("slow.toml", &profile("x", 60_000)));
    let mut run = Command::new(env!("CARGO_BIN_EXE_sipae"))
        .args(["run", "--target", &misbehaving(hang), "--profile", profile.path(), "--json", file.path()])
        .stdout(Stdio::null())
        .spawn()
        .expect("sipae starts");
    let written = || std::fs::read_to_string(file.path()).expect("a scratch file");
    wait_until(|| !written().is_empty());
    run.kill().expect("ended by its handle");
    run.wait().expect("gone");
    let written = written();
    assert!(written.ends_with('\n'), "{written}");
    for line in written.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
}

/// Runs the program where the system gives no thread, or only a few: stacks of `stack` octets, `limit` KiB in all.
#[cfg(target_os = "linux")]
fn short_of_threads(stack: u64, limit: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = format!("ulimit -v {limit}; exec \"$0\" \"$@\"");
    command.env("RUST_MIN_STACK", stack.to_string()).arg("-c").arg(script);
    command.arg(env!("CARGO_BIN_EXE_sipae")).args(args).stdin(Stdio::null());
    command
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_to_be_had_is_a_reason_and_no_panic() {
    let run = |args: &[&str]| short_of_threads(1 << 46, "unlimited", args).output().expect("sipae starts");
    let output = run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_exit(&output, 7);
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("error: the server ended: ") && stderr.lines().count() == 1, "{stderr}");

    let served = Served::start(&[]);
    let stdout = assert_exit(&run(&["run", "--target", &served.target]), 3);
    assert!(stdout.contains("gate closed: cannot connect to "), "{stdout}");
}

/// A client for whom there is no thread is closed, and the next one is served once there is one again.
#[cfg(target_os = "linux")]
#[test]
fn a_server_that_gets_no_more_threads_goes_on() {
    let mut command = short_of_threads(256 << 20, "1500000", &["serve", "--listen", "127.0.0.1:0"]);
    let served = Served::of(&mut command);
    let connect = || TcpStream::connect(served.target.trim_start_matches("tcp://")).expect("a connection");
    let is_served = |stream: &TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
        stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    let mut clients = Vec::new();
    wait_until(|| {
        clients.push(connect());
        clients.last().is_some_and(|client| !is_served(client))
    });
    assert!(1 < clients.len(), "not one was served");
    drop(clients);
    wait_until(|| is_served(&connect()));
}

/// One line that names what, where and why; exit 2; never a backtrace.
#[rstest]
#[case(&["run", "--target", "udp://x:1"], "\"udp://x:1\" is no target")]
#[case(&["run", "--target", "tcp://x:1", "--tls-insecure"], "--tls-insecure: tcp://x:1 is not of the form tls://host:port")]
#[case(&["run", "--target", "tls://x:1", "--tls-ca", "/no/such/ca.pem"], "/no/such/ca.pem: ")]
#[case(&["run", "--target", "tls://x:1", "--tls-ca", "x", "--tls-insecure"], "cannot be used with")]
#[case(&["run", "--target", "tls://x:1", "--tls-insecure", "--tls-name", "a b"], "\"a b\" is neither a host name nor")]
#[case(&["serve", "--tls", "--certificate", "/no/such.pem", "--key", "x"], "/no/such.pem: ")]
#[case(&["serve", "--tls", "--certificate", "x"], "--key <FILE>")]
#[case(&["serve", "--write-certificate", "x"], "--tls")]
#[case(&["serve", "--tls", "--write-certificate", "/no/such/folder/x"], "/no/such/folder/x: ")]
#[case(&["run", "--profile", "/no/such/file.toml"], "/no/such/file.toml: ")]
#[case(&["run", "--json", "/no/such/folder/events"], "/no/such/folder/events: ")]
#[case(&["run", "--junit", "/no/such/folder/junit.xml"], "/no/such/folder/junit.xml: ")]
#[case(&["run", "--failures=/dev/null/x"], "/dev/null/x: ")]
#[case(&["run", "--junit", "x", "--failures=x"], "--failures: x is named for something else as well")]
#[case(&["run", "--failures", "no-such-case"], "has \"no-such-case\" in its id")]
#[case(&["run", "--seed", "x"], "invalid value 'x' for '--seed <NUMBER>'")]
#[case(&["run", "no-such-case"], "no case for a server has \"no-such-case\" in its id; sipae list shows the cases")]
#[case(&["run", ""], "CASE: \"\" is in every id")]
#[case(&["run", "--section", "9.9"], "--section \"9.9\": no case for a server is about it; there are 2.2, 3.1, ")]
#[case(&["run", "--section", ""], "--section \"\": no case for a server is about it; there are 2.2, 3.1, ")]
#[case(&["run", "--level", "mustnt"], "'--level <LEVEL>': not one of must, must-not, should, should-not, may")]
#[case(
    &["run", "--scheme", "basic"],
    "--scheme \"basic\": no case for a server runs with it; there are Digest, Kerberos, NTLM, TLS-DSK"
)]
#[case(&["run", "--section", "2.2", "bare-ack"], "no case for a server meets all filters; sipae list shows the cases")]
#[case(&["list", "--requirements", "--section", "9"], "no row of the catalogue meets all filters")]
#[case(&["list", "--requirements", "--scheme", "ntlm"], "--scheme: rows have no scheme")]
#[case(&["run", "--expected-failures", "/no/such/file.toml"], "/no/such/file.toml: ")]
#[case(&["run", "--expected-failures", "x.toml", "--fix", "bare"], "--fix: needs a run of all cases, without filters")]
#[case(&["run", "--fix"], "the following required arguments were not provided: --expected-failures <FILE>")]
#[case(&["explain", "3.3.5.1-99"], "\"3.3.5.1-99\" is no row and no case; near it are SIPAE-3.3.5.1-09, ")]
#[case(&["explain", "3.3.5.1/bare-ask"], "near it are 3.3.5.1/bare-ack, ")]
#[case(&["explain", ""], "\"\" is no row and no case")]
#[case(&["run", "--list", "no-such-case"], "no case for a server has \"no-such-case\" in its id")]
#[case(&["run", "--target", "tcp://u@127.0.0.1:5"], "\"tcp://u@127.0.0.1:5\" is no target")]
#[case(&["run", "--target", "tcp://::1:5"], "IPv6 in brackets")]
#[case(&["serve", "--host", ""], "--host: \"\" is neither a host name nor an IP address")]
#[case(&["serve", "--host", "a\"b\r\nX: y"], "--host: \"a\\\"b\\r\\nX: y\" is neither")]
#[case(&["serve", "--users", "/no/such/file.toml"], "/no/such/file.toml: ")]
#[case(&["serve", "--listen", "nonsense"], "cannot listen at nonsense: ")]
#[case(&["serve", "--offer", "5"], "5 is not in 2..=4")]
#[case(&["vectors", "check", "/no/such/folder"], "/no/such/folder")]
#[case(&["frobnicate"], "unrecognized subcommand 'frobnicate'")]
fn a_wrong_argument_gets_one_line(#[case] args: &[&str], #[case] expected: &str) {
    let output = sipae(args);
    assert_exit(&output, 2);
    let stderr = text(&output.stderr);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains(expected), "{stderr}");
}

#[rstest]
#[case("[[expected]]\nid = \"a b\"\nreason = \"r\"\n", "line 2: expected 1.id: bad case id `a b`")]
#[case("[[expected]]\nid = \"a\"\n", "line 1: expected 1: missing field `reason`")]
#[case("[[expected]]\nid = \"a\"\nreason = 1\n", "line 3: expected 1.reason: got integer, expected a string")]
#[case(
    "[[expected]]\nid = \"a\"\nreasons = \"r\"\n",
    "line 3: unknown field `reasons`, expected one of `id`, "
)]
#[case("[[failure]]\n", "line 1: failure 1: unknown field `failure`, expected `expected`")]
#[case(
    "[[expected]]\nid = \"a\"\ncause = \"x\"\nreason = \"r\"\n",
    "expected 1.cause: \"x\" is not one of reaction, silent, crash, hang, flaky"
)]
fn a_wrong_list_of_expected_failures_names_file_line_and_key(#[case] content: &str, #[case] expected: &str) {
    let file = Scratch::new("expected.toml", content);
    let output = sipae(&["run", "--expected-failures", file.path()]);
    assert_exit(&output, 2);
    let stderr = text(&output.stderr);
    assert!(stderr.contains(file.path()) && stderr.contains(expected), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[rstest]
#[case("user = 1\n", "line 1: user: got integer, expected a sequence")]
#[case("[[user]]\nuser = \"a\"\npassword = 5\n", "line 3: user 1.password: expected a string")]
#[case(
    "[[user]]\nuser = \"a\"\npassword = \"secret\"\naddress = \"nowhere\"\n",
    "user 1.address: \"nowhere\" is not of the form user@host"
)]
#[case("[[user]]\nuser = \"a\"\npasword = \"secret\"\n", "line 3: unknown field `pasword`")]
fn a_wrong_file_of_users_names_file_key_and_value(#[case] content: &str, #[case] expected: &str) {
    let file = Scratch::new("users.toml", content);
    let output = sipae(&["serve", "--users", file.path()]);
    assert_exit(&output, 2);
    let stderr = text(&output.stderr);
    assert!(stderr.contains(file.path()) && stderr.contains(expected), "{stderr}");
    assert!(!stderr.contains("secret") && stderr.lines().count() == 1, "{stderr}");
}

#[rstest]
#[case("ALICE", "Contoso", "other@contoso.com", "user 2.user: user 1 is called Contoso\\ALICE already")]
#[case(
    "alice@contoso.com",
    "",
    "third@contoso.com",
    "user 2.user: user 1 is called alice@contoso.com already"
)]
#[case("bob", "CONTOSO", "Alice@contoso.com", "user 2.address: user 1 is called Alice@contoso.com already")]
fn an_account_that_stands_twice_is_refused(
    #[case] user: &str,
    #[case] domain: &str,
    #[case] address: &str,
    #[case] expected: &str,
) {
    let table = |user, domain, address| {
        format!(
            "[[user]]\nuser = \"{user}\"\ndomain = \"{domain}\"\npassword = \"x\"\naddress = \"{address}\"\n"
        )
    };
    let users = table("alice", "CONTOSO", "alice@contoso.com") + &table(user, domain, address);
    let file = Scratch::new("twice.toml", &users);
    let output = sipae(&["serve", "--users", file.path()]);
    assert_exit(&output, 2);
    assert_eq!(text(&output.stderr), format!("error: {}: {expected}\n", file.path()));
}

#[test]
fn a_file_of_users_replaces_the_test_accounts() {
    let user =
        "user = \"alice\"\ndomain = \"CONTOSO\"\npassword = \"own\"\naddress = \"alice@contoso.com\"\n";
    let users = Scratch::new("users.toml", &format!("[[user]]\n{user}"));
    let profile = Scratch::new("own.toml", &format!("[user]\n{user}"));
    let served = Served::start(&["--users", users.path()]);
    assert_exit(&sipae(&["run", "--target", &served.target, "--profile", profile.path()]), 0);
    assert_exit(&sipae(&["run", "--target", &served.target]), 3);
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

#[test]
fn the_vectors_of_the_project_pass() {
    let stdout = assert_exit(&sipae(&["vectors", "check", vectors().to_str().expect("text")]), 0);
    assert!(stdout.lines().any(|line| line.starts_with("ntlm")), "{stdout}");
}

#[rstest]
#[case("1085", "output", "ffff", 1, "expected \"ffff\"")]
#[case("0g", "output", "ffff", 2, "inputs.key_hex: invalid hex \"0g\"")]
#[case("1085", "output", "fg", 2, "expected.output: invalid hex \"fg\"")]
#[case("1085", "outputs", "ff", 2, "expected: hash_primitive has no result \"outputs\"")]
fn a_wrong_vector_fails_and_an_unreadable_one_is_refused(
    #[case] key: &str,
    #[case] result: &str,
    #[case] expected: &str,
    #[case] code: i32,
    #[case] shown: &str,
) {
    let folder =
        std::env::temp_dir().join(format!("sipae-vectors-{}-{key}-{result}-{expected}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a scratch folder");
    let vector = format!(
        "{{\"family\": \"f\", \"description\": \"d\", \"vectors\": [{{\"id\": \"v\", \"op\": \"hash_primitive\", \
         \"source\": \"s\", \"provenance\": \"self-generated\", \"inputs\": {{\"algorithm\": \"rc4\", \"data_hex\": \
         \"00\", \"key_hex\": \"{key}\"}}, \"expected\": {{\"{result}\": \"{expected}\"}}, \"note\": \"\"}}]}}"
    );
    std::fs::write(folder.join("wrong.json"), vector).expect("a scratch file");
    let output = sipae(&["vectors", "check", folder.to_str().expect("text")]);
    std::fs::remove_dir_all(&folder).expect("the scratch folder is ours");
    let all = assert_exit(&output, code) + &text(&output.stderr);
    let file = folder.join("wrong.json");
    assert!(all.contains(shown) && all.contains(file.to_str().expect("text")), "{all}");
}

/// The release program has no defects in it: what `cargo test` builds for the suite does not count.
#[test]
fn this_program_has_no_defects_unless_it_was_built_with_them() {
    let offers = text(&sipae(&["run", "--help"]).stdout).contains("--defect");
    assert_eq!(offers, cfg!(feature = "defects"));
}
