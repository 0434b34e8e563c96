//! Header values read on demand.

use sipae_spec::Diagnostic;

use super::address::{Elements, strip_scheme};
use super::{Address, Addresses, HeaderName, Message, MessageError, Params, Value};
use crate::octets::{decimal, is_lws, slice, trim_lws};

/// The CSeq header field: number and method as written (RFC 3261 20.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The number as written, leading zeros included.
    pub number: &'a [u8],
    /// The method as written.
    pub method: &'a [u8],
}

impl<'a> CSeq<'a> {
    /// Reads the value of the field; `None` where it is not a number and a method.
    #[must_use]
    pub fn read(value: &'a [u8]) -> Option<Self> {
        let end = value.iter().position(|octet| is_lws(*octet)).unwrap_or(value.len());
        let (number, method) = (slice(value, 0, end), trim_lws(slice(value, end, value.len())));
        let is_word = !method.is_empty() && !method.iter().any(|octet| is_lws(*octet));
        (decimal::<u32>(number).is_some() && is_word).then_some(Self { number, method })
    }

    /// The number, below 2^32.
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        decimal(self.number)
    }
}

/// One hop of the Via header field, as written (RFC 3261 20.42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// The transport, in the letter case of the sender: `TCP`, `tls`.
    pub transport: &'a [u8],
    /// Host and port.
    pub sent_by: &'a [u8],
    /// The parameters.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// The first hop in the value of a field.
    #[must_use]
    pub fn topmost(value: &'a [u8]) -> Option<Self> {
        Self::read(Elements { rest: value }.next()?)
    }

    /// The `branch` parameter, the key of the transaction.
    #[must_use]
    pub fn branch(mut self) -> Option<&'a [u8]> {
        self.params.find(|param| param.name.eq_ignore_ascii_case(b"branch")).map(|param| param.value)
    }

    /// `SIP/2.0/TCP host:port;params`; blanks around the slashes do not matter.
    fn read(element: &'a [u8]) -> Option<Self> {
        let end = element.iter().position(|octet| *octet == b';').unwrap_or(element.len());
        let (head, params) = (slice(element, 0, end), slice(element, end, element.len()));
        let mut slashes = head.iter().enumerate().filter(|(_, octet)| **octet == b'/');
        let (place, _) = slashes.nth(1)?;
        let rest = trim_lws(slice(head, place + 1, head.len()));
        let blank = rest.iter().position(|octet| is_lws(*octet))?;
        let sent_by = trim_lws(slice(rest, blank, rest.len()));
        Some(Self { transport: slice(rest, 0, blank), sent_by, params: Params::new(params) })
    }
}

/// The identities of P-Asserted-Identity, or else of P-Preferred-Identity, as written ([MS-SIPAE] 3.2.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identities<'a> {
    /// The first `sip:` or `sips:` URI; empty if there is none.
    pub sip: &'a [u8],
    /// The first `tel:` URI with its parameters; empty if there is none.
    pub tel: &'a [u8],
}

impl<'a> Identities<'a> {
    fn add(&mut self, value: &'a [u8]) {
        for element in (Elements { rest: value }) {
            let uri = identity_uri(element);
            let is_sip = strip_scheme(uri, b"sip:").is_some() || strip_scheme(uri, b"sips:").is_some();
            if is_sip && self.sip.is_empty() {
                self.sip = uri;
            } else if strip_scheme(uri, b"tel:").is_some() && self.tel.is_empty() {
                self.tel = uri;
            }
        }
    }
}

/// RFC 3325 9.1: an element is a name-addr or an addr-spec, and a bare URI keeps its parameters.
fn identity_uri(element: &[u8]) -> &[u8] {
    match Address::parse(element) {
        Ok(address) if address.bracketed => address.uri,
        _ => element,
    }
}

/// Header fields that are found by their names, and readers for those that signing and matching need. A field that may
/// occur once and occurs again is refused: no copy is chosen silently ([MS-SIPAE] SIPAE-2.2-21).
pub(crate) trait Fields<'a> {
    fn first(&self, name: HeaderName) -> Option<Value<'a>>;

    fn count(&self, name: HeaderName) -> usize;

    fn all(&self, name: HeaderName) -> impl Iterator<Item = Value<'a>>;

    fn single(&self, name: HeaderName) -> Result<Option<Value<'a>>, MessageError> {
        match self.count(name) {
            0 | 1 => Ok(self.first(name)),
            _ => Err(refuse(name, Diagnostic::HeaderDuplicate)),
        }
    }

    fn required(&self, name: HeaderName) -> Result<Value<'a>, MessageError> {
        self.single(name)?.ok_or_else(|| refuse(name, Diagnostic::HeaderMissing))
    }

    fn address(&self, name: HeaderName) -> Result<Address<'a>, MessageError> {
        Address::parse(self.required(name)?.raw()).map_err(|diagnostic| refuse(name, diagnostic))
    }

    fn cseq(&self) -> Result<CSeq<'a>, MessageError> {
        let read = CSeq::read(self.required(HeaderName::CSeq)?.raw());
        read.ok_or_else(|| refuse(HeaderName::CSeq, Diagnostic::CSeqMalformed))
    }

    fn identities(&self) -> Identities<'a> {
        let asserted = self.count(HeaderName::PAssertedIdentity) != 0;
        let name = if asserted { HeaderName::PAssertedIdentity } else { HeaderName::PPreferredIdentity };
        let mut identities = Identities::default();
        for value in self.all(name) {
            identities.add(value.raw());
        }
        identities
    }
}

fn refuse(header: HeaderName, diagnostic: Diagnostic) -> MessageError {
    MessageError::Header { header, diagnostic }
}

impl<'a> Fields<'a> for Message<'a> {
    fn first(&self, name: HeaderName) -> Option<Value<'a>> {
        self.first(name)
    }

    fn count(&self, name: HeaderName) -> usize {
        self.count(name)
    }

    fn all(&self, name: HeaderName) -> impl Iterator<Item = Value<'a>> {
        self.all(name)
    }
}

impl<'a> Message<'a> {
    /// The value of a field that may occur once.
    ///
    /// # Errors
    /// [`Diagnostic::HeaderDuplicate`] if it occurs again.
    pub fn single(&self, name: HeaderName) -> Result<Option<Value<'a>>, MessageError> {
        Fields::single(self, name)
    }

    /// The From header field.
    ///
    /// # Errors
    /// When it is absent, occurs again, or holds no single address.
    pub fn from(&self) -> Result<Address<'a>, MessageError> {
        self.address(HeaderName::From)
    }

    /// The To header field.
    ///
    /// # Errors
    /// When it is absent, occurs again, or holds no single address.
    pub fn to(&self) -> Result<Address<'a>, MessageError> {
        self.address(HeaderName::To)
    }

    /// The first address of the first Contact header field.
    ///
    /// # Errors
    /// When it holds no address.
    pub fn contact(&self) -> Result<Option<Address<'a>>, MessageError> {
        self.first(HeaderName::Contact)
            .and_then(|value| Addresses::new(value.raw()).next())
            .transpose()
            .map_err(|diagnostic| refuse(HeaderName::Contact, diagnostic))
    }

    /// The Call-ID header field.
    ///
    /// # Errors
    /// When it is absent or occurs again.
    pub fn call_id(&self) -> Result<Value<'a>, MessageError> {
        self.required(HeaderName::CallId)
    }

    /// The CSeq header field.
    ///
    /// # Errors
    /// When it is absent, occurs again, or is not a number and a method.
    pub fn cseq(&self) -> Result<CSeq<'a>, MessageError> {
        Fields::cseq(self)
    }

    /// The Expires header field as written. The `expires` parameter of Contact is something else.
    ///
    /// # Errors
    /// When it occurs again.
    pub fn expires(&self) -> Result<Option<Value<'a>>, MessageError> {
        self.single(HeaderName::Expires)
    }

    /// The topmost Via.
    #[must_use]
    pub fn via(&self) -> Option<Via<'a>> {
        Via::topmost(self.first(HeaderName::Via)?.raw())
    }

    /// The `branch` parameter of the topmost Via, the key of the transaction.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.via()?.branch()
    }

    /// The identities that a version 3 or 4 signature covers. P-Asserted-Identity wins; fields are joined in order
    /// (docs/assumptions.md).
    #[must_use]
    pub fn identities(&self) -> Identities<'a> {
        Fields::identities(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Limits;

    #[test]
    fn the_topmost_via_is_read_from_a_list_or_from_several_lines() {
        let lines =
            "Via: SIP / 2.0 / tls  192.0.2.1:4320 ;branch=z9hG4bK1;x=\"a,b\", SIP/2.0/TCP h;branch=z9hG4bK2";
        let text = format!("OPTIONS sip:u SIP/2.0\r\n{lines}\r\nv: SIP/2.0/UDP other\r\n\r\n");
        let message = Message::parse(text.as_bytes(), &Limits::DEFAULT).unwrap();
        let via = message.via().unwrap();
        assert_eq!((via.transport, via.sent_by), (&b"tls"[..], &b"192.0.2.1:4320"[..]));
        assert_eq!(message.branch(), Some(&b"z9hG4bK1"[..]));
    }
}
