//! Servers that are objects: octets in, octets out, no clock and no socket.

use sipae::clock::Time;
use sipae::sa::Durations;
use sipae::server::{ConnectionId, Input, Output, Server, ServerConfig};

use crate::SeededEntropy;

/// What a server does with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It sends octets; messages may be cut anywhere.
    Send(ConnectionId, Vec<u8>),
    /// It closes the connection.
    Close(ConnectionId),
}

/// A SIP server without IO, as whoever writes one can hand it to the suite: each call says what has happened and when,
/// and gets what the server does then, on whatever connection. Whoever drives it calls from one thread at a time.
///
/// A panic is the end of the server, and a crash to the suite.
pub trait ServerObject: Send {
    /// A client has connected.
    fn connect(&mut self, connection: ConnectionId, now: Time) -> Vec<Act>;

    /// Octets have arrived; messages may be cut anywhere.
    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<Act>;

    /// A client has gone.
    fn disconnect(&mut self, _connection: ConnectionId, _now: Time) -> Vec<Act> {
        Vec::new()
    }

    /// Time has passed: timers that have ended by `now` are to be looked at.
    fn advance(&mut self, _now: Time) -> Vec<Act> {
        Vec::new()
    }

    /// How long its timers are, if [`advance`](Self::advance) is all that makes them end: cases that wait for one are
    /// not run without. [`Durations::default`] has those of the specification.
    fn durations(&self) -> Option<Durations> {
        None
    }
}

/// The reference server, whose randomness follows from a seed.
#[derive(Debug)]
pub struct ReferenceObject {
    server: Server,
    entropy: SeededEntropy,
    durations: Durations,
}

impl ReferenceObject {
    /// A fresh server.
    #[must_use]
    pub fn new(config: ServerConfig, seed: u64) -> Self {
        let durations = config.durations;
        Self { server: Server::new(config), entropy: SeededEntropy::new(seed), durations }
    }

    fn handle(&mut self, input: Input<'_>, now: Time) -> Vec<Act> {
        let outputs = self.server.handle(input, now, &mut self.entropy);
        let act = |output| match output {
            Output::Send(connection, octets) => Some(Act::Send(connection, octets)),
            Output::Close(connection) => Some(Act::Close(connection)),
            Output::Event(_) => None,
        };
        outputs.into_iter().filter_map(act).collect()
    }
}

impl ServerObject for ReferenceObject {
    fn connect(&mut self, connection: ConnectionId, now: Time) -> Vec<Act> {
        self.handle(Input::Connected(connection), now)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<Act> {
        self.handle(Input::Received(connection, octets), now)
    }

    fn disconnect(&mut self, connection: ConnectionId, now: Time) -> Vec<Act> {
        self.handle(Input::Disconnected(connection), now)
    }

    fn advance(&mut self, now: Time) -> Vec<Act> {
        self.handle(Input::Tick, now)
    }

    fn durations(&self) -> Option<Durations> {
        Some(self.durations)
    }
}
