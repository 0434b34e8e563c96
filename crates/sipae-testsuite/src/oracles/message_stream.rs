//! Messages out of a byte stream: [`MessageStream`].

use sipae::message::{Limits, Message, MessageError, MessageStream};

use super::octets::pieces;

/// What a stream has given: whole messages, then the error that ended it, or the octets that wait for more.
#[derive(Debug, PartialEq)]
struct Outcome {
    messages: Vec<Vec<u8>>,
    end: Result<usize, MessageError>,
}

/// However the octets arrive, the same messages come out of them, and the same error.
pub fn message_stream(data: &[u8]) {
    let whole = read([data], Limits::DEFAULT);
    assert_eq!(read(pieces(data), Limits::DEFAULT), whole);
    assert_eq!(read(data.chunks(1), Limits::DEFAULT), whole);
    messages_are_the_input(data, &whole);
    limits(data);
}

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limits: Limits) -> Outcome {
    let mut stream = MessageStream::new(limits);
    let mut messages = Vec::new();
    for chunk in chunks {
        stream.push(chunk);
        loop {
            match stream.next_message() {
                Ok(Some(message)) => messages.push(message.octets().to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(stream.next_message().err(), Some(error.clone()), "an error is final");
                    return Outcome { messages, end: Err(error) };
                }
            }
        }
    }
    Outcome { messages, end: Ok(stream.pending()) }
}

/// Messages and the line ends between them are the input, and each is read alike alone.
fn messages_are_the_input(data: &[u8], outcome: &Outcome) {
    let mut rest = data;
    for octets in &outcome.messages {
        rest = without_keep_alives(rest).strip_prefix(octets.as_slice()).unwrap_or_default();
        let alone = Message::parse(octets, &Limits::DEFAULT);
        assert!(alone.is_ok(), "{alone:?}");
    }
    if let Ok(pending) = outcome.end {
        assert_eq!(without_keep_alives(rest).len(), pending);
    }
}

fn without_keep_alives(mut octets: &[u8]) -> &[u8] {
    while let Some(rest) = octets.strip_prefix(b"\r\n") {
        octets = rest;
    }
    octets
}

/// Tight limits end a stream at the same message, though not always with the same words: which limit is noticed first
/// depends on what has arrived.
fn limits(data: &[u8]) {
    let mut limits = Limits::DEFAULT;
    (limits.head, limits.header_field, limits.header_fields, limits.body) = (400, 200, 8, 100);
    let (whole, slow) = (read([data], limits), read(data.chunks(1), limits));
    assert_eq!(slow.messages, whole.messages);
    assert_eq!(slow.end.is_ok(), whole.end.is_ok(), "{slow:?} {whole:?}");
    if slow.end.is_ok() {
        assert_eq!(slow.end, whole.end);
    }
}
