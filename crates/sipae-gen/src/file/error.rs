//! What is wrong with a script file.

use crate::ScriptFile;

/// How many characters of a file an error repeats: names of steps and parties fit, floods do not.
const MOST: usize = 400;

/// Why a text is no script file that can be played. Displayed in one line, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptFileError {
    /// Longer than a script file may be.
    #[error("{0} octets are more than the {most} of a script file", most = ScriptFile::MAX_OCTETS)]
    TooLong(usize),
    /// The format of another program, or of a later version of this one.
    #[error("unknown format {0:?}: this program reads {read:?}", read = ScriptFile::FORMAT)]
    Format(String),
    /// Not JSON, or not what a script file holds; with the place.
    #[error("{0}")]
    Content(String),
    /// More steps than a script may have.
    #[error("{0} steps are more than the {most} of a script", most = ScriptFile::MAX_STEPS)]
    TooManySteps(usize),
    /// Attempts in attempts.
    #[error("attempts are nested deeper than {}", ScriptFile::MAX_NESTING)]
    TooDeep,
}

impl ScriptFileError {
    pub(super) fn unknown_format(format: &str) -> Self {
        Self::Format(format.chars().take(MOST).collect())
    }
}

impl From<serde_json::Error> for ScriptFileError {
    fn from(error: serde_json::Error) -> Self {
        Self::Content(one_line(&error.to_string()))
    }
}

/// The message may repeat what the file says, and its end says where: only the middle is left out.
fn one_line(message: &str) -> String {
    let length = message.chars().count();
    if length <= MOST {
        return escaped(message.chars());
    }
    let half = MOST / 2;
    let (start, end) = (message.chars().take(half), message.chars().skip(length - half));
    format!("{} ... {}", escaped(start), escaped(end))
}

fn escaped(characters: impl Iterator<Item = char>) -> String {
    let mut line = String::new();
    for character in characters {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
