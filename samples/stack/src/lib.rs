//! What somebody else's crate might hold: a registrar without IO, and functions for header fields.
//!
//! The registrar stands for your own; this one is made of the reference server. `tests/server.rs` and `tests/codec.rs`
//! put the suite to both.

use sipae::clock::{Entropy, Time};
use sipae::server::{Account, Accounts, ConnectionId, Input, Output, Server, ServerConfig};
use sipae::version::Version;

/// A registrar without IO.
#[derive(Debug)]
pub struct Registrar {
    server: Server,
    entropy: Counter,
}

impl Registrar {
    /// For the users of one domain: name and password.
    #[must_use]
    pub fn new(domain: &str, users: &[(&str, &str)]) -> Self {
        let account = |(name, password): &(&str, &str)| Account {
            user: (*name).to_owned(),
            domain: "CONTOSO".to_owned(),
            password: (*password).to_owned(),
            address: format!("{name}@{domain}"),
            tel: None,
        };
        let accounts = Accounts::new(users.iter().map(account).collect());
        let config = ServerConfig::new(&format!("server.{domain}"), Version::V4, accounts);
        Self { server: Server::new(config), entropy: Counter(0) }
    }

    /// Takes what has happened on a connection, and says what is to be done.
    pub fn handle(&mut self, input: Input<'_>, now: Time) -> Vec<Output> {
        self.server.handle(input, now, &mut self.entropy)
    }

    /// Takes octets.
    pub fn receive(&mut self, connection: u64, octets: &[u8], now: Time) -> Vec<Output> {
        self.handle(Input::Received(ConnectionId(connection), octets), now)
    }
}

/// Numbers that nobody has to guess: a sample has no secrets.
#[derive(Debug)]
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [high, ..] = self.0.to_be_bytes();
            *octet = high;
        }
    }
}

/// Octets of hexadecimal digits of either case.
#[must_use]
pub fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let octets = pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok());
    if rest.is_empty() { octets.collect() } else { None }
}
