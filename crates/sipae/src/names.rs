//! Looking names up: without regard to case, in one table that the compiler makes.

/// Finds which of a few known names a text spells, in any letter case: one look, and one comparison by whoever asks.
pub(crate) struct NameTable {
    /// For each mixture of length, first and last letter the name that has it, counted from 1.
    places: [u8; PLACES],
    factor: usize,
}

const PLACES: usize = 256;

impl NameTable {
    /// No two of the names may be one. They are mixed in as many ways as are needed until no two share a place.
    pub(crate) const fn new(names: &[&str]) -> Self {
        let mut factor = 1;
        loop {
            if let Some(places) = fill(names, factor) {
                return Self { places, factor };
            }
            factor += 1;
        }
    }

    /// The place of the only name that `text` may be, in the list that the table was made of.
    pub(crate) fn candidate(&self, text: &[u8]) -> Option<usize> {
        let place = mixture(text, self.factor)?;
        usize::from(*self.places.get(place)?).checked_sub(1)
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
#[expect(clippy::cast_possible_truncation, reason = "there are fewer names than places")]
const fn fill(names: &[&str], factor: usize) -> Option<[u8; PLACES]> {
    let mut places = [0; PLACES];
    let mut next = 0;
    while next < names.len() {
        if let Some(place) = mixture(names[next].as_bytes(), factor) {
            if places[place] != 0 {
                return None;
            }
            places[place] = next as u8 + 1;
        }
        next += 1;
    }
    Some(places)
}

/// Length, first and last letter as one number below [`PLACES`]; letters in both cases give the same one.
const fn mixture(text: &[u8], factor: usize) -> Option<usize> {
    match text {
        [first, .., last] => {
            let (first, last) = ((*first & 0x1F) as usize, (*last & 0x1F) as usize);
            Some((text.len() * 5 + first * factor + last) % PLACES)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_letter_case_and_another_is_not() {
        const NAMES: [&str; 4] = ["realm", "Qop", "opaque", "cnonce"];
        let table = NameTable::new(&NAMES);
        for (place, name) in NAMES.iter().enumerate() {
            assert_eq!(table.candidate(name.to_ascii_uppercase().as_bytes()), Some(place));
            assert_eq!(table.candidate(name.to_ascii_lowercase().as_bytes()), Some(place));
        }
        assert_eq!(table.candidate(b""), None);
        assert_eq!(table.candidate(b"q"), None);
    }
}
