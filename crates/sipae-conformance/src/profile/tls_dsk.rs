//! The table `[tls_dsk]` of a profile, and the certificates of accounts.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sipae::tlsdsk::TlsDskError;
use sipae_net::{TlsDskEngine, TlsDskIdentity, TlsDskVersion};

use super::{ProfileUser, read_text};
use crate::credentials::Certificates;

/// The table as it is written. Files are named relative to the profile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    ca: PathBuf,
    #[serde(default)]
    engine: Engine,
    oldest: Option<TlsVersion>,
    newest: Option<TlsVersion>,
    authority: Option<PathBuf>,
    authority_key: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Engine {
    #[default]
    Rustls,
    OpenSsl,
}

#[derive(Clone, Copy, Deserialize)]
enum TlsVersion {
    #[serde(rename = "1.0")]
    V1_0,
    #[serde(rename = "1.1")]
    V1_1,
    #[serde(rename = "1.2")]
    V1_2,
}

impl Engine {
    const fn read(self) -> TlsDskEngine {
        match self {
            Self::Rustls => TlsDskEngine::Rustls,
            Self::OpenSsl => TlsDskEngine::OpenSsl,
        }
    }
}

impl TlsVersion {
    const fn read(self) -> TlsDskVersion {
        match self {
            Self::V1_0 => TlsDskVersion::V1_0,
            Self::V1_1 => TlsDskVersion::V1_1,
            Self::V1_2 => TlsDskVersion::V1_2,
        }
    }
}

impl Table {
    /// What the table asks for; `profile` is the file that it stands in.
    ///
    /// # Errors
    /// Names the key and what is wrong with it.
    pub(super) fn certificates(self, profile: &Path) -> Result<Certificates, String> {
        let ca = text_of(profile, "tls_dsk.ca", &self.ca)?;
        let (engine, versions) = (self.engine.read(), self.versions()?);
        let certificates = Certificates::new(engine, ca, versions);
        certificates.check(None).map_err(|error| match error {
            TlsDskError::NotBuilt(_) => format!("tls_dsk.engine: {error}"),
            _ => format!("tls_dsk.ca: {}: {error}", super::beside(profile, &self.ca).display()),
        })?;
        match (self.authority, self.authority_key) {
            (Some(certificate), Some(key)) => issued_by(certificates, profile, &certificate, &key),
            (None, None) => Ok(certificates),
            (Some(_), None) => Err("tls_dsk.authority_key: missing beside tls_dsk.authority".to_owned()),
            (None, Some(_)) => Err("tls_dsk.authority: missing beside tls_dsk.authority_key".to_owned()),
        }
    }

    /// The oldest version and the newest; `None`: whatever the engine has.
    fn versions(&self) -> Result<Option<(TlsDskVersion, TlsDskVersion)>, String> {
        if self.oldest.is_none() && self.newest.is_none() {
            return Ok(None);
        }
        let oldest = self.oldest.map_or(TlsDskVersion::V1_0, TlsVersion::read);
        let newest = self.newest.map_or(TlsDskVersion::V1_2, TlsVersion::read);
        if newest < oldest {
            return Err("tls_dsk.oldest: it is newer than tls_dsk.newest".to_owned());
        }
        if matches!(self.engine, Engine::Rustls) && newest < TlsDskVersion::V1_2 {
            return Err("tls_dsk.newest: rustls speaks TLS 1.2 alone (engine = \"openssl\")".to_owned());
        }
        Ok(Some((oldest, newest)))
    }
}

#[cfg(feature = "tls")]
fn issued_by(
    certificates: Certificates,
    profile: &Path,
    certificate: &Path,
    key: &Path,
) -> Result<Certificates, String> {
    let (file, key_file) = (super::beside(profile, certificate), super::beside(profile, key));
    let certificate = text_of(profile, "tls_dsk.authority", certificate)?;
    let key = text_of(profile, "tls_dsk.authority_key", key)?;
    let authority = sipae_net::Authority::from_pem(&certificate, &key);
    authority.map(|authority| certificates.issued_by(authority)).map_err(|error| {
        format!("tls_dsk.authority: {} with {}: {error}", file.display(), key_file.display())
    })
}

#[cfg(not(feature = "tls"))]
fn issued_by(_: Certificates, _: &Path, _: &Path, _: &Path) -> Result<Certificates, String> {
    Err("tls_dsk.authority: unsupported (built without tls)".to_owned())
}

/// The certificate of an account; `key` is what its table is called.
///
/// # Errors
/// Names the key and what is wrong with it.
pub(super) fn identity(
    profile: &Path,
    key: &str,
    certificate: Option<&Path>,
    private: Option<&Path>,
) -> Result<Option<TlsDskIdentity>, String> {
    match (certificate, private) {
        (Some(certificate), Some(private)) => Ok(Some(TlsDskIdentity {
            certificates: text_of(profile, &format!("{key}.certificate"), certificate)?,
            key: text_of(profile, &format!("{key}.key"), private)?,
        })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(format!("{key}.key: missing beside {key}.certificate")),
        (None, Some(_)) => Err(format!("{key}.certificate: missing beside {key}.key")),
    }
}

/// Whether an engine can show the certificate of an account; `key` is what its table is called.
///
/// # Errors
/// Names key and files.
pub(super) fn check(
    certificates: &Certificates,
    profile: &Path,
    key: &str,
    account: &ProfileUser,
) -> Result<(), String> {
    let Some(identity) = &account.identity else { return Ok(()) };
    certificates.check(Some(identity)).map_err(|error| {
        let file = |file: Option<&PathBuf>| {
            super::beside(profile, file.map_or(Path::new(""), PathBuf::as_path)).display().to_string()
        };
        let (certificate, private) = (file(account.certificate.as_ref()), file(account.key.as_ref()));
        format!("{key}.certificate: {certificate} with {private}: {error}")
    })
}

fn text_of(profile: &Path, key: &str, file: &Path) -> Result<String, String> {
    let file = super::beside(profile, file);
    read_text(&file).map_err(|error| format!("{key}: {}: {error}", file.display()))
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use rstest::rstest;
    use sipae_net::{Authority, TestKey, Validity};

    use super::*;
    use crate::profile::Profile;

    /// A folder with what a profile can name: an authority, a user, and the key of another one.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::test().expect("an authority");
        let user = || authority.user("a@x", Validity::FOR_EVER, TestKey::P256).expect("a certificate");
        let (own, other) = (user(), user());
        for (name, content) in [
            ("ca.pem", authority.certificate().to_owned()),
            ("ca.key", authority.key()),
            ("user.pem", own.certificates),
            ("user.key", own.key),
            ("other.key", other.key),
            ("text.pem", "no PEM\n".to_owned()),
        ] {
            std::fs::write(folder.path().join(name), content).expect("written");
        }
        folder
    }

    fn parse(folder: &Path, user: &str, table: &str) -> Result<Profile, String> {
        let text = format!(
            "[user]\nuser = \"a\"\npassword = \"p\"\naddress = \"a@x\"\n{user}\n[tls_dsk]\n{table}\n"
        );
        Profile::parse(&folder.join("p.toml"), &text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_user_has_a_certificate_of_a_file_or_one_that_is_made() {
        let folder = folder();
        let own = "certificate = \"user.pem\"\nkey = \"user.key\"";
        let has = |user: &str, table: &str| {
            let profile = parse(folder.path(), user, table).expect("a profile");
            let certificates = profile.certificates.expect("certificates");
            (certificates.has(&profile.user), certificates.can_issue())
        };
        assert_eq!(has("", "ca = \"ca.pem\""), (false, false));
        assert_eq!(has(own, "ca = \"ca.pem\""), (true, false));
        let authority = "ca = \"ca.pem\"\nauthority = \"ca.pem\"\nauthority_key = \"ca.key\"";
        assert_eq!(has("", authority), (true, true));
    }

    /// `$` is the folder.
    #[rstest]
    #[case("", "ca = \"absent.pem\"", "tls_dsk.ca: $/absent.pem: No such file or directory (os error 2)")]
    #[case(
        "",
        "ca = \"text.pem\"",
        "tls_dsk.ca: $/text.pem: TLS settings: no PEM certificate of an authority"
    )]
    #[case(
        "",
        "ca = \"ca.pem\"\nauthority = \"ca.pem\"",
        "tls_dsk.authority_key: missing beside tls_dsk.authority"
    )]
    #[case(
        "",
        "ca = \"ca.pem\"\nauthority_key = \"x\"",
        "tls_dsk.authority: missing beside tls_dsk.authority_key"
    )]
    #[case(
        "",
        "ca = \"ca.pem\"\nauthority = \"ca.pem\"\nauthority_key = \"absent\"",
        "tls_dsk.authority_key: $/absent: No such file or directory (os error 2)"
    )]
    #[case(
        "",
        "ca = \"ca.pem\"\noldest = \"1.2\"\nnewest = \"1.1\"",
        "tls_dsk.oldest: it is newer than tls_dsk.newest"
    )]
    #[case(
        "",
        "ca = \"ca.pem\"\nnewest = \"1.1\"",
        "tls_dsk.newest: rustls speaks TLS 1.2 alone (engine = \"openssl\")"
    )]
    #[case("certificate = \"user.pem\"", "ca = \"ca.pem\"", "user.key: missing beside user.certificate")]
    #[case("key = \"user.key\"", "ca = \"ca.pem\"", "user.certificate: missing beside user.key")]
    #[case(
        "certificate = \"user.pem\"\nkey = \"absent\"",
        "ca = \"ca.pem\"",
        "user.key: $/absent: No such file or directory (os error 2)"
    )]
    #[case(
        "certificate = \"user.pem\"\nkey = \"text.pem\"",
        "ca = \"ca.pem\"",
        "user.certificate: $/user.pem with $/text.pem: TLS settings: no PEM private key without a password"
    )]
    #[cfg_attr(
        not(feature = "legacy-tls"),
        case(
            "",
            "ca = \"ca.pem\"\nengine = \"openssl\"",
            "tls_dsk.engine: unsupported (built without legacy-tls)"
        )
    )]
    fn an_error_names_key_and_file_and_what_is_wrong(
        #[case] user: &str,
        #[case] table: &str,
        #[case] problem: &str,
    ) {
        let folder = folder();
        let error = parse(folder.path(), user, table).map(drop).expect_err("no profile");
        let place = folder.path().display().to_string();
        assert_eq!(error, format!("{place}/p.toml: {}", problem.replace('$', &place)));
    }

    #[test]
    fn a_key_of_another_certificate_is_an_error() {
        let folder = folder();
        let other = "certificate = \"user.pem\"\nkey = \"other.key\"";
        let error = parse(folder.path(), other, "ca = \"ca.pem\"").map(drop).expect_err("no profile");
        assert!(
            error.contains("user.certificate: ") && error.contains("other.key: TLS settings: "),
            "{error}"
        );
    }
}
