//! Reading one signed REGISTER of 850 octets: what a server does before it can verify the signature.
//!
//! The rows differ in depth, so each says what it does. Only sipae gives every value octet by octet as it was written,
//! which is what a signature needs.

use divan::{Bencher, black_box};
use sipae::auth::AuthHeader;
use sipae::buffer::SignatureBuffer;
use sipae::message::{HeaderName, Limits, Message};
use sipae_testsuite::sample;

fn main() {
    assert_eq!(sample::REGISTER.len(), 850);
    // Many runs to a sample: a single one is about as long as the clock is coarse.
    divan::Divan::default().sample_size(200).config_with_args().main();
}

fn message() -> Message<'static> {
    Message::parse(sample::REGISTER, &Limits::DEFAULT).expect("a message")
}

fn buffer() -> SignatureBuffer<'static> {
    sample::signed(&message()).expect("a buffer")
}

/// Index of all header fields, all parameters of Authorization, and the values of the signature buffer: Call-ID, number
/// and method of CSeq, URI and tag of From and To, identities, Expires. Nothing is copied.
#[divan::bench]
fn register(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let message = Message::parse(black_box(sample::REGISTER), &Limits::DEFAULT).expect("a message");
        drop(black_box(sample::signed(&message)));
    });
}

/// The index alone.
#[divan::bench]
fn register_index(bencher: Bencher<'_, '_>) {
    bencher.bench(|| drop(black_box(Message::parse(black_box(sample::REGISTER), &Limits::DEFAULT))));
}

/// All parameters of Authorization: eight, quotes removed.
#[divan::bench]
fn authorization(bencher: Bencher<'_, '_>) {
    let value = message().first(HeaderName::Authorization).expect("a credential");
    bencher.bench(|| {
        black_box(AuthHeader::read(black_box(value)));
    });
}

/// The string that is signed, into a buffer that is there.
#[divan::bench]
fn signature_buffer(bencher: Bencher<'_, '_>) {
    let buffer = buffer();
    let mut out = Vec::with_capacity(1024);
    bencher.bench_local(|| {
        out.clear();
        black_box(&buffer).write_to(&mut out);
        black_box(out.len())
    });
}

/// rsip: all header fields copied into strings, and freed; From, To and CSeq then read into types (URI with its parts), Call-ID,
/// Expires and Authorization left as text. Its type for Authorization knows Digest only and refuses NTLM.
#[divan::bench]
fn register_rsip(bencher: Bencher<'_, '_>) {
    use rsip::headers::{ToTypedHeader, UntypedHeader};
    use rsip::message::HeadersExt;
    bencher.bench(|| {
        let message = rsip::SipMessage::try_from(black_box(sample::REGISTER)).expect("a message");
        let from = message.from_header().expect("From").typed().expect("an address");
        let to = message.to_header().expect("To").typed().expect("an address");
        let cseq = message.cseq_header().expect("CSeq").typed().expect("a number and a method");
        let call_id = message.call_id_header().expect("Call-ID").value().len();
        let expires = message.expires_header().expect("Expires").value().len();
        let authorization = message.authorization_header().expect("Authorization").value().len();
        drop(black_box((message, from, to, cseq, call_id, expires, authorization)));
    });
}

/// rsip: all header fields copied into strings, and freed; none of them read.
#[divan::bench]
fn register_index_rsip(bencher: Bencher<'_, '_>) {
    bencher.bench(|| drop(black_box(rsip::SipMessage::try_from(black_box(sample::REGISTER)))));
}

/// ezk-sip-types: start line read, all header fields as reference-counted slices; From, To, Call-ID, CSeq, Expires and
/// Authorization then read into types (URI with its parts, parameters as a list). Whether a value stood in quotes is
/// forgotten.
#[divan::bench]
fn register_ezk(bencher: Bencher<'_, '_>) {
    use ezk_sip_types::Name;
    use ezk_sip_types::header::typed::{AuthResponse, CSeq, CallID, Expires, FromTo};
    let octets = bytes::Bytes::from_static(sample::REGISTER);
    bencher.bench(|| {
        let (line, headers) = ezk(black_box(&octets));
        let from: FromTo = headers.get(Name::FROM).expect("From");
        let to: FromTo = headers.get(Name::TO).expect("To");
        let call_id: CallID = headers.get_named().expect("Call-ID");
        let cseq: CSeq = headers.get_named().expect("CSeq");
        let expires: Expires = headers.get_named().expect("Expires");
        let authorization: AuthResponse = headers.get(Name::AUTHORIZATION).expect("Authorization");
        drop(black_box((line, from, to, call_id, cseq, expires, authorization)));
    });
}

/// ezk-sip-types: start line read, all header fields as reference-counted slices.
#[divan::bench]
fn register_index_ezk(bencher: Bencher<'_, '_>) {
    let octets = bytes::Bytes::from_static(sample::REGISTER);
    bencher.bench(|| drop(black_box(ezk(black_box(&octets)))));
}

/// The loop that its own user agent runs.
fn ezk(octets: &bytes::Bytes) -> (ezk_sip_types::msg::MessageLine, ezk_sip_types::Headers) {
    use ezk_sip_types::msg::{Line, MessageLine, PullParser};
    use ezk_sip_types::parse::Parse;
    let mut lines = PullParser::new(octets, 0)
        .map(|line| std::str::from_utf8(line.expect("a whole line")).expect("UTF-8"));
    let first = lines.next().expect("a start line");
    let (_, first) = MessageLine::parse(octets)(first).expect("a request line");
    let mut headers = ezk_sip_types::Headers::with_capacity(16);
    for line in lines {
        let (_, line) = Line::parse(octets, line).expect("a header line");
        headers.insert(line.name, line.value);
    }
    (first, headers)
}
