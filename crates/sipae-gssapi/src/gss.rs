//! The library.

use std::ptr;
use std::sync::OnceLock;
use std::{fmt, marker::PhantomData};

use crate::sys::{Functions, LIBRARY, Loaded, OidSetDesc};
use crate::{GssError, Oid};

/// MIT's GSS-API library, loaded. It stays so until the process ends: mechanisms that it has loaded itself do not like to
/// be unloaded.
#[derive(Clone, Copy)]
pub struct Gss {
    pub(crate) functions: &'static Functions,
    /// The library keeps the text of the last error for each thread, and contexts have no lock.
    _stays_in_its_thread: PhantomData<*const ()>,
}

impl Gss {
    /// Loads the library, or says why it cannot be used.
    ///
    /// # Errors
    /// [`GssError::Library`] when it is absent, or too old to have all functions.
    pub fn load() -> Result<Self, GssError> {
        static LOADED: OnceLock<Result<Loaded, GssError>> = OnceLock::new();
        let loaded = LOADED.get_or_init(|| Loaded::load(LIBRARY));
        loaded
            .as_ref()
            .map(|loaded| Self { functions: &loaded.functions, _stays_in_its_thread: PhantomData })
            .map_err(Clone::clone)
    }

    /// The mechanisms that the library knows, with its plug-ins (RFC 2744 5.15).
    ///
    /// # Errors
    /// What the library says.
    pub fn mechanisms(self) -> Result<Vec<Oid>, GssError> {
        let mut set = OidSet { gss: self, raw: ptr::null_mut() };
        let mut minor = 0;
        // SAFETY: both places are ours; the set is released by its owner.
        let major = unsafe { (self.functions.gss_indicate_mechs)(&raw mut minor, &raw mut set.raw) };
        self.check("gss_indicate_mechs", None, major, minor)?;
        Ok(set.oids())
    }
}

impl fmt::Debug for Gss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gss({LIBRARY})")
    }
}

/// A set that the library has allocated.
struct OidSet {
    gss: Gss,
    raw: *mut OidSetDesc,
}

impl OidSet {
    /// Copies; no library has more mechanisms than the bound.
    fn oids(&self) -> Vec<Oid> {
        const MOST: usize = 256;
        // SAFETY: null, or a set that the library has filled and that lives as long as `self`.
        let Some(set) = (unsafe { self.raw.as_ref() }) else { return Vec::new() };
        if set.elements.is_null() {
            return Vec::new();
        }
        // SAFETY: the library says that there are `count` elements, which live as long as the set.
        let elements = unsafe { std::slice::from_raw_parts(set.elements, set.count.min(MOST)) };
        elements.iter().filter_map(Oid::copied).collect()
    }
}

impl Drop for OidSet {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: null, or a set of the library that nobody else releases.
        unsafe { (self.gss.functions.gss_release_oid_set)(&raw mut minor, &raw mut self.raw) };
    }
}
