//! The cases of clients, a module for each group.

mod answers;
mod calls;
mod challenges;
mod conference;
mod good;
mod look;
mod renewals;
pub(super) mod requests;
mod timers;
mod tokens;

use std::sync::OnceLock;

use super::case::ClientCase;

/// All cases, those of the good conversation first.
pub fn all() -> &'static [ClientCase] {
    static CASES: OnceLock<Vec<ClientCase>> = OnceLock::new();
    CASES.get_or_init(|| {
        let groups = [
            good::cases(),
            requests::cases(),
            calls::cases(),
            renewals::cases(),
            answers::cases(),
            challenges::cases(),
            tokens::cases(),
            timers::cases(),
            conference::cases(),
        ];
        groups.into_iter().flatten().collect()
    })
}
