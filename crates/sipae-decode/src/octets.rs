//! Small readers of octets that cannot panic, and octets as text that no terminal acts upon.

use std::fmt::Write as _;

/// The octets from `start` to `end`, or what of them exists.
pub(crate) fn slice(octets: &[u8], start: usize, end: usize) -> &[u8] {
    let end = end.min(octets.len());
    octets.get(start.min(end)..end).unwrap_or_default()
}

/// `N` octets at this offset.
pub(crate) fn array<const N: usize>(octets: &[u8], offset: usize) -> Option<[u8; N]> {
    octets.get(offset..)?.first_chunk().copied()
}

/// A number in network order, of at most eight octets.
pub(crate) fn big_endian(octets: &[u8]) -> Option<u64> {
    (octets.len() <= 8).then(|| octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    sipae::encoding::encode_base16(octets)
}

/// Where `inner`, a part of `outer`, begins in it; 0 if it is no part.
pub(crate) fn offset_in(outer: &[u8], inner: &[u8]) -> usize {
    let distance = (inner.as_ptr() as usize).wrapping_sub(outer.as_ptr() as usize);
    if distance <= outer.len() { distance } else { 0 }
}

/// Text as it is, with control characters, reordering marks and octets that are no UTF-8 escaped: what stands in a
/// message must not act upon the terminal of the reader.
pub(crate) fn shown(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            show(&mut out, character);
        }
        for octet in chunk.invalid() {
            // Writing to a string does not fail.
            let _always = write!(out, "\\x{octet:02x}");
        }
    }
    out
}

fn show(out: &mut String, character: char) {
    match character {
        ' '..='~' => out.push(character),
        '\u{AD}'
        | '\u{61C}'
        | '\u{180E}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' => {
            out.extend(character.escape_unicode());
        }
        _ if character.is_control() => out.extend(character.escape_default()),
        _ => out.push(character),
    }
}

/// The time as RFC 3339 writes it, in UTC. `nanoseconds` counts from the Unix epoch.
pub(crate) fn timestamp(nanoseconds: i128) -> String {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    let micros = nanoseconds.rem_euclid(1_000_000_000) / 1000;
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let clock = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of a number of days since 1970-01-01, in eras of 400 years that begin in March.
const fn civil(days: i128) -> (i128, i128, i128) {
    const DAYS_TO_1970: i128 = 719_468;
    const DAYS_OF_ERA: i128 = 146_097;
    let days = days + DAYS_TO_1970;
    let (era, day) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let first_months = if month <= 2 { 1 } else { 0 };
    (year + era * 400 + first_months, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// A Windows FILETIME (100 ns since 1601) as RFC 3339 writes it.
pub(crate) fn filetime(octets: [u8; 8]) -> String {
    const SECONDS_TO_1970: i128 = 11_644_473_600;
    timestamp(i128::from(u64::from_le_bytes(octets)) * 100 - SECONDS_TO_1970 * 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_octets_that_are_no_text_are_escaped() {
        assert_eq!(shown(b"a\x1b[31m\r\n\x7f\xffb"), "a\\u{1b}[31m\\r\\n\\u{7f}\\xffb");
        assert_eq!(shown("ä\u{202E}\u{9b}".as_bytes()), "ä\\u{202e}\\u{9b}");
    }

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(timestamp(1_340_954_905_298_858_000), "2012-06-29T07:28:25.298858Z");
        assert_eq!(timestamp(951_782_400_000_000_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(filetime([0; 8]), "1601-01-01T00:00:00.000000Z");
    }
}
