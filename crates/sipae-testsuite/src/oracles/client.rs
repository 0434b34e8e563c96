//! The reference client with a server that says anything: [`Client`].

use sipae::client::{Client, ClientEvent, Input, Output};
use sipae::message::{Limits, MessageStream};
use sipae::version::Version;

use super::octets::pieces;
use crate::conversation::{Conversation, Counted, NOW, entropies, new_client};

/// What the client does does not depend on how the octets arrive, each thing that it sends is one whole message, and
/// nothing is taken for the server's before the server has proven itself. Nor is anything taken from a stranger.
pub fn client(data: &[u8]) {
    fresh(data);
    for version in Version::ALL {
        stranger(data, version);
    }
}

/// Seed of the randomness of a fresh client, so that kept conversations of that seed go all the way.
const FRESH: u64 = 0;
/// Seed of the conversation that the stranger comes into.
const OTHERS: u64 = 1;

fn fresh(data: &[u8]) {
    let (client, outputs) = registering(&mut std::iter::once(data));
    assert_eq!(registering(&mut pieces(data)).1, outputs);
    let mut proven = false;
    for output in &outputs {
        proven |= matches!(output, Output::Event(ClientEvent::Established { .. }));
        assert!(proven || !is_accepted(output), "{outputs:?}");
    }
    assert!(proven || !client.is_established());
    outputs.iter().for_each(is_one_message);
}

fn registering(chunks: &mut dyn Iterator<Item = &[u8]>) -> (Client, Vec<Output>) {
    let (mut entropy, _) = entropies(FRESH);
    let mut client = new_client(&mut entropy);
    client.handle(Input::Register, NOW, &mut entropy);
    let outputs = feed(&mut client, chunks, &mut entropy);
    (client, outputs)
}

/// The client has an association, and the octets do not come from its server.
fn stranger(data: &[u8], version: Version) {
    let Conversation { mut client, client_entropy: mut entropy, .. } =
        Conversation::established(version, OTHERS);
    let outputs = feed(&mut client, &mut std::iter::once(data), &mut entropy);
    for output in &outputs {
        assert!(!is_accepted(output), "{outputs:?}");
        is_one_message(output);
    }
}

/// Until the client closes the connection.
fn feed(client: &mut Client, chunks: &mut dyn Iterator<Item = &[u8]>, entropy: &mut Counted) -> Vec<Output> {
    let mut outputs = Vec::new();
    for chunk in chunks {
        outputs.extend(client.handle(Input::Received(chunk), NOW, entropy));
        if outputs.last() == Some(&Output::Close) {
            break;
        }
    }
    outputs
}

const fn is_accepted(output: &Output) -> bool {
    matches!(output, Output::Event(ClientEvent::Established { .. } | ClientEvent::Verified(_)))
}

fn is_one_message(output: &Output) {
    let Output::Send(octets) = output else { return };
    let mut stream = MessageStream::new(Limits::DEFAULT);
    stream.push(octets);
    match stream.next_message() {
        Ok(Some(message)) => assert!(message.octets() == octets, "{message:?}"),
        other => panic!("{other:?}"),
    }
}
