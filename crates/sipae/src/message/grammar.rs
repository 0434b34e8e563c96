//! The small grammars of addresses and of lists of them (RFC 3261 25.1), over one table of what each octet ends.

use memchr::memchr2;
use nom::branch::alt;
use nom::bytes::complete::{take_till, take_while};
use nom::character::complete::char;
use nom::combinator::{opt, recognize, rest};
use nom::error::{Error, ErrorKind};
use nom::multi::many0_count;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use super::Param;
use crate::octets::{is_lws, slice};

pub(super) type Parsed<'a, T> = IResult<&'a [u8], T>;

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

/// All of a part, which may be empty.
pub(super) fn upto_end<'a>(part: Part) -> impl Parser<&'a [u8], Output = &'a [u8], Error = Error<&'a [u8]>> {
    let ends = move |octet: u8| ENDS.get(usize::from(octet)).is_some_and(|ends| ends & part as u8 != 0);
    take_till(ends)
}

pub(super) fn lws(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while(is_lws)(input)
}

/// What stands in quotes: a backslash takes the meaning of the octet behind it.
pub(super) fn quoted(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (text, _) = char('"')(input)?;
    let mut length = 0;
    while let Some(place) = memchr2(b'"', b'\\', slice(text, length, text.len())) {
        length += place;
        if text.get(length) == Some(&b'"') {
            return Ok((slice(text, length + 1, text.len()), slice(text, 0, length)));
        }
        length += 2;
    }
    Err(nom::Err::Error(Error::new(input, ErrorKind::Char)))
}

pub(super) fn bracketed(input: &[u8]) -> Parsed<'_, &[u8]> {
    delimited(char('<'), take_till(|octet| octet == b'>'), char('>')).parse(input)
}

/// Up to the next comma that is outside quotes and brackets. An unclosed quote or bracket runs to the end.
pub(super) fn element(input: &[u8]) -> Parsed<'_, &[u8]> {
    let unclosed = recognize((alt((char('"'), char('<'))), rest));
    recognize((
        upto_end(Part::Plain),
        many0_count((alt((quoted, bracketed, unclosed)), upto_end(Part::Plain))),
    ))
    .parse(input)
}

/// `;name=value`, with blanks around the semicolon and the equals sign.
pub(super) fn param(input: &[u8]) -> Parsed<'_, Param<'_>> {
    let (input, _) = (lws, char(';'), lws).parse(input)?;
    let (input, name) = upto_end(Part::Name).parse(input)?;
    let token = upto_end(Part::Token).map(|value| (value, false));
    let value = alt((quoted.map(|value| (value, true)), token));
    let (rest, value) = opt((lws, char('='), lws, value)).parse(input)?;
    let (value, is_quoted) = value.map_or((&[][..], false), |(.., value)| value);
    Ok((rest, Param { name, value, is_quoted }))
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
        let read = quoted(text.as_bytes()).ok();
        assert_eq!(read.map(|(_, inside)| inside), inside.map(str::as_bytes));
        assert!(read.is_none_or(|(rest, _)| rest == b";x"));
    }
}
