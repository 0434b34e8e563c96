//! Vector files: [`parse_file`].

use serde_json::Value;
use sipae_vectors::{Answer, LoadError, Outcome, Place, VectorFile, parse_file};

/// A text is refused on one line that names a place in it, or holds vectors that are read back as they are written and
/// that their own results pass.
pub fn vectors_loader(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse_file(NAME, text) {
        Ok(file) => {
            written(&file);
            passes_itself(&file);
        }
        Err(error) => names_a_place(&error, text),
    }
}

const NAME: &str = "fuzz/vectors.json";

fn written(file: &VectorFile) {
    let text = serde_json::to_string(file).unwrap_or_else(|error| panic!("{error}"));
    match parse_file(NAME, &text) {
        Ok(again) => assert_eq!(again, *file),
        Err(error) => panic!("{error} in {text}"),
    }
}

fn passes_itself(file: &VectorFile) {
    for vector in &file.vectors {
        let results = serde_json::to_value(&vector.expected).and_then(serde_json::from_value::<Answer>);
        let answer = results.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(vector.judge(&Ok(answer)), Outcome::Passed, "{vector:?}");
    }
}

fn names_a_place(error: &LoadError, text: &str) {
    let told = error.to_string();
    assert!(told.starts_with(NAME) && !told.contains(char::is_control), "{told:?}");
    match error {
        LoadError::Syntax { line, problem, .. } => {
            assert!((1..=text.split('\n').count()).contains(line) && !problem.is_empty(), "{told}");
        }
        LoadError::Content { place, error, .. } => {
            assert!(is_in(place, text) && !error.problem.is_empty(), "{told}");
        }
        LoadError::DuplicateId { id, .. } => {
            let same = ids(text).into_iter().filter(|found| found.as_ref() == Some(id));
            assert!(1 < same.count(), "{told}");
        }
        other => panic!("{other}"),
    }
}

fn is_in(place: &Place, text: &str) -> bool {
    let ids = ids(text);
    match place {
        Place::File => true,
        Place::Index(index) => *index < ids.len(),
        Place::Id(id) => ids.iter().any(|found| found.as_ref() == Some(id)),
    }
}

/// The id of each vector, where it has one.
fn ids(text: &str) -> Vec<Option<String>> {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let vectors = json.get("vectors").and_then(Value::as_array).into_iter().flatten();
    vectors.map(|vector| vector.get("id")?.as_str().map(str::to_owned)).collect()
}
