//! Header fields and messages that there are, written in another legal way: what they say, and what is signed, stays.

use sipae::auth::{AuthHeader, AuthParam, RawParam, Scheme, Step, Walk};
use sipae::message::{Header, HeaderName, Limits, Message, Value};

use super::credential::{self, Called, Form, Param, UNKNOWN};
use super::padded::{Blanks, Roomy};
use super::{Freedom, Freedoms, shuffle, write_blank, write_cased};
use crate::source::{Choices, Source};

/// Parameters up to which others are added: readers need not look at more than 128.
const ROOM: usize = 100;

/// The value of an authentication header field, written in another legal way: the same values, in these freedoms. Where
/// `is_signing`, the scheme stays as it is written, since a signature covers it.
///
/// A value that is malformed is given back as it is. Folds stand among the first octets of values, where blanks are.
#[must_use]
pub fn rewrite_header(
    source: &mut dyn Source,
    freedoms: Freedoms,
    value: &[u8],
    is_signing: bool,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 64);
    write_header(source, freedoms, value, is_signing, &mut out);
    out
}

fn write_header(
    source: &mut dyn Source,
    freedoms: Freedoms,
    value: &[u8],
    is_signing: bool,
    out: &mut Vec<u8>,
) {
    let header = AuthHeader::read(Value(value));
    if header.malformed().is_some() {
        return out.extend_from_slice(value);
    }
    // In Digest a quoted qop is a list, and digits are compared as text.
    let is_digest = !header.scheme().is_some_and(Scheme::signs);
    let freedoms =
        if is_digest { freedoms.without(Freedom::BareQop).without(Freedom::Digits) } else { freedoms };
    let (scheme, walk) = Walk::new(Value(value));
    let mut params: Vec<Param<'_>> = walk.filter_map(|step| read_param(source, freedoms, step)).collect();
    if freedoms.has(Freedom::Unknown) && params.len() < ROOM {
        add_unknown(source, &mut params);
    }
    let is_tight = credential::order(source, freedoms, &mut params, |param| param.known);
    write_cased(source, freedoms.has(Freedom::Scheme) && !is_signing, scheme, out);
    credential::write(source, freedoms, is_tight, params.into_iter(), out);
}

fn read_param<'a>(source: &mut dyn Source, freedoms: Freedoms, step: Step<'a>) -> Option<Param<'a>> {
    let Step::Param(RawParam { name, value, quoted, .. }) = step else { return None };
    let known = AuthParam::from_octets(name);
    let form = match (known, quoted) {
        (None, true) if is_token(value.raw()) => Form::Either,
        (None, false) => Form::Either,
        (_, true) => Form::Quoted,
        (_, false) => Form::Bare,
    };
    let (is_quoted, value) = (form.is_quoted(source, freedoms, known), Roomy::from(value.raw()));
    Some(Param { name: Called::Written(name), known, value, blanks: value.lone_blanks(), is_quoted })
}

/// `token` of RFC 3261 25.1.
fn is_token(text: &[u8]) -> bool {
    let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(octet);
    !text.is_empty() && text.iter().all(is_token)
}

fn add_unknown(source: &mut dyn Source, params: &mut Vec<Param<'_>>) {
    for _ in 0..source.below(3) {
        let Some((name, value)) = source.pick(&UNKNOWN) else { return };
        if !params.iter().any(|param| param.name.octets().eq_ignore_ascii_case(name.text().as_bytes())) {
            let value = Roomy::from(value.text().as_bytes());
            let is_quoted = value.value().is_empty() || source.below(2) == 0;
            let name = Called::Known(name);
            params.push(Param { name, known: None, value, blanks: Blanks::default(), is_quoted });
        }
    }
}

/// Header fields that nobody knows. They look like those that are signed.
const UNKNOWN_FIELDS: &[(&str, &str)] = &[
    ("X-From", "<sip:other@x>;tag=other"),
    ("P-Asserted", "<sip:other@x>"),
    ("Expire", "1"),
    ("X-Call-ID", "other"),
    ("Authorization-X", "NTLM realm=\"other\""),
    ("X-Empty", ""),
];

/// A whole message, written in another legal way with these freedoms: names, blanks, folds, the order of fields with
/// different names, unknown fields, and its authentication header fields as by [`rewrite_header`]. Its signature buffer
/// stays the same in every version.
///
/// What is no message is given back as it is.
#[must_use]
pub fn rewrite_message(source: &mut dyn Source, freedoms: Freedoms, octets: &[u8]) -> Vec<u8> {
    let Ok(message) = Message::parse(octets, &Limits::NONE) else { return octets.to_vec() };
    let mut out = Vec::with_capacity(octets.len() + 512);
    out.extend_from_slice(start_line(octets));
    for field in fields(source, freedoms, &message) {
        write_field(source, freedoms, &field, &mut out);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(message.body());
    out
}

/// With its line end.
fn start_line(octets: &[u8]) -> &[u8] {
    octets.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default()
}

fn fields<'a>(source: &mut dyn Source, freedoms: Freedoms, message: &Message<'a>) -> Vec<Header<'a>> {
    let mut fields: Vec<_> = message.headers().collect();
    shuffle(source, freedoms, &mut fields);
    restore_order(&mut fields);
    if freedoms.has(Freedom::Unknown) {
        for _ in 0..source.below(3) {
            let (name, value) = source.pick(UNKNOWN_FIELDS).copied().unwrap_or_default();
            let place = source.below(u32::try_from(fields.len() + 1).unwrap_or(1));
            let value = Value(value.as_bytes());
            fields.insert(place as usize, Header { name: name.as_bytes(), known: None, value, offset: 0 });
        }
    }
    fields
}

/// Fields of one name in the order that they had: it carries meaning (RFC 3261 7.3.1).
fn restore_order(fields: &mut [Header<'_>]) {
    for place in 0..fields.len() {
        let Some((first, rest)) = fields.get_mut(place..).and_then(<[_]>::split_first_mut) else { return };
        for other in rest {
            if is_same_name(first, other) && other.offset < first.offset {
                std::mem::swap(first, other);
            }
        }
    }
}

fn is_same_name(left: &Header<'_>, right: &Header<'_>) -> bool {
    left.known == right.known && (left.known.is_some() || left.name.eq_ignore_ascii_case(right.name))
}

fn write_field(source: &mut dyn Source, freedoms: Freedoms, field: &Header<'_>, out: &mut Vec<u8>) {
    write_name(source, freedoms, field, out);
    // RFC 3261 25.1: `HCOLON` is folded behind the colon only.
    write_blank(source, freedoms.without(Freedom::Folds), "", out);
    out.push(b':');
    let value = field.value.raw();
    if value.is_empty() {
        out.push(b' ');
    } else {
        write_blank(source, freedoms, " ", out);
        write_value(source, freedoms, field.known, value, out);
    }
    out.extend_from_slice(b"\r\n");
}

fn write_name(source: &mut dyn Source, freedoms: Freedoms, field: &Header<'_>, out: &mut Vec<u8>) {
    let is_free = freedoms.has(Freedom::Names);
    let compact = field.known.map(HeaderName::compact).filter(|compact| is_free && !compact.is_empty());
    let name = match (compact, field.known) {
        (Some(compact), Some(known)) => match source.below(3) {
            0 => field.name,
            1 => known.name().as_bytes(),
            _ => compact.as_bytes(),
        },
        _ => field.name,
    };
    write_cased(source, is_free, name, out);
}

fn write_value(
    source: &mut dyn Source,
    freedoms: Freedoms,
    name: Option<HeaderName>,
    value: &[u8],
    out: &mut Vec<u8>,
) {
    let is_spaced = freedoms.has(Freedom::Blanks) || freedoms.has(Freedom::Folds);
    match (name, name.and_then(separators)) {
        (Some(name), _) if name.is_authentication() => {
            let is_signing = !HeaderName::CHALLENGES.contains(&name);
            write_header(source, freedoms, value, is_signing, out);
        }
        (_, Some(separators)) if is_spaced => Spaced { separators, freedoms }.write(source, value, out),
        _ => out.extend_from_slice(value),
    }
}

/// What separates the parts of these values, outside quotation marks and brackets. Blanks beside it say nothing.
const fn separators(name: HeaderName) -> Option<&'static [u8]> {
    match name {
        HeaderName::From
        | HeaderName::To
        | HeaderName::Contact
        | HeaderName::Via
        | HeaderName::Route
        | HeaderName::RecordRoute => Some(b";,"),
        // The parameters of a URI without brackets are its own (RFC 3325 9.1).
        HeaderName::PAssertedIdentity | HeaderName::PPreferredIdentity | HeaderName::Supported => Some(b","),
        HeaderName::ContentType | HeaderName::Event => Some(b";"),
        HeaderName::CSeq => Some(b""),
        _ => None,
    }
}

/// A value whose blanks are written anew.
struct Spaced {
    separators: &'static [u8],
    freedoms: Freedoms,
}

impl Spaced {
    fn write(&self, source: &mut dyn Source, value: &[u8], out: &mut Vec<u8>) {
        let mut rest = value;
        // Before the first parameter an equals sign is part of a URI.
        let mut is_in_params = false;
        while !rest.is_empty() {
            let behind = without_lws(rest);
            let separator = behind.first().copied().filter(|octet| self.separates(*octet, is_in_params));
            if let Some(separator) = separator {
                is_in_params = separator != b',';
                self.write_separator(source, separator, out);
                rest = without_lws(behind.get(1..).unwrap_or_default());
            } else if behind.len() < rest.len() {
                write_blank(source, self.freedoms, " ", out);
                rest = behind;
            } else {
                let (part, behind) = rest.split_at_checked(part_length(rest)).unwrap_or((rest, b""));
                out.extend_from_slice(part);
                rest = behind;
            }
        }
    }

    fn separates(&self, octet: u8, is_in_params: bool) -> bool {
        self.separators.contains(&octet) || (octet == b'=' && is_in_params)
    }

    fn write_separator(&self, source: &mut dyn Source, separator: u8, out: &mut Vec<u8>) {
        let is_spaced = separator != b'=' || self.freedoms.has(Freedom::Equals);
        let freedoms = if is_spaced { self.freedoms } else { Freedoms::NONE };
        let plain = if separator == b',' { " " } else { "" };
        write_blank(source, freedoms, "", out);
        out.push(separator);
        write_blank(source, freedoms, plain, out);
    }
}

fn without_lws(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|octet| !b" \t\r\n".contains(octet)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// Octets of what is written as it is: a quoted-string, what stands in brackets, or one octet.
fn part_length(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => quoted_length(text),
        Some(b'<') => text.iter().position(|octet| *octet == b'>').map_or(text.len(), |end| end + 1),
        _ => 1,
    }
}

/// Octets of the quoted-string at the beginning, its marks included.
fn quoted_length(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let closing = text.iter().skip(1).position(|octet| {
        let closes = *octet == b'"' && !is_escaped;
        is_escaped = *octet == b'\\' && !is_escaped;
        closes
    });
    closing.map_or(text.len(), |closing| closing + 2)
}

#[cfg(test)]
mod tests {
    use sipae::buffer::{SignatureBuffer, SignatureParams};
    use sipae::side::Side;
    use sipae::version::Version;
    use sipae_spec::Severity;

    use super::*;
    use crate::source::Fast;

    /// What a Lync client and an Office Communications Server write, and what nobody does but may.
    const MESSAGES: &[&str] = &[
        "REGISTER sip:contoso.com SIP/2.0\r\n\
         Via: SIP/2.0/TLS 192.0.2.1:49152;branch=z9hG4bK7f3a91c204\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@contoso.com>;tag=4a2b44d131;epid=01010101\r\n\
         To: <sip:alice@contoso.com>\r\n\
         Call-ID: d5f2b95d5be64c2cbfb38aa5d3a87ae7\r\n\
         CSeq: 3 REGISTER\r\n\
         Contact: <sip:192.0.2.1:49152;transport=tls>;proxy=replace;\
         +sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697>\"\r\n\
         Supported: gruu-10, adhoclist, msrtc-event-categories\r\n\
         Supported: ms-userservices-state-notification\r\n\
         Event: registration\r\n\
         Expires: 7200\r\n\
         Authorization: NTLM qop=\"auth\", realm=\"SIP Communications Service\", opaque=\"357E6F72\", \
         targetname=\"server.contoso.com\", crand=\"1badb002\", cnum=\"3\", \
         response=\"0100000063a0e140122159d864000000\", version=4\r\n\
         Content-Length: 0\r\n\r\n",
        "SIP/2.0 180 Ringing\r\n\
         FROM: sip:a=b@contoso.com;tag=1;epid=54dd5867e8\r\n\
         TO: \"Liddell; Al\\\"ice\" <sip:+14258901234@company1;user=phone>;epid=CDCFEF8F18;tag=201f\r\n\
         CALL-ID: <a>;b@c\r\n\
         CSEQ: 1 INVITE\r\n\
         Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1, SIP/2.0/TCP h;branch=z9hG4bK2\r\n\
         P-Asserted-Identity: \"a, b\" <sip:c@d;x=y>, tel:+1;ext=2\r\n\
         P-Asserted-Identity: <tel:+3>\r\n\
         Authentication-Info: Kerberos rspauth=\"602306092A864886F712\", srand=\"1B6D47A1\", snum=\"11\", \
         opaque=\"357E6F72\", qop=\"auth\", targetname=\"sip/fe03.company.com\", realm=\"a  b c,d=e\\\"\r\n\
         Content-Length: 21\r\n\r\nFrom: <sip:body@x>\r\n",
    ];

    fn buffers(message: &Message<'_>) -> Vec<Vec<u8>> {
        let (name, signer) = if message.is_request() {
            (HeaderName::Authorization, Side::Client)
        } else {
            (HeaderName::AuthenticationInfo, Side::Server)
        };
        let header = AuthHeader::read(message.first(name).expect("a signature"));
        assert_eq!(header.malformed(), None);
        let params = SignatureParams::of(&header, signer);
        let buffer = |version| SignatureBuffer::new(message, &params, version).expect("a buffer").to_vec();
        [Version::V2, Version::V3, Version::V4].map(buffer).to_vec()
    }

    fn read(octets: &[u8]) -> Message<'_> {
        Message::parse(octets, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_rewritten_message_has_the_same_signature_buffers_and_nothing_is_remarked() {
        for (text, seed) in MESSAGES.iter().flat_map(|text| (0..500).map(move |seed| (text, seed))) {
            let rewritten = rewrite_message(&mut Fast::new(seed), Freedoms::ALL, text.as_bytes());
            let message = read(&rewritten);
            let shown = String::from_utf8_lossy(&rewritten);
            assert_eq!(buffers(&message), buffers(&read(text.as_bytes())), "{shown}");
            assert_eq!(message.body(), read(text.as_bytes()).body());
            let remarks = message.findings();
            let is_note = |finding: &sipae::message::MessageFinding<'_>| {
                finding.diagnostic.severity() == Severity::Note
            };
            assert!(remarks.iter().all(is_note), "{remarks:?}\n{shown}");
        }
    }

    #[test]
    fn without_freedoms_nothing_is_rewritten() {
        for text in MESSAGES {
            let rewritten = rewrite_message(&mut Fast::new(1), Freedoms::NONE, text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&rewritten), *text);
        }
    }

    #[test]
    fn fields_of_one_name_keep_their_order_and_others_do_not() {
        let text = "OPTIONS sip:x SIP/2.0\r\nRoute: <sip:1>\r\nX: 1\r\nroute: <sip:2>\r\nx: 2\r\n\r\n";
        let freedoms = Freedoms::of(&[Freedom::Order]);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let rewritten = rewrite_message(&mut Fast::new(seed), freedoms, text.as_bytes());
            let message = read(&rewritten);
            let routes: Vec<_> = message.all(HeaderName::Route).map(Value::raw).collect();
            assert_eq!(routes, [b"<sip:1>", b"<sip:2>"]);
            assert_eq!(message.by_text("x").map(Value::raw), Some(&b"1"[..]));
            seen.insert(rewritten.clone());
        }
        assert_eq!(seen.len(), 6);
    }

    type Said = (Option<Scheme>, Vec<(AuthParam, Vec<u8>)>);

    /// Signatures are compared as octets.
    fn said(text: &[u8]) -> Said {
        let header = AuthHeader::read(Value(text));
        assert_eq!(header.malformed(), None, "{}", String::from_utf8_lossy(text));
        let value = |param: &AuthParam| {
            let value = header.get(*param)?.unfolded().into_owned();
            let is_digits = matches!(param, AuthParam::Response | AuthParam::Rspauth);
            Some((*param, if is_digits { value.to_ascii_lowercase() } else { value }))
        };
        (header.scheme(), AuthParam::ALL.iter().filter_map(value).collect())
    }

    const HEADERS: &[&str] = &[
        "NTLM",
        "NTLM realm=\"a b, c\", targetname=\"x\", version=3",
        "TLS-DSK gssapi-data=\"FgMB\",foo=\"a b\",x=y,empty=\"\"",
        "Digest realm=\"a \\\" b\", qop=\"auth,auth-int\", nonce=\"1\", stale=true, algorithm=MD5-sess",
        "Digest username=\"u\", response=\"6629fae49393a05397450978507c4ef1\", nc=00000001, qop=auth",
    ];

    #[test]
    fn a_rewritten_header_field_says_the_same() {
        for (text, seed) in HEADERS.iter().flat_map(|text| (0..300).map(move |seed| (text, seed))) {
            let rewritten = rewrite_header(&mut Fast::new(seed), Freedoms::ALL, text.as_bytes(), false);
            assert_eq!(said(&rewritten), said(text.as_bytes()));
            let signed = rewrite_header(&mut Fast::new(seed), Freedoms::ALL, text.as_bytes(), true);
            assert_eq!(signed.first_chunk::<4>(), text.as_bytes().first_chunk());
            let strict = rewrite_header(&mut Fast::new(seed), Freedoms::STRICT, text.as_bytes(), false);
            let header = AuthHeader::read(Value(&strict));
            let remarks = header.findings();
            assert!(
                remarks.iter().all(|finding| finding.diagnostic.severity() == Severity::Note),
                "{remarks:?}"
            );
        }
    }

    #[test]
    fn what_is_malformed_is_given_back_as_it_is() {
        let text = b"NTLM realm=\"a\", realm=\"b\"";
        assert_eq!(rewrite_header(&mut Fast::new(1), Freedoms::ALL, text, false), text);
        assert_eq!(rewrite_message(&mut Fast::new(1), Freedoms::ALL, b"nonsense"), b"nonsense");
    }
}
