//! Who broke which rule.

use std::fmt;

use sipae_spec::Diagnostic;

use crate::auth::AuthParam;
use crate::buffer::Field;
use crate::digest::DigestError;
use crate::endpoint::EndpointError;
use crate::kerberos::KerberosError;
use crate::message::{HeaderName, MessageError};
use crate::ntlm::NtlmError;
use crate::side::Side;
use crate::tlsdsk::TlsDskError;

/// A rule of the protocol that a peer has broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The peer.
    pub by: Side,
    /// What it did.
    pub breach: Breach,
}

/// What a peer can do wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// Octets that are no usable SIP message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// An authentication header field that may not be used.
    #[error("{header}: {diagnostic}")]
    Header {
        /// The field.
        header: HeaderName,
        /// What is wrong with it.
        diagnostic: Diagnostic,
    },
    /// A token that is no usable NTLM message.
    #[error("NTLM token: {0}")]
    Ntlm(#[from] NtlmError),
    /// A Kerberos token that proves nothing.
    #[error("Kerberos: {0}")]
    Kerberos(#[from] KerberosError),
    /// A flight of TLS-DSK, or a whole handshake, that is of no use.
    #[error("TLS-DSK: {0}")]
    TlsDsk(#[from] TlsDskError),
    /// A Digest challenge or credential that is not accepted.
    #[error("Digest: {0}")]
    Digest(#[from] DigestError),
    /// Endpoint identifiers that are missing or contradict each other.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A parameter that must be there is not.
    #[error("parameter {param} is missing")]
    ParamMissing {
        /// The parameter.
        param: AuthParam,
    },
    /// A message without signature where there is a security association.
    #[error("message is not signed")]
    Unsigned,
    /// A signed message for which there is no security association.
    #[error("no security association fits opaque, realm, targetname and endpoint")]
    NoAssociation,
    /// The signature is not that of the message.
    #[error("signature does not verify")]
    Signature,
    /// A signed value that could be read as two elements of the buffer.
    #[error("signed value {field:?} holds >< and makes the signature ambiguous")]
    Ambiguous {
        /// The element.
        field: Field,
    },
    /// A number that was accepted before.
    #[error("number {number} is replayed")]
    Replayed {
        /// cnum or snum.
        number: u32,
    },
    /// A number below the window.
    #[error("number {number} is below the window")]
    TooOld {
        /// cnum or snum.
        number: u32,
    },
    /// 2^32-1 has been used: a new association is due.
    #[error("sequence numbers are used up")]
    NumbersUsedUp,
    /// Another protocol version than the one offered.
    #[error("version {found} was not offered")]
    Version {
        /// The number found.
        found: u32,
    },
    /// A scheme that was not offered.
    #[error("scheme was not offered")]
    Scheme,
    /// A From address, or the To address of a REGISTER, that is not the authenticated user's.
    #[error("{header} is not an address of the authenticated user")]
    Identity {
        /// From or To.
        header: HeaderName,
    },
    /// A challenge that follows the last step of a handshake: the credentials are not accepted.
    #[error("credentials are not accepted")]
    Credentials,
    /// No challenge that could be answered.
    #[error("no challenge has a known scheme, realm, targetname and version")]
    NoUsableChallenge,
}

impl Violation {
    /// A breach by the client.
    #[must_use]
    pub fn client(breach: impl Into<Breach>) -> Self {
        Self { by: Side::Client, breach: breach.into() }
    }

    /// A breach by the server.
    #[must_use]
    pub fn server(breach: impl Into<Breach>) -> Self {
        Self { by: Side::Server, breach: breach.into() }
    }

    /// The rule: a requirement id or a clause of another document.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        let (client, server) = self.breach.rules();
        match self.by {
            Side::Client => client,
            Side::Server => server,
        }
    }
}

impl Breach {
    /// The rule that a client breaks, and the one that a server breaks, with this.
    const fn rules(&self) -> (&'static str, &'static str) {
        let one = match self {
            Self::Message(error) => error.rule(),
            Self::Header { diagnostic, .. } => diagnostic.rule(),
            Self::Ntlm(error) => error.rule(),
            Self::Kerberos(error) => error.rule(),
            Self::TlsDsk(error) => error.rule(),
            Self::Digest(error) => error.rule(),
            Self::Endpoint(error) => error.rule(),
            Self::Ambiguous { .. } => "SIPAE-2.2-27",
            Self::Replayed { .. } => "SIPAE-3.1.1-05",
            Self::TooOld { .. } => "SIPAE-3.1.1-07",
            Self::NumbersUsedUp => "SIPAE-3.1.1-11",
            Self::Scheme => "SIPAE-3.3.5.1-06",
            Self::ParamMissing { .. } => return ("SIPAE-3.3.5.3-09", "SIPAE-3.2.5.2-18"),
            Self::Unsigned => return ("SIPAE-3.2.4.1-01", "SIPAE-3.3.4.1-01"),
            Self::NoAssociation => return ("SIPAE-3.3.5.3-02", "SIPAE-3.2.5.2-02"),
            Self::Signature => return ("SIPAE-3.3.5.3-04", "SIPAE-3.2.5.2-08"),
            Self::Version { .. } => return ("SIPAE-3.3.5.2-22", "SIPAE-3.2.5.1-07"),
            Self::Identity { header: HeaderName::To } => "SIPAE-3.3.5.3-20",
            Self::Identity { .. } => "SIPAE-3.3.5.3-08",
            Self::Credentials => "SIPAE-3.3.5.2-16",
            Self::NoUsableChallenge => "SIPAE-3.2.5.1-04",
        };
        (one, one)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            Side::Client => "client",
            Side::Server => "server",
        };
        write!(f, "{by} broke {}: {}", self.rule(), self.breach)
    }
}

impl std::error::Error for Violation {}
