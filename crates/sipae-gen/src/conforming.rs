//! Conforming messages and header fields, with the freedoms that the rules leave.
//!
//! Everything here is legal: two implementations that read it differently cannot both be right. The texts are chosen to
//! tell readers apart that look for a name anywhere, stop at the first of a character, or mend what is written.
//!
//! [`header`] and [`message`] make new ones, [`rewrite_header`] and [`rewrite_message`] write those that there are in
//! another legal way.

mod address;
mod credential;
mod freedom;
mod header;
mod message;
mod pen;
mod rewrite;

use crate::source::Choices;

pub use freedom::{Freedom, Freedoms};
pub use header::{Header, Kind, Phase, header};
pub use message::{Context, Given, Message, message};
pub use rewrite::{rewrite_header, rewrite_message};

const TOKEN: &str = "a1bcdefghijklmnopqrstuvwxyz023456789-._~";
const HEX: &str = "0123456789abcdefABCDEF";

/// Appends a name in the letter case of whoever writes, where that freedom is taken.
fn write_cased(source: &mut (impl Choices + ?Sized), is_free: bool, name: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(name);
    let written = out.get_mut(start..).unwrap_or_default();
    match if is_free { source.below(4) } else { 0 } {
        0 => {}
        1 => written.make_ascii_lowercase(),
        2 => written.make_ascii_uppercase(),
        _ => flip(source.below(u32::MAX), written),
    }
}

/// A name in any letter case; as it is in the plainest one.
pub fn any_case(source: &mut (impl Choices + ?Sized), name: &str) -> String {
    let mut out = Vec::new();
    write_cased(source, true, name.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Each letter whose bit is set in the other case.
fn flip(mut mask: u32, letters: &mut [u8]) {
    for letter in letters {
        if mask & 1 == 1 && letter.is_ascii_alphabetic() {
            *letter ^= 0x20;
        }
        mask = mask.rotate_right(1);
    }
}

/// What stands where blanks may stand; `plain`, which is empty or one blank, without the freedom. Where one is needed,
/// each of these is one.
fn blank(source: &mut (impl Choices + ?Sized), freedoms: Freedoms, plain: &'static str) -> &'static str {
    let texts: &[&'static str] = match (plain, freedoms.has(Freedom::Blanks), freedoms.has(Freedom::Folds)) {
        (_, false, false) => return plain,
        ("", true, false) => &["", " ", "\t"],
        ("", false, true) => &["", "\r\n "],
        ("", true, true) => &["", " ", "\t", "", "\r\n "],
        (_, true, false) => &[" ", "  ", "\t"],
        (_, false, true) => &[" ", "\r\n\t", " \r\n  "],
        (_, true, true) => &[" ", "  ", "\t", " ", "\r\n\t", " \r\n  "],
    };
    source.text(texts)
}

fn write_blank(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    plain: &'static str,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(blank(source, freedoms, plain).as_bytes());
}

/// Appends eight hexadecimal digits for each of the choices.
fn write_digits(source: &mut (impl Choices + ?Sized), case: Case, choices: usize, out: &mut Vec<u8>) {
    for _ in 0..choices {
        let word = source.below(u32::MAX);
        let digits = if case == Case::Upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
        let digit = |shift: u32| digits.get((word >> shift & 0xF) as usize).copied().unwrap_or_default();
        out.extend([28, 24, 20, 16, 12, 8, 4, 0].map(digit));
    }
}

/// Letter case of digits: clients and later servers write lower-case ones, earlier servers upper-case ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
}

/// Appends a number in decimal digits.
fn write_number(number: u32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let (mut rest, mut length) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

/// Appends so many characters of an alphabet of ASCII.
fn write_word(source: &mut (impl Choices + ?Sized), alphabet: &str, length: u32, out: &mut Vec<u8>) {
    for _ in 0..length {
        out.extend(source.pick(alphabet.as_bytes()));
    }
}

/// One of the texts.
fn write_text(source: &mut (impl Choices + ?Sized), texts: &[&'static str], out: &mut Vec<u8>) {
    out.extend_from_slice(source.text(texts).as_bytes());
}

/// The same items in another order.
fn shuffle<T>(source: &mut (impl Choices + ?Sized), freedoms: Freedoms, items: &mut [T]) {
    if freedoms.has(Freedom::Order) {
        for place in 1..items.len() {
            let other = place - source.below(u32::try_from(place + 1).unwrap_or(1)) as usize;
            items.swap(place, other);
        }
    }
}

/// Whether a careful reader remarks nothing but notes.
#[cfg(test)]
pub(crate) mod is_clean {
    use sipae::auth::AuthHeader;
    use sipae::message::{HeaderName, Limits, Message, Value};
    use sipae_spec::Severity;

    pub(crate) fn header(text: &[u8]) -> bool {
        let findings = AuthHeader::read(Value(text)).findings();
        findings.iter().all(|finding| finding.diagnostic.severity() == Severity::Note)
    }

    pub(crate) fn message(octets: &[u8]) -> bool {
        let message = Message::parse(octets, &Limits::DEFAULT).expect("a message");
        let mut fields = message.headers();
        let is_clean = message.findings().iter().all(|it| it.diagnostic.severity() == Severity::Note);
        is_clean
            && fields.all(|field| {
                !field.known.is_some_and(HeaderName::is_authentication) || header(field.value.raw())
            })
    }
}
