//! NTLM tokens, field by field ([MS-NLMP] 2.2.1). Fields are read each on its own, so that a token that the core refuses
//! is still shown; what the core says of it is a remark.

use sipae::ntlm::{Authenticate, AvId, AvPairs, AvValue, Challenge, NegotiateFlags, NtlmError};

use crate::model::{Decoding, Part};
use crate::octets::{array, filetime, hex, shown, slice};

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Octets of the fixed part of the NTLMv2 blob, and of the proof before it.
const BLOB: usize = 28;
const PROOF: usize = 16;

pub(super) fn decode(token: &[u8]) -> Option<Decoding> {
    if !token.starts_with(SIGNATURE) {
        return None;
    }
    let reader = Reader { token };
    Some(match array(token, 8).map(u32::from_le_bytes) {
        Some(1) => reader.negotiate(),
        Some(2) => reader.challenge(),
        Some(3) => reader.authenticate(),
        _ => Decoding::unknown(token).remark(Some("NTLM, but of no known message type".to_owned())),
    })
}

/// How a field of the payload is shown.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    OemText,
    AvPairs,
    /// Whether the NT response beside it is NTLMv2.
    LmResponse(bool),
    NtResponse,
    Octets,
}

struct Reader<'a> {
    token: &'a [u8],
}

impl Reader<'_> {
    fn negotiate(&self) -> Decoding {
        let flags = self.flags(12);
        let fields = [
            self.head("NEGOTIATE"),
            self.flag_part(12),
            self.payload("DomainName", 16, Kind::OemText, flags),
            self.payload("Workstation", 24, Kind::OemText, flags),
        ];
        Decoding::new("NTLM NEGOTIATE", self.token)
            .with(fields.into_iter().flatten().collect())
            .remark(Some("SIP has no NEGOTIATE: the client begins with an empty token".to_owned()))
    }

    fn challenge(&self) -> Decoding {
        let flags = self.flags(20);
        let read = Challenge::read(self.token);
        let version = read.as_ref().ok().and_then(|challenge| challenge.version);
        let fields = [
            self.head("CHALLENGE"),
            self.payload("TargetName", 12, Kind::Text, flags),
            self.flag_part(20),
            self.octets("ServerChallenge", 24, 8),
            self.octets("Reserved", 32, 8),
            self.payload("TargetInfo", 40, Kind::AvPairs, flags),
            version.map(|version| version_part(version, 48)),
        ];
        let fit = read.and_then(|challenge| challenge.check_for_sip());
        self.finish("NTLM CHALLENGE", fields, fit)
    }

    fn authenticate(&self) -> Decoding {
        let flags = self.flags(60);
        let is_v2 = array(self.token, 20).is_some_and(|length| 24 < u16::from_le_bytes(length));
        let read = Authenticate::read(self.token);
        let (version, mic) = read.as_ref().map_or((None, None), |read| (read.version, read.mic));
        let fields = [
            self.head("AUTHENTICATE"),
            self.payload("LmChallengeResponse", 12, Kind::LmResponse(is_v2), flags),
            self.payload("NtChallengeResponse", 20, Kind::NtResponse, flags),
            self.payload("DomainName", 28, Kind::Text, flags),
            self.payload("UserName", 36, Kind::Text, flags),
            self.payload("Workstation", 44, Kind::Text, flags),
            self.payload("EncryptedRandomSessionKey", 52, Kind::Octets, flags),
            self.flag_part(60),
            version.map(|version| version_part(version, 64)),
            mic.map(|mic| Part::octets("MIC", &mic, 72)),
        ];
        let anonymous = read.as_ref().is_ok_and(Authenticate::is_anonymous);
        self.finish("NTLM AUTHENTICATE", fields, read.map(drop))
            .remark(anonymous.then(|| "anonymous: its key is public (SIPAE-3.3.5.2-29)".to_owned()))
    }

    fn finish<const N: usize>(
        &self,
        format: &str,
        fields: [Option<Part>; N],
        fit: Result<(), NtlmError>,
    ) -> Decoding {
        let remark = fit.err().map(|error| format!("{error} ({})", error.rule()));
        Decoding::new(format, self.token).with(fields.into_iter().flatten().collect()).remark(remark)
    }

    fn head(&self, name: &str) -> Option<Part> {
        let number = array(self.token, 8).map(u32::from_le_bytes)?;
        Some(Part::new("MessageType", format!("{number} ({name})"), 8, 4))
    }

    fn flags(&self, offset: usize) -> NegotiateFlags {
        NegotiateFlags(array(self.token, offset).map_or(0, u32::from_le_bytes))
    }

    fn flag_part(&self, offset: usize) -> Option<Part> {
        let flags = NegotiateFlags(array(self.token, offset).map(u32::from_le_bytes)?);
        let known = NegotiateFlags::NAMED.iter().fold(0, |all, (_, flag)| all | flag.0);
        let unknown = flags.0 & !known;
        let mut names: Vec<String> = flags.names().map(ToOwned::to_owned).collect();
        if unknown != 0 {
            names.push(format!("unnamed 0x{unknown:08x}"));
        }
        Some(Part::new("NegotiateFlags", format!("0x{:08x}: {}", flags.0, names.join(", ")), offset, 4))
    }

    fn octets(&self, name: &str, offset: usize, length: usize) -> Option<Part> {
        let octets = self.token.get(offset..offset + length)?;
        Some(Part::octets(name, octets, offset))
    }

    /// A field that a descriptor points to: length, room, offset.
    fn payload(&self, name: &str, descriptor: usize, kind: Kind, flags: NegotiateFlags) -> Option<Part> {
        let [l0, l1, _, _, o0, o1, o2, o3] = array(self.token, descriptor)?;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        let offset = usize::try_from(u32::from_le_bytes([o0, o1, o2, o3])).ok()?;
        if length == 0 {
            return Some(Part::new(name, "(empty)", offset, 0));
        }
        let Some(octets) = offset.checked_add(length).and_then(|end| self.token.get(offset..end)) else {
            let value = format!("{length} octets at offset {offset} lie outside the token");
            return Some(Part::new(name, value, offset, length));
        };
        Some(shown_payload(Part::new(name, "", offset, length), octets, kind, flags))
    }
}

fn shown_payload(part: Part, octets: &[u8], kind: Kind, flags: NegotiateFlags) -> Part {
    let unicode = flags.contains(NegotiateFlags::UNICODE);
    let offset = part.offset;
    match kind {
        Kind::Text if unicode => Part { value: quoted(&utf16(octets)), ..part },
        Kind::Text | Kind::OemText => Part { value: quoted(&shown(octets)), ..part },
        Kind::AvPairs => av_pairs(part, octets),
        Kind::LmResponse(is_v2) => part.with(lm_response(octets, offset, is_v2)),
        Kind::NtResponse if 24 < octets.len() => part.with(nt_response_v2(octets, offset)),
        Kind::NtResponse => part.with(vec![Part::octets("NTLMv1 response", octets, offset)]),
        Kind::Octets => Part { value: hex(octets), ..part },
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// UTF-16LE as text that is safe to show.
fn utf16(octets: &[u8]) -> String {
    let (pairs, rest) = octets.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let text = shown(String::from_utf16_lossy(&units).as_bytes());
    if rest.is_empty() { text } else { format!("{text} and half a character") }
}

fn version_part(version: [u8; 8], offset: usize) -> Part {
    let [major, minor, b0, b1, _, _, _, revision] = version;
    let build = u16::from_le_bytes([b0, b1]);
    Part::new("Version", format!("{major}.{minor}.{build}, NTLM revision {revision}"), offset, 8)
}

fn av_pairs(part: Part, octets: &[u8]) -> Part {
    let offset = part.offset;
    match AvPairs::read(octets) {
        Ok(pairs) => part.with(av_parts(&pairs, offset)),
        Err(error) => Part { value: format!("{error}: {}", hex(octets)), ..part },
    }
}

fn av_parts(pairs: &AvPairs, start: usize) -> Vec<Part> {
    let mut offset = start;
    let mut parts = Vec::new();
    for pair in &pairs.0 {
        let length = 4 + pair.value.len();
        let value = match pair.decoded() {
            AvValue::Text(text) => quoted(&shown(text.as_bytes())),
            AvValue::Octets(octets) => av_octets(pair.id, &octets),
        };
        parts.push(Part::new(pair.id.name(), value, offset, length));
        offset += length;
    }
    parts
}

fn av_octets(id: AvId, octets: &[u8]) -> String {
    match (id, octets) {
        (AvId::Timestamp, octets) if octets.len() == 8 => array(octets, 0).map_or_else(String::new, filetime),
        (AvId::Flags, &[b0, b1, b2, b3]) => av_flags(u32::from_le_bytes([b0, b1, b2, b3])),
        _ => hex(octets),
    }
}

/// MsvAvFlags ([MS-NLMP] 2.2.2.1).
fn av_flags(flags: u32) -> String {
    const NAMES: [(u32, &str); 3] =
        [(1, "authentication is constrained"), (2, "a MIC is present"), (4, "the target name is untrusted")];
    let names: Vec<&str> = NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    format!("0x{flags:08x}: {}", names.join(", "))
}

/// LMv2 is a proof and a client challenge; NTLMv1 with extended session security a client challenge and zeros.
fn lm_response(octets: &[u8], offset: usize, is_v2: bool) -> Vec<Part> {
    let (head, tail) = (slice(octets, 0, PROOF), slice(octets, PROOF, octets.len()));
    let is_zero = |octets: &[u8]| octets.iter().all(|octet| *octet == 0);
    if is_zero(octets) {
        vec![Part::new("zeros", "no LM response", offset, octets.len())]
    } else if is_v2 {
        vec![Part::octets("LMv2 proof", head, offset), Part::octets("ClientChallenge", tail, offset + PROOF)]
    } else if is_zero(slice(octets, 8, octets.len())) {
        vec![Part::octets("ClientChallenge", slice(octets, 0, 8), offset)]
    } else {
        vec![Part::octets("LM response", octets, offset)]
    }
}

/// NTLMv2_RESPONSE ([MS-NLMP] 2.2.2.8).
fn nt_response_v2(octets: &[u8], offset: usize) -> Vec<Part> {
    let blob = slice(octets, PROOF, octets.len());
    let at = offset + PROOF;
    let mut parts = vec![Part::octets("NTProofStr", slice(octets, 0, PROOF), offset)];
    if blob.len() < BLOB {
        parts.push(Part::octets("blob, cut short", blob, at));
        return parts;
    }
    parts.push(Part::octets("RespType and HiRespType", slice(blob, 0, 2), at));
    parts.push(Part::new("TimeStamp", array(blob, 8).map_or_else(String::new, filetime), at + 8, 8));
    parts.push(Part::octets("ClientChallenge", slice(blob, 16, 24), at + 16));
    let pairs = slice(blob, BLOB, blob.len());
    parts.push(av_pairs(Part::new("AV pairs", "", at + BLOB, pairs.len()), pairs));
    if let Some(odd) = [slice(blob, 2, 8), slice(blob, 24, 28)]
        .into_iter()
        .find(|zeros| zeros.iter().any(|octet| *octet != 0))
    {
        parts.push(Part::new("reserved octets that are not zero", hex(odd), at + 2, odd.len()));
    }
    parts
}
