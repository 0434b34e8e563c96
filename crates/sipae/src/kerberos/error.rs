//! What is wrong with a token, a ticket or a key.

use std::time::Duration;

use super::{EncryptionType, Principal, TokenId};
use crate::clock::Time;
use crate::octets;

/// Why a token is refused, or cannot be made. No text holds a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KerberosError {
    /// The token has no GSS header of the Kerberos mechanism, or says another length than it has.
    #[error("token is not framed as one of the Kerberos mechanism")]
    Framing,
    /// Another token than the one that is due.
    #[error("token id is {found:04x}, not {expected}")]
    TokenId {
        /// The token that is due.
        expected: TokenId,
        /// The two octets found.
        found: u16,
    },
    /// Octets that are not the DER that is due.
    #[error("{what} {problem} at offset {offset}")]
    Malformed {
        /// The part that is being read.
        what: &'static str,
        /// Where, from the beginning of the token; inside of what was decrypted, from its beginning.
        offset: usize,
        /// What is wrong.
        problem: DerProblem,
    },
    /// A protocol version other than 5.
    #[error("{what} is of version {found}, not 5")]
    Version {
        /// The message.
        what: &'static str,
        /// The version found.
        found: i64,
    },
    /// A message type that contradicts the tag before it.
    #[error("message type is {found}, not {expected}")]
    MessageType {
        /// The type that is due.
        expected: i64,
        /// The type found.
        found: i64,
    },
    /// A ticket for a service that the acceptor has no key of.
    #[error("no key of service {}", shown(.service))]
    UnknownService {
        /// The service that the ticket names.
        service: Principal,
    },
    /// An encryption type that is not known, or that there is no key of.
    #[error("{what} has encryption type {found}, of which there is no key")]
    EncryptionType {
        /// What is encrypted with it.
        what: &'static str,
        /// Its number.
        found: i32,
    },
    /// A key that has not the length of its encryption type.
    #[error("{etype} key has {length} octets, not {}", .etype.key_length())]
    KeyLength {
        /// The encryption type.
        etype: EncryptionType,
        /// The length found.
        length: usize,
    },
    /// What was decrypted is not what was encrypted: another key, or octets were changed.
    #[error("{what} does not decrypt with its key")]
    Integrity {
        /// The encrypted part.
        what: &'static str,
    },
    /// The ticket has ended.
    #[error("ticket ended at {end}, now is {now}")]
    Expired {
        /// End of the ticket.
        end: Time,
        /// Time of the acceptor.
        now: Time,
    },
    /// The ticket begins later.
    #[error("ticket begins at {start}, now is {now}")]
    NotYetValid {
        /// Start of the ticket.
        start: Time,
        /// Time of the acceptor.
        now: Time,
    },
    /// The ticket has the flag INVALID: a postdated one that was never validated.
    #[error("ticket is marked as invalid")]
    TicketInvalid,
    /// The clocks of client and server differ too much.
    #[error("authenticator is of {client}, now is {now}: more than {} s apart", .skew.as_secs())]
    Skew {
        /// Time of the authenticator.
        client: Time,
        /// Time of the acceptor.
        now: Time,
        /// What is allowed.
        skew: Duration,
    },
    /// The authenticator names another client than the ticket.
    #[error("authenticator is of {}, the ticket is of {}", shown(.authenticator), shown(.ticket))]
    ClientMismatch {
        /// Client of the authenticator.
        authenticator: Principal,
        /// Client of the ticket.
        ticket: Principal,
    },
    /// The authenticator has no checksum, or one of another type than 0x8003.
    #[error("authenticator has {} in place of the checksum 0x8003", checksum(.found))]
    ChecksumType {
        /// The type found.
        found: Option<i32>,
    },
    /// The checksum 0x8003 is cut short, or its bindings have not 16 octets.
    #[error("checksum 0x8003 has {length} octets or bindings of another length than 16")]
    Checksum {
        /// Its length.
        length: usize,
    },
    /// The client did not ask for what makes signatures.
    #[error("flag {flag} is clear")]
    FlagClear {
        /// The flag.
        flag: &'static str,
    },
    /// This authenticator was accepted before.
    #[error("authenticator was used before")]
    Replay,
    /// So many authenticators are remembered that no other can be told from a replay.
    #[error("replay cache is full")]
    ReplayCacheFull,
    /// The AP-REP does not repeat the time of the authenticator.
    #[error("AP-REP does not answer this AP-REQ")]
    Mutual,
    /// The peer has sent a KRB-ERROR.
    #[error("peer answers with error {code}: {}", shown(.text))]
    Peer {
        /// Error code of RFC 4120 7.5.9.
        code: i32,
        /// Its text; empty where none was sent.
        text: String,
    },
    /// Text that names no principal.
    #[error("`{}` is no principal of the form name@REALM", shown(.text))]
    Principal {
        /// The text.
        text: String,
    },
    /// Octets that are no keytab.
    #[error("keytab {problem} at offset {offset}")]
    Keytab {
        /// What is wrong.
        problem: &'static str,
        /// Where.
        offset: usize,
    },
    /// Octets that are no ticket cache.
    #[error("ticket cache {problem} at offset {offset}")]
    Ccache {
        /// What is wrong.
        problem: &'static str,
        /// Where.
        offset: usize,
    },
}

/// What is wrong with an element of DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DerProblem {
    /// The element reaches past what holds it, or ends before its length.
    #[error("is cut short")]
    CutShort,
    /// A length that is not definite, or does not fit.
    #[error("has no definite length")]
    Length,
    /// Another element.
    #[error("has tag {found:#04x}, not {expected:#04x},")]
    Tag {
        /// The tag that is due.
        expected: u8,
        /// The tag found.
        found: u8,
    },
    /// The content is none of this type, or out of range.
    #[error("has no legal value")]
    Value,
    /// More octets than the element.
    #[error("is followed by other octets")]
    Trailing,
}

impl KerberosError {
    /// The rule that is broken.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Framing | Self::TokenId { .. } => "SIPAE-3.3.5.2-21",
            Self::Malformed { .. } | Self::Version { .. } | Self::MessageType { .. } => "RFC 4120 5",
            Self::UnknownService { .. } => "SIPAE-3.3.5.2-31",
            Self::EncryptionType { .. } => "RFC 4120 3.2.3",
            Self::KeyLength { .. } => "RFC 3961 3",
            Self::Integrity { .. } => "RFC 3961 5.3",
            Self::Expired { .. } | Self::NotYetValid { .. } | Self::TicketInvalid => "RFC 4120 3.2.3",
            Self::Skew { .. } => "SIPAE-3.3.5.2-19",
            Self::ClientMismatch { .. } => "RFC 4120 3.2.3",
            Self::ChecksumType { .. } | Self::Checksum { .. } => "RFC 4121 4.1.1",
            Self::FlagClear { .. } => "SIPAE-3.2.5.1-12",
            Self::Replay | Self::ReplayCacheFull => "SIPAE-3.3.5.2-20",
            Self::Mutual => "RFC 4120 3.2.5",
            Self::Peer { .. } => "RFC 4120 5.9.1",
            Self::Principal { .. } => "RFC 4120 6.2",
            Self::Keytab { .. } => "keytab format 0x0502",
            Self::Ccache { .. } => "ticket cache format 0x0504",
        }
    }

    /// The error code that an acceptor would send in KRB-ERROR (RFC 4120 7.5.9).
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::EncryptionType { .. } => 14,
            Self::Integrity { .. } => 31,
            Self::Expired { .. } => 32,
            Self::NotYetValid { .. } | Self::TicketInvalid => 33,
            Self::Replay => 34,
            Self::UnknownService { .. } => 35,
            Self::ClientMismatch { .. } => 36,
            Self::Skew { .. } => 37,
            Self::Version { .. } => 39,
            Self::TokenId { .. } | Self::MessageType { .. } => 40,
            Self::Mutual => 46,
            Self::ChecksumType { .. } | Self::Checksum { .. } => 50,
            Self::Peer { code, .. } => *code,
            _ => 60,
        }
    }
}

fn checksum(found: &Option<i32>) -> String {
    found.map_or_else(|| "nothing".to_owned(), |kind| format!("checksum type {kind}"))
}

/// Text of a peer: bounded, and without control characters.
fn shown(text: &impl ToString) -> String {
    octets::shown(text.to_string().as_bytes())
}
