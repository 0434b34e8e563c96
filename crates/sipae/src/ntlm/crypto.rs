//! The primitives, as short functions over slices. All of them are RustCrypto's, but for CRC-32.

use ::md4::{Digest, Md4};
use ::rc4::{KeyInit, Rc4, StreamCipher};
use des::Des;
use des::cipher::BlockCipherEncrypt;
use hmac::{Hmac, Mac};
use md5::Md5;

/// HMAC-MD5 with its key scheduled.
pub(crate) type HmacMd5 = Hmac<Md5>;

/// MD4 (RFC 1320).
#[must_use]
pub fn md4(data: &[u8]) -> [u8; 16] {
    Md4::digest(data).into()
}

/// MD5 (RFC 1321) of the parts in order.
#[must_use]
pub fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::default();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// HMAC-MD5 (RFC 2104) of the parts in order. Any key length is legal.
#[must_use]
pub fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = keyed_hmac_md5(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length, the error cannot occur")]
pub(crate) fn keyed_hmac_md5(key: &[u8]) -> HmacMd5 {
    HmacMd5::new_from_slice(key).expect("a key of any length")
}

/// CRC-32 of IEEE 802.3.
#[must_use]
pub fn crc32(data: &[u8]) -> u32 {
    crc32fast::hash(data)
}

/// RC4 of `data` from the beginning of the key stream. Keys have 1 to 256 octets; any other length gives `data` back
/// unchanged, which no caller asks for.
#[must_use]
pub fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    if let Some(mut stream) = Rc4Stream::new(key) {
        stream.apply(&mut out);
    }
    out
}

/// A running RC4 key stream.
pub(crate) struct Rc4Stream(Rc4);

impl Rc4Stream {
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        Rc4::new_from_slice(key).ok().map(Self)
    }

    pub(crate) fn apply(&mut self, data: &mut [u8]) {
        self.0.apply_keystream(data);
    }

    /// The next octets of the key stream.
    pub(crate) fn keystream<const N: usize>(&mut self) -> [u8; N] {
        let mut octets = [0; N];
        self.apply(&mut octets);
        octets
    }
}

/// DES of one block under a key of seven octets, parity bits inserted ([MS-NLMP] 6, DES).
fn des(key: [u8; 7], block: [u8; 8]) -> [u8; 8] {
    let [k0, k1, k2, k3, k4, k5, k6] = key.map(u64::from);
    let bits = k0 << 48 | k1 << 40 | k2 << 32 | k3 << 24 | k4 << 16 | k5 << 8 | k6;
    let mut with_parity = [0; 8];
    for (index, octet) in with_parity.iter_mut().enumerate() {
        *octet = u8::try_from(bits >> (49 - 7 * index) & 0x7F).unwrap_or_default() << 1;
    }
    let mut block = block.into();
    Des::new(&with_parity.into()).encrypt_block(&mut block);
    block.into()
}

/// Two DES blocks: `first` under octets 0-6, `second` under octets 7-13 of the key.
#[must_use]
pub fn des_pair(key: [u8; 14], first: [u8; 8], second: [u8; 8]) -> [u8; 16] {
    let [k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13] = key;
    let low = des([k0, k1, k2, k3, k4, k5, k6], first);
    let high = des([k7, k8, k9, k10, k11, k12, k13], second);
    let mut both = [0; 16];
    for (octet, value) in both.iter_mut().zip(low.into_iter().chain(high)) {
        *octet = value;
    }
    both
}

/// DESL: `block` under three keys cut from `key` and five zero octets ([MS-NLMP] 6).
pub(crate) fn desl(key: [u8; 16], block: [u8; 8]) -> [u8; 24] {
    let [head @ .., k14, k15] = key;
    let mut out = [0; 24];
    let ends = des_pair(head, block, block).into_iter().chain(des([k14, k15, 0, 0, 0, 0, 0], block));
    for (octet, value) in out.iter_mut().zip(ends) {
        *octet = value;
    }
    out
}
