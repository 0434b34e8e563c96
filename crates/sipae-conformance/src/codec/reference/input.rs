//! Inputs as the reference takes them, or the refusal that names the input.

use std::fmt;

use sipae_vectors::{Hex, Refusal};

/// The input `name` allows no computation, and why.
pub(super) fn malformed(name: &str, problem: impl fmt::Display) -> Refusal {
    Refusal::Malformed(format!("{name}: {problem}"))
}

/// Exactly `N` octets.
pub(super) fn octets<const N: usize>(name: &str, hex: &Hex) -> Result<[u8; N], Refusal> {
    let problem = || malformed(name, format_args!("{} octets, not {N}", hex.as_slice().len()));
    hex.as_slice().try_into().map_err(|_| problem())
}

/// A key of RC4: 1 to 256 octets.
pub(super) fn rc4_key<'a>(name: &str, hex: &'a Hex) -> Result<&'a [u8], Refusal> {
    match hex.as_slice() {
        key if (1..=256).contains(&key.len()) => Ok(key),
        key => Err(malformed(name, format_args!("{} octets, RC4 takes 1 to 256", key.len()))),
    }
}
