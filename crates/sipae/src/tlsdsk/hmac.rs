//! HMAC with its key scheduled, over any of the hashes.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::Hash;

/// HMAC (RFC 2104) of the parts in order. Any key length is legal.
#[must_use]
pub fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    Keyed::new(hash, key).mac(parts)
}

/// A state that has taken its key in; each use costs a copy of it.
#[derive(Clone)]
pub(super) enum Keyed {
    Md5(Hmac<Md5>),
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Box<Hmac<Sha384>>),
}

impl Keyed {
    pub(super) fn new(hash: Hash, key: &[u8]) -> Self {
        match hash {
            Hash::Md5 => Self::Md5(keyed(key)),
            Hash::Sha1 => Self::Sha1(keyed(key)),
            Hash::Sha256 => Self::Sha256(keyed(key)),
            Hash::Sha384 => Self::Sha384(Box::new(keyed(key))),
        }
    }

    pub(super) const fn hash(&self) -> Hash {
        match self {
            Self::Md5(_) => Hash::Md5,
            Self::Sha1(_) => Hash::Sha1,
            Self::Sha256(_) => Hash::Sha256,
            Self::Sha384(_) => Hash::Sha384,
        }
    }

    /// HMAC of the parts in order.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Md5(state) => finish(state, parts),
            Self::Sha1(state) => finish(state, parts),
            Self::Sha256(state) => finish(state, parts),
            Self::Sha384(state) => finish(state.as_ref(), parts),
        }
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length, the error cannot occur")]
fn keyed<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).expect("a key of any length")
}

fn finish<M: Mac + Clone>(state: &M, parts: &[&[u8]]) -> Vec<u8> {
    let mut state = state.clone();
    for part in parts {
        state.update(part);
    }
    state.finalize().into_bytes().to_vec()
}
