//! Protocol versions ([MS-SIPAE] 1.7).

use std::fmt;

/// The version of a security association. It decides the layout of the signature buffer and whether the request that
/// completes the handshake is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// No version parameter: Live Communications Server and before.
    V2,
    /// Office Communications Server 2007.
    V3,
    /// Office Communications Server 2007 with update, 2007 R2, Lync, Skype for Business.
    V4,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V2, Self::V3, Self::V4];

    /// The version with this number; 2 stands for an absent parameter.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            4 => Some(Self::V4),
            _ => None,
        }
    }

    /// 2, 3 or 4.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// The text of the version parameter; version 2 has none ([MS-SIPAE] SIPAE-2.2-07).
    #[must_use]
    pub const fn param(self) -> Option<&'static str> {
        match self {
            Self::V2 => None,
            Self::V3 => Some("3"),
            Self::V4 => Some("4"),
        }
    }

    /// Whether the request that completes the handshake is itself signed (SIPAE-3.2.4.1-19, -20).
    #[must_use]
    pub const fn signs_completing_request(self) -> bool {
        matches!(self, Self::V4)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}
