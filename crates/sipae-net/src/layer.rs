//! What lies between a socket, or a pipe, and SIP: nothing, or TLS.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use std::{io, mem};

use crate::Arrived;
use crate::tls::{HandshakeError, Session};

const CHUNK: usize = 16 * 1024;

/// How octets are carried over a socket. Once it has begun it reads from the socket alone; whoever writes asks it what to
/// write, so that nobody waits for a peer with a lock in hand.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    /// As they are.
    Plain,
    /// Encrypted.
    Tls(Arc<Session>),
}

/// What octets of a socket come to.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Octets of SIP; none if a record is not complete yet.
    pub(crate) octets: Vec<u8>,
    /// How the connection ended behind them.
    pub(crate) end: Option<Arrived>,
}

impl Heard {
    fn end(end: Arrived) -> Self {
        Self { octets: Vec::new(), end: Some(end) }
    }
}

impl Layer {
    /// Does what has to be done before anything can be said, within this time at most.
    ///
    /// # Errors
    /// When the handshake fails.
    pub(crate) fn begin(&self, socket: &TcpStream, patience: Duration) -> Result<(), HandshakeError> {
        match self {
            Self::Plain => Ok(()),
            Self::Tls(session) => session.handshake(socket, patience),
        }
    }

    /// What to write to the socket so that the peer hears these octets.
    ///
    /// # Errors
    /// When nothing can be said any more.
    pub(crate) fn say(&self, octets: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(octets.to_vec()),
            Self::Tls(session) => session.say(octets),
        }
    }

    /// What to write to the socket before it is closed.
    pub(crate) fn farewell(&self) -> Vec<u8> {
        match self {
            Self::Plain => Vec::new(),
            Self::Tls(session) => session.farewell(),
        }
    }

    /// What octets of the socket come to; asked with none, what came in one breath with the handshake.
    pub(crate) fn hear(&self, octets: &[u8]) -> Heard {
        match self {
            Self::Plain => Heard { octets: octets.to_vec(), end: None },
            Self::Tls(session) => session.hear(octets),
        }
    }

    /// Reads and tells until the connection ends, or until `tell` says that nobody listens any more.
    ///
    /// A peer that closes its side without the farewell of TLS has closed: products do so, and since messages of SIP
    /// bring their length, what is cut off shows. A record that cannot be read, or an alert, is a reset.
    pub(crate) fn listen(&self, mut below: impl Read, mut tell: impl FnMut(Arrived) -> bool) {
        let mut chunk = vec![0; CHUNK];
        // The peer may have spoken in one breath with its handshake.
        let mut heard = self.hear(&[]);
        loop {
            let octets = mem::take(&mut heard.octets);
            if !octets.is_empty() && !tell(Arrived::Octets(octets)) {
                return;
            }
            if let Some(end) = heard.end {
                // Nobody is left to hear it when this fails.
                let _unheard = tell(end);
                return;
            }
            heard = match below.read(&mut chunk) {
                Ok(0) => Heard::end(Arrived::Closed),
                Ok(length) => self.hear(chunk.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => Heard::default(),
                Err(_) => Heard::end(Arrived::Reset),
            };
        }
    }
}
