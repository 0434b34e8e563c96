//! A wire to a server in this process, with a set clock: exact, repeatable, and as fast as the code.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use sipae::clock::Time;
use sipae::server::{ConnectionId, ServerConfig};

use crate::{Act, Arrival, Arrived, End, Ends, ReferenceObject, ServerObject, Wire, WireError};

/// 2026-01-01 00:00:00 GMT: where the set clock begins.
pub const START: Time = Time(1_767_225_600_000);

/// A server behind a wire that is no wire. After a panic of the server its connections are reset, and no other is to be
/// had; [`ends`](Wire::ends) tells what it said.
pub struct MemoryWire {
    server: Box<dyn ServerObject>,
    now: Time,
    arrivals: VecDeque<Arrival>,
    open: Vec<ConnectionId>,
    next: u64,
    ends: Ends,
    has_panicked: bool,
}

impl MemoryWire {
    /// A fresh reference server whose randomness follows from `seed`.
    #[must_use]
    pub fn new(config: ServerConfig, seed: u64) -> Self {
        Self::to(Box::new(ReferenceObject::new(config, seed)))
    }

    /// To any server.
    #[must_use]
    pub fn to(server: Box<dyn ServerObject>) -> Self {
        Self {
            server,
            now: START,
            arrivals: VecDeque::new(),
            open: Vec::new(),
            next: 0,
            ends: Ends::default(),
            has_panicked: false,
        }
    }

    fn call(&mut self, connection: ConnectionId, call: impl FnOnce(&mut dyn ServerObject, Time) -> Vec<Act>) {
        if self.has_panicked {
            return;
        }
        let (server, now) = (self.server.as_mut(), self.now);
        match catch_unwind(AssertUnwindSafe(|| call(server, now))) {
            Ok(acts) => acts.into_iter().for_each(|act| self.act(act)),
            Err(panic) => self.panicked(connection, panic.as_ref()),
        }
    }

    fn act(&mut self, act: Act) {
        let (connection, what) = match act {
            Act::Send(connection, octets) => (connection, Arrived::Octets(octets)),
            Act::Close(connection) => (connection, Arrived::Closed),
        };
        // Nobody hears what is said on a connection that is closed.
        if self.open.contains(&connection) {
            if what == Arrived::Closed {
                self.open.retain(|open| *open != connection);
            }
            self.arrivals.push_back(Arrival { connection, what });
        }
    }

    fn panicked(&mut self, connection: ConnectionId, panic: &(dyn Any + Send)) {
        self.has_panicked = true;
        let how = format!("the server panicked: {}", panic_message(panic));
        self.ends.note(End { connection, how, is_crash: true, code: None, errors: String::new() });
        let reset = |connection| Arrival { connection, what: Arrived::Reset };
        self.arrivals.extend(self.open.drain(..).map(reset));
    }
}

/// What a panic says.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

impl Wire for MemoryWire {
    fn connect(&mut self) -> Result<ConnectionId, WireError> {
        if self.has_panicked {
            return Err(WireError::Settings("the server has panicked".to_owned()));
        }
        self.next += 1;
        let connection = ConnectionId(self.next);
        self.open.push(connection);
        self.call(connection, |server, now| server.connect(connection, now));
        Ok(connection)
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        if !self.open.contains(&connection) {
            return Err(WireError::NotConnected(connection));
        }
        self.call(connection, |server, now| server.receive(connection, octets, now));
        Ok(())
    }

    fn receive(&mut self, _: Duration) -> Option<Arrival> {
        self.arrivals.pop_front()
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        self.open.retain(|open| *open != connection);
        self.call(connection, |server, now| server.disconnect(connection, now));
    }

    fn now(&self) -> Time {
        self.now
    }

    fn advance(&mut self, duration: Duration) -> bool {
        self.now = self.now.plus(duration);
        // No connection is the one that time belongs to.
        self.call(ConnectionId(0), |server, now| server.advance(now));
        true
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn ends(&self) -> Ends {
        self.ends.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says everything back, closes on `close`, and panics on `panic`; speaks when time passes.
    struct Echo(Vec<ConnectionId>);

    impl ServerObject for Echo {
        fn connect(&mut self, connection: ConnectionId, _: Time) -> Vec<Act> {
            self.0.push(connection);
            Vec::new()
        }

        fn receive(&mut self, connection: ConnectionId, octets: &[u8], _: Time) -> Vec<Act> {
            assert_ne!(octets, b"panic", "as it was told");
            let said = Act::Send(connection, octets.to_vec());
            let closed = (octets == b"close").then_some(Act::Close(connection));
            [said].into_iter().chain(closed).chain([Act::Send(connection, b"more".to_vec())]).collect()
        }

        fn advance(&mut self, now: Time) -> Vec<Act> {
            self.0.iter().map(|connection| Act::Send(*connection, now.0.to_string().into_bytes())).collect()
        }
    }

    fn wire() -> (MemoryWire, ConnectionId) {
        let mut wire = MemoryWire::to(Box::new(Echo(Vec::new())));
        let connection = wire.connect().expect("a connection");
        (wire, connection)
    }

    fn arrived(wire: &mut MemoryWire) -> Vec<Arrived> {
        std::iter::from_fn(|| wire.receive(Duration::ZERO)).map(|arrival| arrival.what).collect()
    }

    #[test]
    fn what_a_server_says_on_a_closed_connection_is_not_heard() {
        let (mut wire, connection) = wire();
        wire.send(connection, b"close").expect("sent");
        assert_eq!(arrived(&mut wire), [Arrived::Octets(b"close".to_vec()), Arrived::Closed]);
        wire.send(connection, b"x").expect_err("closed");
    }

    #[test]
    fn time_passes_for_the_server_when_it_is_told_to() {
        let (mut wire, _) = wire();
        assert!(wire.advance(Duration::from_millis(5)));
        assert_eq!(arrived(&mut wire), [Arrived::Octets(b"1767225600005".to_vec())]);
    }

    #[test]
    fn a_panic_ends_the_server_and_is_told() {
        let (mut wire, connection) = wire();
        wire.send(connection, b"panic").expect("sent");
        assert_eq!(arrived(&mut wire), [Arrived::Reset]);
        wire.connect().expect_err("it is gone");
        let ends = wire.ends().noted();
        assert!(ends.len() == 1 && ends[0].to_string().contains("as it was told"), "{ends:?}");
    }
}
