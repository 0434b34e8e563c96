//! Small readers of octets that cannot panic.

/// The octets from `start` to `end`, or what of them exists.
pub(crate) fn slice(octets: &[u8], start: usize, end: usize) -> &[u8] {
    let end = end.min(octets.len());
    octets.get(start.min(end)..end).unwrap_or_default()
}

/// `SP` and `HTAB`.
pub(crate) const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Linear white space of a header value that may be folded: blanks and the line ends of folds.
pub(crate) const fn is_lws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// `tokenchar` of RFC 3261 25.1.
pub(crate) fn is_token(octet: u8) -> bool {
    TOKENCHAR.get(usize::from(octet)).is_some_and(|is_token| *is_token)
}

/// One look instead of a dozen comparisons: names are read octet by octet.
static TOKENCHAR: [bool; 256] = tokenchar();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn tokenchar() -> [bool; 256] {
    let mut table = [false; 256];
    let mut octet = 0u8;
    while octet < 0x80 {
        table[octet as usize] = octet.is_ascii_alphanumeric()
            || matches!(octet, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        octet += 1;
    }
    table
}

/// Whether `octets` is a non-empty token of RFC 3261 25.1.
pub(crate) fn is_token_text(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().copied().all(is_token)
}

/// Without the blanks at both ends. Line ends are kept: a stray CR is data ([MS-SIPAE] SIPAE-2.2-23).
pub(crate) fn trim_blanks(octets: &[u8]) -> &[u8] {
    trim(octets, is_blank)
}

/// Without the blanks at its end.
pub(crate) fn trim_end(octets: &[u8]) -> &[u8] {
    slice(octets, 0, octets.iter().rposition(|octet| !is_blank(*octet)).map_or(0, |last| last + 1))
}

/// Without blanks and folds at both ends.
pub(crate) fn trim_lws(octets: &[u8]) -> &[u8] {
    trim(octets, is_lws)
}

fn trim(octets: &[u8], unwanted: impl Fn(u8) -> bool) -> &[u8] {
    let start = octets.iter().position(|octet| !unwanted(*octet)).unwrap_or(octets.len());
    let end = octets.iter().rposition(|octet| !unwanted(*octet)).map_or(start, |last| last + 1);
    slice(octets, start, end)
}

/// Where `inner`, a part of `outer`, begins in it; 0 if it is no part.
pub(crate) fn offset_in(outer: &[u8], inner: &[u8]) -> usize {
    let distance = (inner.as_ptr() as usize).wrapping_sub(outer.as_ptr() as usize);
    if distance <= outer.len() { distance } else { 0 }
}

/// A decimal number without sign or blanks; `None` when empty, not decimal or too large.
pub(crate) fn decimal<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let mut number: u64 = 0;
    for octet in text {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    T::try_from(number).ok()
}

/// For errors and logs: text with replacement characters, at most 64 characters.
pub(crate) fn shown(octets: &[u8]) -> String {
    const SHOWN: usize = 64;
    let text = String::from_utf8_lossy(slice(octets, 0, 4 * SHOWN));
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().count() > SHOWN || octets.len() > 4 * SHOWN {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_digits_only_and_fits() {
        assert_eq!(decimal::<u32>(b"4294967295"), Some(u32::MAX));
        for bad in [&b""[..], b"4294967296", b"-1", b"+1", b"0x1", b"1 ", b"99999999999999999999999"] {
            assert_eq!(decimal::<u32>(bad), None);
        }
    }

    #[test]
    fn trimming_blanks_keeps_line_ends() {
        assert_eq!(trim_blanks(b" \t a \r\t "), b"a \r");
        assert_eq!(trim_lws(b" \r\n\t a \r"), b"a");
        assert_eq!(trim_lws(b" \r\n"), b"");
    }
}
