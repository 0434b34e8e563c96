//! MIC tokens of Kerberos (RFC 4121 4.2.6.1, RFC 1964 1.2.1, RFC 4757 7.2).

use std::borrow::Cow;

use sipae::kerberos::{KerberosMac, MicToken, des_mic, des_mic_verify};
use sipae::side::Side;
use sipae_vectors::inputs::{self, Enctype, Sender};
use sipae_vectors::{Answer, Hex, Refusal};

use super::Outcome;
use super::input::{malformed, octets};
use super::kerberos_keys::{etype, key};

const fn side(sender: Sender) -> Side {
    match sender {
        Sender::Initiator => Side::Client,
        Sender::Acceptor => Side::Server,
    }
}

const fn is_des(enctype: Enctype) -> bool {
    matches!(enctype, Enctype::DesCbcCrc | Enctype::DesCbcMd5)
}

pub(super) fn sign(inputs: &inputs::GssMic) -> Outcome {
    let inputs::GssMic { enctype, sender, seq, .. } = inputs;
    let (signer, message) = (side(*sender), message(inputs)?);
    let token = if is_des(*enctype) {
        des_mic(octets("key", &inputs.key)?, signer, short(*seq)?, &message)
    } else {
        let mac = mac(*enctype, &inputs.key, inputs.acceptor_subkey)?;
        let seq = if *enctype == Enctype::Rc4 { short(*seq)?.into() } else { *seq };
        mac.sign_numbered(signer, seq, &message)
    };
    Ok(Answer::new().hex("token", &token))
}

fn mac(enctype: Enctype, octets: &Hex, acceptor_subkey: bool) -> Result<KerberosMac, Refusal> {
    let key = key("key", etype(enctype)?, octets)?;
    Ok(KerberosMac::new(&key, acceptor_subkey))
}

/// A sequence number of RFC 1964.
fn short(seq: u64) -> Result<u32, Refusal> {
    u32::try_from(seq).map_err(|_| malformed("seq", "more than 32 bits"))
}

fn message(inputs: &inputs::GssMic) -> Result<Cow<'_, [u8]>, Refusal> {
    match (&inputs.message, &inputs.message_hex) {
        (Some(text), None) => Ok(text.as_bytes().into()),
        (None, Some(octets)) => Ok(octets.as_slice().into()),
        (None, None) => Err(malformed("message", "neither text nor octets")),
        (Some(_), Some(_)) => Err(malformed("message", "both as text and as octets")),
    }
}

pub(super) fn verify(inputs: &inputs::GssMicVerify) -> Outcome {
    let inputs::GssMicVerify { enctype, sender, message, token, .. } = inputs;
    let (signer, message, token) = (side(*sender), message.as_bytes(), token.as_slice());
    let valid = if is_des(*enctype) {
        des_mic_verify(octets("key", &inputs.key)?, signer, message, token)
    } else {
        mac(*enctype, &inputs.key, false)?.verify(signer, message, token)
    };
    Ok(Answer::new().flag("valid", valid))
}

pub(super) fn parse(inputs: &inputs::GssMicParse) -> Outcome {
    let token = MicToken::read(inputs.token.as_slice()).map_err(|error| malformed("token", error))?;
    let answer = Answer::new().flag("filler_ok", token.has_filler());
    Ok(match token {
        MicToken::Rfc4121 { flags, sequence, checksum, .. } => answer
            .text("form", "rfc4121")
            .number("flags", flags)
            .number("seq", sequence)
            .hex("checksum", &checksum),
        MicToken::Rfc1964 { header: [t0, t1, a0, a1, ..], sequence, checksum } => answer
            .text("form", "rfc1964")
            .hex("token_id", &[t0, t1])
            .hex("sgn_alg", &[a0, a1])
            .hex("snd_seq_encrypted", &sequence)
            .hex("checksum", &checksum),
    })
}
