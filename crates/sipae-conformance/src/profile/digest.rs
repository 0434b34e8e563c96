//! The tables `[conference]` and `[digest]` of a profile: where Digest is asked for.

use std::fmt;

use serde::Deserialize;

/// What stands between the address of the organizer and the name of the conference.
const GRUU: &str = ";gruu;opaque=app:conf:focus:id:";

/// Where Digest is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigestPlace {
    /// A conference, which those without an account join.
    Conference(ProfileConference),
    /// An ordinary registrar, with the user and the password of the profile.
    Registrar,
}

/// A conference on the target.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileConference {
    /// Its GRUU.
    pub uri: String,
    /// The conference key (PIN).
    #[serde(deserialize_with = "super::password")]
    pub key: String,
    /// What stands in `username`; the name of the conference where it is absent.
    #[serde(default)]
    pub user: Option<String>,
    /// The GRUU of a conference that admits nobody without an account.
    #[serde(default)]
    pub closed: Option<String>,
}

/// Without the key.
impl fmt::Debug for ProfileConference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileConference({})", self.uri)
    }
}

impl ProfileConference {
    /// What stands in `username`.
    #[must_use]
    pub fn username(&self) -> &str {
        self.user.as_deref().or_else(|| parts(&self.uri).map(|(_, id)| id)).unwrap_or_default()
    }

    /// Address of the organizer, without scheme.
    #[must_use]
    pub fn organizer(&self) -> &str {
        parts(&self.uri).map_or("", |(organizer, _)| organizer)
    }

    /// The GRUU of a conference of the same organizer that does not exist.
    #[must_use]
    pub fn absent(&self) -> String {
        format!("sip:{}{GRUU}NOSUCH00", self.organizer())
    }
}

/// Organizer and name of a conference.
fn parts(uri: &str) -> Option<(&str, &str)> {
    uri.strip_prefix("sip:")?.split_once(GRUU)
}

/// The table `[digest]`.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(default)]
    registrar: bool,
}

/// Where Digest is tested, as the two tables say.
///
/// # Errors
/// Names the key and what is wrong with it.
pub(super) fn place(
    conference: Option<ProfileConference>,
    digest: Option<Table>,
) -> Result<Option<DigestPlace>, String> {
    let is_registrar = digest.is_some_and(|table| table.registrar);
    match conference {
        Some(_) if is_registrar => {
            Err("digest.registrar: a registrar of Digest has no [conference] beside it".to_owned())
        }
        Some(conference) => {
            check("conference.uri", &conference.uri)?;
            conference.closed.as_ref().map_or(Ok(()), |closed| check("conference.closed", closed))?;
            Ok(Some(DigestPlace::Conference(conference)))
        }
        None => Ok(is_registrar.then_some(DigestPlace::Registrar)),
    }
}

fn check(key: &str, uri: &str) -> Result<(), String> {
    let is_usable = parts(uri)
        .is_some_and(|(organizer, id)| super::check_address(key, organizer).is_ok() && super::is_usable(id));
    if is_usable { Ok(()) } else { Err(format!("{key}: {uri:?} is not of the form sip:user@host{GRUU}ID")) }
}
