//! The program over TLS.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::commands::{Scratch, Served, assert_exit, profile, sipae};
use crate::misbehaving::{hang, misbehaving};

/// A server with a certificate of its own, and the file that trusts it.
fn served() -> (Served, Scratch) {
    let file = Scratch::new("served.pem", "");
    (Served::start(&["--tls", "--write-certificate", file.path()]), file)
}

#[rstest]
fn a_server_on_tls_passes(#[values("2", "3", "4")] version: &str) {
    let certificate = Scratch::new("served.pem", "");
    let args = ["--tls", "--write-certificate", certificate.path(), "--offer", version];
    let served = Served::start(&args);
    assert!(served.target.starts_with("tls://127.0.0.1:"), "{}", served.target);
    let stdout = assert_exit(
        &sipae(&["run", "--target", &served.target, "--tls-ca", certificate.path(), "--cases", "2"]),
        0,
    );
    assert!(stdout.contains(&format!("NTLM v{version}  gate open")), "{stdout}");
}

#[test]
fn the_profile_says_whom_to_trust_and_the_arguments_go_before_it() {
    let (served, certificate) = served();
    let base = profile("test-password-of-alice", 5000);
    let trusting =
        format!("{base}[tls]\nca = \"{}\"\nserver_name = \"server.contoso.com\"\n", certificate.path());
    let trusting = Scratch::new("trusting.toml", &trusting);
    let run = |args: &[&str]| {
        let base = ["run", "--target", &served.target, "--profile", trusting.path(), "date"];
        sipae(&[&base, args].concat())
    };
    assert_exit(&run(&[]), 0);
    assert_exit(&run(&["--tls-name", "elsewhere.contoso.com"]), 3);
    assert_exit(&run(&["--tls-name", "elsewhere.contoso.com", "--tls-insecure"]), 0);
}

/// One line that says why and what to do, and a gate that failed.
#[rstest]
#[case(&[], "nobody who is trusted has issued it; name the certificate of its issuer with --tls-ca FILE")]
#[case(&["--tls-name", "else.contoso.com"], "not for else.contoso.com; say with --tls-name NAME whom to expect")]
fn a_certificate_that_is_not_trusted_is_one_clear_line(#[case] args: &[&str], #[case] reason: &str) {
    let (served, own) = served();
    let (_other, stranger) = self::served();
    let trusted = if args.is_empty() { &stranger } else { &own };
    let base = ["run", "--target", &served.target, "--tls-ca", trusted.path()];
    let stdout = assert_exit(&sipae(&[&base, args].concat()), 3);
    assert_eq!(stdout.matches("the certificate is not trusted").count(), 1, "{stdout}");
    let line = stdout.lines().find(|line| line.contains("not trusted")).expect("the line");
    assert!(line.starts_with("NTLM v4  gate closed: cannot connect to ") && line.contains(reason), "{line}");
}

#[test]
fn a_certificate_from_files_is_served() {
    let (made, key) = certificate();
    let served = Served::start(&["--tls", "--certificate", made.path(), "--key", key.path()]);
    let base = ["run", "--target", &served.target, "--tls-ca", made.path(), "date"];
    assert_exit(&sipae(&base), 3);
    assert_exit(&sipae(&[&base[..], &["--tls-name", "files.contoso.com"]].concat()), 0);
}

/// A certificate for `files.contoso.com` and its key.
fn certificate() -> (Scratch, Scratch) {
    let made = rcgen::generate_simple_self_signed(["files.contoso.com".to_owned()]).expect("a certificate");
    let key = made.signing_key.serialize_pem();
    (Scratch::new("certificate.pem", &made.cert.pem()), Scratch::new("key.pem", &key))
}

fn speak_plainly(mut stream: TcpStream) {
    let _sent = stream.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n");
    hang(stream);
}

#[rstest]
#[case::hangs(hang, "the TLS handshake does not come to an end")]
#[case::closes(drop, "TLS handshake")]
#[case::speaks_plainly(speak_plainly, "does not speak TLS; tcp://")]
fn a_target_without_tls_costs_one_wait(#[case] serve: fn(TcpStream), #[case] reason: &str) {
    let target = misbehaving(serve).replace("tcp://", "tls://");
    let begun = Instant::now();
    let stdout = assert_exit(&sipae(&["run", "--target", &target, "--tls-insecure"]), 3);
    assert_eq!(stdout.matches(reason).count(), 1, "{stdout}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn a_client_without_tls_costs_a_server_on_tls_nothing() {
    let (served, certificate) = served();
    let address = served.target.trim_start_matches("tls://");
    let mut silent = TcpStream::connect(address).expect("a connection");
    let plain = served.target.replace("tls://", "tcp://");
    assert_exit(&sipae(&["run", "--target", &plain, "date"]), 3);
    assert_exit(&sipae(&["run", "--target", &served.target, "--tls-ca", certificate.path(), "date"]), 0);
    let _still_there = silent.write_all(b"x");
}

/// Carries octets one by one, whatever they mean.
fn carry_singly(mut from: TcpStream, mut to: TcpStream) {
    to.set_nodelay(true).expect("an option");
    let mut octets = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut octets) {
        if !octets[..length].iter().all(|octet| to.write_all(&[*octet]).is_ok()) {
            break;
        }
    }
    let _gone = to.shutdown(Shutdown::Both);
}

/// Records come apart anywhere.
#[test]
fn tls_octet_by_octet_changes_nothing() {
    let (served, certificate) = served();
    let upstream = served.target.trim_start_matches("tls://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = format!("tls://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(&upstream).expect("the server is there");
            let (from, to) = (far.try_clone().expect("a handle"), near.try_clone().expect("a handle"));
            thread::spawn(move || carry_singly(from, to));
            thread::spawn(move || carry_singly(near, far));
        }
    });
    // The schemes share the connection.
    let args = ["run", "--target", &target, "--scheme", "ntlm", "--tls-ca", certificate.path()];
    assert_exit(&sipae(&[&args[..], &["--cases", "1", "--section", "3.3.5"]].concat()), 0);
}
