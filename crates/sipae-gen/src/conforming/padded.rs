//! Short texts in memory of a fixed length. They are copied whole and then cut: no loop, and no branch that a processor
//! could foresee wrongly, which is most of what it costs to write texts that are drawn.

/// Octets that are copied at once of a value.
pub(super) const WIDE: usize = 32;

/// What stands between the parts of a value.
pub(super) type Blank = Padded<8>;
/// The same with marks of punctuation.
pub(super) type Mark = Padded<16>;
/// A name of a parameter.
pub(super) type Name = Padded<16>;
/// A value, or a part of one.
pub(super) type Text = Padded<WIDE>;

/// A text of less than `N` octets: the last one says how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Padded<const N: usize>([u8; N]);

/// Texts out of which one is drawn.
macro_rules! padded {
    ($($text:expr),* $(,)?) => { &[$($crate::conforming::padded::Padded::new($text)),*] };
}
pub(super) use padded;

impl<const N: usize> Padded<N> {
    /// The build fails where the text is too long.
    pub(super) const fn new(text: &str) -> Self {
        Self([0; N]).then(text)
    }

    /// With another text behind it.
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated by the compiler, where a bad index is a build error"
    )]
    pub(super) const fn then(mut self, text: &str) -> Self {
        let mut place = 0;
        while place < text.len() {
            assert!(self.length() + 1 < N, "no room for its length");
            self.0[self.length()] = text.as_bytes()[place];
            self.0[N - 1] += 1;
            place += 1;
        }
        self
    }

    #[inline]
    const fn length(&self) -> usize {
        match self.0.last() {
            Some(length) => *length as usize,
            None => 0,
        }
    }

    pub(super) const fn text(&self) -> &str {
        match self.0.split_at_checked(self.length()) {
            Some((text, _)) => match str::from_utf8(text) {
                Ok(text) => text,
                Err(_) => "",
            },
            None => "",
        }
    }

    /// Appends it.
    #[inline]
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_cut(&self.0, self.length(), out);
    }
}

/// Appends the first octets of these.
#[inline]
fn write_cut<const N: usize>(octets: &[u8; N], length: usize, out: &mut Vec<u8>) {
    let end = out.len() + length;
    out.extend_from_slice(octets);
    out.truncate(end);
}

/// Which letters of a name are written in the other case.
#[derive(Clone, Copy)]
pub(super) struct Casing(u32);

impl Casing {
    /// As it is.
    pub(super) const PLAIN: Self = Self(0);
    /// How many there are: four ways, the last of them with sixteen letters that are turned or not, and repeated.
    pub(super) const COUNT: u32 = 4 << 16;

    /// Out of so many; the first ones are plain.
    pub(super) const fn new(choice: u32) -> Self {
        Self(choice)
    }

    /// The letters of a text, wherever it comes from.
    pub(super) fn apply(self, text: &mut [u8]) {
        match self.0 >> 16 {
            0 => {}
            1 => text.make_ascii_lowercase(),
            2 => text.make_ascii_uppercase(),
            _ => flip(self.0 & 0xFFFF | self.0 << 16, text),
        }
    }

    /// The same for eight octets.
    #[inline]
    fn of_word(self, word: u64, mask: u32) -> u64 {
        let letters = letters(word);
        let ways = [word, word | letters, word & !letters, word ^ (letters & spread(mask))];
        ways.get((self.0 >> 16) as usize).copied().unwrap_or(word)
    }

    /// The same for a name that is known beforehand.
    #[inline]
    pub(super) fn write(self, name: &Name, out: &mut Vec<u8>) {
        let (first, last) = (half(&name.0, 0), half(&name.0, 8));
        let words = [self.of_word(first, self.0 & 0xFF), self.of_word(last, self.0 >> 8 & 0xFF)];
        let mut turned = [0; 16];
        for (place, word) in turned.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        write_cut(&turned, name.length(), out);
    }
}

/// Eight of the octets.
#[inline]
fn half(octets: &[u8; 16], from: usize) -> u64 {
    let half = octets.get(from..).and_then(|octets| octets.first_chunk());
    u64::from_le_bytes(half.copied().unwrap_or_default())
}

const EACH: u64 = 0x0101_0101_0101_0101;

/// The bit of the letter case, in each octet that is a letter of ASCII.
const fn letters(word: u64) -> u64 {
    let lower = (word | (EACH * 0x20)) & (EACH * 0x7F);
    let (from_a, behind_z) = (at_least(lower, b'a' as u64), at_least(lower, b'z' as u64 + 1));
    (from_a & !behind_z & !word & (EACH * 0x80)) >> 2
}

/// The bit of the letter case, in each octet whose bit is set.
const fn spread(mask: u32) -> u64 {
    let bits = (mask as u64 * EACH) & 0x8040_2010_0804_0201;
    ((bits + EACH * 0x7F) & (EACH * 0x80)) >> 2
}

/// Each letter whose bit is set in the other case; the bits come again and again.
pub(super) fn flip(mut mask: u32, text: &mut [u8]) {
    let mut words = text.chunks_exact_mut(8);
    for octets in &mut words {
        let word = octets.first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets));
        octets.copy_from_slice(&(word ^ (letters(word) & spread(mask & 0xFF))).to_le_bytes());
        mask = mask.rotate_right(8);
    }
    for letter in words.into_remainder() {
        *letter ^= u8::from(mask & 1 == 1 && letter.is_ascii_alphabetic()) << 5;
        mask = mask.rotate_right(1);
    }
}

/// The eight hexadecimal digits of a number, the letters among them in this letter case.
pub(super) const fn digits(number: u32, is_upper: bool) -> [u8; 8] {
    let word = number as u64;
    let word = (word | word << 16) & 0x0000_FFFF_0000_FFFF;
    let word = (word | word << 8) & 0x00FF_00FF_00FF_00FF;
    let word = (word | word << 4) & (EACH * 0x0F);
    let letters = ((word + EACH * 6) >> 4) & EACH;
    let to_letter = if is_upper { b'A' - b'0' - 10 } else { b'a' - b'0' - 10 };
    (word + EACH * b'0' as u64 + letters * to_letter as u64).to_be_bytes()
}

/// Octets of the digits of a number.
const DIGITS: usize = 10;

/// Appends a number in decimal digits.
pub(super) fn write_number(number: u32, out: &mut Vec<u8>) {
    let (mut digits, mut rest) = ([0; 2 * DIGITS], number);
    for digit in digits.iter_mut().take(DIGITS).rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let length = number.checked_ilog10().unwrap_or_default() as usize + 1;
    if let Some(digits) = digits.get(DIGITS - length..).and_then(<[u8]>::first_chunk::<DIGITS>) {
        write_cut(digits, length, out);
    }
}

/// A value in memory that goes on behind it, so that it can be copied as wide as it may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roomy<'a> {
    octets: &'a [u8],
    length: usize,
}

impl<'a> Roomy<'a> {
    /// The value of this length at the start of the octets.
    #[inline]
    pub(super) fn new(octets: &'a [u8], length: usize) -> Self {
        Self { octets, length: length.min(octets.len()) }
    }

    pub(super) fn value(&self) -> &'a [u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// Appends it.
    #[inline]
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.write_part(0, self.length, out);
    }

    /// Appends so much of it.
    #[inline]
    fn write_part(&self, from: usize, length: usize, out: &mut Vec<u8>) {
        let octets = self.octets.get(from..).unwrap_or_default();
        match octets.first_chunk::<WIDE>() {
            Some(octets) if length <= WIDE => write_cut(octets, length, out),
            _ => out.extend_from_slice(octets.get(..length).unwrap_or_default()),
        }
    }

    /// Appends it, and what is chosen in place of each of these blanks.
    pub(super) fn write_spaced(
        &self,
        mut blanks: Blanks,
        out: &mut Vec<u8>,
        mut choose: impl FnMut(&mut Vec<u8>),
    ) {
        let mut from = 0;
        while blanks.0 != 0 {
            let place = blanks.0.trailing_zeros() as usize;
            self.write_part(from, place.saturating_sub(from), out);
            choose(out);
            from = place + 1;
            blanks.0 &= blanks.0 - 1;
        }
        self.write_part(from, self.length.saturating_sub(from), out);
    }

    /// Blanks that stand alone between other characters, among the first octets.
    #[inline]
    pub(super) fn lone_blanks(&self) -> Blanks {
        let octets = self.octets.first_chunk::<WIDE>().copied();
        let octets = octets
            .unwrap_or_else(|| std::array::from_fn(|place| self.octets.get(place).copied().unwrap_or(0)));
        let (mut blanks, mut texts) = (0, 0);
        for (place, octets) in octets.chunks_exact(8).enumerate() {
            let word = octets.first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets));
            let [not_below, text] = [u64::from(b' '), u64::from(b' ') + 1].map(|least| at_least(word, least));
            blanks |= highest_bits(not_below & !text) << (8 * place);
            texts |= highest_bits(text) << (8 * place);
        }
        let behind = WIDE.saturating_sub(self.length);
        let texts = if behind == WIDE { 0 } else { texts & u32::MAX >> behind };
        Blanks(blanks & texts << 1 & texts >> 1)
    }
}

/// The highest bit of each octet that is at least so much.
const fn at_least(word: u64, least: u64) -> u64 {
    ((word & (EACH * 0x7F)) + EACH * (0x80 - least)) | word
}

/// The highest bit of each octet, gathered.
const fn highest_bits(word: u64) -> u32 {
    ((word >> 7 & EACH).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

/// Places of blanks in a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blanks(u32);

impl Blanks {
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl<'a> From<&'a [u8]> for Roomy<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self { octets: value, length: value.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Fast, Source};

    const NAMES: &[Name] = padded!["", "x", "a.b_c~d", "gssapi-data", "Zz@[`{AaMm-0123"];

    #[test]
    fn a_known_name_is_turned_as_any_other_is() {
        let mut source = Fast::new(1);
        for _ in 0..2000 {
            let casing = Casing::new(source.below(Casing::COUNT));
            for name in NAMES {
                let (mut known, mut any) = (Vec::new(), name.text().as_bytes().to_vec());
                casing.write(name, &mut known);
                casing.apply(&mut any);
                assert_eq!(known, any);
                assert!(any.eq_ignore_ascii_case(name.text().as_bytes()));
            }
        }
    }

    #[test]
    fn letters_are_turned_one_by_one() {
        let mut source = Fast::new(1);
        let text: Vec<u8> = (0..=u8::MAX).collect();
        for _ in 0..100 {
            let (mask, mut turned) = (source.below(u32::MAX), text.clone());
            let length = source.below(256) as usize;
            flip(mask, turned.get_mut(..length).expect("a text"));
            for (place, (turned, octet)) in turned.iter().zip(&text).enumerate() {
                let is_turned =
                    place < length && mask >> (place % 32) & 1 == 1 && octet.is_ascii_alphabetic();
                assert_eq!(*turned, if is_turned { octet ^ 0x20 } else { *octet });
            }
        }
    }

    #[test]
    fn digits_are_those_of_the_library() {
        let mut source = Fast::new(1);
        for number in (0..1000).map(|_| source.below(u32::MAX)).chain([0, 9, 10, 0x9A9A_A0F9, u32::MAX]) {
            assert_eq!(digits(number, false), *format!("{number:08x}").as_bytes());
            assert_eq!(digits(number, true), *format!("{number:08X}").as_bytes());
        }
    }

    #[test]
    fn numbers_are_those_of_the_library() {
        let mut source = Fast::new(1);
        let limits = (0..10).flat_map(|power| [10_u32.pow(power) - 1, 10_u32.pow(power)]);
        for number in (0..1000).map(|_| source.below(u32::MAX)).chain(limits).chain([u32::MAX]) {
            let mut out = Vec::new();
            write_number(number, &mut out);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }

    #[test]
    fn something_is_chosen_for_each_blank_that_stands_alone() {
        let chosen =
            [("a b  c d", "a#b  c#d"), (" a ", " a "), ("a \tb c", "a \tb#c"), ("", ""), ("a b", "a#b")];
        for (value, expected) in chosen {
            for room in ["", " and more"] {
                let octets = [value, room].concat();
                let (roomy, mut out) = (Roomy::new(octets.as_bytes(), value.len()), Vec::new());
                roomy.write_spaced(roomy.lone_blanks(), &mut out, |out| out.push(b'#'));
                assert_eq!(String::from_utf8_lossy(&out), expected);
            }
        }
    }

    #[test]
    fn a_value_is_copied_and_nothing_behind_it() {
        let octets: Vec<u8> = (0..100).collect();
        for length in [0, 1, 31, 32, 33, 99, 100] {
            for room in [length, length + 1, 100].map(|room: usize| room.min(100)) {
                let (roomy, mut out) = (Roomy::new(octets.get(..room).expect("room"), length), vec![7]);
                roomy.write(&mut out);
                assert_eq!(out, [&[7], roomy.value()].concat());
                assert_eq!(roomy.value(), octets.get(..length).expect("a value"));
            }
        }
    }
}
