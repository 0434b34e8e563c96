//! `sipae decode` as its users meet it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use rstest::rstest;

use crate::commands::{Scratch, assert_exit, sipae};

/// The signed 200 of Office Communications Server 2007 R2 (vector `ocs2007r2-200`), without headers that do not matter.
const ANSWER: &str = "SIP/2.0 200 OK\r\n\
    Authentication-Info: NTLM rspauth=\"01000000E615438A917661BE64000000\", srand=\"9616454F\", snum=\"1\", \
    opaque=\"2BDBAC9D\", qop=\"auth\", targetname=\"cosmo-ocs-r2.cosmo.local\", \
    realm=\"SIP Communications Service\"\r\n\
    From: \"User\"<sip:user@cosmo.local>;tag=3e49177a52;epid=c8ca638a15\r\n\
    To: <sip:user@cosmo.local>;tag=5E61CCD925D17E043D9A74835A88F664\r\n\
    Call-ID: 4037df9284354df39065195bd57a4b14\r\nCSeq: 3 REGISTER\r\nExpires: 7200\r\nContent-Length: 0\r\n\r\n";
const KEY: &str = "0151fe94dba8c83f3c6a6e5444ae54b4:2a2e34e8d420c039e8f31cb9e8e0cd88";

fn piped(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sipae"));
    command.arg("decode").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("sipae starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_signature_that_verifies_ends_with_0() {
    let stdout = assert_exit(&piped(&["--server-key", KEY], ANSWER), 0);
    assert!(stdout.contains("the signature verifies as version 4 (key: given)"), "{stdout}");
    assert!(!stdout.contains(&KEY[..32]), "{stdout}");
}

#[test]
fn a_signature_that_does_not_verify_ends_with_1_and_names_the_change() {
    let altered = ANSWER.replace("srand=\"9616454F\"", "srand=\"9616454f\"");
    let stdout = assert_exit(&piped(&["-", "--server-key", KEY], &altered), 1);
    assert!(stdout.contains("it verifies with srand in upper case"), "{stdout}");
}

#[test]
fn json_has_one_object_for_each_message() {
    let input = Scratch::new("messages.txt", &[ANSWER, ANSWER].concat());
    let stdout = assert_exit(&sipae(&["decode", "--json", input.path()]), 0);
    let lines: Vec<serde_json::Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["type"], "message");
    assert_eq!(lines[1]["authentication"][0]["buffers"][1]["elements"][15]["value"], "200");
}

#[test]
fn a_password_is_read_from_a_file() {
    let password = Scratch::new("password", "secret\nanother\n");
    let output = piped(&["--password-file", password.path()], ANSWER);
    let stdout = assert_exit(&output, 4);
    assert!(stdout.contains("no earlier message has CHALLENGE and AUTHENTICATE"), "{stdout}");
}

#[rstest]
#[case("")]
#[case("no SIP at all")]
#[case("SIP/2.0 200 OK\r\nno header line\r\n\r\n")]
fn input_without_a_readable_message_ends_with_4(#[case] input: &str) {
    assert_exit(&piped(&[], input), 4);
}

#[rstest]
#[case(&["--server-key", "0123456789abcdefXY:00"], "--server-key: not hexadecimal")]
#[case(&["--client-key", "00"], "--client-key: not two keys with a colon between them")]
#[case(&["--tls-key-material", "0123"], "--tls-key-material: 2 octets, not 128")]
#[case(&["--flags", "0x1", "--exported-session-key", "0123"], "--exported-session-key or --flags: ")]
#[case(&["/does/not/exist"], "/does/not/exist: ")]
fn wrong_usage_ends_with_2_and_repeats_no_key(#[case] args: &[&str], #[case] problem: &str) {
    let output = sipae(&[&["decode"], args].concat());
    assert_exit(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(problem) && !stderr.contains("0123"), "{stderr}");
}
