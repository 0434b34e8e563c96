//! Hash functions of Digest.

use std::fmt;

use md5::{Digest, Md5};
use sha2::{Sha256, Sha512_256};

use crate::encoding::encode_base16;

/// A value of the parameter `algorithm` (RFC 2617 3.2.1, RFC 7616 3.2, RFC 8760 2), weakest first.
///
/// Exhaustive on purpose: the registry of RFC 7616 6.1 has no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithm {
    /// `MD5`, which is meant where the parameter is absent.
    #[default]
    Md5,
    /// `MD5-sess`, what the example of [MS-SIPAE] 4.5 offers.
    Md5Sess,
    /// `SHA-256`
    Sha256,
    /// `SHA-256-sess`
    Sha256Sess,
    /// `SHA-512-256`
    Sha512_256,
    /// `SHA-512-256-sess`
    Sha512_256Sess,
}

impl Algorithm {
    /// Every algorithm, weakest first.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess, Self::Sha512_256, Self::Sha512_256Sess];

    /// The spelling that is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// The algorithm with this name, in any letter case.
    #[must_use]
    pub fn from_octets(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether A1 is that of a session: made from nonce and cnonce too.
    #[must_use]
    pub const fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess)
    }

    /// H of RFC 7616 3.3 over the parts, joined with colons, as lower-case digits.
    pub(super) fn hash(self, parts: &[&[u8]]) -> String {
        let text = parts.join(&b':');
        match self {
            Self::Md5 | Self::Md5Sess => encode_base16(&Md5::digest(text)),
            Self::Sha256 | Self::Sha256Sess => encode_base16(&Sha256::digest(text)),
            Self::Sha512_256 | Self::Sha512_256Sess => encode_base16(&Sha512_256::digest(text)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
