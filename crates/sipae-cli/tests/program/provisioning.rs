//! `--provisioning` of `sipae serve` and `sipae run`: a client gets its certificate from the service, and logs on with it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use sipae::encoding::encode_base64;

use crate::commands::{Served, assert_exit, sipae};

/// What follows a text, up to another one.
#[track_caller]
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("{after} in {rest}")).0
}

/// The sts-uri in the first line.
fn sts_uri(served: &Served) -> &str {
    served.line.split_once("certificates from ").expect("the uri").1.trim()
}

/// The body of an answer.
#[track_caller]
fn ask(method: &str, url: &str, body: &str) -> String {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL");
    let mut stream = TcpStream::connect(host).expect("the service");
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: text/xml; charset=utf-8\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

fn envelope(header: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>{header}</s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// A certificate of the user for this key, in PEM.
fn certificate(sts_uri: &str, key: &KeyPair) -> String {
    let location = |description: &str| between(description, "location=\"", "\"").to_owned();
    let description = ask("GET", &format!("{sts_uri}/mex"), "");
    let issuer = between(between(&description, "<Address", "/Address>"), ">", "<");
    let tickets = location(&ask("GET", &format!("{issuer}/mex"), ""));
    let ticket = ask("POST", &tickets, &envelope("", "<RequestSecurityToken/>"));
    let assertion = format!("<Assertion{}</Assertion>", between(&ticket, "<Assertion", "</Assertion>"));
    let request = CertificateParams::default().serialize_request(key).expect("a request");
    let body = format!(
        "<GetAndPublishCert Entity=\"sip:alice@contoso.com\"><RequestSecurityToken><BinarySecurityToken \
         ValueType=\"urn:a#PKCS10\">{}</BinarySecurityToken></RequestSecurityToken></GetAndPublishCert>",
        encode_base64(request.der())
    );
    let header = format!("<Security>{assertion}</Security>");
    let answer = ask("POST", &location(&description), &envelope(&header, &body));
    let text = between(between(&answer, "BinarySecurityToken", "BinarySecurityToken>"), ">", "</");
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[test]
fn a_certificate_from_the_service_logs_a_client_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let served = Served::start(&["--provisioning", "http", "--write-test-credentials", &path("")]);
    let stdout = assert_exit(&sipae(&["probe", &served.target]), 0);
    let uri = sts_uri(&served);
    assert!(stdout.contains(&format!("sts-uri \"{uri}\"")), "{stdout}");
    let key = KeyPair::generate().expect("a key");
    fs::write(path("user.pem"), certificate(uri, &key)).expect("written");
    fs::write(path("user.key"), key.serialize_pem()).expect("written");
    let profile = fs::read_to_string(path("profile.toml")).expect("a profile");
    // Without its authority the suite has no other certificate to show.
    let own = profile.replace("authority = \"authority.pem\"\nauthority_key = \"authority.key\"\n", "");
    assert_ne!(own, profile);
    fs::write(path("profile.toml"), own).expect("written");
    let run = [
        "run",
        "--target",
        &served.target,
        "--profile",
        &path("profile.toml"),
        "--scheme",
        "tls-dsk",
        "date",
    ];
    let stdout = assert_exit(&sipae(&run), 0);
    assert!(stdout.contains("TLS-DSK v4  gate open"), "{stdout}");
}

#[test]
fn over_https_the_requirement_about_sts_uri_is_met() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    let served = Served::start(&["--provisioning", "https", "--write-test-credentials", path]);
    assert!(sts_uri(&served).starts_with("https://127.0.0.1:"), "{}", served.line);
    assert!(Path::new(path).join("provisioning.pem").exists());
    let run = ["run", "--target", &served.target, "--scheme", "tls-dsk", "sts-uri"];
    let stdout = assert_exit(&sipae(&run), 0);
    assert!(stdout.contains(" pass"), "{stdout}");
}

#[test]
fn it_is_for_servers_that_offer_tls_dsk_with_the_test_authority() {
    let output = sipae(&["serve", "--listen", "127.0.0.1:0", "--provisioning", "http", "--schemes", "ntlm"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("--provisioning: TLS-DSK is not offered (--schemes)"), "{told}");
}

const BARE: &str = "REGISTER sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n\
    Max-Forwards: 70\r\nFrom: <sip:alice@contoso.com>;tag=1;epid=01\r\nTo: <sip:alice@contoso.com>\r\nCall-ID: 1\r\n\
    CSeq: 1 REGISTER\r\nContact: <sip:127.0.0.1:5060>\r\nContent-Length: 0\r\n\r\n";

/// The sts-uri that the suite names to whoever asks.
fn named(port: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{}", port.trim())).expect("the suite");
    stream.write_all(BARE.as_bytes()).expect("sent");
    let (mut answer, mut octets) = (String::new(), [0; 4096]);
    while !answer.contains("\r\n\r\n") {
        let length = stream.read(&mut octets).expect("a challenge");
        assert_ne!(length, 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&octets[..length]));
    }
    between(&answer, "sts-uri=\"", "\"").to_owned()
}

/// Its certificate comes from nowhere else: it is asked for when the client has been started.
#[test]
fn a_client_that_has_no_certificate_yet_is_tested() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let authority = sipae_net::Authority::test().expect("an authority");
    fs::write(path("ca.pem"), authority.certificate()).expect("written");
    let program = env!("CARGO_BIN_EXE_sipae");
    let client = format!(
        "cd {}; test -f user.pem || echo $SIPAE_PORT > new; test -f port || mv new port; \
         until test -f user.pem; do sleep 0.05; done; exec {program} client tcp://127.0.0.1:$SIPAE_PORT \
         --scheme tls-dsk --certificate user.pem --key user.key --ca ca.pem",
        path("")
    );
    let exec = format!("sh -c '{client}'");
    let run = ["run", "--target", "listen:tcp://127.0.0.1:0", "--provisioning", "http", "--exec", &exec];
    let run = [&run[..], &["--scheme", "tls-dsk", "3.2.5.2/altered-"]].concat();
    let stdout = std::thread::scope(|scope| {
        let running = scope.spawn(|| assert_exit(&sipae(&run), 0));
        while !Path::new(&path("port")).exists() && !running.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let uri = named(&fs::read_to_string(path("port")).expect("a port"));
        let key = KeyPair::generate().expect("a key");
        fs::write(path("user.key"), key.serialize_pem()).expect("written");
        fs::write(path("new.pem"), certificate(&uri, &key)).expect("written");
        fs::rename(path("new.pem"), path("user.pem")).expect("renamed");
        running.join().expect("a run")
    });
    assert!(stdout.contains("TLS-DSK v4  gate open"), "{stdout}");
}

#[test]
fn beside_the_suite_it_is_for_clients() {
    let output = sipae(&["run", "--provisioning", "http"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("--provisioning: it is for clients (--target listen:...)"), "{told}");
}
