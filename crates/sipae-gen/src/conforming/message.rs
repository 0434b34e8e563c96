//! Messages, and what a signature buffer takes from elsewhere.

use std::ops::Range;

use sipae::auth::Scheme;
use sipae::buffer::Field;
use sipae::draft::Draft;
use sipae::endpoint::InstanceId;
use sipae::message::{HeaderName, Limits, Value};
use sipae::sa::{SecurityAssociation, SignOptions};
use sipae::version::Version;
use sipae::violation::Breach;

use super::address::End;
use super::header::{Header, Kind, Phase};
use super::pen::{Meant, Pen};
use super::{Freedom, Freedoms, HEX, TOKEN, shuffle};
use crate::source::Choices;

/// A conforming message. [`draw`](Self::draw) makes another one in the same memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its octets, with CRLF line ends.
    pub octets: Vec<u8>,
    /// Whether it is a request.
    pub is_request: bool,
    /// Octets before the empty line.
    head: usize,
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    meant: Meant,
    header: Header,
}

/// What of a message is not left to the choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given<'g> {
    /// The method, of a response that of its request.
    pub method: Option<&'g str>,
    /// The status line of a response behind the version, such as `200 OK`; a request where there is a method and no
    /// status.
    pub status: Option<&'g str>,
    /// The URI in From.
    pub from: Option<&'g str>,
    /// The URI in To.
    pub to: Option<&'g str>,
    /// The epid in From.
    pub epid: Option<&'g str>,
}

/// What the security association gives to a signature buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Name of the scheme.
    pub scheme: &'static str,
    /// Eight hexadecimal digits.
    pub rand: String,
    /// A number.
    pub number: u32,
    /// The realm.
    pub realm: &'static str,
    /// The targetname.
    pub targetname: &'static str,
}

impl Context {
    /// Any.
    pub fn drawn(source: &mut (impl Choices + ?Sized), freedoms: Freedoms) -> Self {
        let realms: &[&str] = if freedoms.has(Freedom::Octets) {
            &["SIP Communications Service", "Gr\u{fc}\u{df}e", "Gru\u{308}\u{df}e", "a\\b", "100%41"]
        } else {
            &["SIP Communications Service", "r"]
        };
        let scheme = source.text(&["NTLM", "Kerberos", "TLS-DSK"]);
        Self {
            scheme,
            rand: source.word(HEX, 8),
            number: source.between(1, u32::MAX - 1),
            realm: source.text(realms),
            // [MS-SIPAE] 2.2: Kerberos has a service principal name.
            targetname: if scheme == "Kerberos" { "sip/server.contoso.com" } else { "server.contoso.com" },
        }
    }
}

/// Those that are not answered stand last.
const METHODS: &[&str] = &[
    "REGISTER",
    "OPTIONS",
    "MESSAGE",
    "SUBSCRIBE",
    "NOTIFY",
    "BYE",
    "SERVICE",
    "INVITE",
    "CANCEL",
    "INFO",
    "REFER",
    "PUBLISH",
    "NEGOTIATE",
    "UPDATE",
    "PRACK",
    "X-NEW",
    "ACK",
    "BENOTIFY",
];
const UNANSWERED: usize = 2;
const STATUSES: &[&str] = &[
    "200 OK",
    "180 Ringing",
    "401 Unauthorized",
    "407 Proxy Authentication Required",
    "603 Decline",
    "299 ",
    "100 Trying",
    "480 ",
    "500 Erreur \u{e0} r\u{e9}p\u{e9}ter",
];
/// They look like covered header fields, and are body.
const BODIES: &[&str] =
    &["", "From: <sip:body@x>;tag=9\r\nExpires: 1\r\n", "\r\nCall-ID: body\r\nCSeq: 9 BODY\r\n\r\n", "To: x"];
/// Octets of a big body, and of a long Call-ID.
const BIG: usize = 64 * 1024;
const LONG: usize = 255;

/// A request or a response with these freedoms.
pub fn message(source: &mut (impl Choices + ?Sized), freedoms: Freedoms) -> Message {
    let mut message = Message::default();
    message.draw(source, freedoms, &Given::default());
    message
}

impl Message {
    /// Replaces it by a new one.
    pub fn draw(&mut self, source: &mut (impl Choices + ?Sized), freedoms: Freedoms, given: &Given<'_>) {
        self.text.clear();
        self.lines.clear();
        self.meant.fill(0..0);
        let mut writer = Writer {
            pen: Pen { source, freedoms, out: &mut self.text, meant: &mut self.meant },
            lines: &mut self.lines,
            header: &mut self.header,
            given,
            method: "",
            status: None,
        };
        writer.start_line();
        let start_line = writer.pen.place();
        let body = writer.fields();
        self.is_request = writer.status.is_none();
        shuffle(source, freedoms, &mut self.lines);
        self.assemble(start_line, body);
    }

    fn assemble(&mut self, start_line: usize, body: Body) {
        self.octets.clear();
        self.octets.extend_from_slice(self.text.get(..start_line).unwrap_or_default());
        for line in self.lines.iter().filter_map(|line| self.text.get(line.clone())) {
            self.octets.extend_from_slice(line);
        }
        self.head = self.octets.len();
        self.octets.extend_from_slice(b"\r\n");
        match body {
            Body::Text(text) => self.octets.extend_from_slice(text.as_bytes()),
            Body::Big => self.octets.resize(self.octets.len() + BIG, b'\n'),
        }
    }

    /// The value that a field of the signature buffer was given; nothing of those that stand in an authentication
    /// header field.
    #[must_use]
    pub fn meant(&self, field: Field) -> &[u8] {
        let place = self.meant.get(field as usize).cloned().unwrap_or_default();
        self.text.get(place).unwrap_or_default()
    }

    /// Appends the message, signed: the header field stands last, and others that the message has stay. Nothing is read
    /// again, for those who sign many.
    ///
    /// # Errors
    /// When the numbers of the association are used up.
    pub fn write_signed(
        &self,
        association: &mut SecurityAssociation,
        rand: [u8; 4],
        options: &SignOptions,
        out: &mut Vec<u8>,
    ) -> Result<(), Breach> {
        let (head, behind) = self.octets.split_at_checked(self.head).unwrap_or_default();
        out.extend_from_slice(head);
        out.extend_from_slice(options.header.name().as_bytes());
        out.extend_from_slice(b": ");
        association.sign_values(!self.is_request, |field| Value(self.meant(field)), rand, options, out)?;
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(behind);
        Ok(())
    }

    /// For editing and signing.
    #[must_use]
    pub fn to_draft(&self) -> Draft {
        let read = sipae::message::Message::parse(&self.octets, &Limits::NONE);
        read.map_or_else(|_| Draft::with_start_line(Vec::new()), |message| Draft::from_message(&message))
    }
}

#[derive(Clone, Copy)]
enum Body {
    Text(&'static str),
    Big,
}

impl Body {
    fn length(self) -> u32 {
        u32::try_from(match self {
            Self::Text(text) => text.len(),
            Self::Big => BIG,
        })
        .unwrap_or_default()
    }
}

/// Writes the lines of a message.
struct Writer<'w, S: ?Sized> {
    pen: Pen<'w, S>,
    lines: &'w mut Vec<Range<usize>>,
    header: &'w mut Header,
    given: &'w Given<'w>,
    method: &'w str,
    status: Option<&'w str>,
}

impl<S: Choices + ?Sized> Writer<'_, S> {
    fn start_line(&mut self) {
        let is_request = match (self.given.method, self.given.status) {
            (_, Some(_)) => false,
            (Some(_), None) => true,
            (None, None) => self.pen.source.below(2) == 0,
        };
        let answered = METHODS.get(..METHODS.len() - UNANSWERED).unwrap_or_default();
        let drawn = self.pen.source.text(if is_request { METHODS } else { answered });
        self.method = self.given.method.unwrap_or(drawn);
        if is_request {
            self.pen.put(self.method);
            self.pen.put(" sip:contoso.com SIP/2.0\r\n");
        } else {
            self.status_line();
        }
    }

    fn status_line(&mut self) {
        let ascii = STATUSES.get(..STATUSES.len() - 1).unwrap_or_default();
        let statuses = if self.pen.has(Freedom::Octets) { STATUSES } else { ascii };
        let status = self.given.status.unwrap_or_else(|| self.pen.source.text(statuses));
        self.pen.put("SIP/2.0 ");
        let start = self.pen.place();
        self.pen.put(status.get(..3).unwrap_or(status));
        self.pen.mark(Field::Status, start);
        self.pen.put(status.get(3..).unwrap_or_default());
        self.pen.put("\r\n");
        self.status = Some(status);
    }

    /// One header field.
    fn field(&mut self, name: HeaderName, write: impl FnOnce(&mut Self)) {
        let compact = name.compact();
        let is_compact = !compact.is_empty() && self.pen.takes(Freedom::Names, 3);
        self.text_field(if is_compact { compact } else { name.name() }, write);
    }

    fn text_field(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let start = self.pen.place();
        self.pen.name(name);
        self.pen.put(":");
        self.pen.blank(" ");
        write(self);
        self.pen.put("\r\n");
        self.lines.push(start..self.pen.place());
    }

    fn fields(&mut self) -> Body {
        self.via();
        if self.status.is_none() {
            self.field(HeaderName::MaxForwards, |writer| {
                writer.pen.put("70");
            });
        }
        self.ends();
        self.dialog();
        self.needed();
        self.optional();
        self.credentials();
        self.body()
    }

    fn via(&mut self) {
        for _ in 0..=self.others() {
            self.field(HeaderName::Via, |writer| {
                writer.pen.put("SIP/2.0/");
                writer.pen.text_if(Freedom::Names, &["TLS", "tls", "TCP", "tcp"]);
                let is_plain = !writer.pen.has(Freedom::Names);
                writer.pen.put(if is_plain { "TLS" } else { "" });
                writer.pen.put(" 192.0.2.1:4849;branch=z9hG4bK");
                writer.pen.digits(1);
            });
        }
    }

    /// How many lines of one name there are beside the first.
    fn others(&mut self) -> u32 {
        if self.pen.has(Freedom::Lines) { self.pen.source.below(3) } else { 0 }
    }

    fn ends(&mut self) {
        let mut epid = Vec::new();
        if self.pen.has(Freedom::Endpoints) {
            std::mem::swap(self.pen.out, &mut epid);
            let start = self.pen.place();
            self.pen.endpoint_id();
            let drawn = self.pen.out.split_off(start);
            *self.pen.out = std::mem::replace(&mut epid, drawn);
        }
        let epid =
            self.given.epid.or_else(|| std::str::from_utf8(&epid).ok().filter(|epid| !epid.is_empty()));
        let [uri_field, tag_field] = [Field::FromUri, Field::FromTag];
        let from = End { uri_field, tag_field, is_tagged: true, uri: self.given.from, epid };
        self.field(HeaderName::From, |writer| writer.pen.end(from));
        let is_tagged = self.has_to_tag();
        let [uri_field, tag_field] = [Field::ToUri, Field::ToTag];
        let to = End { uri_field, tag_field, is_tagged, uri: self.given.to, epid: None };
        self.field(HeaderName::To, |writer| writer.pen.end(to));
        if let Some(epid) = epid.filter(|_| self.status.is_none() && self.pen.takes(Freedom::Endpoints, 2)) {
            self.instance(epid);
        }
    }

    /// A response has one, and a request within a dialog; a request outside has none (RFC 3261 8.1.1.2).
    fn has_to_tag(&mut self) -> bool {
        match self.method {
            _ if self.status.is_some() => true,
            "BYE" | "ACK" | "INFO" | "UPDATE" | "PRACK" | "NOTIFY" | "BENOTIFY" => true,
            "REGISTER" | "PUBLISH" => false,
            _ => self.pen.source.below(2) == 1,
        }
    }

    fn instance(&mut self, epid: &str) {
        let instance = InstanceId::from_epid(epid.as_bytes());
        self.field(HeaderName::Contact, |writer| {
            writer.pen.put("<sip:192.0.2.1:4849;transport=tls>;proxy=replace;+sip.instance=\"<urn:uuid:");
            let is_upper = writer.pen.source.below(2) == 1;
            let uuid = instance.to_string();
            writer.pen.put(if is_upper { uuid.to_ascii_uppercase() } else { uuid });
            writer.pen.put(">\"");
        });
    }

    fn dialog(&mut self) {
        self.field(HeaderName::CallId, |writer| {
            let start = writer.pen.place();
            writer.call_id();
            writer.pen.mark(Field::CallId, start);
        });
        self.field(HeaderName::CSeq, |writer| {
            let start = writer.pen.place();
            let number = writer.sequence_number();
            writer.pen.number(number);
            writer.pen.mark(Field::CSeqNumber, start);
            writer.pen.blank(" ");
            let start = writer.pen.place();
            writer.pen.put(writer.method);
            writer.pen.mark(Field::CSeqMethod, start);
        });
    }

    fn call_id(&mut self) {
        if self.pen.takes(Freedom::Limits, 8) {
            return self.pen.out.resize(self.pen.out.len() + LONG, b'a');
        }
        if self.pen.takes(Freedom::Separators, 2) {
            let length = self.pen.source.between(1, 24);
            self.pen.word(TOKEN, length);
        } else {
            let choices = self.pen.source.between(1, 4);
            self.pen.digits(choices);
        }
        self.pen.text(&["", "@contoso.com", "@[2001:db8::1]"]);
    }

    /// Below 2^31 (RFC 3261 8.1.1.5).
    fn sequence_number(&mut self) -> u32 {
        const BOUND: u32 = 1 << 31;
        if self.pen.takes(Freedom::Limits, 4) { BOUND - 1 } else { self.pen.source.below(BOUND) }
    }

    /// What a request of this method has to have.
    fn needed(&mut self) {
        let (method, is_request) = (self.method, self.status.is_none());
        if matches!(method, "INVITE" | "UPDATE" | "SUBSCRIBE" | "NOTIFY" | "REFER") {
            self.field(HeaderName::Contact, |writer| writer.pen.put("<sip:192.0.2.1:4849;transport=tls>"));
        }
        if is_request && matches!(method, "SUBSCRIBE" | "NOTIFY" | "BENOTIFY" | "PUBLISH") {
            self.field(HeaderName::Event, |writer| writer.pen.put("presence"));
        }
        let other = match method {
            _ if !is_request => None,
            "NOTIFY" | "BENOTIFY" => Some(("subscription-state", "active;expires=600")),
            "REFER" => Some(("Refer-To", "<sip:carol@contoso.com>")),
            "PRACK" => Some(("RAck", "1 1 INVITE")),
            _ => None,
        };
        if let Some((name, value)) = other {
            self.text_field(name, |writer| writer.pen.put(value));
        }
    }

    fn optional(&mut self) {
        if self.pen.has(Freedom::Expires) {
            self.expires();
        }
        if self.pen.has(Freedom::Identities) {
            self.identities();
        }
        if self.pen.has(Freedom::Unknown) {
            self.text_field("X-From", |writer| writer.pen.put("<sip:other@x>;tag=other"));
        }
        for _ in 0..self.others() {
            self.field(HeaderName::Supported, |writer| writer.pen.text(&["gruu-10", "timer, 100rel"]));
        }
    }

    fn expires(&mut self) {
        let choice = self.pen.source.below(4);
        if 1 < choice {
            self.field(HeaderName::Contact, |writer| writer.pen.put("<sip:192.0.2.1:4849>;expires=1"));
        }
        if choice == 0 || choice == 3 {
            self.field(HeaderName::Expires, |writer| {
                let start = writer.pen.place();
                writer.pen.text(&["0", "600", "007200", "4294967295"]);
                writer.pen.mark(Field::Expires, start);
            });
        }
    }

    /// Asserted ones are signed, or else preferred ones.
    fn identities(&mut self) {
        let mut are_signed = true;
        for name in [HeaderName::PAssertedIdentity, HeaderName::PPreferredIdentity] {
            if self.pen.source.below(2) == 1 {
                self.field(name, |writer| writer.pen.identities(are_signed));
                are_signed = false;
            }
        }
    }

    /// A challenge in the responses that have to have one; more where the freedom is taken, for this server and others.
    fn credentials(&mut self) {
        let name = match self.status.and_then(|status| status.get(..3)) {
            Some("401") => Some(HeaderName::WwwAuthenticate),
            Some("407") => Some(HeaderName::ProxyAuthenticate),
            _ => None,
        };
        if let Some(name) = name {
            self.challenge(name);
        } else if self.pen.has(Freedom::Credentials) && self.status != Some("100 Trying") {
            for _ in 0..self.pen.source.below(3) {
                let names =
                    if self.status.is_some() { HeaderName::SIGNATURES } else { HeaderName::CREDENTIALS };
                let name = self.pen.source.pick(&names).copied().unwrap_or(HeaderName::Authorization);
                let kind = Kind::in_field(self.pen.source, name);
                self.authentication(name, kind);
            }
        }
    }

    /// One line for each scheme that is offered.
    fn challenge(&mut self, name: HeaderName) {
        let more = if self.pen.has(Freedom::Credentials) { self.pen.source.below(4) } else { 0 };
        for scheme in
            [Scheme::Ntlm, Scheme::Kerberos, Scheme::TlsDsk, Scheme::Digest].iter().take(1 + more as usize)
        {
            let kind = Kind { scheme: *scheme, version: Version::V4, phase: Phase::Challenge };
            self.authentication(name, kind);
        }
    }

    fn authentication(&mut self, name: HeaderName, kind: Kind) {
        self.field(name, |writer| {
            let Pen { source, freedoms, out, .. } = &mut writer.pen;
            writer.header.draw_to(*source, *freedoms, kind, out);
        });
    }

    fn body(&mut self) -> Body {
        let body = if self.pen.takes(Freedom::Limits, 64) {
            Body::Big
        } else if self.pen.has(Freedom::Body) {
            Body::Text(self.pen.source.text(BODIES))
        } else {
            Body::Text("")
        };
        if body.length() != 0 {
            self.field(HeaderName::ContentType, |writer| writer.pen.put("text/plain"));
        }
        self.field(HeaderName::ContentLength, |writer| writer.pen.number(body.length()));
        body
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sipae::auth::AuthHeader;
    use sipae::buffer::{SignatureBuffer, SignatureParams};
    use sipae::message::Message as Read;
    use sipae::ntlm::{NegotiateFlags, SessionKeys};
    use sipae::sa::{Context as Signing, Parameters};
    use sipae::side::Side;
    use sipae_spec::{Diagnostic, Severity};

    use super::*;
    use crate::source::{Fast, Recorded};

    fn read(message: &Message) -> Read<'_> {
        Read::parse(&message.octets, &Limits::DEFAULT).expect("a message")
    }

    fn remarks(message: &Message) -> BTreeSet<Diagnostic> {
        let read = read(message);
        let fields = read.headers().filter(|header| header.known.is_some_and(HeaderName::is_authentication));
        let in_fields = fields.flat_map(|header| AuthHeader::read(header.value).findings());
        let remarks = in_fields.map(|finding| finding.diagnostic);
        let remarks = remarks.chain(read.findings().into_iter().map(|finding| finding.diagnostic));
        remarks.filter(|diagnostic| diagnostic.severity() != Severity::Note).collect()
    }

    #[test]
    fn nothing_is_remarked_at_what_is_conforming() {
        for seed in 0..3000 {
            let message = message(&mut Fast::new(seed), Freedoms::STRICT);
            let shown = String::from_utf8_lossy(&message.octets);
            assert_eq!(remarks(&message), BTreeSet::new(), "{seed}: {shown}");
        }
    }

    #[test]
    fn what_was_meant_is_what_is_read() {
        for seed in 0..3000 {
            let message = message(&mut Fast::new(seed), Freedoms::ALL);
            let buffer = SignatureBuffer::new(&read(&message), &SignatureParams::default(), Version::V4);
            let buffer = buffer.expect("a buffer");
            for (field, value) in buffer.elements() {
                let (value, meant) = (value.to_text(), String::from_utf8_lossy(message.meant(field)));
                assert_eq!(value, meant, "{field:?}: {}", String::from_utf8_lossy(&message.octets));
            }
            assert_eq!(read(&message).is_request(), message.is_request);
        }
    }

    #[test]
    fn every_method_is_drawn_and_responses_answer_something() {
        let mut seen = BTreeSet::new();
        for seed in 0..3000 {
            let message = message(&mut Fast::new(seed), Freedoms::NONE);
            let method = read(&message).cseq().expect("a method").method.to_vec();
            seen.insert((message.is_request, String::from_utf8(method).expect("text")));
        }
        assert_eq!(seen.len(), 2 * METHODS.len() - UNANSWERED);
    }

    #[test]
    fn what_is_given_is_not_drawn() {
        let given = Given {
            method: Some("SERVICE"),
            status: Some("202 Accepted"),
            from: Some("sip:alice@contoso.com"),
            to: Some("sip:bob@contoso.com"),
            epid: Some("01010101"),
        };
        let mut message = Message::default();
        for seed in 0..200 {
            message.draw(&mut Fast::new(seed), Freedoms::STRICT, &given);
            let read = read(&message);
            assert_eq!(read.status(), Some(202));
            assert_eq!(read.cseq().expect("a method").method, b"SERVICE");
            let (from, to) = (read.from().expect("an address"), read.to().expect("an address"));
            assert_eq!((from.uri, from.epid), (&b"sip:alice@contoso.com"[..], Some(&b"01010101"[..])));
            assert_eq!(to.uri, b"sip:bob@contoso.com");
        }
    }

    #[test]
    fn a_draft_has_everything_of_its_message() {
        for seed in 0..200 {
            let message = message(&mut Fast::new(seed), Freedoms::of(&[Freedom::Body, Freedom::Lines]));
            assert_eq!(message.to_draft().to_octets(), message.octets);
        }
    }

    fn association(version: Version) -> SecurityAssociation {
        let keys = SessionKeys::new(NegotiateFlags::SERVER, [0x55; 16], 0x0F);
        let parameters = Parameters {
            scheme: Scheme::Ntlm,
            realm: b"SIP Communications Service".to_vec(),
            targetname: b"server.contoso.com".to_vec(),
            version,
        };
        let context = Signing::ntlm(&keys).expect("a signing context");
        SecurityAssociation::new(parameters, b"1B2C3D4E".to_vec(), Side::Client, context)
    }

    #[test]
    fn a_message_is_signed_as_its_draft_is() {
        let options = SignOptions::new(HeaderName::Authorization);
        for version in Version::ALL {
            let [mut fast, mut slow] = [association(version), association(version)];
            for seed in 0..500 {
                // A drawn credential could be for this association, and would be taken out of the draft.
                let freedoms = Freedoms::ALL.without(Freedom::Credentials);
                let message = message(&mut Fast::new(seed), freedoms);
                let mut octets = Vec::new();
                message.write_signed(&mut fast, [1, 2, 3, 4], &options, &mut octets).expect("a signature");
                let signed = Read::parse(&octets, &Limits::DEFAULT).expect("a message");
                let mut draft = message.to_draft();
                slow.sign(&mut draft, [1, 2, 3, 4], &options).expect("a signature");
                assert_eq!(Draft::from_message(&signed), draft);
            }
            assert_eq!(fast.next_number(), Some(501));
        }
    }

    #[test]
    fn the_plainest_message_is_a_bare_register() {
        let expected = "REGISTER sip:contoso.com SIP/2.0\r\n\
            Via: SIP/2.0/TLS 192.0.2.1:4849;branch=z9hG4bK00000000\r\n\
            Max-Forwards: 70\r\n\
            From: <sip:alice0@contoso.com>;tag=00000000\r\n\
            To: <sip:alice0@contoso.com>\r\n\
            Call-ID: 00000000\r\n\
            CSeq: 0 REGISTER\r\n\
            Content-Length: 0\r\n\r\n";
        let plain = message(&mut Recorded::default(), Freedoms::NONE);
        assert_eq!(String::from_utf8_lossy(&plain.octets), expected);
    }
}
