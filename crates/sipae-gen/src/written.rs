//! How values are written in script files where serde's own form is not what people would write.

mod each;
mod known;
pub(crate) mod octets;
mod party;
mod text;

pub(crate) use each::{checks, got, steps};
pub(crate) use known::{name, names, some_version, version};
pub(crate) use party::WrittenParty;
pub(crate) use text::WrittenText;

/// Whether a value is the usual one, which is not written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A number of 64 bits as text, since many readers of JSON round large numbers.
pub(crate) mod decimal {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = Some(text.as_str()).filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| D::Error::custom(format!("{text:?} is no number of 64 bits")))
    }
}

/// The kind of challenge: the status code that a server or a proxy challenges with.
pub(crate) mod kind {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
        match Option::deserialize(deserializer)? {
            Some(kind) if kind != 401 && kind != 407 => {
                Err(D::Error::custom(format!("no challenge has the status code {kind}")))
            }
            kind => Ok(kind),
        }
    }
}
