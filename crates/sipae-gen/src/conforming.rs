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
mod padded;
mod pen;
mod rewrite;

use crate::source::Choices;
use padded::{Blank, Casing, Name, Padded, digits, padded, write_number};

pub use freedom::{Freedom, Freedoms};
pub use header::{Header, Kind, Phase, header};
pub use message::{Context, Given, Message, message};
pub use rewrite::{rewrite_header, rewrite_message};

const TOKEN: &str = "a1bcdefghijklmnopqrstuvwxyz023456789-._~";
const HEX: &str = "0123456789abcdefABCDEF";

/// The letter case of whoever writes, where that freedom is taken.
fn casing(source: &mut (impl Choices + ?Sized), is_free: bool) -> Casing {
    if is_free { Casing::new(source.below(Casing::COUNT)) } else { Casing::PLAIN }
}

/// Appends a name in the letter case of whoever writes.
fn write_cased(source: &mut (impl Choices + ?Sized), is_free: bool, name: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(name);
    casing(source, is_free).apply(out.get_mut(start..).unwrap_or_default());
}

/// The same for a name that is known beforehand.
fn write_name(source: &mut (impl Choices + ?Sized), is_free: bool, name: &Name, out: &mut Vec<u8>) {
    casing(source, is_free).write(name, out);
}

/// A name in any letter case; as it is in the plainest one.
pub fn any_case(source: &mut (impl Choices + ?Sized), name: &str) -> String {
    let mut out = Vec::new();
    write_cased(source, true, name.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// What stands where blanks may stand: plainly, with blanks, with folds, with both.
const OPTIONAL: [&[Blank]; 4] =
    [padded![""], padded!["", " ", "\t"], padded!["", "\r\n "], padded!["", " ", "\t", "", "\r\n "]];
/// What stands where one is needed: each of these is one.
const NEEDED: [&[Blank]; 4] = [
    padded![" "],
    padded![" ", "  ", "\t"],
    padded![" ", "\r\n\t", " \r\n  "],
    padded![" ", "  ", "\t", " ", "\r\n\t", " \r\n  "],
];

/// Appends what stands where blanks may stand; `plain`, which is empty or one blank, without the freedom.
fn write_blank(
    source: &mut (impl Choices + ?Sized),
    freedoms: Freedoms,
    plain: &'static str,
    out: &mut Vec<u8>,
) {
    let table = if plain.is_empty() { &OPTIONAL } else { &NEEDED };
    write_padded(source, table.get(blanks(freedoms)).copied().unwrap_or_default(), out);
}

/// Where in those tables.
const fn blanks(freedoms: Freedoms) -> usize {
    freedoms.has(Freedom::Blanks) as usize + 2 * freedoms.has(Freedom::Folds) as usize
}

/// Appends one of the texts.
fn write_padded<const N: usize>(
    source: &mut (impl Choices + ?Sized),
    texts: &[Padded<N>],
    out: &mut Vec<u8>,
) {
    if let Some(text) = source.pick(texts) {
        text.write(out);
    }
}

/// Appends eight hexadecimal digits for each of the choices.
fn write_digits(source: &mut (impl Choices + ?Sized), case: Case, choices: usize, out: &mut Vec<u8>) {
    for _ in 0..choices {
        let word = source.below(u32::MAX);
        out.extend_from_slice(&digits(word, case == Case::Upper));
    }
}

/// Letter case of digits: clients and later servers write lower-case ones, earlier servers upper-case ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
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
