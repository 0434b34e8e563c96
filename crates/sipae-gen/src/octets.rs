//! Changes to the octets of a token: what stands in `gssapi-data`, decoded.

use serde::{Deserialize, Serialize};

use crate::written;

/// A change to a token. Where the token has no such place nothing is changed, which whoever applies it is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum OctetEdit {
    /// Only so many octets of it.
    Cut(usize),
    /// Without so many octets at its end.
    CutBack(usize),
    /// Other octets at a place.
    Overwrite {
        /// Where.
        at: usize,
        /// What stands there then.
        #[serde(with = "written::octets")]
        octets: Vec<u8>,
    },
    /// More octets at a place.
    Insert {
        /// In front of which octet.
        at: usize,
        /// Which.
        #[serde(with = "written::octets")]
        octets: Vec<u8>,
    },
    /// More octets behind it.
    Append(#[serde(with = "written::octets")] Vec<u8>),
    /// The lowest bit of one octet.
    Flip(usize),
    /// The lowest bit of one octet, counted from the end: 1 is the last one.
    FlipBack(usize),
    /// A DER element that is found by the tags that lead to it, each the first of its kind.
    Der {
        /// Tags from the outermost one.
        #[serde(with = "written::octets")]
        path: Vec<u8>,
        /// What is changed.
        change: DerChange,
    },
    /// A field of an NTLM message, where its length and offset stand.
    NtlmField {
        /// Where its eight octets stand: length, allocated length, offset.
        at: usize,
        /// What is changed.
        change: FieldChange,
    },
}

/// A change to a DER element. The lengths around it stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DerChange {
    /// Another tag.
    Tag(u8),
    /// Another first length octet.
    Length(u8),
    /// Other octets at the beginning of the content; no more than there are.
    Content(#[serde(with = "written::octets")] Vec<u8>),
    /// The lowest bit of the last octet of the content.
    FlipLast,
}

/// A change to a field of an NTLM message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldChange {
    /// Another length, and another allocated length.
    Length(u16),
    /// A longer length: so much more than it is.
    Longer(u16),
    /// Another offset.
    Offset(u32),
    /// An offset so far behind the end of the message.
    BehindEnd(u32),
    /// The lowest bit of an octet of the content.
    Flip(usize),
}

impl OctetEdit {
    /// Makes the change; `false` where the token has no such place.
    #[must_use]
    pub fn apply(&self, token: &mut Vec<u8>) -> bool {
        let length = token.len();
        match self {
            Self::Cut(kept) => token.truncate(*kept),
            Self::CutBack(cut) => token.truncate(length.saturating_sub(*cut)),
            Self::Overwrite { at, octets } => return overwrite(token, *at, octets),
            Self::Insert { at, octets } => {
                let at = (*at).min(length);
                drop(token.splice(at..at, octets.iter().copied()));
            }
            Self::Append(octets) => token.extend_from_slice(octets),
            Self::Flip(at) => return flip(token, *at),
            Self::FlipBack(back) => return length.checked_sub(*back).is_some_and(|at| flip(token, at)),
            Self::Der { path, change } => return change_der(token, path, change),
            Self::NtlmField { at, change } => return change_field(token, *at, *change),
        }
        true
    }
}

fn overwrite(token: &mut [u8], at: usize, octets: &[u8]) -> bool {
    let end = at.saturating_add(octets.len());
    match token.get_mut(at..end) {
        Some(place) => place.copy_from_slice(octets),
        None => return false,
    }
    true
}

fn flip(token: &mut [u8], at: usize) -> bool {
    token.get_mut(at).map(|octet| *octet ^= 1).is_some()
}

/// Where an element begins, and where its content begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element {
    start: usize,
    content: usize,
    end: usize,
}

/// The element that begins at `start`, bounded by `end`: single-octet tags and lengths of at most four octets.
fn element(token: &[u8], start: usize, end: usize) -> Option<Element> {
    let first = usize::from(*token.get(start.checked_add(1)?)?);
    let (content, length) = if first < 0x80 {
        (start + 2, first)
    } else {
        let octets = token.get(start + 2..start.checked_add(2)?.checked_add(first & 0x7F)?)?;
        let length = octets
            .iter()
            .try_fold(0_usize, |sum, octet| sum.checked_mul(256)?.checked_add(usize::from(*octet)))?;
        (start + 2 + octets.len(), length)
    };
    let element_end = content.checked_add(length)?;
    (element_end <= end).then_some(Element { start, content, end: element_end })
}

fn find(token: &[u8], path: &[u8]) -> Option<Element> {
    let (mut start, mut end, mut found) = (0, token.len(), None);
    for tag in path {
        let mut at = start;
        let inner = loop {
            let candidate = element(token, at, end)?;
            if token.get(candidate.start) == Some(tag) {
                break candidate;
            }
            at = candidate.end;
        };
        (start, end, found) = (inner.content, inner.end, Some(inner));
    }
    found
}

fn change_der(token: &mut [u8], path: &[u8], change: &DerChange) -> bool {
    let Some(element) = find(token, path) else { return false };
    match change {
        DerChange::Tag(tag) => overwrite(token, element.start, &[*tag]),
        DerChange::Length(octet) => overwrite(token, element.start + 1, &[*octet]),
        DerChange::Content(octets) if octets.len() <= element.end - element.content => {
            overwrite(token, element.content, octets)
        }
        DerChange::Content(_) => false,
        DerChange::FlipLast => element.content < element.end && flip(token, element.end - 1),
    }
}

fn change_field(token: &mut [u8], at: usize, change: FieldChange) -> bool {
    let two = |token: &[u8]| token.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
    let four = |token: &[u8]| token.get(at + 4..at + 8)?.try_into().ok().map(u32::from_le_bytes);
    let (Some(length), Some(offset)) = (two(token), four(token)) else { return false };
    let lengths = |length: u16| [length.to_le_bytes(), length.to_le_bytes()].concat();
    let size = u32::try_from(token.len()).unwrap_or(u32::MAX);
    match change {
        FieldChange::Length(length) => overwrite(token, at, &lengths(length)),
        FieldChange::Longer(more) => overwrite(token, at, &lengths(length.saturating_add(more))),
        FieldChange::Offset(offset) => overwrite(token, at + 4, &offset.to_le_bytes()),
        FieldChange::BehindEnd(by) => overwrite(token, at + 4, &size.saturating_add(by).to_le_bytes()),
        FieldChange::Flip(place) => {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            place < usize::from(length) && flip(token, start.saturating_add(place))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(edit: &OctetEdit, token: &[u8]) -> Option<Vec<u8>> {
        let mut token = token.to_vec();
        edit.apply(&mut token).then_some(token)
    }

    /// `30 05 (02 01 05) (04 00)`, X.690 8.
    const SEQUENCE: [u8; 7] = [0x30, 5, 2, 1, 5, 4, 0];

    #[test]
    fn an_element_is_found_by_the_tags_that_lead_to_it() {
        let der = |path: &[u8], change| applied(&OctetEdit::Der { path: path.to_vec(), change }, &SEQUENCE);
        assert_eq!(der(&[0x30, 2], DerChange::Content(vec![9])), Some(vec![0x30, 5, 2, 1, 9, 4, 0]));
        assert_eq!(der(&[0x30, 4], DerChange::Tag(12)), Some(vec![0x30, 5, 2, 1, 5, 12, 0]));
        assert_eq!(der(&[0x30, 5], DerChange::FlipLast), None);
        assert_eq!(der(&[0x30, 4], DerChange::FlipLast), None);
        assert_eq!(der(&[0x30, 2], DerChange::Content(vec![1, 2])), None);
    }

    #[test]
    fn lengths_that_lie_lead_nowhere() {
        for token in [&[0x30][..], &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], &[0x30, 0xFF], &[0x30, 9, 2, 1, 5]]
        {
            assert_eq!(find(token, &[0x30, 2]), None, "{token:?}");
        }
    }

    #[test]
    fn a_field_of_ntlm_is_changed_where_its_length_and_offset_stand() {
        let token = [2, 0, 2, 0, 8, 0, 0, 0, 0x41, 0x42];
        let field = |change| applied(&OctetEdit::NtlmField { at: 0, change }, &token);
        assert_eq!(field(FieldChange::Longer(1)), Some(vec![3, 0, 3, 0, 8, 0, 0, 0, 0x41, 0x42]));
        assert_eq!(field(FieldChange::BehindEnd(1)), Some(vec![2, 0, 2, 0, 11, 0, 0, 0, 0x41, 0x42]));
        assert_eq!(field(FieldChange::Flip(1)), Some(vec![2, 0, 2, 0, 8, 0, 0, 0, 0x41, 0x43]));
        assert_eq!(field(FieldChange::Flip(2)), None);
    }

    #[test]
    fn a_place_that_is_not_there_is_told() {
        assert_eq!(applied(&OctetEdit::Overwrite { at: 2, octets: vec![1, 2] }, b"abc"), None);
        assert_eq!(applied(&OctetEdit::FlipBack(4), b"abc"), None);
        assert_eq!(applied(&OctetEdit::FlipBack(1), b"abc"), Some(b"abb".to_vec()));
    }
}
