//! What a case is called and what it was run about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Stable name of a case: a path of kebab-case words, the section first (`3.3.5.1/bare-ack`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseId(String);

impl CaseId {
    /// The name, if it is one: parts of `a-z`, `0-9`, `.` and `-`, divided by `/`, each beginning and ending
    /// with a letter or digit. So it needs no quoting in a shell, a file name or a filter.
    ///
    /// # Errors
    ///
    /// [`BadCaseId`] for any other text.
    pub fn new(text: impl Into<String>) -> Result<Self, BadCaseId> {
        let text = text.into();
        if text.split('/').all(is_part) { Ok(Self(text)) } else { Err(BadCaseId(text)) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_part(part: &str) -> bool {
    let is_alphanumeric = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    let octets = part.as_bytes();
    octets.first().copied().is_some_and(is_alphanumeric)
        && octets.last().copied().is_some_and(is_alphanumeric)
        && octets.iter().all(|octet| is_alphanumeric(*octet) || matches!(octet, b'.' | b'-'))
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for CaseId {
    type Err = BadCaseId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for CaseId {
    type Error = BadCaseId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> Self {
        id.0
    }
}

/// A text that is not the name of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCaseId(String);

impl fmt::Display for BadCaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad case id `{}`", self.0.escape_debug())
    }
}

impl std::error::Error for BadCaseId {}

/// The scheme and version that a gate or case was run with; the same case runs once for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Scheme token as it is written in the header, [MS-SIPAE] 2.2 (`NTLM`).
    pub scheme: String,
    /// Protocol version of the association, [MS-SIPAE] 2.2 (2, 3 or 4); 0 where there is none: codecs have no
    /// associations.
    #[serde(default, skip_serializing_if = "is_none")]
    pub version: u32,
    /// Kind of the challenges, 401 or 407, where it tells subjects apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u16>,
}

impl Subject {
    /// A scheme and version, whatever the kind of the challenges.
    #[must_use]
    pub fn new(scheme: impl Into<String>, version: u32) -> Self {
        Self { scheme: scheme.into(), version, kind: None }
    }

    /// What a codec is asked about.
    #[must_use]
    pub fn of_codec(scheme: impl Into<String>) -> Self {
        Self::new(scheme, 0)
    }

    /// The same where challenges are of this kind, 401 or 407.
    #[must_use]
    pub fn with_kind(self, kind: u16) -> Self {
        Self { kind: Some(kind), ..self }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_none(version: &u32) -> bool {
    *version == 0
}

/// `NTLM v4`, or `NTLM v4 407` where a proxy challenges: 401 is what is ordinary.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        if !is_none(&self.version) {
            write!(f, " v{}", self.version)?;
        }
        match self.kind {
            None | Some(401) => Ok(()),
            Some(kind) => write!(f, " {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("3.3.5.1/bare-ack")]
    #[case("3.3.5.3/replay/other-branch")]
    #[case("probe")]
    fn a_path_of_kebab_case_words_is_a_case_id(#[case] text: &str) {
        assert_eq!(CaseId::new(text).unwrap().to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("3.3.5.1/")]
    #[case("/bare-ack")]
    #[case("3.3.5.1//bare-ack")]
    #[case("3.3.5.1/Bare-Ack")]
    #[case("3.3.5.1/bare ack")]
    #[case("3.3.5.1/bare_ack")]
    #[case("../bare-ack")]
    #[case("3.3.5.1/bare-")]
    fn any_other_text_is_refused_and_named(#[case] text: &str) {
        let error = text.parse::<CaseId>().unwrap_err();
        assert_eq!(error.to_string(), format!("bad case id `{text}`"));
    }

    #[test]
    fn a_subject_reads_as_scheme_and_version_if_there_is_one_and_the_kind_of_a_proxy() {
        let subject = Subject::new("NTLM", 4);
        assert_eq!(subject.to_string(), "NTLM v4");
        assert_eq!(subject.clone().with_kind(401).to_string(), "NTLM v4");
        assert_eq!(subject.with_kind(407).to_string(), "NTLM v4 407");
        assert_eq!(Subject::of_codec("NTLM").to_string(), "NTLM");
    }
}
