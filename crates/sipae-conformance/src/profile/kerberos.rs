//! The key `kerberos` of a profile: the keys of the service, or somebody's own tickets.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sipae::kerberos::{EncryptionType, Key, Keytab, Principal, ServiceKey};

use super::read_octets;
use crate::credentials::Tickets;

/// As it is written: `kerberos = "ccache"`, or a table.
pub(super) enum Setting {
    /// The tickets of whoever runs the suite.
    Ccache,
    /// The keys of the service.
    Keys(Table),
}

/// Where the keys of the service are. Files are named relative to the profile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    keytab: Option<PathBuf>,
    service: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    password: Option<String>,
    salt: Option<String>,
    kvno: Option<u32>,
    enctype: Option<String>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    super::password(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor)
    }
}

struct SettingVisitor;

impl<'de> Visitor<'de> for SettingVisitor {
    type Value = Setting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"ccache\" or a table")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
        match text {
            "ccache" => Ok(Setting::Ccache),
            _ => Err(E::custom("expected \"ccache\" or a table")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Setting, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(Setting::Keys)
    }
}

impl Setting {
    /// Where tickets come from; `profile` is the file that the setting stands in.
    ///
    /// # Errors
    /// Names the key and what is wrong with it.
    pub(super) fn tickets(self, profile: &Path) -> Result<Tickets, String> {
        match self {
            Self::Ccache => super::ccache::tickets().map_err(|error| format!("kerberos: {error}")),
            Self::Keys(table) => table.keys(profile).map(Tickets::Minted),
        }
    }
}

impl Table {
    fn keys(self, profile: &Path) -> Result<Vec<ServiceKey>, String> {
        match (&self.keytab, &self.service) {
            (Some(file), None) => {
                self.beside_keytab().map_or(Ok(()), Err)?;
                keytab("kerberos.keytab", &super::beside(profile, file))
            }
            (None, Some(service)) => self.key_of(service).map(|key| vec![key]),
            _ => Err("kerberos: one of keytab and service is needed".to_owned()),
        }
    }

    /// What a keytab says itself.
    fn beside_keytab(&self) -> Option<String> {
        let written = [
            ("password", self.password.is_some()),
            ("salt", self.salt.is_some()),
            ("kvno", self.kvno.is_some()),
            ("enctype", self.enctype.is_some()),
        ];
        let (key, _) = written.into_iter().find(|(_, is_written)| *is_written)?;
        Some(format!("kerberos.{key}: it is for kerberos.service, and the keytab says it itself"))
    }

    fn key_of(&self, service: &str) -> Result<ServiceKey, String> {
        let principal: Principal = service.parse().map_err(|error| format!("kerberos.service: {error}"))?;
        let password =
            self.password.as_deref().ok_or("kerberos.password: missing beside kerberos.service")?;
        let etype = self.etype()?;
        let salt = self.salt.clone().unwrap_or_else(|| principal.salt());
        let key = Key::from_password(etype, password, &salt);
        Ok(ServiceKey { principal, kvno: self.kvno.unwrap_or(1), key })
    }

    /// The strongest one unless another is named.
    fn etype(&self) -> Result<EncryptionType, String> {
        let Some(name) = &self.enctype else { return Ok(EncryptionType::Aes256) };
        let found = EncryptionType::ALL.into_iter().find(|etype| etype.name() == name);
        let known = EncryptionType::ALL.map(EncryptionType::name).join(", ");
        found.ok_or_else(|| format!("kerberos.enctype: {name:?} is none of {known}"))
    }
}

/// The keys of a keytab that `key` names.
///
/// # Errors
/// Names key and file, and what is wrong with it.
pub fn keytab(key: &str, file: &Path) -> Result<Vec<ServiceKey>, String> {
    let wrong = |problem: String| format!("{key}: {}: {problem}", file.display());
    let octets = read_octets(file).map_err(|error| wrong(error.to_string()))?;
    let keys = Keytab::read(&octets).map_err(|error| wrong(error.to_string()))?;
    if keys.is_empty() { Err(wrong("it has no key that can be used".to_owned())) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[derive(Deserialize)]
    struct File {
        kerberos: Setting,
    }

    fn tickets(folder: &Path, text: &str) -> Result<Tickets, String> {
        let read: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        read.kerberos.tickets(&folder.join("p.toml"))
    }

    fn keys(text: &str) -> Vec<ServiceKey> {
        match tickets(Path::new(""), text) {
            Ok(Tickets::Minted(keys)) => keys,
            other => panic!("{other:?}"),
        }
    }

    const SERVICE: &str = "kerberos.service = \"sip/server.contoso.com@CONTOSO.COM\"\n";

    /// The key of `pw` with the salt of the service, as `ktutil` of MIT makes it.
    #[test]
    fn a_key_follows_from_service_and_password() {
        let text = format!("{SERVICE}kerberos.password = \"pw\"\n");
        let principal = Principal::service("sip", "server.contoso.com", "CONTOSO.COM");
        let key = |etype, salt: &str| Key::from_password(etype, "pw", salt);
        let usual = key(EncryptionType::Aes256, "CONTOSO.COMsipserver.contoso.com");
        assert_eq!(keys(&text), [ServiceKey { principal: principal.clone(), kvno: 1, key: usual }]);
        let more =
            "kerberos.salt = \"x\"\nkerberos.kvno = 7\nkerberos.enctype = \"aes128-cts-hmac-sha1-96\"\n";
        let chosen = key(EncryptionType::Aes128, "x");
        assert_eq!(keys(&format!("{text}{more}")), [ServiceKey { principal, kvno: 7, key: chosen }]);
    }

    #[test]
    fn a_keytab_is_beside_the_profile() {
        let folder = tempfile::tempdir().expect("a folder");
        let written = crate::profile::reference_keys("server.contoso.com");
        std::fs::write(folder.path().join("s.keytab"), Keytab::write(&written)).expect("written");
        let read = tickets(folder.path(), "kerberos.keytab = \"s.keytab\"\n");
        assert!(matches!(read, Ok(Tickets::Minted(keys)) if keys == written));
    }

    #[rstest]
    #[case("kerberos = \"keytab\"\n", "expected \"ccache\" or a table")]
    #[case("[kerberos]\n", "kerberos: one of keytab and service is needed")]
    #[case(
        "kerberos.keytab = \"k\"\nkerberos.service = \"s\"\n",
        "kerberos: one of keytab and service is needed"
    )]
    #[case(
        "kerberos.keytab = \"k\"\nkerberos.kvno = 2\n",
        "kerberos.kvno: it is for kerberos.service, and the keytab says it itself"
    )]
    #[case(
        "kerberos.service = \"sip/host\"\n",
        "kerberos.service: `sip/host` is no principal of the form name@REALM"
    )]
    #[case("kerberos.service = \"sip/host@REALM\"\n", "kerberos.password: missing beside kerberos.service")]
    #[case(
        "kerberos.service = \"sip/host@REALM\"\nkerberos.password = \"secret\"\nkerberos.enctype = \"des\"\n",
        "kerberos.enctype: \"des\" is none of aes256-cts-hmac-sha1-96, aes128-cts-hmac-sha1-96, rc4-hmac"
    )]
    #[case("kerberos.password = 123456789\n", "expected a string")]
    #[case("kerberos.password = \"secret\"\n", "kerberos: one of keytab and service is needed")]
    fn an_error_names_the_key_and_what_is_wrong_and_no_secret(#[case] text: &str, #[case] problem: &str) {
        assert_eq!(tickets(Path::new(""), text).map(drop), Err(problem.to_owned()));
    }

    #[rstest]
    #[case(b"\x05\x01", "keytab is not of format 0x0502 at offset 0")]
    #[case(b"\x05\x02", "it has no key that can be used")]
    #[case(b"\x05\x02\0\0\0\x09", "keytab is cut short at offset 6")]
    fn a_file_that_is_no_keytab_is_named(#[case] content: &[u8], #[case] problem: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("s.keytab");
        std::fs::write(&file, content).expect("written");
        let error = tickets(folder.path(), "kerberos.keytab = \"s.keytab\"\n").expect_err("no keytab");
        assert_eq!(error, format!("kerberos.keytab: {}: {problem}", file.display()));
    }

    #[test]
    fn a_keytab_that_is_absent_is_named() {
        let error = tickets(Path::new("folder"), "kerberos.keytab = \"absent\"\n").expect_err("no keytab");
        assert!(error.starts_with("kerberos.keytab: folder/absent: No such file"), "{error}");
    }
}
