//! What a profile says of a client under test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regex_lite::Regex;
use serde::Deserialize;
use sipae::client::Standing;
use sipae_net::{ClientExit, ServerIdentity};

use super::{REFERENCE_HOST, beside};
use crate::client::Tells;
use crate::target::is_host_name;

/// How a client is started, what it says, and who its server is.
#[derive(Clone, Debug)]
pub struct ClientProfile {
    /// How long it may take until its first request.
    pub start: Duration,
    /// `realm` of the challenges.
    pub realm: String,
    /// The fully qualified name of the server, `targetname` of the challenges.
    pub host: String,
    /// How many conversations a client that `--exec` has started has, one after the other, before another one is started.
    pub conversations: u32,
    /// Whether it is controlled by lines on its standard input and output.
    pub control: bool,
    /// Where clients get their certificates for TLS-DSK.
    pub sts_uri: Option<String>,
    /// The certificate over TLS, and its private key.
    certificate: Option<(PathBuf, PathBuf)>,
    /// A line of its standard output, or of its standard error where SIP is spoken over the other, that says that it has
    /// registered.
    success: Option<Regex>,
    /// One that says that it has not.
    failure: Option<Regex>,
    /// Exit codes that say so.
    failure_codes: Vec<i32>,
    /// Exit codes that a crash has.
    pub crash_codes: Vec<i32>,
}

/// A panic of Rust, and what shells tell of SIGABRT, SIGBUS, SIGFPE and SIGSEGV.
const CRASH_CODES: [i32; 5] = [101, 134, 135, 136, 139];

/// What clients do where nothing is said: ten seconds until the first request, and what `sipae client` writes.
impl Default for ClientProfile {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(10),
            realm: "SIP Communications Service".to_owned(),
            host: REFERENCE_HOST.to_owned(),
            conversations: 1,
            control: false,
            sts_uri: None,
            certificate: None,
            success: None,
            failure: None,
            failure_codes: Vec::new(),
            crash_codes: CRASH_CODES.to_vec(),
        }
    }
}

impl ClientProfile {
    /// What clients get to see over TLS: the certificate of the profile, or one that signs itself.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn identity(&self, address: &str) -> Result<ServerIdentity, String> {
        if let Some((certificate, key)) = &self.certificate {
            return ServerIdentity::load(certificate, key).map_err(|error| error.to_string());
        }
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let names = [self.host.clone(), host.to_owned()];
        let (identity, _) = ServerIdentity::self_signed(&names).map_err(|error| error.to_string())?;
        Ok(identity)
    }

    /// What `sipae client` writes.
    pub(crate) fn of_reference() -> Self {
        let pattern = |text: &str| Regex::new(text).ok();
        Self {
            success: pattern("^(registered|joined)"),
            failure: pattern("^(failed|lost)"),
            failure_codes: vec![1],
            ..Self::default()
        }
    }
}

/// The last line that says something counts; a client that says when it fails, and does not, is registered if it says
/// when it is.
impl Tells for ClientProfile {
    fn standing(&self, output: &str, end: Option<&ClientExit>) -> Option<Standing> {
        let has_failed_by_code =
            end.is_some_and(|end| end.code.is_some_and(|code| self.failure_codes.contains(&code)));
        let is =
            |pattern: &Option<Regex>, line: &str| pattern.as_ref().is_some_and(|regex| regex.is_match(line));
        let last = output.lines().rev().find_map(|line| {
            let (succeeded, failed) = (is(&self.success, line), is(&self.failure, line));
            (succeeded || failed).then_some(!failed)
        });
        let can_tell = self.success.is_some();
        let registered = last.unwrap_or(false) && !has_failed_by_code;
        let failed = has_failed_by_code || last == Some(false);
        can_tell.then(|| Standing { registered, failed, ..Standing::default() })
    }
}

/// The table `[client]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    start_ms: Option<u64>,
    realm: Option<String>,
    host: Option<String>,
    conversations: Option<u32>,
    #[serde(default)]
    control: bool,
    sts_uri: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    success: Option<String>,
    failure: Option<String>,
    #[serde(default)]
    failure_codes: Vec<i32>,
    crash_codes: Option<Vec<i32>>,
}

const START: std::ops::RangeInclusive<u64> = 100..=600_000;

impl Table {
    pub(super) fn read(self, profile: &Path) -> Result<ClientProfile, String> {
        self.check()?;
        let usual = ClientProfile::default();
        let certificate = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((beside(profile, &certificate), beside(profile, &key))),
            (None, None) => None,
            (Some(_), None) => return Err("client.key: missing beside client.certificate".to_owned()),
            (None, Some(_)) => return Err("client.certificate: missing beside client.key".to_owned()),
        };
        Ok(ClientProfile {
            start: self.start_ms.map_or(usual.start, Duration::from_millis),
            realm: self.realm.unwrap_or(usual.realm),
            host: self.host.unwrap_or(usual.host),
            conversations: self.conversations.unwrap_or(usual.conversations),
            control: self.control,
            sts_uri: self.sts_uri,
            certificate,
            success: pattern("success", self.success)?,
            failure: pattern("failure", self.failure)?,
            failure_codes: self.failure_codes,
            crash_codes: self.crash_codes.unwrap_or(usual.crash_codes),
        })
    }

    fn check(&self) -> Result<(), String> {
        if let Some(ms) = self.start_ms.filter(|ms| !START.contains(ms)) {
            return Err(format!("client.start_ms: {ms} is not in 100 to 600000"));
        }
        if self.conversations == Some(0) {
            return Err("client.conversations: a client has one at least".to_owned());
        }
        if let Some(realm) = self.realm.as_ref().filter(|realm| !is_quotable(realm)) {
            return Err(format!("client.realm: {realm:?} cannot stand in quotation marks"));
        }
        if let Some(host) = self.host.as_ref().filter(|host| !is_host_name(host)) {
            return Err(format!("client.host: {host:?} is no host name"));
        }
        if let Some(uri) = self.sts_uri.as_ref().filter(|uri| !is_web_address(uri)) {
            return Err(format!("client.sts_uri: {uri:?} does not begin with http:// or https://"));
        }
        Ok(())
    }
}

fn pattern(key: &str, text: Option<String>) -> Result<Option<Regex>, String> {
    let read = |text: String| Regex::new(&text).map_err(|error| format!("client.{key}: {error}"));
    text.map(read).transpose()
}

/// Whether a text can stand in quotation marks and in the signature buffer, without escapes.
fn is_quotable(text: &str) -> bool {
    !text.is_empty() && !text.contains(['"', '\\', '<', '>']) && !text.chars().any(char::is_control)
}

fn is_web_address(text: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| is_quotable(rest) && rest.bytes().all(|octet| octet.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn end(code: i32) -> ClientExit {
        ClientExit {
            how: format!("exit code {code}"),
            is_crash: false,
            code: Some(code),
            errors: String::new(),
        }
    }

    #[rstest]
    #[case("", None, (false, false))]
    #[case("registered\n", None, (true, false))]
    #[case("registered\nfailed: no\n", None, (false, true))]
    #[case("failed: no\nregistered\n", None, (true, false))]
    #[case("registered\n", Some(1), (false, true))]
    #[case("registered\n", Some(0), (true, false))]
    fn the_last_line_that_says_something_counts(
        #[case] output: &str,
        #[case] code: Option<i32>,
        #[case] (registered, failed): (bool, bool),
    ) {
        let end = code.map(end);
        let standing = ClientProfile::of_reference().standing(output, end.as_ref()).expect("a standing");
        assert_eq!((standing.registered, standing.failed), (registered, failed));
    }

    #[test]
    fn of_a_client_that_says_nothing_nobody_can_know() {
        assert_eq!(ClientProfile::default().standing("registered\n", None), None);
    }
}
