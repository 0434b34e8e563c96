//! The signature buffer: the `<...><...>` string that is signed ([MS-SIPAE] 3.2.4.1, 3.2.5.2, 3.3.4.1).

use crate::auth::{AuthHeader, AuthParam};
use crate::message::{Fields, HeaderName, Message, MessageError, Unwritten, Value};
use crate::octets::slice;
use crate::side::Side;
use crate::version::Version;

/// One element of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Scheme as written in the authentication header field.
    Protocol,
    /// `crand` or `srand` as written.
    Rand,
    /// `cnum` or `snum` as written.
    Number,
    /// `realm` without quotes.
    Realm,
    /// `targetname` without quotes; for Kerberos with `sip/`.
    Targetname,
    /// Call-ID.
    CallId,
    /// The number in CSeq.
    CSeqNumber,
    /// The method in CSeq.
    CSeqMethod,
    /// The addr-spec of From.
    FromUri,
    /// The tag of From.
    FromTag,
    /// The addr-spec of To; from version 3 on.
    ToUri,
    /// The tag of To.
    ToTag,
    /// The first sip URI of P-Asserted-Identity or P-Preferred-Identity; from version 3 on.
    SipIdentity,
    /// The first tel URI there; from version 3 on.
    TelIdentity,
    /// The Expires header field.
    Expires,
    /// The status code; in responses only.
    Status,
}

impl Field {
    /// What it is called in reports, as [MS-SIPAE] 3.2.4.1 lists it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Rand => "crand or srand",
            Self::Number => "cnum or snum",
            Self::Realm => "realm",
            Self::Targetname => "targetname",
            Self::CallId => "Call-ID",
            Self::CSeqNumber => "CSeq number",
            Self::CSeqMethod => "CSeq method",
            Self::FromUri => "From URI",
            Self::FromTag => "From tag",
            Self::ToUri => "To URI",
            Self::ToTag => "To tag",
            Self::SipIdentity => "sip identity",
            Self::TelIdentity => "tel identity",
            Self::Expires => "Expires",
            Self::Status => "status code",
        }
    }
}

/// When an element is there at all. An element that is there and has no value contributes `<>` (SIPAE-3.2.4.1-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Always,
    FromVersion3,
    Responses,
}

/// The layout: order and presence of the elements for every version and both kinds of message. Client- and
/// server-signed buffers do not differ in it.
const LAYOUT: [(Field, Presence); 16] = [
    (Field::Protocol, Presence::Always),
    (Field::Rand, Presence::Always),
    (Field::Number, Presence::Always),
    (Field::Realm, Presence::Always),
    (Field::Targetname, Presence::Always),
    (Field::CallId, Presence::Always),
    (Field::CSeqNumber, Presence::Always),
    (Field::CSeqMethod, Presence::Always),
    (Field::FromUri, Presence::Always),
    (Field::FromTag, Presence::Always),
    (Field::ToUri, Presence::FromVersion3),
    (Field::ToTag, Presence::Always),
    (Field::SipIdentity, Presence::FromVersion3),
    (Field::TelIdentity, Presence::FromVersion3),
    (Field::Expires, Presence::Always),
    (Field::Status, Presence::Responses),
];

/// The elements that come from the authentication header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SignatureParams<'a> {
    /// Scheme as written.
    pub protocol: &'a [u8],
    /// `crand` or `srand`.
    pub rand: Value<'a>,
    /// `cnum` or `snum`.
    pub number: Value<'a>,
    /// `realm`.
    pub realm: Value<'a>,
    /// `targetname`.
    pub targetname: Value<'a>,
}

impl<'a> SignatureParams<'a> {
    /// As they stand in a header field; an absent parameter is an empty element.
    #[must_use]
    pub fn of(header: &AuthHeader<'a>, signer: Side) -> Self {
        let get = |param| header.get(param).unwrap_or_default();
        Self {
            protocol: header.scheme_text(),
            rand: get(signer.rand()),
            number: get(signer.number()),
            realm: get(AuthParam::Realm),
            targetname: get(AuthParam::Targetname),
        }
    }
}

/// The values of all elements, as they stand in one message, and the version that chooses among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureBuffer<'a> {
    version: Version,
    is_response: bool,
    values: [Value<'a>; LAYOUT.len()],
}

impl<'a> SignatureBuffer<'a> {
    /// Gathers the elements of `message`, octets as on the wire (SIPAE-3.2.4.1-07, -10, SIPAE-2.2-24).
    ///
    /// # Errors
    /// When a header field that is signed occurs twice or cannot be read: such a message is unfit for signing and
    /// verification (SIPAE-2.2-21, -26). An absent field is no error.
    pub fn new(
        message: &Message<'a>,
        params: &SignatureParams<'a>,
        version: Version,
    ) -> Result<Self, MessageError> {
        Self::of_fields(message, message.status_text(), params, version)
    }

    /// The same of a message that is not written yet.
    pub(crate) fn of_unwritten(
        message: &Unwritten<'a>,
        params: &SignatureParams<'a>,
        version: Version,
    ) -> Result<Self, MessageError> {
        Self::of_fields(message, message.status_text(), params, version)
    }

    fn of_fields(
        fields: &impl Fields<'a>,
        status: Option<&'a [u8]>,
        params: &SignatureParams<'a>,
        version: Version,
    ) -> Result<Self, MessageError> {
        let mut buffer = Self { version, is_response: status.is_some(), values: Default::default() };
        buffer.set_params(params);
        buffer.set_headers(fields)?;
        buffer.set(Field::Status, Value(status.unwrap_or_default()));
        Ok(buffer)
    }

    /// From values that whoever writes the message knows, so that it need not be read again. What the association gives
    /// is taken from `params`, and nothing else.
    #[must_use]
    pub fn of_values(
        version: Version,
        is_response: bool,
        params: &SignatureParams<'a>,
        value: impl Fn(Field) -> Value<'a>,
    ) -> Self {
        let mut buffer = Self { version, is_response, values: Default::default() };
        for (slot, (field, _)) in buffer.values.iter_mut().zip(LAYOUT) {
            *slot = value(field);
        }
        buffer.set_params(params);
        buffer
    }

    fn set_params(&mut self, params: &SignatureParams<'a>) {
        self.set(Field::Protocol, Value(params.protocol));
        self.set(Field::Rand, params.rand);
        self.set(Field::Number, params.number);
        self.set(Field::Realm, params.realm);
        self.set(Field::Targetname, params.targetname);
    }

    fn set_headers(&mut self, fields: &impl Fields<'a>) -> Result<(), MessageError> {
        if let Some(call_id) = present(fields.required(HeaderName::CallId))? {
            self.set(Field::CallId, call_id);
        }
        if let Some(cseq) = present(fields.cseq())? {
            self.set(Field::CSeqNumber, Value(cseq.number));
            self.set(Field::CSeqMethod, Value(cseq.method));
        }
        if let Some(from) = present(fields.address(HeaderName::From))? {
            self.set(Field::FromUri, Value(from.uri));
            self.set(Field::FromTag, Value(from.tag.unwrap_or_default()));
        }
        if let Some(to) = present(fields.address(HeaderName::To))? {
            self.set(Field::ToUri, Value(to.uri));
            self.set(Field::ToTag, Value(to.tag.unwrap_or_default()));
        }
        let identities = fields.identities();
        self.set(Field::SipIdentity, Value(identities.sip));
        self.set(Field::TelIdentity, Value(identities.tel));
        self.set(Field::Expires, fields.single(HeaderName::Expires)?.unwrap_or_default());
        Ok(())
    }

    fn set(&mut self, field: Field, value: Value<'a>) {
        if let Some(slot) = self.values.get_mut(field as usize) {
            *slot = value;
        }
    }

    /// The value of an element; empty where the message has none.
    #[must_use]
    pub fn get(&self, field: Field) -> Value<'a> {
        self.values.get(field as usize).copied().unwrap_or_default()
    }

    /// The elements that this version and kind of message have, in order.
    pub fn elements(&self) -> impl Iterator<Item = (Field, Value<'a>)> + '_ {
        LAYOUT.iter().filter(|(_, presence)| self.has(*presence)).map(|(field, _)| (*field, self.get(*field)))
    }

    const fn has(&self, presence: Presence) -> bool {
        match presence {
            Presence::Always => true,
            Presence::FromVersion3 => !matches!(self.version, Version::V2),
            Presence::Responses => self.is_response,
        }
    }

    /// Appends the buffer: each element in angle brackets, nothing between them, no terminator.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        self.write_each(out, |value, out| out.extend_from_slice(value.raw()));
        if Value(slice(out, start, out.len())).is_folded() {
            out.truncate(start);
            self.write_each(out, Value::write_to);
        }
    }

    fn write_each(&self, out: &mut Vec<u8>, write: impl Fn(Value<'a>, &mut Vec<u8>)) {
        for (_, value) in self.elements() {
            out.push(b'<');
            write(value, out);
            out.push(b'>');
        }
    }

    /// The same, for who signs and verifies.
    ///
    /// # Errors
    /// The first element that could be read as two, and nothing is appended.
    pub(crate) fn write_unambiguous(&self, out: &mut Vec<u8>) -> Result<(), Field> {
        let start = out.len();
        self.write_to(out);
        // One stands between each two elements; looking at all at once is cheaper than at each.
        let is_clear = pairs(slice(out, start, out.len())) < self.elements().count();
        let field = if is_clear { None } else { self.ambiguous() };
        let Some(field) = field else { return Ok(()) };
        out.truncate(start);
        Err(field)
    }

    /// The buffer.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.write_to(&mut out);
        out
    }

    /// The first element that holds `><` and so could be read as two: a verifier refuses it (SIPAE-2.2-27).
    #[must_use]
    pub fn ambiguous(&self) -> Option<Field> {
        let holds = |value: Value<'_>| {
            let raw = value.raw();
            memchr::memchr_iter(b'>', raw).any(|place| raw.get(place + 1) == Some(&b'<'))
        };
        self.elements().find(|(_, value)| holds(*value)).map(|(field, _)| field)
    }
}

/// How often `><` occurs.
fn pairs(octets: &[u8]) -> usize {
    let behind = octets.get(1..).unwrap_or_default();
    let is_pair = |(octet, next): (&u8, &u8)| u32::from((*octet == b'>') & (*next == b'<'));
    octets.iter().zip(behind).map(is_pair).sum::<u32>() as usize
}

/// An absent header field is no error here.
fn present<T>(read: Result<T, MessageError>) -> Result<Option<T>, MessageError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(MessageError::Header { diagnostic: sipae_spec::Diagnostic::HeaderMissing, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `values` is indexed by the discriminant, so table and enumeration must agree.
    #[test]
    fn every_element_stands_once_in_the_layout_at_its_own_place() {
        for (place, (field, _)) in LAYOUT.iter().enumerate() {
            assert_eq!(*field as usize, place);
        }
    }
}
