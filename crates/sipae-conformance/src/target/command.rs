//! Commands of targets that are programs.

use std::fmt;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command(Vec<String>);

impl Command {
    /// Splits a text into words as a shell does it; no shell is ever started. `None` for a text without words, or with
    /// a quotation mark that is not closed.
    #[must_use]
    pub fn split(text: &str) -> Option<Self> {
        shlex::split(text).filter(|words| words.iter().any(|word| !word.is_empty())).map(Self)
    }

    /// These words.
    #[must_use]
    pub fn of(words: &[String]) -> Self {
        Self(words.to_vec())
    }

    /// The program and its arguments.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// As it could be typed: a word with a NUL, which no shell takes, is shown as it is.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.iter().map(String::as_str);
        f.write_str(&shlex::try_join(words).unwrap_or_else(|_| self.0.join(" ")))
    }
}
