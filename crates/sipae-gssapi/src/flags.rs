//! What is asked of a context.

use std::fmt;
use std::ops::BitOr;

/// Context flags (RFC 2744 5.19).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u32);

impl Flags {
    /// The acceptor proves itself too.
    pub const MUTUAL: Self = Self(0x2);
    /// Signatures that come twice are told of.
    pub const REPLAY: Self = Self(0x4);
    /// Signatures out of their order are told of.
    pub const SEQUENCE: Self = Self(0x8);
    /// Messages can be encrypted.
    pub const CONFIDENTIALITY: Self = Self(0x10);
    /// Messages can be signed.
    pub const INTEGRITY: Self = Self(0x20);
    /// The acceptor learns who the initiator is, and cannot act for them.
    pub const IDENTIFY: Self = Self(0x2000);
    /// Connectionless mode, of the NTLM plug-in.
    pub const DATAGRAM: Self = Self(0x1_0000);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:X}", self.0)
    }
}
