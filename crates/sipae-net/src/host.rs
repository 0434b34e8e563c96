//! The reference server on TCP, on TLS, and over a pair of pipes.
//!
//! One thread has the server; each connection has one that reads and one that writes. Nothing that a client does or
//! leaves undone holds up the thread of the server.

mod outbox;
mod pipes;

use std::collections::HashMap;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use sipae::clock::Time;
use sipae::sa::Durations;
use sipae::server::{ConnectionId, Input, Output, Server, ServerConfig, ServerEvent};

use crate::layer::Layer;
use crate::tls::{HANDSHAKE_TIMEOUT, HandshakeError, ServerIdentity};
use crate::{Arrived, OsEntropy, system_time};
use outbox::{Outbox, Sink};
pub use pipes::serve_pipes;

/// Connections served at once; a further one is closed as soon as it is accepted.
const CONNECTIONS: usize = 1024;
/// A reader and a writer for each connection; a writer may outlive its connection by as long as the client may be
/// behind.
const THREADS: usize = 2 * CONNECTIONS;
/// Happenings that wait for the server; behind them the clients have to wait. Small, so that a client that sends
/// without end takes little of the time of the others.
const BACKLOG: usize = 64;
/// A client that takes nothing for this long is cut off, so that it does not keep its place for ever.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// A client that has not caught up with its answers for this long is cut off too.
const BEHIND: Duration = Duration::from_secs(30);
/// A clock that is set closes connections, and whoever sets it is told when they are closed, or after this long.
const CLOSING: Duration = Duration::from_secs(1);
/// How often timers are looked at when nothing happens: at least this often,
const TICK: Duration = Duration::from_secs(1);
/// and never more often than this, however short they are.
const SHORTEST_TICK: Duration = Duration::from_millis(10);

enum Happening {
    Accepted(TcpStream),
    Octets(ConnectionId, Vec<u8>),
    NoTls(ConnectionId, HandshakeError),
    Ended(ConnectionId),
    ListenerBroke(io::Error),
    /// Whoever controls the host wants this, and hears when it is done how many connections are being closed.
    Control(Control, SyncSender<usize>),
    Stop,
}

/// What whoever controls a host can want.
#[derive(Clone, Copy)]
enum Control {
    Advance(Duration),
    Reset,
}

/// What a host tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// A client has connected.
    Connected(ConnectionId),
    /// A client has not come to an end with its TLS handshake, for this reason; the connection ends.
    NoTls(ConnectionId, String),
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
    identity: Option<ServerIdentity>,
    clock: Clock,
    sender: SyncSender<Happening>,
    receiver: Receiver<Happening>,
}

/// How far the clock of the server is from that of this machine.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    ahead: Duration,
    behind: Duration,
}

impl Clock {
    fn now(self) -> Time {
        let Time(ahead) = system_time().plus(self.ahead);
        Time(ahead.saturating_sub(u64::try_from(self.behind.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Controls a running host from another thread: only those who test have a use for it.
#[derive(Clone, Debug)]
pub struct HostControl(SyncSender<Happening>);

impl HostControl {
    /// Lets so much time pass for the server at once. Returns when its timers have been looked at, and the connections
    /// that they close are closed or have had the time for it; `false` when the host has ended.
    #[must_use]
    pub fn advance(&self, time: Duration) -> bool {
        let until = Instant::now() + CLOSING;
        let mut closing = self.ask(Control::Advance(time));
        while closing.is_some_and(|closing| closing != 0) && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
            closing = self.ask(Control::Advance(Duration::ZERO));
        }
        closing.is_some()
    }

    /// Lets the server forget every association, handshake and registration; connections stay. `false` when the host
    /// has ended.
    #[must_use]
    pub fn reset(&self) -> bool {
        self.ask(Control::Reset).is_some()
    }

    /// Ends the host.
    pub fn stop(&self) {
        // Fails when it has ended already.
        let _ended = self.0.send(Happening::Stop);
    }

    /// How many connections are being closed when it is done; `None` when the host has ended.
    fn ask(&self, control: Control) -> Option<usize> {
        let (done, closing) = mpsc::sync_channel(1);
        self.0.send(Happening::Control(control, done)).ok()?;
        closing.recv().ok()
    }
}

impl Host {
    /// Listens on TCP at an address; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn listen(address: impl ToSocketAddrs, config: ServerConfig) -> io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(BACKLOG);
        Ok(Self {
            listener: TcpListener::bind(address)?,
            config,
            identity: None,
            clock: Clock::default(),
            sender,
            receiver,
        })
    }

    /// Listens on TLS at an address; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn listen_tls(
        address: impl ToSocketAddrs,
        config: ServerConfig,
        identity: ServerIdentity,
    ) -> io::Result<Self> {
        Ok(Self { identity: Some(identity), ..Self::listen(address, config)? })
    }

    /// Lets the clock of the server go wrong by so many seconds: clients meet one whose clock is not theirs.
    #[must_use]
    pub fn with_clock_offset(mut self, seconds: i64) -> Self {
        let offset = Duration::from_secs(seconds.unsigned_abs());
        match seconds {
            0.. => self.clock.ahead = offset,
            _ => self.clock.behind = offset,
        }
        self
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What controls it while it runs.
    #[must_use]
    pub fn control(&self) -> HostControl {
        HostControl(self.sender.clone())
    }

    /// Serves until it is stopped or the process ends. `on_event` hears what happens; nothing secret is in it.
    ///
    /// # Errors
    /// When the listening socket breaks, or the system gives no thread to listen in.
    pub fn run(self, on_event: impl FnMut(&HostEvent)) -> io::Result<()> {
        let Self { listener, config, identity, clock, sender, receiver } = self;
        let (address, accepted) = (listener.local_addr()?, sender.clone());
        let accepting = thread::Builder::new().spawn(move || accept(&listener, &accepted))?;
        let served = Serving { clock, ..Serving::new(config, identity, sender, on_event) }.serve(&receiver);
        // Who accepts notices that nobody hears of it any more, and gives the port back.
        drop(receiver);
        if wake(address) {
            let _ended = accepting.join();
        }
        served
    }
}

/// Wakes whoever accepts at this address by a last connection; tells whether it came about.
pub(crate) fn wake(address: SocketAddr) -> bool {
    const WAKING: Duration = Duration::from_secs(1);
    TcpStream::connect_timeout(&reachable(address), WAKING).is_ok()
}

/// Nobody can connect to the address that stands for all of them.
const fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn accept(listener: &TcpListener, sender: &SyncSender<Happening>) {
    loop {
        let happening = match listener.accept() {
            Ok((stream, _)) => Happening::Accepted(stream),
            Err(error) if is_passing(&error) => {
                thread::sleep(Duration::from_millis(10));
                continue;
            }
            Err(error) => Happening::ListenerBroke(error),
        };
        let is_last = matches!(happening, Happening::ListenerBroke(_));
        if sender.send(happening).is_err() || is_last {
            return;
        }
    }
}

/// Errors of one connection, or of a moment without resources: not of the listener. accept(2) passes on what the network
/// has to say about the connection that it takes.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    const OF_THE_LISTENER: [i32; 5] = [9, 14, 22, 88, 95]; // EBADF, EFAULT, EINVAL, ENOTSOCK, EOPNOTSUPP
    error.raw_os_error().is_none_or(|code| !OF_THE_LISTENER.contains(&code))
}

/// A connection as the server has it.
struct Client {
    /// What is shut when it is cut off; pipes cannot be shut.
    socket: Option<TcpStream>,
    /// Gone once the connection is to be closed: then nothing more is sent, and nothing more is heard.
    outbox: Option<Outbox>,
    is_cut_off: bool,
}

impl Client {
    /// Starts the thread that writes to a client behind a pipe.
    fn piped(sink: impl Sink, token: &Arc<()>) -> io::Result<Self> {
        let outbox = Outbox::start(sink, Layer::Plain, BEHIND, Arc::clone(token))?;
        Ok(Self { socket: None, outbox: Some(outbox), is_cut_off: false })
    }

    /// Prepares a connection and starts the threads that write and read.
    fn start(
        stream: TcpStream,
        layer: Layer,
        connection: ConnectionId,
        sender: &SyncSender<Happening>,
        token: &Arc<()>,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(SEND_TIMEOUT))?;
        let outbox = Outbox::start(stream.try_clone()?, layer.clone(), BEHIND, Arc::clone(token))?;
        let (reader, sender, token) = (stream.try_clone()?, sender.clone(), Arc::clone(token));
        thread::Builder::new().spawn(move || {
            read(connection, &reader, &layer, &sender);
            drop(token);
        })?;
        Ok(Self { socket: Some(stream), outbox: Some(outbox), is_cut_off: false })
    }

    /// Closes without waiting for what the client has not taken.
    fn cut_off(&mut self) {
        self.outbox = None;
        self.is_cut_off = true;
        if let Some(socket) = &self.socket {
            let _already_closed = socket.shutdown(Shutdown::Both);
        }
    }
}

struct Serving<F> {
    server: Server,
    /// What clients get to see over TLS; `None`: they connect without.
    identity: Option<ServerIdentity>,
    clients: HashMap<ConnectionId, Client>,
    sender: SyncSender<Happening>,
    /// Each thread of a connection keeps a clone.
    token: Arc<()>,
    next: u64,
    /// How often timers are looked at.
    tick: Duration,
    clock: Clock,
    on_event: F,
}

impl<F: FnMut(&HostEvent)> Serving<F> {
    fn new(
        config: ServerConfig,
        identity: Option<ServerIdentity>,
        sender: SyncSender<Happening>,
        on_event: F,
    ) -> Self {
        let tick = tick(&config.durations);
        let (server, clients, token) = (Server::new(config), HashMap::new(), Arc::new(()));
        Self { server, identity, clients, sender, token, next: 0, tick, clock: Clock::default(), on_event }
    }

    /// Serves until it is stopped, or the listener breaks.
    fn serve(&mut self, receiver: &Receiver<Happening>) -> io::Result<()> {
        while self.step(receiver)?.is_continue() {}
        Ok(())
    }

    /// Takes what happens next, or looks at the timers; tells whether to go on.
    fn step(&mut self, receiver: &Receiver<Happening>) -> io::Result<ControlFlow<()>> {
        match receiver.recv_timeout(self.tick) {
            Ok(Happening::Accepted(stream)) => self.accepted(stream),
            Ok(Happening::Octets(connection, octets)) => self.received(connection, &octets),
            Ok(Happening::NoTls(connection, problem)) => {
                (self.on_event)(&HostEvent::NoTls(connection, problem.to_string()));
            }
            Ok(Happening::Ended(connection)) => self.end(connection),
            Ok(Happening::Control(control, done)) => {
                self.control(control);
                let closing = self.clients.values().filter(|client| client.outbox.is_none()).count();
                // Fails when nobody waits for it any more.
                let _unheard = done.send(closing);
            }
            Ok(Happening::Stop) => return Ok(ControlFlow::Break(())),
            Ok(Happening::ListenerBroke(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => self.handle(Input::Tick),
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("nobody listens any more")),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether a connection is there and has not been cut off.
    fn serves(&self, connection: ConnectionId) -> bool {
        self.clients.get(&connection).is_some_and(|client| !client.is_cut_off)
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Advance(time) => {
                self.clock.ahead = self.clock.ahead.saturating_add(time);
                self.handle(Input::Tick);
            }
            Control::Reset => self.reset(),
        }
    }

    /// A new server that knows the connections and nothing else.
    fn reset(&mut self) {
        self.server = Server::new(self.server.config().clone());
        let mut connections: Vec<ConnectionId> = self.clients.keys().copied().collect();
        connections.sort_unstable();
        for connection in connections {
            self.handle(Input::Connected(connection));
        }
    }

    /// A connection over the bound, or for which the system has no threads, is closed by being dropped.
    fn accepted(&mut self, stream: TcpStream) {
        if THREADS < Arc::strong_count(&self.token) + 1 {
            return;
        }
        let connection = self.next_connection();
        let Ok(layer) = self.layer() else { return };
        let Ok(client) = Client::start(stream, layer, connection, &self.sender, &self.token) else { return };
        self.admit(connection, client);
    }

    fn next_connection(&mut self) -> ConnectionId {
        self.next += 1;
        ConnectionId(self.next)
    }

    fn admit(&mut self, connection: ConnectionId, client: Client) {
        self.clients.insert(connection, client);
        (self.on_event)(&HostEvent::Connected(connection));
        self.handle(Input::Connected(connection));
    }

    fn layer(&self) -> Result<Layer, HandshakeError> {
        match &self.identity {
            Some(identity) => Ok(Layer::Tls(Arc::new(identity.session()?))),
            None => Ok(Layer::Plain),
        }
    }

    fn received(&mut self, connection: ConnectionId, octets: &[u8]) {
        if self.clients.get(&connection).is_some_and(|client| client.outbox.is_some()) {
            self.handle(Input::Received(connection, octets));
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        for output in self.server.handle(input, now, &mut OsEntropy) {
            match output {
                Output::Send(connection, octets) => self.send(connection, octets),
                Output::Close(connection) => self.close(connection),
                Output::Event(event) => (self.on_event)(&HostEvent::Server(event)),
            }
        }
    }

    /// A client that does not take its answers is cut off.
    fn send(&mut self, connection: ConnectionId, octets: Vec<u8>) {
        let Some(client) = self.clients.get_mut(&connection) else { return };
        let overflow = client.outbox.as_ref().is_some_and(|outbox| outbox.push(octets).is_err());
        if overflow {
            client.cut_off();
        }
    }

    /// The writer closes when the client has taken what waits; the reader notices and reports the end.
    fn close(&mut self, connection: ConnectionId) {
        if let Some(client) = self.clients.get_mut(&connection) {
            client.outbox = None;
        }
    }

    fn end(&mut self, connection: ConnectionId) {
        self.clients.remove(&connection);
        (self.on_event)(&HostEvent::Disconnected(connection));
        self.handle(Input::Disconnected(connection));
    }
}

/// A timer is noticed late by a tenth of itself at most.
fn tick(durations: &Durations) -> Duration {
    (durations.shortest() / 10).clamp(SHORTEST_TICK, TICK)
}

/// Reads until the connection ends. The handshake is done here, where it delays nobody else.
fn read(connection: ConnectionId, socket: &TcpStream, layer: &Layer, sender: &SyncSender<Happening>) {
    // Each fails when the receiver is gone, which is when the process ends.
    let tell = |happening| sender.send(happening).is_ok();
    if let Err(problem) = layer.begin(socket, HANDSHAKE_TIMEOUT) {
        tell(Happening::NoTls(connection, problem));
        tell(Happening::Ended(connection));
        return;
    }
    hear(connection, layer, socket, sender);
}

/// Tells what a client says, and that it has ended.
fn hear(connection: ConnectionId, layer: &Layer, below: impl Read, sender: &SyncSender<Happening>) {
    layer.listen(below, |what| {
        let happening = match what {
            Arrived::Octets(octets) => Happening::Octets(connection, octets),
            Arrived::Closed | Arrived::Reset => Happening::Ended(connection),
        };
        sender.send(happening).is_ok()
    });
}

#[cfg(test)]
mod tests;
