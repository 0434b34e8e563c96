//! Header values as they stand on the wire.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;

use crate::octets::{is_blank, is_lws, shown, slice};

/// The octets of a header value or of a part of it, exactly as written, folds included.
///
/// RFC 3261 7.3.1: a fold, that is a line end and the blanks around it, reads as one blank.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Value<'a>(pub &'a [u8]);

impl<'a> Value<'a> {
    /// The octets as they were received.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.0
    }

    /// Whether a line is folded inside the value.
    #[must_use]
    pub fn is_folded(self) -> bool {
        memchr(b'\n', self.0).is_some()
    }

    /// The value with each fold replaced by one blank; borrowed where there is none.
    #[must_use]
    pub fn unfolded(self) -> Cow<'a, [u8]> {
        if !self.is_folded() {
            return Cow::Borrowed(self.0);
        }
        let mut text = Vec::with_capacity(self.0.len());
        self.write_to(&mut text);
        Cow::Owned(text)
    }

    /// Appends the unfolded value.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let mut rest = self.0;
        while let Some(line_end) = memchr(b'\n', rest) {
            let line = slice(rest, 0, line_end);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let kept = line.iter().rposition(|octet| !is_blank(*octet)).map_or(0, |last| last + 1);
            out.extend_from_slice(slice(line, 0, kept));
            out.push(b' ');
            let next = slice(rest, line_end + 1, rest.len());
            let indent = next.iter().position(|octet| !is_lws(*octet)).unwrap_or(next.len());
            rest = slice(next, indent, next.len());
        }
        out.extend_from_slice(rest);
    }

    /// The unfolded value as text, with replacement characters for what is not UTF-8.
    #[must_use]
    pub fn to_text(self) -> String {
        String::from_utf8_lossy(&self.unfolded()).into_owned()
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", shown(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_reads_as_one_blank() {
        assert_eq!(Value(b"a \t\r\n   b\r\n\tc").unfolded().as_ref(), b"a b c");
    }

    #[test]
    fn a_value_without_fold_is_borrowed() {
        assert!(matches!(Value(b"a  b").unfolded(), Cow::Borrowed(b"a  b")));
    }

    #[test]
    fn a_lone_carriage_return_is_kept() {
        assert_eq!(Value(b"a\rb").unfolded().as_ref(), b"a\rb");
    }
}
