//! The reference server on TCP.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use sipae::server::{ConnectionId, Input, Output, Server, ServerConfig, ServerEvent};

use crate::{OsEntropy, system_time};

/// Connections served at once; a further one is closed as soon as it is accepted.
const CONNECTIONS: usize = 1024;
const CHUNK: usize = 16 * 1024;
const BACKLOG: usize = 1024;
/// A client that takes nothing for this long is cut off, so that it cannot stop the others.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// How often timers are looked at when nothing happens.
const TICK: Duration = Duration::from_secs(1);

enum Happening {
    Accepted(TcpStream),
    Octets(ConnectionId, Vec<u8>),
    Ended(ConnectionId),
}

/// What a host tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// A client has connected.
    Connected(ConnectionId),
    /// A connection has ended.
    Disconnected(ConnectionId),
    /// The server has noticed something.
    Server(ServerEvent),
}

/// A listening socket with the reference server behind it.
#[derive(Debug)]
pub struct Host {
    listener: TcpListener,
    config: ServerConfig,
}

impl Host {
    /// Listens at an address; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn listen(address: impl ToSocketAddrs, config: ServerConfig) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address)?, config })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends. `on_event` hears what happens; nothing secret is in it.
    ///
    /// # Errors
    /// When the listening socket breaks.
    pub fn run(self, on_event: impl FnMut(&HostEvent)) -> io::Result<()> {
        let (sender, receiver) = mpsc::sync_channel(BACKLOG);
        let accepting = sender.clone();
        let listener = self.listener;
        let accept = thread::spawn(move || accept(&listener, &accepting));
        let server = Server::new(self.config);
        Serving { server, streams: HashMap::new(), sender, next: 0, on_event }.serve(&receiver);
        accept.join().unwrap_or_else(|_| Err(io::Error::other("the accepting thread ended")))
    }
}

fn accept(listener: &TcpListener, sender: &SyncSender<Happening>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                if sender.send(Happening::Accepted(stream)).is_err() {
                    return Ok(());
                }
            }
            Err(error) if is_passing(&error) => thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error),
        }
    }
}

/// Errors of one connection, or of a moment without file descriptors: not of the listener.
fn is_passing(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    let kind = matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    );
    kind || matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}

struct Serving<F> {
    server: Server,
    streams: HashMap<ConnectionId, TcpStream>,
    sender: SyncSender<Happening>,
    next: u64,
    on_event: F,
}

impl<F: FnMut(&HostEvent)> Serving<F> {
    fn serve(&mut self, receiver: &Receiver<Happening>) {
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(Happening::Accepted(stream)) => self.accepted(stream),
                Ok(Happening::Octets(connection, octets)) => {
                    self.handle(Input::Received(connection, &octets));
                }
                Ok(Happening::Ended(connection)) => self.end(connection),
                Err(RecvTimeoutError::Timeout) => self.handle(Input::Tick),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn accepted(&mut self, stream: TcpStream) {
        let prepared = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_write_timeout(Some(SEND_TIMEOUT)))
            .and_then(|()| stream.try_clone());
        let Ok(reader) = prepared else { return };
        if CONNECTIONS <= self.streams.len() {
            let _already_closed = stream.shutdown(Shutdown::Both);
            return;
        }
        self.next += 1;
        let connection = ConnectionId(self.next);
        let sender = self.sender.clone();
        thread::spawn(move || read(connection, reader, &sender));
        self.streams.insert(connection, stream);
        (self.on_event)(&HostEvent::Connected(connection));
        self.handle(Input::Connected(connection));
    }

    fn handle(&mut self, input: Input<'_>) {
        for output in self.server.handle(input, system_time(), &mut OsEntropy) {
            match output {
                Output::Send(connection, octets) => self.send(connection, &octets),
                Output::Close(connection) => self.close(connection),
                Output::Event(event) => (self.on_event)(&HostEvent::Server(event)),
            }
        }
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) {
        let Some(stream) = self.streams.get_mut(&connection) else { return };
        if stream.write_all(octets).is_err() {
            self.close(connection);
        }
    }

    /// The reader notices and reports the end.
    fn close(&mut self, connection: ConnectionId) {
        if let Some(stream) = self.streams.get(&connection) {
            let _already_closed = stream.shutdown(Shutdown::Both);
        }
    }

    fn end(&mut self, connection: ConnectionId) {
        self.streams.remove(&connection);
        (self.on_event)(&HostEvent::Disconnected(connection));
        self.handle(Input::Disconnected(connection));
    }
}

fn read(connection: ConnectionId, mut stream: TcpStream, sender: &SyncSender<Happening>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        match stream.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(length) if length != 0 => {
                let octets = chunk.iter().take(length).copied().collect();
                if sender.send(Happening::Octets(connection, octets)).is_err() {
                    return;
                }
            }
            Ok(_) | Err(_) => {
                // The receiver is gone only when the process ends.
                let _nobody_listens = sender.send(Happening::Ended(connection));
                return;
            }
        }
    }
}
