//! Signatures of TLS-DSK (SIPAE-3.2.4.1-29).

use std::fmt;

use subtle::ConstantTimeEq;

use super::hmac::Keyed;
use super::{Hash, KEY_MATERIAL_LENGTH};
use crate::octets::slice;
use crate::side::Side;

/// Signs and verifies the messages of both directions.
///
/// ```
/// use sipae::side::Side;
/// use sipae::tlsdsk::{Hash, TlsDskMac};
///
/// let mac = TlsDskMac::new(Hash::Sha1, &[7; 128]);
/// let signature = mac.sign(Side::Client, b"<TLS-DSK>");
/// assert_eq!(signature.len(), 20);
/// assert!(mac.verify(Side::Client, b"<TLS-DSK>", &signature));
/// ```
#[derive(Clone)]
pub struct TlsDskMac {
    client: Keyed,
    server: Keyed,
}

impl TlsDskMac {
    /// The keys are the third and the fourth quarter of the material: octets 64 to 95 for what the client signs, 96 to
    /// 127 for what the server signs (SIPAE-3.2.4.1-30).
    #[must_use]
    pub fn new(hash: Hash, key_material: &[u8; KEY_MATERIAL_LENGTH]) -> Self {
        let key = |start| Keyed::new(hash, slice(key_material, start, start + 32));
        Self { client: key(64), server: key(96) }
    }

    /// The hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.client.hash()
    }

    /// The signature of a buffer: the whole HMAC.
    #[must_use]
    pub fn sign(&self, signer: Side, buffer: &[u8]) -> Vec<u8> {
        self.keyed(signer).mac(&[buffer])
    }

    /// Whether `signature` is that of the buffer; any other length than that of the hash never is.
    #[must_use]
    pub fn verify(&self, signer: Side, buffer: &[u8], signature: &[u8]) -> bool {
        self.sign(signer, buffer).ct_eq(signature).into()
    }

    const fn keyed(&self, signer: Side) -> &Keyed {
        match signer {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

impl fmt::Debug for TlsDskMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsDskMac(HMAC, {})", self.hash())
    }
}
