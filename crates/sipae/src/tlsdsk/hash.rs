//! The hash with which a suite signs.

use std::fmt;

use super::{TLS_1_0, TLS_1_2};

/// The hash of HMAC: the one at the end of the suite's name (SIPAE-3.2.4.1-29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// `_MD5`.
    Md5,
    /// `_SHA`.
    Sha1,
    /// `_SHA256`, and `_CCM`, whose hash is that of the PRF.
    Sha256,
    /// `_SHA384`.
    Sha384,
}

impl Hash {
    /// Every hash.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha384];

    /// The hash of a cipher suite that was negotiated with this version of TLS; `None` where there is no such pair, or
    /// none of which the hash is known. Suites with SHA-2 are of TLS 1.2, those of TLS 1.3 have another exporter.
    #[must_use]
    pub fn of_suite(suite: u16, version: u16) -> Option<Self> {
        let (first, _, ends) = SUITES.iter().find(|(first, last, _)| (*first..=*last).contains(&suite))?;
        let position = usize::from(suite - first);
        let hash = *ends.get(position % ends.len().max(1))?;
        let earliest = if hash < Self::Sha256 { TLS_1_0 } else { TLS_1_2 };
        (earliest..=TLS_1_2).contains(&version).then_some(hash)
    }

    /// Octets of a digest, and of a signature.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// Name, as FIPS 180-4 writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const MD5: &[Hash] = &[Hash::Md5];
const SHA: &[Hash] = &[Hash::Sha1];
const SHA256: &[Hash] = &[Hash::Sha256];
/// Suites of 128 and 256 bits in turn.
const PAIRS: &[Hash] = &[Hash::Sha256, Hash::Sha384];

/// The registry "TLS Cipher Suites" of IANA by the ends of the names: first number, last number, and the hashes of the
/// numbers between in turn. Whether a suite may be used is not asked here: some encrypt nothing.
#[rustfmt::skip]
const SUITES: &[(u16, u16, &[Hash])] = &[
    (0x0001, 0x0001, MD5), (0x0002, 0x0002, SHA), (0x0003, 0x0004, MD5), (0x0005, 0x0005, SHA),
    (0x0006, 0x0006, MD5), (0x0007, 0x0016, SHA), (0x0017, 0x0018, MD5), (0x0019, 0x001B, SHA),
    (0x001E, 0x0021, SHA), (0x0022, 0x0025, MD5), (0x0026, 0x0028, SHA), (0x0029, 0x002B, MD5),
    (0x002C, 0x003A, SHA), (0x003B, 0x0040, SHA256), (0x0041, 0x0046, SHA), (0x0067, 0x006D, SHA256),
    (0x0084, 0x009B, SHA), (0x009C, 0x00B9, PAIRS), (0x00BA, 0x00C5, SHA256), (0xC001, 0xC022, SHA),
    (0xC023, 0xC032, PAIRS), (0xC033, 0xC036, SHA), (0xC037, 0xC038, PAIRS), (0xC039, 0xC039, SHA),
    (0xC03A, 0xC03B, PAIRS), (0xC03C, 0xC09B, PAIRS), (0xC09C, 0xC0AF, SHA256), (0xCCA8, 0xCCAE, SHA256),
    (0xD001, 0xD002, PAIRS), (0xD003, 0xD003, SHA256), (0xD005, 0xD005, SHA256),
];
