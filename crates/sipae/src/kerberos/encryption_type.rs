//! The encryption types of Active Directory, but for those of SHA-2 and single DES.

use std::fmt;

/// Encryption type of a key, a ticket or an authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EncryptionType {
    /// RFC 3962.
    Aes256,
    /// RFC 3962.
    Aes128,
    /// RFC 4757.
    Rc4,
}

impl EncryptionType {
    /// Strongest first.
    pub const ALL: [Self; 3] = [Self::Aes256, Self::Aes128, Self::Rc4];

    /// Number on the wire.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Aes256 => 18,
            Self::Aes128 => 17,
            Self::Rc4 => 23,
        }
    }

    /// The type with this number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|etype| etype.number() == number)
    }

    /// Octets of a key.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes256 => 32,
            Self::Aes128 | Self::Rc4 => 16,
        }
    }

    /// Name in the registry of encryption types.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "aes256-cts-hmac-sha1-96",
            Self::Aes128 => "aes128-cts-hmac-sha1-96",
            Self::Rc4 => "rc4-hmac",
        }
    }

    /// Whether per-message tokens are those of RFC 4121; else of RFC 1964.
    #[must_use]
    pub const fn is_newer(self) -> bool {
        !matches!(self, Self::Rc4)
    }
}

impl fmt::Display for EncryptionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
