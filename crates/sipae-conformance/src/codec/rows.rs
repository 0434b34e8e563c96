//! Which rows of the catalogue a golden vector shows.

use sipae_vectors::Vector;

/// Family, operation, and the beginning of the id, `*` for any; the first line that fits counts.
const ROWS: &[(&str, &str, &str, &[&str])] = &[("*", "*", "*", &["SIPAE-3.2.4.1-26"])];

/// The rows that a wrong answer breaks.
pub(super) fn of(family: &str, vector: &Vector) -> &'static [&'static str] {
    let fits = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == pattern,
    };
    let op = vector.operation.name();
    let line =
        ROWS.iter().find(|(of, named, id, _)| fits(of, family) && fits(named, op) && fits(id, &vector.id));
    line.map_or(&[], |(_, _, _, rows)| rows)
}
