//! Octets to the library and from it.

use std::marker::PhantomData;
use std::ptr;

use crate::sys::BufferDesc;
use crate::{Gss, GssError};

/// The longest input. Far more than a SIP message or a token has; MIT counts in 32 bits inside.
const LONGEST_INPUT: usize = 1 << 24;

/// Octets that are lent to the library for one call: it reads them.
pub(crate) struct Input<'a> {
    desc: BufferDesc,
    _lent: PhantomData<&'a [u8]>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(what: &'static str, octets: &'a [u8]) -> Result<Self, GssError> {
        within(what, octets.len(), LONGEST_INPUT)?;
        let desc = BufferDesc { length: octets.len(), value: octets.as_ptr().cast_mut().cast() };
        Ok(Self { desc, _lent: PhantomData })
    }

    /// A password and the NUL behind it. The NUL is not counted, and the NTLM plug-in reads it all the same.
    pub(crate) fn terminated(what: &'static str, octets: &'a [u8]) -> Result<Self, GssError> {
        let text = octets.strip_suffix(b"\0").filter(|text| !text.contains(&0));
        Self::new(what, text.ok_or(GssError::Nul { what })?)
    }

    pub(crate) fn raw(&mut self) -> *mut BufferDesc {
        &raw mut self.desc
    }
}

/// Octets that the library has allocated.
pub(crate) struct Output {
    gss: Gss,
    desc: BufferDesc,
}

impl Output {
    pub(crate) const fn new(gss: Gss) -> Self {
        Self { gss, desc: BufferDesc { length: 0, value: ptr::null_mut() } }
    }

    pub(crate) fn raw(&mut self) -> *mut BufferDesc {
        &raw mut self.desc
    }

    /// At most the first `most` octets.
    pub(crate) fn first(&self, most: usize) -> Vec<u8> {
        if self.desc.value.is_null() {
            return Vec::new();
        }
        // SAFETY: the library says that there are so many octets, and they are released when `self` is dropped.
        let octets =
            unsafe { std::slice::from_raw_parts(self.desc.value.cast::<u8>(), self.desc.length.min(most)) };
        octets.to_vec()
    }

    /// All octets, if they are no more than `most`.
    pub(crate) fn all(&self, what: &'static str, most: usize) -> Result<Vec<u8>, GssError> {
        within(what, self.desc.length, most)?;
        Ok(self.first(most))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: empty, or a buffer of the library that nobody else releases.
        unsafe { (self.gss.functions.gss_release_buffer)(&raw mut minor, &raw mut self.desc) };
    }
}

const fn within(what: &'static str, length: usize, limit: usize) -> Result<(), GssError> {
    if length <= limit { Ok(()) } else { Err(GssError::TooLong { what, length, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_its_nul_behind_it_and_none_within() {
        assert_eq!(Input::terminated("password", b"secret\0").expect("a password").desc.length, 6);
        for bad in [&b"secret"[..], b"sec\0ret\0", b""] {
            assert_eq!(Input::terminated("password", bad).err(), Some(GssError::Nul { what: "password" }));
        }
    }

    #[test]
    fn an_input_over_the_limit_is_refused_before_the_library_sees_it() {
        let octets = vec![0; LONGEST_INPUT + 1];
        assert!(Input::new("message", &octets[1..]).is_ok());
        let limit = LONGEST_INPUT;
        let error = GssError::TooLong { what: "message", length: limit + 1, limit };
        assert_eq!(Input::new("message", &octets).err(), Some(error));
    }
}
