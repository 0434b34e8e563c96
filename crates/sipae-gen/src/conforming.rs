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
mod rewrite;

use crate::source::Source;

pub use freedom::{Freedom, Freedoms};
pub use header::{Header, header};
pub use message::{Context, Message, message};
pub use rewrite::{rewrite_header, rewrite_message};

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
const TOKEN: &str = "a1bcdefghijklmnopqrstuvwxyz023456789-._~";
const HEX: &str = "0123456789abcdefABCDEF";

/// A name in the letter case of whoever writes, where that freedom is taken.
fn cased(source: &mut dyn Source, is_free: bool, name: &str) -> String {
    let mut out = Vec::with_capacity(name.len());
    write_cased(source, is_free, name.as_bytes(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends a name in the letter case of whoever writes, where that freedom is taken.
fn write_cased(source: &mut dyn Source, is_free: bool, name: &[u8], out: &mut Vec<u8>) {
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
fn blank(source: &mut dyn Source, freedoms: Freedoms, plain: &'static str) -> &'static str {
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

/// The same items in another order.
fn shuffle<T>(source: &mut dyn Source, freedoms: Freedoms, items: &mut [T]) {
    if freedoms.has(Freedom::Order) {
        for place in 1..items.len() {
            let other = place - source.below(u32::try_from(place + 1).unwrap_or(1)) as usize;
            items.swap(place, other);
        }
    }
}
