//! Keys: where they come from, and what is encrypted with them.

use std::fmt;

use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::crypto::{Aes, hmac_sha1_96, keyed_hmac_sha1};
use super::{EncryptionType, KerberosError};
use crate::clock::Entropy;
use crate::ntlm::{hmac_md5, ntowfv1, rc4};

/// Rounds of PBKDF2 where nobody says otherwise (RFC 3962 4).
const ROUNDS: u32 = 4096;

/// What is encrypted, so that no part can stand in place of another (RFC 4120 7.5.1).
#[derive(Clone, Copy)]
pub(super) enum Usage {
    Ticket,
    Authenticator,
    ApRep,
    AcceptorSign,
    InitiatorSign,
}

/// Which key is derived for a usage (RFC 3961 5.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Encryption,
    Integrity,
    Checksum,
}

impl Usage {
    const fn number(self) -> u32 {
        match self {
            Self::Ticket => 2,
            Self::Authenticator => 11,
            Self::ApRep => 12,
            Self::AcceptorSign => 23,
            Self::InitiatorSign => 25,
        }
    }
}

impl Purpose {
    const fn octet(self) -> u8 {
        match self {
            Self::Encryption => 0xAA,
            Self::Integrity => 0x55,
            Self::Checksum => 0x99,
        }
    }
}

/// A key of a service, a session or a sub-session. Compared in constant time, and never shown.
#[derive(Clone)]
pub struct Key {
    etype: EncryptionType,
    octets: Vec<u8>,
}

impl Key {
    /// A key of as many octets as its type has.
    pub fn new(etype: EncryptionType, octets: &[u8]) -> Result<Self, KerberosError> {
        if octets.len() != etype.key_length() {
            return Err(KerberosError::KeyLength { etype, length: octets.len() });
        }
        Ok(Self { etype, octets: octets.to_vec() })
    }

    /// The key of a principal. The salt of a Windows account is its realm and name (`CONTOSO.COMalice`; for computers
    /// [MS-KILE] 3.1.1.2); RC4 has none.
    #[must_use]
    pub fn from_password(etype: EncryptionType, password: &str, salt: &str) -> Self {
        Self::from_password_with(etype, password, salt.as_bytes(), ROUNDS)
    }

    /// The same with another number of rounds, which is at least 1.
    #[must_use]
    pub fn from_password_with(etype: EncryptionType, password: &str, salt: &[u8], rounds: u32) -> Self {
        let octets = match etype {
            EncryptionType::Rc4 => ntowfv1(password).to_vec(),
            EncryptionType::Aes256 | EncryptionType::Aes128 => {
                let seed = Self::pbkdf2(etype, password, salt, rounds);
                derive(&seed, b"kerberos")
            }
        };
        Self { etype, octets }
    }

    /// What the password is stretched to, before DK makes the key of it (RFC 3962 4).
    #[must_use]
    pub fn pbkdf2(etype: EncryptionType, password: &str, salt: &[u8], rounds: u32) -> Vec<u8> {
        let mut seed = vec![0; etype.key_length()];
        pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt, rounds.max(1), &mut seed);
        seed
    }

    /// A random key.
    #[must_use]
    pub fn random(etype: EncryptionType, entropy: &mut dyn Entropy) -> Self {
        let mut octets = vec![0; etype.key_length()];
        entropy.fill(&mut octets);
        Self { etype, octets }
    }

    /// Its encryption type.
    #[must_use]
    pub const fn etype(&self) -> EncryptionType {
        self.etype
    }

    /// The secret itself, for a keytab or a second implementation.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// DK of RFC 3961 5.1. `None` for RC4, which derives nothing.
    #[must_use]
    pub fn derive(&self, constant: &[u8]) -> Option<Vec<u8>> {
        self.etype.is_newer().then(|| derive(&self.octets, constant))
    }

    /// The key of a usage and a purpose.
    pub(super) fn derived(&self, usage: Usage, purpose: Purpose) -> Vec<u8> {
        let [u0, u1, u2, u3] = usage.number().to_be_bytes();
        derive(&self.octets, &[u0, u1, u2, u3, purpose.octet()])
    }

    pub(super) fn encrypt(&self, usage: Usage, plain: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        if self.etype.is_newer() {
            let confounded = [&entropy.octets::<AES_CONFOUNDER>(), plain].concat();
            return self.encrypt_aes(usage, confounded);
        }
        let confounded = [&entropy.octets::<RC4_CONFOUNDER>(), plain].concat();
        let usage_key = self.rc4_usage_key(usage);
        let checksum = hmac_md5(&usage_key, &[&confounded]);
        [&checksum[..], &rc4(&hmac_md5(&usage_key, &[&checksum]), &confounded)].concat()
    }

    /// `None` where the octets are not what was encrypted with this key for this usage.
    pub(super) fn decrypt(&self, usage: Usage, encrypted: &[u8]) -> Option<Vec<u8>> {
        if self.etype.is_newer() {
            return self.decrypt_aes(usage, encrypted);
        }
        let (checksum, ciphertext) = encrypted.split_first_chunk::<16>()?;
        let usage_key = self.rc4_usage_key(usage);
        let mut plain = rc4(&hmac_md5(&usage_key, &[checksum]), ciphertext);
        let is_right =
            RC4_CONFOUNDER <= plain.len() && bool::from(hmac_md5(&usage_key, &[&plain]).ct_eq(checksum));
        is_right.then(|| plain.split_off(RC4_CONFOUNDER))
    }

    /// RFC 3961 5.3: the checksum is that of the plain octets, behind the enciphered ones.
    fn encrypt_aes(&self, usage: Usage, mut octets: Vec<u8>) -> Vec<u8> {
        let checksum = self.integrity(usage, &octets);
        if let Some(cipher) = self.cipher(usage) {
            cipher.encrypt(&mut octets);
        }
        octets.extend_from_slice(&checksum);
        octets
    }

    fn decrypt_aes(&self, usage: Usage, encrypted: &[u8]) -> Option<Vec<u8>> {
        let (ciphertext, checksum) = encrypted.split_last_chunk::<12>()?;
        if ciphertext.len() < AES_CONFOUNDER {
            return None;
        }
        let mut plain = ciphertext.to_vec();
        self.cipher(usage)?.decrypt(&mut plain);
        let is_right = bool::from(self.integrity(usage, &plain).ct_eq(checksum));
        is_right.then(|| plain.split_off(AES_CONFOUNDER))
    }

    fn cipher(&self, usage: Usage) -> Option<Aes> {
        Aes::new(&self.derived(usage, Purpose::Encryption))
    }

    fn integrity(&self, usage: Usage, octets: &[u8]) -> [u8; 12] {
        hmac_sha1_96(keyed_hmac_sha1(&self.derived(usage, Purpose::Integrity)), &[octets])
    }

    /// K1 of RFC 4757 4. Its usages have the numbers of RFC 4120 for what is encrypted here.
    fn rc4_usage_key(&self, usage: Usage) -> [u8; 16] {
        hmac_md5(&self.octets, &[&usage.number().to_le_bytes()])
    }
}

const AES_CONFOUNDER: usize = 16;
const RC4_CONFOUNDER: usize = 8;

/// As long as the key.
fn derive(key: &[u8], constant: &[u8]) -> Vec<u8> {
    Aes::new(key).map_or_else(Vec::new, |cipher| cipher.derive(constant, key.len()))
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.etype == other.etype && self.octets.ct_eq(&other.octets).into()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.etype)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::encoding::encode_base16;
    use EncryptionType::{Aes128, Aes256, Rc4};

    const ATHENA: &[u8] = b"ATHENA.MIT.EDUraeburn";

    /// RFC 3962 B; the last one has a password of more than a block of HMAC.
    #[rstest]
    #[case(Aes128, "password", ATHENA, 1, "42263c6e89f4fc28b8df68ee09799f15")]
    #[case(Aes256, "password", ATHENA, 1, "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161")]
    #[case(Aes128, "password", ATHENA, 1200, "4c01cd46d632d01e6dbe230a01ed642a")]
    #[case(
        Aes256,
        "password",
        ATHENA,
        1200,
        "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a"
    )]
    #[case(
        Aes256,
        "\u{1D11E}",
        b"EXAMPLE.COMpianist",
        50,
        "4b6d9839f84406df1f09cc166db4b83c571848b784a3d6bdc346589a3e393f9e"
    )]
    #[case(Aes128, &"X".repeat(65), b"pass phrase exceeds block size", 1200, "cb8005dc5f90179a7f02104c0018751d")]
    fn a_key_of_a_password_is_that_of_the_published_figures(
        #[case] etype: EncryptionType,
        #[case] password: &str,
        #[case] salt: &[u8],
        #[case] rounds: u32,
        #[case] key: &str,
    ) {
        assert_eq!(encode_base16(Key::from_password_with(etype, password, salt, rounds).octets()), key);
    }

    /// `ktutil` of MIT krb5 1.20.1, `addent -password` for `sip/server.contoso.com@CONTOSO.COM`.
    #[rstest]
    #[case(Aes256, "c8b4a57c0d700c116698ae4732213fbd91555cdac8deb67ea8a4a7af62d314e3")]
    #[case(Aes128, "4862c19305b9b999fb7e693cffa7f1ee")]
    #[case(Rc4, "48d77a6ca217d780d28ee240ee4446b2")]
    fn the_key_of_a_principal_is_salted_with_its_name(#[case] etype: EncryptionType, #[case] key: &str) {
        let service = crate::kerberos::Principal::service("sip", "server.contoso.com", "CONTOSO.COM");
        assert_eq!(encode_base16(Key::from_password(etype, "svcpw", &service.salt()).octets()), key);
    }

    #[rstest]
    #[case(Aes256, 16)]
    #[case(Aes128, 32)]
    #[case(Rc4, 0)]
    fn a_key_has_the_length_of_its_type(#[case] etype: EncryptionType, #[case] length: usize) {
        let made = Key::new(etype, &vec![0; length]);
        assert_eq!(made, Err(KerberosError::KeyLength { etype, length }));
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = Key::new(Rc4, b"SECRET SECRET 16").unwrap();
        assert_eq!(format!("{key:?}"), "Key(rc4-hmac)");
    }

    proptest! {
        #[test]
        fn only_the_same_key_and_usage_decrypt(octets: [u8; 32], plain in vec(any::<u8>(), 0..80), at: prop::sample::Index) {
            for etype in EncryptionType::ALL {
                let key = Key::new(etype, &octets[..etype.key_length()]).unwrap();
                let mut encrypted = key.encrypt(Usage::Ticket, &plain, &mut |octets: &mut [u8]| octets.fill(7));
                prop_assert_eq!(key.decrypt(Usage::Ticket, &encrypted), Some(plain.clone()));
                prop_assert_eq!(key.decrypt(Usage::ApRep, &encrypted), None);
                let place = at.index(encrypted.len());
                encrypted[place] ^= 1;
                prop_assert_eq!(key.decrypt(Usage::Ticket, &encrypted), None);
            }
        }

        #[test]
        fn any_octets_are_refused(octets in vec(any::<u8>(), 0..64)) {
            for etype in EncryptionType::ALL {
                let key = Key::new(etype, &[9; 32][..etype.key_length()]).unwrap();
                prop_assert_eq!(key.decrypt(Usage::Ticket, &octets), None);
            }
        }
    }
}
