//! What an end of a handshake is set up with.

use std::fmt;

use sipae::clock::Time;
use sipae::tlsdsk::{TLS_1_0, TLS_1_1, TLS_1_2};

/// The library that does the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsDskEngine {
    /// TLS 1.2 with ephemeral keys; with the feature `tls`.
    Rustls,
    /// TLS 1.0 to 1.2, RSA key exchange too; with the feature `legacy-tls`.
    OpenSsl,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsDskVersion {
    /// TLS 1.0.
    V1_0,
    /// TLS 1.1.
    V1_1,
    /// TLS 1.2.
    V1_2,
}

impl TlsDskVersion {
    /// Every version.
    pub const ALL: [Self; 3] = [Self::V1_0, Self::V1_1, Self::V1_2];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::V1_0 => TLS_1_0,
            Self::V1_1 => TLS_1_1,
            Self::V1_2 => TLS_1_2,
        }
    }
}

/// A certificate and its key.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsDskIdentity {
    /// The certificate and those between it and an authority, in PEM.
    pub certificates: String,
    /// The private key in PEM, without a password.
    pub key: String,
}

impl fmt::Debug for TlsDskIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsDskIdentity").field("certificates", &self.certificates).finish_non_exhaustive()
    }
}

/// What the handshakes of a server, or of a client, have in common.
#[derive(Clone, Debug)]
pub struct TlsDskSettings {
    /// The library.
    pub engine: TlsDskEngine,
    /// What is shown to the peer. A server must have one; a client without one is refused by every server.
    pub identity: Option<TlsDskIdentity>,
    /// Certificates of the authorities that are trusted, in PEM, one at least; a server names them to its clients.
    pub trusted: Vec<String>,
    /// The oldest version.
    pub oldest: TlsDskVersion,
    /// The newest version.
    pub newest: TlsDskVersion,
    /// For OpenSSL: the suites, in its own notation.
    pub suites: Option<String>,
}

impl TlsDskSettings {
    /// With all versions and suites that the library has.
    #[must_use]
    pub fn new(engine: TlsDskEngine, identity: Option<TlsDskIdentity>, trusted: &str) -> Self {
        let oldest = match engine {
            TlsDskEngine::Rustls => TlsDskVersion::V1_2,
            TlsDskEngine::OpenSsl => TlsDskVersion::V1_0,
        };
        let (trusted, newest) = (vec![trusted.to_owned()], TlsDskVersion::V1_2);
        Self { engine, identity, trusted, oldest, newest, suites: None }
    }
}

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The beginning, in whole seconds.
    pub not_before: Time,
    /// The end, in whole seconds.
    pub not_after: Time,
}

impl Validity {
    /// Longer than anybody tests: from 2000 to 2099.
    pub const FOR_EVER: Self = Self { not_before: Time(946_684_800_000), not_after: Time(4_070_908_800_000) };
}
