//! The golden vectors: what the reference makes of them, and whether files, schema and text agree.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use sipae_conformance::codec::ReferenceCodec;
use sipae_spec::Diagnostic;
use sipae_vectors::{Answer, Codec, Counts, Operation, Refusal, Report, VectorFile, check, load_folder};

/// Families that the reference computes completely.
const COMPLETE: [&str; 14] = [
    "primitives",
    "ntlm",
    "digest",
    "kerberos",
    "examples",
    "sipbuf",
    "epid",
    "encoding",
    "parse",
    "window",
    "verify",
    "write",
    "referred",
    "tlsdsk",
];
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

pub(crate) fn files() -> Vec<VectorFile> {
    load_folder(&folder()).expect("the vectors load")
}

fn reference() -> Report {
    check(&files(), &mut ReferenceCodec)
}

fn json(path: &str) -> Value {
    let text = fs::read_to_string(folder().join(path)).expect("a readable file");
    serde_json::from_str(&text).expect("JSON")
}

fn readme() -> String {
    fs::read_to_string(folder().join("README.md")).expect("a readable file")
}

#[test]
fn the_reference_answers_no_vector_wrongly() {
    let failures: Vec<String> = reference().failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_reference_leaves_no_vector_of_a_complete_family_out() {
    let report = reference();
    for family in COMPLETE {
        let Counts { passed, failed, unsupported } = report.families[family];
        assert_eq!((failed, unsupported), (0, 0), "{family}");
        assert!(0 < passed, "{family}");
    }
}

#[test]
fn every_family_is_expected() {
    let expected: BTreeSet<&str> = COMPLETE.into_iter().collect();
    let report = reference();
    let found: BTreeSet<&str> = report.families.keys().map(String::as_str).collect();
    assert_eq!(found, expected);
}

/// A message without a value must not be given one: absent members of this operation are expected to be absent.
#[test]
fn the_reference_gives_a_message_no_fact_that_it_does_not_have() {
    for vector in files().iter().flat_map(|file| &file.vectors) {
        if let Operation::SipMessage(_) = vector.operation {
            let answer = ReferenceCodec.answer(&vector.operation).expect("an answer");
            let answer = serde_json::to_value(answer).expect("JSON");
            let expected = serde_json::to_value(&vector.expected).expect("JSON");
            assert_eq!(answer, expected, "{}", vector.id);
        }
    }
}

/// A codec that answers every question with something else than the reference.
struct Wrong;

impl Codec for Wrong {
    fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
        let answer = match ReferenceCodec.answer(operation) {
            // It answers what has to be refused.
            Err(Refusal::Malformed(_)) => return Ok(Answer::new().texts("buffers", [("4", "<NTLM>")])),
            answer => answer?,
        };
        let mut json = serde_json::to_value(answer).expect("JSON");
        for member in json.as_object_mut().expect("an object").values_mut() {
            *member = wrong(member);
        }
        Ok(serde_json::from_value(json).expect("an answer"))
    }
}

fn wrong(value: &Value) -> Value {
    match value {
        Value::Bool(value) => Value::Bool(!value),
        Value::Array(_) | Value::Object(_) => Value::Null,
        _ => Value::Array(Vec::new()),
    }
}

#[test]
fn a_codec_that_answers_wrongly_fails_every_vector() {
    let report = check(&files(), &mut Wrong);
    assert_eq!(report.total().passed, 0);
    assert_eq!(report.total().failed, reference().total().passed);
    assert!(!report.is_green());
}

#[test]
fn every_file_keeps_the_schema() {
    let validator = jsonschema::validator_for(&json("schema.json")).expect("a schema");
    for file in files() {
        let errors: Vec<String> = validator
            .iter_errors(&json(&file.name))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}\n{}", file.name, errors.join("\n"));
    }
}

#[test]
fn the_schema_knows_the_operations_of_the_loader_and_no_others() {
    let known: BTreeSet<String> = Operation::NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(words(&json("schema.json")["$defs"]["vector"]["properties"]["op"]["enum"]), known);
}

#[test]
fn the_schema_knows_the_findings_of_the_reader_and_no_others() {
    let known: BTreeSet<String> = Diagnostic::ALL.iter().map(|known| known.id().to_owned()).collect();
    assert_eq!(words(&json("schema.json")["$defs"]["findings"]["items"]["enum"]), known);
}

fn words(list: &Value) -> BTreeSet<String> {
    let words = list.as_array().expect("a list").iter();
    words.map(|word| word.as_str().expect("a word").to_owned()).collect()
}

#[test]
fn the_text_counts_the_vectors_of_every_family() {
    let (report, readme) = (reference(), readme());
    for (family, Counts { passed, failed, unsupported }) in report.families {
        let row = format!("| `{family}` | {} |", passed + failed + unsupported);
        assert!(readme.contains(&row), "no row {row}");
    }
}

#[test]
fn the_text_explains_every_operation() {
    let readme = readme();
    for name in Operation::NAMES {
        assert!(readme.contains(&format!("\n| `{name}` | ")), "no row for {name}");
    }
}
