//! Strict hexadecimal digits and Base64.

use sipae_vectors::{Answer, Hex};

pub(crate) fn base16(text: &str) -> Answer {
    let Ok(octets) = Hex::parse(text) else { return Answer::new().hex_or_null("decoded", None) };
    let lower = octets.to_string();
    let answer = Answer::new().hex("decoded", octets.as_slice());
    answer.text("canonical_upper", lower.to_uppercase()).text("canonical_lower", lower)
}

pub(crate) fn base64(text: &str) -> Answer {
    Answer::new().hex_or_null("decoded", decode_base64(text).as_deref())
}

/// RFC 4648 section 4: groups of four, padding at the end alone, and no bit that is lost.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut octets = Vec::with_capacity(groups.len() * 3);
    for (place, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|digit| **digit == b'=').count();
        if 2 < padding || padding != 0 && place + 1 != groups.len() {
            return None;
        }
        let digits = group.iter().take(4 - padding);
        let word = digits.map(|digit| value(*digit)).try_fold(0, |word, digit| Some(word << 6 | digit?))?;
        let word: u32 = word << (6 * padding);
        let [_, decoded @ ..] = word.to_be_bytes();
        let (kept, lost) = decoded.split_at(3 - padding);
        if lost.iter().any(|octet| *octet != 0) {
            return None;
        }
        octets.extend_from_slice(kept);
    }
    Some(octets)
}

fn value(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}
