//! The tickets of whoever runs the suite.

use crate::credentials::Tickets;

/// The tickets in the default cache.
///
/// # Errors
/// When there is none.
pub(super) fn tickets() -> Result<Tickets, String> {
    Err("a ccache is not read yet".to_owned())
}
