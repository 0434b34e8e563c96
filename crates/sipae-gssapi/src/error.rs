//! Why something did not work.

use std::ffi::c_int;

use crate::buffer::Output;
use crate::{Gss, Oid};

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GssError {
    /// The library is absent, or has not all functions.
    #[error("{library} cannot be used: {reason}")]
    Library {
        /// The library.
        library: &'static str,
        /// What the loader says.
        reason: String,
    },
    /// A function of the library failed.
    #[error("{call}: {text} (major 0x{major:08x}, minor {minor})")]
    Status {
        /// The function.
        call: &'static str,
        /// Major status: GSS-API's own (RFC 2744 3.9.1).
        major: u32,
        /// Minor status: the mechanism's.
        minor: u32,
        /// Both as the library puts them into words.
        text: String,
    },
    /// More octets than are taken.
    #[error("{what} has {length} octets, more than {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The longest one.
        limit: usize,
    },
    /// Text that C cannot take.
    #[error("{what} holds a NUL")]
    Nul {
        /// The text.
        what: &'static str,
    },
    /// A step after the last one, or after one that failed.
    #[error("handshake is over, no step follows")]
    HandshakeOver,
    /// There is no context before the last step has succeeded.
    #[error("handshake is not done, there is no context yet")]
    HandshakeNotDone,
}

/// `GSS_S_CONTINUE_NEEDED`: the one status beside 0 that is no failure.
const CONTINUE_NEEDED: u32 = 1;
const GSS_CODE: c_int = 1;
const MECH_CODE: c_int = 2;

impl Gss {
    /// Whether another step is needed.
    ///
    /// A replayed or misplaced signature is a failure here too: only contexts that asked for it look at the order.
    pub(crate) fn check(
        self,
        call: &'static str,
        mechanism: Option<&Oid>,
        major: u32,
        minor: u32,
    ) -> Result<bool, GssError> {
        if major & !CONTINUE_NEEDED == 0 {
            return Ok(major == CONTINUE_NEEDED);
        }
        let mut texts = self.texts(major, GSS_CODE, None);
        if minor != 0 {
            texts.extend(self.texts(minor, MECH_CODE, mechanism));
        }
        Err(GssError::Status { call, major, minor, text: texts.join("; ") })
    }

    /// A status in words (RFC 2744 5.11); a few, however many the library has.
    fn texts(self, status: u32, kind: c_int, mechanism: Option<&Oid>) -> Vec<String> {
        const MOST: usize = 8;
        let mut more = 0;
        let mut texts = Vec::new();
        while texts.len() < MOST {
            let Some(text) = self.text(status, kind, mechanism, &mut more) else { break };
            texts.push(text);
            if more == 0 {
                break;
            }
        }
        texts
    }

    fn text(self, status: u32, kind: c_int, mechanism: Option<&Oid>, more: &mut u32) -> Option<String> {
        const LONGEST: usize = 1024;
        let mut mechanism = mechanism.map(Oid::lent);
        let mechanism = mechanism.as_mut().map_or(std::ptr::null_mut(), |mechanism| &raw mut *mechanism);
        let mut output = Output::new(self);
        let mut minor = 0;
        // SAFETY: the mechanism is lent for the call, the other places are ours.
        let major = unsafe {
            (self.functions.gss_display_status)(
                &raw mut minor,
                status,
                kind,
                mechanism,
                &raw mut *more,
                output.raw(),
            )
        };
        (major == 0).then(|| String::from_utf8_lossy(&output.first(LONGEST)).replace(['\r', '\n'], " "))
    }
}
