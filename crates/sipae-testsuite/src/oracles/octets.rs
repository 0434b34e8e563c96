//! Octets that point into others, and octets cut in pieces.

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

/// FNV-1a.
fn fnv(data: &[u8]) -> u64 {
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
    }
}
