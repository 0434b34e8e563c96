//! What goes wrong in a handshake, told apart.

use super::{Alert, HandshakeType};
use crate::side::Side;

/// Why a flight, or a handshake, is of no use. Offsets count from the beginning of the flight.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsDskError {
    /// A record that runs past the end of the flight.
    #[error("TLS record at offset {offset} needs {needed} octets, {left} are left")]
    RecordTruncated {
        /// Where it begins.
        offset: usize,
        /// Octets that it claims, header included.
        needed: usize,
        /// Octets up to the end.
        left: usize,
    },
    /// No record begins here.
    #[error("TLS record at offset {offset} has content type {found}, which is none of 20 to 23")]
    RecordType {
        /// Where it begins.
        offset: usize,
        /// The first octet.
        found: u8,
    },
    /// A record of something that is not TLS.
    #[error("TLS record at offset {offset} has version {found:04x}")]
    RecordVersion {
        /// Where it begins.
        offset: usize,
        /// The version found.
        found: u16,
    },
    /// A record with no octet, or with more than a record may have.
    #[error("TLS record at offset {offset} has a fragment of {length} octets, 1 to {limit} are legal")]
    RecordLength {
        /// Where it begins.
        offset: usize,
        /// Octets of its fragment.
        length: usize,
        /// The most that a fragment may have.
        limit: usize,
    },
    /// A record that has no place in a handshake.
    #[error("TLS record at offset {offset} is application data")]
    ApplicationData {
        /// Where it begins.
        offset: usize,
    },
    /// ChangeCipherSpec is one octet of value 1, once in a flight.
    #[error("ChangeCipherSpec at offset {offset} is not one octet of value 1, or not the first one")]
    ChangeCipherSpec {
        /// Where its record begins.
        offset: usize,
    },
    /// An alert that is not one.
    #[error("TLS alert at offset {offset} is not a level and a description")]
    AlertMalformed {
        /// Where its record begins.
        offset: usize,
    },
    /// A handshake message that does not end in its flight.
    #[error("handshake message {kind} needs {needed} octets, its flight has {left} for it")]
    MessageTruncated {
        /// The message.
        kind: HandshakeType,
        /// Octets that it claims, header included.
        needed: usize,
        /// Octets up to the end, or to ChangeCipherSpec.
        left: usize,
    },
    /// A flight beyond the bound.
    #[error("TLS flight of {length} octets is over the limit of {limit}")]
    FlightTooLong {
        /// Its octets.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// More records in a flight than anybody needs.
    #[error("TLS flight has more than {limit} records")]
    TooManyRecords {
        /// The limit.
        limit: usize,
    },
    /// More flights than a handshake has.
    #[error("TLS handshake has more than {limit} flights of one side")]
    TooManyFlights {
        /// The limit.
        limit: usize,
    },
    /// Nothing where a flight is due.
    #[error("gssapi-data is empty, a TLS flight is due")]
    NoFlight,
    /// Octets where a client has yet to begin.
    #[error("a TLS flight came before the ClientHello was sent")]
    Unasked,
    /// A message that only the other side may send.
    #[error("handshake message {kind} is never sent by a {}", side_name(*.by))]
    Direction {
        /// The message.
        kind: HandshakeType,
        /// Who sent it.
        by: Side,
    },
    /// A flight after which nothing is to be said although the handshake goes on: a part of it is missing.
    #[error("TLS flight is not whole: the handshake can neither go on nor end with it")]
    FlightIncomplete,
    /// A flight after the handshake has ended, for better or worse.
    #[error("TLS handshake is at its end")]
    Ended,
    /// The peer ended the handshake.
    #[error("peer sent the TLS alert {0}")]
    Alert(Alert),
    /// No version, suite or other parameter that both sides know.
    #[error("no TLS parameters in common: {0}")]
    Incompatible(String),
    /// The peer showed no certificate (SIPAE-3.3.5.2-11).
    #[error("peer showed no certificate")]
    CertificateAbsent,
    /// Nobody who is trusted has issued the certificate of the peer.
    #[error("certificate of the peer is not trusted: {0}")]
    CertificateUntrusted(String),
    /// The certificate of the peer, or of its issuer, has expired.
    #[error("certificate of the peer has expired")]
    CertificateExpired,
    /// The certificate of the peer, or of its issuer, is for a later time.
    #[error("certificate of the peer is not valid yet")]
    CertificateNotYetValid,
    /// A certificate that cannot be used for another reason.
    #[error("certificate of the peer cannot be used: {0}")]
    CertificateInvalid(String),
    /// The peer does not own the key of its certificate, or its Finished is wrong.
    #[error("peer does not prove its key: {0}")]
    Proof(String),
    /// A suite whose hash is not known.
    #[error("cipher suite {suite:04x} of version {version:04x} has no hash to sign with")]
    Suite {
        /// The suite.
        suite: u16,
        /// The version that was negotiated.
        version: u16,
    },
    /// The peer breaks another rule of TLS.
    #[error("TLS handshake: {0}")]
    Protocol(String),
    /// Settings that the library refuses.
    #[error("TLS settings: {0}")]
    Settings(String),
    /// What is asked for was left out of this build.
    #[error("unsupported (built without {0})")]
    NotBuilt(&'static str),
}

impl TlsDskError {
    /// The rule that is broken.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::RecordTruncated { .. }
            | Self::RecordType { .. }
            | Self::RecordVersion { .. }
            | Self::RecordLength { .. } => "RFC 5246 6.2",
            Self::ChangeCipherSpec { .. } => "RFC 5246 7.1",
            Self::Alert(_) | Self::AlertMalformed { .. } => "RFC 5246 7.2",
            Self::Direction { .. } | Self::Unasked | Self::Ended | Self::TooManyFlights { .. } => {
                "RFC 5246 7.3"
            }
            Self::MessageTruncated { .. } | Self::Protocol(_) => "RFC 5246 7.4",
            Self::ApplicationData { .. } => "SIPAE-3.1-04",
            Self::NoFlight
            | Self::FlightIncomplete
            | Self::FlightTooLong { .. }
            | Self::TooManyRecords { .. } => "SIPAE-3.2.5.1-14",
            Self::Proof(_) | Self::CertificateAbsent => "SIPAE-3.3.5.2-11",
            Self::CertificateUntrusted(_)
            | Self::CertificateExpired
            | Self::CertificateNotYetValid
            | Self::CertificateInvalid(_) => "SIPAE-3.3.5.2-12",
            Self::Incompatible(_) => "SIPAE-3.2.5.1-32",
            Self::Suite { .. } => "SIPAE-3.2.4.1-29",
            Self::Settings(_) | Self::NotBuilt(_) => "SIPAE-3.3.3-04",
        }
    }
}

const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}
