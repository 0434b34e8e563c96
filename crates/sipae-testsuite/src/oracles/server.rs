//! The reference server on a connection that says anything: [`Server`].

use sipae::message::{HeaderName, Limits, Message, MessageStream};
use sipae::server::{Input, Output, Server, ServerEvent};
use sipae::version::Version;

use super::octets::pieces;
use crate::conversation::{CONNECTION, Conversation, Counted, NOW, entropies, new_server};

/// The answers do not depend on how the octets arrive, each is one whole response to one request, and nothing is
/// accepted before somebody has authenticated. Nor is anything accepted from a stranger while somebody has.
pub fn server(data: &[u8]) {
    for version in Version::ALL {
        fresh(data, version);
        stranger(data, version);
    }
}

/// Seed of the randomness of a fresh server, so that kept conversations of that seed go all the way.
const FRESH: u64 = 0;
/// Seed of the conversation that the stranger comes into.
const OTHERS: u64 = 1;

fn fresh(data: &[u8], version: Version) {
    let outputs = answers(version, &mut std::iter::once(data));
    assert_eq!(answers(version, &mut pieces(data)), outputs);
    let mut authenticated = false;
    for output in &outputs {
        authenticated |= matches!(output, Output::Event(ServerEvent::Established { .. }));
        assert!(authenticated || !is_accepted(output), "{outputs:?}");
    }
    assert!(sent(&outputs).count() <= requests(data));
    sent(&outputs).for_each(is_one_response);
}

fn answers(version: Version, chunks: &mut dyn Iterator<Item = &[u8]>) -> Vec<Output> {
    let (_, mut entropy) = entropies(FRESH);
    feed(&mut new_server(version), chunks, &mut entropy)
}

/// Somebody is established, and the octets do not come from there.
fn stranger(data: &[u8], version: Version) {
    let Conversation { mut server, server_entropy: mut entropy, .. } =
        Conversation::established(version, OTHERS);
    let outputs = feed(&mut server, &mut std::iter::once(data), &mut entropy);
    for output in &outputs {
        assert!(!is_accepted(output), "{outputs:?}");
    }
    sent(&outputs).for_each(is_one_response);
    assert_eq!(server.established(), 1);
}

fn feed(server: &mut Server, chunks: &mut dyn Iterator<Item = &[u8]>, entropy: &mut Counted) -> Vec<Output> {
    chunks.flat_map(|chunk| server.handle(Input::Received(CONNECTION, chunk), NOW, entropy)).collect()
}

fn sent(outputs: &[Output]) -> impl Iterator<Item = &[u8]> {
    outputs.iter().filter_map(|output| match output {
        Output::Send(_, octets) => Some(octets.as_slice()),
        Output::Close(_) | Output::Event(_) => None,
    })
}

/// A success, or any answer that is signed: who gets one is taken for somebody.
fn is_accepted(output: &Output) -> bool {
    let Output::Send(_, octets) = output else { return false };
    let Ok(message) = Message::parse(octets, &Limits::DEFAULT) else { return false };
    let is_success = message.status().is_some_and(|status| (200..300).contains(&status));
    is_success || message.first(HeaderName::AuthenticationInfo).is_some()
}

fn is_one_response(octets: &[u8]) {
    let mut stream = MessageStream::new(Limits::DEFAULT);
    stream.push(octets);
    match stream.next_message() {
        Ok(Some(message)) => assert!(message.octets() == octets && !message.is_request(), "{message:?}"),
        other => panic!("{other:?}"),
    }
}

fn requests(data: &[u8]) -> usize {
    let mut stream = MessageStream::new(Limits::DEFAULT);
    stream.push(data);
    let mut requests = 0;
    while let Ok(Some(message)) = stream.next_message() {
        requests += usize::from(message.is_request());
    }
    requests
}

#[cfg(test)]
mod tests {
    use sipae::client;

    use super::*;
    use crate::conversation::message;

    /// What the fuzzer starts from must get to the signed part, or it will never see it.
    #[test]
    fn a_kept_conversation_establishes_an_association_with_a_fresh_server() {
        for version in Version::ALL {
            let mut conversation = Conversation::established(version, FRESH);
            conversation.client(client::Input::Send(&message()));
            server(&conversation.requests);
        }
    }
}
