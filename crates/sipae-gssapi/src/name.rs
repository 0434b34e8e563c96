//! Names of users and services.

use std::{fmt, ptr};

use crate::buffer::{Input, Output};
use crate::sys::Raw;
use crate::{Gss, GssError, Oid};

/// The name of a user or a service, as the library holds it.
pub struct Name {
    gss: Gss,
    raw: Raw,
}

impl Name {
    /// A service on a host, `sip@server.contoso.com` (RFC 2743 4.1).
    ///
    /// # Errors
    /// What the library says.
    pub fn hostbased_service(gss: Gss, text: &str) -> Result<Self, GssError> {
        Self::import(gss, text, &Oid::HOSTBASED_SERVICE)
    }

    /// A Kerberos principal, `sip/server.contoso.com` or `alice@CONTOSO.COM` (RFC 1964 2.1.1).
    ///
    /// # Errors
    /// What the library says.
    pub fn principal(gss: Gss, text: &str) -> Result<Self, GssError> {
        Self::import(gss, text, &Oid::PRINCIPAL_NAME)
    }

    /// A user, `alice` or `CONTOSO\alice` (RFC 2743 4.2).
    ///
    /// # Errors
    /// What the library says.
    pub fn user(gss: Gss, text: &str) -> Result<Self, GssError> {
        Self::import(gss, text, &Oid::USER_NAME)
    }

    fn import(gss: Gss, text: &str, kind: &Oid) -> Result<Self, GssError> {
        let mut input = Input::new("name", text.as_bytes())?;
        let mut kind = kind.lent();
        let mut name = Self { gss, raw: ptr::null_mut() };
        let mut minor = 0;
        // SAFETY: text and kind are lent for the call; the name is released by its owner.
        let major = unsafe {
            (gss.functions.gss_import_name)(&raw mut minor, input.raw(), &raw mut kind, &raw mut name.raw)
        };
        gss.check("gss_import_name", None, major, minor)?;
        Ok(name)
    }

    /// A name that the library has given; `None` for none.
    ///
    /// # Safety
    /// `raw` is null, or a name of the library that nobody else releases.
    pub(crate) unsafe fn owned(gss: Gss, raw: Raw) -> Option<Self> {
        (!raw.is_null()).then_some(Self { gss, raw })
    }

    /// Valid as long as this name.
    pub(crate) const fn raw(&self) -> Raw {
        self.raw
    }

    /// The name as text, such as `alice@CONTOSO.COM`. Some mechanisms count C's NUL with it, which is left out.
    ///
    /// # Errors
    /// What the library says.
    pub fn text(&self) -> Result<String, GssError> {
        const LONGEST: usize = 4096;
        let mut output = Output::new(self.gss);
        let mut minor = 0;
        // SAFETY: the name is alive, the other places are ours; the kind of name is not asked for.
        let major = unsafe {
            (self.gss.functions.gss_display_name)(&raw mut minor, self.raw, output.raw(), ptr::null_mut())
        };
        self.gss.check("gss_display_name", None, major, minor)?;
        let octets = output.all("name", LONGEST)?;
        let text = octets.strip_suffix(b"\0").unwrap_or(&octets);
        Ok(String::from_utf8_lossy(text).into_owned())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: null, or a name of the library that nobody else releases.
        unsafe { (self.gss.functions.gss_release_name)(&raw mut minor, &raw mut self.raw) };
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.text().unwrap_or_else(|error| error.to_string()))
    }
}
