//! Inputs of the cryptographic primitives.

use serde::{Deserialize, Serialize};

use crate::Hex;

/// A hash, checksum, stream cipher or MAC over octets; results `digest`, `value_le` (CRC), `output` (RC4) or `mac`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashPrimitive {
    /// What to compute.
    pub algorithm: Algorithm,
    /// The octets to hash, check, cipher or authenticate.
    pub data_hex: Hex,
    /// The key of RC4 and of the MACs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_hex: Option<Hex>,
}

/// The primitives under NTLM, Kerberos and TLS-DSK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// [RFC 1320].
    Md4,
    /// [RFC 1321].
    Md5,
    /// CRC-32 of [MS-NLMP] 3.4.4.1, the result in little-endian order.
    Crc32,
    /// The cipher of [MS-NLMP] 3.4.4 from its first octet on.
    Rc4,
    /// [RFC 2104] with MD5.
    HmacMd5,
    /// [RFC 2104] with SHA-1.
    HmacSha1,
    /// [RFC 2104] with SHA-256.
    HmacSha256,
    /// [RFC 2104] with SHA-384.
    HmacSha384,
}
