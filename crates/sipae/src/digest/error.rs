//! Why a challenge or a credential is refused.

use sipae_spec::Diagnostic;

use crate::auth::AuthParam;

/// What is wrong with a Digest challenge or credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The header field breaks the grammar.
    #[error("{0}")]
    Malformed(Diagnostic),
    /// The header field is of another scheme.
    #[error("scheme is not Digest")]
    Scheme,
    /// A parameter that must be there is not.
    #[error("parameter {param} is missing")]
    Missing {
        /// The parameter.
        param: AuthParam,
    },
    /// algorithm is none of RFC 7616 and RFC 8760.
    #[error("algorithm is not known")]
    UnknownAlgorithm,
    /// algorithm is not one of those offered.
    #[error("algorithm was not offered")]
    OtherAlgorithm,
    /// qop is none of RFC 2617, or no option of a challenge can be met.
    #[error("qop is not known")]
    UnknownQop,
    /// qop is not one of those offered, or absent where some are.
    #[error("qop is not what was offered")]
    OtherQop,
    /// nc is not eight hexadecimal digits above zero.
    #[error("nc is not eight hexadecimal digits above zero")]
    Count,
    /// realm is not that of the challenge.
    #[error("realm is not that of the challenge")]
    Realm,
    /// username is none of those that may be given.
    #[error("username names nobody who may join")]
    Username,
    /// uri is not the Request-URI.
    #[error("uri is not the request-uri")]
    Uri,
    /// response is not what the password gives for this request.
    #[error("response is not what the password gives for this request")]
    Response,
    /// nonce was never issued, or has been forgotten.
    #[error("nonce is not known")]
    UnknownNonce,
    /// nonce was issued too long ago.
    #[error("nonce has expired")]
    Expired,
    /// opaque is not the one that came with the nonce.
    #[error("opaque is not the one that came with the nonce")]
    Opaque,
    /// nonce is in use by somebody else, or for something else.
    #[error("nonce is in use by another session")]
    Holder,
    /// nc is not above that of the last request under this nonce.
    #[error("nonce count {count} is replayed")]
    Replayed {
        /// The number found.
        count: u32,
    },
}

impl DigestError {
    /// The rule that is broken: a requirement id or a clause of another document.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Malformed(diagnostic) => diagnostic.rule(),
            Self::Scheme | Self::Realm | Self::UnknownQop | Self::OtherQop => "SIPAE-3.2.5.5-01",
            Self::Missing { param: AuthParam::Cnonce | AuthParam::Nc } | Self::Count => "SIPAE-3.2.5.5-04",
            Self::Missing { .. } => "RFC 2617 3.2.2",
            Self::UnknownAlgorithm => "SIPAE-3.2.5.5-03",
            Self::OtherAlgorithm => "SIPAE-3.2.5.5-02",
            Self::Username => "SIPAE-3.2.5.5-06",
            Self::Uri => "SIPAE-3.2.5.5-07",
            Self::Opaque => "SIPAE-3.2.5.5-05",
            Self::Response => "SIPAE-3.3.5.4-05",
            Self::UnknownNonce | Self::Expired => "SIPAE-3.3.5.4-04",
            Self::Holder => "SIPAE-3.3.5.5-02",
            Self::Replayed { .. } => "SIPAE-3.3.5.5-01",
        }
    }

    /// Whether only the nonce is to blame, so that a new challenge says `stale=true` (RFC 2617 3.2.1).
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::UnknownNonce | Self::Expired)
    }
}

impl From<Diagnostic> for DigestError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Malformed(diagnostic)
    }
}
