//! What can be wrong with inputs and with vector files; each error is one line.

use core::fmt;
use std::io;

/// What is wrong with a JSON value, and where in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputError {
    /// Names and indices from the outside in, like `inputs.messages[2].hex`; empty for the value itself.
    pub path: String,
    /// What is wrong there, one line that quotes the offending value.
    pub problem: String,
}

impl InputError {
    pub(crate) fn new(path: &str, problem: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), problem: one_line(&problem.to_string()) }
    }

    /// The same error, seen from the object or array that holds the value under `outer`.
    pub(crate) fn under(self, outer: &str) -> Self {
        Self { path: join(outer, &self.path), ..self }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", one_line(&self.path))?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for InputError {}

impl serde::de::Error for InputError {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::new("", problem)
    }
}

/// Which vector of a file is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file itself.
    File,
    /// The vector at this index, which has no readable id.
    Index(usize),
    /// The vector with this id.
    Id(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Index(index) => write!(f, "vectors[{index}]: "),
            Self::Id(id) => write!(f, "vector {id:?}: "),
        }
    }
}

/// Why vectors could not be loaded: one line that names file, vector, key and value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file or folder could not be read.
    #[error("{file}: {problem}")]
    Unreadable {
        /// The file or folder.
        file: String,
        /// What the operating system said.
        problem: io::Error,
    },
    /// The file is larger than [`MAX_FILE`](crate::MAX_FILE).
    #[error("{file}: larger than {limit} octets")]
    TooLarge {
        /// The file.
        file: String,
        /// The largest size that is read, in octets.
        limit: u64,
    },
    /// The file is not JSON.
    #[error("{file}: line {line}, column {column}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1 in octets; 0 where the line ended too early.
        column: usize,
        /// What was found.
        problem: String,
    },
    /// The file is JSON, but something in it is not what a vector file holds.
    #[error("{file}: {place}{error}")]
    Content {
        /// The file.
        file: String,
        /// Which vector.
        place: Place,
        /// What is wrong, and under which key.
        error: InputError,
    },
    /// Two vectors of one family have the same id.
    #[error("{file}: vector {id:?}: id: already used in {first}")]
    DuplicateId {
        /// The file of the second vector.
        file: String,
        /// The id of both.
        id: String,
        /// The file of the first vector.
        first: String,
    },
}

/// Longest problem that is printed, in characters: a SIP message as the wrong value must not fill the screen.
const LONGEST_PROBLEM: usize = 240;

/// The text without control characters, cut at a bound.
pub(crate) fn one_line(text: &str) -> String {
    let line = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(LONGEST_PROBLEM) {
        None => text.chars().map(line).collect(),
        Some(_) => text.chars().take(LONGEST_PROBLEM).map(line).chain("...".chars()).collect(),
    }
}

/// `outer` followed by `inner` as in `outer.inner` or `outer[2]`.
pub(crate) fn join(outer: &str, inner: &str) -> String {
    let dot = if inner.is_empty() || inner.starts_with('[') || outer.is_empty() { "" } else { "." };
    format!("{outer}{dot}{inner}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_by_dots_and_indices_are_not() {
        assert_eq!(join("inputs", "seal_key"), "inputs.seal_key");
        assert_eq!(join("messages", "[2]"), "messages[2]");
        assert_eq!(join("[2]", "hex"), "[2].hex");
        assert_eq!(join("inputs", ""), "inputs");
        assert_eq!(join("", "inputs"), "inputs");
    }

    #[test]
    fn a_name_cannot_break_the_line() {
        assert_eq!(InputError::new("output.a\nb", "invalid").to_string(), "output.a b: invalid");
    }

    #[test]
    fn a_problem_is_one_bounded_line() {
        let error = InputError::new("op", "a\r\nb".to_owned() + &"c".repeat(1000));
        assert!(!error.to_string().contains(['\r', '\n']));
        assert_eq!(error.problem.chars().count(), LONGEST_PROBLEM + 3);
    }
}
