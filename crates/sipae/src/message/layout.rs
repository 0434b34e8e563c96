//! Where things are in a message: offsets only, so that it outlives any borrow of the octets.

use memchr::memchr;

use super::name::COUNT;
use super::{Header, HeaderName, Limits, MessageError, Value};
use crate::octets::{decimal, is_blank, is_token_text, offset_in, shown, slice, trim_blanks, trim_end};

const VERSION: &[u8] = b"SIP/2.0";

/// A part of the message, in octets from its beginning. A message is far below 4 GiB, see [`Limits::head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        let short = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: short(start), end: short(end) }
    }

    pub(crate) fn within(outer: &[u8], inner: &[u8]) -> Self {
        let start = offset_in(outer, inner);
        Self::new(start, start + inner.len())
    }

    pub(crate) fn of(self, octets: &[u8]) -> &[u8] {
        slice(octets, self.start as usize, self.end as usize)
    }
}

/// First field of one name, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Slot {
    pub(crate) line: u32,
    pub(crate) value: Span,
    pub(crate) count: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartLineLayout {
    Request { method: Span, uri: Span },
    Response { status: u16, reason: Span },
}

/// The index of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) start: StartLineLayout,
    /// Offset of the first header line.
    pub(crate) first_header: usize,
    /// Octets of the head, empty line included.
    pub(crate) head: usize,
    slots: [Slot; COUNT],
}

impl Layout {
    pub(crate) fn read(octets: &[u8], limits: &Limits) -> Result<Self, MessageError> {
        let line_end = line_end(octets, 0)?;
        Limits::check("start_line", limits.start_line, line_end)?;
        let start = start_line(octets, slice(octets, 0, line_end))?;
        let first_header = line_end + 2;
        if octets.len() <= first_header {
            return Err(MessageError::Incomplete { length: octets.len() });
        }
        let mut layout = Self { start, first_header, head: 0, slots: [Slot::default(); COUNT] };
        layout.index(octets, limits)?;
        Ok(layout)
    }

    fn index(&mut self, octets: &[u8], limits: &Limits) -> Result<(), MessageError> {
        let mut lines = Lines::new(octets, self.first_header);
        let mut fields = 0;
        while let Some(header) = lines.next() {
            let header = header?;
            fields += 1;
            Limits::check("header_fields", limits.header_fields, fields)?;
            Limits::check("header_field", limits.header_field, lines.position - header.offset)?;
            Limits::check("head", limits.head, lines.position)?;
            self.record(octets, &header);
        }
        self.head = lines.position;
        Limits::check("head", limits.head, self.head)
    }

    fn record(&mut self, octets: &[u8], header: &Header<'_>) {
        let Some(slot) = header.known.and_then(|name| self.slots.get_mut(name as usize)) else { return };
        if slot.count == 0 {
            let line = u32::try_from(header.offset).unwrap_or(u32::MAX);
            *slot = Slot { line, value: Span::within(octets, header.value.raw()), count: 0 };
        }
        slot.count = slot.count.saturating_add(1);
    }

    pub(crate) fn slot(&self, name: HeaderName) -> Option<&Slot> {
        self.slots.get(name as usize).filter(|slot| slot.count != 0)
    }
}

/// The header lines of a head, folds joined. Ends at the empty line, or with an error.
pub(crate) struct Lines<'a> {
    octets: &'a [u8],
    /// Beginning of the next line; after the end, the first octet behind the empty line.
    pub(crate) position: usize,
    done: bool,
}

impl<'a> Lines<'a> {
    pub(crate) const fn new(octets: &'a [u8], position: usize) -> Self {
        Self { octets, position, done: octets.len() <= position }
    }

    /// Beginning and end of the next line, folds joined: equal for the empty line.
    fn line(&mut self) -> Result<(usize, usize), MessageError> {
        let start = self.position;
        let mut end = line_end(self.octets, start)?;
        while start < end && self.octets.get(end + 2).copied().is_some_and(is_blank) {
            end = line_end(self.octets, end + 2)?;
        }
        self.position = end + 2;
        Ok((start, end))
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Header<'a>, MessageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let header = match self.line() {
            Ok((start, end)) if start < end => header(slice(self.octets, start, end), start),
            Ok(_) => {
                self.done = true;
                return None;
            }
            Err(error) => Err(error),
        };
        self.done = header.is_err();
        Some(header)
    }
}

/// Offset of the CRLF that ends the line beginning at `start`.
fn line_end(octets: &[u8], start: usize) -> Result<usize, MessageError> {
    let rest = slice(octets, start, octets.len());
    let line_feed = start + memchr(b'\n', rest).ok_or(MessageError::Incomplete { length: octets.len() })?;
    if start < line_feed && octets.get(line_feed - 1) == Some(&b'\r') {
        Ok(line_feed - 1)
    } else {
        Err(MessageError::BareLineFeed { offset: line_feed })
    }
}

fn header(line: &[u8], offset: usize) -> Result<Header<'_>, MessageError> {
    let (name, behind) = field_name(line);
    let known = HeaderName::from_octets(name);
    if known.is_none() && !is_token_text(name) {
        return Err(MessageError::HeaderLine { offset, line: shown(line) });
    }
    Ok(Header { name, known, value: value(behind), offset })
}

/// The field name and what stands behind the colon. Blanks before the colon are legal, one before the name would make
/// the line a fold (RFC 3261 7.3.1) and stays in the name, which is then none.
fn field_name(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = memchr(b':', line).unwrap_or(0);
    (trim_end(slice(line, 0, colon)), slice(line, colon + 1, line.len()))
}

/// Without the blanks around it, and without a fold at the beginning or end.
fn value(text: &[u8]) -> Value<'_> {
    let mut text = trim_blanks(text);
    while let Some(folded) = text.strip_prefix(b"\r\n") {
        text = trim_blanks(folded);
    }
    while let Some(folded) = text.strip_suffix(b"\r\n") {
        text = trim_blanks(folded);
    }
    Value(text)
}

pub(super) fn start_line(octets: &[u8], line: &[u8]) -> Result<StartLineLayout, MessageError> {
    let read = if line.starts_with(b"SIP/") { status_line(octets, line) } else { request_line(octets, line) };
    read.ok_or_else(|| MessageError::StartLine { line: shown(line) })
}

fn request_line(octets: &[u8], line: &[u8]) -> Option<StartLineLayout> {
    let method_end = memchr(b' ', line)?;
    let method = slice(line, 0, method_end);
    let rest = slice(line, method_end + 1, line.len());
    // A Request-URI may hold blanks in the messages of products, so the version is cut off from the end.
    let uri = trim_blanks(rest.strip_suffix(VERSION)?.strip_suffix(b" ")?);
    (is_token_text(method) && !uri.is_empty()).then(|| StartLineLayout::Request {
        method: Span::within(octets, method),
        uri: Span::within(octets, uri),
    })
}

fn status_line(octets: &[u8], line: &[u8]) -> Option<StartLineLayout> {
    let rest = line.strip_prefix(VERSION)?.strip_prefix(b" ")?;
    let status = decimal(slice(rest, 0, 3)).filter(|status| (100..700).contains(status))?;
    let reason = slice(rest, 3, rest.len());
    let reason = if reason.is_empty() { reason } else { reason.strip_prefix(b" ")? };
    Some(StartLineLayout::Response { status, reason: Span::within(octets, reason) })
}
