//! Messages, and what a signature buffer takes from elsewhere.

use super::address::{address, identities};
use super::{Freedom, Freedoms, HEX, TOKEN, blank, cased, shuffle};
use crate::source::Source;

/// A conforming message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its text, with CRLF line ends.
    pub text: String,
    /// Whether it is a request.
    pub is_request: bool,
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
    pub fn drawn(source: &mut dyn Source, freedoms: Freedoms) -> Self {
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

/// Without INVITE, which needs more header fields than are made here.
const METHODS: &[&str] =
    &["REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "BYE", "ACK", "SERVICE", "X-NEW"];
const STATUSES: &[&str] = &["200 OK", "180 Ringing", "401 Unauthorized", "603 Decline", "299 "];
/// Long and compact names.
const COMPACT: &[(&str, &str)] =
    &[("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Via", "v"), ("Content-Length", "l"), ("Contact", "m")];
/// They look like covered header fields, and are body.
const BODIES: &[&str] =
    &["", "From: <sip:body@x>;tag=9\r\nExpires: 1\r\n", "\r\nCall-ID: body\r\nCSeq: 9 BODY\r\n\r\n", "To: x"];

/// A request or a response with these freedoms.
pub fn message(source: &mut dyn Source, freedoms: Freedoms) -> Message {
    let is_request = source.below(2) == 0;
    let method = source.text(METHODS);
    let start = if is_request {
        format!("{method} sip:contoso.com SIP/2.0")
    } else {
        format!("SIP/2.0 {}", source.text(STATUSES))
    };
    let body = if freedoms.has(Freedom::Body) { source.text(BODIES) } else { "" };
    let mut lines = required(source, freedoms, method, is_request);
    lines.extend(optional(source, freedoms));
    if !body.is_empty() {
        lines.push(("Content-Type", "text/plain".to_owned()));
    }
    lines.push(("Content-Length", body.len().to_string()));
    shuffle(source, freedoms, &mut lines);
    let fields: String = lines.iter().map(|(name, value)| field(source, freedoms, name, value)).collect();
    Message { text: format!("{start}\r\n{fields}\r\n{body}"), is_request }
}

fn field(source: &mut dyn Source, freedoms: Freedoms, name: &str, value: &str) -> String {
    let compact = COMPACT.iter().find(|(long, _)| *long == name).map(|(_, compact)| *compact);
    let compact = compact.filter(|_| freedoms.has(Freedom::Names) && source.one_in(3));
    let name = cased(source, freedoms.has(Freedom::Names), compact.unwrap_or(name));
    format!("{name}:{}{value}\r\n", blank(source, freedoms, " "))
}

type Line = (&'static str, String);

fn required(source: &mut dyn Source, freedoms: Freedoms, method: &str, is_request: bool) -> Vec<Line> {
    // A response has a tag in To, and a request within a dialog.
    let is_tagged = source.below(2) == 1 || !is_request;
    let length = source.between(1, 24);
    let call_id = source.word(TOKEN, length) + source.text(&["", "@contoso.com", "@[2001:db8::1]"]);
    let number = source.below(u32::MAX >> 1);
    let branch = source.word(TOKEN, 6);
    let max_forwards = is_request.then(|| ("Max-Forwards", "70".to_owned()));
    let lines = [
        ("Via", format!("SIP/2.0/TLS 192.0.2.1:4849;branch=z9hG4bK{branch}")),
        ("From", address(source, freedoms, true)),
        ("To", address(source, freedoms, is_tagged)),
        ("Call-ID", call_id),
        ("CSeq", format!("{number}{}{method}", blank(source, freedoms, " "))),
    ];
    max_forwards.into_iter().chain(lines).collect()
}

fn optional(source: &mut dyn Source, freedoms: Freedoms) -> Vec<Line> {
    let mut lines = Vec::new();
    if freedoms.has(Freedom::Expires) {
        lines.extend(expires(source));
    }
    if freedoms.has(Freedom::Identities) {
        for name in ["P-Asserted-Identity", "P-Preferred-Identity"] {
            if source.below(2) == 1 {
                lines.push((name, identities(source, freedoms)));
            }
        }
    }
    if freedoms.has(Freedom::Unknown) {
        lines.push(("X-From", "<sip:other@x>;tag=other".to_owned()));
    }
    lines
}

fn expires(source: &mut dyn Source) -> Vec<Line> {
    let contact = ("Contact", "<sip:192.0.2.1:4849>;expires=1".to_owned());
    let expires = ("Expires", source.text(&["0", "600", "007200", "4294967295"]).to_owned());
    match source.below(4) {
        0 => vec![expires],
        1 => Vec::new(),
        2 => vec![contact],
        _ => vec![contact, expires],
    }
}
