//! Conforming things from the octets of a fuzzer, by the trait of the crate arbitrary.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::conforming::{Freedoms, Header, Kind, Message, header, message};
use crate::source::{Fuzzed, Source};

/// Whatever is made from choices. It takes the octets that it needs, and is as plain as it gets behind their end.
///
/// # Errors
/// None: there are always choices.
pub fn make<T>(octets: &mut Unstructured<'_>, make: impl Fn(&mut dyn Source) -> T) -> Result<T> {
    let all = octets.len();
    let mut source = Fuzzed::new(octets.peek_bytes(all).unwrap_or_default());
    let made = make(&mut source);
    let taken = all - source.rest().len();
    octets.bytes(taken)?;
    Ok(made)
}

/// A header field of any scheme, version and phase, at which a careful reader remarks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConformingHeader(pub Header);

impl<'a> Arbitrary<'a> for ConformingHeader {
    fn arbitrary(octets: &mut Unstructured<'a>) -> Result<Self> {
        make(octets, |source| {
            let kind = Kind::drawn(source);
            Self(header(source, Freedoms::STRICT, kind))
        })
    }
}

/// A request or a response at which a careful reader remarks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConformingMessage(pub Message);

impl<'a> Arbitrary<'a> for ConformingMessage {
    fn arbitrary(octets: &mut Unstructured<'a>) -> Result<Self> {
        make(octets, |source| Self(message(source, Freedoms::STRICT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conforming::is_clean;
    use crate::source::Choices;
    use crate::source::Fast;

    #[test]
    fn whatever_the_octets_are_nothing_is_remarked() {
        for seed in 0..1000 {
            let source: &mut dyn Source = &mut Fast::new(seed);
            let length = source.below(400);
            let octets = source.octets(length as usize);
            let mut octets = Unstructured::new(&octets);
            let header = ConformingHeader::arbitrary(&mut octets).expect("a header field");
            assert!(is_clean::header(&header.0.text));
            let message = ConformingMessage::arbitrary(&mut octets).expect("a message");
            assert!(is_clean::message(&message.0.octets));
        }
    }

    #[test]
    fn octets_are_taken_once() {
        let octets: Vec<u8> = (1..=255).collect();
        let mut octets = Unstructured::new(&octets);
        let first = ConformingHeader::arbitrary(&mut octets).expect("a header field");
        assert!(octets.len() < 255);
        assert_ne!(first, ConformingHeader::arbitrary(&mut octets).expect("a header field"));
    }
}
