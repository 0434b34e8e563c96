//! Vector files: `{"family": ..., "description": ..., "vectors": [...]}`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Answer, Expected};
use crate::check::{Cause, Outcome, Refusal};
use crate::compare::Difference;
use crate::error::{InputError, LoadError, Place, one_line};
use crate::operation::Operation;
use crate::unique::Unique;
use crate::{located, results};

/// Largest file that is read, in octets: what is larger is not a vector file but an accident.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Where the expected results come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Printed in a specification, an RFC or a public test.
    Published,
    /// Real traffic of a product.
    Capture,
    /// Produced by a foreign implementation.
    Oracle,
    /// Made by one implementation and confirmed by a second one; no figure is published.
    SelfGenerated,
}

/// One thing to compute and what comes out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Vector {
    /// Name, unique in its family.
    pub id: String,
    /// What to compute; in JSON `op` and `inputs`.
    #[serde(flatten)]
    pub operation: Operation,
    /// Document and clause, product or program that the values come from.
    pub source: String,
    /// Kind of that source.
    pub provenance: Provenance,
    /// What comes out.
    pub expected: Expected,
    /// What else a reader should know, may be empty.
    pub note: String,
    /// Whether the inputs break a rule of the grammar: a reader may refuse them or read them otherwise.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub lenient: bool,
    /// Whether a refusal is as right as what is expected.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub refusable: bool,
}

/// The vectors of one file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VectorFile {
    /// Where it was read from, with `/`; not part of the JSON.
    #[serde(skip)]
    pub name: String,
    /// What the vectors are about; several files may belong to one family.
    pub family: String,
    /// What this file holds.
    pub description: String,
    /// The vectors in the order of the file.
    pub vectors: Vec<Vector>,
}

/// Loads every `*.json` in the folder and its sub-folders, in sorted order, except files named `schema.json`.
///
/// Links to folders are not followed, so that a loop of links ends. Ids must be unique in each family.
pub fn load_folder(folder: &Path) -> Result<Vec<VectorFile>, LoadError> {
    let mut paths = collect(folder)?;
    paths.sort();
    let files = paths.iter().map(|path| load_file(path)).collect::<Result<Vec<_>, _>>()?;
    refuse_duplicates(&files)?;
    Ok(files)
}

fn collect(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let (mut folders, mut paths) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        list(&folder, &mut folders, &mut paths).map_err(|problem| unreadable(&display(&folder), problem))?;
    }
    Ok(paths)
}

fn list(folder: &Path, folders: &mut Vec<PathBuf>, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // By the name first: a folder that is called like a file of vectors is refused when it is read.
        if is_vector_file(&entry.path()) {
            paths.push(entry.path());
        } else if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(())
}

fn is_vector_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
        && path.file_name().is_some_and(|name| name != "schema.json")
}

/// Loads one vector file.
pub fn load_file(path: &Path) -> Result<VectorFile, LoadError> {
    let name = &display(path);
    let octets = read_bounded(path).map_err(|problem| unreadable(name, problem))?;
    let Some(octets) = octets else {
        return Err(LoadError::TooLarge { file: name.to_owned(), limit: MAX_FILE });
    };
    let text = String::from_utf8(octets).map_err(|error| unreadable(name, io::Error::other(error)))?;
    parse_file(name, &text)
}

/// The octets of a file, none if it is too large.
fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a file"));
    }
    if MAX_FILE < metadata.len() {
        return Ok(None);
    }
    let mut octets = Vec::new();
    let length = File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut octets)?;
    Ok(u64::try_from(length).is_ok_and(|length| length <= MAX_FILE).then_some(octets))
}

/// Reads the text of a vector file; `name` is what errors and failures call it.
pub fn parse_file(name: &str, text: &str) -> Result<VectorFile, LoadError> {
    let Unique(json) = serde_json::from_str(text).map_err(|error| syntax(name, &error))?;
    let envelope = envelope(&json).map_err(|error| content(name, Place::File, error))?;
    let vectors = envelope.vectors.iter().enumerate().map(|(index, vector)| {
        parse_vector(vector).map_err(|error| content(name, place(index, vector), error))
    });
    let vectors = vectors.collect::<Result<Vec<_>, _>>()?;
    let file = VectorFile {
        name: name.to_owned(),
        family: envelope.family,
        description: envelope.description,
        vectors,
    };
    refuse_duplicates(core::slice::from_ref(&file))?;
    Ok(file)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    family: String,
    description: String,
    vectors: Vec<Value>,
}

fn envelope(json: &Value) -> Result<Envelope, InputError> {
    let envelope: Envelope = located::read(json)?;
    not_empty("family", &envelope.family)?;
    Ok(envelope)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorParts {
    id: String,
    op: String,
    source: String,
    provenance: Provenance,
    inputs: Value,
    expected: Expected,
    note: String,
    #[serde(default)]
    lenient: bool,
    #[serde(default)]
    refusable: bool,
}

impl Vector {
    /// What an answer is worth: [`Expected::judge`], with what else is right.
    #[must_use]
    pub fn judge(&self, answer: &Result<Answer, Refusal>) -> Outcome {
        let may_refuse = self.lenient || self.refusable;
        match self.expected.judge(answer) {
            Outcome::Failed(Cause::Malformed(_)) if may_refuse => Outcome::Passed,
            Outcome::Failed(Cause::Differs(differences)) if may_refuse => {
                let is_null = |difference: &Difference| difference.got == Some(Value::Null);
                if differences.iter().all(is_null) && !differences.is_empty() {
                    Outcome::Passed
                } else {
                    Outcome::Failed(Cause::Differs(differences))
                }
            }
            outcome => outcome,
        }
    }
}

fn parse_vector(vector: &Value) -> Result<Vector, InputError> {
    let VectorParts { id, op, source, provenance, inputs, expected, note, lenient, refusable } =
        located::read(vector)?;
    not_empty("id", &id)?;
    let operation = Operation::from_parts(&op, &inputs)?;
    results::check(&op, &expected)?;
    Ok(Vector { id, operation, source, provenance, expected, note, lenient, refusable })
}

fn not_empty(key: &str, name: &str) -> Result<(), InputError> {
    if name.is_empty() { Err(InputError::new(key, "the name is empty")) } else { Ok(()) }
}

fn place(index: usize, vector: &Value) -> Place {
    let id = vector.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map_or(Place::Index(index), |id| Place::Id(id.to_owned()))
}

fn refuse_duplicates(files: &[VectorFile]) -> Result<(), LoadError> {
    let mut first = BTreeMap::new();
    for file in files {
        for Vector { id, .. } in &file.vectors {
            if let Some(first) = first.insert((&file.family, id), &file.name) {
                return Err(LoadError::DuplicateId {
                    file: file.name.clone(),
                    id: id.clone(),
                    first: first.clone(),
                });
            }
        }
    }
    Ok(())
}

/// The path with `/` and without characters that would break a line.
fn display(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/").replacen("//", "/", 1).replace(char::is_control, "?")
}

fn unreadable(name: &str, problem: io::Error) -> LoadError {
    LoadError::Unreadable { file: name.to_owned(), problem }
}

fn syntax(name: &str, error: &serde_json::Error) -> LoadError {
    let (line, column) = (error.line(), error.column());
    let problem = one_line(&error.to_string());
    let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
    LoadError::Syntax { file: name.to_owned(), line, column, problem }
}

fn content(name: &str, place: Place, error: InputError) -> LoadError {
    LoadError::Content { file: name.to_owned(), place, error }
}

#[cfg(test)]
mod tests;
