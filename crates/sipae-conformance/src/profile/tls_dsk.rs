//! The table `[tls_dsk]` of a profile, and the certificates of accounts.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sipae_net::{TlsDskEngine, TlsDskIdentity, TlsDskVersion};

use super::read_text;
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
        let engine = match self.engine {
            Engine::Rustls => TlsDskEngine::Rustls,
            Engine::OpenSsl => TlsDskEngine::OpenSsl,
        };
        let versions = match (self.oldest, self.newest) {
            (None, None) => None,
            (oldest, newest) => {
                let oldest = oldest.unwrap_or(TlsVersion::V1_0).read();
                let newest = newest.unwrap_or(TlsVersion::V1_2).read();
                if newest < oldest {
                    return Err("tls_dsk.oldest: it is newer than tls_dsk.newest".to_owned());
                }
                Some((oldest, newest))
            }
        };
        let certificates = Certificates::new(engine, ca, versions);
        match (self.authority, self.authority_key) {
            (Some(certificate), Some(key)) => issued_by(certificates, profile, &certificate, &key),
            (None, None) => Ok(certificates),
            (Some(_), None) => Err("tls_dsk.authority_key: missing beside tls_dsk.authority".to_owned()),
            (None, Some(_)) => Err("tls_dsk.authority: missing beside tls_dsk.authority_key".to_owned()),
        }
    }
}

#[cfg(feature = "tls")]
fn issued_by(
    certificates: Certificates,
    profile: &Path,
    certificate: &Path,
    key: &Path,
) -> Result<Certificates, String> {
    let certificate = text_of(profile, "tls_dsk.authority", certificate)?;
    let key = text_of(profile, "tls_dsk.authority_key", key)?;
    let authority = sipae_net::Authority::from_pem(&certificate, &key);
    authority
        .map(|authority| certificates.issued_by(authority))
        .map_err(|error| format!("tls_dsk.authority: {error}"))
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

fn text_of(profile: &Path, key: &str, file: &Path) -> Result<String, String> {
    let file = super::beside(profile, file);
    read_text(&file).map_err(|error| format!("{key}: {}: {error}", file.display()))
}
