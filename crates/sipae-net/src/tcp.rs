//! A wire over TCP.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::{Arrival, Arrived, Wire, WireError, system_time};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What is sent is small; a target that does not take it is not waited for.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
const CHUNK: usize = 16 * 1024;
/// Arrivals that wait to be looked at; behind them the target has to wait.
const BACKLOG: usize = 256;

/// Connections to one TCP address.
#[derive(Debug)]
pub struct TcpWire {
    address: String,
    connections: HashMap<ConnectionId, TcpStream>,
    sender: SyncSender<Arrival>,
    receiver: Receiver<Arrival>,
    next: u64,
}

impl TcpWire {
    /// A wire to `host:port`. Nothing is connected yet.
    #[must_use]
    pub fn new(address: &str) -> Self {
        let (sender, receiver) = mpsc::sync_channel(BACKLOG);
        Self { address: address.to_owned(), connections: HashMap::new(), sender, receiver, next: 0 }
    }

    fn open(&self) -> Result<TcpStream, WireError> {
        let address = self.address.clone();
        let resolved = self.address.to_socket_addrs();
        let addresses = resolved.map_err(|source| WireError::Resolve { address: address.clone(), source })?;
        let mut failure = std::io::Error::new(ErrorKind::AddrNotAvailable, "the name has no address");
        for candidate in addresses {
            match TcpStream::connect_timeout(&candidate, CONNECT_TIMEOUT) {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(WireError::Connect { address, source: failure })
    }
}

impl Wire for TcpWire {
    fn connect(&mut self) -> Result<ConnectionId, WireError> {
        let failed = |source| WireError::Connect { address: self.address.clone(), source };
        let stream = self.open()?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_write_timeout(Some(SEND_TIMEOUT)).map_err(failed)?;
        let reader = stream.try_clone().map_err(failed)?;
        self.next += 1;
        let connection = ConnectionId(self.next);
        let sender = self.sender.clone();
        thread::Builder::new().spawn(move || read(connection, reader, &sender)).map_err(failed)?;
        self.connections.insert(connection, stream);
        Ok(connection)
    }

    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        let stream = self.connections.get_mut(&connection).ok_or(WireError::NotConnected(connection))?;
        stream.write_all(octets).map_err(WireError::Send)
    }

    fn receive(&mut self, patience: Duration) -> Option<Arrival> {
        self.receiver.recv_timeout(patience).ok()
    }

    fn disconnect(&mut self, connection: ConnectionId) {
        if let Some(stream) = self.connections.remove(&connection) {
            // A connection that the peer has closed already is as good.
            let _already_closed = stream.shutdown(Shutdown::Both);
        }
    }

    fn now(&self) -> Time {
        system_time()
    }
}

impl Drop for TcpWire {
    fn drop(&mut self) {
        for (_, stream) in self.connections.drain() {
            let _already_closed = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Reads until the connection ends or nobody listens any more.
fn read(connection: ConnectionId, mut stream: TcpStream, sender: &SyncSender<Arrival>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let what = match stream.read(&mut chunk) {
            Ok(0) => Arrived::Closed,
            Ok(length) => Arrived::Octets(chunk.iter().take(length).copied().collect()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => Arrived::Reset,
        };
        let ends = !matches!(what, Arrived::Octets(_));
        if sender.send(Arrival { connection, what }).is_err() || ends {
            return;
        }
    }
}
