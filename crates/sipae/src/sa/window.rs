//! The replay window ([MS-SIPAE] 3.1.1).

/// Numbers that the bitmap holds: a power of two above the width of the window.
const RING: u32 = 512;
const WORDS: usize = (RING / 64) as usize;

/// The sequence numbers of the peer that have been accepted: one window per security association and direction.
///
/// A number is to be checked only after the signature has verified: a forged message must not move the window
/// (SIPAE-3.1.1-09).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReplayWindow {
    last: u32,
    /// One bit for each of the last 512 numbers, at the number modulo 512.
    seen: [u64; WORDS],
}

/// Why a number is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowError {
    /// 0 is no number: they begin at 1.
    Zero,
    /// It was accepted before.
    Replayed,
    /// It is below the window.
    TooOld,
}

impl ReplayWindow {
    /// Width of the window.
    pub const WIDTH: u32 = 256;

    /// The highest number accepted; 0 before the first.
    #[must_use]
    pub const fn last(&self) -> u32 {
        self.last
    }

    /// The lowest number that could be accepted. The specification gives a width of 256 and a span of 257 numbers;
    /// the span is taken (docs/assumptions.md).
    #[must_use]
    pub const fn low(&self) -> u32 {
        let low = self.last.saturating_sub(Self::WIDTH);
        if low == 0 { 1 } else { low }
    }

    /// The upper end of the window: 256, or the last number where that is higher.
    #[must_use]
    pub const fn high(&self) -> u32 {
        if self.last < Self::WIDTH { Self::WIDTH } else { self.last }
    }

    /// Checks a number and marks it.
    ///
    /// # Errors
    /// When it has been accepted before, is below the window, or is 0. Nothing changes then.
    pub fn accept(&mut self, number: u32) -> Result<(), WindowError> {
        if number == 0 {
            return Err(WindowError::Zero);
        }
        if self.last < number {
            self.advance(number);
        } else if number < self.low() {
            return Err(WindowError::TooOld);
        } else if self.bit(number) {
            return Err(WindowError::Replayed);
        }
        self.set(number, true);
        Ok(())
    }

    fn advance(&mut self, number: u32) {
        if RING <= number - self.last {
            self.seen = [0; WORDS];
        } else {
            for skipped in self.last + 1..number {
                self.set(skipped, false);
            }
        }
        self.last = number;
    }

    fn bit(&self, number: u32) -> bool {
        let place = number % RING;
        self.seen.get((place / 64) as usize).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn set(&mut self, number: u32, seen: bool) {
        let place = number % RING;
        if let Some(word) = self.seen.get_mut((place / 64) as usize) {
            let mask = 1 << (place % 64);
            *word = if seen { *word | mask } else { *word & !mask };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// The worked run of the data model: every verdict in order.
    #[test]
    fn the_worked_run_is_judged_number_by_number() {
        let mut window = ReplayWindow::default();
        let run = [
            (1, true),
            (2, true),
            (2, false),
            (5, true),
            (3, true),
            (3, false),
            (300, true),
            (43, false),
            (45, true),
            (45, false),
            (299, true),
            (4_294_967_295, true),
            (4_294_967_294, true),
            (300, false),
        ];
        for (number, accepted) in run {
            assert_eq!(window.accept(number).is_ok(), accepted, "{number}");
        }
    }

    #[test]
    fn the_window_begins_at_1_to_256_and_moves_with_its_top() {
        let mut window = ReplayWindow::default();
        assert_eq!((window.last(), window.low(), window.high()), (0, 1, 256));
        assert_eq!(window.accept(300), Ok(()));
        assert_eq!((window.last(), window.low(), window.high()), (300, 44, 300));
        assert_eq!(window.accept(0), Err(WindowError::Zero));
    }

    proptest! {
        /// Against the rule in words: a set of numbers and the highest of them.
        #[test]
        fn a_number_is_accepted_once_and_only_from_the_window(
            numbers in prop::collection::vec(prop_oneof![1..700u32, 0xFFFF_FC00..=u32::MAX], 0..200),
        ) {
            let mut window = ReplayWindow::default();
            let (mut seen, mut last) = (HashSet::new(), 0u32);
            for number in numbers {
                let legal = last < number || (last.saturating_sub(256) <= number && !seen.contains(&number));
                prop_assert_eq!(window.accept(number).is_ok(), legal);
                if legal {
                    seen.insert(number);
                    last = last.max(number);
                }
            }
        }
    }
}
