//! The table `[tls]` of a profile.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sipae_net::{ClientIdentity, TlsOptions, TlsRoots};

/// The table as it is written. Files are named relative to the profile.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    ca: Option<PathBuf>,
    verify: Option<bool>,
    server_name: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Table {
    /// What the table asks for; `profile` is the file that it stands in.
    ///
    /// # Errors
    /// Names the key and what is wrong with it.
    pub(super) fn options(self, profile: &Path) -> Result<TlsOptions, String> {
        let beside = |file: PathBuf| super::beside(profile, &file);
        let roots = match (self.ca.map(beside), self.verify) {
            (Some(_), Some(false)) => {
                return Err("tls.ca: nothing is checked with tls.verify = false".to_owned());
            }
            (Some(file), _) => TlsRoots::Files(vec![file]),
            (None, Some(false)) => TlsRoots::Unchecked,
            (None, _) => TlsRoots::System,
        };
        let identity = match (self.certificate.map(beside), self.key.map(beside)) {
            (Some(certificate), Some(key)) => Some(ClientIdentity { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err("tls.key: missing beside tls.certificate".to_owned()),
            (None, Some(_)) => return Err("tls.certificate: missing beside tls.key".to_owned()),
        };
        Ok(TlsOptions { roots, server_name: self.server_name, identity })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn options(text: &str) -> Result<TlsOptions, String> {
        toml::from_str::<Table>(text).expect("a table").options(Path::new("folder/p.toml"))
    }

    #[test]
    fn files_are_beside_the_profile() {
        let read =
            options("ca = \"ca.pem\"\nserver_name = \"x\"\ncertificate = \"/c.pem\"\nkey = \"k.pem\"\n");
        let identity = ClientIdentity { certificate: "/c.pem".into(), key: "folder/k.pem".into() };
        let expected = TlsOptions {
            roots: TlsRoots::Files(vec!["folder/ca.pem".into()]),
            server_name: Some("x".to_owned()),
            identity: Some(identity),
        };
        assert_eq!(read, Ok(expected));
    }

    #[rstest]
    #[case("", TlsRoots::System)]
    #[case("verify = true\n", TlsRoots::System)]
    #[case("verify = false\n", TlsRoots::Unchecked)]
    fn what_is_checked_is_the_choice_of_the_profile(#[case] text: &str, #[case] roots: TlsRoots) {
        assert_eq!(options(text).map(|options| options.roots), Ok(roots));
    }

    #[rstest]
    #[case("ca = \"x\"\nverify = false\n", "tls.ca: nothing is checked with tls.verify = false")]
    #[case("certificate = \"x\"\n", "tls.key: missing beside tls.certificate")]
    #[case("key = \"x\"\n", "tls.certificate: missing beside tls.key")]
    fn a_table_that_contradicts_itself_is_an_error(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(options(text), Err(expected.to_owned()));
    }
}
