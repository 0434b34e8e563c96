//! A wire to a reference server in this process, with a set clock: exact, repeatable, and as fast as the code.

use std::collections::VecDeque;
use std::time::Duration;

use sipae::clock::Time;
use sipae::server::{ConnectionId, Input, Output, Server, ServerConfig};

use crate::{Arrival, Arrived, SeededEntropy, Wire, WireError};

/// 2026-01-01 00:00:00 GMT: where the set clock begins.
const START: Time = Time(1_767_225_600_000);

/// A server behind a wire that is no wire.
#[derive(Debug)]
pub struct MemoryWire {
    server: Server,
    now: Time,
    entropy: SeededEntropy,
    arrivals: VecDeque<Arrival>,
    open: Vec<ConnectionId>,
    next: u64,
}

impl MemoryWire {
    /// A fresh server whose randomness follows from `seed`.
    #[must_use]
    pub fn new(config: ServerConfig, seed: u64) -> Self {
        let server = Server::new(config);
        let entropy = SeededEntropy::new(seed);
        Self { server, now: START, entropy, arrivals: VecDeque::new(), open: Vec::new(), next: 0 }
    }

    fn handle(&mut self, input: Input<'_>) {
        for output in self.server.handle(input, self.now, &mut self.entropy) {
            match output {
                Output::Send(connection, octets) => {
                    self.arrivals.push_back(Arrival { connection, what: Arrived::Octets(octets) });
                }
                Output::Close(connection) => {
                    self.open.retain(|open| *open != connection);
                    self.arrivals.push_back(Arrival { connection, what: Arrived::Closed });
                }
                Output::Event(_) => {}
            }
        }
    }
}

impl Wire for MemoryWire {
    fn connect(&mut self) -> Result<ConnectionId, WireError> {
        self.next += 1;
        let connection = ConnectionId(self.next);
        self.open.push(connection);
        self.handle(Input::Connected(connection));
        Ok(connection)
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        if !self.open.contains(&connection) {
            return Err(WireError::NotConnected(connection));
        }
        self.handle(Input::Received(connection, octets));
        Ok(())
    }

    fn receive(&mut self, _: Duration) -> Option<Arrival> {
        self.arrivals.pop_front()
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        self.open.retain(|open| *open != connection);
        self.handle(Input::Disconnected(connection));
    }

    fn now(&self) -> Time {
        self.now
    }

    fn advance(&mut self, duration: Duration) -> bool {
        self.now = self.now.plus(duration);
        self.handle(Input::Tick);
        true
    }

    fn is_exact(&self) -> bool {
        true
    }
}
