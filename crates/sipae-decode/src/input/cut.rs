//! Text or a part of a connection, cut into messages.
//!
//! A message begins with a start line at the beginning of a line. It ends where Content-Length says, if something that
//! fits follows there: the end, or another start line behind empty lines. Else it ends at the next start line.

use sipae::message::HeaderName;

use super::{Captured, Framing, MAX_MESSAGES};
use crate::octets::slice;

/// What to do with lines that end in LF alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// Pasted text: make them CRLF, and say so.
    Convert,
    /// Octets of a capture: leave them.
    Keep,
}

/// Octets between messages that are more than empty lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Skipped {
    pub(super) offset: usize,
    pub(super) length: usize,
}

/// Messages and what stands between them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) messages: Vec<Captured>,
    pub(super) skipped: Vec<Skipped>,
}

/// Cuts octets into messages. Those above [`MAX_MESSAGES`] and one more are left.
pub(super) fn cut(octets: &[u8], line_ends: LineEnds) -> Cut {
    let mut cut = Cut::default();
    let mut position = skip_blank(octets, 0);
    while position < octets.len() && cut.messages.len() <= MAX_MESSAGES {
        let start = next_start(octets, position);
        if position < start {
            cut.skipped.push(Skipped { offset: position, length: start - position });
        }
        if start == octets.len() {
            break;
        }
        let (message, end) = message(octets, start, line_ends);
        cut.messages.push(message);
        position = skip_blank(octets, end);
    }
    cut
}

/// One message, and where it ends.
fn message(octets: &[u8], start: usize, line_ends: LineEnds) -> (Captured, usize) {
    let head = Head::find(octets, start);
    let (end, framing) = body_end(octets, &head, line_ends);
    let mut remarks = Vec::new();
    let mut text = slice(octets, start, end).to_vec();
    if framing != Framing::ContentLength {
        remarks.push(why(&head, framing));
        trim_blank_lines(&mut text, head.end - start);
    } else if line_ends == LineEnds::Convert && is_doubtful(octets, end) {
        remarks.push("Content-Length ends within a line, and what follows begins with no known method: it may be wrong".to_owned());
    }
    if !head.is_closed {
        remarks.push("no empty line closes the header section".to_owned());
    }
    if line_ends == LineEnds::Convert {
        convert(&mut text, &head, &mut remarks);
    }
    (Captured { octets: text, offset: start, framing, origin: None, remarks }, end)
}

/// The head of a message in the input.
struct Head {
    /// Behind the empty line, or where the header section breaks off.
    end: usize,
    /// Whether there is an empty line.
    is_closed: bool,
    /// Lines that end in LF alone.
    bare: usize,
    /// Lines that end in CRLF.
    whole: usize,
    content_length: Option<Option<usize>>,
}

impl Head {
    fn find(octets: &[u8], start: usize) -> Self {
        let mut head = Self { end: start, is_closed: false, bare: 0, whole: 0, content_length: None };
        loop {
            let line = Line::at(octets, head.end);
            let begins_another = start < head.end && is_start_line(line.text);
            if line.next == head.end || begins_another {
                return head;
            }
            head.bare += usize::from(line.is_bare);
            // The last line may have no end at all.
            head.whole += usize::from(head.end + line.text.len() + 2 == line.next);
            head.end = line.next;
            if line.text.is_empty() {
                head.is_closed = true;
                return head;
            }
            head.note(line.text);
        }
    }

    /// Whether its lines have lost their CR. Where only some have none, they never had one: what is signed would change.
    const fn is_pasted(&self) -> bool {
        0 < self.bare && self.whole == 0
    }

    fn note(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|octet| *octet == b':') else { return };
        let name = slice(line, 0, colon).trim_ascii();
        if self.content_length.is_none() && HeaderName::from_octets(name) == Some(HeaderName::ContentLength) {
            let value = str::from_utf8(slice(line, colon + 1, line.len())).unwrap_or_default();
            self.content_length = Some(value.trim().parse().ok());
        }
    }
}

/// A line without its end.
struct Line<'a> {
    text: &'a [u8],
    next: usize,
    is_bare: bool,
}

impl<'a> Line<'a> {
    fn at(octets: &'a [u8], start: usize) -> Self {
        let rest = slice(octets, start, octets.len());
        let Some(line_feed) = rest.iter().position(|octet| *octet == b'\n') else {
            return Self { text: rest, next: octets.len(), is_bare: false };
        };
        let line = slice(rest, 0, line_feed);
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        Self { text, next: start + line_feed + 1, is_bare: text.len() == line.len() }
    }
}

/// Where the body ends. In pasted text Content-Length counts the CR that the lines have lost.
fn body_end(octets: &[u8], head: &Head, line_ends: LineEnds) -> (usize, Framing) {
    let next = if head.is_closed { next_start(octets, head.end) } else { head.end };
    let length = head.content_length.flatten().filter(|_| head.is_closed);
    let is_converted = line_ends == LineEnds::Convert && head.is_pasted();
    let converted =
        length.filter(|_| is_converted).and_then(|length| converted_end(octets, head.end, length));
    let plain = || length.filter(|length| *length == 0 || fits(octets, head.end.saturating_add(*length)));
    match converted.or_else(plain) {
        Some(length) => (head.end + length, Framing::ContentLength),
        None if next == octets.len() => (next, Framing::EndOfInput),
        None => (next, Framing::NextStartLine),
    }
}

/// What start lines of real traffic begin with.
const BEGINNINGS: &[&str] = &[
    "ACK ",
    "BENOTIFY ",
    "BYE ",
    "CANCEL ",
    "INFO ",
    "INVITE ",
    "MESSAGE ",
    "NEGOTIATE ",
    "NOTIFY ",
    "OPTIONS ",
    "PRACK ",
    "PUBLISH ",
    "REFER ",
    "REGISTER ",
    "SERVICE ",
    "SIP/2.0 ",
    "SUBSCRIBE ",
    "UPDATE ",
];

/// Whether a message that ends here, within a line, may have taken the first octets of the next one.
fn is_doubtful(octets: &[u8], end: usize) -> bool {
    let is_text = |octet: Option<&u8>| octet.is_some_and(|octet| !octet.is_ascii_whitespace());
    let is_within =
        is_text(octets.get(end)) && is_text(end.checked_sub(1).and_then(|before| octets.get(before)));
    let rest = slice(octets, end, octets.len());
    is_within && !BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning.as_bytes()))
}

/// Whether a message may end here: blank octets to the end, or to a start line.
fn fits(octets: &[u8], end: usize) -> bool {
    if octets.len() < end {
        return false;
    }
    let next = skip_blank(octets, end);
    // What has no end within this is no start line: looking further would cost the whole rest for each message.
    const LONGEST: usize = 8 * 1024;
    let near = slice(octets, 0, octets.len().min(next.saturating_add(LONGEST)));
    next == octets.len() || is_start_line(Line::at(near, next).text)
}

/// How long `length` octets are before their lines end in CRLF, if a message may end there.
fn converted_end(octets: &[u8], start: usize, length: usize) -> Option<usize> {
    let (mut counted, mut taken, mut previous) = (0, 0, 0);
    for octet in slice(octets, start, octets.len()) {
        if length <= counted {
            break;
        }
        counted += if *octet == b'\n' && previous != b'\r' { 2 } else { 1 };
        (taken, previous) = (taken + 1, *octet);
    }
    (counted == length && fits(octets, start + taken)).then_some(taken)
}

fn why(head: &Head, framing: Framing) -> String {
    let reason = match head.content_length {
        None => "there is no Content-Length".to_owned(),
        Some(None) => "Content-Length is no number".to_owned(),
        Some(Some(length)) => format!("Content-Length {length} does not lead to its end"),
    };
    let place = if framing == Framing::EndOfInput { "the end of the input" } else { "the next start line" };
    format!("cut at {place}: {reason}")
}

/// Empty lines behind a body whose end nobody knows do not belong to it.
fn trim_blank_lines(text: &mut Vec<u8>, head: usize) {
    let body = slice(text, head, text.len());
    let kept = body.iter().rposition(|octet| !matches!(octet, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let line_end = if slice(body, kept, kept + 2) == b"\r\n" { 2 } else { usize::from(kept < body.len()) };
    text.truncate(head + if kept == 0 { 0 } else { kept + line_end });
}

fn convert(text: &mut Vec<u8>, head: &Head, remarks: &mut Vec<String>) {
    if head.is_pasted() {
        *text = with_line_ends(text);
        remarks
            .push("lines end in LF alone: read as CRLF, which changes lengths and no signature".to_owned());
    } else if 0 < head.bare {
        remarks.push("some lines end in LF alone and others do not: none is changed".to_owned());
    }
    if !head.is_closed {
        let line_end: &[u8] = if text.ends_with(b"\n") { b"\r\n" } else { b"\r\n\r\n" };
        text.extend_from_slice(line_end);
    }
}

fn with_line_ends(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32);
    for octet in text {
        if *octet == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}

fn skip_blank(octets: &[u8], start: usize) -> usize {
    let rest = slice(octets, start, octets.len());
    start + rest.iter().position(|octet| !matches!(octet, b'\r' | b'\n')).unwrap_or(rest.len())
}

/// The next beginning of a line that is a start line, at `start` or behind it; the end if there is none.
fn next_start(octets: &[u8], start: usize) -> usize {
    let mut position = start;
    while position < octets.len() {
        let line = Line::at(octets, position);
        if is_start_line(line.text) {
            return position;
        }
        position = line.next;
    }
    octets.len()
}

/// Whether a line looks like the first one of a message: `SIP/2.0 200 OK`, or `METHOD scheme:... SIP/2.0`.
pub(super) fn is_start_line(line: &[u8]) -> bool {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        return 3 <= rest.len() && slice(rest, 0, 3).iter().all(u8::is_ascii_digit);
    }
    let Some(rest) = line.strip_suffix(b" SIP/2.0") else { return false };
    let method = rest.iter().position(|octet| !octet.is_ascii_alphanumeric()).unwrap_or(0);
    let uri = slice(rest, method, rest.len());
    let colon = uri.iter().position(|octet| *octet == b':').unwrap_or(0);
    0 < method
        && uri.first() == Some(&b' ')
        && slice(uri, 1, colon).first().is_some_and(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@x SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";
    const MESSAGE: &str = "MESSAGE sip:a@x SIP/2.0\r\nContent-Length: 6\r\n\r\nab\r\ncd";

    fn texts(cut: &Cut) -> Vec<(String, Framing)> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        cut.messages.iter().map(|message| (text(&message.octets), message.framing)).collect()
    }

    #[test]
    fn messages_are_cut_by_content_length() {
        let cut = cut(format!("\r\n\r\n{MESSAGE}{OPTIONS}\r\n\n{MESSAGE}\n").as_bytes(), LineEnds::Convert);
        let expected = [MESSAGE, OPTIONS, MESSAGE].map(|text| (text.to_owned(), Framing::ContentLength));
        assert_eq!(texts(&cut), expected);
        assert!(cut.skipped.is_empty() && cut.messages.iter().all(|message| message.remarks.is_empty()));
    }

    #[rstest]
    #[case("Content-Length: 600", "cut at the next start line: Content-Length 600 does not lead to its end")]
    #[case("Content-Length: 3", "cut at the next start line: Content-Length 3 does not lead to its end")]
    #[case("Content-Length: x", "cut at the next start line: Content-Length is no number")]
    #[case("Subject: 6", "cut at the next start line: there is no Content-Length")]
    fn a_wrong_content_length_gives_way_to_the_next_start_line(#[case] line: &str, #[case] remark: &str) {
        let first = MESSAGE.replace("Content-Length: 6", line);
        let cut = cut(format!("{first}\r\n\r\n{OPTIONS}").as_bytes(), LineEnds::Convert);
        assert_eq!(texts(&cut)[0], (format!("{first}\r\n"), Framing::NextStartLine));
        assert_eq!(texts(&cut)[1], (OPTIONS.to_owned(), Framing::ContentLength));
        assert_eq!(cut.messages[0].remarks, [remark]);
    }

    #[test]
    fn pasted_lines_that_end_in_lf_become_crlf() {
        let cut = cut(format!("{MESSAGE}\r\n{OPTIONS}").replace('\r', "").as_bytes(), LineEnds::Convert);
        let expected = [MESSAGE, OPTIONS].map(|text| (text.to_owned(), Framing::ContentLength));
        assert_eq!(texts(&cut), expected);
        assert!(cut.messages.iter().all(|message| message.remarks.len() == 1));
    }

    #[test]
    fn a_body_that_looks_like_a_message_is_cut_by_its_length_in_pasted_text_too() {
        let notify = "NOTIFY sip:a@x SIP/2.0\r\nContent-Length: 16\r\n\r\nSIP/2.0 200 OK\r\n";
        let cut = cut(
            format!("{notify}BYE sip:a@x SIP/2.0\r\n\r\n").replace('\r', "").as_bytes(),
            LineEnds::Convert,
        );
        let begins: Vec<&[u8]> = cut.messages.iter().map(|message| slice(&message.octets, 0, 3)).collect();
        assert_eq!(begins, [b"NOT", b"BYE"]);
    }

    #[test]
    fn a_length_that_takes_octets_of_the_next_message_is_told() {
        let text = format!("{MESSAGE}{OPTIONS}").replacen("Length: 6", "Length: 7", 1);
        let cut = cut(text.as_bytes(), LineEnds::Convert);
        let remarks = &cut.messages[0].remarks;
        assert!(remarks[0].starts_with("Content-Length ends within a line"), "{remarks:?}");
    }

    #[test]
    fn a_line_that_lacks_its_cr_among_others_is_not_changed() {
        let text = OPTIONS.replacen("\r\n", "\n", 1);
        let cut = cut(text.as_bytes(), LineEnds::Convert);
        assert_eq!(cut.messages[0].octets, text.as_bytes());
        assert!(cut.messages[0].remarks.iter().any(|remark| remark.contains("none is changed")));
    }

    #[test]
    fn a_header_section_that_breaks_off_is_closed() {
        let cut = cut(b"OPTIONS sip:a@x SIP/2.0\nCall-ID: 1", LineEnds::Convert);
        assert_eq!(texts(&cut)[0].0, "OPTIONS sip:a@x SIP/2.0\r\nCall-ID: 1\r\n\r\n");
    }

    #[test]
    fn what_begins_with_no_start_line_is_skipped_and_told() {
        let cut = cut(format!("12:00 log\r\n{OPTIONS}junk").as_bytes(), LineEnds::Convert);
        assert_eq!(cut.messages.len(), 1);
        assert_eq!(cut.skipped[0], Skipped { offset: 0, length: 11 });
        assert_eq!(cut.skipped[1].length, 4);
    }

    #[rstest]
    #[case("SIP/2.0 200 OK", true)]
    #[case("SIP/2.0 200", true)]
    #[case("INVITE sip:a b@x SIP/2.0", true)]
    #[case("Via: SIP/2.0", false)]
    #[case("Subject : about SIP/2.0", false)]
    #[case("Subject about SIP/2.0", false)]
    #[case("SIP/2.0/TCP 10", false)]
    fn start_lines_are_told_from_header_lines(#[case] line: &str, #[case] expected: bool) {
        assert_eq!(is_start_line(line.as_bytes()), expected);
    }
}
