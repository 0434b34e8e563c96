//! Kerberos tokens: the frame of GSS-API (RFC 2743 3.1), AP-REQ, AP-REP and KRB-ERROR as far as they are not encrypted
//! (RFC 4120 5), and MIC tokens (RFC 1964 1.2.1, RFC 4121 4.2.6.1).

use sipae::side::Side;

use super::der::{self, Value, object_identifier};
use crate::model::{Decoding, Part};
use crate::octets::{array, big_endian, hex, shown, slice};

/// What a context-specific value holds.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
    Bits,
    Principal,
    Ticket,
    Encrypted,
    EncryptionType,
    ErrorCode,
    Octets,
}

type Row = (u8, &'static str, Kind);

const AP_REQ: &[Row] = &[
    (0, "pvno", Kind::Number),
    (1, "msg-type", Kind::Number),
    (2, "ap-options", Kind::Bits),
    (3, "ticket", Kind::Ticket),
    (4, "authenticator", Kind::Encrypted),
];
const AP_REP: &[Row] =
    &[(0, "pvno", Kind::Number), (1, "msg-type", Kind::Number), (2, "enc-part", Kind::Encrypted)];
const TICKET: &[Row] = &[
    (0, "tkt-vno", Kind::Number),
    (1, "realm", Kind::Text),
    (2, "sname", Kind::Principal),
    (3, "enc-part", Kind::Encrypted),
];
const ENCRYPTED: &[Row] =
    &[(0, "etype", Kind::EncryptionType), (1, "kvno", Kind::Number), (2, "cipher", Kind::Octets)];
const KRB_ERROR: &[Row] = &[
    (0, "pvno", Kind::Number),
    (1, "msg-type", Kind::Number),
    (2, "ctime", Kind::Text),
    (3, "cusec", Kind::Number),
    (4, "stime", Kind::Text),
    (5, "susec", Kind::Number),
    (6, "error-code", Kind::ErrorCode),
    (7, "crealm", Kind::Text),
    (8, "cname", Kind::Principal),
    (9, "realm", Kind::Text),
    (10, "sname", Kind::Principal),
    (11, "e-text", Kind::Text),
    (12, "e-data", Kind::Octets),
];

/// Name, table and tag of the messages, by the token id of their frame (RFC 1964 1.1).
const MESSAGES: [(&str, [u8; 2], u8, &[Row]); 3] = [
    ("AP-REQ", [1, 0], 0x6E, AP_REQ),
    ("AP-REP", [2, 0], 0x6F, AP_REP),
    ("KRB-ERROR", [3, 0], 0x7E, KRB_ERROR),
];

const FRAME: u8 = 0x60;
const CONTEXT: u8 = 0xA0;

/// A token in the frame of GSS-API, or a message of Kerberos without it.
pub(super) fn decode(token: &[u8]) -> Option<Decoding> {
    let (outer, rest) = der::read(token)?;
    if outer.tag != FRAME {
        let (name, ..) = MESSAGES.iter().find(|(_, _, tag, _)| *tag == outer.tag)?;
        let decoding = Decoding::new(format!("Kerberos {name} without the frame of GSS-API"), token);
        return Some(decoding.with(message(token, outer)));
    }
    let (mechanism, behind) = der::read(outer.contents).filter(|(value, _)| value.tag == 6)?;
    let oid = object_identifier(mechanism.contents);
    let known = mechanism_name(&oid);
    let frame = Part::new(
        "mechanism",
        format!("{oid} ({known})"),
        mechanism.offset_in(token),
        mechanism.contents.len(),
    );
    if !known.starts_with("Kerberos") {
        return Some(
            Decoding::new(format!("GSS-API token of {known}, which is not taken apart"), token)
                .with(vec![frame]),
        );
    }
    let decoding = framed(token, frame, behind);
    Some(decoding.remark((!rest.is_empty()).then(|| format!("{} octets follow the token", rest.len()))))
}

fn mechanism_name(oid: &str) -> &'static str {
    match oid {
        "1.2.840.113554.1.2.2" => "Kerberos",
        "1.2.840.48018.1.2.2" => "Kerberos, as Windows 2000 misspells it",
        "1.3.6.1.5.5.2" => "SPNEGO",
        _ => "an unknown mechanism",
    }
}

/// Whether a token is in the frame of another mechanism than Kerberos.
pub(super) fn is_of_another_mechanism(token: &[u8]) -> bool {
    let mechanism = der::read(token)
        .filter(|(outer, _)| outer.tag == FRAME)
        .and_then(|(outer, _)| der::read(outer.contents));
    mechanism
        .is_some_and(|(value, _)| !mechanism_name(&object_identifier(value.contents)).starts_with("Kerberos"))
}

fn framed(token: &[u8], frame: Part, behind: &[u8]) -> Decoding {
    let Some(id) = array::<2>(behind, 0) else {
        return Decoding::new("GSS-API token", token).with(vec![frame]);
    };
    let offset = crate::octets::offset_in(token, behind);
    let row = MESSAGES.iter().find(|(_, known, ..)| *known == id);
    let name = row.map_or("unknown", |(name, ..)| *name);
    let mut fields = vec![frame, Part::new("token id", format!("{} ({name})", hex(&id)), offset, 2)];
    if let Some((value, _)) = der::read(slice(behind, 2, behind.len())) {
        fields.extend(message(token, value));
    }
    Decoding::new(format!("GSS-API token, Kerberos {name}"), token).with(fields)
}

fn message(token: &[u8], outer: Value<'_>) -> Vec<Part> {
    let row = MESSAGES.iter().find(|(_, _, tag, _)| *tag == outer.tag);
    row.zip(outer.inner()).map_or_else(Vec::new, |((.., rows), sequence)| parts(token, sequence, rows))
}

fn parts(token: &[u8], sequence: Value<'_>, rows: &[Row]) -> Vec<Part> {
    rows.iter()
        .filter_map(|(number, name, kind)| {
            let value = sequence.child(CONTEXT + number)?.inner()?;
            Some(part(token, name, *kind, value))
        })
        .collect()
}

fn part(token: &[u8], name: &str, kind: Kind, value: Value<'_>) -> Part {
    let text = match kind {
        Kind::Number => value.integer().map(|number| number.to_string()),
        Kind::Text => Some(shown(value.contents)),
        Kind::Bits => Some(ap_options(value.contents)),
        Kind::Principal => Some(principal(value)),
        Kind::EncryptionType => value.integer().map(encryption_type),
        Kind::ErrorCode => value.integer().map(error_code),
        Kind::Octets => Some(hex(value.contents)),
        Kind::Ticket | Kind::Encrypted => None,
    };
    let (offset, length) = (value.offset_in(token), value.contents.len());
    Part::new(name, text.unwrap_or_default(), offset, length).with(match kind {
        Kind::Ticket => value.inner().map_or_else(Vec::new, |ticket| parts(token, ticket, TICKET)),
        Kind::Encrypted => parts(token, value, ENCRYPTED),
        _ => Vec::new(),
    })
}

/// APOptions (RFC 4120 5.5.1); the first octet counts unused bits.
fn ap_options(contents: &[u8]) -> String {
    let bits = contents.get(1).copied().unwrap_or_default();
    let names = [(0x40, "use-session-key"), (0x20, "mutual-required")];
    let set: Vec<&str> = names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
    let set = if set.is_empty() { "none".to_owned() } else { set.join(", ") };
    format!("{} ({set})", hex(slice(contents, 1, contents.len())))
}

/// PrincipalName: a type and the components.
fn principal(value: Value<'_>) -> String {
    let names = value.child(CONTEXT + 1).and_then(Value::inner);
    let components: Vec<String> =
        names.into_iter().flat_map(Value::children).map(|name| shown(name.contents)).collect();
    components.join("/")
}

/// RFC 3961 8, RFC 4757.
fn encryption_type(number: i64) -> String {
    let name = match number {
        1 => "des-cbc-crc",
        3 => "des-cbc-md5",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        _ => "unknown",
    };
    format!("{number} ({name})")
}

/// RFC 4120 7.5.9, those that servers of SIP send.
fn error_code(number: i64) -> String {
    let name = match number {
        6 => "client not found",
        7 => "server not found",
        31 => "integrity check failed",
        32 => "ticket expired",
        33 => "ticket not yet valid",
        34 => "replay",
        35 => "ticket is for somebody else",
        36 => "ticket and authenticator do not match",
        37 => "clock skew too great",
        40 => "message type",
        41 => "message modified",
        44 => "key version not available",
        45 => "key not available",
        60 => "generic error",
        _ => "see RFC 4120 7.5.9",
    };
    format!("{number} ({name})")
}

/// A MIC token.
pub(super) fn mic(token: &[u8], signer: Side) -> Option<Decoding> {
    if token.starts_with(&[4, 4]) { mic_rfc4121(token, signer) } else { mic_rfc1964(token) }
}

fn mic_rfc4121(token: &[u8], signer: Side) -> Option<Decoding> {
    let flags = *token.get(2)?;
    let filler = token.get(3..8)?;
    let number = big_endian(token.get(8..16)?)?;
    let odd = filler.iter().any(|octet| *octet != 0xFF).then(|| "filler is not ff".to_owned());
    let is_of_server = flags & 1 != 0;
    let alien = is_of_server != (signer == Side::Server);
    Some(
        Decoding::new("Kerberos MIC of RFC 4121", token)
            .with(vec![
                Part::new("token id", "0404", 0, 2),
                Part::new("flags", format!("{flags:02x} ({})", mic_flags(flags)), 2, 1),
                Part::octets("filler", filler, 3),
                Part::new("sequence number", number.to_string(), 8, 8),
                Part::octets("checksum", slice(token, 16, token.len()), 16),
            ])
            .remark(odd)
            .remark(alien.then(|| "the flags name the other side than the header field".to_owned())),
    )
}

fn mic_flags(flags: u8) -> String {
    let sender = if flags & 1 == 0 { "from the client" } else { "from the server" };
    let sealed = if flags & 2 == 0 { "" } else { ", sealed" };
    let subkey = if flags & 4 == 0 { "" } else { ", under the subkey of the server" };
    format!("{sender}{sealed}{subkey}")
}

fn mic_rfc1964(token: &[u8]) -> Option<Decoding> {
    let (outer, _) = der::read(token).filter(|(value, _)| value.tag == FRAME)?;
    let (_, body) = der::read(outer.contents).filter(|(value, _)| value.tag == 6)?;
    let at = crate::octets::offset_in(token, body);
    let algorithm = match array(body, 2)? {
        [0x11, 0] => "1100 (HMAC-MD5 under RC4)".to_owned(),
        other => hex(&other),
    };
    let filler = body.get(4..8)?;
    let odd = filler.iter().any(|octet| *octet != 0xFF).then(|| "filler is not ff".to_owned());
    let is_mic = body.starts_with(&[1, 1]);
    is_mic.then(|| {
        Decoding::new("Kerberos MIC of RFC 1964", token)
            .with(vec![
                Part::new("token id", "0101", at, 2),
                Part::new("algorithm", algorithm, at + 2, 2),
                Part::octets("filler", filler, at + 4),
                Part::octets("sequence number, encrypted", slice(body, 8, 16), at + 8),
                Part::octets("checksum", slice(body, 16, body.len()), at + 16),
            ])
            .remark(odd)
    })
}
