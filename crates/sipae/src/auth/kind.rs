//! The two interchangeable sets of header fields.

use crate::message::HeaderName;

/// Which set of header fields a server uses ([MS-SIPAE] 3.3.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ChallengeKind {
    /// 401, WWW-Authenticate, Authorization, Authentication-Info.
    #[default]
    Www,
    /// 407, Proxy-Authenticate, Proxy-Authorization, Proxy-Authentication-Info.
    Proxy,
}

impl ChallengeKind {
    /// The status code of a challenge.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Www => 401,
            Self::Proxy => 407,
        }
    }

    /// The other kind.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Www => Self::Proxy,
            Self::Proxy => Self::Www,
        }
    }

    /// The kind that a status code announces.
    #[must_use]
    pub const fn from_status(status: u16) -> Option<Self> {
        match status {
            401 => Some(Self::Www),
            407 => Some(Self::Proxy),
            _ => None,
        }
    }

    /// The header field of a challenge.
    #[must_use]
    pub const fn challenge(self) -> HeaderName {
        match self {
            Self::Www => HeaderName::WwwAuthenticate,
            Self::Proxy => HeaderName::ProxyAuthenticate,
        }
    }

    /// The header field of a credential.
    #[must_use]
    pub const fn credential(self) -> HeaderName {
        match self {
            Self::Www => HeaderName::Authorization,
            Self::Proxy => HeaderName::ProxyAuthorization,
        }
    }

    /// The header field of a server signature.
    #[must_use]
    pub const fn signature(self) -> HeaderName {
        match self {
            Self::Www => HeaderName::AuthenticationInfo,
            Self::Proxy => HeaderName::ProxyAuthenticationInfo,
        }
    }
}
