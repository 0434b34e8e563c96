//! Messages that are being written.

use std::borrow::Cow;

use crate::message::{Address, HeaderName, Limits, Message, MessageError, StartLine, Value};

/// A header field as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHeader {
    /// Name.
    pub name: Cow<'static, [u8]>,
    /// Value, folds and all.
    pub value: Vec<u8>,
}

impl RawHeader {
    /// A field with any name.
    #[must_use]
    pub fn new(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self { name: Cow::Owned(name.into()), value: value.into() }
    }

    /// A field with the long form of a known name.
    #[must_use]
    pub fn known(name: HeaderName, value: impl Into<Vec<u8>>) -> Self {
        Self { name: Cow::Borrowed(name.name().as_bytes()), value: value.into() }
    }

    /// Whether the name is a form of `name`: long or compact, in any letter case.
    #[must_use]
    pub fn is(&self, name: HeaderName) -> bool {
        name.is_spelled(&self.name)
    }
}

/// Header fields that most messages do with.
const ROOM: usize = 12;

/// An editable message: a start line, a list of raw header fields, a body. Nothing is validated, so that faulty
/// messages are built the same way as right ones. [`crate::sa::SecurityAssociation::sign`] signs what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Without its line end.
    pub start_line: Vec<u8>,
    /// In the order in which they are written.
    pub headers: Vec<RawHeader>,
    /// What follows the empty line.
    pub body: Vec<u8>,
}

impl Draft {
    /// A request without header fields.
    #[must_use]
    pub fn request(method: &str, uri: &str) -> Self {
        Self::with_start_line([method, " ", uri, " SIP/2.0"].concat().into_bytes())
    }

    /// A response without header fields.
    #[must_use]
    pub fn response(status: u16) -> Self {
        Self::with_start_line(
            ["SIP/2.0 ", &status.to_string(), " ", reason_phrase(status)].concat().into_bytes(),
        )
    }

    /// A message with any first line.
    #[must_use]
    pub fn with_start_line(start_line: Vec<u8>) -> Self {
        Self { start_line, headers: Vec::with_capacity(ROOM), body: Vec::new() }
    }

    /// A message as it was received, folds kept.
    #[must_use]
    pub fn from_message(message: &Message<'_>) -> Self {
        let start_line = match message.start_line() {
            StartLine::Request { method, uri } => [method, b" ", uri, b" SIP/2.0"].concat(),
            StartLine::Response { status, reason } => {
                [b"SIP/2.0 ", status.to_string().as_bytes(), b" ", reason].concat()
            }
        };
        let headers =
            message.headers().map(|header| RawHeader::new(header.name, header.value.raw())).collect();
        Self { start_line, headers, body: message.body().to_vec() }
    }

    /// A response to `request` that repeats Via, From, To, Call-ID and CSeq (RFC 3261 8.2.6.2). A To without tag gets
    /// `to_tag`. Fields that the request lacks are left out.
    #[must_use]
    pub fn response_to(request: &Message<'_>, status: u16, to_tag: &str) -> Self {
        let mut draft = Self::response(status);
        for via in request.all(HeaderName::Via) {
            draft.push(HeaderName::Via, via.unfolded());
        }
        for name in [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
            if let Some(value) = request.first(name) {
                draft.push(name, with_tag(name, value, to_tag));
            }
        }
        draft
    }

    /// Adds a known header field at the end.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        self.headers.push(RawHeader::known(name, value));
    }

    /// Adds any header field at the end.
    pub fn push_text(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.headers.push(RawHeader::new(name, value));
    }

    /// Adds a known header field above all others.
    pub fn push_first(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        self.headers.insert(0, RawHeader::known(name, value));
    }

    /// Adds a known header field at the end.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<Vec<u8>>) -> Self {
        self.push(name, value);
        self
    }

    /// Gives the first field of that name another value, or adds the field.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        match self.headers.iter_mut().find(|header| header.is(name)) {
            Some(header) => header.value = value.into(),
            None => self.push(name, value),
        }
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: HeaderName) {
        self.headers.retain(|header| !header.is(name));
    }

    /// The value of the first field of that name.
    #[must_use]
    pub fn get(&self, name: HeaderName) -> Option<&[u8]> {
        self.headers.iter().find(|header| header.is(name)).map(|header| header.value.as_slice())
    }

    /// Sets the body, its type and its length.
    pub fn set_body(&mut self, content_type: &str, body: &[u8]) {
        self.set(HeaderName::ContentType, content_type);
        self.body = body.to_vec();
        self.set(HeaderName::ContentLength, body.len().to_string());
    }

    /// Sets the body, its type and its length.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.set_body(content_type, body);
        self
    }

    /// Sets Content-Length to the length of the body.
    #[must_use]
    pub fn close(mut self) -> Self {
        self.set(HeaderName::ContentLength, self.body.len().to_string());
        self
    }

    /// The octets of the message.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        self.write_to(&mut out);
        out
    }

    /// How many octets it has.
    fn length(&self) -> usize {
        let lines = self.headers.iter().map(|header| header.name.len() + header.value.len() + 4);
        self.start_line.len() + 2 + lines.sum::<usize>() + 2 + self.body.len()
    }

    /// Appends the octets of the message.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.length());
        out.extend_from_slice(&self.start_line);
        out.extend_from_slice(b"\r\n");
        for header in &self.headers {
            out.extend_from_slice(&header.name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&header.value);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }

    /// Method and Request-URI; `None` of a response, and of what is no message.
    #[must_use]
    pub fn request_line(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let line = self.read(|message| match message.start_line() {
            StartLine::Request { method, uri, .. } => Ok(Some((method.to_vec(), uri.to_vec()))),
            StartLine::Response { .. } => Ok(None),
        });
        line.ok().flatten()
    }

    /// Reads the message that would be sent. The bounds for what peers send do not hold for it.
    ///
    /// # Errors
    /// When it is no SIP message.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Message<'_>) -> Result<T, MessageError>,
    ) -> Result<T, MessageError> {
        let octets = self.to_octets();
        read(&Message::parse(&octets, &Limits::NONE)?)
    }
}

fn with_tag(name: HeaderName, value: Value<'_>, to_tag: &str) -> Vec<u8> {
    let text = value.unfolded();
    let lacks_tag = || Address::parse(value.raw()).is_ok_and(|to| to.tag.is_none());
    if name == HeaderName::To && lacks_tag() {
        [&text, &b";tag="[..], to_tag.as_bytes()].concat()
    } else {
        text.into_owned()
    }
}

/// Reason phrases of RFC 3261 21 that this crate sends.
const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        483 => "Too Many Hops",
        486 => "Busy Here",
        487 => "Request Terminated",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        513 => "Message Too Large",
        _ => "",
    }
}
