//! Inputs of the Kerberos operations, RFC 3961, RFC 3962, RFC 4120, RFC 4121 and RFC 4757.

use serde::{Deserialize, Serialize};

use super::BufferContext;
use crate::Hex;

/// Encryption type, by its number in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Enctype {
    /// 1: single DES, which nothing of today has.
    DesCbcCrc,
    /// 3: single DES.
    DesCbcMd5,
    /// 17.
    Aes128,
    /// 18.
    Aes256,
    /// 23.
    Rc4,
}

impl Enctype {
    const NUMBERS: [(u32, Self); 5] =
        [(1, Self::DesCbcCrc), (3, Self::DesCbcMd5), (17, Self::Aes128), (18, Self::Aes256), (23, Self::Rc4)];
}

impl TryFrom<u32> for Enctype {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        let known = Self::NUMBERS.iter().find(|(known, _)| *known == number);
        known.map(|(_, enctype)| *enctype).ok_or_else(|| format!("unknown encryption type {number}"))
    }
}

impl From<Enctype> for u32 {
    fn from(enctype: Enctype) -> Self {
        let known = Enctype::NUMBERS.iter().find(|(_, known)| *known == enctype);
        known.map_or(0, |(number, _)| *number)
    }
}

/// The end of a GSS context that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The client.
    Initiator,
    /// The server.
    Acceptor,
}

/// n-fold, RFC 3961 5.1; result `output`, `length` octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nfold {
    /// The octets to spread, at least one.
    pub data: Hex,
    /// How many octets are wanted, 1 to 65536.
    pub length: u32,
}

/// String-to-key of AES, RFC 3962 4; results `pbkdf2` (before DK) and `key`, 16 or 32 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KrbStringToKeyAes {
    /// 17 or 18.
    pub enctype: Enctype,
    /// The password.
    pub password: String,
    /// The salt.
    pub salt_hex: Hex,
    /// Rounds of PBKDF2, 1 to 1048576.
    pub iterations: u32,
}

/// String-to-key of RC4, RFC 4757 2; result `key`, 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KrbStringToKeyRc4 {
    /// The password.
    pub password: String,
}

/// AES-CBC with ciphertext stealing and a zero vector, RFC 3962 5; result `output`, as long as `data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AesCts {
    /// 16 or 32 octets.
    pub key: Hex,
    /// The octets to encipher, a block or more.
    pub data: Hex,
}

/// DK, RFC 3961 5.1; result `derived`, as long as the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KrbDk {
    /// 17 or 18.
    pub enctype: Enctype,
    /// 16 or 32 octets.
    pub key: Hex,
    /// Usage and purpose, like `0000001799`.
    pub constant: Hex,
}

/// GSS_GetMIC, RFC 4121 4.2.6.1 (AES), RFC 1964 1.2.1 (RC4, DES); result `token`. The message is `message` or
/// `message_hex`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GssMic {
    /// The encryption type of the key.
    pub enctype: Enctype,
    /// The key of the context.
    pub key: Hex,
    /// Who signs.
    pub sender: Sender,
    /// Whether the key is one that the acceptor asserted; means nothing in RFC 1964.
    pub acceptor_subkey: bool,
    /// Sequence number; 64 bits in RFC 4121, 32 in RFC 1964.
    pub seq: u64,
    /// The message, signed as UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The message as octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_hex: Option<Hex>,
    /// Cross-check: the SIP message whose signature buffer `message` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_of: Option<BufferOf>,
}

/// Where a signature buffer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BufferOf {
    /// The message with CRLF line ends.
    pub message: String,
    /// Protocol version, 2 to 4.
    pub version: u8,
    /// The fields that come from the security association.
    pub context: BufferContext,
}

/// The fields of a MIC token; result `form` with, for `rfc4121`, `flags`, `filler_ok`, `seq` and `checksum`, and for
/// `rfc1964`, `token_id`, `sgn_alg`, `filler_ok`, `snd_seq_encrypted` and `checksum`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GssMicParse {
    /// The token.
    pub token: Hex,
}

/// GSS_VerifyMIC without any order of sequence numbers; result `valid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GssMicVerify {
    /// The encryption type of the key.
    pub enctype: Enctype,
    /// The key of the context.
    pub key: Hex,
    /// The message, signed as UTF-8.
    pub message: String,
    /// Who is said to have signed.
    pub sender: Sender,
    /// The token.
    pub token: Hex,
}

/// What an acceptor learns from an AP-REQ token, RFC 4121 4.1 and RFC 4120 5.5.1, whatever the time; results
/// `service_key`, `token_id`, `ticket_etype`, `realm`, `sname`, `client`, `client_realm`, `authenticator_client`,
/// `session_keytype`, `session_key`, `subkey_type` and `subkey` (null without one), `seq`, `checksum_type`,
/// `gss_flags`, `ctime`, `mutual_required`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KrbApReq {
    /// The encryption type of the key of the service.
    pub enctype: Enctype,
    /// The password that the key comes from, with 4096 rounds for AES.
    pub service_password: String,
    /// The salt; means nothing for RC4.
    pub service_salt: String,
    /// The token, as `gssapi-data` carries it.
    pub token: Hex,
}

/// What an initiator learns from an AP-REP token, RFC 4121 4.1 and RFC 4120 5.5.2; results `token_id`, `ctime`,
/// `subkey_type` and `subkey` (null without one), `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KrbApRep {
    /// The encryption type of the session key.
    pub enctype: Enctype,
    /// The session key of the ticket.
    pub session_key: Hex,
    /// The token, as `gssapi-data` carries it.
    pub token: Hex,
}
