//! Looking names up: without regard to case, in one table that the compiler makes.

/// Finds which of a few known names a text spells, in any letter case: one look, and one comparison by whoever asks.
pub(crate) struct NameTable {
    /// For each mixture of length and letters the name that has it, counted from 1.
    places: [u8; PLACES],
    factor: usize,
}

const PLACES: usize = 256;

impl NameTable {
    /// Names of two letters and more, fewer than 255. One way to mix them is tried after the other until no two share a
    /// place; where two do so in all ways, or a name is too short, the build fails.
    pub(crate) const fn new(names: &[&str]) -> Self {
        let mut factor = 1;
        loop {
            if let Some(places) = fill(names, factor) {
                return Self { places, factor };
            }
            factor += 1;
            assert!(factor < PLACES, "two names share length, first, middle and last letter");
        }
    }

    /// The place of the only name that `text` may be, in the list that the table was made of.
    pub(crate) fn candidate(&self, text: &[u8]) -> Option<usize> {
        let place = mixture(text, self.factor)?;
        usize::from(*self.places.get(place)?).checked_sub(1)
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
#[expect(clippy::expect_used, reason = "evaluated by the compiler, where a panic is a build error")]
#[expect(clippy::cast_possible_truncation, reason = "there are fewer names than places")]
const fn fill(names: &[&str], factor: usize) -> Option<[u8; PLACES]> {
    let mut places = [0; PLACES];
    let mut next = 0;
    while next < names.len() {
        let place = mixture(names[next].as_bytes(), factor).expect("no name has one letter");
        if places[place] != 0 {
            return None;
        }
        places[place] = next as u8 + 1;
        next += 1;
    }
    Some(places)
}

/// Length, first, middle and last letter as one number below [`PLACES`]; letters in both cases give the same one.
#[expect(clippy::indexing_slicing, reason = "a text of two octets and more has one at half its length")]
const fn mixture(text: &[u8], factor: usize) -> Option<usize> {
    match text {
        [first, .., last] => {
            let middle = text[text.len() / 2];
            let letters = [(*first & 0x1F) as usize, (middle & 0x1F) as usize, (*last & 0x1F) as usize];
            let [first, middle, last] = letters;
            Some((text.len() * 5 + first * factor + middle * 3 + last) % PLACES)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_letter_case_and_another_is_not() {
        const NAMES: [&str; 6] = ["realm", "Qop", "opaque", "cnonce", "Refer-To", "Reply-To"];
        let table = NameTable::new(&NAMES);
        for (place, name) in NAMES.iter().enumerate() {
            assert_eq!(table.candidate(name.to_ascii_uppercase().as_bytes()), Some(place));
            assert_eq!(table.candidate(name.to_ascii_lowercase().as_bytes()), Some(place));
        }
        assert_eq!(table.candidate(b""), None);
        assert_eq!(table.candidate(b"q"), None);
    }
}
