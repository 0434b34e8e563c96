//! Hash functions, CRC-32, RC4 and HMAC.

use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use sipae::ntlm::{crc32, hmac_md5, md4, md5, rc4};
use sipae_vectors::inputs::{Algorithm, HashPrimitive};
use sipae_vectors::{Answer, Hex, Refusal};

use super::Outcome;
use super::input::{malformed, rc4_key};

pub(super) fn hash_primitive(inputs: &HashPrimitive) -> Outcome {
    let (data, answer) = (inputs.data_hex.as_slice(), Answer::new());
    let mac_key = || key(inputs).map(Hex::as_slice);
    Ok(match inputs.algorithm {
        Algorithm::Md4 => answer.hex("digest", &md4(data)),
        Algorithm::Md5 => answer.hex("digest", &md5(&[data])),
        Algorithm::Crc32 => answer.hex("value_le", &crc32(data).to_le_bytes()),
        Algorithm::Rc4 => answer.hex("output", &rc4(rc4_key("key_hex", key(inputs)?)?, data)),
        Algorithm::HmacMd5 => answer.hex("mac", &hmac_md5(mac_key()?, &[data])),
        Algorithm::HmacSha1 => answer.hex("mac", &hmac::<Sha1>(mac_key()?, data)?),
        Algorithm::HmacSha256 => answer.hex("mac", &hmac::<Sha256>(mac_key()?, data)?),
        Algorithm::HmacSha384 => answer.hex("mac", &hmac::<Sha384>(mac_key()?, data)?),
    })
}

fn key(inputs: &HashPrimitive) -> Result<&Hex, Refusal> {
    inputs.key_hex.as_ref().ok_or_else(|| malformed("key_hex", "a key is needed"))
}

/// HMAC of the hash functions that NTLM does not use.
fn hmac<D: EagerHash>(key: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal>
where
    Hmac<D>: Mac + KeyInit,
{
    let mac = <Hmac<D> as KeyInit>::new_from_slice(key).map_err(|error| malformed("key_hex", error))?;
    Ok(mac.chain_update(data).finalize().into_bytes().to_vec())
}
