//! Small structures that several messages share (RFC 4120 5.2.9).

use super::der::{self, Reader};
use super::key::{Key, Usage};
use super::{EncryptionType, KerberosError};
use crate::clock::Entropy;

/// EncryptedData.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedData {
    /// Number of the encryption type, known or not.
    pub etype: i32,
    /// Version of the key, where one is named.
    pub kvno: Option<u32>,
    /// What is encrypted.
    pub cipher: Vec<u8>,
}

impl EncryptedData {
    pub(super) fn encrypt(key: &Key, usage: Usage, plain: &[u8], entropy: &mut dyn Entropy) -> Self {
        Self { etype: key.etype().number(), kvno: None, cipher: key.encrypt(usage, plain, entropy) }
    }

    pub(super) fn decrypt(
        &self,
        key: &Key,
        usage: Usage,
        what: &'static str,
    ) -> Result<Vec<u8>, KerberosError> {
        if self.etype != key.etype().number() {
            return Err(KerberosError::EncryptionType { what, found: self.etype });
        }
        key.decrypt(usage, &self.cipher).ok_or(KerberosError::Integrity { what })
    }

    pub(super) fn read(field: &mut Reader<'_>, what: &'static str) -> Result<Self, KerberosError> {
        let mut data = field.sequence(what)?;
        Ok(Self {
            etype: data.field(0, what)?.number(what)?,
            kvno: data.optional(1, what)?.map(|mut kvno| kvno.word(what)).transpose()?,
            cipher: data.field(2, what)?.octets(what)?,
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        der::sequence(&[
            der::field(0, &der::integer(self.etype.into())),
            der::optional(1, self.kvno.map(|kvno| der::integer(kvno.into()))),
            der::field(2, &der::octet_string(&self.cipher)),
        ])
    }
}

/// EncryptionKey: a key of any type, known or not.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionKey {
    /// Number of the encryption type.
    pub etype: i32,
    /// The secret.
    pub octets: Vec<u8>,
}

impl EncryptionKey {
    /// As a key that can be used.
    pub fn key(&self, what: &'static str) -> Result<Key, KerberosError> {
        let unknown = KerberosError::EncryptionType { what, found: self.etype };
        Key::new(EncryptionType::from_number(self.etype).ok_or(unknown)?, &self.octets)
    }

    pub(super) fn read(field: &mut Reader<'_>, what: &'static str) -> Result<Self, KerberosError> {
        let mut key = field.sequence(what)?;
        Ok(Self { etype: key.field(0, what)?.number(what)?, octets: key.field(1, what)?.octets(what)? })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        der::sequence(&[
            der::field(0, &der::integer(self.etype.into())),
            der::field(1, &der::octet_string(&self.octets)),
        ])
    }
}

impl From<&Key> for EncryptionKey {
    fn from(key: &Key) -> Self {
        Self { etype: key.etype().number(), octets: key.octets().to_vec() }
    }
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EncryptionKey(type {})", self.etype)
    }
}

/// Checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// Its type; 0x8003 for GSS.
    pub kind: i32,
    /// Its octets.
    pub octets: Vec<u8>,
}

impl Checksum {
    pub(super) fn read(field: &mut Reader<'_>, what: &'static str) -> Result<Self, KerberosError> {
        let mut checksum = field.sequence(what)?;
        Ok(Self {
            kind: checksum.field(0, what)?.number(what)?,
            octets: checksum.field(1, what)?.octets(what)?,
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        der::sequence(&[
            der::field(0, &der::integer(self.kind.into())),
            der::field(1, &der::octet_string(&self.octets)),
        ])
    }
}
