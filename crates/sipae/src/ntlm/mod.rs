//! NTLM for SIP: [MS-NLMP] in connectionless mode.
//!
//! The server speaks first: an empty token asks for the CHALLENGE, the AUTHENTICATE answers it, and every message is
//! signed with sequence number 100 and a fresh RC4 state ([MS-SIPAE] SIPAE-3.2.4.1-25).
//!
//! Not here: sealing of SIP messages, which [MS-SIPAE] does not have, and any look-up of accounts.

mod authenticate;
mod av_pair;
mod challenge;
mod crypto;
mod flags;
mod keys;
mod mac;
mod negotiate;
mod response;
mod wire;

pub use authenticate::{Answer, Authenticate, ResponseKind};
pub use av_pair::{AvId, AvPair, AvPairs, AvValue};
pub use challenge::{Challenge, encode_text};
pub(crate) use crypto::{HmacMd5, keyed_hmac_md5};
pub use crypto::{crc32, des_pair, hmac_md5, md4, md5, rc4};
pub use flags::NegotiateFlags;
pub use keys::{SessionKeys, datagram_rekey, seal_key, sign_key};
pub use mac::{ConnectionMac, DatagramMac, MacOptions, SEQUENCE_NUMBER, SIGNATURE_LENGTH};
pub use negotiate::Negotiate;
pub use response::{
    ResponseV1, ResponseV2, key_exchange_key_v1, lmowfv1, lmv2_response, message_integrity_code, ntowfv1,
    ntowfv2, upper_case,
};
pub use wire::{Payload, PayloadField};

/// Why octets are not an NTLM message that can be used. Offsets count from the beginning of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NtlmError {
    /// Shorter than the fixed part of the message.
    #[error("{what} needs {needed} octets at offset {offset}, the token has {length}")]
    Truncated {
        /// The part that is missing.
        what: &'static str,
        /// Where it begins.
        offset: usize,
        /// Its length.
        needed: usize,
        /// Octets of the whole token.
        length: usize,
    },
    /// The first eight octets are not `NTLMSSP` and NUL.
    #[error("signature is not NTLMSSP")]
    Signature,
    /// Another message than the one that is due.
    #[error("message type is {found}, not {expected}")]
    MessageType {
        /// The type that is due: 1, 2 or 3.
        expected: u32,
        /// The type found.
        found: u32,
    },
    /// A payload field lies outside the token, or inside its fixed part.
    #[error(
        "{field} of {length} octets at offset {offset} lies outside the payload of a token of {token} octets"
    )]
    Payload {
        /// The field.
        field: PayloadField,
        /// Its offset.
        offset: u32,
        /// Its length.
        length: u16,
        /// Octets of the whole token.
        token: usize,
    },
    /// Text that is not UTF-16, or not OEM text.
    #[error("{field} is not valid text")]
    Text {
        /// The field.
        field: PayloadField,
    },
    /// An AV pair runs past the end, or the list has no MsvAvEOL ([MS-NLMP] 2.2.2.1).
    #[error("AV pair list is cut short at offset {offset}")]
    AvPairs {
        /// Where the list breaks, in octets from its beginning.
        offset: usize,
    },
    /// A flag that connectionless signing needs is clear ([MS-SIPAE] SIPAE-3.3.5.2-08).
    #[error("flag {flag} is clear")]
    FlagClear {
        /// The flag.
        flag: &'static str,
    },
    /// A security flag that the CHALLENGE did not offer.
    #[error("flag {flag} was not offered")]
    FlagNotOffered {
        /// The flag.
        flag: &'static str,
    },
    /// An NTLMv1 response where only NTLMv2 is accepted.
    #[error("response is NTLMv1, which is not accepted")]
    Version1,
    /// A response has a length that no NTLM version makes.
    #[error("{field} has {length} octets")]
    ResponseLength {
        /// The response.
        field: PayloadField,
        /// Its length.
        length: usize,
    },
    /// The anonymous or guest kind of AUTHENTICATE, whose key is public (SIPAE-3.3.5.2-29).
    #[error("AUTHENTICATE is anonymous")]
    Anonymous,
    /// The response does not prove knowledge of the password.
    #[error("response does not prove the password of the user")]
    Proof,
    /// The MIC of the messages is wrong.
    #[error("message integrity code is wrong")]
    Integrity,
    /// The encrypted session key has not 16 octets.
    #[error("encrypted session key has {length} octets")]
    SessionKeyLength {
        /// Its length.
        length: usize,
    },
}

impl NtlmError {
    /// The rule that is broken.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Truncated { .. } | Self::Signature | Self::MessageType { .. } | Self::Payload { .. } => {
                "[MS-NLMP] 2.2.1"
            }
            Self::Text { .. } => "[MS-NLMP] 2.2",
            Self::AvPairs { .. } => "[MS-NLMP] 2.2.2.1",
            Self::FlagClear { .. } | Self::FlagNotOffered { .. } => "SIPAE-3.3.5.2-08",
            Self::Version1 => "[MS-NLMP] 3.3.1",
            Self::ResponseLength { .. } => "[MS-NLMP] 2.2.2",
            Self::Anonymous => "SIPAE-3.3.5.2-29",
            Self::Proof => "SIPAE-3.3.5.2-16",
            Self::Integrity => "[MS-NLMP] 3.2.5.2.2",
            Self::SessionKeyLength { .. } => "[MS-NLMP] 2.2.1.3",
        }
    }
}
