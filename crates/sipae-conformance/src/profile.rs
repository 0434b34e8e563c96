//! What a target claims, and the credentials to test it with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use sipae::version::Version;

/// An account on the target.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileUser {
    /// Account name; `user@domain` with an empty domain is fine.
    pub user: String,
    /// Domain.
    #[serde(default)]
    pub domain: String,
    /// Password.
    pub password: String,
    /// Address-of-record without scheme, such as `alice@contoso.com`.
    pub address: String,
}

impl std::fmt::Debug for ProfileUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProfileUser({})", self.name())
    }
}

impl ProfileUser {
    /// For messages: never the password.
    #[must_use]
    pub fn name(&self) -> String {
        if self.domain.is_empty() { self.user.clone() } else { format!("{}\\{}", self.domain, self.user) }
    }

    /// Whether the account can be used; `key` is what its table is called.
    ///
    /// # Errors
    /// Names key and value.
    pub fn check(&self, key: &str) -> Result<(), String> {
        check_address(&format!("{key}.address"), &self.address)?;
        if self.user.is_empty() { Err(format!("{key}.user: the name is empty")) } else { Ok(()) }
    }
}

const fn default_failed_logons() -> u32 {
    3
}

/// A profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Versions that the target claims; `None`: whatever it offers.
    pub versions: Option<Vec<Version>>,
    /// The user under whom the cases run.
    pub user: ProfileUser,
    /// The account for wrong credentials; cases that need it are blocked without one.
    pub sacrificial: Option<ProfileUser>,
    /// Failed logons it may be given in one run.
    pub failed_logons: u32,
    /// How long an answer may take before anything has been measured.
    pub answer_timeout: Duration,
}

/// Why a profile cannot be used: one line that names file, key and value.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no profile.
    #[error("{}: {problem}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// Where and what.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    target: TargetTable,
    user: ProfileUser,
    sacrificial: Option<SacrificialTable>,
    #[serde(default)]
    pace: PaceTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    versions: Option<Vec<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SacrificialTable {
    user: String,
    #[serde(default)]
    domain: String,
    password: String,
    address: String,
    #[serde(default = "default_failed_logons")]
    failed_logons: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaceTable {
    #[serde(default = "default_answer_timeout")]
    answer_timeout_ms: u64,
}

impl Default for PaceTable {
    fn default() -> Self {
        Self { answer_timeout_ms: default_answer_timeout() }
    }
}

const fn default_answer_timeout() -> u64 {
    5000
}

const ANSWER_TIMEOUT: std::ops::RangeInclusive<u64> = 10..=120_000;

impl Profile {
    /// The accounts of the reference server: test credentials, published in the README.
    #[must_use]
    pub fn of_reference() -> Self {
        let user = |name: &str| ProfileUser {
            user: name.to_owned(),
            domain: "CONTOSO".to_owned(),
            password: format!("test-password-of-{name}"),
            address: format!("{name}@contoso.com"),
        };
        Self {
            versions: None,
            user: user("alice"),
            sacrificial: Some(user("mallory")),
            failed_logons: 100,
            answer_timeout: Duration::from_millis(default_answer_timeout()),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is no profile.
    pub fn load(file: &Path) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|source| ProfileError::Unreadable { file: file.to_owned(), source })?;
        Self::parse(file, &text)
    }

    /// Reads the text of a profile; `file` is for errors.
    ///
    /// # Errors
    /// When it is no profile.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ProfileError> {
        let wrong = |problem| ProfileError::Content { file: file.to_owned(), problem };
        let read: File = toml::from_str(text).map_err(|error| wrong(one_line(text, &error)))?;
        read.user.check("user").map_err(wrong)?;
        let failed_logons = read.sacrificial.as_ref().map_or(0, |table| table.failed_logons);
        let sacrificial = read.sacrificial.map(SacrificialTable::account);
        sacrificial.as_ref().map_or(Ok(()), |account| account.check("sacrificial")).map_err(wrong)?;
        let answer_timeout = read.pace.answer_timeout_ms;
        if !ANSWER_TIMEOUT.contains(&answer_timeout) {
            return Err(wrong(format!("pace.answer_timeout_ms: {answer_timeout} is not in 10 to 120000")));
        }
        Ok(Self {
            versions: read.target.versions.map(versions).transpose().map_err(wrong)?,
            user: read.user,
            failed_logons,
            sacrificial,
            answer_timeout: Duration::from_millis(answer_timeout),
        })
    }
}

impl SacrificialTable {
    fn account(self) -> ProfileUser {
        ProfileUser { user: self.user, domain: self.domain, password: self.password, address: self.address }
    }
}

fn versions(numbers: Vec<u32>) -> Result<Vec<Version>, String> {
    let version =
        |number| Version::from_number(number).ok_or(format!("target.versions: {number} is not 2, 3 or 4"));
    if numbers.is_empty() {
        return Err("target.versions: the list is empty".to_owned());
    }
    numbers.into_iter().map(version).collect()
}

fn check_address(key: &str, address: &str) -> Result<(), String> {
    let usable = |part: &str| {
        !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>\";@".contains(&octet))
    };
    let is_address = address.split_once('@').is_some_and(|(user, host)| usable(user) && usable(host));
    if is_address { Ok(()) } else { Err(format!("{key}: \"{address}\" is not of the form user@host")) }
}

/// The first line of a TOML error with the line it is about. The text itself may hold passwords and is not repeated.
/// For every TOML file that a user writes.
#[must_use]
pub fn one_line(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| 1 + text.get(..span.start).unwrap_or_default().matches('\n').count());
    let message = error.message().replace('\n', ", ");
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const USER: &str = "[user]\nuser = \"a\"\npassword = \"secret\"\naddress = \"a@x\"\n";

    fn parse(text: &str) -> Result<Profile, String> {
        Profile::parse(Path::new("p.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_of_one_user_is_enough() {
        let profile = parse(USER).expect("a profile");
        assert_eq!((profile.user.name().as_str(), profile.versions), ("a", None));
        assert!(profile.sacrificial.is_none());
    }

    #[rstest]
    #[case("", "p.toml: line 1: missing field `user`")]
    #[case("[user]\nuser = \"a\"\npasword = \"secret\"\n", "p.toml: line 3: unknown field `pasword`")]
    #[case("[user\n", "p.toml: line 1:")]
    #[case("[target]\nversions = [5]\n", "p.toml: target.versions: 5 is not 2, 3 or 4")]
    #[case("[target]\nversions = []\n", "p.toml: target.versions: the list is empty")]
    #[case("[pace]\nanswer_timeout_ms = 1\n", "p.toml: pace.answer_timeout_ms: 1 is not in 10 to 120000")]
    #[case("[pace]\nanswer_timeout_ms = \"x\"\n", "p.toml: line 2: invalid type")]
    fn an_error_is_one_line_with_file_and_place(#[case] head: &str, #[case] expected: &str) {
        let text =
            if head.is_empty() || head.contains("user") { head.to_owned() } else { format!("{head}{USER}") };
        let error = parse(&text).expect_err("no profile");
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains('\n') && !error.contains("secret"), "{error}");
    }
}
