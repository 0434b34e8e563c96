//! Script files: every case can be stored, and docs/script.schema.json describes what is stored.

use std::fs;
use std::path::{Path, PathBuf};

use sipae::auth::Scheme;
use sipae::version::Version;
use sipae_conformance::case::Case;
use sipae_conformance::cases;
use sipae_gen::{Mode, ScriptFile};

fn file(case: &Case, mode: Mode) -> ScriptFile {
    ScriptFile {
        program: "sipae 0.1.0".to_owned(),
        case: case.id().to_owned(),
        title: case.title().to_owned(),
        requirements: case.requirements().iter().map(ToString::to_string).collect(),
        mode,
        kind: None,
        seed: 7,
        script: case.script(mode),
        checks: Vec::new(),
        got: Vec::new(),
    }
}

/// The modes in which a case has a meaning.
fn modes(case: &Case) -> impl Iterator<Item = Mode> {
    Scheme::ALL
        .into_iter()
        .flat_map(|scheme| Version::ALL.map(|version| Mode { scheme, version }))
        .filter(|mode| case.needs().has_meaning(*mode))
}

#[test]
fn the_script_of_every_case_is_read_as_it_was_written() {
    for case in cases::all() {
        for mode in modes(case) {
            let file = file(case, mode);
            let written = file.write();
            assert!(ScriptFile::read(&written).as_ref() == Ok(&file), "{} in {mode}: {written}", case.id());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema() -> jsonschema::Validator {
    let text = fs::read_to_string(root().join("docs/script.schema.json")).expect("a file");
    jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a schema")
}

/// Of each case one script: the modes differ in the handshakes alone.
#[test]
fn the_schema_describes_the_script_of_every_case() {
    let schema = schema();
    for case in cases::all() {
        let mode = modes(case).last().expect("a mode");
        let value = file(case, mode).to_value();
        if let Some(error) = schema.iter_errors(&value).next() {
            panic!("{}: {} at {error}", case.id(), error.instance_path());
        }
    }
}

/// The corpus of the fuzzer has a file with each step and edit, and files that are wrong. What the schema describes is
/// read; only bounds and references are beyond it.
#[test]
fn the_schema_and_the_reader_take_the_same_files() {
    let schema = schema();
    let mut taken = 0;
    for entry in fs::read_dir(root().join("fuzz/corpus/script")).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("text");
        let described = serde_json::from_str(&text).is_ok_and(|value| schema.is_valid(&value));
        let read = ScriptFile::read(&text);
        assert_eq!(described, read.is_ok(), "{}: {read:?}", path.display());
        taken += usize::from(described);
    }
    assert!(2 <= taken, "{taken} of the files are right");
}

/// The example that people start from.
#[test]
fn the_example_of_the_description_is_a_script_file() {
    let text = fs::read_to_string(root().join("docs/scripts.md")).expect("a file");
    let (_, example) = text.split_once("```json\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let file = ScriptFile::read(example).expect("a script file");
    assert_eq!(file.write(), example);
}
