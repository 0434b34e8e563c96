//! Values of the core, which has no serde, by their names and numbers.

use sipae::auth::{AuthParam, Scheme};
use sipae::message::HeaderName;

/// A value with a name, out of a closed list.
pub(crate) trait Known: Copy + 'static {
    /// What a name is that is not in the list.
    const WHAT: &'static str;
    /// The list.
    const ALL: &'static [Self];

    /// The name as it is written, letter by letter.
    fn name(self) -> &'static str;
}

impl Known for Scheme {
    const WHAT: &'static str = "scheme";
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Known for AuthParam {
    const WHAT: &'static str = "parameter of a credential";
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Known for HeaderName {
    const WHAT: &'static str = "header field";
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

fn find<T: Known, E: serde::de::Error>(name: &str) -> Result<T, E> {
    let unknown = || E::custom(format!("unknown {} {name:?}", T::WHAT));
    T::ALL.iter().copied().find(|known| known.name() == name).ok_or_else(unknown)
}

/// A known value as its name.
pub(crate) mod name {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Known, find};

    pub(crate) fn serialize<T: Known, S: Serializer>(known: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(known.name())
    }

    pub(crate) fn deserialize<'de, T: Known, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        find(&String::deserialize(deserializer)?)
    }
}

/// Known values as their names.
pub(crate) mod names {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Known, find};

    pub(crate) fn serialize<T: Known, S: Serializer>(known: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(known.iter().map(|known| known.name()))
    }

    pub(crate) fn deserialize<'de, T: Known, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        Vec::<String>::deserialize(deserializer)?.iter().map(|name| find(name)).collect()
    }
}

/// A version as its number.
pub(crate) mod version {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use sipae::version::Version;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(version.number())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        let number = u32::deserialize(deserializer)?;
        Version::from_number(number).ok_or_else(|| D::Error::custom(format!("unknown version {number}")))
    }
}

/// A version as its number, where there is one.
pub(crate) mod some_version {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use sipae::version::Version;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Number(#[serde(with = "super::version")] Version);

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(
        version: &Option<Version>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        version.map(Number).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Version>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(|Number(version)| version))
    }
}
