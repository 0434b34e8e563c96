//! DER as Kerberos uses it: definite lengths, tags of one octet, explicit context tags (RFC 4120 5, X.690).
//!
//! The reader holds slices of its input, so that a length that is a lie costs nothing. Lengths that could have been
//! written shorter are read, as every Kerberos library does; what is written has the shortest.

use super::KerberosTime;
use super::error::{DerProblem, KerberosError};

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const GENERAL_STRING: u8 = 0x1B;
pub(super) const SEQUENCE: u8 = 0x30;
const CONTEXT: u8 = 0xA0;

/// Tag of a message: APPLICATION and its number.
pub(super) const fn application(number: u8) -> u8 {
    0x60 | number
}

/// What is left of the content of an element.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets, offset: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) const fn wrong(&self, what: &'static str, problem: DerProblem) -> KerberosError {
        KerberosError::Malformed { what, offset: self.offset, problem }
    }

    pub(super) const fn wrong_value(&self, what: &'static str) -> KerberosError {
        self.wrong(what, DerProblem::Value)
    }

    /// Takes so many octets.
    pub(super) fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], KerberosError> {
        let cut = self.wrong(what, DerProblem::CutShort);
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(cut)?;
        *self = Self { rest, offset: self.offset + length };
        Ok(taken)
    }

    fn octet(&mut self, what: &'static str) -> Result<u8, KerberosError> {
        self.take(1, what).map(|octets| octets.first().copied().unwrap_or_default())
    }

    fn length(&mut self, what: &'static str) -> Result<usize, KerberosError> {
        const MOST: usize = size_of::<u32>();
        let indefinite = self.wrong(what, DerProblem::Length);
        let first = self.octet(what)?;
        let count = usize::from(first & 0x7F);
        if first & 0x80 == 0 {
            return Ok(count);
        }
        if !(1..=MOST).contains(&count) {
            return Err(indefinite);
        }
        let octets = self.take(count, what)?;
        Ok(octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)))
    }

    /// The content of the next element, which has this tag.
    pub(super) fn element(&mut self, tag: u8, what: &'static str) -> Result<Self, KerberosError> {
        let mut ahead = *self;
        let found = ahead.octet(what)?;
        if found != tag {
            return Err(self.wrong(what, DerProblem::Tag { expected: tag, found }));
        }
        let length = ahead.length(what)?;
        let offset = ahead.offset;
        let rest = ahead.take(length, what)?;
        *self = ahead;
        Ok(Self { rest, offset })
    }

    /// The next element, which ends these octets.
    pub(super) fn only(mut self, tag: u8, what: &'static str) -> Result<Self, KerberosError> {
        let content = self.element(tag, what)?;
        if self.is_empty() { Ok(content) } else { Err(self.wrong(what, DerProblem::Trailing)) }
    }

    pub(super) fn sequence(&mut self, what: &'static str) -> Result<Self, KerberosError> {
        self.element(SEQUENCE, what)
    }

    /// A field of a sequence.
    pub(super) fn field(&mut self, number: u8, what: &'static str) -> Result<Self, KerberosError> {
        self.element(CONTEXT | number, what)
    }

    /// A field that may be left out.
    pub(super) fn optional(&mut self, number: u8, what: &'static str) -> Result<Option<Self>, KerberosError> {
        let is_there = self.rest.first() == Some(&(CONTEXT | number));
        is_there.then(|| self.field(number, what)).transpose()
    }

    /// An INTEGER of at most eight octets.
    pub(super) fn integer(&mut self, what: &'static str) -> Result<i64, KerberosError> {
        let content = self.element(INTEGER, what)?;
        let Some(first) = content.rest.first().filter(|_| content.rest.len() <= size_of::<i64>()) else {
            return Err(content.wrong_value(what));
        };
        let sign = if first & 0x80 == 0 { 0 } else { -1 };
        Ok(content.rest.iter().fold(sign, |number, octet| number << 8 | i64::from(*octet)))
    }

    /// An INTEGER that fits.
    pub(super) fn number<T: TryFrom<i64>>(&mut self, what: &'static str) -> Result<T, KerberosError> {
        let wrong = self.wrong_value(what);
        T::try_from(self.integer(what)?).map_err(|_| wrong)
    }

    /// A word of 32 bits, which old implementations write as if it had a sign (RFC 4120 5.3.2 has a note on this).
    pub(super) fn word(&mut self, what: &'static str) -> Result<u32, KerberosError> {
        let wrong = self.wrong_value(what);
        let number = self.integer(what)?;
        let signed = || i32::try_from(number).map(i32::cast_unsigned);
        u32::try_from(number).or_else(|_| signed()).map_err(|_| wrong)
    }

    pub(super) fn octets(&mut self, what: &'static str) -> Result<Vec<u8>, KerberosError> {
        self.element(OCTET_STRING, what).map(|content| content.rest.to_vec())
    }

    /// Text: ASCII by RFC 4120 5.2.1, UTF-8 by Windows.
    pub(super) fn text(&mut self, tag: u8, what: &'static str) -> Result<String, KerberosError> {
        let content = self.element(tag, what)?;
        String::from_utf8(content.rest.to_vec()).map_err(|_| content.wrong_value(what))
    }

    pub(super) fn time(&mut self, what: &'static str) -> Result<KerberosTime, KerberosError> {
        let content = self.element(GENERALIZED_TIME, what)?;
        KerberosTime::read(content.rest).ok_or_else(|| content.wrong_value(what))
    }

    /// KerberosFlags: the first 32 bits, the highest first; what is left out is clear (RFC 4120 5.2.8).
    pub(super) fn flags(&mut self, what: &'static str) -> Result<u32, KerberosError> {
        let mut content = self.element(BIT_STRING, what)?;
        content.octet(what)?;
        let octets = content.rest.iter().copied().chain(std::iter::repeat(0)).take(size_of::<u32>());
        Ok(octets.fold(0, |flags, octet| flags << 8 | u32::from(octet)))
    }
}

/// An element: tag, shortest length, content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut octets = vec![tag];
    octets.extend(length(content.len()));
    octets.extend_from_slice(content);
    octets
}

fn length(length: usize) -> Vec<u8> {
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        return vec![short];
    }
    let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
    let count = u8::try_from(octets.len()).unwrap_or_default();
    std::iter::once(0x80 | count).chain(octets).collect()
}

pub(super) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    element(CONTEXT | number, content)
}

/// A field, or nothing.
pub(super) fn optional(number: u8, content: Option<Vec<u8>>) -> Vec<u8> {
    content.map_or_else(Vec::new, |content| field(number, &content))
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// A message: APPLICATION tag around a sequence.
pub(super) fn message(number: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(application(number), &sequence(parts))
}

pub(super) fn integer(number: i64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let is_sign = |pair: &[u8]| {
        matches!(pair, [0, next] if *next < 0x80) || matches!(pair, [0xFF, next] if *next >= 0x80)
    };
    let signs = octets.windows(2).take_while(|pair| is_sign(pair)).count();
    element(INTEGER, octets.get(signs..).unwrap_or(&octets))
}

pub(super) fn octet_string(octets: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, octets)
}

pub(super) fn general_string(text: &str) -> Vec<u8> {
    element(GENERAL_STRING, text.as_bytes())
}

pub(super) fn time(time: KerberosTime) -> Vec<u8> {
    element(GENERALIZED_TIME, time.to_string().as_bytes())
}

/// KerberosFlags of 32 bits.
pub(super) fn flags(flags: u32) -> Vec<u8> {
    element(BIT_STRING, &[&[0], &flags.to_be_bytes()[..]].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// X.690 8.3.
    #[rstest]
    #[case(0, &[0x02, 0x01, 0x00])]
    #[case(127, &[0x02, 0x01, 0x7F])]
    #[case(128, &[0x02, 0x02, 0x00, 0x80])]
    #[case(-128, &[0x02, 0x01, 0x80])]
    #[case(-129, &[0x02, 0x02, 0xFF, 0x7F])]
    #[case(0xFFFF_FFFF, &[0x02, 0x05, 0x00, 0xFF, 0xFF, 0xFF, 0xFF])]
    fn an_integer_has_as_few_octets_as_its_sign_allows(#[case] number: i64, #[case] octets: &[u8]) {
        assert_eq!(integer(number), octets);
        assert_eq!(Reader::new(octets).integer("number"), Ok(number));
    }

    /// X.690 8.1.3.
    #[rstest]
    #[case(0x7F, &[0x7F])]
    #[case(0x80, &[0x81, 0x80])]
    #[case(0x100, &[0x82, 0x01, 0x00])]
    fn a_length_has_the_short_form_below_128(#[case] number: usize, #[case] octets: &[u8]) {
        assert_eq!(length(number), octets);
        assert_eq!(Reader::new(octets).length("length"), Ok(number));
    }

    #[rstest]
    #[case(&[0x30], DerProblem::CutShort)]
    #[case(&[0x30, 0x01], DerProblem::CutShort)]
    #[case(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], DerProblem::CutShort)]
    #[case(&[0x30, 0x82, 0x00], DerProblem::CutShort)]
    #[case(&[0x30, 0x80, 0x00, 0x00], DerProblem::Length)]
    #[case(&[0x30, 0x85, 0, 0, 0, 0, 0], DerProblem::Length)]
    #[case(&[0x30, 0xFF], DerProblem::Length)]
    #[case(&[0x31, 0x00], DerProblem::Tag { expected: 0x30, found: 0x31 })]
    #[case(&[0x30, 0x00, 0x00], DerProblem::Trailing)]
    fn a_length_that_is_a_lie_is_an_error(#[case] octets: &[u8], #[case] wrong: DerProblem) {
        let read = Reader::new(octets).only(SEQUENCE, "list").map(|content| content.rest);
        assert!(
            matches!(read, Err(KerberosError::Malformed { what: "list", problem, .. }) if problem == wrong),
            "{read:?}"
        );
    }

    #[rstest]
    #[case(&[0x02, 0x00])]
    #[case(&[0x02, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0])]
    fn an_integer_has_one_to_eight_octets(#[case] octets: &[u8]) {
        assert!(Reader::new(octets).integer("number").is_err());
    }

    /// RFC 4120 5.3.2, note on sequence numbers.
    #[test]
    fn a_word_is_read_with_and_without_a_sign() {
        assert_eq!(Reader::new(&integer(-1)).word("number"), Ok(u32::MAX));
        assert_eq!(Reader::new(&integer(0xFFFF_FFFF)).word("number"), Ok(u32::MAX));
        assert!(Reader::new(&integer(0x1_0000_0000)).word("number").is_err());
        assert!(Reader::new(&integer(-0x8000_0001)).word("number").is_err());
    }

    #[test]
    fn flags_that_are_left_out_are_clear() {
        assert_eq!(Reader::new(&[0x03, 0x02, 0x00, 0x20]).flags("flags"), Ok(0x2000_0000));
        assert!(Reader::new(&[0x03, 0x00]).flags("flags").is_err());
        assert_eq!(Reader::new(&flags(0x2000_0000)).flags("flags"), Ok(0x2000_0000));
    }

    proptest! {
        #[test]
        fn every_integer_is_read_as_it_was_written(number: i64) {
            prop_assert_eq!(Reader::new(&integer(number)).integer("number"), Ok(number));
        }
    }
}
