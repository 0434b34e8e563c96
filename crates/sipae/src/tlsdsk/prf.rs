//! The pseudorandom function of TLS (RFC 2246 5, RFC 5246 5) and what is derived with it.

use super::hmac::Keyed;
use super::{Hash, TLS_1_2};
use crate::octets::slice;

/// Octets of keying material (SIPAE-3.2.4.1-30).
pub const KEY_MATERIAL_LENGTH: usize = 128;

/// The label of EAP-TLS (RFC 5216 2.3).
pub const KEY_MATERIAL_LABEL: &[u8] = b"client EAP encryption";

/// The function of a version and suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prf {
    /// TLS 1.0 and 1.1: MD5 and SHA-1, each over half of the secret.
    Md5Sha1,
    /// TLS 1.2, for most suites.
    Sha256,
    /// TLS 1.2, for suites whose name ends in SHA384.
    Sha384,
}

impl Prf {
    /// The function of a suite that was negotiated with this version; `None` for what [`Hash::of_suite`] does not know.
    #[must_use]
    pub fn of_suite(suite: u16, version: u16) -> Option<Self> {
        let hash = Hash::of_suite(suite, version)?;
        Some(match hash {
            _ if version < TLS_1_2 => Self::Md5Sha1,
            Hash::Sha384 => Self::Sha384,
            Hash::Md5 | Hash::Sha1 | Hash::Sha256 => Self::Sha256,
        })
    }
}

/// Fills `out` with what the function makes of secret, label and seed; the seed is given in parts.
pub fn prf(function: Prf, secret: &[u8], label: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let seed = [&[label], seed].concat().concat();
    out.fill(0);
    match function {
        Prf::Sha256 => expand(Hash::Sha256, secret, &seed, out),
        Prf::Sha384 => expand(Hash::Sha384, secret, &seed, out),
        Prf::Md5Sha1 => {
            // The halves share the octet in the middle of a secret of odd length (RFC 2246 5).
            let half = secret.len().div_ceil(2);
            expand(Hash::Md5, slice(secret, 0, half), &seed, out);
            expand(Hash::Sha1, slice(secret, secret.len() - half, secret.len()), &seed, out);
        }
    }
}

/// The keying material of a master secret (SIPAE-3.2.4.1-30).
#[must_use]
pub fn key_material(
    function: Prf,
    master_secret: &[u8],
    client_random: &[u8],
    server_random: &[u8],
) -> [u8; KEY_MATERIAL_LENGTH] {
    let mut material = [0; KEY_MATERIAL_LENGTH];
    prf(function, master_secret, KEY_MATERIAL_LABEL, &[client_random, server_random], &mut material);
    material
}

/// `P_hash`, exclusive-or'ed into `out`.
fn expand(hash: Hash, secret: &[u8], seed: &[u8], out: &mut [u8]) {
    let hmac = Keyed::new(hash, secret);
    let mut a = seed.to_vec();
    for chunk in out.chunks_mut(hash.length()) {
        a = hmac.mac(&[&a]);
        for (octet, mask) in chunk.iter_mut().zip(hmac.mac(&[&a, seed])) {
            *octet ^= mask;
        }
    }
}
