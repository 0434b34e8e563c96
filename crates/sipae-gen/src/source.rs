//! Where the choices of a generator come from.

use sipae::clock::Entropy;

/// Bounded choices. The first of several is the plainest, so that smaller choices make plainer things.
pub trait Source {
    /// A number below `bound`; 0 where `bound` is 0 or 1.
    fn below(&mut self, bound: u32) -> u32;
}

impl dyn Source + '_ {
    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// Yes in one of `of` times; the plain choice is no.
    pub fn one_in(&mut self, of: u32) -> bool {
        self.below(of) + 1 == of && 1 < of
    }

    /// One of the items; none where there are none.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let bound = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items.get(self.below(bound) as usize)
    }

    /// One of the texts.
    pub fn text(&mut self, texts: &[&'static str]) -> &'static str {
        self.pick(texts).copied().unwrap_or_default()
    }

    /// So many characters of an alphabet.
    pub fn word(&mut self, alphabet: &str, length: u32) -> String {
        let characters: Vec<char> = alphabet.chars().collect();
        (0..length).filter_map(|_| self.pick(&characters)).collect()
    }

    /// So many octets.
    pub fn octets(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap_or_default()).collect()
    }
}

/// Choices from a stream of randomness, and what was chosen.
#[derive(Debug)]
pub struct Drawn<E> {
    entropy: E,
    choices: Vec<u32>,
}

impl<E: Entropy> Drawn<E> {
    /// No choice yet.
    pub const fn new(entropy: E) -> Self {
        Self { entropy, choices: Vec::new() }
    }

    /// What was chosen, for a [`Recorded`] source.
    pub fn into_choices(self) -> Vec<u32> {
        self.choices
    }
}

impl<E: Entropy> Source for Drawn<E> {
    fn below(&mut self, bound: u32) -> u32 {
        if bound < 2 {
            return 0;
        }
        let word = u32::from_be_bytes((&mut self.entropy as &mut dyn Entropy).octets());
        // The high half of the product: as even as it need be for choices.
        let choice = (u64::from(word) * u64::from(bound)) >> 32;
        let choice = u32::try_from(choice).unwrap_or_default();
        self.choices.push(choice);
        choice
    }
}

/// Choices that were recorded; the plainest ones after their end.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    choices: std::vec::IntoIter<u32>,
}

impl Recorded {
    /// From a record, which may have been changed since.
    #[must_use]
    pub fn new(choices: Vec<u32>) -> Self {
        Self { choices: choices.into_iter() }
    }
}

impl Source for Recorded {
    fn below(&mut self, bound: u32) -> u32 {
        if bound < 2 {
            return 0;
        }
        self.choices.next().unwrap_or_default().min(bound - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up.
    struct Counter(u8);

    impl Entropy for Counter {
        fn fill(&mut self, octets: &mut [u8]) {
            for octet in octets {
                self.0 = self.0.wrapping_mul(37).wrapping_add(11);
                *octet = self.0;
            }
        }
    }

    fn drawn(source: &mut dyn Source) -> (u32, bool, Option<&'static char>, String) {
        (source.between(3, 9), source.one_in(2), source.pick(&['a', 'b']), source.word("xyz", 4))
    }

    #[test]
    fn what_was_drawn_is_drawn_again_from_its_record() {
        let mut source = Drawn::new(Counter(0));
        let first = drawn(&mut source);
        assert_eq!(first, drawn(&mut Recorded::new(source.into_choices())));
    }

    #[test]
    fn without_choices_everything_is_plain() {
        let mut source = Recorded::default();
        assert_eq!(drawn(&mut source), (3, false, Some(&'a'), "xxxx".to_owned()));
    }

    #[test]
    fn choices_stay_below_their_bound() {
        let (mut source, mut recorded) = (Drawn::new(Counter(5)), Recorded::new(vec![u32::MAX; 600]));
        for bound in [0, 1, 2, 3, 7, 256, u32::MAX] {
            for source in [&mut source as &mut dyn Source, &mut recorded] {
                assert!((0..50).all(|_| source.below(bound) < bound.max(1)));
            }
        }
    }
}
