//! Inputs of the Digest operations, [RFC 2617], [RFC 7616] and [RFC 8760].

use serde::{Deserialize, Serialize};

use crate::Hex;

/// Quality of protection, [RFC 2617] 3.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigestQop {
    /// Method and URI.
    Auth,
    /// The body too.
    AuthInt,
}

/// A response and what leads to it, [RFC 2617] 3.2.2; results `ha1`, `ha2`, `response`, all in lower-case digits, and where
/// they are asked for `rspauth` and `userhash`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Value of `algorithm`, in any letter case.
    pub algorithm: String,
    /// User name.
    pub username: String,
    /// Realm.
    pub realm: String,
    /// Password.
    pub password: String,
    /// Nonce.
    pub nonce: String,
    /// Method of the request.
    pub method: String,
    /// digest-uri.
    pub uri: String,
    /// Quality of protection; the form of RFC 2069 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qop: Option<DigestQop>,
    /// Nonce count as written; only with `qop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nc: Option<String>,
    /// Cnonce; only with `qop` or a session algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnonce: Option<String>,
    /// Body of the request, for `auth-int`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hex: Option<Hex>,
    /// Whether `rspauth` of the answer is asked for.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub want_rspauth: bool,
    /// Body of the answer, for `rspauth` with `auth-int`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsp_body_hex: Option<Hex>,
    /// The user name whose `userhash` is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userhash_of: Option<String>,
}

/// Whether a claimed response is what the credentials give, [RFC 2617] 3.2.2; result `matches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestMismatch {
    /// Value of `algorithm`, in any letter case.
    pub algorithm: String,
    /// User name.
    pub username: String,
    /// Realm.
    pub realm: String,
    /// Password.
    pub password: String,
    /// Nonce.
    pub nonce: String,
    /// Method of the request.
    pub method: String,
    /// digest-uri.
    pub uri: String,
    /// Quality of protection; the form of RFC 2069 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qop: Option<DigestQop>,
    /// Nonce count as written; only with `qop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nc: Option<String>,
    /// Cnonce; only with `qop` or a session algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnonce: Option<String>,
    /// The response that is claimed.
    pub claimed_response: Hex,
}
