//! Security contexts.

use std::time::Duration;
use std::{fmt, ptr};

use crate::buffer::{Input, Output};
use crate::credential::lifetime;
use crate::sys::Raw;
use crate::{Gss, GssError, Oid};

/// A context of the library, finished or not.
pub(crate) struct RawContext {
    pub(crate) gss: Gss,
    pub(crate) raw: Raw,
}

impl RawContext {
    pub(crate) const fn new(gss: Gss) -> Self {
        Self { gss, raw: ptr::null_mut() }
    }
}

impl Drop for RawContext {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: null, or a context of the library that nobody else deletes; no last token is asked for.
        unsafe {
            (self.gss.functions.gss_delete_sec_context)(&raw mut minor, &raw mut self.raw, ptr::null_mut())
        };
    }
}

/// What both sides have after a handshake: it signs and verifies. Its keys stay in the library.
pub struct Context(pub(crate) RawContext);

impl Context {
    /// Signs a message (RFC 2744 5.14).
    ///
    /// # Errors
    /// What the library says, such as that the context has expired.
    pub fn get_mic(&self, message: &[u8]) -> Result<Vec<u8>, GssError> {
        const LONGEST: usize = 1024;
        let mut message = Input::new("message", message)?;
        let mut output = Output::new(self.0.gss);
        let mut minor = 0;
        // SAFETY: the context is alive, the message is lent for the call, the output is released by its owner.
        let major = unsafe {
            (self.0.gss.functions.gss_get_mic)(&raw mut minor, self.0.raw, 0, message.raw(), output.raw())
        };
        self.0.gss.check("gss_get_mic", None, major, minor)?;
        output.all("signature", LONGEST)
    }

    /// Checks the peer's signature of a message (RFC 2744 5.32).
    ///
    /// # Errors
    /// That it is another one, or what else the library says; that it was there before or is out of its order, only
    /// where the handshake asked for [`Flags::REPLAY`](crate::Flags::REPLAY) or
    /// [`Flags::SEQUENCE`](crate::Flags::SEQUENCE).
    pub fn verify_mic(&self, message: &[u8], signature: &[u8]) -> Result<(), GssError> {
        let mut message = Input::new("message", message)?;
        let mut signature = Input::new("signature", signature)?;
        let mut minor = 0;
        // SAFETY: the context is alive, message and signature are lent for the call.
        let major = unsafe {
            (self.0.gss.functions.gss_verify_mic)(
                &raw mut minor,
                self.0.raw,
                message.raw(),
                signature.raw(),
                ptr::null_mut(),
            )
        };
        self.0.gss.check("gss_verify_mic", None, major, minor).map(drop)
    }

    /// Sets an option of the mechanism.
    ///
    /// # Errors
    /// What the library says.
    pub fn set_option(&mut self, option: &Oid, value: &[u8]) -> Result<(), GssError> {
        let mut option = option.lent();
        let mut value = Input::new("value of a context option", value)?;
        let mut minor = 0;
        // SAFETY: option and value are lent for the call, the context is ours.
        let major = unsafe {
            (self.0.gss.functions.gss_set_sec_context_option)(
                &raw mut minor,
                &raw mut self.0.raw,
                &raw mut option,
                value.raw(),
            )
        };
        self.0.gss.check("gss_set_sec_context_option", None, major, minor).map(drop)
    }

    /// How long it is still good for; `None` for ever (RFC 2744 5.7).
    ///
    /// # Errors
    /// What the library says, such as that the context has expired.
    pub fn lifetime(&self) -> Result<Option<Duration>, GssError> {
        let (mut seconds, mut minor) = (0, 0);
        // SAFETY: the context is alive, the other places are ours.
        let major =
            unsafe { (self.0.gss.functions.gss_context_time)(&raw mut minor, self.0.raw, &raw mut seconds) };
        self.0.gss.check("gss_context_time", None, major, minor)?;
        Ok(lifetime(seconds))
    }
}

/// Without its keys.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}
