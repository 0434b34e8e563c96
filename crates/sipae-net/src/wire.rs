//! What a wire is.

use std::time::Duration;

use sipae::clock::Time;
use sipae::server::ConnectionId;

use crate::{Ends, HandshakeError};

/// Something that came over a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The connection.
    pub connection: ConnectionId,
    /// What came.
    pub what: Arrived,
}

/// What can come over a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// Octets, in pieces of any size.
    Octets(Vec<u8>),
    /// The peer has closed its side.
    Closed,
    /// The connection broke.
    Reset,
}

/// Why a wire does not work. Texts fit behind "cannot".
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// No connection to the target.
    #[error("connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A connection to the target, and no TLS on it.
    #[error("connect to {address}: {source}")]
    Handshake {
        /// Host and port.
        address: String,
        /// Why.
        source: HandshakeError,
    },
    /// The program that is the target does not start.
    #[error("start {command}: {source}")]
    Start {
        /// The program.
        command: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The settings allow no connection.
    #[error("connect: {0}")]
    Settings(String),
    /// The address has no meaning.
    #[error("resolve {address}: {source}")]
    Resolve {
        /// Host and port.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The connection is closed or was never there.
    #[error("send: connection {0:?} is closed")]
    NotConnected(ConnectionId),
    /// The octets were not taken.
    #[error("send: {0}")]
    Send(std::io::Error),
}

impl WireError {
    /// Whether nobody is there who takes connections. One that is not taken in time, or whose TLS does not begin, may be
    /// one too many.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Connect { source, .. } => source.kind() == std::io::ErrorKind::ConnectionRefused,
            Self::Start { .. } | Self::Settings(_) | Self::Resolve { .. } => true,
            _ => false,
        }
    }
}

/// A way to a target: connections that carry octets both ways.
pub trait Wire: Send {
    /// Opens a connection.
    ///
    /// # Errors
    /// When there is none to be had.
    fn connect(&mut self) -> Result<ConnectionId, WireError>;

    /// Sends octets, all of them.
    ///
    /// # Errors
    /// When the connection is closed or does not take them.
    fn send(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), WireError>;

    /// The next thing that arrives on any connection; `None` if nothing does within `patience`. In memory nothing
    /// more can come once nothing is there, and the answer is immediate.
    fn receive(&mut self, patience: Duration) -> Option<Arrival>;

    /// Closes a connection; closing it again does nothing.
    fn disconnect(&mut self, connection: ConnectionId);

    /// The time of the target, as far as it is known: the clock of this machine, or the set clock in memory.
    fn now(&self) -> Time;

    /// Lets so much time pass for the target at once; `false` where its clock cannot be set.
    fn advance(&mut self, _: Duration) -> bool {
        false
    }

    /// How the programs behind connections end, where connections are programs: [`PipeWire`](crate::PipeWire) says what
    /// stands there and when.
    fn ends(&self) -> Ends {
        Ends::default()
    }

    /// Whether `None` from [`receive`](Self::receive) proves that nothing is to come.
    fn is_exact(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// Who lets strangers wait, because there are enough of them, is there.
    #[rstest::rstest]
    #[case(ErrorKind::ConnectionRefused, true)]
    #[case(ErrorKind::TimedOut, false)]
    #[case(ErrorKind::ConnectionReset, false)]
    fn nobody_is_there_only_where_that_is_said(#[case] kind: ErrorKind, #[case] expected: bool) {
        let error = WireError::Connect { address: "127.0.0.1:5060".to_owned(), source: kind.into() };
        assert_eq!(error.is_absence(), expected);
    }
}
