//! Parts of a token, built front to back.

use crate::model::{Decoding, Part};
use crate::octets::hex;

impl Part {
    /// A part with a value.
    pub(super) fn new(
        name: impl Into<String>,
        value: impl Into<String>,
        offset: usize,
        length: usize,
    ) -> Self {
        Self { name: name.into(), value: value.into(), offset, length, fields: Vec::new() }
    }

    /// A part that is shown as octets.
    pub(super) fn octets(name: impl Into<String>, octets: &[u8], offset: usize) -> Self {
        Self::new(name, hex(octets), offset, octets.len())
    }

    /// With parts of its own.
    pub(super) fn with(self, fields: Vec<Self>) -> Self {
        Self { fields, ..self }
    }
}

impl Decoding {
    /// Octets of this format.
    pub(super) fn new(format: impl Into<String>, octets: &[u8]) -> Self {
        Self {
            format: format.into(),
            length: octets.len(),
            fields: Vec::new(),
            remarks: Vec::new(),
            octets: None,
        }
    }

    /// Octets that nothing is known about.
    pub(super) fn unknown(octets: &[u8]) -> Self {
        Self { octets: Some(hex(octets)), ..Self::new("unknown", octets) }
    }

    pub(super) fn with(self, fields: Vec<Part>) -> Self {
        Self { fields, ..self }
    }

    pub(super) fn remark(mut self, remark: Option<String>) -> Self {
        self.remarks.extend(remark);
        self
    }
}
