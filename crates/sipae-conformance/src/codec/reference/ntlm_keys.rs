//! NTLM flags, password hashes, responses and keys ([MS-NLMP] 3.3, 3.4.5).

use sipae::ntlm::{self, NegotiateFlags, ResponseV1, ResponseV2};
use sipae::side::Side;
use sipae_vectors::inputs;
use sipae_vectors::{Answer, Refusal};

use super::Outcome;
use super::input::{malformed, octets, rc4_key};

/// NTLMRevisionCurrent of every peer since Windows Server 2003, where a vector names no other.
const REVISION: u8 = 0x0F;

pub(super) const fn mode(side: inputs::Side) -> Side {
    match side {
        inputs::Side::Client => Side::Client,
        inputs::Side::Server => Side::Server,
    }
}

pub(super) fn flags(inputs: &inputs::NtlmFlags) -> Outcome {
    let flags = inputs.names.iter().try_fold(NegotiateFlags::default(), |flags, name| {
        let flag = NegotiateFlags::from_name(name).ok_or_else(|| unknown_flag(name))?;
        Ok::<_, Refusal>(flags | flag)
    })?;
    Ok(Answer::new().number("value", flags.0).hex("wire_le", &flags.0.to_le_bytes()))
}

fn unknown_flag(name: &str) -> Refusal {
    malformed("names", format_args!("no flag is called {name:?}"))
}

pub(super) fn ntowfv1(inputs: &inputs::Ntowfv1) -> Answer {
    Answer::new().hex("nt_hash", &ntlm::ntowfv1(&inputs.password))
}

pub(super) fn lmowfv1(inputs: &inputs::Lmowfv1) -> Answer {
    Answer::new().hex("lm_hash", &ntlm::lmowfv1(&inputs.password))
}

pub(super) fn ntowfv2(inputs: &inputs::Ntowfv2) -> Answer {
    let nt_hash = ntlm::ntowfv1(&inputs.password);
    Answer::new().hex("key", &ntlm::ntowfv2(&nt_hash, &inputs.user, &inputs.domain))
}

pub(super) fn response_v1(inputs: &inputs::Ntlmv1Response) -> Outcome {
    let flags = NegotiateFlags(inputs.flags);
    let nt_hash = octets("nt_hash", &inputs.nt_hash)?;
    let lm_hash = octets("lm_hash", &inputs.lm_hash)?;
    let server_challenge = octets("server_challenge", &inputs.server_challenge)?;
    let client_challenge = octets("client_challenge", &inputs.client_challenge)?;
    let ResponseV1 { lm_response, nt_response, session_base_key } =
        ResponseV1::new(&nt_hash, &lm_hash, server_challenge, client_challenge, flags);
    let key = ntlm::key_exchange_key_v1(flags, &session_base_key, &lm_response, server_challenge, &lm_hash);
    Ok(Answer::new()
        .hex("lm_response", &lm_response)
        .hex("nt_response", &nt_response)
        .hex("session_base_key", &session_base_key)
        .hex("key_exchange_key", &key))
}

pub(super) fn response_v2(inputs: &inputs::Ntlmv2Response) -> Outcome {
    let response = ResponseV2::new(
        &octets("response_key", &inputs.response_key)?,
        octets("server_challenge", &inputs.server_challenge)?,
        octets("client_challenge", &inputs.client_challenge)?,
        octets("time", &inputs.time)?,
        inputs.target_info.as_slice(),
    );
    Ok(Answer::new()
        .hex("lm_response", &response.lm_response)
        .hex("nt_proof_str", &response.nt_proof)
        .hex("nt_response", &response.nt_response)
        .hex("session_base_key", &response.session_base_key)
        .hex("key_exchange_key", &response.session_base_key))
}

pub(super) fn key_exchange_key_v1(inputs: &inputs::KxkeyV1) -> Outcome {
    let key = ntlm::key_exchange_key_v1(
        NegotiateFlags(inputs.flags),
        &octets("session_base_key", &inputs.session_base_key)?,
        &octets("lm_response", &inputs.lm_response)?,
        octets("server_challenge", &inputs.server_challenge)?,
        &octets("lm_hash", &inputs.lm_hash)?,
    );
    Ok(Answer::new().hex("key_exchange_key", &key))
}

pub(super) fn rc4k(inputs: &inputs::Rc4k) -> Outcome {
    let key = rc4_key("key", &inputs.key)?;
    Ok(Answer::new().hex("output", &ntlm::rc4(key, inputs.data.as_slice())))
}

pub(super) fn sign_key(inputs: &inputs::Signkey) -> Outcome {
    let exported = octets("exported_session_key", &inputs.exported_session_key)?;
    let key = ntlm::sign_key(NegotiateFlags(inputs.flags), &exported, mode(inputs.mode));
    Ok(Answer::new().hex_or_null("key", key.as_ref().map(<[u8; 16]>::as_slice)))
}

pub(super) fn seal_key(inputs: &inputs::Sealkey) -> Outcome {
    let exported = octets("exported_session_key", &inputs.exported_session_key)?;
    let revision = inputs.ntlm_revision.unwrap_or(REVISION);
    let key = ntlm::seal_key(NegotiateFlags(inputs.flags), &exported, mode(inputs.mode), revision);
    Ok(Answer::new().hex("key", &key))
}

pub(super) fn datagram_rekey(inputs: &inputs::DatagramRekey) -> Answer {
    let key = ntlm::datagram_rekey(inputs.seal_key.as_slice(), inputs.seq);
    Answer::new().hex("sealing_key_prime", &key)
}
