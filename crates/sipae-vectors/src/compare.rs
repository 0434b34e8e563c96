//! How an answer is compared with what a vector expects.

use core::fmt;

use serde_json::{Map, Value};

use crate::error::{InputError, join};
use crate::hex::{InvalidHex, is_hex};

/// One place where an answer is not what the vector expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, like `signatures[2]` or `buffers.4`.
    pub path: String,
    /// What the vector expects; none where the answer has a member or item too many.
    pub expected: Option<Value>,
    /// What the answer has; none where it has nothing.
    pub got: Option<Value>,
}

impl Difference {
    fn new(path: &str, expected: Option<&Value>, got: Option<&Value>) -> Self {
        Self { path: path.to_owned(), expected: expected.cloned(), got: got.cloned() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words =
            |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        write!(f, "{}: expected {}, got {}", self.path, words(&self.expected), words(&self.got))
    }
}

/// How the values under a name are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// As they are: text whose letter case matters, numbers, lists, objects. The rule for every name not listed.
    Exact,
    /// Octets: two strings of hexadecimal digits are equal in either letter case.
    Octets,
    /// Text in either letter case.
    AnyCase,
    /// An object of which the vector lists some members; members of the answer beyond those do not count.
    Listed,
    /// The value of an authentication header field that somebody writes: neither the order of its parameters nor the
    /// blanks around their commas carry a meaning.
    Header,
}

/// The names that are not compared [`Rule::Exact`]ly.
///
/// Text is never listed although it may look like octets: `canonical_upper`, tags, `opaque`, epids and all that
/// stands in a header field or a signature buffer is signed or compared by a peer as written. That goes for the
/// results of Digest too (`ha1`, `ha2`, `response`, `rspauth`): [RFC 2617] 3.2.2 hashes and sends them as lower-case
/// digits.
const RULES: &[(&str, Rule)] = &[
    // Primitives and encodings.
    ("decoded", Rule::Octets),
    ("digest", Rule::Octets),
    ("mac", Rule::Octets),
    ("output", Rule::Octets),
    ("value_le", Rule::Octets),
    ("wire_le", Rule::Octets),
    // NTLM, [MS-NLMP].
    ("authenticate", Rule::Octets),
    ("client_seal_key", Rule::Octets),
    ("client_sign_key", Rule::Octets),
    ("encoded", Rule::Octets),
    ("exported_session_key", Rule::Octets),
    ("key", Rule::Octets),
    ("key_exchange_key", Rule::Octets),
    ("lm_hash", Rule::Octets),
    ("lm_response", Rule::Octets),
    ("message", Rule::Octets),
    ("mic", Rule::Octets),
    ("nt_hash", Rule::Octets),
    ("nt_proof_str", Rule::Octets),
    ("nt_response", Rule::Octets),
    ("response_key_nt", Rule::Octets),
    ("sealed", Rule::Octets),
    ("sealing_key_prime", Rule::Octets),
    ("server_seal_key", Rule::Octets),
    ("server_sign_key", Rule::Octets),
    ("session_base_key", Rule::Octets),
    ("signature", Rule::Octets),
    ("signatures", Rule::Octets),
    ("tail", Rule::Octets),
    // SIP and endpoint identifiers. [RFC 4122] 3 reads UUIDs in either case, and products differ.
    ("buffers", Rule::Listed),
    ("header", Rule::Header),
    ("uuid", Rule::AnyCase),
    // A reader may tell what is written, or what is meant (SIPAE-2.2-01).
    ("scheme", Rule::AnyCase),
    // Kerberos.
    ("checksum", Rule::Octets),
    ("derived", Rule::Octets),
    ("pbkdf2", Rule::Octets),
    ("service_key", Rule::Octets),
    ("session_key", Rule::Octets),
    ("sgn_alg", Rule::Octets),
    ("snd_seq_encrypted", Rule::Octets),
    ("subkey", Rule::Octets),
    ("token", Rule::Octets),
    ("token_id", Rule::Octets),
    // TLS-DSK.
    ("cipher_suite", Rule::Octets),
    ("client_key", Rule::Octets),
    ("client_random", Rule::Octets),
    ("client_verify_data", Rule::Octets),
    ("key_material", Rule::Octets),
    ("master_secret", Rule::Octets),
    ("pre_master_secret", Rule::Octets),
    ("server_key", Rule::Octets),
    ("server_random", Rule::Octets),
    ("server_verify_data", Rule::Octets),
];

impl Rule {
    fn of(name: &str) -> Self {
        RULES.iter().find(|(listed, _)| *listed == name).map_or(Self::Exact, |(_, rule)| *rule)
    }

    /// The rule for the members and items of a value.
    const fn inside(self) -> Self {
        match self {
            Self::Listed => Self::Exact,
            rule => rule,
        }
    }

    fn same(self, expected: &str, got: &str) -> bool {
        match self {
            Self::Exact | Self::Listed => expected == got,
            Self::Header => written(expected) == written(got),
            Self::Octets if !is_hex(expected) || !is_hex(got) => expected == got,
            Self::Octets | Self::AnyCase => expected.eq_ignore_ascii_case(got),
        }
    }
}

/// Scheme and parameters of a header field value; the names in lower case, the values as written.
fn written(header: &str) -> (&str, Vec<String>) {
    let (scheme, params) = header.trim().split_once([' ', '\t']).unwrap_or((header, ""));
    let mut is_quoted = false;
    let params = params.split(|character| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    });
    let mut params: Vec<String> = params.map(|param| with_lower_case_name(param.trim())).collect();
    params.sort();
    (scheme, params)
}

fn with_lower_case_name(param: &str) -> String {
    let (name, value) = param.split_at(param.find('=').unwrap_or(param.len()));
    name.to_ascii_lowercase() + value
}

/// Whether what is expected under a name can be an answer at all: octets are hexadecimal digits.
pub(crate) fn readable(name: &str, expected: &Value) -> Result<(), InputError> {
    if Rule::of(name) == Rule::Octets { octets(name, expected) } else { Ok(()) }
}

fn octets(path: &str, expected: &Value) -> Result<(), InputError> {
    match expected {
        Value::String(text) if !is_hex(text) => Err(InputError::new(path, InvalidHex(text.clone()))),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(index, item)| octets(&join(path, &format!("[{index}]")), item))
        }
        Value::Object(members) => {
            members.iter().try_for_each(|(name, member)| octets(&join(path, name), member))
        }
        _ => Ok(()),
    }
}

/// The name under which a reader tells what it remarks. Not every reader does, and no rule of the specification asks for
/// it: an answer without is right, as far as it goes.
pub(crate) const REMARKS: &str = "findings";

/// Compares the results under one name.
pub(crate) fn result(name: &str, expected: &Value, got: Option<&Value>, out: &mut Vec<Difference>) {
    if got.is_some() || name != REMARKS {
        value(Rule::of(name), name, expected, got, out);
    }
}

fn value(rule: Rule, path: &str, expected: &Value, got: Option<&Value>, out: &mut Vec<Difference>) {
    match (expected, got) {
        (Value::Object(expected), Some(Value::Object(got))) => members(rule, path, expected, got, out),
        (Value::Array(expected), Some(Value::Array(got))) => items(rule, path, expected, got, out),
        (Value::String(expected), Some(Value::String(got))) if rule.same(expected, got) => {}
        (expected, Some(got)) if expected == got => {}
        _ => out.push(Difference::new(path, Some(expected), got)),
    }
}

fn members(
    rule: Rule,
    path: &str,
    expected: &Map<String, Value>,
    got: &Map<String, Value>,
    out: &mut Vec<Difference>,
) {
    for (name, member) in expected {
        let got = got.get(name);
        if got.is_some() || name != REMARKS {
            value(rule.inside(), &join(path, name), member, got, out);
        }
    }
    if rule != Rule::Listed {
        let extra = got.iter().filter(|(name, _)| !expected.contains_key(*name));
        out.extend(extra.map(|(name, member)| Difference::new(&join(path, name), None, Some(member))));
    }
}

fn items(rule: Rule, path: &str, expected: &[Value], got: &[Value], out: &mut Vec<Difference>) {
    for (index, item) in expected.iter().enumerate() {
        value(rule.inside(), &join(path, &format!("[{index}]")), item, got.get(index), out);
    }
    let extra = got.iter().enumerate().skip(expected.len());
    out.extend(
        extra.map(|(index, item)| Difference::new(&join(path, &format!("[{index}]")), None, Some(item))),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn differences(name: &str, expected: &Value, got: &Value) -> Vec<String> {
        let mut out = Vec::new();
        result(name, expected, Some(got), &mut out);
        out.iter().map(Difference::to_string).collect()
    }

    fn equal(name: &str, expected: &Value, got: &Value) -> bool {
        differences(name, expected, got).is_empty()
    }

    #[test]
    fn octets_are_equal_in_either_case() {
        assert!(equal("digest", &json!("00ab"), &json!("00AB")));
        assert!(equal("signatures", &json!(["00ab"]), &json!(["00AB"])));
    }

    #[test]
    fn other_octets_differ() {
        assert!(!equal("digest", &json!("00ab"), &json!("00ac")));
        assert!(!equal("digest", &json!("00ab"), &json!("00abab")));
    }

    #[test]
    fn what_is_not_hex_keeps_its_case_even_under_a_name_of_octets() {
        assert!(!equal("digest", &json!("xyz"), &json!("XYZ")));
        assert!(!equal("digest", &json!("abc"), &json!("ABC")), "an odd number of digits");
    }

    #[test]
    fn case_matters_in_text_that_looks_like_octets() {
        for name in [
            "canonical_lower",
            "canonical_upper",
            "to_tag",
            "call_id",
            "epid",
            "opaque",
            "buffer",
            "response",
        ] {
            assert!(!equal(name, &json!("ab"), &json!("AB")), "{name}");
        }
        assert!(!equal("params", &json!({"opaque": "ab"}), &json!({"opaque": "AB"})));
        assert!(!equal("buffers", &json!({"4": "ab"}), &json!({"4": "AB"})));
    }

    #[test]
    fn a_uuid_is_equal_in_either_case() {
        assert!(equal("uuid", &json!("4233FD41-093B"), &json!("4233fd41-093b")));
    }

    #[test]
    fn kinds_of_values_are_not_confused() {
        assert!(!equal("decoded", &json!(null), &json!("")));
        assert!(!equal("valid", &json!(true), &json!("true")));
        assert!(!equal("value", &json!(1), &json!("1")));
        assert!(equal("value", &json!(u32::MAX), &json!(u32::MAX)));
    }

    #[test]
    fn a_difference_says_where() {
        assert_eq!(
            differences("signatures", &json!(["00", "01", "02"]), &json!(["00", "01", "ff"])),
            ["signatures[2]: expected \"02\", got \"ff\""]
        );
        assert_eq!(
            differences("buffers", &json!({"4": "<NTLM>"}), &json!({"4": "<ntlm>"})),
            ["buffers.4: expected \"<NTLM>\", got \"<ntlm>\""]
        );
        assert_eq!(
            differences("records", &json!([{"type": 22}]), &json!([{"type": 20}])),
            ["records[0].type: expected 22, got 20"]
        );
    }

    #[test]
    fn an_item_too_few_or_too_many_is_a_difference() {
        assert_eq!(
            differences("sealed", &json!(["00"]), &json!([])),
            ["sealed[0]: expected \"00\", got nothing"]
        );
        assert_eq!(
            differences("sealed", &json!([]), &json!(["00"])),
            ["sealed[0]: expected nothing, got \"00\""]
        );
    }

    #[test]
    fn a_parameter_too_many_is_a_difference_but_a_buffer_of_another_version_is_not() {
        let (few, many) = (json!({"a": "1"}), json!({"a": "1", "b": "2"}));
        assert_eq!(differences("params", &few, &many), ["params.b: expected nothing, got \"2\""]);
        assert!(equal("buffers", &few, &many));
        assert!(!equal("buffers", &many, &few));
    }

    #[test]
    fn a_written_header_field_is_compared_parameter_by_parameter() {
        let expected = json!("NTLM qop=\"auth\", realm=\"a, b=c\", version=4");
        for same in [
            "NTLM version=4,realm=\"a, b=c\",qop=\"auth\"",
            "NTLM  QOP=\"auth\" ,\tVersion=4 , realm=\"a, b=c\"",
        ] {
            assert!(equal("header", &expected, &json!(same)), "{same}");
        }
        for other in [
            "ntlm qop=\"auth\", realm=\"a, b=c\", version=4",
            "NTLM qop=\"auth\", realm=\"a, b=c\", version=\"4\"",
            "NTLM qop=auth, realm=\"a, b=c\", version=4",
            "NTLM qop=\"auth\", realm=\"a, B=c\", version=4",
            "NTLM qop=\"auth\", realm=\"a, b=c\"",
            "NTLM qop=\"auth\", realm=\"a, b=c\", version=4, version=4",
            "",
        ] {
            assert!(!equal("header", &expected, &json!(other)), "{other}");
        }
    }

    #[test]
    fn a_reader_that_remarks_nothing_is_right_as_far_as_it_goes() {
        let mut out = Vec::new();
        result("findings", &json!(["comma-missing"]), None, &mut out);
        assert!(out.is_empty());
        let expected = json!([{"scheme": "NTLM", "findings": ["comma-missing"]}]);
        assert!(equal("auth", &expected, &json!([{"scheme": "NTLM"}])));
        assert!(!equal("auth", &expected, &json!([{"scheme": "NTLM", "findings": []}])));
        assert!(!equal("auth", &expected, &json!([{"findings": ["comma-missing"]}])));
    }

    #[test]
    fn each_name_has_one_rule() {
        let names: BTreeSet<_> = RULES.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), RULES.len());
    }
}
