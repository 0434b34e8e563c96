//! The signature buffer with the origin of each element.

use sipae::auth::AuthHeader;
use sipae::buffer::{Field, SignatureBuffer, SignatureParams};
use sipae::message::{HeaderName, Message, MessageError};
use sipae::side::Side;
use sipae::version::Version;

use crate::model::{Buffer, Element};
use crate::octets::shown;

/// Whose signature a header field may carry: a challenge within an association is signed too.
pub(crate) fn signer(name: HeaderName) -> Option<Side> {
    let is_of_server = HeaderName::SIGNATURES.contains(&name) || HeaderName::CHALLENGES.contains(&name);
    let is_of_client = HeaderName::CREDENTIALS.contains(&name);
    is_of_client.then_some(Side::Client).or(is_of_server.then_some(Side::Server))
}

/// The signature buffer of a message.
pub(crate) fn buffer<'a>(
    message: &Message<'a>,
    header: &AuthHeader<'a>,
    signer: Side,
    version: Version,
) -> Result<SignatureBuffer<'a>, MessageError> {
    SignatureBuffer::new(message, &SignatureParams::of(header, signer), version)
}

pub(super) fn explain(
    message: &Message<'_>,
    header: &AuthHeader<'_>,
    signer: Side,
    version: Version,
) -> Result<Buffer, MessageError> {
    let buffer = buffer(message, header, signer, version)?;
    let elements = buffer.elements().map(|(field, value)| Element {
        name: name(field, signer).to_owned(),
        value: shown(&value.unfolded()),
        from: origin(field, message).to_owned(),
    });
    Ok(Buffer {
        version: version.number(),
        elements: elements.collect(),
        text: shown(&buffer.to_vec()),
        ambiguous: buffer.ambiguous().map(|field| name(field, signer).to_owned()),
    })
}

const fn name(field: Field, signer: Side) -> &'static str {
    match field {
        Field::Rand => signer.rand().name(),
        Field::Number => signer.number().name(),
        _ => field.name(),
    }
}

fn origin(field: Field, message: &Message<'_>) -> &'static str {
    let header = match field {
        Field::Protocol | Field::Rand | Field::Number | Field::Realm | Field::Targetname => {
            return "this header field";
        }
        Field::Status => return "start line",
        Field::CallId => HeaderName::CallId,
        Field::CSeqNumber | Field::CSeqMethod => HeaderName::CSeq,
        Field::FromUri | Field::FromTag => HeaderName::From,
        Field::ToUri | Field::ToTag => HeaderName::To,
        Field::SipIdentity | Field::TelIdentity if 0 < message.count(HeaderName::PAssertedIdentity) => {
            HeaderName::PAssertedIdentity
        }
        Field::SipIdentity | Field::TelIdentity => HeaderName::PPreferredIdentity,
        Field::Expires => HeaderName::Expires,
    };
    if message.count(header) == 0 { "nothing: absent" } else { header.name() }
}
