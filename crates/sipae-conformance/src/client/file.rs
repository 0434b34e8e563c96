//! Conversations with clients as files, so that they are played again without what made them.

use serde::{Deserialize, Serialize};
use sipae_gen::{Mode, Service};

use super::case::ClientCase;
use super::cases;
use super::generated::Foreseen;

/// A stored conversation with a client. What is foreseen judges it, or the written case that it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFile {
    /// Name and version of the program that wrote it.
    pub program: String,
    /// The case that it is of.
    pub case: String,
    /// What a right client does, as a statement.
    pub title: String,
    /// The rows that it judges.
    pub requirements: Vec<String>,
    /// Scheme and version.
    #[serde(flatten)]
    pub mode: Mode,
    /// What is random in it follows from this number, which is text: readers of JSON round large ones.
    #[serde(with = "seed")]
    pub seed: u64,
    /// What the suite does.
    pub service: Service,
    /// What the client makes of it; empty where a written case judges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreseen: Vec<Foreseen>,
}

impl ServiceFile {
    /// How long a file may be, in octets.
    pub const MAX_OCTETS: usize = 16 * 1024 * 1024;

    /// Reads a text.
    ///
    /// # Errors
    /// Where it is no such file, and why, in one line.
    pub fn read(text: &str) -> Result<Self, String> {
        if Self::MAX_OCTETS < text.len() {
            return Err(format!("longer than {} octets", Self::MAX_OCTETS));
        }
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Whether a text is one of these, and not a conversation with a server: it has a `service`.
    #[must_use]
    pub fn claims(text: &str) -> bool {
        let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
        text.len() <= Self::MAX_OCTETS && value.is_some_and(|value| value.get("service").is_some())
    }

    /// The written case that it is of.
    #[must_use]
    pub fn written(&self) -> Option<&'static ClientCase> {
        cases::all().iter().filter(|case| !case.is_generated()).find(|case| case.id() == self.case)
    }

    /// As a value of JSON.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

mod seed {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("seed is no number of 64 bits"))
    }
}
