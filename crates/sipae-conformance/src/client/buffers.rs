//! The signature buffers of messages whose signature proves nothing, for reports.

use sipae::auth::Scheme;
use sipae::message::Message;
use sipae::sa::SecurityAssociation;
use sipae::side::Side;
use sipae_events::SignatureSeen;

use super::home::credentials;

/// The buffer that the suite verified a signature of the client over.
pub(super) fn seen(
    label: &str,
    sa: &SecurityAssociation,
    message: &Message<'_>,
    why: &str,
) -> Option<SignatureSeen> {
    let header = credentials(message).find(|header| header.scheme().is_some_and(Scheme::signs))?;
    crate::buffers::seen(label, Side::Client, sa.parameters.version, &header, message, why)
}
