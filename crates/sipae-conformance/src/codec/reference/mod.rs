//! The reference implementation as a codec: the operations of the golden vectors, computed with the crate `sipae`.

mod digest;
mod encoding;
mod endpoint;
mod input;
mod kerberos_keys;
mod kerberos_mic;
mod kerberos_tokens;
mod ntlm_keys;
mod ntlm_mac;
mod ntlm_tokens;
mod primitives;
mod sip;
mod tlsdsk;
#[cfg_attr(not(feature = "tls"), path = "tlsdsk_transcript_absent.rs")]
mod tlsdsk_transcript;
mod verify;

use sipae_vectors::{Answer, Codec, Operation, Refusal};

/// What an operation comes to.
type Outcome = Result<Answer, Refusal>;

/// The reference implementation. It keeps no state: an answer depends on the operation alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReferenceCodec;

impl Codec for ReferenceCodec {
    fn answer(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::HashPrimitive(inputs) => primitives::hash_primitive(inputs),
            Operation::NtlmFlags(inputs) => ntlm_keys::flags(inputs),
            Operation::Ntowfv1(inputs) => Ok(ntlm_keys::ntowfv1(inputs)),
            Operation::Lmowfv1(inputs) => Ok(ntlm_keys::lmowfv1(inputs)),
            Operation::Ntowfv2(inputs) => Ok(ntlm_keys::ntowfv2(inputs)),
            Operation::Ntlmv1Response(inputs) => ntlm_keys::response_v1(inputs),
            Operation::Ntlmv2Response(inputs) => ntlm_keys::response_v2(inputs),
            Operation::KxkeyV1(inputs) => ntlm_keys::key_exchange_key_v1(inputs),
            Operation::Rc4k(inputs) => ntlm_keys::rc4k(inputs),
            Operation::Signkey(inputs) => ntlm_keys::sign_key(inputs),
            Operation::Sealkey(inputs) => ntlm_keys::seal_key(inputs),
            Operation::DatagramRekey(inputs) => Ok(ntlm_keys::datagram_rekey(inputs)),
            Operation::Mac(inputs) => ntlm_mac::mac(inputs),
            Operation::MacVerify(inputs) => ntlm_mac::verify(inputs),
            Operation::AvPairs(inputs) => ntlm_tokens::av_pairs(inputs),
            Operation::NtlmMessage(inputs) => ntlm_tokens::message(inputs),
            Operation::NtlmExchange(inputs) => ntlm_tokens::exchange(inputs),
            Operation::NtlmProof(inputs) => ntlm_tokens::proof(inputs),
            Operation::NtlmKeyless(inputs) => ntlm_mac::keyless(inputs),
            Operation::NtlmAuthMic(inputs) => ntlm_tokens::integrity_code(inputs),
            Operation::SipNtlmSign(inputs) => ntlm_mac::sip_sign(inputs),
            Operation::SipMessage(inputs) => sip::message(inputs),
            Operation::SipBuffer(inputs) => sip::buffers(inputs),
            Operation::AuthHeader(inputs) => Ok(sip::auth_header(inputs)),
            Operation::AuthWrite(inputs) => sip::auth_write(inputs),
            Operation::SipNtlmVerify(inputs) => verify::sip_ntlm_verify(inputs),
            Operation::ReferredBy(inputs) => Ok(sip::referred_by(inputs)),
            Operation::ReplayWindow(inputs) => Ok(verify::replay_window(inputs)),
            Operation::EpidUuid(inputs) => Ok(endpoint::epid_uuid(inputs)),
            Operation::UuidGruu(inputs) => endpoint::uuid_gruu(inputs),
            Operation::SipeEpid(inputs) => Ok(endpoint::sipe_epid(inputs)),
            Operation::Base16(inputs) => Ok(encoding::base16(inputs)),
            Operation::Base64(inputs) => Ok(encoding::base64(inputs)),
            Operation::Digest(inputs) => digest::digest(inputs),
            Operation::DigestMismatch(inputs) => digest::mismatch(inputs),
            Operation::TlsRecords(inputs) => tlsdsk::records(inputs),
            Operation::TlsdskKeys(inputs) => tlsdsk::keys(inputs),
            Operation::TlsPrf(inputs) => tlsdsk::function(inputs),
            Operation::TlsdskSign(inputs) => tlsdsk::sign(inputs),
            Operation::TlsdskTranscript(inputs) => tlsdsk_transcript::transcript(inputs),
            Operation::KrbApReq(inputs) => kerberos_tokens::ap_req(inputs),
            Operation::KrbApRep(inputs) => kerberos_tokens::ap_rep(inputs),
            Operation::GssMic(inputs) => kerberos_mic::sign(inputs),
            Operation::GssMicParse(inputs) => kerberos_mic::parse(inputs),
            Operation::GssMicVerify(inputs) => kerberos_mic::verify(inputs),
            Operation::Nfold(inputs) => kerberos_keys::nfold(inputs),
            Operation::KrbStringToKeyAes(inputs) => kerberos_keys::string_to_key_aes(inputs),
            Operation::KrbStringToKeyRc4(inputs) => Ok(kerberos_keys::string_to_key_rc4(inputs)),
            Operation::AesCts(inputs) => kerberos_keys::aes_cts(inputs),
            Operation::KrbDk(inputs) => kerberos_keys::derive(inputs),
        }
    }
}
