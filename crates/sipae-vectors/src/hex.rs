//! Octets written as hexadecimal digits.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Octets; in JSON a string with two hexadecimal digits for each, lower case when written, either case when read.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex(pub Vec<u8>);

/// A text that is not an even number of hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid hex {0:?}")]
pub struct InvalidHex(pub String);

impl Hex {
    /// Reads digits of either case; no blanks, no prefix.
    pub fn parse(text: &str) -> Result<Self, InvalidHex> {
        octets(text).map(Self).ok_or_else(|| InvalidHex(text.to_owned()))
    }

    /// The octets.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Whether the text is octets in hexadecimal digits of either case.
pub(crate) fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|character| character.is_ascii_hexdigit())
}

impl From<Vec<u8>> for Hex {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets)
    }
}

impl From<&[u8]> for Hex {
    fn from(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }
}

impl AsRef<[u8]> for Hex {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Hex {
    type Err = InvalidHex;

    fn from_str(text: &str) -> Result<Self, InvalidHex> {
        Self::parse(text)
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hex({self})")
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HexVisitor)
    }
}

struct HexVisitor;

impl de::Visitor<'_> for HexVisitor {
    type Value = Hex;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("octets as hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex, E> {
        Hex::parse(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_case_is_read_and_lower_case_is_written() {
        let octets: Hex = "00fFaB".parse().expect("digits");
        assert_eq!(octets.as_slice(), [0x00, 0xff, 0xab]);
        assert_eq!(octets.to_string(), "00ffab");
    }

    #[test]
    fn no_digits_are_no_octets() {
        assert_eq!(Hex::parse(""), Ok(Hex::default()));
    }

    #[test]
    fn an_odd_digit_a_blank_a_prefix_and_a_wide_character_are_refused() {
        for text in ["0", "0 ", "0g", "0x", "é"] {
            assert_eq!(Hex::parse(text), Err(InvalidHex(text.to_owned())), "{text:?}");
            assert!(!is_hex(text), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_not_octets() {
        let error = serde_json::from_str::<Hex>("12").expect_err("a number");
        assert!(error.to_string().contains("expected octets as hexadecimal digits"), "{error}");
    }
}
