//! Where the choices of a generator come from.

use sipae::clock::Entropy;

/// Bounded choices. The first of several is the plainest, so that smaller choices make plainer things.
pub trait Source {
    /// A number below `bound`; 0 where `bound` is 0 or 1.
    fn below(&mut self, bound: u32) -> u32;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn below(&mut self, bound: u32) -> u32 {
        (**self).below(bound)
    }
}

impl<S: Source + ?Sized> Source for &mut S {
    fn below(&mut self, bound: u32) -> u32 {
        (**self).below(bound)
    }
}

/// What generators choose, of any source.
pub trait Choices: Source {
    /// A number from `low` to `high`, both included.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// Yes in one of `of` times; the plain choice is no.
    fn one_in(&mut self, of: u32) -> bool {
        self.below(of) + 1 == of && 1 < of
    }

    /// One of the items; none where there are none.
    fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let bound = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items.get(self.below(bound) as usize)
    }

    /// One of the texts.
    fn text(&mut self, texts: &[&'static str]) -> &'static str {
        self.pick(texts).copied().unwrap_or_default()
    }

    /// So many characters of an alphabet.
    fn word(&mut self, alphabet: &str, length: u32) -> String {
        let characters: Vec<char> = alphabet.chars().collect();
        (0..length).filter_map(|_| self.pick(&characters)).collect()
    }

    /// So many octets.
    fn octets(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap_or_default()).collect()
    }
}

impl<S: Source + ?Sized> Choices for S {}

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
        let choice = scaled(u64::from(word), bound);
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

/// Choices from a seed, as cheap as they get: SplitMix64 (Steele, Lea, Flood 2014). Nothing is kept of them; the same
/// seed gives the same ones again.
#[derive(Clone, Copy, Debug)]
pub struct Fast(u64);

impl Fast {
    /// The choices of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[inline]
    const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

impl Source for Fast {
    #[inline]
    fn below(&mut self, bound: u32) -> u32 {
        scaled(self.word() >> 32, bound)
    }
}

/// The high half of the product with 32 bits: as even as it need be for choices.
#[inline]
fn scaled(word: u64, bound: u32) -> u32 {
    u32::try_from(((word & 0xFFFF_FFFF) * u64::from(bound)) >> 32).unwrap_or_default()
}

/// Choices from the octets that a fuzzer mutates: one octet for a choice among up to 256, and more for more. The plainest
/// ones after their end.
#[derive(Clone, Copy, Debug)]
pub struct Fuzzed<'o> {
    octets: &'o [u8],
}

impl<'o> Fuzzed<'o> {
    /// The choices in these octets.
    #[must_use]
    pub const fn new(octets: &'o [u8]) -> Self {
        Self { octets }
    }

    /// What no choice was taken from.
    #[must_use]
    pub const fn rest(&self) -> &'o [u8] {
        self.octets
    }
}

impl Source for Fuzzed<'_> {
    fn below(&mut self, bound: u32) -> u32 {
        if bound < 2 {
            return 0;
        }
        let length = (bound - 1).ilog2() / 8 + 1;
        let (taken, rest) = self.octets.split_at(self.octets.len().min(length as usize));
        self.octets = rest;
        let number = taken.iter().fold(0, |number: u32, octet| number << 8 | u32::from(*octet));
        number % bound
    }
}

/// Choices from numbers of any size: the smaller one is, the plainer is the choice. The plainest ones after their end.
#[derive(Clone, Debug, Default)]
pub struct Words<'w> {
    words: std::slice::Iter<'w, u32>,
}

impl<'w> Words<'w> {
    /// The choices in these numbers.
    #[must_use]
    pub fn new(words: &'w [u32]) -> Self {
        Self { words: words.iter() }
    }
}

impl Source for Words<'_> {
    fn below(&mut self, bound: u32) -> u32 {
        let word = if bound < 2 { None } else { self.words.next() };
        scaled(word.copied().unwrap_or_default().into(), bound)
    }
}

/// Any source, and what was chosen.
#[derive(Debug)]
pub struct Recording<S> {
    source: S,
    choices: Vec<u32>,
}

impl<S: Source> Recording<S> {
    /// No choice yet.
    pub const fn new(source: S) -> Self {
        Self { source, choices: Vec::new() }
    }

    /// What was chosen, for a [`Recorded`] source.
    pub fn into_choices(self) -> Vec<u32> {
        self.choices
    }
}

impl<S: Source> Source for Recording<S> {
    fn below(&mut self, bound: u32) -> u32 {
        let choice = self.source.below(bound);
        if 1 < bound {
            self.choices.push(choice);
        }
        choice
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
    fn what_a_recording_has_chosen_is_chosen_again_from_any_source() {
        let octets: Vec<u8> = (0..40).map(|number: u8| number.wrapping_mul(37)).collect();
        let sources: [Box<dyn Source>; 2] = [Box::new(Fast::new(5)), Box::new(Fuzzed::new(&octets))];
        for source in sources {
            let mut source = Recording::new(source);
            let first = drawn(&mut source);
            assert_eq!(first, drawn(&mut Recorded::new(source.into_choices())));
        }
    }

    #[test]
    fn a_fuzzed_choice_takes_no_more_octets_than_it_needs() {
        let octets = [1, 2, 3, 4, 5, 6, 7];
        let mut source = Fuzzed::new(&octets);
        assert_eq!((source.below(1), source.rest().len()), (0, 7));
        assert_eq!((source.below(256), source.rest().len()), (1, 6));
        assert_eq!((source.below(257), source.rest().len()), (0x0203 % 257, 4));
        assert_eq!((source.below(u32::MAX), source.rest().len()), (0x0405_0607, 0));
        assert_eq!(source.below(9), 0);
    }

    #[test]
    fn the_choices_of_a_seed_are_even() {
        let mut source = Fast::new(0);
        let counts = (0..30_000).fold([0; 3], |mut counts, _| {
            counts[source.below(3) as usize] += 1;
            counts
        });
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
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
