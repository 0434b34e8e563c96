//! The two sides of the protocol.

use crate::auth::AuthParam;

/// A side of the protocol: who signed, whose key it is, who broke a rule.
///
/// Which side made a signature decides the parameters that carry it and the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// `crand`, `cnum`, `response` in Authorization or Proxy-Authorization.
    Client,
    /// `srand`, `snum`, `rspauth` in Authentication-Info or Proxy-Authentication-Info.
    Server,
}

impl Side {
    /// The parameter that holds the salt.
    #[must_use]
    pub const fn rand(self) -> AuthParam {
        match self {
            Self::Client => AuthParam::Crand,
            Self::Server => AuthParam::Srand,
        }
    }

    /// The parameter that holds the sequence number.
    #[must_use]
    pub const fn number(self) -> AuthParam {
        match self {
            Self::Client => AuthParam::Cnum,
            Self::Server => AuthParam::Snum,
        }
    }

    /// The parameter that holds the signature.
    #[must_use]
    pub const fn signature(self) -> AuthParam {
        match self {
            Self::Client => AuthParam::Response,
            Self::Server => AuthParam::Rspauth,
        }
    }

    /// The other side.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
