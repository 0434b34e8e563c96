//! Kerberos keys and the functions under them (RFC 3961, RFC 3962, RFC 4757).

use sipae::kerberos::{EncryptionType, Key};
use sipae_vectors::inputs::{self, Enctype};
use sipae_vectors::{Answer, Hex, Refusal};

use super::Outcome;
use super::input::malformed;

/// More octets than anything is folded from or to; the work grows with the product.
const MOST_FOLDED: usize = 1 << 16;
/// More rounds than anybody asks for (RFC 3962 4 has 4096).
const MOST_ROUNDS: u32 = 1 << 20;

/// An encryption type that keys are derived of, or tokens decrypted with.
pub(super) fn etype(enctype: Enctype) -> Result<EncryptionType, Refusal> {
    match enctype {
        Enctype::Aes256 => Ok(EncryptionType::Aes256),
        Enctype::Aes128 => Ok(EncryptionType::Aes128),
        Enctype::Rc4 => Ok(EncryptionType::Rc4),
        Enctype::DesCbcCrc | Enctype::DesCbcMd5 => {
            Err(Refusal::Unsupported("single DES, but for gss_mic and gss_mic_verify".to_owned()))
        }
    }
}

fn aes(enctype: Enctype) -> Result<EncryptionType, Refusal> {
    match etype(enctype) {
        Ok(etype) if etype != EncryptionType::Rc4 => Ok(etype),
        _ => Err(malformed("enctype", "not one of AES")),
    }
}

/// A key of its type's length.
pub(super) fn key(name: &str, etype: EncryptionType, octets: &Hex) -> Result<Key, Refusal> {
    Key::new(etype, octets.as_slice()).map_err(|error| malformed(name, error))
}

pub(super) fn nfold(inputs: &inputs::Nfold) -> Outcome {
    let length = usize::try_from(inputs.length).unwrap_or(usize::MAX);
    if !(1..=MOST_FOLDED).contains(&length) {
        return Err(malformed("length", format_args!("{length} octets, not 1 to {MOST_FOLDED}")));
    }
    let data = inputs.data.as_slice();
    if !(1..=MOST_FOLDED).contains(&data.len()) {
        return Err(malformed("data", format_args!("{} octets, not 1 to {MOST_FOLDED}", data.len())));
    }
    Ok(Answer::new().hex("output", &sipae::kerberos::nfold(data, length)))
}

pub(super) fn string_to_key_aes(inputs: &inputs::KrbStringToKeyAes) -> Outcome {
    let inputs::KrbStringToKeyAes { enctype, password, salt_hex, iterations } = inputs;
    let (etype, salt) = (aes(*enctype)?, salt_hex.as_slice());
    if !(1..=MOST_ROUNDS).contains(iterations) {
        return Err(malformed("iterations", format_args!("{iterations}, not 1 to {MOST_ROUNDS}")));
    }
    Ok(Answer::new()
        .hex("pbkdf2", &Key::pbkdf2(etype, password, salt, *iterations))
        .hex("key", Key::from_password_with(etype, password, salt, *iterations).octets()))
}

pub(super) fn string_to_key_rc4(inputs: &inputs::KrbStringToKeyRc4) -> Answer {
    let key = Key::from_password(EncryptionType::Rc4, &inputs.password, "");
    Answer::new().hex("key", key.octets())
}

pub(super) fn aes_cts(inputs: &inputs::AesCts) -> Outcome {
    const BLOCK: usize = 16;
    let (key, data) = (inputs.key.as_slice(), inputs.data.as_slice());
    if data.len() < BLOCK {
        return Err(malformed("data", "less than a block"));
    }
    let problem = || malformed("key", format_args!("{} octets, not 16 or 32", key.len()));
    Ok(Answer::new().hex("output", &sipae::kerberos::aes_cts(key, data).ok_or_else(problem)?))
}

pub(super) fn derive(inputs: &inputs::KrbDk) -> Outcome {
    let key = key("key", aes(inputs.enctype)?, &inputs.key)?;
    let constant = inputs.constant.as_slice();
    if !(1..=MOST_FOLDED).contains(&constant.len()) {
        return Err(malformed("constant", format_args!("{} octets, not 1 to {MOST_FOLDED}", constant.len())));
    }
    Ok(Answer::new().hex("derived", &key.derive(constant).unwrap_or_default()))
}
