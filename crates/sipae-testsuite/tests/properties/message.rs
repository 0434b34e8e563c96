//! Messages and streams of messages.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sipae::endpoint::EndpointId;
use sipae::message::{Addresses, HeaderName, Limits, Message, MessageError, MessageStream};
use sipae_vectors::Operation;

use super::mutate::{mutated, octets_or_mutated};
use super::{is_part, returns};
use crate::vectors;

fn originals() -> Vec<Vec<u8>> {
    let files = vectors::files();
    let operations = files.iter().flat_map(|file| &file.vectors).map(|vector| &vector.operation);
    let messages = operations.filter_map(|operation| match operation {
        Operation::SipMessage(inputs) => Some(&inputs.message),
        Operation::SipBuffer(inputs) => Some(&inputs.message),
        _ => None,
    });
    messages.map(|message| message.clone().into_bytes()).collect()
}

fn parse(octets: &[u8]) -> Option<Message<'_>> {
    Message::parse(octets, &Limits::DEFAULT).ok()
}

/// Calls everything that reads.
fn read_all(message: &Message<'_>) {
    returns((
        message.body(),
        message.start_line(),
        message.status(),
        message.status_text(),
        message.method(),
    ));
    returns((message.call_id(), message.cseq().map(|cseq| cseq.value()), message.expires(), message.to()));
    returns((message.branch(), message.identities(), format!("{message:?}")));
    if let (Ok(from), Ok(contact)) = (message.from(), message.contact()) {
        returns((from.lacks_brackets(), from.address_of_record(), from.params.count()));
        returns(EndpointId::of(&from, contact.as_ref()).map(|id| id.instance));
    }
    for name in HeaderName::ALL {
        returns((
            message.first(*name),
            message.count(*name),
            message.by_text(name.name()),
            message.single(*name),
        ));
        for value in message.all(*name) {
            returns((value.to_text(), Addresses::new(value.raw()).count()));
        }
    }
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_of_messages_panic(octets in octets_or_mutated(originals())) {
        if let Some(message) = parse(&octets) {
            read_all(&message);
        }
    }

    #[test]
    fn every_finding_on_a_message_points_to_octets_of_it(octets in mutated(originals())) {
        for finding in parse(&octets).iter().flat_map(Message::findings) {
            let shown = octets.get(finding.offset..finding.offset + finding.text.len());
            prop_assert_eq!(shown, Some(finding.text), "{:?}", finding);
        }
    }

    #[test]
    fn findings_on_a_message_stand_in_order_of_position(octets in mutated(originals())) {
        let findings = parse(&octets).iter().flat_map(Message::findings).collect::<Vec<_>>();
        prop_assert!(findings.is_sorted_by_key(|finding| finding.offset), "{:?}", findings);
    }

    #[test]
    fn every_header_value_is_a_part_of_the_message(octets in mutated(originals())) {
        if let Some(message) = parse(&octets) {
            for header in message.headers() {
                prop_assert!(is_part(&octets, header.name));
                prop_assert!(is_part(&octets, header.value.raw()));
            }
        }
    }

    #[test]
    fn the_lines_of_a_name_are_counted_as_they_are_listed(octets in mutated(originals())) {
        if let Some(message) = parse(&octets) {
            for name in HeaderName::ALL {
                prop_assert_eq!(message.all(*name).count(), message.count(*name));
                prop_assert_eq!(message.all(*name).next(), message.first(*name));
            }
        }
    }

    #[test]
    fn a_stream_gives_the_messages_that_were_put_in(
        messages in vec(framed(), 1..5),
        keep_alives in vec(0..3_usize, 5),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let with_keep_alives = messages.iter().zip(keep_alives).map(|(message, count)| {
            ["\r\n".repeat(count).into_bytes(), message.clone()].concat()
        });
        let octets = with_keep_alives.collect::<Vec<_>>().concat();
        prop_assert_eq!(deliver(&chunks(&octets, &cuts)), (messages, None));
    }

    #[test]
    fn chunks_do_not_change_what_a_stream_gives(
        octets in vec(prop_oneof![framed(), mutated(originals())], 1..4),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let octets = octets.concat();
        prop_assert_eq!(deliver(&chunks(&octets, &cuts)), deliver(&[octets.as_slice()]));
    }

    #[test]
    fn single_octets_do_not_change_what_a_stream_gives(octets in vec(mutated(originals()), 1..3)) {
        let octets = octets.concat();
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        prop_assert_eq!(deliver(&single), deliver(&[octets.as_slice()]));
    }
}

#[test]
fn what_ends_before_the_empty_line_is_no_message() {
    let messages = originals();
    let whole = messages.iter().filter_map(|octets| Some((octets, parse(octets)?)));
    for (octets, message) in whole {
        let head = octets.len() - message.body().len();
        assert!((0..head).all(|length| parse(&octets[..length]).is_none()), "{message:?}");
    }
}

/// A message with a body of any octets and the Content-Length that goes with it.
fn framed() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![Just("Content-Length"), Just("l"), Just("CONTENT-LENGTH")];
    (vec(any::<u8>(), 0..64), name, "[a-z]{0,8}").prop_map(|(body, name, call_id)| {
        let head = format!("OPTIONS sip:x SIP/2.0\r\nCall-ID: {call_id}\r\n{name}: {}\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    })
}

fn chunks<'a>(octets: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
    places.extend([0, octets.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &octets[pair[0]..pair[1]]).collect()
}

/// The messages that come out, and the error that ends them.
fn deliver(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Option<MessageError>) {
    let (mut stream, mut messages) = (MessageStream::new(Limits::DEFAULT), Vec::new());
    for chunk in chunks {
        stream.push(chunk);
        loop {
            match stream.next_message() {
                Ok(Some(message)) => messages.push(message.octets().to_vec()),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, None)
}
