//! One guess at what was signed, how, and with which key.

use sipae::auth::AuthHeader;
use sipae::buffer::Field;
use sipae::message::{Message, MessageError};
use sipae::side::Side;
use sipae::version::Version;

use super::keys::{Keys, NtlmMode};
use crate::explain::signature_buffer;

/// A signature buffer that may be altered, and how it is verified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    /// The version whose layout it began with.
    pub(crate) version: Version,
    /// Elements in order.
    pub(crate) elements: Vec<(Field, Vec<u8>)>,
    /// What is signed behind the last element.
    pub(crate) tail: &'static [u8],
    /// Whose key.
    pub(crate) signer: Side,
    /// The place of a key among those of others that is taken instead.
    pub(crate) other_key: Option<usize>,
    pub(crate) mode: NtlmMode,
    pub(crate) signature: Vec<u8>,
}

impl Attempt {
    /// What the rules say.
    pub(crate) fn new(
        message: &Message<'_>,
        header: &AuthHeader<'_>,
        signer: Side,
        version: Version,
        signature: &[u8],
    ) -> Result<Self, MessageError> {
        let buffer = signature_buffer(message, header, signer, version)?;
        let elements = buffer.elements().map(|(field, value)| (field, value.unfolded().into_owned()));
        Ok(Self {
            version,
            elements: elements.collect(),
            tail: b"",
            signer,
            other_key: None,
            mode: NtlmMode::default(),
            signature: signature.to_vec(),
        })
    }

    pub(crate) fn verifies(&self, keys: &Keys) -> bool {
        let key = match self.other_key {
            Some(place) => keys.others.get(place).map(|(key, _)| key),
            None => keys.of(self.signer),
        };
        key.is_some_and(|key| key.verifies(self.mode, &self.octets(), &self.signature))
    }

    fn octets(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        for (_, value) in &self.elements {
            out.push(b'<');
            out.extend_from_slice(value);
            out.push(b'>');
        }
        out.extend_from_slice(self.tail);
        out
    }

    pub(crate) fn get(&self, field: Field) -> Option<&[u8]> {
        self.elements.iter().find(|(known, _)| *known == field).map(|(_, value)| value.as_slice())
    }

    /// With another value; an element that the layout has not stays away.
    pub(crate) fn with(&self, field: Field, value: &[u8]) -> Self {
        let mut altered = self.clone();
        for (_, old) in altered.elements.iter_mut().filter(|(known, _)| *known == field) {
            *old = value.to_vec();
        }
        altered
    }

    /// With a value made of the old one.
    pub(crate) fn map(&self, field: Field, alter: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        self.get(field).map_or_else(|| self.clone(), |value| self.with(field, &alter(value)))
    }

    /// Without these elements.
    pub(crate) fn without(&self, fields: &[Field]) -> Self {
        let mut altered = self.clone();
        altered.elements.retain(|(field, _)| !fields.contains(field));
        altered
    }

    /// With an empty element at the end.
    pub(crate) fn with_empty(&self, field: Field) -> Self {
        let mut altered = self.clone();
        altered.elements.push((field, Vec::new()));
        altered
    }

    pub(crate) fn with_mode(&self, alter: impl Fn(&mut NtlmMode)) -> Self {
        let mut altered = self.clone();
        alter(&mut altered.mode);
        altered
    }
}
