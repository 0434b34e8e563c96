//! TLS inside `gssapi-data`: records and handshake messages by name (RFC 5246 6, 7).

use sipae::tlsdsk::{Alert, HandshakeType};

use crate::model::{Decoding, Part};
use crate::octets::{array, big_endian, hex, slice};

const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;

pub(super) fn decode(token: &[u8]) -> Option<Decoding> {
    let is_record = matches!(token, [20..=23, 3, 0..=4, _, _, ..]);
    is_record.then(|| {
        let mut reader = Reader::default();
        let rest = reader.records(token);
        let remark =
            (!rest.is_empty()).then(|| format!("{} octets at the end are no whole record", rest.len()));
        Decoding::new("TLS records", token).with(reader.parts).remark(remark)
    })
}

#[derive(Default)]
struct Reader {
    parts: Vec<Part>,
    /// Octets of a handshake message that goes on in the next record.
    pending: Vec<u8>,
    is_encrypted: bool,
}

impl Reader {
    /// Reads whole records and gives what is left.
    fn records<'a>(&mut self, token: &'a [u8]) -> &'a [u8] {
        let mut rest = token;
        while let Some([kind, major, minor, l0, l1]) = array(rest, 0) {
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            let Some(contents) = rest.get(5..5 + length) else { break };
            let offset = token.len() - rest.len();
            let value = format!("{}, {}", record_name(kind), version_name([major, minor]));
            let fields = self.contents(kind, contents, offset + 5);
            self.parts.push(Part::new("record", value, offset, 5 + length).with(fields));
            rest = slice(rest, 5 + length, rest.len());
        }
        rest
    }

    fn contents(&mut self, kind: u8, contents: &[u8], offset: usize) -> Vec<Part> {
        if self.is_encrypted {
            return vec![Part::new(
                "encrypted",
                format!("{} octets", contents.len()),
                offset,
                contents.len(),
            )];
        }
        match kind {
            HANDSHAKE => self.handshake(contents, offset),
            CHANGE_CIPHER_SPEC => {
                self.is_encrypted = true;
                Vec::new()
            }
            ALERT => vec![Part::new("alert", alert(contents), offset, contents.len())],
            _ => vec![Part::octets("contents", contents, offset)],
        }
    }

    /// Offsets of a message that began in an earlier record are those of this record.
    fn handshake(&mut self, contents: &[u8], offset: usize) -> Vec<Part> {
        let before = self.pending.len();
        let mut octets = std::mem::take(&mut self.pending);
        octets.extend_from_slice(contents);
        let (mut parts, mut position) = (Vec::new(), 0);
        while let Some([kind, length @ ..]) = array::<4>(&octets, position) {
            let length = usize::try_from(big_endian(&length).unwrap_or_default()).unwrap_or(usize::MAX);
            let Some(body) = octets.get(position + 4..(position + 4).saturating_add(length)) else { break };
            let at = offset + position.saturating_sub(before);
            let value = format!("{} ({kind})", HandshakeType(kind).name().unwrap_or("unknown"));
            parts.push(Part::new("handshake", value, at, 4 + length).with(message(kind, body, at + 4)));
            position += 4 + length;
        }
        octets.drain(..position.min(octets.len()));
        self.pending = octets;
        if !self.pending.is_empty() {
            let length = self.pending.len();
            parts.push(Part::new(
                "unfinished",
                format!("{length} octets go on in the next record"),
                offset,
                length,
            ));
        }
        parts
    }
}

fn message(kind: u8, body: &[u8], offset: usize) -> Vec<Part> {
    let parts = match kind {
        1 => client_hello(body, offset),
        2 => server_hello(body, offset),
        11 => certificates(body, offset),
        _ => Vec::new(),
    };
    let is_unknown = parts.is_empty() && !body.is_empty();
    if is_unknown { vec![Part::octets("contents", body, offset)] } else { parts }
}

/// Version, random and session id, and where they end.
fn hello(body: &[u8], offset: usize) -> (Vec<Part>, usize) {
    let Some(version) = array::<2>(body, 0) else { return (Vec::new(), body.len()) };
    let session = usize::from(body.get(34).copied().unwrap_or_default());
    let parts = vec![
        Part::new("version", version_name(version), offset, 2),
        Part::octets("random", slice(body, 2, 34), offset + 2),
        Part::octets("session id", slice(body, 35, 35 + session), offset + 35),
    ];
    (parts, 35 + session)
}

fn client_hello(body: &[u8], offset: usize) -> Vec<Part> {
    let (mut parts, at) = hello(body, offset);
    let length = array(body, at).map_or(0, |length| usize::from(u16::from_be_bytes(length)));
    let suites = slice(body, at + 2, at + 2 + length);
    let (pairs, _) = suites.as_chunks::<2>();
    let names: Vec<String> = pairs.iter().map(|pair| suite_name(u16::from_be_bytes(*pair))).collect();
    parts.push(Part::new("cipher suites", names.join(", "), offset + at + 2, suites.len()));
    let compression = at + 2 + length;
    let methods = usize::from(body.get(compression).copied().unwrap_or_default());
    parts.extend(extensions(body, compression + 1 + methods, offset));
    parts
}

fn server_hello(body: &[u8], offset: usize) -> Vec<Part> {
    let (mut parts, at) = hello(body, offset);
    if let Some(suite) = array(body, at) {
        parts.push(Part::new("cipher suite", suite_name(u16::from_be_bytes(suite)), offset + at, 2));
    }
    parts.extend(extensions(body, at + 3, offset));
    parts
}

fn extensions(body: &[u8], start: usize, offset: usize) -> Option<Part> {
    let length = array(body, start).map(|length| usize::from(u16::from_be_bytes(length)))?;
    let mut rest = slice(body, start + 2, start + 2 + length);
    let mut names = Vec::new();
    while let Some([k0, k1, l0, l1]) = array(rest, 0) {
        names.push(extension_name(u16::from_be_bytes([k0, k1])));
        rest = slice(rest, 4 + usize::from(u16::from_be_bytes([l0, l1])), rest.len());
    }
    Some(Part::new("extensions", names.join(", "), offset + start + 2, length))
}

fn certificates(body: &[u8], offset: usize) -> Vec<Part> {
    let mut position = 3;
    let mut parts = Vec::new();
    while let Some(length) = array::<3>(body, position).and_then(|length| big_endian(&length)) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(certificate) = body.get(position + 3..(position + 3).saturating_add(length)) else { break };
        parts.push(Part::octets("certificate", certificate, offset + position + 3));
        position += 3 + length;
    }
    parts
}

fn alert(contents: &[u8]) -> String {
    let &[level, description] = contents else { return hex(contents) };
    let level = if level == 2 { "fatal" } else { "warning" };
    let name = Alert::name(description);
    format!("{level}: {}", name.map_or_else(|| description.to_string(), str::to_owned))
}

fn record_name(kind: u8) -> &'static str {
    match kind {
        CHANGE_CIPHER_SPEC => "ChangeCipherSpec",
        ALERT => "Alert",
        HANDSHAKE => "Handshake",
        23 => "ApplicationData",
        _ => "unknown",
    }
}

fn version_name(version: [u8; 2]) -> String {
    match version {
        [3, 0] => "SSL 3.0".to_owned(),
        [3, 1] => "TLS 1.0".to_owned(),
        [3, 2] => "TLS 1.1".to_owned(),
        [3, 3] => "TLS 1.2".to_owned(),
        [3, 4] => "TLS 1.3".to_owned(),
        other => hex(&other),
    }
}

fn extension_name(kind: u16) -> String {
    let name = match kind {
        0 => "server_name",
        5 => "status_request",
        10 => "supported_groups",
        11 => "ec_point_formats",
        13 => "signature_algorithms",
        16 => "application_layer_protocol_negotiation",
        22 => "encrypt_then_mac",
        23 => "extended_master_secret",
        35 => "session_ticket",
        43 => "supported_versions",
        0xFF01 => "renegotiation_info",
        _ => return kind.to_string(),
    };
    name.to_owned()
}

/// The registry of IANA, as far as products of TLS-DSK offer suites.
const SUITES: [(u16, &str); 37] = [
    (0x0000, "TLS_NULL_WITH_NULL_NULL"),
    (0x0001, "TLS_RSA_WITH_NULL_MD5"),
    (0x0002, "TLS_RSA_WITH_NULL_SHA"),
    (0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0009, "TLS_RSA_WITH_DES_CBC_SHA"),
    (0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x003B, "TLS_RSA_WITH_NULL_SHA256"),
    (0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0040, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006A, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256"),
    (0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
    (0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
];

fn suite_name(number: u16) -> String {
    let known = SUITES.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("0x{number:04x}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use sipae::tlsdsk::{Hash, TLS_1_2};

    use super::SUITES;

    /// SIPAE-3.2.4.1-29.
    #[test]
    fn the_hash_with_which_a_suite_signs_is_the_end_of_its_name() {
        for (suite, name) in SUITES {
            let hash = Hash::of_suite(suite, TLS_1_2).map(|hash| hash.name().replace("SHA-1", "SHA"));
            let end = name.rsplit('_').next().filter(|end| !["NULL", "SCSV"].contains(end));
            assert_eq!(hash.map(|hash| hash.replace('-', "")).as_deref(), end, "{name}");
        }
    }
}
