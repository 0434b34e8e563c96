//! Bounds on what a peer may send.

use super::MessageError;

/// Upper bounds for one message. Whatever exceeds one is refused with an error that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of the start line, without its line end.
    pub start_line: usize,
    /// Octets of one header field: name, value and folds.
    pub header_field: usize,
    /// Number of header fields.
    pub header_fields: usize,
    /// Octets of start line and header section together.
    pub head: usize,
    /// Octets of the body.
    pub body: usize,
}

impl Limits {
    /// Bounds far above what products send: TLS-DSK flights reach some kilobytes, notifications carry large bodies.
    pub const DEFAULT: Self = Self {
        start_line: 8 * 1024,
        header_field: 128 * 1024,
        header_fields: 512,
        head: 256 * 1024,
        body: 4 * 1024 * 1024,
    };

    /// No bounds: for messages of our own.
    pub const NONE: Self = Self {
        start_line: usize::MAX,
        header_field: usize::MAX,
        header_fields: usize::MAX,
        head: usize::MAX,
        body: usize::MAX,
    };

    pub(crate) fn check(limit: &'static str, maximum: usize, actual: usize) -> Result<(), MessageError> {
        if actual <= maximum { Ok(()) } else { Err(MessageError::Limit { limit, maximum, actual }) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
