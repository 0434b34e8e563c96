//! Targets that are no servers, or that answer what nobody can use. Each costs a verdict, and a bounded time and memory.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use rstest::rstest;
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message, MessageStream};

use crate::commands::{Scratch, assert_exit, profile};
use crate::measured::bounded_run;

/// A server that does this with each connection.
pub(crate) fn misbehaving(serve: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    format!("tcp://{address}")
}

/// Takes everything and says nothing.
pub(crate) fn hang(mut stream: TcpStream) {
    let _all = std::io::copy(&mut stream, &mut std::io::sink());
}

fn close_after_reading(mut stream: TcpStream) {
    let _some = stream.read(&mut [0; 65536]);
}

fn garbage(mut stream: TcpStream) {
    let _some = stream.read(&mut [0; 64]);
    let _sent = stream.write_all(b"\x00\xff\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n");
    hang(stream);
}

/// Sends a head and then this again and again.
fn without_end(mut stream: TcpStream, head: &[u8], again: &[u8]) {
    let again = again.repeat(65536 / again.len());
    let _some = stream.read(&mut [0; 64]);
    let mut sent = stream.write_all(head);
    while sent.is_ok() {
        sent = stream.write_all(&again);
    }
}

/// Answers each request with these octets, for as long as the client listens.
fn answer(mut stream: TcpStream, answer: impl Fn(&Message<'_>) -> Vec<u8>) {
    let mut requests = MessageStream::new(Limits::DEFAULT);
    let mut octets = [0; 65536];
    while let Ok(length @ 1..) = stream.read(&mut octets) {
        requests.push(&octets[..length]);
        while let Ok(Some(request)) = requests.next_message() {
            if stream.write_all(&answer(&request)).is_err() {
                return;
            }
        }
    }
}

/// A challenge as it should be.
fn challenge(request: &Message<'_>) -> Draft {
    let offer = "NTLM realm=\"r\", targetname=\"t\", version=4";
    Draft::response_to(request, 401, "x").with(HeaderName::WwwAuthenticate, offer).close()
}

/// A challenge with this value of a header field.
fn with(request: &Message<'_>, name: HeaderName, value: &str) -> Draft {
    let mut draft = challenge(request);
    draft.set(name, value);
    draft
}

fn half(request: &Message<'_>) -> Vec<u8> {
    let mut octets = challenge(request).to_octets();
    octets.truncate(octets.len() / 2);
    octets
}

/// 10 MB of header fields.
fn endless_head(request: &Message<'_>) -> Vec<u8> {
    let mut draft = challenge(request);
    (0..10_000).for_each(|_| draft.push_text("X-Long", "x".repeat(1000)));
    draft.to_octets()
}

/// A response whose body has the length that its head says, 4 MiB, which is still taken.
fn large_body(request: &Message<'_>) -> Vec<u8> {
    challenge(request).with_body("text/plain", &vec![b'x'; 4 << 20]).to_octets()
}

/// Provisional answers without end, each with a long signature that proves nothing, to whatever comes behind the first
/// request.
fn signed_without_end(mut stream: TcpStream) {
    let mut requests = MessageStream::new(Limits::DEFAULT);
    let mut octets = [0; 65536];
    let mut is_first = true;
    while let Ok(length @ 1..) = stream.read(&mut octets) {
        requests.push(&octets[..length]);
        while let Ok(Some(request)) = requests.next_message() {
            if std::mem::take(&mut is_first) {
                drop(stream.write_all(&challenge(&request).to_octets()));
                continue;
            }
            let mut ringing = Draft::response_to(&request, 180, &"t".repeat(100_000));
            ringing
                .push(HeaderName::AuthenticationInfo, "NTLM realm=\"r\", targetname=\"t\", rspauth=\"00\"");
            let ringing = ringing.close().to_octets();
            while stream.write_all(&ringing).is_ok() {}
            return;
        }
    }
}

/// `Content-Length` is this, and the body another.
fn length(request: &Message<'_>, value: &str) -> Vec<u8> {
    let mut draft = with(request, HeaderName::ContentLength, value);
    draft.body = b"body".to_vec();
    draft.to_octets()
}

/// No gate opens, and the reason says what came instead.
#[rstest]
#[case::closes_at_once(drop, "connection")]
#[case::closes(close_after_reading, "connection closed")]
#[case::hangs(hang, "no answer in time")]
#[case::sends_garbage(garbage, "unreadable octets")]
#[case::floods(|stream| without_end(stream, b"", b"a"), "unreadable octets")]
#[case::floods_with_lines(|stream| without_end(stream, b"", b"\r\n"), "bare REGISTER: ")]
#[case::sends_lines_without_end(|stream| without_end(stream, b"SIP/2.0 401 x\r\n", b"X: y\r\n"), "unreadable octets")]
#[case::folds_without_end(|stream| without_end(stream, b"SIP/2.0 401 x\r\nX: y\r\n", b" y\r\n"), "unreadable octets")]
#[case::sends_half_a_message(|stream| answer(stream, half), "no answer in time")]
#[case::sends_an_endless_head(|stream| answer(stream, endless_head), "unreadable octets")]
#[case::sends_large_bodies(|stream| answer(stream, large_body), "unreadable octets")]
#[case::signs_without_end(signed_without_end, "more than 16777216 octets")]
#[case::promises_too_much(|stream| answer(stream, |request| length(request, "5000000")), "unreadable octets")]
#[case::promises_a_little_too_much(|stream| answer(stream, |request| length(request, "1000")), "no answer in time")]
#[case::promises_too_little(|stream| answer(stream, |request| length(request, "2")), "unreadable octets")]
#[case::promises_less_than_nothing(|stream| answer(stream, |request| length(request, "-1")), "unreadable octets")]
#[case::promises_no_number(|stream| answer(stream, |request| length(request, "many")), "unreadable octets")]
#[case::promises_beyond_all_numbers(|stream| answer(stream, |request| length(request, "99999999999999999999999")), "unreadable octets")]
#[case::answers_another_call(|stream| answer(stream, |request| with(request, HeaderName::CallId, "other").to_octets()), "no answer in time")]
#[case::answers_another_number(|stream| answer(stream, |request| with(request, HeaderName::CSeq, "4000000 REGISTER").to_octets()), "no answer in time")]
#[case::answers_another_branch(|stream| answer(stream, |request| with(request, HeaderName::Via, "SIP/2.0/TCP x;branch=z9hG4bKother").to_octets()), "no answer in time")]
#[case::challenges_for_ever(|stream| answer(stream, |request| challenge(request).to_octets()), "first NTLM token: 401 with a fresh challenge")]
fn a_server_that_misbehaves_costs_a_verdict(#[case] serve: fn(TcpStream), #[case] reason: &str) {
    let profile = Scratch::new("pace.toml", &profile("x", 300));
    let output = bounded_run(&misbehaving(serve), &["--profile", profile.path()]);
    let stdout = assert_exit(&output, 3);
    assert!(stdout.contains(reason) && stdout.contains("cases:"), "{stdout}");
}
