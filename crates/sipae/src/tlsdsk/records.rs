//! Records inside `gssapi-data` (RFC 5246 6.2).

use std::fmt;

use super::TlsDskError;
use crate::octets::slice;

/// Octets of a flight that is looked at. A specification has no bound; chains of certificates fit many times.
pub const LONGEST_FLIGHT: usize = 64 * 1024;

/// Records of a flight that is looked at.
pub const MOST_RECORDS: usize = 256;

/// Octets of a fragment that is not encrypted.
pub const LONGEST_PLAINTEXT: usize = 1 << 14;

/// Octets that encryption may add.
const EXPANSION: usize = 2048;

const HEADER: usize = 5;

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// From here on the side encrypts.
    ChangeCipherSpec,
    /// An alert.
    Alert,
    /// Handshake messages, or parts of them.
    Handshake,
    /// What TLS-DSK never carries.
    ApplicationData,
}

impl ContentType {
    /// By its number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::ApplicationData,
            _ => return None,
        })
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
        }
    }
}

/// A record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it begins in the flight.
    pub offset: usize,
    /// What it carries.
    pub content: ContentType,
    /// Version of the record, which may be older than the one that is negotiated.
    pub version: u16,
    /// What it carries; encrypted after a ChangeCipherSpec.
    pub fragment: &'a [u8],
    /// Whether a ChangeCipherSpec came before it in the same flight.
    pub encrypted: bool,
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, content, version, fragment, encrypted } = self;
        let encrypted = if *encrypted { ", encrypted" } else { "" };
        write!(f, "Record({content:?} {version:04x} at {offset}, {} octets{encrypted})", fragment.len())
    }
}

/// Reads records front to back; after an error there are no more.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    flight: &'a [u8],
    offset: usize,
    encrypted: bool,
}

impl<'a> Records<'a> {
    /// The records of a flight.
    #[must_use]
    pub const fn new(flight: &'a [u8]) -> Self {
        Self { flight, offset: 0, encrypted: false }
    }

    fn read(&mut self) -> Result<Record<'a>, TlsDskError> {
        let offset = self.offset;
        let rest = slice(self.flight, offset, self.flight.len());
        let truncated = |needed| TlsDskError::RecordTruncated { offset, needed, left: rest.len() };
        let Some([kind, v0, v1, l0, l1]) = rest.first_chunk::<HEADER>().copied() else {
            return Err(truncated(HEADER));
        };
        let content =
            ContentType::from_number(kind).ok_or(TlsDskError::RecordType { offset, found: kind })?;
        let version = u16::from_be_bytes([v0, v1]);
        if v0 != 3 {
            return Err(TlsDskError::RecordVersion { offset, found: version });
        }
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        self.check_length(length)?;
        let end = HEADER + length;
        let fragment = rest.get(HEADER..end).ok_or_else(|| truncated(end))?;
        self.offset += end;
        let record = Record { offset, content, version, fragment, encrypted: self.encrypted };
        self.encrypted |= content == ContentType::ChangeCipherSpec;
        Ok(record)
    }

    /// An empty fragment is legal for application data only (RFC 5246 6.2.1).
    const fn check_length(&self, length: usize) -> Result<(), TlsDskError> {
        let limit = if self.encrypted { LONGEST_PLAINTEXT + EXPANSION } else { LONGEST_PLAINTEXT };
        if length == 0 || limit < length {
            return Err(TlsDskError::RecordLength { offset: self.offset, length, limit });
        }
        Ok(())
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, TlsDskError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.flight.len() <= self.offset {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.offset = self.flight.len();
        }
        Some(read)
    }
}
