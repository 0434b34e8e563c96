//! The small grammars of addresses and of lists of them (RFC 3261 25.1), over one table of what each octet ends.

use memchr::{memchr, memchr2};

use super::Param;
use crate::octets::{is_lws, slice};

/// What was read of a text, and what is left of it.
pub(super) type Cut<'a, T = &'a [u8]> = (T, &'a [u8]);

/// A part of a text: it goes on to the first octet that ends it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The name of a parameter.
    Name = 1,
    /// The value of a parameter that is not in quotes.
    Token = 2,
    /// A display name before a bracket.
    Display = 4,
    /// Words without brackets.
    Words = 8,
    /// What separates no element of a list and opens nothing.
    Plain = 16,
}

/// For each octet the parts that end before it.
static ENDS: [u8; 256] = ends();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn ends() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0u8;
    while octet < 0x80 {
        table[octet as usize] = ended_by(octet);
        octet += 1;
    }
    table
}

const fn ended_by(octet: u8) -> u8 {
    use Part::{Display, Name, Plain, Token, Words};
    match octet {
        b' ' | b'\t' | b'\r' | b'\n' => Name as u8 | Token as u8,
        b'=' => Name as u8,
        b'>' => Token as u8 | Words as u8,
        b';' => Name as u8 | Token as u8 | Display as u8 | Words as u8,
        b'"' => Name as u8 | Token as u8 | Display as u8 | Plain as u8,
        b'<' | b',' => Name as u8 | Token as u8 | Display as u8 | Words as u8 | Plain as u8,
        _ => 0,
    }
}

fn cut(text: &[u8], length: usize) -> Cut<'_> {
    (slice(text, 0, length), slice(text, length, text.len()))
}

/// All of a part, which may be empty.
pub(super) fn upto_end(part: Part, text: &[u8]) -> Cut<'_> {
    let ends = |octet: &u8| ENDS.get(usize::from(*octet)).is_some_and(|ends| ends & part as u8 != 0);
    cut(text, text.iter().position(ends).unwrap_or(text.len()))
}

/// Without the blanks and folds at its beginning.
pub(super) fn skip_lws(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_lws(*first)
    {
        text = rest;
    }
    text
}

/// Behind an octet with blanks around it.
fn behind(octet: u8, text: &[u8]) -> Option<&[u8]> {
    match skip_lws(text) {
        [first, rest @ ..] if *first == octet => Some(skip_lws(rest)),
        _ => None,
    }
}

/// What stands in quotes: a backslash takes the meaning of the octet behind it.
pub(super) fn quoted(text: &[u8]) -> Option<Cut<'_>> {
    let text = text.strip_prefix(b"\"")?;
    let mut length = 0;
    loop {
        length += memchr2(b'"', b'\\', slice(text, length, text.len()))?;
        if text.get(length) == Some(&b'"') {
            return Some((slice(text, 0, length), slice(text, length + 1, text.len())));
        }
        length += 2;
    }
}

/// What stands in angle brackets.
pub(super) fn bracketed(text: &[u8]) -> Option<Cut<'_>> {
    let text = text.strip_prefix(b"<")?;
    let length = memchr(b'>', text)?;
    Some((slice(text, 0, length), slice(text, length + 1, text.len())))
}

/// Up to the next comma that is outside quotes and brackets. An unclosed quote or bracket runs to the end.
pub(super) fn element(text: &[u8]) -> Cut<'_> {
    let (_, mut rest) = upto_end(Part::Plain, text);
    while let Some(b'"' | b'<') = rest.first() {
        let behind = quoted(rest).or_else(|| bracketed(rest)).map_or(&[][..], |(_, behind)| behind);
        (_, rest) = upto_end(Part::Plain, behind);
    }
    cut(text, text.len() - rest.len())
}

/// `;name=value`, with blanks around the semicolon and the equals sign.
pub(super) fn param(text: &[u8]) -> Option<Cut<'_, Param<'_>>> {
    let (name, rest) = upto_end(Part::Name, behind(b';', text)?);
    let Some(value) = behind(b'=', rest) else {
        return Some((Param { name, value: &[], is_quoted: false }, rest));
    };
    let inside = quoted(value);
    let (value, rest) = inside.unwrap_or_else(|| upto_end(Part::Token, value));
    Some((Param { name, value, is_quoted: inside.is_some() }, rest))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#""a b";x"#, Some("a b"))]
    #[case(r#""";x"#, Some(""))]
    #[case(r#""a \" b\\";x"#, Some(r#"a \" b\\"#))]
    #[case(r#""a\\\";x"#, None)]
    #[case(r#""a\"#, None)]
    #[case(r#""a"#, None)]
    #[case("a", None)]
    fn a_quote_ends_at_the_first_mark_that_nothing_escapes(#[case] text: &str, #[case] inside: Option<&str>) {
        let read = quoted(text.as_bytes());
        assert_eq!(read.map(|(inside, _)| inside), inside.map(str::as_bytes));
        assert!(read.is_none_or(|(_, rest)| rest == b";x"));
    }
}
