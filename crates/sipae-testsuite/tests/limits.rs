//! Every bound on what a peer sends, and that an error names it.

use rstest::rstest;
use sipae::auth::AuthHeader;
use sipae::message::{Limits, Message, MessageError, MessageStream, Value};
use sipae_spec::Diagnostic;

fn limits() -> Limits {
    let mut limits = Limits::DEFAULT;
    (limits.start_line, limits.header_field, limits.header_fields) = (40, 60, 4);
    (limits.head, limits.body) = (200, 10);
    limits
}

fn message(uri: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("OPTIONS {uri} SIP/2.0\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn field(length: usize) -> String {
    format!("X: {}", "v".repeat(length))
}

/// Just inside and just outside of each limit.
#[rstest]
#[case("start_line", message(&format!("sip:{}", "u".repeat(20)), &[], ""), message(&format!("sip:{}", "u".repeat(21)), &[], ""))]
#[case("header_field", message("sip:u", &[&field(55)], ""), message("sip:u", &[&field(56)], ""))]
#[case("header_field", message("sip:u", &["X: v\r\n v"], ""), message("sip:u", &[&format!("X: v{}", "\r\n v".repeat(20))], ""))]
#[case("header_fields", message("sip:u", &["X: v"; 3], ""), message("sip:u", &["X: v"; 4], ""))]
#[case("head", message("sip:u", &[field(50).as_str(); 2], ""), message("sip:u", &[field(50).as_str(); 3], ""))]
#[case("body", message("sip:u", &[], &"b".repeat(10)), message("sip:u", &[], &"b".repeat(11)))]
fn a_message_beyond_a_limit_gets_an_error_that_names_it(
    #[case] name: &str,
    #[case] inside: String,
    #[case] outside: String,
) {
    assert!(Message::parse(inside.as_bytes(), &limits()).is_ok(), "{inside}");
    let refused = Message::parse(outside.as_bytes(), &limits()).map(|_| ()).expect_err(&outside);
    assert!(matches!(refused, MessageError::Limit { limit, .. } if limit == name), "{refused}");
    let mut stream = MessageStream::new(limits());
    stream.push(outside.as_bytes());
    let streamed = stream.next_message().map(|_| ()).expect_err(&outside);
    assert!(matches!(streamed, MessageError::Limit { limit, .. } if limit == name), "{streamed}");
}

/// A head that never ends is refused when it exceeds its limit, not when memory does.
#[test]
fn an_endless_head_is_refused_at_its_limit() {
    let mut stream = MessageStream::new(limits());
    stream.push(b"OPTIONS sip:u SIP/2.0\r\nX: ");
    let refused = (0..).find_map(|_| {
        stream.push(&[b'v'; 50]);
        stream.next_message().map(|_| ()).err()
    });
    assert!(matches!(refused, Some(MessageError::Limit { limit: "head", .. })), "{refused:?}");
    assert!(stream.pending() < 300);
}

/// A body that is announced too long is refused before it arrives.
#[test]
fn a_body_is_refused_by_its_announcement() {
    let mut stream = MessageStream::new(limits());
    stream.push(b"OPTIONS sip:u SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n");
    let refused = stream.next_message().map(|_| ()).expect_err("too long");
    assert!(matches!(
        refused,
        MessageError::Limit { limit: "body", .. } | MessageError::ContentLength { .. }
    ));
}

#[test]
fn a_field_with_too_many_parameters_is_malformed() {
    let params = |count: usize| {
        let params: Vec<String> = (0..count).map(|number| format!("p{number}=\"v\"")).collect();
        format!("NTLM {}", params.join(", "))
    };
    let limit = sipae::auth::MAX_STEPS;
    assert_eq!(AuthHeader::read(Value(params(limit).as_bytes())).malformed(), None);
    let malformed = AuthHeader::read(Value(params(limit + 1).as_bytes())).malformed();
    assert_eq!(malformed, Some(Diagnostic::ParamsTooMany));
}

/// RFC 3261 7.3.1: a line that begins with a blank is a fold, and there is nothing yet that it could continue.
#[test]
fn a_first_header_line_that_begins_with_a_blank_is_no_field() {
    let text = b"OPTIONS sip:u SIP/2.0\r\n From: <sip:bob@x>\r\nTo: <sip:a@x>\r\n\r\n";
    let refused = Message::parse(text, &Limits::DEFAULT).map(|_| ()).expect_err("a fold of nothing");
    assert!(matches!(refused, MessageError::HeaderLine { offset: 23, .. }), "{refused}");
}

#[test]
fn a_broken_stream_says_the_same_for_ever_and_keeps_nothing() {
    let mut stream = MessageStream::new(Limits::DEFAULT);
    stream.push(b"OPTIONS sip:u SIP/2.0\nrubbish");
    let first = stream.next_message().map(|_| ()).expect_err("a bare line feed");
    for _ in 0..3 {
        stream.push(&[b'x'; 1000]);
        assert_eq!(stream.next_message().map(|_| ()), Err(first.clone()));
    }
    assert_eq!(stream.pending(), 0);
}

#[test]
fn many_messages_in_one_arrival_come_out_in_order() {
    let mut stream = MessageStream::new(Limits::DEFAULT);
    let all: String =
        (0..1000).map(|number| format!("\r\n\r\nOPTIONS sip:{number} SIP/2.0\r\nl: 2\r\n\r\nab")).collect();
    stream.push(all.as_bytes());
    for number in 0..1000 {
        let message = stream.next_message().expect("readable").expect("a message");
        assert!(message.octets().starts_with(format!("OPTIONS sip:{number} ").as_bytes()));
        assert_eq!(message.body(), b"ab");
    }
    assert!(stream.next_message().expect("readable").is_none());
}
