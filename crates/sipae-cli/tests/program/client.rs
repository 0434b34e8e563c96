//! The reference client as a program, at the reference server.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use rstest::rstest;

use crate::commands::{Served, assert_exit, sipae};

/// A client that runs. It is ended with the test.
struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sipae"));
        command.arg("client").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("sipae starts");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Self { child, input, output: BufReader::new(output) }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("it reads");
        self.line()
    }

    /// Asks until the answer holds this.
    fn ask_until(&mut self, line: &str, part: &str) -> String {
        let mut answer = String::new();
        for _ in 0..200 {
            answer = self.ask(line);
            if answer.contains(part) {
                return answer;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{answer}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        self.child.wait().expect("gone");
    }
}

#[rstest]
#[case::ntlm(&[], "NTLM", &[])]
#[case::kerberos(&[], "kerberos", &[])]
#[case::tls_dsk(&[], "TLS-DSK", &[])]
#[case::ntlm_over_tls(&["--tls"], "NTLM", &["--tls-insecure"])]
fn a_client_registers(#[case] serve: &[&str], #[case] scheme: &str, #[case] args: &[&str]) {
    let served = Served::start(serve);
    let mut client = Client::start(&[&[&*served.target, "--scheme", scheme], args].concat());
    assert_eq!(client.line(), "registered");
}

#[test]
fn a_wrong_password_fails_with_one_line() {
    let served = Served::start(&[]);
    let output = sipae(&["client", &served.target, "--scheme", "NTLM", "--password", "wrong"]);
    let stdout = assert_exit(&output, 1);
    assert!(stdout.starts_with("failed: ") && stdout.lines().count() == 1, "{stdout}");
}

#[test]
fn a_client_does_what_it_is_asked_for_over_its_control_channel() {
    let served = Served::start(&[]);
    let mut bob = Client::start(&[&served.target, "--user", "bob", "--scheme", "NTLM"]);
    assert_eq!(bob.line(), "registered");
    let mut alice = Client::start(&[&served.target, "--control"]);
    let hello = alice.ask(r#"{"id":1,"hello":{"protocol":1}}"#);
    let can = r#""can":["advance","do","standing"]"#;
    assert!(hello.contains(can) && hello.contains(r#""stimuli":["register","#), "{hello}");
    alice.ask_until(r#"{"id":2,"standing":{}}"#, r#""registered":true"#);
    assert_eq!(alice.ask(r#"{"id":3,"do":{"what":"message","number":1}}"#), r#"{"id":3,"ok":true}"#);
    let told = alice.ask_until(r#"{"id":4,"standing":{}}"#, "{\"1\"");
    assert_eq!(told, r#"{"id":4,"standing":{"registered":true,"failed":false,"outcomes":{"1":200}}}"#);
    assert_eq!(alice.ask(r#"{"id":5,"advance":{"ms":1000}}"#), r#"{"id":5,"ok":true}"#);
    let cannot = alice.ask(r#"{"id":6,"do":{"what":"fly","number":2}}"#);
    assert!(cannot.contains("error") && cannot.contains("fly"), "{cannot}");
    let Client { child, input, .. } = &mut alice;
    // The end of its input is the end of the client.
    drop(std::mem::replace(
        input,
        Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("cat")
            .stdin
            .take()
            .expect("piped"),
    ));
    assert_eq!(child.wait().expect("gone").code(), Some(0));
}

#[test]
fn with_pipes_nothing_but_sip_is_written() {
    let mut client = Client::start(&["--stdio"]);
    assert_eq!(client.line(), "REGISTER sip:contoso.com SIP/2.0");
}

#[rstest]
#[case::nowhere(&[], "SERVER")]
#[case::both(&["tcp://127.0.0.1:1", "--stdio"], "--stdio")]
#[case::reference(&["ref"], "tcp://host:port")]
#[case::no_password(&["tcp://127.0.0.1:1", "--user", "zoe"], "--password")]
#[case::no_address(&["tcp://127.0.0.1:1", "--peer", "bob"], "--peer")]
#[case::tls_arguments(&["tcp://127.0.0.1:1", "--tls-insecure"], "tls://host:port")]
#[case::no_key(&["tcp://127.0.0.1:1", "--certificate", "/dev/null"], "--key")]
#[case::no_keytab(&["tcp://127.0.0.1:1", "--keytab", "/dev/null"], "/dev/null")]
#[case::no_scheme(&["tcp://127.0.0.1:1", "--scheme", "foo"], "foo")]
#[case::two_schemes_of_which_one_joins(&["tcp://127.0.0.1:1", "--scheme", "digest", "--scheme", "ntlm"], "--scheme")]
#[case::a_keytab_for_a_conference(&["tcp://127.0.0.1:1", "--scheme", "digest", "--keytab", "/dev/null"], "--keytab")]
#[case::no_pin(&["tcp://127.0.0.1:1", "--scheme", "digest", "--conference", "sip:a@b;gruu;opaque=app:conf:focus:id:1"], "--pin")]
#[case::no_conference(&["tcp://127.0.0.1:1", "--scheme", "digest", "--conference", "sip:a@b", "--pin", "1"], "--conference")]
#[case::a_conference_to_register_at(&["tcp://127.0.0.1:1", "--conference", "sip:a@b", "--pin", "1"], "--conference")]
fn wrong_arguments_are_told_in_one_line(#[case] args: &[&str], #[case] part: &str) {
    let output = sipae(&[&["client"], args].concat());
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("error: ") && stderr.lines().count() == 1 && stderr.contains(part),
        "{stderr}"
    );
}

#[rstest]
fn a_server_that_is_not_there_is_told(#[values("ntlm", "digest")] scheme: &str) {
    let output = sipae(&["client", "tcp://127.0.0.1:1", "--scheme", scheme]);
    assert_exit(&output, 1);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("127.0.0.1:1") && stderr.lines().count() == 1, "{stderr}");
}
