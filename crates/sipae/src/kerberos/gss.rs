//! The frame around Kerberos messages in `gssapi-data` (RFC 4121 4.1, RFC 2743 3.1), and the flags of GSS.

use std::fmt;
use std::ops::BitOr;

use super::KerberosError;
use super::der::{self, Reader};

/// Object identifier 1.2.840.113554.1.2.2, with its tag and length.
pub(super) const MECHANISM: [u8; 11] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02];

/// Which message a context token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenId {
    /// AP-REQ.
    ApReq,
    /// AP-REP.
    ApRep,
    /// KRB-ERROR.
    KrbError,
}

impl TokenId {
    /// The two octets behind the mechanism.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::ApReq => 0x0100,
            Self::ApRep => 0x0200,
            Self::KrbError => 0x0300,
        }
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.number())
    }
}

/// Puts a message into its frame.
pub(super) fn frame(id: TokenId, message: &[u8]) -> Vec<u8> {
    let content = [&MECHANISM, &id.number().to_be_bytes()[..], message].concat();
    der::element(der::application(0), &content)
}

/// Token id and message of a token; the message keeps its offset in the token.
pub(super) fn unframe(token: &[u8]) -> Result<(u16, Reader<'_>), KerberosError> {
    let unframed = || {
        let mut content = Reader::new(token).only(der::application(0), "token").ok()?;
        let mechanism = content.take(MECHANISM.len(), "mechanism").ok()?;
        let id = content.take(2, "token id").ok()?.try_into().ok()?;
        (mechanism == MECHANISM).then_some((u16::from_be_bytes(id), content))
    };
    unframed().ok_or(KerberosError::Framing)
}

/// The message of a token that holds this one.
pub(super) fn unframe_as(token: &[u8], expected: TokenId) -> Result<Reader<'_>, KerberosError> {
    match unframe(token)? {
        (found, message) if found == expected.number() => Ok(message),
        (found, _) => Err(KerberosError::TokenId { expected, found }),
    }
}

/// What a client asks of a context (RFC 4121 4.1.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct GssFlags(pub u32);

impl GssFlags {
    /// The client hands over credentials of its own.
    pub const DELEG: Self = Self(0x01);
    /// The server proves itself with an AP-REP.
    pub const MUTUAL: Self = Self(0x02);
    /// Messages that come twice are found.
    pub const REPLAY: Self = Self(0x04);
    /// Messages that come out of order are found.
    pub const SEQUENCE: Self = Self(0x08);
    /// Messages can be encrypted.
    pub const CONF: Self = Self(0x10);
    /// Messages can be signed ([MS-SIPAE] SIPAE-3.2.5.1-12).
    pub const INTEG: Self = Self(0x20);
    /// Three legs, as DCE has them ([MS-KILE] 3.1.5.8).
    pub const DCE_STYLE: Self = Self(0x1000);
    /// The server may learn who the client is, but not act as it.
    pub const IDENTIFY: Self = Self(0x2000);

    const NAMED: [(&'static str, Self); 8] = [
        ("DELEG", Self::DELEG),
        ("MUTUAL", Self::MUTUAL),
        ("REPLAY", Self::REPLAY),
        ("SEQUENCE", Self::SEQUENCE),
        ("CONF", Self::CONF),
        ("INTEG", Self::INTEG),
        ("DCE_STYLE", Self::DCE_STYLE),
        ("IDENTIFY", Self::IDENTIFY),
    ];

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Without the bits of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for GssFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for GssFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMED.iter().filter(|(_, flag)| self.contains(*flag));
        let names: Vec<_> = named.map(|(name, _)| *name).collect();
        write!(f, "GssFlags({:#x}: {})", self.0, names.join(" "))
    }
}
