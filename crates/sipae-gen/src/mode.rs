//! What a conversation is held in.

use std::fmt;

use serde::{Deserialize, Serialize};
use sipae::auth::Scheme;
use sipae::version::Version;

use crate::written;

/// Scheme and version of the associations of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mode {
    /// The scheme.
    #[serde(with = "written::name")]
    pub scheme: Scheme,
    /// The version.
    #[serde(with = "written::version")]
    pub version: Version,
}

impl Mode {
    /// Whether the request that completes the handshake is signed: at version 4 (SIPAE-3.2.4.1-19), and with TLS-DSK at
    /// every version, since it has no token that could complete it (SIPAE-3.2.4.1-21).
    #[must_use]
    pub const fn signs_completing_request(self) -> bool {
        self.version.signs_completing_request() || matches!(self.scheme, Scheme::TlsDsk)
    }
}

/// `NTLM version 4`; Digest has no versions.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::Digest => write!(f, "{}", self.scheme),
            scheme => write!(f, "{scheme} version {}", self.version.number()),
        }
    }
}
