//! A wire over sockets, as they are or with TLS on top.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::layer::Layer;
use crate::line::{Inbox, SEND_TIMEOUT, Unsent};
use crate::tls::{HANDSHAKE_TIMEOUT, HandshakeError, TlsClient};
use crate::{Arrival, Wire, WireError, system_time};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a target that takes nothing delays the farewell to it.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(50);

/// Connections to one address over TCP, or over TLS on TCP.
#[derive(Debug)]
pub struct SocketWire {
    address: String,
    tls: Option<TlsClient>,
    connections: HashMap<ConnectionId, Connection>,
    inbox: Inbox,
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
        Self { address: address.to_owned(), tls, connections: HashMap::new(), inbox: Inbox::new() }
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

impl SocketWire {
    /// A connection that is ready for SIP, and what octets are read from.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(crate) fn dial(&self) -> Result<(Connection, TcpStream), WireError> {
        let failed = |source| WireError::Connect { address: self.address.clone(), source };
        let socket = self.open()?;
        socket.set_nodelay(true).map_err(failed)?;
        socket.set_write_timeout(Some(SEND_TIMEOUT)).map_err(failed)?;
        let layer = self
            .layer(&socket)
            .map_err(|source| WireError::Handshake { address: self.address.clone(), source })?;
        let reader = socket.try_clone().map_err(failed)?;
        Ok((Connection { socket, layer, unsent: Unsent::default() }, reader))
    }
}

impl Wire for SocketWire {
    fn connect(&mut self) -> Result<ConnectionId, WireError> {
        let failed = |source| WireError::Connect { address: self.address.clone(), source };
        let (open, reader) = self.dial()?;
        let connection = self.inbox.listen(open.layer.clone(), reader).map_err(failed)?;
        self.connections.insert(connection, open);
        Ok(connection)
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        let open = self.connections.get_mut(&connection).ok_or(WireError::NotConnected(connection))?;
        open.send(octets).map_err(WireError::Send)
    }

    fn receive(&mut self, patience: Duration) -> Option<Arrival> {
        self.inbox.receive(patience)
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
pub(crate) struct Connection {
    socket: TcpStream,
    pub(crate) layer: Layer,
    unsent: Unsent,
}

impl Connection {
    /// Sends octets.
    ///
    /// # Errors
    /// When the target has not taken them in time.
    pub(crate) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.unsent.send(&self.socket, || self.layer.say(octets))
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
