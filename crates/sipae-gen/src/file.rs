//! Script files: a conversation and what is expected of it, stored to be played again.

mod error;
mod layout;

use serde::{Deserialize, Serialize};

pub use self::error::ScriptFileError;
use crate::{Check, Label, Mode, Script, Step, written};

/// A script with what it was made for, as docs/scripts.md describes it.
///
/// Members that are not known are ignored when a file is read, so that later programs may add some; whatever changes
/// the meaning of a file gets a new [`FORMAT`](Self::FORMAT).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename = "sipae-script/1", expecting = "a script file")]
pub struct ScriptFile {
    /// Name and version of the program that wrote it; empty where a person did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
    /// The case whose conversation it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    /// What a right target does, as a statement.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Ids of the requirements that the conversation is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// Scheme and version.
    pub mode: Mode,
    /// The status code of the challenge, 401 or 407, where the target can be told which.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "written::kind::deserialize"
    )]
    pub kind: Option<u16>,
    /// What the executor draws its tags, branches and nonces from.
    #[serde(default, with = "written::decimal")]
    pub seed: u64,
    /// The conversation.
    #[serde(rename = "steps")]
    pub script: Script,
    /// What is expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "written::checks")]
    pub checks: Vec<Check>,
    /// What was seen when the file was written: for people, it decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "written::got")]
    pub got: Vec<Got>,
}

/// What the target did with a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Got {
    /// The message that the suite sent.
    pub message: Label,
    /// Id of the requirement.
    pub requirement: String,
    /// What it did, in the words of the reports.
    pub got: String,
}

/// What tells a script file from other JSON.
#[derive(Deserialize)]
#[serde(expecting = "a script file")]
struct Head {
    format: String,
}

impl ScriptFile {
    /// The format that is written and read.
    pub const FORMAT: &'static str = "sipae-script/1";
    /// How long a file may be, in octets.
    pub const MAX_OCTETS: usize = 16 << 20;
    /// How many steps a file may have, those of its attempts included.
    pub const MAX_STEPS: usize = 100_000;
    /// How deep attempts may stand in attempts.
    pub const MAX_NESTING: usize = 16;

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it and where, in one line.
    pub fn read(text: &str) -> Result<Self, ScriptFileError> {
        if Self::MAX_OCTETS < text.len() {
            return Err(ScriptFileError::TooLong(text.len()));
        }
        // Editors of some platforms put one there.
        let text = text.trim_start_matches('\u{feff}');
        let head: Head = serde_json::from_str(text)?;
        check_format(&head.format)?;
        serde_json::from_str::<Self>(text)?.bounded()
    }

    /// Reads the object of a file, as an event holds it.
    ///
    /// # Errors
    /// What is wrong with it and where, in one line.
    pub fn from_value(value: serde_json::Value) -> Result<Self, ScriptFileError> {
        check_format(&Head::deserialize(&value)?.format)?;
        serde_json::from_value::<Self>(value)?.bounded()
    }

    /// The text of the file: a line for each member, step and check.
    #[must_use]
    pub fn write(&self) -> String {
        layout::write(self)
    }

    /// The object of the file, for an event.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        // Every key is text and no writer of a member fails, so that there is always an object.
        serde_json::to_value(self).unwrap_or_default()
    }

    fn bounded(self) -> Result<Self, ScriptFileError> {
        let steps = count(&self.script, 0)?;
        if Self::MAX_STEPS < steps { Err(ScriptFileError::TooManySteps(steps)) } else { Ok(self) }
    }
}

fn check_format(format: &str) -> Result<(), ScriptFileError> {
    if format == ScriptFile::FORMAT { Ok(()) } else { Err(ScriptFileError::unknown_format(format)) }
}

/// The number of steps of a script and of the attempts in it.
fn count(script: &Script, nesting: usize) -> Result<usize, ScriptFileError> {
    if ScriptFile::MAX_NESTING < nesting {
        return Err(ScriptFileError::TooDeep);
    }
    script.steps.iter().try_fold(0, |sum, step| match step {
        Step::Attempt(part) => Ok(sum + 1 + count(part, nesting + 1)?),
        _ => Ok(sum + 1),
    })
}

#[cfg(test)]
mod tests;
