//! Conforming things as strategies of proptest.
//!
//! A strategy draws a list of numbers and makes the thing of them, so that proptest's own shrinking makes it plainer:
//! fewer and smaller numbers are plainer choices.

use std::fmt::Debug;

use proptest::prelude::{Strategy, any};

use crate::conforming::{Freedoms, Given, Header, Kind, Message, header};
use crate::source::{Source, Words};

/// Choices that differ from the plainest ones, at most.
const CHOICES: usize = 400;

/// Whatever is made from choices.
pub fn strategy<T: Debug>(make: impl Fn(&mut dyn Source) -> T) -> impl Strategy<Value = T> {
    proptest::collection::vec(any::<u32>(), 0..CHOICES).prop_map(move |words| make(&mut Words::new(&words)))
}

/// Header fields of all schemes, versions and phases.
pub fn headers(freedoms: Freedoms) -> impl Strategy<Value = Header> {
    strategy(move |source| {
        let kind = Kind::drawn(source);
        header(source, freedoms, kind)
    })
}

/// Requests and responses in which this is given.
pub fn messages(freedoms: Freedoms, given: Given<'static>) -> impl Strategy<Value = Message> {
    strategy(move |source| {
        let mut message = Message::default();
        message.draw(source, freedoms, &given);
        message
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::conforming::is_clean;

    proptest! {
        #[test]
        fn a_header_field_is_read_without_a_remark(header in headers(Freedoms::STRICT)) {
            prop_assert!(is_clean::header(&header.text));
        }

        #[test]
        fn a_message_is_read_without_a_remark(message in messages(Freedoms::STRICT, Given::default())) {
            prop_assert!(is_clean::message(&message.octets));
        }
    }

    #[test]
    fn shrinking_ends_at_the_plainest_field() {
        let mut runner = TestRunner::deterministic();
        let mut tree = headers(Freedoms::ALL).new_tree(&mut runner).expect("a field");
        while tree.simplify() {}
        let mut source = Words::default();
        let kind = Kind::drawn(&mut source);
        assert_eq!(tree.current().text, header(&mut source, Freedoms::ALL, kind).text);
    }
}
