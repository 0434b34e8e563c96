//! The data of `data/*.toml` as statics; `cargo xtask catalogue` writes the modules below.

mod coverage;
mod products;
mod reactions;
mod requirements;

pub(crate) use coverage::REASONS;
pub(crate) use products::PRODUCTS;
pub(crate) use reactions::REACTIONS;
pub(crate) use requirements::REQUIREMENTS;

/// The row of a table that is sorted by id.
pub(crate) fn find<T>(
    table: &'static [T],
    id: &str,
    key: impl Fn(&'static T) -> &'static str,
) -> Option<&'static T> {
    table.binary_search_by(|row| key(row).cmp(id)).ok().and_then(|index| table.get(index))
}

const PLACES: usize = 2048;

/// For each hash of an id the place of its row, counted from 1; the next free one where two have the same hash. Judges ask
/// for rows at every check.
static BY_HASH: [u16; PLACES] = by_hash();

/// The place of a requirement among all.
pub(crate) fn place(id: &str) -> Option<usize> {
    let mut slot = hash(id.as_bytes());
    loop {
        let index = usize::from(*BY_HASH.get(slot)?).checked_sub(1)?;
        if REQUIREMENTS.get(index)?.id == id {
            return Some(index);
        }
        slot = (slot + 1) % PLACES;
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
#[expect(clippy::cast_possible_truncation, reason = "there are fewer rows than places")]
const fn by_hash() -> [u16; PLACES] {
    let mut table = [0; PLACES];
    let mut row = 0;
    assert!(REQUIREMENTS.len() < PLACES / 2, "more rows than half the places");
    while row < REQUIREMENTS.len() {
        let mut slot = hash(REQUIREMENTS[row].id.as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) % PLACES;
        }
        row += 1;
        table[slot] = row as u16;
    }
    table
}

/// FNV-1a, below [`PLACES`].
const fn hash(mut text: &[u8]) -> usize {
    let mut hash: u32 = 0x811C_9DC5;
    while let [octet, rest @ ..] = text {
        hash = (hash ^ *octet as u32).wrapping_mul(0x0100_0193);
        text = rest;
    }
    (hash ^ hash >> 16) as usize % PLACES
}
