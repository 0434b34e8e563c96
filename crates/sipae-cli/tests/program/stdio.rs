//! The reference server over its standard input and output.

use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rstest::rstest;
use sipae_net::{Arrived, PipeWire, Wire};

use crate::commands::{assert_exit, sipae};

const REGISTER: &str = "REGISTER sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\nFrom: \
                        <sip:alice@contoso.com>;tag=1;epid=0123456789\r\nTo: <sip:alice@contoso.com>\r\nCall-ID: 1\r\n\
                        CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";

fn stdio(args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sipae"));
    command.args(["serve", "--stdio"]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("sipae starts")
}

/// What comes of this input and its end.
fn served(args: &[&str], input: &str) -> Output {
    let mut child = stdio(args);
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("taken");
    child.wait_with_output().expect("it ends")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_bare_register_is_challenged_and_the_server_ends_with_its_input() {
    let output = served(&[], REGISTER);
    let stdout = assert_exit(&output, 0);
    assert!(stdout.starts_with("SIP/2.0 401 ") && stdout.ends_with("\r\n\r\n"), "{stdout}");
    assert_eq!(stderr(&output), "");
    assert_eq!(assert_exit(&served(&[], ""), 0), "");
}

#[test]
fn an_answer_does_not_wait_for_the_end_of_the_input() {
    let mut child = stdio(&["--challenge", "407", "--legacy-signatures"]);
    let mut input = child.stdin.take().expect("piped");
    input.write_all(REGISTER.as_bytes()).expect("taken");
    let mut begin = [0; 12];
    child.stdout.as_mut().expect("piped").read_exact(&mut begin).expect("an answer");
    assert_eq!(&begin, b"SIP/2.0 407 ");
    drop(input);
    assert_exit(&child.wait_with_output().expect("it ends"), 0);
}

/// Both ends together, as the suite will have them: a server for each connection.
#[test]
fn a_wire_of_programs_reaches_a_server_with_each_connection() {
    const PATIENCE: Duration = Duration::from_secs(10);
    let words = [env!("CARGO_BIN_EXE_sipae"), "serve", "--stdio"].map(str::to_owned);
    let mut wire = PipeWire::new(&words);
    for _ in 0..2 {
        let connection = wire.connect().expect("sipae starts");
        wire.send(connection, REGISTER.as_bytes()).expect("taken");
        let arrived = wire.receive(PATIENCE).expect("an answer");
        assert_eq!(arrived.connection, connection);
        assert!(matches!(arrived.what, Arrived::Octets(answer) if answer.starts_with(b"SIP/2.0 401 ")));
    }
    let ends = wire.ends();
    drop(wire);
    assert_eq!(ends.noted(), []);
}

#[test]
fn a_log_goes_to_the_standard_error_alone() {
    let output = served(&["--verbose"], &REGISTER.repeat(2));
    let stdout = assert_exit(&output, 0);
    assert_eq!(stdout.matches("SIP/2.0 401 ").count(), 2, "{stdout}");
    let log = stderr(&output);
    assert!(log.starts_with("1 connected\n") && log.ends_with("1 disconnected\n"), "{log}");
}

/// Its input is still open: nobody but the timer of the connection ends it.
#[test]
fn the_connection_timer_ends_the_server() {
    let mut child = stdio(&["--timers", "connection=300ms"]);
    let _input = child.stdin.take().expect("piped");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(assert_exit(&output, 0), "");
}

#[rstest]
#[case(&["--listen", "127.0.0.1:0"])]
#[case(&["--tls"])]
#[case(&["--control"])]
fn a_socket_and_the_control_channel_do_not_go_with_it(#[case] args: &[&str]) {
    let output = sipae(&[&["serve", "--stdio"], args].concat());
    assert_exit(&output, 2);
    let stderr = stderr(&output);
    assert!(stderr.contains("'--stdio' cannot be used with '--"), "{stderr}");
}
