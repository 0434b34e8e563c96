//! One message: [`Message`], [`SignatureBuffer`], [`Draft`].

use sipae::auth::AuthHeader;
use sipae::buffer::{SignatureBuffer, SignatureParams};
use sipae::draft::Draft;
use sipae::endpoint::EndpointId;
use sipae::message::{Address, Addresses, HeaderName, Limits, Message, MessageError, StartLine, Value};
use sipae::side::Side;
use sipae::version::Version;

use super::octets::is_part;

/// Every value is a slice of the input, the index finds what a walk finds, the signature buffer is well formed for
/// every version, and a copy through [`Draft`] reads and signs the same.
pub fn message(data: &[u8]) {
    match Message::parse(data, &Limits::DEFAULT) {
        Ok(message) => {
            accessors(data, &message);
            index(data, &message);
            signature_buffers(&message);
            copy(&message);
        }
        Err(error) => explains_itself(&error),
    }
}

fn explains_itself(error: &MessageError) {
    assert!(!error.to_string().is_empty() && !error.rule().is_empty(), "{error:?}");
}

fn accessors(data: &[u8], message: &Message<'_>) {
    let inside = |parts: &[&[u8]]| assert!(parts.iter().all(|part| is_part(data, part)), "copied: {parts:?}");
    assert_eq!(message.octets(), data);
    assert!(data.ends_with(message.body()));
    match message.start_line() {
        StartLine::Request { method, uri } => {
            assert!(message.is_request() && message.status().is_none());
            inside(&[method, uri]);
        }
        StartLine::Response { status, reason } => {
            let text = message.status_text().unwrap_or_default();
            assert_eq!(text, status.to_string().as_bytes());
            inside(&[text, reason]);
        }
    }
    for header in message.headers() {
        inside(&[header.name, header.value.raw()]);
        assert_eq!(header.known, HeaderName::from_octets(header.name));
        assert!(!header.value.unfolded().contains(&b'\n'), "{header:?}");
    }
    fields(message, &inside);
    endpoint(message);
    assert!(!format!("{message:?}").is_empty());
}

/// The readers for single fields.
fn fields(message: &Message<'_>, inside: &dyn Fn(&[&[u8]])) {
    [message.from().ok(), message.to().ok(), message.contact().ok().flatten()]
        .iter()
        .flatten()
        .for_each(|found| address(found, inside));
    for name in [HeaderName::Contact, HeaderName::PAssertedIdentity, HeaderName::PPreferredIdentity] {
        let elements = message.all(name).flat_map(|value| Addresses::new(value.raw()));
        elements.flatten().for_each(|found| address(&found, inside));
    }
    if let Ok(cseq) = message.cseq() {
        assert!(cseq.value().is_some() && !cseq.method.is_empty());
        inside(&[cseq.number, cseq.method]);
    }
    let identities = message.identities();
    inside(&[identities.sip, identities.tel, message.branch().unwrap_or_default()]);
    let values = [message.call_id().ok(), message.expires().ok().flatten()];
    values.into_iter().flatten().for_each(|value| inside(&[value.raw()]));
}

fn address(address: &Address<'_>, inside: &dyn Fn(&[&[u8]])) {
    assert!(!address.uri.is_empty());
    inside(&[address.display, address.uri, address.address_of_record().unwrap_or_default()]);
    for param in address.params {
        inside(&[param.name, param.value]);
        let name = std::str::from_utf8(param.name).ok();
        assert!(name.is_none_or(|name| address.param(name).is_some()), "{param:?}");
    }
}

fn endpoint(message: &Message<'_>) {
    let (Ok(from), Ok(contact)) = (message.from(), message.contact()) else { return };
    if let Ok(endpoint) = EndpointId::of(&from, contact.as_ref()) {
        assert_eq!(endpoint.address, endpoint.address.to_lowercase());
    }
}

/// The index against a walk over all fields, and that against a walk over all lines.
fn index(data: &[u8], message: &Message<'_>) {
    for name in HeaderName::ALL.iter().copied() {
        let walked: Vec<Value<'_>> = message
            .headers()
            .filter(|header| header.known == Some(name))
            .map(|header| header.value)
            .collect();
        assert_eq!(message.all(name).collect::<Vec<_>>(), walked, "{name}");
        assert_eq!(message.count(name), walked.len(), "{name}");
        assert_eq!(message.first(name), walked.first().copied(), "{name}");
        assert_eq!(message.single(name).is_ok(), walked.len() < 2, "{name}");
    }
    let lines = header_lines(data);
    let names: Vec<_> = message.headers().map(|header| header.name).collect();
    assert_eq!(names, lines.iter().map(|line| name_of(line)).collect::<Vec<_>>());
    for (header, line) in message.headers().zip(&lines) {
        let words = |text: &[u8]| -> Vec<u8> {
            text.iter().copied().filter(|octet| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n')).collect()
        };
        let value = line.splitn(2, |octet| *octet == b':').nth(1).unwrap_or_default();
        assert_eq!(words(header.value.raw()), words(value), "{header:?}");
    }
}

/// The header lines of a message that has been read, folds joined, found line by line.
fn header_lines(data: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut all = data.split_inclusive(|octet| *octet == b'\n').skip(1);
    while let Some(line) = all.next().filter(|line| *line != b"\r\n") {
        match lines.last_mut() {
            Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => last.extend_from_slice(line),
            _ => lines.push(line.to_vec()),
        }
    }
    lines
}

fn name_of(line: &[u8]) -> &[u8] {
    line.split(|octet| *octet == b':').next().unwrap_or_default().trim_ascii()
}

fn signature_buffers(message: &Message<'_>) {
    for params in signature_params(message) {
        let buffers = Version::ALL.map(|version| SignatureBuffer::new(message, &params, version));
        let fit = buffers.iter().flatten().count();
        assert!(fit == 0 || fit == buffers.len(), "the version decides the layout only: {buffers:?}");
        buffers.iter().flatten().for_each(signature_buffer);
    }
}

/// No parameters at all, and those of every authentication header field, read for either side.
fn signature_params<'a>(message: &Message<'a>) -> Vec<SignatureParams<'a>> {
    let headers = message.headers().filter(|header| header.known.is_some_and(HeaderName::is_authentication));
    let mut params = vec![SignatureParams::default()];
    for header in headers.take(4) {
        let read = AuthHeader::read(header.value);
        params.extend([Side::Client, Side::Server].map(|signer| SignatureParams::of(&read, signer)));
    }
    params
}

/// What has no ambiguous element can be taken apart again, so that no two messages share a buffer.
fn signature_buffer(buffer: &SignatureBuffer<'_>) {
    let text = buffer.to_vec();
    assert_eq!(text, buffer.to_vec());
    let inner = text.strip_prefix(b"<").and_then(|text| text.strip_suffix(b">"));
    let Some(inner) = inner else { panic!("no angle brackets around {text:?}") };
    if buffer.ambiguous().is_none() {
        let written: Vec<_> = buffer.elements().map(|(_, value)| value.unfolded().into_owned()).collect();
        assert_eq!(elements(inner), written);
    }
}

/// `inner` between the separators `><`.
fn elements(inner: &[u8]) -> Vec<&[u8]> {
    let mut elements = Vec::new();
    let mut rest = inner;
    while let Some(place) = rest.windows(2).position(|pair| pair == b"><") {
        let (element, behind) = rest.split_at(place);
        elements.push(element);
        rest = behind.strip_prefix(b"><").unwrap_or_default();
    }
    elements.push(rest);
    elements
}

fn copy(message: &Message<'_>) {
    let octets = Draft::from_message(message).to_octets();
    let copy = Message::parse(&octets, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(copy.start_line(), message.start_line());
    assert_eq!(copy.body(), message.body());
    let fields = |message: &Message<'_>| -> Vec<(Vec<u8>, Vec<u8>)> {
        message.headers().map(|header| (header.name.to_vec(), header.value.raw().to_vec())).collect()
    };
    assert_eq!(fields(&copy), fields(message));
    let buffer = |message: &Message<'_>| {
        SignatureBuffer::new(message, &SignatureParams::default(), Version::V4).map(|buffer| buffer.to_vec())
    };
    assert_eq!(buffer(&copy), buffer(message));
}
