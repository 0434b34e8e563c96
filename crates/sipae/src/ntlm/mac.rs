//! GSS_GetMIC and GSS_VerifyMIC ([MS-NLMP] 3.4.4).

use hmac::Mac;
use subtle::ConstantTimeEq;

use super::crypto::{HmacMd5, Rc4Stream, crc32, keyed_hmac_md5};
use super::{NegotiateFlags, SessionKeys, datagram_rekey};
use crate::side::Side;

/// The application sequence number of SIP: the same in every message, whatever cnum or snum is
/// ([MS-SIPAE] SIPAE-3.2.4.1-25).
pub const SEQUENCE_NUMBER: u32 = 100;

/// Octets of a signature: version, checksum, sequence number.
pub const SIGNATURE_LENGTH: usize = 16;

const VERSION: [u8; 4] = 1u32.to_le_bytes();

/// What of the negotiated flags matters for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacOptions {
    /// Extended session security: HMAC-MD5, else CRC-32.
    pub extended: bool,
    /// Key exchange: with extended session security the checksum is encrypted.
    pub key_exchange: bool,
}

impl MacOptions {
    /// As the flags say.
    #[must_use]
    pub const fn of(flags: NegotiateFlags) -> Self {
        Self {
            extended: flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY),
            key_exchange: flags.contains(NegotiateFlags::KEY_EXCH),
        }
    }
}

/// Signs and verifies the messages of one direction in connectionless mode.
///
/// The sequence number does not change, so the RC4 octets are a constant of the context and the HMAC has its key and
/// its first four octets already taken in: a signature costs one copy of that state.
#[derive(Clone)]
pub enum DatagramMac {
    /// With extended session security ([MS-NLMP] 3.4.4.2).
    Extended {
        /// Keyed state, sequence number taken in.
        hmac: Box<HmacMd5>,
        /// Key stream over the checksum; zeros without key exchange.
        keystream: [u8; 8],
        /// The sequence number.
        sequence: [u8; 4],
    },
    /// Without ([MS-NLMP] 3.4.4.1).
    Legacy {
        /// Key stream over pad, CRC-32 and sequence number.
        keystream: [u8; 12],
        /// The sequence number.
        sequence: [u8; 4],
    },
}

impl DatagramMac {
    /// The state for one side of a context. `None` for an empty sealing key.
    #[must_use]
    pub fn new(options: MacOptions, sign_key: &[u8], seal_key: &[u8], sequence_number: u32) -> Option<Self> {
        let sequence = sequence_number.to_le_bytes();
        if !options.extended {
            // The stream restarts for each message under the plain key, as real signatures show.
            return Some(Self::Legacy { keystream: Rc4Stream::new(seal_key)?.keystream(), sequence });
        }
        let mut hmac = Box::new(keyed_hmac_md5(sign_key));
        hmac.update(&sequence);
        let mut stream = Rc4Stream::new(&datagram_rekey(seal_key, sequence_number))?;
        let keystream = if options.key_exchange { stream.keystream() } else { [0; 8] };
        Some(Self::Extended { hmac, keystream, sequence })
    }

    /// The state with which messages of `mode` are signed in SIP. `None` if the context negotiated no signing: it
    /// must not become a security association (SIPAE-3.2.5.2-25).
    #[must_use]
    pub fn for_sip(keys: &SessionKeys, mode: Side) -> Option<Self> {
        let signs = keys.flags.contains(NegotiateFlags::SIGN);
        let sign_key = keys.sign_key(mode).unwrap_or_default();
        signs.then(|| {
            Self::new(MacOptions::of(keys.flags), &sign_key, &keys.seal_key(mode), SEQUENCE_NUMBER)
        })?
    }

    /// The signature of a buffer. Without extended session security the pad, which carries no integrity, is zero.
    #[must_use]
    pub fn sign(&self, buffer: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        match self {
            Self::Extended { hmac, keystream, sequence } => {
                let checksum = extended_checksum(hmac, buffer);
                join(xor(checksum, *keystream), *sequence)
            }
            Self::Legacy { keystream, sequence } => legacy(keystream, crc32(buffer), *sequence, [0; 4]),
        }
    }

    /// Whether `signature` is that of the buffer. Any other length than 16 never is; the pad is not looked at
    /// (SIPAE-3.2.4.1-27, SIPAE-3.2.5.2-25).
    #[must_use]
    pub fn verify(&self, buffer: &[u8], signature: &[u8]) -> bool {
        let Ok(mut signature) = <[u8; SIGNATURE_LENGTH]>::try_from(signature) else { return false };
        if matches!(self, Self::Legacy { .. })
            && let Some(pad) = signature.get_mut(4..8)
        {
            pad.fill(0);
        }
        self.sign(buffer).ct_eq(&signature).into()
    }
}

impl std::fmt::Debug for DatagramMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Extended { .. } => "DatagramMac(extended session security)",
            Self::Legacy { .. } => "DatagramMac(CRC-32)",
        })
    }
}

/// Signs the messages of one direction in connection mode: the RC4 stream runs on and the sequence number counts up.
/// SIP does not use it; published figures are made with it.
pub struct ConnectionMac {
    options: MacOptions,
    hmac: HmacMd5,
    stream: Rc4Stream,
    sequence_number: u32,
}

impl ConnectionMac {
    /// The state before the first message. `None` for an empty sealing key.
    #[must_use]
    pub fn new(options: MacOptions, sign_key: &[u8], seal_key: &[u8], sequence_number: u32) -> Option<Self> {
        let stream = Rc4Stream::new(seal_key)?;
        Some(Self { options, hmac: keyed_hmac_md5(sign_key), stream, sequence_number })
    }

    /// Encrypts a message, before it is signed ([MS-NLMP] 3.4.3).
    pub fn seal(&mut self, message: &mut [u8]) {
        self.stream.apply(message);
    }

    /// The signature of the next message.
    pub fn sign(&mut self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        let sequence = self.sequence_number.to_le_bytes();
        self.sequence_number = self.sequence_number.wrapping_add(1);
        if !self.options.extended {
            return legacy(&self.stream.keystream(), crc32(message), sequence, [0; 4]);
        }
        let mut hmac = self.hmac.clone();
        hmac.update(&sequence);
        let checksum = extended_checksum(&hmac, message);
        let keystream = if self.options.key_exchange { self.stream.keystream() } else { [0; 8] };
        join(xor(checksum, keystream), sequence)
    }
}

impl std::fmt::Debug for ConnectionMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConnectionMac(next sequence number {})", self.sequence_number)
    }
}

fn extended_checksum(hmac: &HmacMd5, buffer: &[u8]) -> [u8; 8] {
    let mut hmac = hmac.clone();
    hmac.update(buffer);
    let digest: [u8; 16] = hmac.finalize().into_bytes().into();
    digest.first_chunk::<8>().copied().unwrap_or_default()
}

fn legacy(keystream: &[u8; 12], crc: u32, sequence: [u8; 4], pad: [u8; 4]) -> [u8; SIGNATURE_LENGTH] {
    let [_, _, _, _, k4, k5, k6, k7, k8, k9, k10, k11] = *keystream;
    let [c0, c1, c2, c3] = xor(crc.to_le_bytes(), [k4, k5, k6, k7]);
    let [p0, p1, p2, p3] = pad;
    join([p0, p1, p2, p3, c0, c1, c2, c3], xor(sequence, [k8, k9, k10, k11]))
}

fn xor<const N: usize>(left: [u8; N], right: [u8; N]) -> [u8; N] {
    let mut out = left;
    for (octet, other) in out.iter_mut().zip(right) {
        *octet ^= other;
    }
    out
}

fn join(checksum: [u8; 8], sequence: [u8; 4]) -> [u8; SIGNATURE_LENGTH] {
    let mut signature = [0; SIGNATURE_LENGTH];
    for (octet, value) in signature.iter_mut().zip(VERSION.into_iter().chain(checksum).chain(sequence)) {
        *octet = value;
    }
    signature
}
