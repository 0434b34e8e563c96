//! The header fields of a message that is not written yet.

use memchr::memchr;

use super::fields::Fields;
use super::layout::{StartLineLayout, start_line};
use super::name::COUNT;
use super::{HeaderName, Value};
use crate::draft::{Draft, RawHeader};
use crate::octets::{is_token_text, slice, trim_blanks};

/// What a reader will find in a draft once it is written.
pub(crate) struct Unwritten<'d> {
    draft: &'d Draft,
    is_response: bool,
    /// Place of the first field of each name, and how many there are.
    slots: [(u32, u32); COUNT],
}

impl<'d> Unwritten<'d> {
    /// `None` where a reader may find something else than was put in, or nothing at all: that has to be written and read.
    pub(crate) fn of(draft: &'d Draft) -> Option<Self> {
        if memchr(b'\n', &draft.start_line).is_some() {
            return None;
        }
        let start = start_line(&draft.start_line, &draft.start_line).ok()?;
        let is_response = matches!(start, StartLineLayout::Response { .. });
        let mut slots = [(0, 0); COUNT];
        for (place, header) in (0..).zip(&draft.headers) {
            if memchr(b'\n', &header.value).is_some() {
                return None;
            }
            let Some(name) = HeaderName::from_octets(&header.name) else {
                is_token_text(&header.name).then_some(())?;
                continue;
            };
            let (first, count) = slots.get_mut(name as usize)?;
            if *count == 0 {
                *first = place;
            }
            *count += 1;
        }
        Some(Self { draft, is_response, slots })
    }

    /// The status code of a response as written: three digits.
    pub(crate) fn status_text(&self) -> Option<&'d [u8]> {
        self.is_response.then(|| slice(&self.draft.start_line, 8, 11))
    }

    fn slot(&self, name: HeaderName) -> (usize, usize) {
        let (first, count) = self.slots.get(name as usize).copied().unwrap_or_default();
        (first as usize, count as usize)
    }
}

/// Blanks at both ends of what was put in are no part of the value.
fn value(header: &RawHeader) -> Value<'_> {
    Value(trim_blanks(&header.value))
}

impl<'d> Fields<'d> for Unwritten<'d> {
    fn first(&self, name: HeaderName) -> Option<Value<'d>> {
        let (first, count) = self.slot(name);
        self.draft.headers.get(first).filter(|_| count != 0).map(value)
    }

    fn count(&self, name: HeaderName) -> usize {
        self.slot(name).1
    }

    fn all(&self, name: HeaderName) -> impl Iterator<Item = Value<'d>> {
        let (first, count) = self.slot(name);
        let from_first = self.draft.headers.get(first..).unwrap_or_default().iter();
        from_first.filter(move |header| header.is(name)).take(count).map(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Limits, Message};

    /// Texts that readers and writers may understand differently, among others.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let part = prop::sample::select(vec![
            "a",
            "From",
            "t",
            "v",
            " ",
            "\t",
            "\r\n",
            "\r\n ",
            "\r",
            "\n",
            ":",
            "To: x",
            "1",
            "<sip:a@b>",
            "\u{e4}",
        ]);
        prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat().into_bytes())
    }

    fn start_line() -> impl Strategy<Value = Vec<u8>> {
        let right = Just(b"OPTIONS sip:a@b SIP/2.0".to_vec());
        let broken = prop::sample::select(vec![
            "OPTIONS sip:a\n SIP/2.0",
            "OPTIONS sip:a\r\n SIP/2.0",
            "OPTIONS sip:a SIP/2.0\r",
            "SIP/2.0 200 O\nK",
            "SIP/2.0 20 OK",
        ]);
        let broken = broken.prop_map(|line| line.as_bytes().to_vec());
        prop_oneof![4 => right, 1 => Just(b"SIP/2.0 200 OK".to_vec()), 2 => broken, 1 => text()]
    }

    fn headers() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
        let known = prop::sample::select(vec!["From", "f", "Call-ID", "VIA", "X-Other"]);
        let name = prop_oneof![
            4 => known.prop_map(|name| name.as_bytes().to_vec()),
            1 => text(),
        ];
        prop::collection::vec((name, text()), 0..5)
    }

    #[test]
    fn an_ordinary_draft_need_not_be_written_to_be_read() {
        let draft = Draft::request("OPTIONS", "sip:a@b").with(HeaderName::From, "<sip:a@b>;tag=1").close();
        assert!(Unwritten::of(&draft).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_is_found_in_a_draft_is_what_a_reader_finds(first in start_line(), headers in headers(), body in text()) {
            let headers = headers.into_iter().map(|(name, value)| RawHeader::new(name, value)).collect();
            let draft = Draft { start_line: first, headers, body };
            let octets = draft.to_octets();
            let Some(unwritten) = Unwritten::of(&draft) else { return Ok(()) };
            let written = Message::parse(&octets, &Limits::NONE).expect("a message");
            prop_assert_eq!(unwritten.status_text(), written.status_text());
            for name in HeaderName::ALL {
                prop_assert_eq!(unwritten.first(*name), written.first(*name));
                prop_assert_eq!(unwritten.count(*name), written.count(*name));
                let all = Fields::all(&unwritten, *name).collect::<Vec<_>>();
                prop_assert_eq!(all, written.all(*name).collect::<Vec<_>>());
            }
        }
    }
}
