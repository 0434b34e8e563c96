//! Time that passes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A timer of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timer {
    /// From the establishment of an association to its end.
    Expiry,
    /// Without a verified message.
    Idle,
    /// From a CHALLENGE to the end of the handshake.
    Handshake,
    /// Until a connection that has not authenticated is closed.
    Connection,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expiry => "expiry",
            Self::Idle => "idle",
            Self::Handshake => "handshake",
            Self::Connection => "connection",
        })
    }
}

/// A time that passes, measured in a timer of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The timer.
    pub timer: Timer,
    /// How much of it, in percent.
    pub percent: u32,
}
