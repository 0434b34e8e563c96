use std::env;
use std::process;

use serde_json::json;

use super::*;

fn vector(id: &str) -> Value {
    json!({"id": id, "op": "rc4k", "source": "MS-NLMP 4.2", "provenance": "self-generated",
        "inputs": {"key": "8d", "data": "55"}, "expected": {"output": "c5"}, "note": "n"})
}

fn file(family: &str, vectors: &[Value]) -> String {
    json!({"family": family, "description": "d", "vectors": vectors}).to_string()
}

fn error(vectors: &[Value]) -> String {
    parse_file("ntlm/keys.json", &file("ntlm", vectors)).expect_err("refused").to_string()
}

/// The error for one vector with one key set to a value.
fn error_with(key: &str, value: Value) -> String {
    let mut vector = vector("rc4k-1");
    vector[key] = value;
    error(&[vector])
}

#[test]
fn a_file_comes_back_as_it_went() {
    let text = file("ntlm", &[vector("a"), vector("b")]);
    let parsed = parse_file("ntlm/keys.json", &text).expect("a vector file");
    assert_eq!(parsed.vectors[1].provenance, Provenance::SelfGenerated);
    let written = serde_json::to_value(&parsed).expect("json");
    assert_eq!(written, serde_json::from_str::<Value>(&text).expect("json"));
}

#[test]
fn an_error_names_file_id_key_and_value() {
    assert_eq!(
        error_with("inputs", json!({"key": "0g", "data": ""})),
        "ntlm/keys.json: vector \"rc4k-1\": inputs.key: invalid hex \"0g\""
    );
    assert_eq!(
        error_with("op", json!("rc5k")),
        "ntlm/keys.json: vector \"rc4k-1\": op: unknown operation \"rc5k\""
    );
    assert_eq!(
        error_with("note", json!(7)),
        "ntlm/keys.json: vector \"rc4k-1\": note: invalid type: integer `7`, expected a string"
    );
    assert!(
        error_with("provenance", json!("rumour"))
            .starts_with("ntlm/keys.json: vector \"rc4k-1\": provenance: unknown variant `rumour`")
    );
}

#[test]
fn a_vector_without_a_readable_id_is_named_by_its_index() {
    let mut nameless = vector("");
    nameless["id"] = json!(7);
    assert_eq!(
        error(&[vector("a"), nameless]),
        "ntlm/keys.json: vectors[1]: id: invalid type: integer `7`, expected a string"
    );
    assert_eq!(error(&[json!("text")]), "ntlm/keys.json: vectors[0]: expected an object, got \"text\"");
}

#[test]
fn an_empty_name_is_refused() {
    assert_eq!(error(&[vector("a"), vector("")]), "ntlm/keys.json: vectors[1]: id: the name is empty");
    let error = parse_file("a.json", &file("", &[vector("a")])).expect_err("refused");
    assert_eq!(error.to_string(), "a.json: family: the name is empty");
}

#[test]
fn what_no_answer_could_be_is_refused() {
    assert_eq!(
        error_with("expected", json!({"outputs": "c5"})),
        "ntlm/keys.json: vector \"rc4k-1\": expected: rc4k has no result \"outputs\", only output"
    );
    assert_eq!(
        error_with("expected", json!({"output": "c"})),
        "ntlm/keys.json: vector \"rc4k-1\": expected.output: invalid hex \"c\""
    );
}

#[test]
fn a_key_twice_in_an_object_is_refused() {
    let text = file("ntlm", &[vector("a")]).replace("\"key\":", "\"key\":\"00\",\"key\":");
    let error = parse_file("a.json", &text).expect_err("refused").to_string();
    assert!(error.starts_with("a.json: line 1, column "), "{error}");
    assert!(error.ends_with(": the key \"key\" stands twice in one object"), "{error}");
}

#[test]
fn a_file_that_holds_no_object_is_refused() {
    let error = parse_file("a.json", "[]").expect_err("refused");
    assert_eq!(error.to_string(), "a.json: expected an object, got []");
}

#[test]
fn an_unknown_key_of_a_vector_is_named() {
    assert!(
        error_with("nott", json!("")).starts_with("ntlm/keys.json: vector \"rc4k-1\": unknown field `nott`")
    );
}

#[test]
fn a_vector_that_expects_nothing_is_refused() {
    assert_eq!(
        error_with("expected", json!({})),
        "ntlm/keys.json: vector \"rc4k-1\": expected: nothing is expected"
    );
}

#[test]
fn an_envelope_without_a_family_is_refused() {
    let error = parse_file("a.json", r#"{"description": "", "vectors": []}"#).expect_err("refused");
    assert_eq!(error.to_string(), "a.json: missing field `family`");
}

#[test]
fn a_syntax_error_has_line_and_column() {
    let error = parse_file("a.json", "{\n  \"family\": nil\n}").expect_err("refused");
    assert_eq!(error.to_string(), "a.json: line 2, column 14: expected ident");
}

#[test]
fn an_id_twice_in_a_file_is_refused() {
    assert_eq!(
        error(&[vector("a"), vector("b"), vector("a")]),
        "ntlm/keys.json: vector \"a\": id: already used in ntlm/keys.json"
    );
}

/// A folder of its own that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("sipae-vectors-{name}-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// What errors call a file of this folder.
    fn name(&self, file: &str) -> String {
        display(&self.0.join(file))
    }

    fn error(&self) -> String {
        load_folder(&self.0).expect_err("refused").to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn a_folder_is_loaded_in_order_without_the_schema_and_other_files() {
    let folder = Scratch::new("order");
    folder.write("ntlm/b.json", &file("ntlm", &[vector("b")]));
    folder.write("ntlm/deep/c.json", &file("ntlm", &[vector("c")]));
    folder.write("a.json", &file("other", &[vector("b")]));
    folder.write("schema.json", "{}");
    folder.write("README.md", "no JSON");
    let names: Vec<_> = load_folder(&folder.0).expect("files").into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["a.json", "ntlm/b.json", "ntlm/deep/c.json"].map(|name| folder.name(name)));
}

#[test]
fn an_id_twice_in_a_family_is_refused_across_files() {
    let folder = Scratch::new("twice");
    folder.write("a.json", &file("ntlm", &[vector("x")]));
    folder.write("b/b.json", &file("ntlm", &[vector("x")]));
    let (first, second) = (folder.name("a.json"), folder.name("b/b.json"));
    assert_eq!(folder.error(), format!("{second}: vector \"x\": id: already used in {first}"));
}

#[test]
fn a_file_over_the_bound_is_refused() {
    let folder = Scratch::new("large");
    folder.write("a.json", "");
    let large = File::options().write(true).open(folder.0.join("a.json")).expect("a file");
    large.set_len(MAX_FILE + 1).expect("a sparse file");
    assert_eq!(folder.error(), format!("{}: larger than 16777216 octets", folder.name("a.json")));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = load_folder(Path::new("no/such/folder")).expect_err("refused").to_string();
    assert!(error.starts_with("no/such/folder: "), "{error}");
    let error = load_file(Path::new("/no/such.json")).expect_err("refused").to_string();
    assert!(error.starts_with("/no/such.json: "), "{error}");
}

#[test]
fn a_file_that_is_not_text_is_named() {
    let folder = Scratch::new("octets");
    fs::write(folder.0.join("a.json"), b"{\xff").expect("a file");
    let name = folder.name("a.json");
    assert_eq!(folder.error(), format!("{name}: invalid utf-8 sequence of 1 bytes from index 1"));
}

#[test]
fn a_folder_that_is_called_like_a_file_is_refused() {
    let folder = Scratch::new("called");
    folder.write("a/f.json/b.json", &file("ntlm", &[vector("x")]));
    assert_eq!(folder.error(), format!("{}: not a file", folder.name("a/f.json")));
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_ends() {
    let folder = Scratch::new("loop");
    folder.write("a/a.json", &file("ntlm", &[vector("x")]));
    std::os::unix::fs::symlink(&folder.0, folder.0.join("a/back")).expect("a link");
    assert_eq!(load_folder(&folder.0).expect("files").len(), 1);
}
