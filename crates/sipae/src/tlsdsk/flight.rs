//! Flights: what one `gssapi-data` carries (RFC 5246 7.3).

use std::fmt;

use super::{
    Alert, ContentType, LONGEST_FLIGHT, LONGEST_PLAINTEXT, MOST_RECORDS, Record, Records, TlsDskError,
};
use crate::octets::slice;
use crate::side::Side;

/// Type of a handshake message (RFC 5246 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandshakeType(pub u8);

impl HandshakeType {
    /// ClientHello.
    pub const CLIENT_HELLO: Self = Self(1);
    /// ServerHello.
    pub const SERVER_HELLO: Self = Self(2);
    /// Certificate.
    pub const CERTIFICATE: Self = Self(11);
    /// CertificateRequest.
    pub const CERTIFICATE_REQUEST: Self = Self(13);
    /// ServerHelloDone.
    pub const SERVER_HELLO_DONE: Self = Self(14);
    /// CertificateVerify.
    pub const CERTIFICATE_VERIFY: Self = Self(15);
    /// ClientKeyExchange.
    pub const CLIENT_KEY_EXCHANGE: Self = Self(16);
    /// Finished.
    pub const FINISHED: Self = Self(20);

    /// Name, as RFC 5246 writes it.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "HelloRequest",
            1 => "ClientHello",
            2 => "ServerHello",
            4 => "NewSessionTicket",
            11 => "Certificate",
            12 => "ServerKeyExchange",
            13 => "CertificateRequest",
            14 => "ServerHelloDone",
            15 => "CertificateVerify",
            16 => "ClientKeyExchange",
            20 => "Finished",
            22 => "CertificateStatus",
            _ => return None,
        })
    }

    /// The only side that sends it; `None` where both do, or where the type is not known.
    const fn sender(self) -> Option<Side> {
        match self.0 {
            1 | 15 | 16 => Some(Side::Client),
            0 | 2 | 4 | 12..=14 | 22 => Some(Side::Server),
            _ => None,
        }
    }
}

impl fmt::Display for HandshakeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A handshake message that is not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeMessage<'a> {
    /// Its type.
    pub kind: HandshakeType,
    /// The message without the four octets of its header.
    pub body: &'a [u8],
    /// The message as it is hashed into Finished.
    pub octets: &'a [u8],
}

/// Reads handshake messages front to back; after an error there are no more.
#[derive(Clone, Debug)]
pub struct HandshakeMessages<'a> {
    rest: &'a [u8],
}

impl<'a> HandshakeMessages<'a> {
    fn read(&mut self) -> Result<HandshakeMessage<'a>, TlsDskError> {
        let (header, left) = (slice(self.rest, 0, HEADER), self.rest.len());
        let kind = HandshakeType(header.first().copied().unwrap_or_default());
        let truncated = |needed| TlsDskError::MessageTruncated { kind, needed, left };
        let &[_, l0, l1, l2] = header else { return Err(truncated(HEADER)) };
        let length = u32::from_be_bytes([0, l0, l1, l2]);
        let end = HEADER.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        let octets = self.rest.get(..end).ok_or_else(|| truncated(end))?;
        self.rest = slice(self.rest, end, left);
        Ok(HandshakeMessage { kind, body: slice(octets, HEADER, end), octets })
    }
}

impl<'a> Iterator for HandshakeMessages<'a> {
    type Item = Result<HandshakeMessage<'a>, TlsDskError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.rest = &[];
        }
        Some(read)
    }
}

/// The version that the ServerHello at the beginning of a flight has chosen, as its two octets: that of
/// `supported_versions` where it is there (RFC 8446 4.2.1), else that of the message (RFC 5246 7.4.1.3). What comes behind
/// it is not looked at: with TLS 1.3 it is encrypted.
#[must_use]
pub fn version_of_server(flight: &[u8]) -> Option<[u8; 2]> {
    let record = Records::new(flight).next()?.ok()?;
    let is_handshake = record.content == ContentType::Handshake;
    let mut messages = HandshakeMessages { rest: record.fragment };
    let hello = messages.next().filter(|_| is_handshake)?.ok()?;
    let (version, rest) = hello.body.split_first_chunk::<2>()?;
    (hello.kind == HandshakeType::SERVER_HELLO).then(|| chosen_version(rest).unwrap_or(*version))
}

/// What the extension `supported_versions` of a ServerHello says, behind the version of the message.
fn chosen_version(hello: &[u8]) -> Option<[u8; 2]> {
    const RANDOM: usize = 32;
    /// Suite and compression.
    const CHOICES: usize = 3;
    const SUPPORTED_VERSIONS: [u8; 2] = [0, 43];
    let (session, rest) = hello.get(RANDOM..)?.split_first()?;
    let (_, mut extensions) = rest.get(usize::from(*session) + CHOICES..)?.split_first_chunk::<2>()?;
    while let Some((kind, rest)) = extensions.split_first_chunk::<2>() {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let content = rest.get(..length)?;
        if *kind == SUPPORTED_VERSIONS {
            return content.try_into().ok();
        }
        extensions = rest.get(length..)?;
    }
    None
}

/// Octets in front of a handshake message.
const HEADER: usize = 4;

/// A flight whose records are whole and have a place in a handshake.
#[derive(Clone, Debug)]
pub struct Flight<'a> {
    records: Vec<Record<'a>>,
    /// What the handshake records carry before ChangeCipherSpec.
    plain: Vec<u8>,
}

impl<'a> Flight<'a> {
    /// Reads the records of a flight.
    ///
    /// # Errors
    /// When the flight is out of bounds, a record is not whole, or it has no place in a handshake.
    pub fn read(flight: &'a [u8]) -> Result<Self, TlsDskError> {
        if LONGEST_FLIGHT < flight.len() {
            return Err(TlsDskError::FlightTooLong { length: flight.len(), limit: LONGEST_FLIGHT });
        }
        let (mut records, mut plain) = (Vec::new(), Vec::new());
        for record in Records::new(flight) {
            let record = record?;
            if records.len() == MOST_RECORDS {
                return Err(TlsDskError::TooManyRecords { limit: MOST_RECORDS });
            }
            check(&record)?;
            if record.content == ContentType::Handshake && !record.encrypted {
                plain.extend_from_slice(record.fragment);
            }
            records.push(record);
        }
        Ok(Self { records, plain })
    }

    /// Its records, one at least unless it is empty.
    #[must_use]
    pub fn records(&self) -> &[Record<'a>] {
        &self.records
    }

    /// Its handshake messages up to ChangeCipherSpec.
    #[must_use]
    pub fn messages(&self) -> HandshakeMessages<'_> {
        HandshakeMessages { rest: &self.plain }
    }

    /// The first alert that is not encrypted and ends the handshake.
    #[must_use]
    pub fn alert(&self) -> Option<Alert> {
        let plain = self.records.iter().filter(|record| !record.encrypted);
        let alerts = plain.filter(|record| record.content == ContentType::Alert);
        alerts.filter_map(|record| Alert::read(record.fragment)).find(|alert| alert.ends())
    }

    /// Whether this side may send such messages.
    ///
    /// # Errors
    /// Names the message that it may not send, or that has no end.
    pub fn check_sender(&self, by: Side) -> Result<(), TlsDskError> {
        for message in self.messages() {
            let kind = message?.kind;
            if kind.sender().is_some_and(|sender| sender != by) {
                return Err(TlsDskError::Direction { kind, by });
            }
        }
        Ok(())
    }
}

fn check(record: &Record<'_>) -> Result<(), TlsDskError> {
    let offset = record.offset;
    match record.content {
        ContentType::ApplicationData => Err(TlsDskError::ApplicationData { offset }),
        ContentType::ChangeCipherSpec if record.encrypted || record.fragment != [1] => {
            Err(TlsDskError::ChangeCipherSpec { offset })
        }
        ContentType::Alert if !record.encrypted && Alert::read(record.fragment).is_none() => {
            Err(TlsDskError::AlertMalformed { offset })
        }
        _ => Ok(()),
    }
}

/// The flight with all its handshake messages in one record: a client is known that refuses a record with nothing but
/// ServerHelloDone. What does not fit in one record, has records of another kind or of several versions stays as it is.
#[must_use]
pub fn coalesce(flight: &[u8]) -> Vec<u8> {
    one_record(flight).unwrap_or_else(|| flight.to_vec())
}

fn one_record(flight: &[u8]) -> Option<Vec<u8>> {
    let read = Flight::read(flight).ok()?;
    let version = read.records.first()?.version;
    let fits = |record: &Record<'_>| record.content == ContentType::Handshake && record.version == version;
    if !read.records.iter().all(fits) || LONGEST_PLAINTEXT < read.plain.len() {
        return None;
    }
    let length = u16::try_from(read.plain.len()).ok()?.to_be_bytes();
    let kind = [ContentType::Handshake.number()];
    Some([&kind[..], &version.to_be_bytes(), &length, &read.plain].concat())
}
