//! Conforming messages and header fields, with the freedoms that the rules leave.
//!
//! Everything here is legal: two implementations that read it differently cannot both be right. The texts are chosen to
//! tell readers apart that look for a name anywhere, stop at the first of a character, or mend what is written.

mod address;
mod header;
mod message;

use crate::source::Source;

pub use header::{Header, header};
pub use message::{Context, Message, message};

/// One freedom of whoever writes. Without any of them what is made is as plain as it gets; its values are still drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freedom {
    /// Names of header fields and parameters in any letter case, and compact names.
    Names,
    /// Blanks between the parts of a value.
    Blanks,
    /// Folds there.
    Folds,
    /// The scheme in any letter case.
    Scheme,
    /// `qop` without quotation marks.
    BareQop,
    /// Values that hold backslashes.
    Backslashes,
    /// Header fields or parameters in any order.
    Order,
    /// Display names, parameters and URIs that hold what looks like a tag.
    Tags,
    /// Identities: asserted and preferred ones, several of them, in one line or two, with and without brackets.
    Identities,
    /// A body that looks like header fields.
    Body,
    /// Characters beyond ASCII, and percent-encoded ones.
    Octets,
    /// Expires, or a Contact that has one of its own.
    Expires,
    /// Values that hold separators.
    Separators,
    /// Parameters that nobody knows.
    Unknown,
}

/// The freedoms that are taken.
#[derive(Clone, Copy, Debug)]
pub struct Freedoms<'f>(pub &'f [Freedom]);

impl Freedoms<'_> {
    fn has(self, freedom: Freedom) -> bool {
        self.0.contains(&freedom)
    }
}

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
const TOKEN: &str = "a1bcdefghijklmnopqrstuvwxyz023456789-._~";
const HEX: &str = "0123456789abcdefABCDEF";

/// A name in the letter case of whoever writes, where that freedom is taken.
fn cased(source: &mut dyn Source, is_free: bool, name: &str) -> String {
    if !is_free {
        return name.to_owned();
    }
    match source.below(4) {
        0 => name.to_owned(),
        1 => name.to_ascii_lowercase(),
        2 => name.to_ascii_uppercase(),
        _ => name.chars().map(|character| flipped(source, character)).collect(),
    }
}

/// A name in any letter case; as it is in the plainest one.
pub fn any_case(source: &mut dyn Source, name: &str) -> String {
    cased(source, true, name)
}

fn flipped(source: &mut dyn Source, character: char) -> char {
    let is_flipped = source.below(2) == 1;
    let is_upper = character.is_ascii_uppercase();
    if is_flipped && !is_upper {
        character.to_ascii_uppercase()
    } else if is_flipped {
        character.to_ascii_lowercase()
    } else {
        character
    }
}

/// What stands where blanks may stand; `plain` without the freedom.
fn blank(source: &mut dyn Source, freedoms: Freedoms<'_>, plain: &'static str) -> &'static str {
    // Where one is needed, each of these is one.
    let blanks: &[&str] = if plain.is_empty() { &["", " ", "\t"] } else { &[" ", "  ", "\t"] };
    let folds: &[&str] = if plain.is_empty() { &["", "\r\n "] } else { &[" ", "\r\n\t", " \r\n  "] };
    match (freedoms.has(Freedom::Blanks), freedoms.has(Freedom::Folds)) {
        (false, false) => plain,
        (true, false) => source.text(blanks),
        (false, true) => source.text(folds),
        (true, true) => source.text(&[blanks, folds].concat()),
    }
}

/// The same items in another order.
fn shuffled<T>(source: &mut dyn Source, freedoms: Freedoms<'_>, mut items: Vec<T>) -> Vec<T> {
    if freedoms.has(Freedom::Order) {
        for place in 1..items.len() {
            let other = place - source.below(u32::try_from(place + 1).unwrap_or(1)) as usize;
            items.swap(place, other);
        }
    }
    items
}
