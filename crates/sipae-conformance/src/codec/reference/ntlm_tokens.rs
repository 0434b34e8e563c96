//! NTLM messages: their octets, what they prove, and the keys that follow ([MS-NLMP] 2.2, 3.2.5).

use sipae::encoding::encode_base64;
use sipae::ntlm::{
    Authenticate, AvId, AvPair, AvPairs, Challenge, ConnectionMac, DatagramMac, MacOptions, Negotiate,
    NegotiateFlags, NtlmError, Payload, PayloadField, ResponseV2, SIGNATURE_LENGTH, SessionKeys, encode_text,
    message_integrity_code, ntowfv1, ntowfv2,
};
use sipae_vectors::inputs::{self, NtlmMessageFields, SignedText};
use sipae_vectors::{Answer, Hex, Refusal};

use super::Outcome;
use super::input::{malformed, octets};
use super::ntlm_keys::mode;

/// Where the MIC stands in AUTHENTICATE ([MS-NLMP] 2.2.1.3).
const MIC: std::ops::Range<usize> = 72..88;

pub(super) fn av_pairs(inputs: &inputs::AvPairs) -> Outcome {
    let pairs = match inputs.pairs.split_last() {
        Some(((name, _), pairs)) if name == "EOL" => pairs,
        _ => return Err(malformed("pairs", "the list does not end in EOL")),
    };
    let pairs = pairs.iter().map(|(name, value)| av_pair(name, value)).collect::<Result<_, _>>()?;
    Ok(Answer::new().hex("encoded", &AvPairs(pairs).write()))
}

fn av_pair(name: &str, value: &str) -> Result<AvPair, Refusal> {
    let id = AvId::from_name(name)
        .filter(|id| *id != AvId::Eol)
        .ok_or_else(|| malformed("pairs", format_args!("{name:?} names no pair")))?;
    if id.is_text() {
        return Ok(AvPair::text(id, value));
    }
    let value = Hex::parse(value).map_err(|error| malformed("pairs", format_args!("{name}: {error}")))?;
    Ok(AvPair { id, value: value.0 })
}

pub(super) fn message(inputs: &inputs::NtlmMessage) -> Outcome {
    let order = payload_order(&inputs.payload_order)?;
    let token = match &inputs.fields {
        NtlmMessageFields::Negotiate(fields) => negotiate(fields, order)?,
        NtlmMessageFields::Challenge(fields) => challenge(fields, order)?,
        NtlmMessageFields::Authenticate(fields) => authenticate(fields, order)?,
    };
    Ok(Answer::new().hex("message", &token).text("base64", encode_base64(&token)))
}

fn payload_order(names: &[String]) -> Result<Vec<PayloadField>, Refusal> {
    names.iter().map(|name| payload_field("payload_order", name)).collect()
}

fn payload_field(input: &str, name: &str) -> Result<PayloadField, Refusal> {
    let field = PayloadField::ALL.into_iter().find(|field| field.name() == name);
    field.ok_or_else(|| malformed(input, format_args!("{name:?} names no field")))
}

/// The fields to lay out: those of the order without those whose descriptor is all zero, which must be empty.
fn laid_out(
    mut order: Vec<PayloadField>,
    zero_descriptors: &[String],
    fields: &[(PayloadField, &[u8])],
) -> Result<Vec<PayloadField>, Refusal> {
    for name in zero_descriptors {
        let zero = payload_field("zero_descriptors", name)?;
        order.retain(|field| *field != zero);
    }
    let lost = fields.iter().find(|(field, value)| !value.is_empty() && !order.contains(field));
    match lost {
        None => Ok(order),
        Some((field, _)) => Err(malformed("payload_order", format_args!("{field} is nowhere laid out"))),
    }
}

fn negotiate(fields: &inputs::NegotiateFields, order: Vec<PayloadField>) -> Result<Vec<u8>, Refusal> {
    let message = Negotiate {
        flags: NegotiateFlags(fields.flags),
        domain: fields.domain.clone().into_bytes(),
        workstation: fields.workstation.clone().into_bytes(),
        version: Some(octets("version", &fields.version)?),
    };
    let values = [
        (PayloadField::Domain, message.domain.as_slice()),
        (PayloadField::Workstation, message.workstation.as_slice()),
    ];
    let order = laid_out(order, &fields.zero_descriptors, &values)?;
    Ok(message.write(&Payload { order: &order }))
}

fn challenge(fields: &inputs::ChallengeFields, order: Vec<PayloadField>) -> Result<Vec<u8>, Refusal> {
    let flags = NegotiateFlags(fields.flags);
    let message = Challenge {
        target_name: encode_text(flags, &fields.target_name),
        flags,
        server_challenge: octets("server_challenge", &fields.server_challenge)?,
        target_info: fields.target_info.0.clone(),
        version: Some(octets("version", &fields.version)?),
    };
    let values = [
        (PayloadField::TargetName, message.target_name.as_slice()),
        (PayloadField::TargetInfo, message.target_info.as_slice()),
    ];
    let order = laid_out(order, &fields.zero_descriptors, &values)?;
    Ok(message.write(&Payload { order: &order }))
}

fn authenticate(fields: &inputs::AuthenticateFields, order: Vec<PayloadField>) -> Result<Vec<u8>, Refusal> {
    let flags = NegotiateFlags(fields.flags);
    let message = Authenticate {
        flags,
        lm_response: fields.lm_response.0.clone(),
        nt_response: fields.nt_response.0.clone(),
        domain: encode_text(flags, &fields.domain),
        user: encode_text(flags, &fields.user),
        workstation: encode_text(flags, &fields.workstation),
        session_key: fields.encrypted_session_key.0.clone(),
        version: Some(octets("version", &fields.version)?),
        mic: fields.mic.as_ref().map(|mic| octets("mic", mic)).transpose()?,
    };
    let values = [
        (PayloadField::LmResponse, message.lm_response.as_slice()),
        (PayloadField::NtResponse, message.nt_response.as_slice()),
        (PayloadField::Domain, message.domain.as_slice()),
        (PayloadField::User, message.user.as_slice()),
        (PayloadField::Workstation, message.workstation.as_slice()),
        (PayloadField::SessionKey, message.session_key.as_slice()),
    ];
    let order = laid_out(order, &fields.zero_descriptors, &values)?;
    Ok(message.write(&Payload { order: &order }))
}

fn read_challenge(token: &Hex) -> Result<Challenge, Refusal> {
    Challenge::read(token.as_slice()).map_err(|error| malformed("challenge", error))
}

fn read_authenticate(token: &Hex) -> Result<Authenticate, Refusal> {
    Authenticate::read(token.as_slice()).map_err(|error| malformed("authenticate", error))
}

pub(super) fn proof(inputs: &inputs::NtlmProof) -> Outcome {
    let challenge = read_challenge(&inputs.challenge)?;
    let proof = read_authenticate(&inputs.authenticate)?.verify(&challenge, &inputs.password);
    Ok(Answer::new().flag("valid", proof.is_ok()))
}

pub(super) fn exchange(inputs: &inputs::NtlmExchange) -> Outcome {
    let challenge = read_challenge(&inputs.challenge)?;
    let authenticate = read_authenticate(&inputs.authenticate)?;
    let wrong = |error: NtlmError| malformed("authenticate", error);
    let (user, domain) =
        (authenticate.user_text().map_err(wrong)?, authenticate.domain_text().map_err(wrong)?);
    let response_key = ntowfv2(&ntowfv1(&inputs.password), &user, &domain);
    let proved = authenticate.verify(&challenge, &inputs.password);
    let answer = Answer::new().hex("response_key_nt", &response_key).flag("nt_proof_ok", proved.is_ok());
    let keys = match proved {
        Err(NtlmError::Proof) => return Ok(answer),
        other => other.map_err(wrong)?,
    };
    let base = ResponseV2::verify(&response_key, challenge.server_challenge, &authenticate.nt_response)
        .ok_or_else(|| malformed("authenticate", "no NTLMv2 response"))?;
    let answer = with_keys(answer.hex("session_base_key", &base), &keys);
    let signatures = inputs.signed.iter().map(|signed| sign(inputs.datagram, &keys, signed));
    Ok(answer.hex_list("signatures", signatures.collect::<Result<Vec<_>, _>>()?))
}

fn with_keys(answer: Answer, keys: &SessionKeys) -> Answer {
    let sides = [(inputs::Side::Client, "client"), (inputs::Side::Server, "server")];
    let answer = answer.hex("exported_session_key", &keys.exported);
    sides.into_iter().fold(answer, |answer, (side, name)| {
        let sign_key = keys.sign_key(mode(side));
        answer
            .hex_or_null(&format!("{name}_sign_key"), sign_key.as_ref().map(<[u8; 16]>::as_slice))
            .hex(&format!("{name}_seal_key"), &keys.seal_key(mode(side)))
    })
}

/// Signs a text as the first of its stream.
fn sign(datagram: bool, keys: &SessionKeys, signed: &SignedText) -> Result<[u8; SIGNATURE_LENGTH], Refusal> {
    let (options, mode) = (MacOptions::of(keys.flags), mode(signed.side));
    let sign_key = keys.sign_key(mode).unwrap_or_default();
    let (seal_key, text) = (keys.seal_key(mode), signed.text.as_bytes());
    let signature = if datagram {
        DatagramMac::new(options, &sign_key, &seal_key, signed.seq).map(|mac| mac.sign(text))
    } else {
        ConnectionMac::new(options, &sign_key, &seal_key, signed.seq).map(|mut mac| mac.sign(text))
    };
    signature.ok_or_else(|| malformed("authenticate", "no sealing key follows from it"))
}

pub(super) fn integrity_code(inputs: &inputs::NtlmAuthMic) -> Outcome {
    let exported = octets("exported_session_key", &inputs.exported_session_key)?;
    let negotiate = inputs.negotiate.as_ref().map(Hex::as_slice);
    let before: Vec<&[u8]> = negotiate.into_iter().chain([inputs.challenge.as_slice()]).collect();
    let mut token = inputs.authenticate_mic_zeroed.0.clone();
    let mic = message_integrity_code(&exported, &before, &token);
    let field = token
        .get_mut(MIC)
        .filter(|field| field.iter().all(|octet| *octet == 0))
        .ok_or_else(|| malformed("authenticate_mic_zeroed", "no zeros where the MIC belongs"))?;
    field.copy_from_slice(&mic);
    Ok(Answer::new().hex("mic", &mic).hex("authenticate", &token))
}
