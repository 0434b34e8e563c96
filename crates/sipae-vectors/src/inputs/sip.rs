//! Inputs of the SIP operations: messages, authentication headers, signature buffers, signatures.

use serde::{Deserialize, Serialize};

use super::Side;
use crate::Hex;

/// Reading a SIP message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipMessage {
    /// The message with CRLF line ends.
    pub message: String,
}

/// Reading the value of an authentication header field, [MS-SIPAE] 2.2; results `scheme`, `params` (names in lower
/// case, values without their quotation marks, otherwise as written).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthHeader {
    /// The value, from the scheme on.
    pub header: String,
}

/// The string that is signed for a message, [MS-SIPAE] 3.2.4.1 and 3.3.4.1; result `buffers`, an object from
/// protocol version (`"2"`, `"3"`, `"4"`) to buffer. A vector lists only the versions it is sure of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipBuffer {
    /// The message with CRLF line ends.
    pub message: String,
    /// The fields that come from the security association.
    pub context: BufferContext,
    /// Cross-check: the fields that come from the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<BufferValues>,
    /// Cross-check: whether the message carries a header field with the very values of `context`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_in_message: Option<bool>,
}

/// The fields of a signature buffer that come from the security association, text as in the header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BufferContext {
    /// Name of the scheme.
    pub scheme: String,
    /// `crand` of a client, `srand` of a server.
    pub rand: String,
    /// `cnum` of a client, `snum` of a server.
    pub num: String,
    /// `realm`.
    pub realm: String,
    /// `targetname`.
    pub targetname: String,
}

/// The fields of a signature buffer that come from the message; an empty string where the message has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BufferValues {
    /// Call-ID.
    pub call_id: String,
    /// Number of the CSeq.
    pub cseq: String,
    /// Method of the CSeq.
    pub method: String,
    /// URI of From.
    pub from_uri: String,
    /// Tag of From.
    pub from_tag: String,
    /// URI of To, signed from version 3 on; may be left out where the vector is about version 2 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_uri: Option<String>,
    /// Tag of To.
    pub to_tag: String,
    /// First SIP URI of P-Asserted-Identity or P-Preferred-Identity, signed from version 3 on.
    pub pai_sip: String,
    /// First tel URI there, signed from version 3 on.
    pub pai_tel: String,
    /// Expires.
    pub expires: String,
    /// Status code of a response; empty or left out for a request, whose buffer has no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Buffer and NTLM signature of a SIP message, datagram form with sequence number 100, [MS-SIPAE] 3.2.4.1
/// and [MS-NLMP] 3.4.4; results `buffer`, `signature`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipNtlmSign {
    /// The message with CRLF line ends.
    pub message: String,
    /// Protocol version, 2 to 4.
    pub version: u8,
    /// The fields that come from the security association.
    pub context: BufferContext,
    /// Whether extended session security was negotiated: selects [MS-NLMP] 3.4.4.2 over 3.4.4.1.
    pub extended_session_security: bool,
    /// Whether key exchange was negotiated.
    pub key_exchange: bool,
    /// Signing key of the sender, 16 octets; only with extended session security.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_key: Option<Hex>,
    /// Sealing key of the sender, 8 or 16 octets.
    pub seal_key: Hex,
    /// Octets 4 to 7 of the signature without extended session security: arbitrary, not to be verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_pad: Option<Hex>,
    /// Cross-check: false where the header field of the message carries another signature than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_in_message: Option<bool>,
}

/// Writing the value of an authentication header field, [MS-SIPAE] 2.2; result `header`, compared parameter by
/// parameter, since their order and the blanks around their commas carry no meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthWrite {
    /// Name of the scheme in any letter case.
    pub scheme: String,
    /// Names and values; the values without quotation marks.
    pub params: Vec<(String, String)>,
}

/// Messages of one security association and direction in the order of their arrival: signature, then window,
/// [MS-SIPAE] 3.2.5.2 and 3.3.5.3; result `outcomes`, for each message `accepted`, `replayed` or `refused`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipNtlmVerify {
    /// The messages with CRLF line ends.
    pub messages: Vec<String>,
    /// The side that has signed them.
    pub signer: Side,
    /// Protocol version, 2 to 4.
    pub version: u8,
    /// Name of the scheme.
    pub scheme: String,
    /// `realm` of the association.
    pub realm: String,
    /// `targetname` of the association.
    pub targetname: String,
    /// Whether extended session security was negotiated: selects [MS-NLMP] 3.4.4.2 over 3.4.4.1.
    pub extended_session_security: bool,
    /// Whether key exchange was negotiated.
    pub key_exchange: bool,
    /// Signing key of the signer, 16 octets; only with extended session security.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_key: Option<Hex>,
    /// Sealing key of the signer, 8 or 16 octets.
    pub seal_key: Hex,
}

/// The replay window of one security association and direction, from its beginning on, [MS-SIPAE] 3.1.1; result
/// `accepted`, a yes or no for each number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayWindow {
    /// Numbers of messages whose signatures have been verified, in the order of their arrival.
    pub numbers: Vec<u32>,
}

/// Reading the value of a Referred-By header field, [MS-SIPAE] 3.2.4.4; results `uri`, `referee_uri`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferredBy {
    /// The value.
    pub header: String,
}
