//! Clients of this process.

use sipae::client::{Standing, Stimulus};
use sipae::clock::Time;
use sipae::server::ConnectionId;

/// What a client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAct {
    /// It opens a connection to its server, with a number that it has not used before.
    Connect(ConnectionId),
    /// It sends octets.
    Send(ConnectionId, Vec<u8>),
    /// It closes a connection.
    Close(ConnectionId),
}

/// A client of this process: everything that it does is what it returns.
pub trait ClientObject: Send {
    /// It is started: it connects and registers, as a program does.
    fn start(&mut self, now: Time) -> Vec<ClientAct>;

    /// Octets have arrived, in pieces of any size.
    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<ClientAct>;

    /// The server has closed a connection.
    fn disconnect(&mut self, _: ConnectionId, _: Time) -> Vec<ClientAct> {
        Vec::new()
    }

    /// Time has passed.
    fn advance(&mut self, _: Time) -> Vec<ClientAct> {
        Vec::new()
    }

    /// What it can be asked to do.
    fn stimuli(&self) -> &[Stimulus] {
        &[]
    }

    /// Does what it is asked for; `number` is new each time.
    fn act(&mut self, _number: u64, _stimulus: Stimulus, _now: Time) -> Vec<ClientAct> {
        Vec::new()
    }

    /// What it would tell its user; `None` where nobody can know.
    fn standing(&self) -> Option<Standing> {
        None
    }
}

impl<C: ClientObject + ?Sized> ClientObject for Box<C> {
    fn start(&mut self, now: Time) -> Vec<ClientAct> {
        self.as_mut().start(now)
    }

    fn receive(&mut self, connection: ConnectionId, octets: &[u8], now: Time) -> Vec<ClientAct> {
        self.as_mut().receive(connection, octets, now)
    }

    fn disconnect(&mut self, connection: ConnectionId, now: Time) -> Vec<ClientAct> {
        self.as_mut().disconnect(connection, now)
    }

    fn advance(&mut self, now: Time) -> Vec<ClientAct> {
        self.as_mut().advance(now)
    }

    fn stimuli(&self) -> &[Stimulus] {
        self.as_ref().stimuli()
    }

    fn act(&mut self, number: u64, stimulus: Stimulus, now: Time) -> Vec<ClientAct> {
        self.as_mut().act(number, stimulus, now)
    }

    fn standing(&self) -> Option<Standing> {
        self.as_ref().standing()
    }
}
