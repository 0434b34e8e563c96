//! Reading the files that MIT keeps keys in: numbers with the high octet first, and octets behind their count.

use super::{EncryptionType, KerberosError, Key};

/// How a file of some kind says what is wrong with it, and where.
type Wrong = fn(&'static str, usize) -> KerberosError;

/// What is left of a file or of a part of it.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
    offset: usize,
    wrong: Wrong,
}

impl<'a> Reader<'a> {
    /// The file behind the octets of its format; `not_this` says that it has others.
    pub(super) fn new(
        file: &'a [u8],
        format: [u8; 2],
        not_this: &'static str,
        wrong: Wrong,
    ) -> Result<Self, KerberosError> {
        let rest = file.strip_prefix(&format).ok_or_else(|| wrong(not_this, 0))?;
        Ok(Self { rest, offset: format.len(), wrong })
    }

    pub(super) fn wrong(&self, problem: &'static str) -> KerberosError {
        (self.wrong)(problem, self.offset)
    }

    pub(super) fn part(&mut self, length: usize) -> Result<Self, KerberosError> {
        let (part, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.wrong("is cut short"))?;
        let (offset, wrong) = (self.offset, self.wrong);
        *self = Self { rest, offset: offset + length, wrong };
        Ok(Self { rest: part, offset, wrong })
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], KerberosError> {
        let part = self.part(N)?;
        part.rest.try_into().map_err(|_| part.wrong("is cut short"))
    }

    /// All of it as text.
    pub(super) fn text(&self) -> Result<String, KerberosError> {
        String::from_utf8(self.rest.to_vec()).map_err(|_| self.wrong("has a name that is not UTF-8"))
    }

    /// All of it as a key; `None` for an encryption type that is not known.
    pub(super) fn key(&self, etype: [u8; 2]) -> Result<Option<Key>, KerberosError> {
        let etype = EncryptionType::from_number(u16::from_be_bytes(etype).into());
        let key = etype.map(|etype| Key::new(etype, self.rest)).transpose();
        key.map_err(|_| self.wrong("has a key of another length"))
    }
}
