//! The signature buffers of messages whose signature proves nothing, for reports.

use sipae::auth::AuthHeader;
use sipae::buffer::{SignatureBuffer, SignatureParams};
use sipae::message::Message;
use sipae::side::Side;
use sipae::version::Version;
use sipae_events::{BufferField, SignatureSeen};

/// Characters of a value that a report shows.
const LONGEST_VALUE: usize = 256;

/// The buffer that the suite verified a bad signature over.
pub(crate) fn seen(
    label: &str,
    signer: Side,
    version: Version,
    header: &AuthHeader<'_>,
    message: &Message<'_>,
    why: &str,
) -> Option<SignatureSeen> {
    let params = SignatureParams::of(header, signer);
    let buffer = SignatureBuffer::new(message, &params, version).ok()?;
    let fields = buffer.elements().map(|(field, value)| BufferField {
        name: field.name().to_owned(),
        value: value.to_text().chars().take(LONGEST_VALUE).collect(),
    });
    Some(SignatureSeen {
        message: label.to_owned(),
        signer: match signer {
            Side::Client => "client".to_owned(),
            Side::Server => "server".to_owned(),
        },
        version: version.number(),
        fields: fields.collect(),
        outcome: why.to_owned(),
    })
}
