//! The cipher, hash and folding functions under the encryption types (RFC 3961, RFC 3962).

use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, InnerIvInit};
use aes::{Aes128, Aes256};
use cts::{CbcCs3, Decrypt, Encrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// HMAC-SHA-1 with its key scheduled.
pub(super) type HmacSha1 = Hmac<Sha1>;

/// Octets of a block of AES.
const BLOCK: usize = 16;

/// Spreads `data` over `length` octets (RFC 3961 5.1): copies of it, each rotated by 13 bits more than the one before,
/// are cut into pieces of that length and added with end-around carry. Nothing for nothing.
#[must_use]
pub fn nfold(data: &[u8], length: usize) -> Vec<u8> {
    if data.is_empty() || length == 0 {
        return Vec::new();
    }
    let mut columns = vec![0; length];
    let copies = length / greatest_common_divisor(data.len(), length);
    for copy in 0..copies {
        for place in 0..data.len() {
            let column = (copy * data.len() + place) % length;
            if let Some(sum) = columns.get_mut(column) {
                *sum += u64::from(rotated(data, 13 * copy, place));
            }
        }
    }
    carry_around(&mut columns);
    columns.into_iter().map(|sum| u8::try_from(sum).unwrap_or(u8::MAX)).collect()
}

const fn greatest_common_divisor(left: usize, right: usize) -> usize {
    if right == 0 { left } else { greatest_common_divisor(right, left % right) }
}

/// The octet at `place` of `data` after a rotation to the right by so many bits.
fn rotated(data: &[u8], bits: usize, place: usize) -> u8 {
    let all = 8 * data.len();
    let bit = (8 * place + all - bits % all) % all;
    let octet = |place: usize| data.get(place % data.len()).copied().unwrap_or_default();
    let pair = u16::from_be_bytes([octet(bit / 8), octet(bit / 8 + 1)]);
    let [octet, _] = (pair << (bit % 8)).to_be_bytes();
    octet
}

/// Carries from column to column, and from the first one to the last one.
fn carry_around(columns: &mut [u64]) {
    let mut carry = 0;
    loop {
        for column in columns.iter_mut().rev() {
            let sum = *column + carry;
            (*column, carry) = (sum & 0xFF, sum >> 8);
        }
        if carry == 0 {
            return;
        }
    }
}

/// AES with its key scheduled.
pub(super) enum Aes {
    Short(Box<Aes128>),
    Long(Box<Aes256>),
}

impl Aes {
    /// `None` unless the key has 16 or 32 octets.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let short = || Aes128::new_from_slice(key).map(|cipher| Self::Short(Box::new(cipher)));
        let long = || Aes256::new_from_slice(key).map(|cipher| Self::Long(Box::new(cipher)));
        short().or_else(|_| long()).ok()
    }

    fn encrypt_block(&self, block: &mut [u8; BLOCK]) {
        match self {
            Self::Short(cipher) => cipher.encrypt_block(block.into()),
            Self::Long(cipher) => cipher.encrypt_block(block.into()),
        }
    }

    /// DR of RFC 3961 5.1, whose random octets are the key: `constant`, folded to a block, enciphered again and again.
    pub(super) fn derive(&self, constant: &[u8], length: usize) -> Vec<u8> {
        let folded = if constant.len() == BLOCK { constant.to_vec() } else { nfold(constant, BLOCK) };
        let mut block = folded.try_into().unwrap_or([0; BLOCK]);
        let mut octets = Vec::new();
        while octets.len() < length {
            self.encrypt_block(&mut block);
            octets.extend_from_slice(&block);
        }
        octets.truncate(length);
        octets
    }

    /// CBC with ciphertext stealing and a zero vector (RFC 3962 5). Less than a block is filled up with zeros.
    pub(super) fn encrypt(&self, data: &mut Vec<u8>) {
        if data.len() <= BLOCK {
            data.resize(BLOCK, 0);
            // A lone block is plainly enciphered; the mode of the library would do it twice.
            return data
                .as_mut_slice()
                .as_mut_array()
                .into_iter()
                .for_each(|block| self.encrypt_block(block));
        }
        match self {
            Self::Short(cipher) => encrypt_cts(&**cipher, data),
            Self::Long(cipher) => encrypt_cts(&**cipher, data),
        }
    }

    /// The other way round. Less than a block, which is no ciphertext, stays as it is.
    pub(super) fn decrypt(&self, data: &mut [u8]) {
        match self {
            Self::Short(cipher) => decrypt_cts(&**cipher, data),
            Self::Long(cipher) => decrypt_cts(&**cipher, data),
        }
    }
}

fn encrypt_cts(cipher: &impl BlockCipherEncrypt<BlockSize = U16>, data: &mut [u8]) {
    let whole = CbcCs3::inner_iv_init(cipher, &[0; BLOCK].into()).encrypt(data);
    debug_assert!(whole.is_ok(), "a block and more");
}

fn decrypt_cts(cipher: &impl BlockCipherDecrypt<BlockSize = U16>, data: &mut [u8]) {
    if let Some(block) = data.as_mut_array::<BLOCK>() {
        return cipher.decrypt_block(block.into());
    }
    if BLOCK < data.len() {
        let whole = CbcCs3::inner_iv_init(cipher, &[0; BLOCK].into()).decrypt(data);
        debug_assert!(whole.is_ok(), "a block and more");
    }
}

/// AES in CBC with ciphertext stealing, with a zero vector (RFC 3962 5). `None` unless the key has 16 or 32 octets.
#[must_use]
pub fn aes_cts(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut out = data.to_vec();
    Aes::new(key)?.encrypt(&mut out);
    Some(out)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length, the error cannot occur")]
pub(super) fn keyed_hmac_sha1(key: &[u8]) -> HmacSha1 {
    HmacSha1::new_from_slice(key).expect("a key of any length")
}

/// The first 12 octets of HMAC-SHA-1 (RFC 3962 6).
pub(super) fn hmac_sha1_96(mut keyed: HmacSha1, parts: &[&[u8]]) -> [u8; 12] {
    for part in parts {
        keyed.update(part);
    }
    let digest: [u8; 20] = keyed.finalize().into_bytes().into();
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::encoding::encode_base16;

    /// RFC 3961 A.1.
    #[rstest]
    #[case(b"012345", "be072631276b1955")]
    #[case(b"password", "78a07b6caf85fa")]
    #[case(b"Rough Consensus, and Running Code", "bb6ed30870b7f0e0")]
    #[case(b"password", "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e")]
    #[case(b"MASSACHVSETTS INSTITVTE OF TECHNOLOGY", "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b")]
    #[case(b"Q", "518a54a215a8452a518a54a215a8452a518a54a215")]
    #[case(b"ba", "fb25d531ae8974499f52fd92ea9857c4ba24cf297e")]
    #[case(b"kerberos", "6b65726265726f737b9b5b2b93132b93")]
    fn nfold_is_that_of_the_published_figures(#[case] data: &[u8], #[case] folded: &str) {
        assert_eq!(encode_base16(&nfold(data, folded.len() / 2)), folded);
    }

    #[test]
    fn nothing_folds_to_nothing() {
        assert_eq!(nfold(b"", 16), b"");
        assert_eq!(nfold(b"data", 0), b"");
    }

    /// RFC 3962 B: one text, cut at different lengths.
    #[rstest]
    #[case(17, "c6353568f2bf8cb4d8a580362da7ff7f97")]
    #[case(31, "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5")]
    #[case(32, "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584")]
    #[case(
        47,
        "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5"
    )]
    fn ciphertext_is_stolen_as_in_the_published_figures(#[case] length: usize, #[case] enciphered: &str) {
        let text = b"I would like the General Gau's Chicken, please, and wonton soup.";
        let octets = aes_cts(b"chicken teriyaki", &text[..length]).unwrap();
        assert_eq!(encode_base16(&octets), enciphered);
    }

    #[test]
    fn a_key_of_another_length_enciphers_nothing() {
        assert_eq!(aes_cts(&[0; 24], b"data"), None);
    }

    proptest! {
        #[test]
        fn what_was_enciphered_is_deciphered(key: [u8; 32], short: bool, data in vec(any::<u8>(), 16..100)) {
            let cipher = Aes::new(if short { &key[..16] } else { &key }).unwrap();
            let mut octets = data.clone();
            cipher.encrypt(&mut octets);
            prop_assert_ne!(&octets, &data);
            cipher.decrypt(&mut octets);
            prop_assert_eq!(octets, data);
        }
    }
}
