//! Octets that are nearly right: real ones with a few edits.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What the readers of this workspace look for.
const FRAGMENTS: [&[u8]; 17] = [
    b"\r\n",
    b"\r\n ",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\"",
    b"\\",
    b"<",
    b">",
    b",",
    b";",
    b"=",
    b":",
    b" ",
    b"\t",
    b"\0",
    b"\xFF",
];

#[derive(Clone, Debug)]
enum Edit {
    Overwrite(u8),
    Insert(&'static [u8]),
    Remove(usize),
    Cut,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => any::<u8>().prop_map(Edit::Overwrite),
        4 => select(&FRAGMENTS[..]).prop_map(Edit::Insert),
        2 => (1..40_usize).prop_map(Edit::Remove),
        1 => Just(Edit::Cut),
    ]
}

fn apply(mut octets: Vec<u8>, edits: Vec<(Index, Edit)>) -> Vec<u8> {
    for (place, edit) in edits {
        let place = place.index(octets.len() + 1);
        match edit {
            Edit::Overwrite(octet) => octets[place..].iter_mut().take(1).for_each(|old| *old = octet),
            Edit::Insert(fragment) => drop(octets.splice(place..place, fragment.iter().copied())),
            Edit::Remove(length) => drop(octets.drain(place..octets.len().min(place + length))),
            Edit::Cut => octets.truncate(place),
        }
    }
    octets
}

/// One of the originals, with up to five edits.
pub(super) fn mutated(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(originals), vec((any::<Index>(), edit()), 0..6)).prop_map(|(octets, edits)| apply(octets, edits))
}

/// Any octets, or one of the originals with edits.
pub(super) fn octets_or_mutated(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => vec(any::<u8>(), 0..256), 4 => mutated(originals)]
}
