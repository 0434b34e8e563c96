//! The golden vectors: each message is explained, and the explanation says what the vector says.

use std::path::Path;

use serde_json::Value;
use sipae_decode::material::{Material, NtlmKey};
use sipae_decode::model::{Authentication, Explanation, Outcome};
use sipae_decode::{Decoded, decode, render};

/// A vector, as the file holds it.
pub(crate) struct Vector(Value);

impl Vector {
    pub(crate) fn id(&self) -> &str {
        self.0["id"].as_str().expect("an id")
    }

    fn op(&self) -> &str {
        self.0["op"].as_str().expect("an operation")
    }

    fn is_capture(&self) -> bool {
        self.0["provenance"] == "capture"
    }

    pub(crate) fn input(&self, name: &str) -> &str {
        self.0["inputs"][name].as_str().unwrap_or_else(|| panic!("{} has {name}", self.id()))
    }

    /// The signature that it expects.
    pub(crate) fn signature(&self) -> &str {
        self.0["expected"]["signature"].as_str().expect("a signature")
    }

    fn expected(&self) -> &Value {
        &self.0["expected"]
    }

    /// The message that it is about: a header value is put into one.
    pub(crate) fn message(&self) -> String {
        if self.op() == "auth_header" {
            wrapped(self.input("header"))
        } else {
            self.input("message").to_owned()
        }
    }

    /// The key that it signs with, for the side that signs.
    pub(crate) fn material(&self) -> Material {
        let inputs = &self.0["inputs"];
        let sign = inputs["sign_key"].as_str().unwrap_or("-");
        let Some(seal) = inputs["seal_key"].as_str() else { return Material::default() };
        let key = Some(NtlmKey::read(&format!("{sign}:{seal}")).expect("a key"));
        if self.message().contains("crand=") {
            Material { ntlm_client: key, ..Material::default() }
        } else {
            Material { ntlm_server: key, ..Material::default() }
        }
    }

    pub(crate) fn explained(&self) -> Decoded {
        decode(self.message().as_bytes(), &self.material()).expect("text")
    }
}

/// What the Base64 of an AUTHENTICATE begins with.
const AUTHENTICATE: &str = "gssapi-data=\"TlRMTVNTUAAD";

/// A header value in a message that may hold it.
pub(crate) fn wrapped(header: &str) -> String {
    let (start, name) = if header.contains("rspauth=") || header.contains("srand=") {
        ("SIP/2.0 200 OK", "Authentication-Info")
    } else if header.contains("response=")
        || header.contains("crand=")
        || header.contains("username=")
        || header.contains(AUTHENTICATE)
    {
        ("OPTIONS sip:a@x SIP/2.0", "Authorization")
    } else {
        ("SIP/2.0 401 Unauthorized", "WWW-Authenticate")
    };
    let lines = "Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\n\
        To: <sip:b@x>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0";
    format!("{start}\r\n{lines}\r\n{name}: {header}\r\n\r\n")
}

/// Every vector of the workspace.
pub(crate) fn all() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors");
    let families =
        std::fs::read_dir(folder).expect("the vectors").map(|entry| entry.expect("an entry").path());
    let files = families.filter(|path| path.is_dir()).flat_map(|family| {
        std::fs::read_dir(family).expect("a family").map(|entry| entry.expect("an entry").path())
    });
    files.flat_map(|file| read(&file)).collect()
}

fn read(file: &Path) -> Vec<Vector> {
    let text = std::fs::read_to_string(file).expect("text");
    let read: Value = serde_json::from_str(&text).expect("JSON");
    read["vectors"].as_array().expect("vectors").iter().cloned().map(Vector).collect()
}

pub(crate) fn get(id: &str) -> Vector {
    all().into_iter().find(|vector| vector.id() == id).unwrap_or_else(|| panic!("{id}"))
}

const OPERATIONS: [&str; 4] = ["auth_header", "sip_buffer", "sip_message", "sip_ntlm_sign"];

fn of_messages() -> impl Iterator<Item = Vector> {
    all().into_iter().filter(|vector| OPERATIONS.contains(&vector.op()))
}

#[test]
fn every_message_of_the_vectors_is_explained() {
    let mut count = 0;
    for vector in of_messages() {
        let decoded = vector.explained();
        assert!(!render::text(&decoded).is_empty(), "{}", vector.id());
        for message in &decoded.messages {
            serde_json::to_string(message).expect("JSON");
        }
        count += 1;
    }
    assert!(290 <= count, "{count}");
}

/// Captured messages are whole, readable and alone.
#[test]
fn captured_messages_are_cut_as_they_are() {
    for vector in of_messages().filter(Vector::is_capture) {
        let decoded = vector.explained();
        let [message] = &decoded.messages[..] else { panic!("{}: {decoded:?}", vector.id()) };
        assert!(message.unreadable.is_none() && message.remarks.is_empty(), "{}: {message:?}", vector.id());
        assert_eq!(message.length, vector.message().len(), "{}", vector.id());
        assert!(decoded.remarks.is_empty(), "{}", vector.id());
    }
}

#[test]
fn the_facts_are_those_of_the_vectors() {
    for vector in of_messages().filter(|vector| vector.op() == "sip_message") {
        let decoded = vector.explained();
        let Some(message) = decoded.messages.first().filter(|message| message.unreadable.is_none()) else {
            assert!(
                !vector.is_capture()
                    && vector.expected().as_object().is_none_or(|facts| !facts.contains_key("kind")),
                "{}",
                vector.id()
            );
            continue;
        };
        for (header, reading, fact) in FACTS {
            if let Some(expected) = vector.expected()[fact].as_str() {
                assert_eq!(
                    reading_of(message, header, reading).as_deref(),
                    Some(expected),
                    "{} {fact}",
                    vector.id()
                );
            }
        }
        assert_fields(&vector, message);
        let mut ids: Vec<&str> = message.findings.iter().map(|finding| finding.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(serde_json::json!(ids), vector.expected()["findings"], "{}", vector.id());
    }
}

/// Header field, reading of it, and the fact of the vector that it is.
const FACTS: [(&str, &str, &str); 8] = [
    ("From", "URI", "from_uri"),
    ("From", "tag", "from_tag"),
    ("From", "epid", "from_epid"),
    ("To", "URI", "to_uri"),
    ("To", "tag", "to_tag"),
    ("CSeq", "number", "cseq_number"),
    ("CSeq", "method", "cseq_method"),
    ("Contact", "URI", "contact_uri"),
];

fn reading_of(message: &Explanation, header: &str, reading: &str) -> Option<String> {
    let compact = header.chars().next().map(|letter| letter.to_lowercase().to_string());
    let compact = if header == "Contact" { Some("m".to_owned()) } else { compact };
    let field = message.fields.iter().find(|field| {
        field.name.eq_ignore_ascii_case(header) || Some(field.name.to_lowercase()) == compact
    })?;
    field.readings.iter().find(|found| found.name == reading).map(|found| found.value.clone())
}

fn assert_fields(vector: &Vector, message: &Explanation) {
    let Some(expected) = vector.expected()["auth"].as_array() else { return };
    assert_eq!(message.authentication.len(), expected.len(), "{}", vector.id());
    for (field, expected) in message.authentication.iter().zip(expected) {
        assert_field(vector.id(), field, expected);
    }
}

fn assert_field(id: &str, field: &Authentication, expected: &Value) {
    assert_eq!(field.scheme, expected["scheme"].as_str().unwrap_or_default(), "{id}");
    let ids: Vec<&str> = field.findings.iter().map(|finding| finding.id.as_str()).collect();
    assert!(
        expected["findings"].is_null() || serde_json::json!(ids) == expected["findings"],
        "{id}: {ids:?}"
    );
    for (name, value) in expected["params"].as_object().expect("parameters") {
        let found = field.params.iter().find(|param| param.name.eq_ignore_ascii_case(name));
        let value = value.as_str().expect("text").escape_default().to_string().replace("\\\"", "\"");
        let found = found.map(|param| param.value.escape_default().to_string().replace("\\\"", "\""));
        let unescaped = |text: &str| text.replace("\\\\", "\\");
        assert_eq!(found.as_deref().map(unescaped), Some(unescaped(&value)), "{id} {name}");
    }
}

#[test]
fn header_fields_are_read_as_the_vectors_say() {
    for vector in of_messages().filter(|vector| vector.op() == "auth_header") {
        let decoded = vector.explained();
        let message = &decoded.messages[0];
        if message.unreadable.is_some() {
            assert!(!vector.is_capture(), "{}", vector.id());
            continue;
        }
        assert_field(vector.id(), &message.authentication[0], vector.expected());
    }
}

/// Where the context stands in the message, its buffer is the one of the vector.
#[test]
fn signature_buffers_are_those_of_the_vectors() {
    let mut compared = 0;
    for vector in of_messages().filter(|vector| vector.op() == "sip_buffer") {
        // A message that is unfit for signing has no buffer.
        let is_unfit = vector.expected()["buffers"].is_null();
        if vector.0["inputs"]["context_in_message"] != true || is_unfit {
            continue;
        }
        let decoded = vector.explained();
        let field = &decoded.messages[0].authentication[0];
        for (version, expected) in vector.expected()["buffers"].as_object().expect("buffers") {
            let layout = if version == "2" { 2 } else { 4 };
            let version: u32 = version.parse().expect("a number");
            let found = field.buffers.iter().find(|buffer| [layout, version].contains(&buffer.version));
            if let Some(found) = found {
                assert_eq!(found.text, expected.as_str().expect("text"), "{}", vector.id());
                compared += 1;
            }
        }
        assert!(!vector.is_capture() || !field.buffers.is_empty(), "{}", vector.id());
    }
    assert!(5 <= compared, "{compared}");
}

#[test]
fn signatures_verify_with_the_keys_of_the_vectors() {
    for vector in of_messages().filter(|vector| vector.op() == "sip_ntlm_sign") {
        let decoded = vector.explained();
        let field = &decoded.messages[0].authentication[0];
        let expected = vector.expected()["buffer"].as_str().expect("text");
        assert!(field.buffers.iter().any(|buffer| buffer.text == expected), "{}", vector.id());
        let found = field.verification.as_ref().expect("a key was given");
        assert_eq!(found.outcome, Outcome::Verifies, "{}: {found:?}", vector.id());
        assert_eq!(decoded.tally().verified, 1, "{}", vector.id());
    }
}
