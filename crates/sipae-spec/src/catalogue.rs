//! The data of `data/*.toml` as statics; `cargo xtask catalogue` writes the modules below.

mod coverage;
mod products;
mod reactions;
mod requirements;

pub(crate) use coverage::REASONS;
pub(crate) use products::PRODUCTS;
pub(crate) use reactions::REACTIONS;
pub(crate) use requirements::{BY_ID, REQUIREMENTS};

/// The row of a table that is sorted by id.
pub(crate) fn find<T>(
    table: &'static [T],
    id: &str,
    key: impl Fn(&'static T) -> &'static str,
) -> Option<&'static T> {
    table.binary_search_by(|row| key(row).cmp(id)).ok().and_then(|index| table.get(index))
}
