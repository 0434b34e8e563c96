//! One walk over the octets of an authentication header field, shared by reading and diagnosing.

use sipae_spec::Diagnostic;

use super::Scheme;
use crate::message::Value;
use crate::octets::{is_lws, is_token, is_token_text, slice, trim_lws};

/// A parameter as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawParam<'a> {
    /// Name as written.
    pub name: &'a [u8],
    /// Value as written, without its quotes; never unescaped.
    pub value: Value<'a>,
    /// Whether the value stood in quotes.
    pub quoted: bool,
    /// Where the name begins, in octets from the beginning of the header value.
    pub offset: usize,
}

/// What a [`Walk`] comes across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A parameter whose value could be read.
    Param(RawParam<'a>),
    /// Something wrong with the syntax at this octet of the header value.
    Problem(Diagnostic, usize),
}

/// Walks `Scheme name=value, name="value"`, tolerantly: a problem is told and the walk goes on behind it.
///
/// A parameter comes before the problems that were found in it and behind it.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    value: &'a [u8],
    /// Offset of what has not been looked at.
    position: usize,
    pending: [Option<(Diagnostic, usize)>; 3],
    /// The last octet that counts was a comma, so another element is due.
    element_due: bool,
    /// A backslash escapes the next character: in Digest only (RFC 2617), never in the other schemes.
    escapes: bool,
}

impl<'a> Walk<'a> {
    /// Splits the scheme off, which is empty if the value does not begin with one, and walks over the rest.
    #[must_use]
    pub fn new(value: Value<'a>) -> (&'a [u8], Self) {
        let value = value.raw();
        let start = value.iter().position(|octet| !is_lws(*octet)).unwrap_or(value.len());
        let rest = slice(value, start, value.len());
        let length = rest.iter().position(|octet| !is_token(*octet)).unwrap_or(rest.len());
        let ends = rest.get(length).is_none_or(|octet| is_lws(*octet) || *octet == b',');
        let scheme = slice(rest, 0, if ends { length } else { 0 });
        let escapes = Scheme::from_octets(scheme) == Some(Scheme::Digest);
        let position = start + scheme.len();
        (scheme, Self { value, position, pending: [None; 3], element_due: false, escapes })
    }

    fn rest(&self) -> &'a [u8] {
        slice(self.value, self.position, self.value.len())
    }

    fn skip_lws(&mut self) -> bool {
        if !self.value.get(self.position).copied().is_some_and(is_lws) {
            return false;
        }
        let blanks = self.rest().iter().position(|octet| !is_lws(*octet)).unwrap_or(self.rest().len());
        self.position += blanks;
        blanks != 0
    }

    fn skip_comma(&mut self) {
        self.skip_lws();
        self.element_due = self.rest().starts_with(b",");
        self.position += usize::from(self.element_due);
    }

    fn note(&mut self, diagnostic: Diagnostic, offset: usize) {
        if let Some(free) = self.pending.iter_mut().find(|slot| slot.is_none()) {
            *free = Some((diagnostic, offset));
        }
    }

    fn take_pending(&mut self) -> Option<Step<'a>> {
        let taken = self.pending.iter_mut().find_map(Option::take)?;
        Some(Step::Problem(taken.0, taken.1))
    }

    /// `name="value"` up to a comma or the end, which nearly every parameter is; nothing is moved where it is not.
    fn plain(&mut self) -> Option<RawParam<'a>> {
        let (offset, rest) = (self.position, self.rest());
        let name = slice(rest, 0, rest.iter().position(|octet| !is_token(*octet))?);
        let text = slice(rest, name.len(), rest.len()).strip_prefix(b"=\"")?;
        let value = slice(text, 0, self.closing_quote(text)?);
        let behind = text.get(value.len() + 1);
        if name.is_empty() || behind.is_some_and(|octet| *octet != b',') {
            return None;
        }
        self.element_due = behind.is_some();
        self.position += name.len() + 3 + value.len() + usize::from(self.element_due);
        Some(RawParam { name, value: Value(value), quoted: true, offset })
    }

    fn element(&mut self) -> Option<Step<'a>> {
        let offset = self.position;
        let rest = self.rest();
        let token = rest.iter().position(|octet| !is_token(*octet)).unwrap_or(rest.len());
        let is_plain = token != 0 && rest.get(token) == Some(&b'=');
        let name_end = if is_plain { token } else { name_end(rest) };
        let name = if is_plain { slice(rest, 0, token) } else { trim_lws(slice(rest, 0, name_end)) };
        if rest.get(name_end) != Some(&b'=') {
            self.position += name_end;
            return Some(Step::Problem(Diagnostic::ParamValueMissing, offset));
        }
        self.position += name_end + 1;
        let blank_behind = self.skip_lws();
        if blank_behind || name.len() != name_end {
            self.note(Diagnostic::BlankAroundEquals, offset);
        }
        let read = self.read_value();
        if !is_plain && !is_token_text(name) {
            self.pending = [None; 3];
            return Some(Step::Problem(Diagnostic::ParamNameMalformed, offset));
        }
        let (value, quoted) = read?;
        Some(Step::Param(RawParam { name, value, quoted, offset }))
    }

    /// Reads a value and moves to the comma behind it, or to the next parameter if the comma is missing.
    fn read_value(&mut self) -> Option<(Value<'a>, bool)> {
        if self.rest().first() == Some(&b'"') {
            self.quoted_value()
        } else {
            Some((self.bare_value(), false))
        }
    }

    fn quoted_value(&mut self) -> Option<(Value<'a>, bool)> {
        let opening = self.position;
        let rest = slice(self.value, opening + 1, self.value.len());
        let Some(length) = self.closing_quote(rest) else {
            self.note(Diagnostic::QuoteUnterminated, opening);
            self.position = self.value.len();
            return None;
        };
        self.position = opening + 1 + length + 1;
        self.leave_quoted_value();
        Some((Value(slice(rest, 0, length)), true))
    }

    fn closing_quote(&self, text: &[u8]) -> Option<usize> {
        if !self.escapes {
            return memchr::memchr(b'"', text);
        }
        let mut escaped = false;
        text.iter().position(|octet| {
            let closes = *octet == b'"' && !escaped;
            escaped = *octet == b'\\' && !escaped;
            closes
        })
    }

    fn leave_quoted_value(&mut self) {
        self.skip_lws();
        let rest = self.rest();
        if rest.is_empty() || rest.starts_with(b",") {
            return;
        }
        if begins_param(rest) {
            self.note(Diagnostic::CommaMissing, self.position);
        } else {
            self.note(Diagnostic::TextAfterQuote, self.position);
            self.position += rest.iter().position(|octet| *octet == b',').unwrap_or(rest.len());
        }
    }

    fn bare_value(&mut self) -> Value<'a> {
        let rest = self.rest();
        let comma = rest.iter().position(|octet| *octet == b',').unwrap_or(rest.len());
        let next = next_param(slice(rest, 0, comma));
        let end = next.unwrap_or(comma);
        let value = trim_lws(slice(rest, 0, end));
        let offset = self.position;
        self.position += end;
        if !is_token_text(value) {
            self.note(Diagnostic::ValueNotToken, offset);
        }
        if next.is_some() {
            self.note(Diagnostic::CommaMissing, self.position);
        }
        Value(value)
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(problem) = self.take_pending() {
            return Some(problem);
        }
        self.skip_lws();
        if let Some(param) = self.plain() {
            return Some(Step::Param(param));
        }
        let offset = self.position;
        let empty = match self.rest().first() {
            None if !self.element_due => return None,
            None | Some(b',') => true,
            Some(_) => false,
        };
        let step = if empty { None } else { self.element() };
        self.skip_comma();
        if empty {
            Some(Step::Problem(Diagnostic::ElementEmpty, offset))
        } else {
            step.or_else(|| self.take_pending())
        }
    }
}

fn name_end(text: &[u8]) -> usize {
    text.iter().position(|octet| matches!(octet, b'=' | b',')).unwrap_or(text.len())
}

/// Whether `token [blanks] =` stands at the beginning.
fn begins_param(text: &[u8]) -> bool {
    let name = text.iter().position(|octet| !is_token(*octet)).unwrap_or(text.len());
    let behind = slice(text, name, text.len());
    let equals = behind.iter().find(|octet| !is_lws(**octet));
    name != 0 && equals == Some(&b'=')
}

/// Where, behind blanks, the next parameter begins in an unquoted value.
fn next_param(value: &[u8]) -> Option<usize> {
    let mut previous_blank = false;
    value.iter().enumerate().find_map(|(offset, octet)| {
        let begins = previous_blank && !is_lws(*octet) && begins_param(slice(value, offset, value.len()));
        previous_blank = is_lws(*octet);
        begins.then_some(offset)
    })
}
