//! The reference client and the reference server in one room: a set clock, counted randomness, the wire kept.

use sipae::client::{self, Client, ClientConfig, ClientEvent};
use sipae::clock::{Entropy, Time};
use sipae::draft::Draft;
use sipae::message::HeaderName;
use sipae::server::{self, Account, Accounts, ConnectionId, Server, ServerConfig};
use sipae::version::Version;

/// When every conversation takes place.
pub const NOW: Time = Time(1_201_737_716_000);

/// The one connection.
pub const CONNECTION: ConnectionId = ConnectionId(1);

/// Randomness that can be repeated: octets of a linear congruential generator.
#[derive(Clone, Debug)]
pub struct Counted(pub u64);

impl Entropy for Counted {
    fn fill(&mut self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for (octet, value) in chunk.iter_mut().zip(self.0.to_be_bytes()) {
                *octet = value;
            }
        }
    }
}

/// The randomness of client and server in the conversation of this seed. Neither side draws from the other's, so what
/// one of them has said can be said again to a new instance of the other.
#[must_use]
pub const fn entropies(seed: u64) -> (Counted, Counted) {
    (Counted(2 * seed), Counted(2 * seed + 1))
}

/// A server that knows alice and bob.
#[must_use]
pub fn new_server(version: Version) -> Server {
    let account = |user: &str| Account {
        user: user.to_owned(),
        domain: "CONTOSO".to_owned(),
        password: format!("{user}-secret"),
        address: format!("{user}@contoso.com"),
        tel: None,
    };
    let accounts = Accounts::new(vec![account("alice"), account("bob")]);
    let mut server = Server::new(ServerConfig::new("server.contoso.com", version, accounts));
    server.handle(server::Input::Connected(CONNECTION), NOW, &mut Counted(0));
    server
}

/// A client of alice.
#[must_use]
pub fn new_client(entropy: &mut dyn Entropy) -> Client {
    Client::new(ClientConfig::new("alice", "CONTOSO", "alice-secret", "alice@contoso.com"), entropy)
}

/// A MESSAGE of alice to bob, not signed yet.
#[must_use]
pub fn message() -> Draft {
    Draft::request("MESSAGE", "sip:bob@contoso.com")
        .with(HeaderName::Via, "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKmessage")
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=another;epid=01010101")
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, "message")
        .with(HeaderName::CSeq, "1 MESSAGE")
        .with_body("text/plain", b"hello")
}

/// Both sides and what they have said.
#[derive(Debug)]
pub struct Conversation {
    /// The client.
    pub client: Client,
    /// The server.
    pub server: Server,
    /// What is random for the client.
    pub client_entropy: Counted,
    /// What is random for the server.
    pub server_entropy: Counted,
    /// All octets that the client has sent.
    pub requests: Vec<u8>,
    /// All octets that the server has sent.
    pub answers: Vec<u8>,
    /// What the client has noticed.
    pub events: Vec<ClientEvent>,
}

impl Conversation {
    /// Both sides before the first word. Conversations of different seeds share no key.
    #[must_use]
    pub fn new(version: Version, seed: u64) -> Self {
        let (mut client_entropy, server_entropy) = entropies(seed);
        let client = new_client(&mut client_entropy);
        let server = new_server(version);
        let (requests, answers, events) = Default::default();
        Self { client, server, client_entropy, server_entropy, requests, answers, events }
    }

    /// A client that has registered: both sides share a security association.
    #[must_use]
    pub fn established(version: Version, seed: u64) -> Self {
        let mut conversation = Self::new(version, seed);
        conversation.client(client::Input::Register);
        conversation
    }

    /// Something happens to the client; both sides talk until nobody has anything to say.
    pub fn client(&mut self, input: client::Input<'_>) {
        for output in self.client.handle(input, NOW, &mut self.client_entropy) {
            match output {
                client::Output::Send(octets) => self.answer(&octets),
                client::Output::Event(event) => self.events.push(event),
                client::Output::Close => {}
            }
        }
    }

    fn answer(&mut self, request: &[u8]) {
        self.requests.extend_from_slice(request);
        let input = server::Input::Received(CONNECTION, request);
        for output in self.server.handle(input, NOW, &mut self.server_entropy) {
            if let server::Output::Send(_, octets) = output {
                self.answers.extend_from_slice(&octets);
                self.client(client::Input::Received(&octets));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_establish_an_association_and_use_it() {
        for version in Version::ALL {
            let mut conversation = Conversation::established(version, 0);
            conversation.client(client::Input::Send(&message()));
            assert_eq!(conversation.server.established(), 1);
            let [first, second] = &conversation.events[..] else { panic!("{:?}", conversation.events) };
            assert_eq!(*first, ClientEvent::Established { status: 200 });
            assert!(matches!(second, ClientEvent::Verified(_)), "{second:?}");
        }
    }

    #[test]
    fn what_one_side_has_said_persuades_a_new_instance_of_the_other() {
        let said = Conversation::established(Version::V4, 7);
        let (mut client_entropy, mut server_entropy) = entropies(7);
        let mut server = new_server(Version::V4);
        server.handle(server::Input::Received(CONNECTION, &said.requests), NOW, &mut server_entropy);
        assert_eq!(server.established(), 1);
        let mut client = new_client(&mut client_entropy);
        client.handle(client::Input::Register, NOW, &mut client_entropy);
        client.handle(client::Input::Received(&said.answers), NOW, &mut client_entropy);
        assert!(client.is_established());
    }

    #[test]
    fn conversations_of_different_seeds_share_nothing_that_is_random() {
        let [first, second] = [1, 2].map(|seed| Conversation::established(Version::V4, seed));
        assert_ne!(first.requests, second.requests);
        assert_eq!(first.requests, Conversation::established(Version::V4, 1).requests);
    }
}
