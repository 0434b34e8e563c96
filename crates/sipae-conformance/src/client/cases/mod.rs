//! The cases of clients, a module for each group.

mod challenges;
mod good;
mod look;
mod requests;
mod tokens;

use std::sync::OnceLock;

use super::case::ClientCase;

/// All cases, those of the good conversation first.
pub fn all() -> &'static [ClientCase] {
    static CASES: OnceLock<Vec<ClientCase>> = OnceLock::new();
    CASES.get_or_init(|| {
        [good::cases(), requests::cases(), challenges::cases(), tokens::cases()]
            .into_iter()
            .flatten()
            .collect()
    })
}
