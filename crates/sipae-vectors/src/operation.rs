//! Operations: what there is to compute, by the names of the vector files.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{InputError, inputs, located};

macro_rules! operations {
    ($($variant:ident $name:literal;)*) => {
        /// Something to compute, with its inputs; in JSON `{"op": ..., "inputs": {...}}`.
        ///
        /// Exhaustive on purpose: a codec that matches every operation hears of a new one from the compiler.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Operation {
            $(
                #[doc = concat!("`", $name, "`, see [`inputs::", stringify!($variant), "`].")]
                $variant(inputs::$variant),
            )*
        }

        impl Operation {
            /// Every name.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            /// Name as in the files.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// The operation of this name with these inputs; the path of an error begins with `op` or `inputs`.
            pub fn from_parts(op: &str, inputs: &Value) -> Result<Self, InputError> {
                match op {
                    $($name => located::read(inputs).map(Self::$variant).map_err(|error| error.under("inputs")),)*
                    _ => Err(InputError::new("op", format_args!("unknown operation {op:?}"))),
                }
            }
        }

        impl Operation {
            /// The same from JSON text, in one pass; what is wrong with the text is looked for in a second one. An array
            /// is no object, although a derived struct would take one.
            pub(crate) fn from_text(op: &str, inputs: &RawValue) -> Result<Self, InputError> {
                let read = match op {
                    _ if !inputs.get().trim_start().starts_with('{') => None,
                    $($name => serde_json::from_str(inputs.get()).ok().map(Self::$variant),)*
                    _ => None,
                };
                match read {
                    Some(operation) => Ok(operation),
                    None => {
                        let wrong = |error: serde_json::Error| InputError::new("inputs", error);
                        Self::from_parts(op, &serde_json::from_str(inputs.get()).map_err(wrong)?)
                    }
                }
            }
        }

        impl Serialize for Operation {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(inputs) => write(serializer, $name, inputs),)*
                }
            }
        }
    };
}

operations! {
    HashPrimitive "hash_primitive";
    NtlmFlags "ntlm_flags";
    Ntowfv1 "ntowfv1";
    Lmowfv1 "lmowfv1";
    Ntowfv2 "ntowfv2";
    Ntlmv1Response "ntlmv1_response";
    Ntlmv2Response "ntlmv2_response";
    KxkeyV1 "kxkey_v1";
    Rc4k "rc4k";
    Signkey "signkey";
    Sealkey "sealkey";
    DatagramRekey "datagram_rekey";
    Mac "mac";
    MacVerify "mac_verify";
    AvPairs "av_pairs";
    NtlmMessage "ntlm_message";
    NtlmExchange "ntlm_exchange";
    NtlmProof "ntlm_proof";
    NtlmKeyless "ntlm_keyless";
    NtlmAuthMic "ntlm_auth_mic";
    SipNtlmSign "sip_ntlm_sign";
    SipNtlmVerify "sip_ntlm_verify";
    ReferredBy "referred_by";
    ReplayWindow "replay_window";
    SipMessage "sip_message";
    SipBuffer "sip_buffer";
    AuthHeader "auth_header";
    AuthWrite "auth_write";
    EpidUuid "epid_uuid";
    UuidGruu "uuid_gruu";
    SipeEpid "sipe_epid";
    Base16 "base16";
    Base64 "base64";
    Digest "digest";
    DigestMismatch "digest_mismatch";
    TlsRecords "tls_records";
    TlsdskKeys "tlsdsk_keys";
    TlsPrf "tls_prf";
    TlsdskSign "tlsdsk_sign";
    TlsdskTranscript "tlsdsk_transcript";
    KrbApReq "krb_ap_req";
    KrbApRep "krb_ap_rep";
    GssMic "gss_mic";
    GssMicParse "gss_mic_parse";
    GssMicVerify "gss_mic_verify";
    Nfold "nfold";
    KrbStringToKeyAes "krb_string_to_key_aes";
    KrbStringToKeyRc4 "krb_string_to_key_rc4";
    AesCts "aes_cts";
    KrbDk "krb_dk";
}

fn write<S: Serializer>(serializer: S, op: &str, inputs: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut parts = serializer.serialize_struct("Operation", 2)?;
    parts.serialize_field("op", op)?;
    parts.serialize_field("inputs", inputs)?;
    parts.end()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    op: String,
    inputs: Value,
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { op, inputs } = Parts::deserialize(deserializer)?;
        Self::from_parts(&op, &inputs).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
