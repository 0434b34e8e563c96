//! SIP messages (RFC 3261 7) as octets with an index: nothing is copied, nothing is changed.
//!
//! A signature covers text exactly as it was written, so a [`Message`] keeps the octets and hands out slices of
//! them. Reading allocates nothing: the index has one fixed slot for each known header name, and everything else
//! is found again by walking the lines.
//!
//! Not here: bodies, and any header field that authentication does not need.

mod address;
mod diagnose;
mod fields;
mod grammar;
mod layout;
mod limits;
mod name;
mod stream;
mod unwritten;
mod value;

pub use address::{Address, Addresses, Param, Params, address_of_record};
pub(crate) use address::{Elements, strip_scheme};
pub use diagnose::MessageFinding;
pub(crate) use fields::Fields;
pub use fields::{CSeq, Identities, Via};
pub(crate) use layout::Span;
pub use limits::Limits;
pub use name::HeaderName;
pub use stream::MessageStream;
pub(crate) use unwritten::Unwritten;
pub use value::Value;

use std::fmt;

use layout::{Layout, StartLineLayout};

use crate::octets::{shown, slice};

/// Why octets are not a SIP message. Offsets count octets from the beginning of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A bound of [`Limits`] is exceeded.
    #[error("{actual} exceeds the limit {limit} of {maximum}")]
    Limit {
        /// The field of [`Limits`].
        limit: &'static str,
        /// Its value.
        maximum: usize,
        /// What the message has, as far as it was read.
        actual: usize,
    },
    /// A line ends in LF without CR (RFC 3261 7).
    #[error("line feed without carriage return at octet {offset}")]
    BareLineFeed {
        /// Where the LF stands.
        offset: usize,
    },
    /// The octets end before the empty line.
    #[error("message ends after {length} octets, before the empty line that closes the header section")]
    Incomplete {
        /// Octets that there are.
        length: usize,
    },
    /// The start line is neither a request line nor a status line of SIP/2.0 (RFC 3261 7.1, 7.2).
    #[error("start line \"{line}\" is no request or status line of SIP/2.0")]
    StartLine {
        /// The line, shortened.
        line: String,
    },
    /// A header line has no colon, or a name that is no token (RFC 3261 7.3.1).
    #[error("header line \"{line}\" at octet {offset} has no field name and colon")]
    HeaderLine {
        /// Where the line begins.
        offset: usize,
        /// The line, shortened.
        line: String,
    },
    /// Content-Length is not a number, or two fields contradict each other (RFC 3261 20.14).
    #[error("Content-Length \"{text}\" is not one decimal number")]
    ContentLength {
        /// The value, shortened.
        text: String,
    },
    /// A header value that is needed cannot be read, see the diagnostic.
    #[error("{header}: {diagnostic}")]
    Header {
        /// The header field.
        header: HeaderName,
        /// What is wrong with it.
        diagnostic: sipae_spec::Diagnostic,
    },
}

impl MessageError {
    /// The rule that the octets break: a requirement id or a clause of RFC 3261.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Limit { .. } => "SIPAE-3.3.5.3-22",
            Self::BareLineFeed { .. } | Self::Incomplete { .. } => "RFC 3261 7",
            Self::StartLine { .. } => "RFC 3261 7.1",
            Self::HeaderLine { .. } => "RFC 3261 7.3.1",
            Self::ContentLength { .. } => "RFC 3261 20.14",
            Self::Header { diagnostic, .. } => diagnostic.rule(),
        }
    }
}

/// The first line of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `METHOD request-uri SIP/2.0`
    Request {
        /// Method as written; methods are case-sensitive.
        method: &'a [u8],
        /// Request-URI as written.
        uri: &'a [u8],
    },
    /// `SIP/2.0 status reason`
    Response {
        /// Three digits, 100 to 699.
        status: u16,
        /// Reason phrase as written, possibly empty.
        reason: &'a [u8],
    },
}

impl fmt::Debug for StartLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, uri } => write!(f, "{} {}", shown(method), shown(uri)),
            Self::Response { status, reason } => write!(f, "{status} {}", shown(reason)),
        }
    }
}

/// One header field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name as written, without blanks.
    pub name: &'a [u8],
    /// The name, if it is a known one.
    pub known: Option<HeaderName>,
    /// The value without the blanks around it.
    pub value: Value<'a>,
    /// Where the line begins, in octets from the beginning of the message.
    pub offset: usize,
}

/// A SIP request or response: its octets and where things are in them.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    octets: &'a [u8],
    layout: Layout,
}

impl<'a> Message<'a> {
    /// Reads one whole message: start line, header section, empty line; all octets after it are the body.
    ///
    /// # Errors
    /// When the octets are no SIP message or exceed a limit.
    pub fn parse(octets: &'a [u8], limits: &Limits) -> Result<Self, MessageError> {
        let layout = Layout::read(octets, limits)?;
        Limits::check("body", limits.body, octets.len().saturating_sub(layout.head))?;
        Ok(Self { octets, layout })
    }

    pub(crate) const fn from_parts(octets: &'a [u8], layout: Layout) -> Self {
        Self { octets, layout }
    }

    /// All octets, as received.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// What follows the empty line, whatever it looks like ([MS-SIPAE] SIPAE-2.2-22).
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        slice(self.octets, self.layout.head, self.octets.len())
    }

    /// The start line.
    #[must_use]
    pub fn start_line(&self) -> StartLine<'a> {
        match self.layout.start {
            StartLineLayout::Request { method, uri } => {
                StartLine::Request { method: method.of(self.octets), uri: uri.of(self.octets) }
            }
            StartLineLayout::Response { status, reason } => {
                StartLine::Response { status, reason: reason.of(self.octets) }
            }
        }
    }

    /// The status code of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.layout.start {
            StartLineLayout::Response { status, .. } => Some(status),
            StartLineLayout::Request { .. } => None,
        }
    }

    /// The status code of a response as written: three digits.
    #[must_use]
    pub fn status_text(&self) -> Option<&'a [u8]> {
        self.status().map(|_| slice(self.octets, 8, 11))
    }

    /// The method of a request.
    #[must_use]
    pub fn method(&self) -> Option<&'a [u8]> {
        match self.start_line() {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// Whether this is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.layout.start, StartLineLayout::Request { .. })
    }

    /// All header fields in order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        layout::Lines::new(slice(self.octets, 0, self.layout.head), self.layout.first_header)
            .map_while(Result::ok)
    }

    /// The first field of that name.
    #[must_use]
    pub fn first(&self, name: HeaderName) -> Option<Value<'a>> {
        self.layout.slot(name).map(|slot| Value(slot.value.of(self.octets)))
    }

    /// How many fields of that name there are.
    #[must_use]
    pub fn count(&self, name: HeaderName) -> usize {
        self.layout.slot(name).map_or(0, |slot| usize::from(slot.count))
    }

    /// Every field of that name, in order; a field may hold several values, see [`Addresses`].
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let slot = self.layout.slot(name);
        // Lines are walked over again only where the index does not say it all.
        let repeated = slot.filter(|slot| 1 < slot.count);
        let line = repeated.map_or(self.layout.head, |slot| slot.line as usize);
        let others = layout::Lines::new(slice(self.octets, 0, self.layout.head), line)
            .map_while(Result::ok)
            .filter(move |header| header.known == Some(name))
            .take(repeated.map_or(0, |slot| usize::from(slot.count)))
            .skip(1)
            .map(|header| header.value);
        self.first(name).into_iter().chain(others)
    }

    /// The first field with this name, known or not, in any letter case.
    #[must_use]
    pub fn by_text(&self, name: &str) -> Option<Value<'a>> {
        self.headers()
            .find(|header| header.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|header| header.value)
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?}, {} octets)", self.start_line(), self.octets.len())
    }
}
