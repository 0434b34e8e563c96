//! What a wire to a client is, and the one to a client of this process.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use sipae::client::{Standing, Stimulus};
use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::memory::START;
use crate::{Arrived, ClientAct, ClientObject, WireError, panic_message};

/// Something that a client has done with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It has connected.
    Connected,
    /// It has not come to an end with its TLS handshake, for this reason.
    NoTls(String),
    /// Something has come over it.
    Arrived(Arrived),
}

/// How a client has ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientExit {
    /// In words: `exit code 1`, `signal 11`, or what a panic said.
    pub how: String,
    /// Whether it has crashed: by a signal, or a panic.
    pub is_crash: bool,
    /// Its exit code, where it is a program that has one.
    pub code: Option<i32>,
    /// The end of what it wrote to its standard error.
    pub errors: String,
}

/// A client that is there for one conversation, and the connections that it opens.
pub trait ClientWire: Send {
    /// Starts the client, which then connects.
    ///
    /// # Errors
    /// When it cannot be started.
    fn start(&mut self) -> Result<(), WireError>;

    /// Sends octets, all of them.
    ///
    /// # Errors
    /// When the connection is closed or does not take them.
    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError>;

    /// The next thing that the client does; `None` if it does nothing within `patience`. In memory nothing more can come
    /// once nothing is there, and the answer is immediate.
    fn receive(&mut self, patience: Duration) -> Option<(ConnectionId, Happened)>;

    /// Closes a connection; closing it again does nothing.
    fn disconnect(&mut self, connection: ConnectionId);

    /// The time of the client, as far as it is known.
    fn now(&self) -> Time;

    /// Lets so much time pass for the client at once; `false` where its clock cannot be set.
    fn advance(&mut self, _: Duration) -> bool {
        false
    }

    /// Whether `None` from [`receive`](Self::receive) proves that nothing is to come.
    fn is_exact(&self) -> bool {
        false
    }

    /// What it can be made to do.
    fn stimuli(&self) -> Vec<Stimulus> {
        Vec::new()
    }

    /// Makes it do something; `number` is new each time.
    ///
    /// # Errors
    /// Why it does not.
    fn act(&mut self, _number: u64, stimulus: Stimulus) -> Result<(), String> {
        Err(format!("nobody can make it {stimulus}"))
    }

    /// Whether it can be asked what it would tell its user.
    fn is_told(&self) -> bool {
        false
    }

    /// What it would tell its user, where it can be asked.
    fn standing(&mut self) -> Option<Standing> {
        None
    }

    /// What it has written to its standard output, the last of it.
    fn output(&self) -> String {
        String::new()
    }

    /// Its conversation was good: it may have another one, where it can.
    fn keep(&mut self) {}

    /// Its conversation is over, and nothing is sent or received any more: how it crashes upon that, if it does so soon.
    fn over(&mut self) -> Option<ClientExit> {
        self.end().filter(|end| end.is_crash)
    }

    /// How it has ended, if it has ended by itself.
    fn end(&mut self) -> Option<ClientExit> {
        None
    }
}

/// A client of this process behind a wire that is no wire, with a set clock.
pub struct ClientMemoryWire {
    client: Box<dyn ClientObject>,
    now: Time,
    happened: VecDeque<(ConnectionId, Happened)>,
    open: Vec<ConnectionId>,
    end: Option<ClientExit>,
}

impl ClientMemoryWire {
    /// To this client, which has not been started.
    #[must_use]
    pub fn to(client: Box<dyn ClientObject>) -> Self {
        Self { client, now: START, happened: VecDeque::new(), open: Vec::new(), end: None }
    }

    fn call(&mut self, call: impl FnOnce(&mut dyn ClientObject, Time) -> Vec<ClientAct>) {
        if self.end.is_some() {
            return;
        }
        let (client, now) = (self.client.as_mut(), self.now);
        match catch_unwind(AssertUnwindSafe(|| call(client, now))) {
            Ok(acts) => acts.into_iter().for_each(|act| self.act_of(act)),
            Err(panic) => self.panicked(panic.as_ref()),
        }
    }

    fn act_of(&mut self, act: ClientAct) {
        match act {
            ClientAct::Connect(connection) => {
                self.open.push(connection);
                self.happened.push_back((connection, Happened::Connected));
            }
            ClientAct::Send(connection, octets) if self.open.contains(&connection) => {
                self.happened.push_back((connection, Happened::Arrived(Arrived::Octets(octets))));
            }
            ClientAct::Close(connection) if self.open.contains(&connection) => {
                self.open.retain(|open| *open != connection);
                self.happened.push_back((connection, Happened::Arrived(Arrived::Closed)));
            }
            // Nobody hears what is said on a connection that is closed.
            ClientAct::Send(..) | ClientAct::Close(_) => {}
        }
    }

    fn panicked(&mut self, panic: &(dyn Any + Send)) {
        let how = format!("the client panicked: {}", panic_message(panic));
        self.end = Some(ClientExit { how, is_crash: true, code: None, errors: String::new() });
        let reset = |connection| (connection, Happened::Arrived(Arrived::Reset));
        self.happened.extend(self.open.drain(..).map(reset));
    }
}

impl ClientWire for ClientMemoryWire {
    fn start(&mut self) -> Result<(), WireError> {
        self.call(|client, now| client.start(now));
        Ok(())
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        if !self.open.contains(&connection) {
            return Err(WireError::NotConnected(connection));
        }
        self.call(|client, now| client.receive(connection, octets, now));
        Ok(())
    }

    fn receive(&mut self, _: Duration) -> Option<(ConnectionId, Happened)> {
        self.happened.pop_front()
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        if self.open.contains(&connection) {
            self.open.retain(|open| *open != connection);
            self.call(|client, now| client.disconnect(connection, now));
        }
    }

    fn now(&self) -> Time {
        self.now
    }

    fn advance(&mut self, duration: Duration) -> bool {
        self.now = self.now.plus(duration);
        self.call(|client, now| client.advance(now));
        true
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn stimuli(&self) -> Vec<Stimulus> {
        self.client.stimuli().to_vec()
    }

    fn act(&mut self, number: u64, stimulus: Stimulus) -> Result<(), String> {
        if !self.client.stimuli().contains(&stimulus) {
            return Err(format!("the client cannot be made to {stimulus}"));
        }
        self.call(|client, now| client.act(number, stimulus, now));
        Ok(())
    }

    fn is_told(&self) -> bool {
        true
    }

    fn standing(&mut self) -> Option<Standing> {
        if self.end.is_some() { None } else { self.client.standing() }
    }

    fn end(&mut self) -> Option<ClientExit> {
        self.end.clone()
    }
}
