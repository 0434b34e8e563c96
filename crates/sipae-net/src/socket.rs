//! A wire over sockets, as they are or with TLS on top.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::layer::Layer;
use crate::tls::{HANDSHAKE_TIMEOUT, HandshakeError, TlsClient};
use crate::{Arrival, Wire, WireError, system_time};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What is sent is small; a target that does not take it is not waited for.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a target that takes nothing delays the farewell to it.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(50);
/// Arrivals that wait to be looked at; behind them the target has to wait.
const BACKLOG: usize = 256;

/// Connections to one address over TCP, or over TLS on TCP.
#[derive(Debug)]
pub struct SocketWire {
    address: String,
    tls: Option<TlsClient>,
    connections: HashMap<ConnectionId, Connection>,
    sender: SyncSender<Arrival>,
    receiver: Receiver<Arrival>,
    next: u64,
}

impl SocketWire {
    /// A wire over TCP to `host:port`. Nothing is connected yet.
    #[must_use]
    pub fn tcp(address: &str) -> Self {
        Self::new(address, None)
    }

    /// A wire over TLS to `host:port`. Nothing is connected yet.
    #[must_use]
    pub fn tls(address: &str, client: TlsClient) -> Self {
        Self::new(address, Some(client))
    }

    fn new(address: &str, tls: Option<TlsClient>) -> Self {
        let (sender, receiver) = mpsc::sync_channel(BACKLOG);
        Self { address: address.to_owned(), tls, connections: HashMap::new(), sender, receiver, next: 0 }
    }

    fn open(&self) -> Result<TcpStream, WireError> {
        let address = self.address.clone();
        let resolved = self.address.to_socket_addrs();
        let addresses = resolved.map_err(|source| WireError::Resolve { address: address.clone(), source })?;
        let mut failure = io::Error::new(ErrorKind::AddrNotAvailable, "the name has no address");
        for candidate in addresses {
            match TcpStream::connect_timeout(&candidate, CONNECT_TIMEOUT) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = error,
            }
        }
        Err(WireError::Connect { address, source: failure })
    }

    /// What lies on top of a fresh socket: with TLS, once the handshake is done.
    fn layer(&self, socket: &TcpStream) -> Result<Layer, HandshakeError> {
        let layer = match &self.tls {
            None => Layer::Plain,
            Some(client) => Layer::Tls(Arc::new(client.session(&self.address)?)),
        };
        layer.begin(socket, HANDSHAKE_TIMEOUT)?;
        Ok(layer)
    }
}

impl Wire for SocketWire {
    fn connect(&mut self) -> Result<ConnectionId, WireError> {
        let failed = |source| WireError::Connect { address: self.address.clone(), source };
        let socket = self.open()?;
        socket.set_nodelay(true).map_err(failed)?;
        socket.set_write_timeout(Some(SEND_TIMEOUT)).map_err(failed)?;
        let layer = self
            .layer(&socket)
            .map_err(|source| WireError::Handshake { address: self.address.clone(), source })?;
        let (reader, below) = (socket.try_clone().map_err(failed)?, layer.clone());
        let (connection, sender) = (ConnectionId(self.next + 1), self.sender.clone());
        let tell = move |what| sender.send(Arrival { connection, what }).is_ok();
        thread::Builder::new().spawn(move || below.listen(&reader, tell)).map_err(failed)?;
        self.next += 1;
        self.connections.insert(connection, Connection { socket, layer, unsent: Vec::new() });
        Ok(connection)
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        let open = self.connections.get_mut(&connection).ok_or(WireError::NotConnected(connection))?;
        open.send(octets).map_err(WireError::Send)
    }

    fn receive(&mut self, patience: Duration) -> Option<Arrival> {
        self.receiver.recv_timeout(patience).ok()
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        self.connections.remove(&connection);
    }

    fn now(&self) -> Time {
        system_time()
    }
}

/// The sending half of a connection. Dropping it says farewell and closes.
#[derive(Debug)]
struct Connection {
    socket: TcpStream,
    layer: Layer,
    /// What the target has not taken in time: it goes before whatever comes next, so that no message is torn.
    unsent: Vec<u8>,
}

impl Connection {
    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.flush()?;
        self.unsent = self.layer.say(octets)?;
        self.flush()
    }

    /// The time-out of the socket is no bound for a target that takes an octet now and then.
    fn flush(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while !self.unsent.is_empty() {
            if SEND_TIMEOUT < begun.elapsed() {
                return Err(ErrorKind::TimedOut.into());
            }
            match self.socket.write(&self.unsent) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => drop(self.unsent.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn say_farewell(&mut self) -> io::Result<()> {
        let farewell = self.layer.farewell();
        if self.unsent.is_empty() && !farewell.is_empty() {
            self.socket.set_write_timeout(Some(FAREWELL_TIMEOUT))?;
            self.socket.write_all(&farewell)?;
        }
        self.socket.shutdown(Shutdown::Both)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A connection that the peer has closed already is as good.
        let _already_closed = self.say_farewell();
        let _at_any_rate = self.socket.shutdown(Shutdown::Both);
    }
}
