//! Octets: text where they are UTF-8, hexadecimal digits otherwise.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Octets as they are written.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text, or {\"hex\": digits}")]
enum WrittenOctets {
    Text(String),
    Hex { hex: String },
}

impl From<&[u8]> for WrittenOctets {
    fn from(octets: &[u8]) -> Self {
        match str::from_utf8(octets) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Hex { hex: to_hex(octets) },
        }
    }
}

impl TryFrom<WrittenOctets> for Vec<u8> {
    type Error = String;

    fn try_from(written: WrittenOctets) -> Result<Self, String> {
        match written {
            WrittenOctets::Text(text) => Ok(text.into_bytes()),
            WrittenOctets::Hex { hex } => from_hex(&hex),
        }
    }
}

pub(super) fn to_hex(octets: &[u8]) -> String {
    base16ct::lower::encode_string(octets)
}

pub(super) fn from_hex(digits: &str) -> Result<Vec<u8>, String> {
    base16ct::mixed::decode_vec(digits).map_err(|_| "hexadecimal digits that stand for no octets".to_owned())
}

pub(crate) fn serialize<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    WrittenOctets::from(octets).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    WrittenOctets::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
}
