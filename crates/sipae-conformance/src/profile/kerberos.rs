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
    #[serde(default = "first_version")]
    kvno: u32,
    #[serde(default = "strongest")]
    enctype: String,
}

const fn first_version() -> u32 {
    1
}

fn strongest() -> String {
    EncryptionType::Aes256.to_string()
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
            (Some(file), None) => keytab(&super::beside(profile, file)),
            (None, Some(service)) => self.key_of(service).map(|key| vec![key]),
            _ => Err("kerberos: one of keytab and service is needed".to_owned()),
        }
    }

    fn key_of(&self, service: &str) -> Result<ServiceKey, String> {
        let principal: Principal = service.parse().map_err(|error| format!("kerberos.service: {error}"))?;
        let password =
            self.password.as_deref().ok_or("kerberos.password: missing beside kerberos.service")?;
        let known = [EncryptionType::Aes256, EncryptionType::Aes128, EncryptionType::Rc4];
        let etype = known.into_iter().find(|etype| etype.to_string() == self.enctype);
        let names = known.map(|etype| etype.to_string()).join(", ");
        let etype =
            etype.ok_or_else(|| format!("kerberos.enctype: {:?} is none of {names}", self.enctype))?;
        let salt = self.salt.clone().unwrap_or_else(|| principal.salt());
        let key = Key::from_password(etype, password, &salt);
        Ok(ServiceKey { principal, kvno: self.kvno, key })
    }
}

fn keytab(file: &Path) -> Result<Vec<ServiceKey>, String> {
    let wrong = |problem: String| format!("kerberos.keytab: {}: {problem}", file.display());
    let octets = read_octets(file).map_err(|error| wrong(error.to_string()))?;
    let keys = Keytab::read(&octets).map_err(|error| wrong(error.to_string()))?;
    if keys.is_empty() { Err(wrong("it has no key that can be used".to_owned())) } else { Ok(keys) }
}
