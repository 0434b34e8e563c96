//! The signature buffers of messages whose signature proves nothing, for reports.

use sipae::auth::{AuthHeader, Scheme};
use sipae::message::{HeaderName, Message};
use sipae::sa::SecurityAssociation;
use sipae::side::Side;
use sipae_events::SignatureSeen;

/// The buffer that the suite verified a signature of the client over.
pub(super) fn seen(
    label: &str,
    sa: &SecurityAssociation,
    message: &Message<'_>,
    why: &str,
) -> Option<SignatureSeen> {
    let fields = HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name));
    let mut headers = fields.map(AuthHeader::read);
    let header = headers.find(|header| header.scheme().is_some_and(Scheme::signs))?;
    crate::buffers::seen(label, Side::Client, sa.parameters.version, &header, message, why)
}
