//! DER, as far as tokens need it: a tag of one octet, a length, contents.

use crate::octets::{offset_in, slice};

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
}

/// The value at the beginning, and what follows it. A value that is longer than its octets is none.
pub(super) fn read(octets: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (&[tag, first], rest) = octets.split_first_chunk()?;
    let is_long_tag = tag & 0x1F == 0x1F;
    let (length, rest) = if first < 0x80 { (usize::from(first), rest) } else { long_length(first, rest)? };
    let (contents, rest) = rest.split_at_checked(length)?;
    (!is_long_tag).then_some((Value { tag, contents }, rest))
}

fn long_length(first: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
    let is_short = (1..=4).contains(&length.len());
    let length = is_short.then(|| crate::octets::big_endian(length))??;
    Some((usize::try_from(length).ok()?, rest))
}

impl<'a> Value<'a> {
    /// The values inside, up to what is none.
    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        let mut rest = self.contents;
        std::iter::from_fn(move || {
            let (value, behind) = read(rest)?;
            rest = behind;
            Some(value)
        })
    }

    /// The value inside, of this tag.
    pub(super) fn child(self, tag: u8) -> Option<Self> {
        self.children().find(|child| child.tag == tag)
    }

    /// The one value inside.
    pub(super) fn inner(self) -> Option<Self> {
        read(self.contents).map(|(value, _)| value)
    }

    /// A whole number.
    pub(super) fn integer(self) -> Option<i64> {
        let negative = self.contents.first().is_some_and(|octet| 0x80 <= *octet);
        let start = if negative { -1 } else { 0 };
        let fits = (1..=8).contains(&self.contents.len());
        fits.then(|| self.contents.iter().fold(start, |number: i64, octet| number << 8 | i64::from(*octet)))
    }

    /// Where its contents stand in the token.
    pub(super) fn offset_in(self, token: &[u8]) -> usize {
        offset_in(token, self.contents)
    }
}

/// An object identifier in dotted numbers.
pub(super) fn object_identifier(contents: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number: u64 = 0;
    for octet in slice(contents, 0, 64) {
        number = number << 7 | u64::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            numbers.push(number);
            number = 0;
        }
    }
    let first = numbers.first().copied().unwrap_or_default();
    let head = (first / 40).min(2);
    let tail = numbers.iter().skip(1).map(|number| format!(".{number}"));
    format!("{head}.{}{}", first - 40 * head, tail.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_checked() {
        assert_eq!(read(&[2, 1, 5, 9]), Some((Value { tag: 2, contents: &[5] }, &[9][..])));
        assert_eq!(read(&[4, 0x81, 2, 7, 8]).map(|(value, _)| value.contents), Some(&[7, 8][..]));
        for bad in [&[][..], &[2], &[2, 2, 1], &[2, 0x80, 1], &[2, 0x85, 0, 0, 0, 0, 1, 1], &[0x1F, 1, 1]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn numbers_and_identifiers_are_read() {
        assert_eq!(Value { tag: 2, contents: &[0xFF, 0x73] }.integer(), Some(-141));
        let kerberos = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 1, 2, 2];
        assert_eq!(object_identifier(&kerberos), "1.2.840.113554.1.2.2");
    }
}
