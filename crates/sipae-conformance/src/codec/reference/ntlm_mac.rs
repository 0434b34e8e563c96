//! NTLM signatures ([MS-NLMP] 3.4.4) of texts and of SIP messages.

use sipae::ntlm::{ConnectionMac, DatagramMac, MacOptions, SEQUENCE_NUMBER, SIGNATURE_LENGTH, rc4};
use sipae_vectors::{Answer, Hex, Refusal, inputs};

use super::Outcome;
use super::input::{malformed, octets, rc4_key};
use super::sip;

/// Octets of key stream that a signature without extended session security uses.
const LEGACY_KEYSTREAM: usize = 12;

type Signature = [u8; SIGNATURE_LENGTH];

/// The keys of one direction, and how they are used.
pub(super) struct Keys<'a> {
    options: MacOptions,
    sign_key: &'a [u8],
    seal_key: &'a [u8],
    sequence_number: u32,
}

impl<'a> Keys<'a> {
    fn read(
        options: MacOptions,
        sign_key: Option<&'a Hex>,
        seal_key: &'a Hex,
        sequence_number: u32,
    ) -> Result<Self, Refusal> {
        let seal_key = rc4_key("seal_key", seal_key)?;
        let sign_key = match sign_key {
            Some(key) if options.extended => octets::<16>("sign_key", key).map(|_| key.as_slice())?,
            None if options.extended => {
                return Err(malformed("sign_key", "extended session security needs one"));
            }
            _ => &[],
        };
        Ok(Self { options, sign_key, seal_key, sequence_number })
    }

    /// The keys of SIP messages, whose sequence number never changes.
    pub(super) fn for_sip(
        options: MacOptions,
        sign_key: Option<&'a Hex>,
        seal_key: &'a Hex,
    ) -> Result<Self, Refusal> {
        Self::read(options, sign_key, seal_key, SEQUENCE_NUMBER)
    }

    pub(super) fn datagram(&self) -> Result<DatagramMac, Refusal> {
        DatagramMac::new(self.options, self.sign_key, self.seal_key, self.sequence_number)
            .ok_or_else(|| malformed("seal_key", "no key of RC4"))
    }

    fn connection(&self) -> Result<ConnectionMac, Refusal> {
        ConnectionMac::new(self.options, self.sign_key, self.seal_key, self.sequence_number)
            .ok_or_else(|| malformed("seal_key", "no key of RC4"))
    }

    /// Four octets of the key stream, from `position` on: the pad of a signature whose random number is zero.
    fn pad(&self, position: usize) -> [u8; 4] {
        let stream = rc4(self.seal_key, &vec![0; position + 4]);
        stream.last_chunk().copied().unwrap_or_default()
    }
}

pub(super) fn mac(inputs: &inputs::Mac) -> Outcome {
    let options =
        MacOptions { extended: inputs.extended_session_security, key_exchange: inputs.key_exchange };
    let keys = Keys::read(options, inputs.sign_key.as_ref(), &inputs.seal_key, inputs.seq)?;
    let pad = inputs.random_pad.as_ref().map(|pad| octets("random_pad", pad)).transpose()?;
    if inputs.datagram { mac_datagram(inputs, &keys, pad) } else { mac_connection(inputs, &keys, pad) }
}

fn mac_datagram(inputs: &inputs::Mac, keys: &Keys<'_>, pad: Option<[u8; 4]>) -> Outcome {
    if inputs.seal {
        return Err(Refusal::Unsupported("SIP does not seal in datagram mode".to_owned()));
    }
    let mac = keys.datagram()?;
    let signatures = inputs.messages.iter().map(|message| {
        let pad = pad.unwrap_or_else(|| keys.pad(0));
        padded(keys.options, mac.sign(message.octets()), pad)
    });
    Ok(Answer::new().hex_list("signatures", signatures))
}

fn mac_connection(inputs: &inputs::Mac, keys: &Keys<'_>, pad: Option<[u8; 4]>) -> Outcome {
    let mut mac = keys.connection()?;
    let (mut sealed, mut signatures, mut position) = (Vec::new(), Vec::new(), 0);
    for message in inputs.messages.iter().map(inputs::MacMessage::octets) {
        if inputs.seal {
            let mut octets = message.to_vec();
            mac.seal(&mut octets);
            position += octets.len();
            sealed.push(octets);
        }
        let pad = pad.unwrap_or_else(|| keys.pad(position));
        signatures.push(padded(keys.options, mac.sign(message), pad));
        position += LEGACY_KEYSTREAM;
    }
    let answer = Answer::new().hex_list("signatures", signatures);
    Ok(if inputs.seal { answer.hex_list("sealed", sealed) } else { answer })
}

/// With these octets as the pad, which only a signature without extended session security has.
fn padded(options: MacOptions, mut signature: Signature, pad: [u8; 4]) -> Signature {
    if let Some(field) = signature.get_mut(4..8).filter(|_| !options.extended) {
        field.copy_from_slice(&pad);
    }
    signature
}

pub(super) fn verify(inputs: &inputs::MacVerify) -> Outcome {
    let options =
        MacOptions { extended: inputs.extended_session_security, key_exchange: inputs.key_exchange };
    let keys = Keys::read(options, inputs.sign_key.as_ref(), &inputs.seal_key, inputs.seq)?;
    let (message, signature) = (inputs.message.as_bytes(), inputs.signature.as_slice());
    let valid = if inputs.datagram {
        keys.datagram()?.verify(message, signature)
    } else {
        verify_connection(&keys, message, signature)?
    };
    Ok(Answer::new().flag("valid", valid))
}

fn verify_connection(keys: &Keys<'_>, message: &[u8], signature: &[u8]) -> Result<bool, Refusal> {
    let expected = keys.connection()?.sign(message);
    let Ok(signature) = Signature::try_from(signature) else { return Ok(false) };
    Ok(padded(keys.options, signature, [0; 4]) == padded(keys.options, expected, [0; 4]))
}

pub(super) fn sip_sign(inputs: &inputs::SipNtlmSign) -> Outcome {
    let options =
        MacOptions { extended: inputs.extended_session_security, key_exchange: inputs.key_exchange };
    let keys = Keys::for_sip(options, inputs.sign_key.as_ref(), &inputs.seal_key)?;
    let pad = inputs.random_pad.as_ref().map(|pad| octets("random_pad", pad)).transpose()?;
    let buffer = sip::buffer(&inputs.message, &inputs.context, inputs.version)?;
    let signature = padded(options, keys.datagram()?.sign(&buffer), pad.unwrap_or_default());
    Ok(Answer::new().text("buffer", String::from_utf8_lossy(&buffer)).hex("signature", &signature))
}

pub(super) fn keyless(inputs: &inputs::NtlmKeyless) -> Outcome {
    let tokens = inputs.tokens.iter().map(|token| octets("tokens", token));
    let tokens = tokens.collect::<Result<Vec<Signature>, _>>()?;
    let tail = same(tokens.iter().map(|token| word(token, 12)))
        .ok_or_else(|| malformed("tokens", "the last words differ"))?;
    let answer = Answer::new().hex("tail", &tail.to_le_bytes());
    let Some(checksums) = &inputs.crc32 else { return Ok(answer) };
    let words = tokens.iter().zip(checksums).map(|(token, crc)| word(token, 8) ^ crc);
    let keystream = same(words)
        .filter(|_| tokens.len() == checksums.len())
        .ok_or_else(|| malformed("crc32", "no single key stream gives these tokens"))?;
    Ok(answer.number("keystream_word2", keystream))
}

/// The little-endian word at this offset.
fn word(signature: &Signature, offset: usize) -> u32 {
    let octets = signature.get(offset..).and_then(<[u8]>::first_chunk);
    u32::from_le_bytes(octets.copied().unwrap_or_default())
}

/// The item that all are equal to.
fn same(mut items: impl Iterator<Item = u32>) -> Option<u32> {
    let first = items.next()?;
    items.all(|item| item == first).then_some(first)
}
