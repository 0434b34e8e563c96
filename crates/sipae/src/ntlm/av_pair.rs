//! AV_PAIR lists ([MS-NLMP] 2.2.2.1).

use super::NtlmError;
use super::wire::{from_utf16, utf16};
use crate::octets::slice;

/// AvId. Unknown identifiers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AvId(pub u16);

macro_rules! av_ids {
    ($($constant:ident $name:literal $id:literal $is_text:literal;)*) => {
        #[expect(non_upper_case_globals, reason = "the names of [MS-NLMP] 2.2.2.1")]
        impl AvId {
            $(#[doc = concat!("MsvAv", $name)] pub const $constant: Self = Self($id);)*

            /// Identifier, name without prefix, and whether the value is UTF-16 text.
            pub const NAMED: &'static [(Self, &'static str, bool)] = &[$((Self::$constant, $name, $is_text),)*];
        }
    };
}

av_ids! {
    Eol "EOL" 0 false;
    NbComputerName "NbComputerName" 1 true;
    NbDomainName "NbDomainName" 2 true;
    DnsComputerName "DnsComputerName" 3 true;
    DnsDomainName "DnsDomainName" 4 true;
    DnsTreeName "DnsTreeName" 5 true;
    Flags "Flags" 6 false;
    Timestamp "Timestamp" 7 false;
    SingleHost "SingleHost" 8 false;
    TargetName "TargetName" 9 true;
    ChannelBindings "ChannelBindings" 10 false;
}

impl AvId {
    fn row(self) -> Option<&'static (Self, &'static str, bool)> {
        Self::NAMED.iter().find(|(id, ..)| *id == self)
    }

    /// Name without prefix, or the number.
    #[must_use]
    pub fn name(self) -> String {
        self.row().map_or_else(|| self.0.to_string(), |(_, name, _)| (*name).to_owned())
    }

    /// The identifier with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, known, _)| *known == name).map(|(id, ..)| *id)
    }

    /// Whether the value is UTF-16 text.
    #[must_use]
    pub fn is_text(self) -> bool {
        self.row().is_some_and(|(.., is_text)| *is_text)
    }
}

/// One pair; the value as on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvPair {
    /// AvId.
    pub id: AvId,
    /// Value, at most 65,535 octets.
    pub value: Vec<u8>,
}

/// A value as it is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AvValue {
    /// Text.
    Text(String),
    /// Anything else, invalid UTF-16 included.
    Octets(Vec<u8>),
}

impl AvPair {
    /// A pair with a text value.
    #[must_use]
    pub fn text(id: AvId, text: &str) -> Self {
        Self { id, value: utf16(text) }
    }

    /// The value, as text where it is one.
    #[must_use]
    pub fn decoded(&self) -> AvValue {
        let text = self.id.is_text().then(|| from_utf16(&self.value)).flatten();
        text.map_or_else(|| AvValue::Octets(self.value.clone()), AvValue::Text)
    }
}

/// A list, without its MsvAvEOL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AvPairs(pub Vec<AvPair>);

impl AvPairs {
    /// Reads up to and with MsvAvEOL; what follows it is not looked at.
    ///
    /// # Errors
    /// When a pair runs past the end or MsvAvEOL is missing.
    pub fn read(octets: &[u8]) -> Result<Self, NtlmError> {
        let mut pairs = Vec::new();
        let mut offset = 0;
        loop {
            let cut = NtlmError::AvPairs { offset };
            let &[i0, i1, l0, l1] = slice(octets, offset, offset + 4) else { return Err(cut) };
            let (id, length) =
                (AvId(u16::from_le_bytes([i0, i1])), usize::from(u16::from_le_bytes([l0, l1])));
            if id == AvId::Eol {
                return Ok(Self(pairs));
            }
            let value = octets.get(offset + 4..offset + 4 + length).ok_or(cut)?.to_vec();
            pairs.push(AvPair { id, value });
            offset += 4 + length;
        }
    }

    /// Writes the list with its MsvAvEOL.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for pair in &self.0 {
            let length = u16::try_from(pair.value.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&pair.id.0.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
            out.extend(pair.value.iter().take(usize::from(length)));
        }
        out.extend_from_slice(&[0; 4]);
        out
    }

    /// The value of the first pair with this identifier.
    #[must_use]
    pub fn get(&self, id: AvId) -> Option<&[u8]> {
        self.0.iter().find(|pair| pair.id == id).map(|pair| pair.value.as_slice())
    }
}
