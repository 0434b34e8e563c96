//! What a codec computed, and what a vector expects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::compare::{self, Difference};
use crate::hex::Hex;

/// What a codec computed: results by the names of the vector files, in the order of their names.
///
/// ```
/// use sipae_vectors::{Answer, Expected};
///
/// let answer = Answer::new().hex("digest", &[0xab, 0xcd]).flag("valid", true);
/// let expected: Expected = serde_json::from_str(r#"{"digest": "ABCD"}"#)?;
/// assert!(answer.differences(&expected).is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answer(Map<String, Value>);

impl Answer {
    /// No result yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With octets, written as lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(self, name: &str, octets: &[u8]) -> Self {
        self.value(name, digits(octets))
    }

    /// With octets, or null where there are none (a text that does not decode).
    #[must_use]
    pub fn hex_or_null(self, name: &str, octets: Option<&[u8]>) -> Self {
        self.value(name, octets.map(digits))
    }

    /// With a list of octets.
    #[must_use]
    pub fn hex_list<T: AsRef<[u8]>>(self, name: &str, items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(|item| digits(item.as_ref()));
        self.value(name, items.collect::<Vec<_>>())
    }

    /// With text.
    #[must_use]
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.value(name, text.into())
    }

    /// With a number.
    #[must_use]
    pub fn number(self, name: &str, number: impl Into<u64>) -> Self {
        self.value(name, number.into())
    }

    /// With a yes or no.
    #[must_use]
    pub fn flag(self, name: &str, flag: bool) -> Self {
        self.value(name, flag)
    }

    /// With texts by name, like the parameters of a header field or the buffers by version.
    #[must_use]
    pub fn texts<K, V>(self, name: &str, members: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let members = members.into_iter().map(|(key, text)| (key.into(), Value::String(text.into())));
        self.value(name, members.collect::<Map<_, _>>())
    }

    /// With any other value; a name given twice keeps the last one.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The result of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// What is expected and not there, or otherwise there; results that nobody asked for do not count.
    #[must_use]
    pub fn differences(&self, expected: &Expected) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (name, value) in &expected.0 {
            compare::result(name, value, self.get(name), &mut differences);
        }
        differences
    }
}

fn digits(octets: &[u8]) -> String {
    Hex::from(octets).to_string()
}

/// The results that a vector expects, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expected(Map<String, Value>);

impl Expected {
    /// Whether nothing is expected, so that no answer could be wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a refusal is expected: nothing can be computed, and every result is null.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !self.is_empty() && self.0.values().all(Value::is_null)
    }

    /// Whether an answer has anything that is compared with what is expected: remarks alone need not be answered.
    pub(crate) fn is_compared_with(&self, answer: &Answer) -> bool {
        self.0.keys().any(|name| name != compare::REMARKS || answer.get(name).is_some())
    }

    /// The expected result of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// What one codec answers, expected of another one.
impl From<Answer> for Expected {
    fn from(answer: Answer) -> Self {
        Self(answer.0)
    }
}

impl FromIterator<(String, Value)> for Expected {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_are_written_as_the_files_write_them() {
        let answer = Answer::new()
            .hex("key", &[0xff])
            .hex_or_null("decoded", None)
            .hex_list("signatures", [vec![0xab], vec![]])
            .text("scheme", "NTLM")
            .number("value", u32::MAX)
            .flag("valid", true)
            .texts("params", [("qop", "auth")])
            .value("pairs", json!([["EOL", ""]]));
        let json = json!({"key": "ff", "decoded": null, "signatures": ["ab", ""], "scheme": "NTLM",
            "value": 4_294_967_295_u32, "valid": true, "params": {"qop": "auth"}, "pairs": [["EOL", ""]]});
        assert_eq!(serde_json::to_value(&answer).expect("json"), json);
        assert_eq!(serde_json::from_value::<Answer>(json).expect("an answer"), answer);
    }

    #[test]
    fn only_expected_results_count() {
        let expected: Expected = [("valid".to_owned(), json!(true))].into_iter().collect();
        assert!(Answer::new().flag("valid", true).number("seq", 1_u8).differences(&expected).is_empty());
        assert_eq!(Answer::new().number("seq", 1_u8).differences(&expected).len(), 1);
    }
}
