//! A client on TCP, on TLS, or over a pair of pipes, with the clock of this machine.
//!
//! One thread has the client; each connection has one that reads.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use sipae::client::{Standing, Stimulus};
use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::layer::Layer;
use crate::line::BACKLOG;
use crate::socket::Connection;
use crate::{Arrived, ClientAct, ClientObject, SocketWire, TlsClient, system_time};

/// How often timers are looked at when nothing happens.
const TICK: Duration = Duration::from_secs(1);

/// What happens to the thread of the client.
enum Happening {
    Arrived(ConnectionId, Arrived),
    /// Whoever controls the client wants this, and hears what it tells when it is done.
    Control(Control, SyncSender<Option<Standing>>),
    Stop,
}

/// What whoever controls a client can want.
#[derive(Clone, Copy)]
enum Control {
    Do(u64, Stimulus),
    Advance(Duration),
    Tell,
}

/// Where the server is.
enum Link {
    Socket(SocketWire),
    /// One connection, and no other.
    Pipes(Option<(Box<dyn Read + Send>, Box<dyn Write + Send>)>),
}

/// The sending half of a connection.
enum Line {
    Socket(Connection),
    Pipe(Box<dyn Write + Send>),
}

impl Line {
    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Socket(connection) => connection.send(octets),
            Self::Pipe(output) => output.write_all(octets).and_then(|()| output.flush()),
        }
    }
}

/// Why a client has come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEnd {
    /// It was told to.
    Stopped,
    /// Its registration has failed.
    Failed,
    /// It has no connection, and opens no other one; why, if one could not be had.
    Disconnected(Option<String>),
}

/// Controls a running client from another thread.
#[derive(Clone, Debug)]
pub struct ClientControl(SyncSender<Happening>);

impl ClientControl {
    /// Lets the client do something; `false` when it has ended.
    #[must_use]
    pub fn act(&self, number: u64, stimulus: Stimulus) -> bool {
        self.ask(Control::Do(number, stimulus)).is_some()
    }

    /// Lets so much time pass for the client at once, and returns when its timers have been looked at; `false` when it
    /// has ended.
    #[must_use]
    pub fn advance(&self, time: Duration) -> bool {
        self.ask(Control::Advance(time)).is_some()
    }

    /// What the client would tell its user; `None` when it has ended, or tells nobody.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.ask(Control::Tell).flatten()
    }

    /// Ends the client.
    pub fn stop(&self) {
        // Fails when it has ended already.
        let _ended = self.0.send(Happening::Stop);
    }

    fn ask(&self, control: Control) -> Option<Option<Standing>> {
        let (done, told) = mpsc::sync_channel(1);
        self.0.send(Happening::Control(control, done)).ok()?;
        told.recv().ok()
    }
}

/// A client and the way to its server.
pub struct ClientHost<C> {
    client: C,
    link: Link,
    line: Option<(ConnectionId, Line)>,
    /// Why the last connection could not be had.
    problem: Option<String>,
    ahead: Duration,
    sender: SyncSender<Happening>,
    receiver: Receiver<Happening>,
}

impl<C: ClientObject> ClientHost<C> {
    /// A client of the server on TCP at `host:port`. Nothing is connected yet.
    #[must_use]
    pub fn tcp(client: C, address: &str) -> Self {
        Self::new(client, Link::Socket(SocketWire::tcp(address)))
    }

    /// A client of the server on TLS at `host:port`. Nothing is connected yet.
    #[must_use]
    pub fn tls(client: C, address: &str, tls: TlsClient) -> Self {
        Self::new(client, Link::Socket(SocketWire::tls(address, tls)))
    }

    /// A client of the server behind a pair of pipes. A thread may stay behind that waits for `input`.
    #[must_use]
    pub fn pipes(client: C, input: impl Read + Send + 'static, output: impl Write + Send + 'static) -> Self {
        Self::new(client, Link::Pipes(Some((Box::new(input), Box::new(output)))))
    }

    fn new(client: C, link: Link) -> Self {
        let (sender, receiver) = mpsc::sync_channel(BACKLOG);
        Self { client, link, line: None, problem: None, ahead: Duration::ZERO, sender, receiver }
    }

    /// What the client can be asked to do.
    #[must_use]
    pub fn stimuli(&self) -> &[Stimulus] {
        self.client.stimuli()
    }

    /// What controls it while it runs.
    #[must_use]
    pub fn control(&self) -> ClientControl {
        ClientControl(self.sender.clone())
    }

    /// Runs until it is told to stop. A client that nobody controls ends by itself, too: when its registration has
    /// failed, and when it has no connection any more. `on_standing` hears what it tells whenever something has
    /// happened.
    pub fn run(mut self, is_controlled: bool, mut on_standing: impl FnMut(&Standing)) -> ClientEnd {
        let acts = self.client.start(self.now());
        self.perform(acts);
        loop {
            let standing = self.client.standing();
            standing.iter().for_each(&mut on_standing);
            if !is_controlled {
                if standing.is_some_and(|standing| standing.failed) {
                    return ClientEnd::Failed;
                }
                if self.line.is_none() {
                    return ClientEnd::Disconnected(self.problem);
                }
            }
            if self.step().is_break() {
                return ClientEnd::Stopped;
            }
        }
    }

    /// Takes what happens next, or looks at the timers; tells whether to go on.
    fn step(&mut self) -> ControlFlow<()> {
        let now = self.now();
        match self.receiver.recv_timeout(TICK) {
            Ok(Happening::Arrived(connection, what)) => self.arrived(connection, &what),
            Ok(Happening::Control(control, done)) => {
                self.controlled(control);
                // Whoever asked may have gone.
                let _unheard = done.send(self.client.standing());
            }
            Ok(Happening::Stop) | Err(RecvTimeoutError::Disconnected) => return ControlFlow::Break(()),
            Err(RecvTimeoutError::Timeout) => {
                let acts = self.client.advance(now);
                self.perform(acts);
            }
        }
        ControlFlow::Continue(())
    }

    fn now(&self) -> Time {
        system_time().plus(self.ahead)
    }

    /// What comes from a connection that is not the client's any more is not heard.
    fn arrived(&mut self, connection: ConnectionId, what: &Arrived) {
        let now = self.now();
        if !self.has(connection) {
            return;
        }
        let acts = match what {
            Arrived::Octets(octets) => self.client.receive(connection, octets, now),
            Arrived::Closed | Arrived::Reset => {
                self.line = None;
                self.client.disconnect(connection, now)
            }
        };
        self.perform(acts);
    }

    fn controlled(&mut self, control: Control) {
        let acts = match control {
            Control::Do(number, stimulus) => self.client.act(number, stimulus, self.now()),
            Control::Advance(time) => {
                self.ahead = self.ahead.saturating_add(time);
                self.client.advance(self.now())
            }
            Control::Tell => return,
        };
        self.perform(acts);
    }

    fn has(&self, connection: ConnectionId) -> bool {
        self.line.as_ref().is_some_and(|(open, _)| *open == connection)
    }

    /// Does what the client wants done. A connection that cannot be had, or takes nothing, is one that has been closed.
    fn perform(&mut self, acts: Vec<ClientAct>) {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            let lost = match act {
                ClientAct::Connect(connection) => self.connect(connection).err().map(|problem| {
                    self.problem = Some(problem);
                    connection
                }),
                ClientAct::Send(connection, octets) => self.send(connection, &octets),
                ClientAct::Close(connection) => {
                    if self.has(connection) {
                        self.line = None;
                    }
                    None
                }
            };
            if let Some(connection) = lost {
                self.line = None;
                acts.extend(self.client.disconnect(connection, self.now()));
            }
        }
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Option<ConnectionId> {
        let (open, line) = self.line.as_mut()?;
        (*open == connection && line.send(octets).is_err()).then_some(connection)
    }

    fn connect(&mut self, connection: ConnectionId) -> Result<(), String> {
        let (line, layer, input): (Line, Layer, Box<dyn Read + Send>) = match &mut self.link {
            Link::Socket(wire) => {
                let (open, reader) = wire.dial().map_err(|error| error.to_string())?;
                let layer = open.layer.clone();
                (Line::Socket(open), layer, Box::new(reader))
            }
            Link::Pipes(pipes) => {
                let (input, output) = pipes.take().ok_or("the pipe was closed")?;
                (Line::Pipe(output), Layer::Plain, input)
            }
        };
        let sender = self.sender.clone();
        let tell = move |what| sender.send(Happening::Arrived(connection, what)).is_ok();
        let started = thread::Builder::new().spawn(move || layer.listen(input, tell));
        started.map_err(|error| error.to_string())?;
        self.line = Some((connection, line));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
