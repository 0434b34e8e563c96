//! Passwords and keys of a user, to verify signatures with. Nothing of them is ever shown.

use std::fmt;

use sipae::encoding::decode_base16;
use sipae::ntlm::NegotiateFlags;

/// Octets of the key material that TLS-DSK exports ([MS-SIPAE] 3.2.5.2).
const KEY_MATERIAL: usize = 128;
const CLIENT_KEY: std::ops::Range<usize> = 64..96;
const SERVER_KEY: std::ops::Range<usize> = 96..128;
/// The parts that are for encryption, in EAP-TLS.
const OTHER_KEYS: [(std::ops::Range<usize>, &str); 2] =
    [(0..32, "octets 0 to 31"), (32..64, "octets 32 to 63")];

/// Why a key cannot be used. The key itself is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not an even number of hexadecimal digits.
    #[error("not hexadecimal")]
    NotHex,
    /// Too long or too short.
    #[error("{length} octets, not {expected}")]
    Length {
        /// What there is.
        length: usize,
        /// What is due.
        expected: &'static str,
    },
    /// Flags are one word.
    #[error("no number of 32 bits; hexadecimal ones begin with 0x")]
    Flags,
    /// A pair of NTLM keys has a colon in it.
    #[error("not two keys with a colon between them")]
    Pair,
}

/// The NTLM keys of one side. No signing key: without extended session security.
#[derive(Clone, PartialEq, Eq)]
pub struct NtlmKey {
    pub(crate) sign: Option<[u8; 16]>,
    pub(crate) seal: Vec<u8>,
}

impl NtlmKey {
    /// From the octets of both.
    ///
    /// # Errors
    /// When the sealing key has not 1 to 256 octets.
    pub fn new(sign: Option<[u8; 16]>, seal: &[u8]) -> Result<Self, KeyError> {
        let length = seal.len();
        if !(1..=256).contains(&length) {
            return Err(KeyError::Length { length, expected: "1 to 256" });
        }
        Ok(Self { sign, seal: seal.to_vec() })
    }

    /// From `SIGN:SEAL` in hexadecimal digits; `-:SEAL` without extended session security.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let (sign, seal) = text.split_once(':').ok_or(KeyError::Pair)?;
        let sign = if sign == "-" { None } else { Some(fixed(sign, "16")?) };
        Self::new(sign, &hex(seal)?)
    }
}

/// The session key of a context, as it is exported.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportedKey {
    pub(crate) key: [u8; 16],
    pub(crate) flags: NegotiateFlags,
}

impl ExportedKey {
    /// The key in hexadecimal digits, the flags as a number: decimal, or hexadecimal behind `0x`.
    ///
    /// # Errors
    /// When the key has not 16 octets, or the flags are no number of 32 bits.
    pub fn read(key: &str, flags: &str) -> Result<Self, KeyError> {
        let number = match flags.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => flags.parse(),
        };
        let flags = NegotiateFlags(number.map_err(|_| KeyError::Flags)?);
        Ok(Self { key: fixed(key, "16")?, flags })
    }
}

/// The signing keys of TLS-DSK.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsKeys {
    pub(crate) client: Option<Vec<u8>>,
    pub(crate) server: Option<Vec<u8>>,
    /// Other parts of the key material, and what they are called: implementers take them by mistake.
    pub(crate) others: Vec<(Vec<u8>, &'static str)>,
}

impl TlsKeys {
    /// From the key material that the handshake exports, in hexadecimal digits.
    ///
    /// # Errors
    /// When it has not 128 octets.
    pub fn of_material(text: &str) -> Result<Self, KeyError> {
        let material = hex(text)?;
        let length = material.len();
        if length != KEY_MATERIAL {
            return Err(KeyError::Length { length, expected: "128" });
        }
        let part = |range| material.get(range).map(<[u8]>::to_vec);
        let other = |(range, name)| Some((part(range)?, name));
        let others = OTHER_KEYS.into_iter().filter_map(other).collect();
        Ok(Self { client: part(CLIENT_KEY), server: part(SERVER_KEY), others })
    }

    /// From the keys themselves, in hexadecimal digits.
    ///
    /// # Errors
    /// When one is no key.
    pub fn read(client: Option<&str>, server: Option<&str>) -> Result<Self, KeyError> {
        let others = Vec::new();
        Ok(Self { client: client.map(hex).transpose()?, server: server.map(hex).transpose()?, others })
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.client.is_none() && self.server.is_none()
    }
}

/// What a user gives to verify signatures with.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// The password of the user, for exchanges in the input.
    pub password: Option<String>,
    /// NTLM keys of the client.
    pub ntlm_client: Option<NtlmKey>,
    /// NTLM keys of the server.
    pub ntlm_server: Option<NtlmKey>,
    /// The exported session key of NTLM, from which those of both sides follow.
    pub exported: Option<ExportedKey>,
    /// The keys of TLS-DSK.
    pub tls: TlsKeys,
}

impl Material {
    /// Whether there is nothing to verify with.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.password.is_none()
            && self.ntlm_client.is_none()
            && self.ntlm_server.is_none()
            && self.exported.is_none()
            && self.tls.is_empty()
    }
}

macro_rules! redacted {
    ($($name:ident)*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        })*
    };
}

redacted! { NtlmKey ExportedKey TlsKeys Material }

fn hex(text: &str) -> Result<Vec<u8>, KeyError> {
    decode_base16(text.trim().as_bytes()).filter(|octets| !octets.is_empty()).ok_or(KeyError::NotHex)
}

fn fixed<const N: usize>(text: &str, expected: &'static str) -> Result<[u8; N], KeyError> {
    let octets = hex(text)?;
    let length = octets.len();
    octets.try_into().map_err(|_| KeyError::Length { length, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_never_shown() {
        let key = NtlmKey::read("ea5e87c195ae65338f7c023e7600690d:83013a189002d3abad49c4c8f605ecc8").unwrap();
        assert_eq!(format!("{key:?}"), "NtlmKey(..)");
        assert!(NtlmKey::read("-:5f029153bc025058969548615e7099ba").unwrap().sign.is_none());
        assert_eq!(NtlmKey::read("00"), Err(KeyError::Pair));
        assert_eq!(NtlmKey::read("00:00"), Err(KeyError::Length { length: 1, expected: "16" }));
        assert_eq!(NtlmKey::read("-:"), Err(KeyError::NotHex));
        let flags = |text| ExportedKey::read(&"0f".repeat(16), text).map(|key| key.flags.0);
        assert_eq!(flags("0x62988255"), Ok(0x6298_8255));
        assert_eq!(flags("1654162005"), flags("0x62988255"));
        assert_eq!(flags("62988255x"), Err(KeyError::Flags));
        let keys = TlsKeys::of_material(&"0f".repeat(128)).unwrap();
        assert_eq!(keys.server.map(|key| key.len()), Some(32));
    }
}
