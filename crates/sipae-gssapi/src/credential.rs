//! What one proves oneself with.

use std::ffi::{CString, c_int};
use std::time::Duration;
use std::{fmt, ptr};

use crate::buffer::Input;
use crate::oid::OneOid;
use crate::sys::{KeyValueDesc, KeyValueSetDesc, OidSetDesc, Raw};
use crate::{Gss, GssError, Name, Oid};

/// Which side a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// A client: tickets or a password.
    Initiate,
    /// A server: a keytab.
    Accept,
}

impl Usage {
    const fn code(self) -> c_int {
        match self {
            Self::Initiate => 1,
            Self::Accept => 2,
        }
    }
}

/// Which credential is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// For which side.
    pub usage: Usage,
    /// For which mechanism.
    pub mechanism: &'a Oid,
    /// Whose; without, the user of the ticket cache, or any name of the keytab.
    pub name: Option<&'a Name>,
}

impl<'a> Wanted<'a> {
    /// The default one.
    #[must_use]
    pub const fn new(usage: Usage, mechanism: &'a Oid) -> Self {
        Self { usage, mechanism, name: None }
    }

    /// That of `name`.
    #[must_use]
    pub const fn of(mut self, name: &'a Name) -> Self {
        self.name = Some(name);
        self
    }

    fn raw_name(&self) -> Raw {
        self.name.map_or(ptr::null_mut(), Name::raw)
    }
}

/// Where a credential is kept, if not where the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// A ticket cache, such as `FILE:/tmp/krb5cc_1000`.
    pub ccache: Option<String>,
    /// A keytab, such as `FILE:/etc/krb5.keytab`.
    pub keytab: Option<String>,
    /// What a server remembers authenticators in, such as `none:`.
    pub replay_cache: Option<String>,
}

impl Store {
    /// Key and value, as MIT calls them.
    fn entries(&self) -> Result<Vec<(&'static std::ffi::CStr, CString)>, GssError> {
        let named = [(c"ccache", &self.ccache), (c"keytab", &self.keytab), (c"rcache", &self.replay_cache)];
        let entry = |(key, value): (_, &Option<String>)| {
            let value = value.clone()?;
            Some(CString::new(value).map(|value| (key, value)).map_err(|_| GssError::Nul { what: "store" }))
        };
        named.into_iter().filter_map(entry).collect()
    }
}

/// What one proves oneself with: tickets, a password, a keytab.
pub struct Credential {
    gss: Gss,
    raw: Raw,
    mechanism: Oid,
}

impl Credential {
    /// From the default ticket cache or keytab (RFC 2744 5.2).
    ///
    /// # Errors
    /// What the library says: no tickets, no keytab, no such mechanism.
    pub fn acquire(gss: Gss, wanted: &Wanted<'_>) -> Result<Self, GssError> {
        Self::acquired(gss, "gss_acquire_cred", wanted, |minor, mechanisms, raw| {
            // SAFETY: name and mechanisms are lent for the call; the credential is released by its owner.
            unsafe {
                (gss.functions.gss_acquire_cred)(
                    minor,
                    wanted.raw_name(),
                    0,
                    mechanisms,
                    wanted.usage.code(),
                    raw,
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            }
        })
    }

    /// From a ticket cache or keytab that is named.
    ///
    /// # Errors
    /// What the library says; a place with a NUL in it.
    pub fn acquire_from(gss: Gss, wanted: &Wanted<'_>, store: &Store) -> Result<Self, GssError> {
        let entries = store.entries()?;
        let mut elements: Vec<KeyValueDesc> = entries
            .iter()
            .map(|(key, value)| KeyValueDesc { key: key.as_ptr(), value: value.as_ptr() })
            .collect();
        let count = u32::try_from(elements.len()).unwrap_or_default();
        let set = KeyValueSetDesc { count, elements: elements.as_mut_ptr() };
        Self::acquired(gss, "gss_acquire_cred_from", wanted, |minor, mechanisms, raw| {
            // SAFETY: name, mechanisms and the set with its texts are lent for the call; the credential is released
            // by its owner.
            unsafe {
                (gss.functions.gss_acquire_cred_from)(
                    minor,
                    wanted.raw_name(),
                    0,
                    mechanisms,
                    wanted.usage.code(),
                    &raw const set,
                    raw,
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            }
        })
    }

    /// With a password, for the name that is wanted.
    ///
    /// # Errors
    /// What the library says; a password with a NUL in it.
    pub fn with_password(gss: Gss, wanted: &Wanted<'_>, password: &str) -> Result<Self, GssError> {
        let terminated = [password.as_bytes(), b"\0"].concat();
        let mut password = Input::terminated("password", &terminated)?;
        let password = password.raw();
        Self::acquired(gss, "gss_acquire_cred_with_password", wanted, |minor, mechanisms, raw| {
            // SAFETY: name, password and mechanisms are lent for the call; the credential is released by its owner.
            unsafe {
                (gss.functions.gss_acquire_cred_with_password)(
                    minor,
                    wanted.raw_name(),
                    password,
                    0,
                    mechanisms,
                    wanted.usage.code(),
                    raw,
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            }
        })
    }

    fn acquired(
        gss: Gss,
        call: &'static str,
        wanted: &Wanted<'_>,
        acquire: impl FnOnce(*mut u32, *mut OidSetDesc, *mut Raw) -> u32,
    ) -> Result<Self, GssError> {
        let mut mechanisms = OneOid::new(wanted.mechanism);
        let mut set = mechanisms.set();
        let mut credential = Self { gss, raw: ptr::null_mut(), mechanism: wanted.mechanism.clone() };
        let mut minor = 0;
        let major = acquire(&raw mut minor, &raw mut set, &raw mut credential.raw);
        gss.check(call, Some(wanted.mechanism), major, minor)?;
        Ok(credential)
    }

    /// Sets an option of the mechanism.
    ///
    /// # Errors
    /// What the library says.
    pub fn set_option(&mut self, option: &Oid, value: &[u8]) -> Result<(), GssError> {
        let mut option = option.lent();
        let mut value = Input::new("value of a credential option", value)?;
        let mut minor = 0;
        // SAFETY: option and value are lent for the call, the credential is ours.
        let major = unsafe {
            (self.gss.functions.gss_set_cred_option)(
                &raw mut minor,
                &raw mut self.raw,
                &raw mut option,
                value.raw(),
            )
        };
        self.gss.check("gss_set_cred_option", Some(&self.mechanism), major, minor).map(drop)
    }

    /// How long it is still good for; `None` for ever (RFC 2744 5.21).
    ///
    /// # Errors
    /// What the library says.
    pub fn lifetime(&self) -> Result<Option<Duration>, GssError> {
        self.inquire().map(|(_, seconds)| lifetime(seconds))
    }

    /// Whose it is; `None` for a server that takes any name of its keytab.
    ///
    /// # Errors
    /// What the library says.
    pub fn name(&self) -> Result<Option<Name>, GssError> {
        self.inquire().map(|(name, _)| name)
    }

    fn inquire(&self) -> Result<(Option<Name>, u32), GssError> {
        let (mut raw, mut seconds, mut minor) = (ptr::null_mut(), 0, 0);
        // SAFETY: the credential is alive, the other places are ours; usage and mechanisms are not asked for.
        let major = unsafe {
            (self.gss.functions.gss_inquire_cred)(
                &raw mut minor,
                self.raw,
                &raw mut raw,
                &raw mut seconds,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        // SAFETY: null, or a name that the library has just given to us.
        let name = unsafe { Name::owned(self.gss, raw) };
        self.gss.check("gss_inquire_cred", Some(&self.mechanism), major, minor)?;
        Ok((name, seconds))
    }

    /// Valid as long as this credential.
    pub(crate) const fn raw(&self) -> Raw {
        self.raw
    }
}

impl Drop for Credential {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: null, or a credential of the library that nobody else releases.
        unsafe { (self.gss.functions.gss_release_cred)(&raw mut minor, &raw mut self.raw) };
    }
}

/// Without what it proves.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.mechanism)
    }
}

/// A lifetime of the library: the largest number is `GSS_C_INDEFINITE`.
pub(crate) fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != u32::MAX).then(|| Duration::from_secs(seconds.into()))
}
