//! Octets that point into others, octets cut in pieces, and octets as a list of choices.

/// Whether `part` lies inside `whole`, as the same octets in memory. An empty part may lie anywhere.
pub(super) fn is_part(whole: &[u8], part: &[u8]) -> bool {
    let (outer, inner) = (whole.as_ptr_range(), part.as_ptr_range());
    part.is_empty() || outer.start <= inner.start && inner.end <= outer.end
}

/// `data` in pieces of 1 to 48 octets, cut at places that follow from the data alone.
pub(super) fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    let mut state = fnv(data);
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = 1 + usize::from(state.to_be_bytes()[0]) % 48;
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Where `part` begins in `whole`, if it lies inside, as the same octets in memory, and is not empty.
pub(super) fn place_in(whole: &[u8], part: &[u8]) -> Option<usize> {
    let place = part.as_ptr().addr().checked_sub(whole.as_ptr().addr());
    place.filter(|_| !part.is_empty() && is_part(whole, part))
}

/// Octets as a list of choices. What is not there any more reads as zero.
pub(super) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next octet; none at the end.
    pub(super) fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number below 256.
    pub(super) fn number(&mut self) -> usize {
        self.octet().unwrap_or_default().into()
    }

    /// One of these; the first one where there is no choice.
    pub(super) fn among<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let number = self.number();
        items.get(number.checked_rem(items.len())?).copied()
    }

    /// One of these, or none at the end.
    pub(super) fn among_or_end<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        if self.0.is_empty() { None } else { self.among(items) }
    }

    /// Octets with their length in front, in two octets.
    pub(super) fn octets(&mut self) -> &'a [u8] {
        let length = self.number() * 256 + self.number();
        let (octets, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        octets
    }

    /// A change of one octet.
    pub(super) fn change(&mut self) -> Change {
        Change { place: self.number() * 256 + self.number(), mask: self.octet().unwrap_or_default() }
    }
}

/// A change of one octet; none where nothing is masked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    place: usize,
    mask: u8,
}

impl Change {
    pub(super) fn apply(self, octets: &mut [u8]) {
        let place = self.place.checked_rem(octets.len()).unwrap_or_default();
        if let Some(octet) = octets.get_mut(place) {
            *octet ^= self.mask;
        }
    }
}

/// FNV-1a.
pub(super) fn fnv(data: &[u8]) -> u64 {
    data.iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_in_order() {
        let data: Vec<u8> = (0..=255).collect();
        assert!(2 < pieces(&data).count());
        assert_eq!(pieces(&data).collect::<Vec<_>>().concat(), data);
        assert_eq!(pieces(b"").count(), 0);
    }

    #[test]
    fn equal_octets_elsewhere_are_no_part() {
        let (whole, copy) = (b"abc".to_vec(), b"abc".to_vec());
        assert!(is_part(&whole, &whole[1..]));
        assert!(!is_part(&whole, &copy));
        assert_eq!((place_in(&whole, &whole[1..]), place_in(&whole, &copy)), (Some(1), None));
    }

    #[test]
    fn choices_end_in_zeros() {
        let mut choices = Choices::new(b"\x05\0\x02abc\x01");
        assert_eq!(choices.among(&[1, 2, 3]), Some(3));
        assert_eq!(choices.octets(), b"ab");
        let mut changed = *b"xyz";
        choices.change().apply(&mut changed);
        assert_eq!((changed, choices.octet(), choices.number()), (*b"xyz", None, 0));
    }
}
