//! Inputs of the TLS-DSK operations, [MS-SIPAE] 3.2.4.1.

use serde::{Deserialize, Serialize};

use super::BufferContext;
use crate::{Hex, InputError};

/// The pseudorandom function of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsPrfFunction {
    /// TLS 1.0 and 1.1, [RFC 2246] 5.
    Tls1,
    /// TLS 1.2 with SHA-256, [RFC 5246] 5.
    #[serde(rename = "tls12-sha256")]
    Tls12Sha256,
    /// TLS 1.2 with SHA-384.
    #[serde(rename = "tls12-sha384")]
    Tls12Sha384,
}

/// The hash under an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HmacHash {
    /// MD5, 16 octets.
    Md5,
    /// SHA-1, 20 octets.
    Sha1,
    /// SHA-256, 32 octets.
    Sha256,
    /// SHA-384, 48 octets.
    Sha384,
}

/// Records and handshake messages of one flight; results `records` (objects of `type`, `version`, `length`,
/// `encrypted`: whether a ChangeCipherSpec came before), `handshake` (objects of `type`, `length`, of what is not
/// encrypted).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsRecords {
    /// The flight in Base64.
    pub gssapi_data: String,
}

/// Octets of the pseudorandom function; result `output`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UnlabelledTlsPrf")]
pub struct TlsPrf {
    /// The function.
    pub prf: TlsPrfFunction,
    /// The secret.
    pub secret: Hex,
    /// In JSON `label` or `label_hex`.
    #[serde(flatten)]
    pub label: TlsPrfLabel,
    /// The seed.
    pub seed: Hex,
    /// Octets to compute.
    pub length: u32,
}

/// A label of the pseudorandom function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TlsPrfLabel {
    /// Text, taken as UTF-8.
    #[serde(rename = "label")]
    Text(String),
    /// Octets.
    #[serde(rename = "label_hex")]
    Octets(Hex),
}

impl TlsPrfLabel {
    /// The octets of the label.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Octets(octets) => octets.as_slice(),
        }
    }
}

/// [`TlsPrf`] before it is known which label it has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnlabelledTlsPrf {
    prf: TlsPrfFunction,
    secret: Hex,
    label: Option<String>,
    label_hex: Option<Hex>,
    seed: Hex,
    length: u32,
}

impl TryFrom<UnlabelledTlsPrf> for TlsPrf {
    type Error = InputError;

    fn try_from(inputs: UnlabelledTlsPrf) -> Result<Self, InputError> {
        let UnlabelledTlsPrf { prf, secret, label, label_hex, seed, length } = inputs;
        let label = match (label, label_hex) {
            (Some(text), None) => TlsPrfLabel::Text(text),
            (None, Some(octets)) => TlsPrfLabel::Octets(octets),
            _ => return Err(InputError::new("", "expected either `label` or `label_hex`")),
        };
        Ok(Self { prf, secret, label, seed, length })
    }
}

/// The keys of both sides from the master secret, [MS-SIPAE] 3.2.4.1; results `key_material` (128 octets), `client_key`,
/// `server_key` (32 octets each).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsdskKeys {
    /// The function of version and suite.
    pub prf: TlsPrfFunction,
    /// 32 octets of ClientHello.
    pub client_random: Hex,
    /// 32 octets of ServerHello.
    pub server_random: Hex,
    /// 48 octets.
    pub master_secret: Hex,
    /// Cross-check: what the master secret was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_master_secret: Option<Hex>,
    /// Cross-check: whether the master secret was made by [RFC 7627].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_master_secret: Option<bool>,
    /// Cross-check: hash of the handshake messages, for [RFC 7627].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_hash: Option<Hex>,
}

/// Buffer and signature, the whole HMAC of the buffer, [MS-SIPAE] 3.2.4.1; results `buffer`, `signature`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UnsignedTlsdsk")]
pub struct TlsdskSign {
    /// The hash at the end of the name of the suite.
    pub hmac: HmacHash,
    /// Key of the sender, 32 octets.
    pub key: Hex,
    /// In JSON `buffer`, or `message`, `version` and `context`.
    #[serde(flatten)]
    pub signed: TlsdskSigned,
    /// Cross-check: id of the vector with the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_from: Option<String>,
}

/// What a TLS-DSK signature is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TlsdskSigned {
    /// A buffer.
    Buffer {
        /// The text, signed as UTF-8.
        buffer: String,
    },
    /// A message.
    Message {
        /// The message with CRLF line ends.
        message: String,
        /// Protocol version, 2 to 4.
        version: u8,
        /// The fields that come from the security association.
        context: BufferContext,
    },
}

/// [`TlsdskSign`] before it is known what is signed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnsignedTlsdsk {
    hmac: HmacHash,
    key: Hex,
    buffer: Option<String>,
    message: Option<String>,
    version: Option<u8>,
    context: Option<BufferContext>,
    keys_from: Option<String>,
}

impl TryFrom<UnsignedTlsdsk> for TlsdskSign {
    type Error = InputError;

    fn try_from(inputs: UnsignedTlsdsk) -> Result<Self, InputError> {
        let UnsignedTlsdsk { hmac, key, buffer, message, version, context, keys_from } = inputs;
        let signed = match (buffer, message, version, context) {
            (Some(buffer), None, None, None) => TlsdskSigned::Buffer { buffer },
            (None, Some(message), Some(version), Some(context)) => {
                TlsdskSigned::Message { message, version, context }
            }
            _ => {
                let problem = "expected either `buffer`, or `message`, `version` and `context`";
                return Err(InputError::new("", problem));
            }
        };
        Ok(Self { hmac, key, signed, keys_from })
    }
}

/// All that follows from the flights of a full handshake with RSA key exchange and the private key of the server,
/// [RFC 5246] 7.4 and 8.1; results `handshake_types` (an array for each flight, of what is not encrypted),
/// `client_random`, `server_random`, `cipher_suite` (2 octets), `pre_master_secret`, `master_secret`, `key_material`,
/// `client_key`, `server_key`, `client_verify_data`, `server_verify_data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsdskTranscript {
    /// The four flights in Base64, those of the client first.
    pub flights: Vec<String>,
    /// The function of version and suite.
    pub prf: TlsPrfFunction,
    /// Whether [RFC 7627] was negotiated.
    pub extended_master_secret: bool,
    /// RSA modulus of the server, big-endian.
    pub server_modulus: Hex,
    /// RSA private exponent of the server, big-endian.
    pub server_private_exponent: Hex,
    /// RSA modulus of the client, for its CertificateVerify.
    pub client_modulus: Hex,
}
