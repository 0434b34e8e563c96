//! Inputs of the NTLM operations, [MS-NLMP].

use serde::{Deserialize, Serialize};

use crate::{Hex, InputError, located};

/// The end of a security association that acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The initiator.
    Client,
    /// The acceptor.
    Server,
}

/// The word of negotiate flags, [MS-NLMP] 2.2.2.5; results `value` (number), `wire_le` (4 octets).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtlmFlags {
    /// Names without `NTLMSSP_` and `NEGOTIATE_`, like `KEY_EXCH` and `128`.
    pub names: Vec<String>,
}

/// NTOWFv1, [MS-NLMP] 3.3.1; result `nt_hash`, 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntowfv1 {
    /// The password.
    pub password: String,
}

/// LMOWFv1, [MS-NLMP] 3.3.1; result `lm_hash`, 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lmowfv1 {
    /// The password, of which 14 characters count.
    pub password: String,
}

/// NTOWFv2, [MS-NLMP] 3.3.2; result `key`, 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntowfv2 {
    /// The password.
    pub password: String,
    /// The user, made upper case by the function.
    pub user: String,
    /// The domain, used as written.
    pub domain: String,
}

/// Responses and keys of NTLMv1, [MS-NLMP] 3.3.1 and 3.4.5.1; results `lm_response`, `nt_response`,
/// `session_base_key`, `key_exchange_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntlmv1Response {
    /// NTOWFv1, 16 octets.
    pub nt_hash: Hex,
    /// LMOWFv1, 16 octets.
    pub lm_hash: Hex,
    /// 8 octets.
    pub server_challenge: Hex,
    /// 8 octets.
    pub client_challenge: Hex,
    /// Negotiate flags.
    pub flags: u32,
}

/// Responses and keys of NTLMv2, [MS-NLMP] 3.3.2; results `lm_response`, `nt_proof_str`, `nt_response`,
/// `session_base_key`, `key_exchange_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntlmv2Response {
    /// NTOWFv2, 16 octets.
    pub response_key: Hex,
    /// 8 octets.
    pub server_challenge: Hex,
    /// 8 octets.
    pub client_challenge: Hex,
    /// FILETIME, 8 octets, little-endian.
    pub time: Hex,
    /// AV pairs of the CHALLENGE, [MS-NLMP] 2.2.2.1.
    pub target_info: Hex,
}

/// KXKEY of NTLMv1, [MS-NLMP] 3.4.5.1; result `key_exchange_key`, 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KxkeyV1 {
    /// Negotiate flags.
    pub flags: u32,
    /// 16 octets.
    pub session_base_key: Hex,
    /// 24 octets.
    pub lm_response: Hex,
    /// 8 octets.
    pub server_challenge: Hex,
    /// LMOWFv1, 16 octets.
    pub lm_hash: Hex,
}

/// RC4K, [MS-NLMP] 6: one stream from its first octet on; result `output`, as long as `data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rc4k {
    /// The key.
    pub key: Hex,
    /// The octets to cipher.
    pub data: Hex,
}

/// SIGNKEY, [MS-NLMP] 3.4.5.2; result `key`, 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signkey {
    /// Negotiate flags; without extended session security there is no signing key.
    pub flags: u32,
    /// 16 octets.
    pub exported_session_key: Hex,
    /// Whose key.
    pub mode: Side,
}

/// SEALKEY, [MS-NLMP] 3.4.5.3; result `key`, 8 or 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealkey {
    /// Negotiate flags.
    pub flags: u32,
    /// 16 octets.
    pub exported_session_key: Hex,
    /// Whose key.
    pub mode: Side,
    /// NTLMRevisionCurrent of the peer, [MS-NLMP] 2.2.2.10; 15 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ntlm_revision: Option<u8>,
}

/// The sealing key of one datagram, [MS-NLMP] 3.4; result `sealing_key_prime`, 16 octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatagramRekey {
    /// Sealing key.
    pub seal_key: Hex,
    /// Sequence number of the datagram.
    pub seq: u32,
}

/// Signatures of messages under one set of keys, [MS-NLMP] 3.4.4; results `signatures` and, if `seal`, `sealed`, one
/// item a message.
///
/// In connection mode the RC4 stream goes on from message to message and the sequence number counts up; in datagram
/// mode both start anew for each message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mac {
    /// Selects [MS-NLMP] 3.4.4.2 over 3.4.4.1.
    pub extended_session_security: bool,
    /// Whether the checksum is enciphered, [MS-NLMP] 3.4.4.2.
    pub key_exchange: bool,
    /// Datagram mode: with extended session security the sealing key is renewed for each message.
    pub datagram: bool,
    /// Sealing key, 8 or 16 octets.
    pub seal_key: Hex,
    /// Signing key, 16 octets; none without extended session security.
    pub sign_key: Option<Hex>,
    /// Sequence number of the first message.
    pub seq: u32,
    /// The messages in order.
    pub messages: Vec<MacMessage>,
    /// Octets 4 to 7 of each signature without extended session security; where it is not given, the enciphered zeros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_pad: Option<Hex>,
    /// Whether each message is sealed before it is signed, which moves the RC4 stream on.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub seal: bool,
}

/// A message to sign: `{"text": ...}` or `{"hex": ...}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MacMessage {
    /// Text, signed as UTF-8.
    Text(String),
    /// Octets.
    Hex(Hex),
}

impl MacMessage {
    /// The octets to sign.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Hex(octets) => octets.as_slice(),
        }
    }
}

/// Whether a signature is right, [MS-NLMP] 3.4.4; result `valid`. Without extended session security octets 4 to 7 of
/// it do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacVerify {
    /// Selects [MS-NLMP] 3.4.4.2 over 3.4.4.1.
    pub extended_session_security: bool,
    /// Whether the checksum is enciphered.
    pub key_exchange: bool,
    /// Datagram mode.
    pub datagram: bool,
    /// Sealing key, 8 or 16 octets.
    pub seal_key: Hex,
    /// Signing key, 16 octets; none without extended session security.
    pub sign_key: Option<Hex>,
    /// Sequence number that the signature must carry.
    pub seq: u32,
    /// The text that is said to be signed, as UTF-8.
    pub message: String,
    /// The signature, of any length.
    pub signature: Hex,
}

/// A list of AV pairs, [MS-NLMP] 2.2.2.1; result `encoded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvPairs {
    /// Name without `MsvAv` and value: text for names, hexadecimal digits for `Flags`, `Timestamp`, `SingleHost` and
    /// `ChannelBindings`, empty for `EOL`.
    pub pairs: Vec<(String, String)>,
}

/// A NEGOTIATE, CHALLENGE or AUTHENTICATE message from its fields, [MS-NLMP] 2.2.1; results `message` and its `base64`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UntypedNtlmMessage")]
pub struct NtlmMessage {
    /// In JSON `type` and `fields`.
    #[serde(flatten)]
    pub fields: NtlmMessageFields,
    /// Names of the fields in the order in which they stand in the payload.
    pub payload_order: Vec<String>,
}

/// The fields of the three messages, [MS-NLMP] 2.2.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "fields", rename_all = "lowercase")]
pub enum NtlmMessageFields {
    /// [MS-NLMP] 2.2.1.1.
    Negotiate(NegotiateFields),
    /// [MS-NLMP] 2.2.1.2.
    Challenge(ChallengeFields),
    /// [MS-NLMP] 2.2.1.3.
    Authenticate(AuthenticateFields),
}

/// Fields of a NEGOTIATE message, [MS-NLMP] 2.2.1.1; its texts are OEM text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegotiateFields {
    /// Negotiate flags.
    pub flags: u32,
    /// DomainName.
    pub domain: String,
    /// WorkstationName.
    pub workstation: String,
    /// Version, 8 octets.
    pub version: Hex,
    /// Names of the absent fields whose length, maximum length and offset are all zero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zero_descriptors: Vec<String>,
}

/// Fields of a CHALLENGE message, [MS-NLMP] 2.2.1.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChallengeFields {
    /// Negotiate flags.
    pub flags: u32,
    /// TargetName.
    pub target_name: String,
    /// 8 octets.
    pub server_challenge: Hex,
    /// TargetInfo: AV pairs, [MS-NLMP] 2.2.2.1.
    pub target_info: Hex,
    /// Version, 8 octets.
    pub version: Hex,
    /// Names of the absent fields whose length, maximum length and offset are all zero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zero_descriptors: Vec<String>,
}

/// Fields of an AUTHENTICATE message, [MS-NLMP] 2.2.1.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthenticateFields {
    /// Negotiate flags.
    pub flags: u32,
    /// DomainName.
    pub domain: String,
    /// UserName.
    pub user: String,
    /// Workstation.
    pub workstation: String,
    /// LmChallengeResponse.
    pub lm_response: Hex,
    /// NtChallengeResponse.
    pub nt_response: Hex,
    /// EncryptedRandomSessionKey, 16 octets or none.
    pub encrypted_session_key: Hex,
    /// Version, 8 octets.
    pub version: Hex,
    /// MIC, 16 octets; where it is not given, the message has no such field and its payload begins 16 octets earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mic: Option<Hex>,
    /// Names of the absent fields whose length, maximum length and offset are all zero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zero_descriptors: Vec<String>,
}

/// [`NtlmMessage`] before its `type` has decided what its `fields` are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UntypedNtlmMessage {
    r#type: NtlmMessageType,
    fields: serde_json::Value,
    payload_order: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum NtlmMessageType {
    Negotiate,
    Challenge,
    Authenticate,
}

impl TryFrom<UntypedNtlmMessage> for NtlmMessage {
    type Error = InputError;

    fn try_from(message: UntypedNtlmMessage) -> Result<Self, InputError> {
        let UntypedNtlmMessage { r#type, fields, payload_order } = message;
        let fields = match r#type {
            NtlmMessageType::Negotiate => located::read(&fields).map(NtlmMessageFields::Negotiate),
            NtlmMessageType::Challenge => located::read(&fields).map(NtlmMessageFields::Challenge),
            NtlmMessageType::Authenticate => located::read(&fields).map(NtlmMessageFields::Authenticate),
        };
        let fields = fields.map_err(|error| error.under("fields"))?;
        Ok(Self { fields, payload_order })
    }
}

/// All that a server derives from password and tokens, NTLMv2, [MS-NLMP] 3.2.5.1.2 and 3.4.5; results
/// `response_key_nt`, `session_base_key`, `exported_session_key`, `client_sign_key`, `server_sign_key`,
/// `client_seal_key`, `server_seal_key`, `nt_proof_ok`, `signatures` (one for each of `signed`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtlmExchange {
    /// Datagram mode.
    pub datagram: bool,
    /// The password.
    pub password: String,
    /// NEGOTIATE message, empty in datagram mode.
    pub negotiate: Hex,
    /// CHALLENGE message.
    pub challenge: Hex,
    /// AUTHENTICATE message.
    pub authenticate: Hex,
    /// Texts to sign with the keys, each as the first of its stream.
    pub signed: Vec<SignedText>,
}

/// A text to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedText {
    /// Who signs.
    pub side: Side,
    /// Sequence number.
    pub seq: u32,
    /// The text, as UTF-8.
    pub text: String,
}

/// Whether an AUTHENTICATE message proves the password against a CHALLENGE, [MS-NLMP] 3.2.5.1.2; result `valid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtlmProof {
    /// The password.
    pub password: String,
    /// CHALLENGE message.
    pub challenge: Hex,
    /// AUTHENTICATE message.
    pub authenticate: Hex,
}

/// What the tokens of one association show without its key, [MS-NLMP] 3.4.4.1: as RC4 starts anew for each message,
/// the last word is the same in all, and the third word XOR the CRC of the buffer is one constant. Results `tail`
/// (4 octets) and, if `crc32` is given, `keystream_word2` (number).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtlmKeyless {
    /// Signatures, 16 octets each.
    pub tokens: Vec<Hex>,
    /// CRC-32 of the buffer of each token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<Vec<u32>>,
    /// Cross-check: length of the buffer of each token, in octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_lengths: Option<Vec<u32>>,
}

/// The MIC of an AUTHENTICATE message, [MS-NLMP] 3.1.5.1.2 and 3.1.5.2.1; results `mic` (16 octets), `authenticate`
/// (the message with it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtlmAuthMic {
    /// 16 octets.
    pub exported_session_key: Hex,
    /// NEGOTIATE message; none in datagram mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negotiate: Option<Hex>,
    /// CHALLENGE message.
    pub challenge: Hex,
    /// AUTHENTICATE message with 16 zero octets as its MIC.
    pub authenticate_mic_zeroed: Hex,
}
