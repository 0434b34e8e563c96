//! Where clients under test connect: a listening socket for one conversation at a time.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sipae::server::ConnectionId;

use crate::layer::Layer;
use crate::line::{BACKLOG, SEND_TIMEOUT, Unsent};
use crate::tls::{HANDSHAKE_TIMEOUT, HandshakeError, ServerIdentity};
use crate::{Arrived, Happened, WireError};

/// Connections that one conversation takes.
const CONNECTIONS: u64 = 256;
/// How often somebody looks whether the conversation is over.
const PAUSE: Duration = Duration::from_millis(2);

/// A connection that is open.
struct Open {
    socket: TcpStream,
    layer: Layer,
}

type Connections = Arc<Mutex<HashMap<ConnectionId, Open>>>;

/// A listening socket, and the connections of one conversation. What connects before it begins is taken when it does, and
/// what is open when it is dropped is closed.
pub struct Listening {
    address: SocketAddr,
    connections: Connections,
    happened: Receiver<(ConnectionId, Happened)>,
    is_over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Listening {
    /// Takes connections at a socket that is listening, with TLS where there is something to show.
    ///
    /// # Errors
    /// What the system says.
    pub fn at(listener: TcpListener, identity: Option<ServerIdentity>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let (sender, happened) = mpsc::sync_channel(BACKLOG);
        let (connections, is_over) = (Connections::default(), Arc::new(AtomicBool::new(false)));
        let accepting = Accepting {
            listener,
            identity,
            connections: Arc::clone(&connections),
            sender,
            is_over: Arc::clone(&is_over),
        };
        let accepting = Some(thread::Builder::new().spawn(move || accepting.run())?);
        Ok(Self { address, connections, happened, is_over, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next thing that a client does, within `patience`.
    pub fn receive(&mut self, patience: Duration) -> Option<(ConnectionId, Happened)> {
        self.happened.recv_timeout(patience).ok()
    }

    /// Sends octets, all of them, or closes the connection: a message is never torn, and who does not take one is not
    /// waited for again.
    ///
    /// # Errors
    /// When the connection is closed or does not take them.
    pub fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError> {
        // Nobody who connects meanwhile waits for it.
        let open = lock(&self.connections)
            .get(&connection)
            .map(|open| open.socket.try_clone().map(|socket| (socket, open.layer.clone())));
        let (socket, layer) = open.ok_or(WireError::NotConnected(connection))?.map_err(WireError::Send)?;
        let sent = Unsent::default().send(&socket, || layer.say(octets));
        if sent.is_err() {
            self.disconnect(connection);
        }
        sent.map_err(WireError::Send)
    }

    /// Closes a connection; closing it again does nothing.
    pub fn disconnect(&mut self, connection: ConnectionId) {
        let open = lock(&self.connections).remove(&connection);
        if let Some(open) = open {
            open.close();
        }
    }
}

impl Drop for Listening {
    /// Behind it the port is free, unless somebody else holds the socket.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(accepting) = self.accepting.take() {
            // Who connects from now on is the next conversation's.
            let _over = accepting.join();
        }
        lock(&self.connections).drain().for_each(|(_, open)| open.close());
    }
}

impl Open {
    /// A client that takes no farewell is not waited for.
    fn close(self) {
        let _untaken = Unsent::default().send(&self.socket, || Ok(self.layer.farewell()));
        let _already_closed = self.socket.shutdown(Shutdown::Both);
    }
}

fn lock(connections: &Connections) -> MutexGuard<'_, HashMap<ConnectionId, Open>> {
    // Each change is whole.
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that takes connections.
struct Accepting {
    listener: TcpListener,
    identity: Option<ServerIdentity>,
    connections: Connections,
    sender: SyncSender<(ConnectionId, Happened)>,
    is_over: Arc<AtomicBool>,
}

impl Accepting {
    fn run(self) {
        let mut count = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            match self.listener.accept() {
                Ok((socket, _)) if count < CONNECTIONS => {
                    count += 1;
                    // What the system gives no thread for is closed.
                    let _closed = self.begin(ConnectionId(count), socket);
                }
                // Whoever connects without end does not keep this thread busy.
                Ok(_) => thread::sleep(PAUSE),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    fn begin(&self, connection: ConnectionId, socket: TcpStream) -> io::Result<()> {
        socket.set_nonblocking(false)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(SEND_TIMEOUT))?;
        let layer = self.layer().map_err(io::Error::other)?;
        let (reader, sender) = (socket.try_clone()?, self.sender.clone());
        let open = Open { socket, layer: layer.clone() };
        let connections = Arc::clone(&self.connections);
        thread::Builder::new().spawn(move || {
            let happened = match layer.begin(&reader, HANDSHAKE_TIMEOUT) {
                Ok(()) => Happened::Connected,
                Err(problem) => Happened::NoTls(problem.to_string()),
            };
            let is_begun = happened == Happened::Connected;
            if is_begun {
                lock(&connections).insert(connection, open);
            }
            if sender.send((connection, happened)).is_ok() && is_begun {
                layer.listen(reader, |what: Arrived| {
                    sender.send((connection, Happened::Arrived(what))).is_ok()
                });
            }
        })?;
        Ok(())
    }

    fn layer(&self) -> Result<Layer, HandshakeError> {
        match &self.identity {
            Some(identity) => Ok(Layer::Tls(Arc::new(identity.session()?))),
            None => Ok(Layer::Plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn listening() -> (Listening, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let again = listener.try_clone().expect("a clone");
        (Listening::at(listener, None).expect("listening"), again)
    }

    #[test]
    fn a_client_is_heard_and_answered_and_its_end_is_told() {
        let (mut listening, _listener) = listening();
        let mut client = TcpStream::connect(listening.address()).expect("connected");
        let (connection, happened) = listening.receive(PATIENCE).expect("something");
        assert_eq!(happened, Happened::Connected);
        client.write_all(b"hello").expect("sent");
        let heard = listening.receive(PATIENCE).expect("something");
        assert_eq!(heard, (connection, Happened::Arrived(Arrived::Octets(b"hello".to_vec()))));
        listening.send(connection, b"welcome").expect("sent");
        let mut answer = [0; 7];
        client.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"welcome");
        drop(client);
        assert_eq!(listening.receive(PATIENCE), Some((connection, Happened::Arrived(Arrived::Closed))));
    }

    #[test]
    fn the_port_is_free_when_the_conversation_is_over() {
        let (first, listener) = listening();
        let address = first.address();
        drop((first, listener));
        assert!(TcpListener::bind(address).is_ok());
    }

    #[test]
    fn who_connects_between_two_conversations_is_taken_by_the_second() {
        let (first, listener) = listening();
        drop(first);
        let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        let mut second = Listening::at(listener, None).expect("listening");
        assert!(matches!(second.receive(PATIENCE), Some((_, Happened::Connected))));
        drop(client);
    }
}
