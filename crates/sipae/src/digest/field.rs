//! Parameters of a Digest header field: reading with quoted-string rules, writing as RFC 2617 prints them.

use super::DigestError;
use crate::auth::{AuthHeader, AuthParam, Scheme};

/// A header field of the scheme Digest that may be used.
pub(super) struct Field<'h, 'a>(&'h AuthHeader<'a>);

impl<'h, 'a> Field<'h, 'a> {
    pub(super) fn of(header: &'h AuthHeader<'a>) -> Result<Self, DigestError> {
        if header.scheme() != Some(Scheme::Digest) {
            return Err(DigestError::Scheme);
        }
        header.malformed().map_or(Ok(Self(header)), |diagnostic| Err(diagnostic.into()))
    }

    /// The value that was meant: folds are blanks, and in a quoted-string a backslash stands before a character
    /// (RFC 3261 25.1).
    pub(super) fn get(&self, param: AuthParam) -> Option<Vec<u8>> {
        let text = self.0.get(param)?.unfolded();
        Some(if self.0.is_quoted(param) { unescaped(&text) } else { text.into_owned() })
    }

    pub(super) fn required(&self, param: AuthParam) -> Result<Vec<u8>, DigestError> {
        self.get(param).ok_or(DigestError::Missing { param })
    }
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut is_escaped = false;
    let is_kept = |octet: &&u8| {
        is_escaped = **octet == b'\\' && !is_escaped;
        !is_escaped
    };
    text.iter().filter(is_kept).copied().collect()
}

/// A header field of the scheme Digest that is being written.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(Scheme::Digest.name().as_bytes().to_vec())
    }

    fn name(&mut self, param: AuthParam) {
        let is_first = self.0.len() == Scheme::Digest.name().len();
        self.0.extend_from_slice(if is_first { b" " } else { b", " });
        self.0.extend_from_slice(param.name().as_bytes());
        self.0.push(b'=');
    }

    pub(super) fn token(mut self, param: AuthParam, value: Option<impl AsRef<[u8]>>) -> Self {
        if let Some(value) = value {
            self.name(param);
            self.0.extend_from_slice(value.as_ref());
        }
        self
    }

    pub(super) fn quoted(mut self, param: AuthParam, value: Option<impl AsRef<[u8]>>) -> Self {
        if let Some(value) = value {
            self.name(param);
            self.0.push(b'"');
            for octet in value.as_ref() {
                if matches!(octet, b'"' | b'\\') {
                    self.0.push(b'\\');
                }
                self.0.push(*octet);
            }
            self.0.push(b'"');
        }
        self
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}
