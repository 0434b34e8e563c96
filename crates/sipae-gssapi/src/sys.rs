//! The C interface (RFC 2744, and MIT's extensions), as far as it is used here.

use std::error::Error as _;
use std::ffi::{c_char, c_int, c_void};

use libloading::Library;

use crate::GssError;

/// MIT Kerberos has had this name since its release 1.0.
pub(crate) const LIBRARY: &str = "libgssapi_krb5.so.2";

/// A name, a credential or a context: only the library looks inside.
pub(crate) type Raw = *mut c_void;

/// `gss_OID_desc`.
#[repr(C)]
pub(crate) struct OidDesc {
    pub(crate) length: u32,
    pub(crate) elements: *mut c_void,
}

/// `gss_OID_set_desc`.
#[repr(C)]
pub(crate) struct OidSetDesc {
    pub(crate) count: usize,
    pub(crate) elements: *mut OidDesc,
}

/// `gss_buffer_desc`.
#[repr(C)]
pub(crate) struct BufferDesc {
    pub(crate) length: usize,
    pub(crate) value: *mut c_void,
}

/// `gss_key_value_element_desc`.
#[repr(C)]
pub(crate) struct KeyValueDesc {
    pub(crate) key: *const c_char,
    pub(crate) value: *const c_char,
}

/// `gss_key_value_set_desc`.
#[repr(C)]
pub(crate) struct KeyValueSetDesc {
    pub(crate) count: u32,
    pub(crate) elements: *mut KeyValueDesc,
}

macro_rules! functions {
    ($($name:ident($($argument:ty),*);)*) => {
        /// The functions that are called. Each one gives the major status; its first argument takes the minor one.
        pub(crate) struct Functions {
            $(pub(crate) $name: unsafe extern "C" fn(*mut u32, $($argument),*) -> u32,)*
        }

        impl Functions {
            fn of(library: &Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    $($name: {
                        // SAFETY: the function of this name has this type in gssapi.h or gssapi_ext.h.
                        *unsafe { library.get(concat!(stringify!($name), "\0"))? }
                    },)*
                })
            }
        }
    };
}

functions! {
    gss_accept_sec_context(
        *mut Raw, Raw, *mut BufferDesc, Raw, *mut Raw, *mut *mut OidDesc, *mut BufferDesc, *mut u32, *mut u32, *mut Raw
    );
    gss_acquire_cred(Raw, u32, *mut OidSetDesc, c_int, *mut Raw, *mut *mut OidSetDesc, *mut u32);
    gss_acquire_cred_from(
        Raw, u32, *mut OidSetDesc, c_int, *const KeyValueSetDesc, *mut Raw, *mut *mut OidSetDesc, *mut u32
    );
    gss_acquire_cred_with_password(
        Raw, *mut BufferDesc, u32, *mut OidSetDesc, c_int, *mut Raw, *mut *mut OidSetDesc, *mut u32
    );
    gss_context_time(Raw, *mut u32);
    gss_delete_sec_context(*mut Raw, *mut BufferDesc);
    gss_display_name(Raw, *mut BufferDesc, *mut *mut OidDesc);
    gss_display_status(u32, c_int, *mut OidDesc, *mut u32, *mut BufferDesc);
    gss_get_mic(Raw, u32, *mut BufferDesc, *mut BufferDesc);
    gss_import_name(*mut BufferDesc, *mut OidDesc, *mut Raw);
    gss_indicate_mechs(*mut *mut OidSetDesc);
    gss_init_sec_context(
        Raw, *mut Raw, Raw, *mut OidDesc, u32, u32, Raw, *mut BufferDesc, *mut *mut OidDesc, *mut BufferDesc,
        *mut u32, *mut u32
    );
    gss_inquire_cred(Raw, *mut Raw, *mut u32, *mut c_int, *mut *mut OidSetDesc);
    gss_release_buffer(*mut BufferDesc);
    gss_release_cred(*mut Raw);
    gss_release_name(*mut Raw);
    gss_release_oid_set(*mut *mut OidSetDesc);
    gss_set_cred_option(*mut Raw, *mut OidDesc, *mut BufferDesc);
    gss_set_sec_context_option(*mut Raw, *mut OidDesc, *mut BufferDesc);
    gss_verify_mic(Raw, *mut BufferDesc, *mut BufferDesc, *mut u32);
}

/// The library and its functions, which are valid as long as it stays loaded.
pub(crate) struct Loaded {
    pub(crate) functions: Functions,
    _library: Library,
}

impl Loaded {
    /// Loads a library by its name.
    pub(crate) fn load(name: &'static str) -> Result<Self, GssError> {
        let absent = |error: libloading::Error| GssError::Library { library: name, reason: reason(&error) };
        // SAFETY: what MIT's library does when it is loaded and unloaded asks nothing of the caller; whoever can put
        // another one in its place can put another program in ours.
        let library = unsafe { Library::new(name) }.map_err(absent)?;
        Ok(Self { functions: Functions::of(&library).map_err(absent)?, _library: library })
    }
}

/// What the loader says, in one line.
fn reason(error: &libloading::Error) -> String {
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    said.replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_library_is_told_of_in_one_line_with_its_name() {
        let told = Loaded::load("libgssapi_of_nobody.so.2").err().expect("no such library").to_string();
        assert!(told.starts_with("libgssapi_of_nobody.so.2 cannot be used: "), "{told}");
        assert!(!told.contains('\n'), "{told}");
    }

    /// The C library is there on every machine that this is tested on, and knows nothing of GSS-API.
    #[test]
    fn a_library_without_the_functions_is_told_of_by_the_first_one_that_is_missing() {
        let told = Loaded::load("libc.so.6").err().expect("no GSS-API").to_string();
        assert!(told.contains("gss_accept_sec_context"), "{told}");
    }
}
