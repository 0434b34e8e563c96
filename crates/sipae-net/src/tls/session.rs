//! One TLS session, without the socket once the handshake is done.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::Connection;

use super::HandshakeError;
use crate::Arrived;
use crate::layer::Heard;

const CHUNK: usize = 16 * 1024;

/// A session that a reader and a writer share. The lock is held for as long as it takes to encrypt or decrypt, never
/// for as long as a peer likes.
///
/// After the handshake only the writer writes to the socket: what the reader owes to the peer, such as a new key, waits
/// for the next message, where the order of records is sure.
#[derive(Debug)]
pub(crate) struct Session(Mutex<Connection>);

impl Session {
    /// A session before its handshake.
    pub(crate) fn new(mut connection: Connection) -> Self {
        // What is said is written at once, and whoever says it bounds it.
        connection.set_buffer_limit(None);
        Self(Mutex::new(connection))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the handshake, within this time at most.
    ///
    /// # Errors
    /// When it fails; the peer has been told if it listens.
    pub(crate) fn handshake(&self, socket: &TcpStream, patience: Duration) -> Result<(), HandshakeError> {
        let mut exchange = Exchange { socket, deadline: Instant::now() + patience };
        let mut chunk = vec![0; CHUNK];
        exchange.write(&self.outgoing()?)?;
        while self.connection().is_handshaking() {
            let length = exchange.read(&mut chunk)?;
            let taken = take_in(&mut self.connection(), chunk.get(..length).unwrap_or_default());
            exchange.write(&self.outgoing()?)?;
            taken?;
        }
        socket.set_read_timeout(None)?;
        Ok(())
    }

    fn outgoing(&self) -> io::Result<Vec<u8>> {
        outgoing(&mut self.connection())
    }

    /// What to write to the socket so that the peer hears these octets.
    pub(crate) fn say(&self, octets: &[u8]) -> io::Result<Vec<u8>> {
        let mut connection = self.connection();
        connection.writer().write_all(octets)?;
        outgoing(&mut connection)
    }

    /// What to write to the socket before it is closed: nothing within a handshake.
    pub(crate) fn farewell(&self) -> Vec<u8> {
        let mut connection = self.connection();
        if connection.is_handshaking() {
            return Vec::new();
        }
        connection.send_close_notify();
        outgoing(&mut connection).unwrap_or_default()
    }

    /// What octets of the socket come to, and what came before them and has not been heard yet.
    pub(crate) fn hear(&self, octets: &[u8]) -> Heard {
        let mut connection = self.connection();
        let end = match take_in(&mut connection, octets) {
            Ok(false) => None,
            Ok(true) => Some(Arrived::Closed),
            Err(_) => Some(Arrived::Reset),
        };
        let mut octets = Vec::new();
        // It ends with "nothing more yet", or with the end that is known already.
        let _end = connection.reader().read_to_end(&mut octets);
        Heard { octets, end }
    }
}

/// Decrypts, and tells whether the peer has said farewell. The plain text of a chunk fits into the buffer for it, which
/// is emptied between two chunks.
fn take_in(connection: &mut Connection, mut octets: &[u8]) -> Result<bool, rustls::Error> {
    loop {
        let has_closed = connection.process_new_packets()?.peer_has_closed();
        if has_closed || octets.is_empty() {
            return Ok(has_closed);
        }
        let taken = connection.read_tls(&mut octets);
        if taken.map_err(|error| rustls::Error::General(error.to_string()))? == 0 {
            return Ok(has_closed);
        }
    }
}

fn outgoing(connection: &mut Connection) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut octets)?;
    }
    Ok(octets)
}

/// A socket that is read from and written to until a deadline.
struct Exchange<'s> {
    socket: &'s TcpStream,
    deadline: Instant,
}

impl Exchange<'_> {
    fn remaining(&self) -> Result<Duration, HandshakeError> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() { Err(HandshakeError::Late) } else { Ok(remaining) }
    }

    fn read(&mut self, chunk: &mut [u8]) -> Result<usize, HandshakeError> {
        loop {
            self.socket.set_read_timeout(Some(self.remaining()?))?;
            match self.socket.read(chunk) {
                Ok(0) => return Err(HandshakeError::Closed),
                Ok(length) => return Ok(length),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn write(&mut self, mut octets: &[u8]) -> Result<(), HandshakeError> {
        while !octets.is_empty() {
            self.remaining()?;
            match self.socket.write(octets) {
                Ok(0) => return Err(HandshakeError::Closed),
                Ok(length) => octets = octets.get(length..).unwrap_or_default(),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The deadline says how long to go on.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::WouldBlock)
}
