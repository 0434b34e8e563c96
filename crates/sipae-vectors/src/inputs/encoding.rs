//! Inputs of the endpoint identifiers and the text encodings.

use serde::{Deserialize, Serialize};

/// The UUID of an endpoint from its epid, [MS-SIPRE]; result `uuid`, letter case free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpidUuid {
    /// Value of the `epid` parameter as written, may be empty.
    pub epid: String,
}

/// The identifier inside a GRUU from the UUID of the endpoint, [MS-SIPRE]; result `gruu_epid`, base64url text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UuidGruu {
    /// UUID with hyphens, without braces.
    pub uuid: String,
}

/// The epid that pidgin-sipe makes for itself: the last 12 digits of SHA-1 over `self_uri:hostname:ip`; result `epid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipeEpid {
    /// URI of the user, with scheme.
    pub self_uri: String,
    /// Name of the host.
    pub hostname: String,
    /// Address of the host as text.
    pub ip: String,
}

/// Strict base16, [RFC 4648] 8, either case; results `decoded` (null if it is none), `canonical_lower`, `canonical_upper`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base16 {
    /// The text to decode.
    pub text: String,
}

/// Strict base64, [RFC 4648] 4, padded and canonical; result `decoded`, null if it is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base64 {
    /// The text to decode.
    pub text: String,
}
