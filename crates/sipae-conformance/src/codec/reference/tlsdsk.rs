//! TLS-DSK: records, keys and signatures ([MS-SIPAE] 3.2.4.1).

use serde_json::{Value as Json, json};
use sipae::encoding::decode_base64;
use sipae::tlsdsk::{Flight, Hash, Prf, hmac, key_material, prf};
use sipae_vectors::inputs::{self, HmacHash, TlsPrfFunction, TlsdskSigned};
use sipae_vectors::{Answer, Refusal};

use super::Outcome;
use super::input::{malformed, octets};
use super::sip;

/// Octets of the pseudorandom function that are computed.
const LONGEST_OUTPUT: usize = 1 << 16;

pub(super) const fn named(function: TlsPrfFunction) -> Prf {
    match function {
        TlsPrfFunction::Tls1 => Prf::Md5Sha1,
        TlsPrfFunction::Tls12Sha256 => Prf::Sha256,
        TlsPrfFunction::Tls12Sha384 => Prf::Sha384,
    }
}

/// The octets of a flight, from the input `name`.
pub(super) fn flight(name: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    decode_base64(text.as_bytes()).ok_or_else(|| malformed(name, "no Base64"))
}

pub(super) fn records(inputs: &inputs::TlsRecords) -> Outcome {
    let octets = flight("gssapi_data", &inputs.gssapi_data)?;
    let read = Flight::read(&octets).map_err(|error| malformed("gssapi_data", error))?;
    let records = read.records().iter().map(|record| {
        json!({
            "type": record.content.number(),
            "version": format!("{:04x}", record.version),
            "length": record.fragment.len(),
            "encrypted": record.encrypted,
        })
    });
    let messages = read.messages().map(|message| {
        let message = message.map_err(|error| malformed("gssapi_data", error))?;
        Ok(json!({"type": message.kind.0, "length": message.body.len()}))
    });
    let messages = messages.collect::<Result<Vec<Json>, Refusal>>()?;
    Ok(Answer::new().value("records", records.collect::<Vec<_>>()).value("handshake", messages))
}

pub(super) fn function(inputs: &inputs::TlsPrf) -> Outcome {
    let length = usize::try_from(inputs.length).ok().filter(|length| *length <= LONGEST_OUTPUT);
    let problem = || malformed("length", format_args!("{} is more than {LONGEST_OUTPUT}", inputs.length));
    let mut output = vec![0; length.ok_or_else(problem)?];
    let seed = [inputs.seed.as_slice()];
    prf(named(inputs.prf), inputs.secret.as_slice(), inputs.label.octets(), &seed, &mut output);
    Ok(Answer::new().hex("output", &output))
}

pub(super) fn keys(inputs: &inputs::TlsdskKeys) -> Outcome {
    let master: [u8; 48] = octets("master_secret", &inputs.master_secret)?;
    let client: [u8; 32] = octets("client_random", &inputs.client_random)?;
    let server: [u8; 32] = octets("server_random", &inputs.server_random)?;
    Ok(signing_keys(Answer::new(), named(inputs.prf), &master, &client, &server))
}

/// With the key material and the keys in it.
pub(super) fn signing_keys(
    answer: Answer,
    function: Prf,
    master_secret: &[u8],
    client_random: &[u8],
    server_random: &[u8],
) -> Answer {
    let material = key_material(function, master_secret, client_random, server_random);
    let (chunks, _) = material.as_chunks::<32>();
    let key = |index: usize| chunks.get(index).map_or(&[][..], <[u8; 32]>::as_slice);
    answer.hex("key_material", &material).hex("client_key", key(2)).hex("server_key", key(3))
}

pub(super) fn sign(inputs: &inputs::TlsdskSign) -> Outcome {
    let key: [u8; 32] = octets("key", &inputs.key)?;
    let buffer = match &inputs.signed {
        TlsdskSigned::Buffer { buffer } => buffer.clone().into_bytes(),
        TlsdskSigned::Message { message, version, context } => sip::buffer(message, context, *version)?,
    };
    let signature = hmac(hash(inputs.hmac), &key, &[&buffer]);
    Ok(Answer::new().text("buffer", String::from_utf8_lossy(&buffer)).hex("signature", &signature))
}

const fn hash(hash: HmacHash) -> Hash {
    match hash {
        HmacHash::Md5 => Hash::Md5,
        HmacHash::Sha1 => Hash::Sha1,
        HmacHash::Sha256 => Hash::Sha256,
        HmacHash::Sha384 => Hash::Sha384,
    }
}
