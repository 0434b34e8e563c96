//! Inputs of operations, from choices.

use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message};
use sipae::ntlm::{DatagramMac, MacOptions, SEQUENCE_NUMBER};
use sipae::sa::{Context as SecurityContext, Parameters, SecurityAssociation, SignOptions};
use sipae::side::Side;
use sipae::version::Version;
use sipae_gen::conforming::{
    Context, Freedom, Freedoms, Header, Kind, header as conforming_header, message as conforming_message,
};
use sipae_gen::{Choices, Source};
use sipae_vectors::inputs::{self, BufferContext, MacMessage};
use sipae_vectors::{Hex, Operation};

pub(super) fn buffer(source: &mut dyn Source, freedoms: &[Freedom]) -> Operation {
    let message = text(source, Freedoms::of(freedoms));
    let context = context(source, freedoms);
    Operation::SipBuffer(inputs::SipBuffer { message, context, values: None, context_in_message: None })
}

/// A message; all of it is UTF-8.
fn text(source: &mut dyn Source, freedoms: Freedoms) -> String {
    String::from_utf8(conforming_message(source, freedoms).octets).unwrap_or_default()
}

/// A field of a scheme that signs; all of it is UTF-8.
fn signing_header(source: &mut dyn Source, freedoms: Freedoms) -> Header {
    let kind = Kind::signing(source);
    conforming_header(source, freedoms, kind)
}

fn context(source: &mut dyn Source, freedoms: &[Freedom]) -> BufferContext {
    let Context { scheme, rand, number, realm, targetname } = Context::drawn(source, Freedoms::of(freedoms));
    BufferContext {
        scheme: scheme.to_owned(),
        rand,
        num: number.to_string(),
        realm: realm.to_owned(),
        targetname: targetname.to_owned(),
    }
}

pub(super) fn message(source: &mut dyn Source, freedoms: &[Freedom]) -> Operation {
    let message = text(source, Freedoms::of(freedoms));
    Operation::SipMessage(inputs::SipMessage { message })
}

pub(super) fn header(source: &mut dyn Source, freedoms: &[Freedom]) -> Operation {
    let header = signing_header(source, Freedoms::of(freedoms));
    let header = String::from_utf8(header.text).unwrap_or_default();
    Operation::AuthHeader(inputs::AuthHeader { header })
}

pub(super) fn header_to_write(source: &mut dyn Source) -> Operation {
    let freedoms = Freedoms::of(&[Freedom::Order, Freedom::Separators, Freedom::Backslashes]);
    let header = signing_header(source, freedoms);
    let scheme = header.kind.scheme.name();
    let scheme = if source.one_in(2) { scheme.to_ascii_lowercase() } else { scheme.to_owned() };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let params = header.params().map(|(name, value)| (name.to_owned(), text(value))).collect();
    Operation::AuthWrite(inputs::AuthWrite { scheme, params })
}

pub(super) fn base16(source: &mut dyn Source) -> Operation {
    let length = source.below(24);
    let text = source.word("0123456789abcdefABCDEF", length);
    Operation::Base16(inputs::Base16 { text: spoilt(source, text) })
}

pub(super) fn base64(source: &mut dyn Source) -> Operation {
    let length = source.below(24);
    let octets = source.octets(length as usize);
    let text = sipae::encoding::encode_base64(&octets);
    Operation::Base64(inputs::Base64 { text: spoilt(source, text) })
}

/// The text, or now and then one that nobody takes: lenient readers pass over blanks and missing padding, and none
/// over a character of no alphabet.
fn spoilt(source: &mut dyn Source, text: String) -> String {
    if source.one_in(3) { text + "!!!!" } else { text }
}

struct Keys {
    sign_key: Option<Hex>,
    seal_key: Hex,
}

impl Keys {
    /// With extended session security keys of 16 octets, else any sealing key of RC4.
    fn drawn(source: &mut dyn Source, is_extended: bool) -> Self {
        let length = if is_extended || source.below(2) == 0 { 16 } else { 8 };
        let seal_key = source.octets(length).into();
        Self { sign_key: is_extended.then(|| source.octets(16).into()), seal_key }
    }

    fn mac(&self, is_extended: bool, has_key_exchange: bool) -> Option<DatagramMac> {
        let options = MacOptions { extended: is_extended, key_exchange: has_key_exchange };
        let sign_key = self.sign_key.as_ref().map_or(&[][..], Hex::as_slice);
        DatagramMac::new(options, sign_key, self.seal_key.as_slice(), SEQUENCE_NUMBER)
    }
}

pub(super) fn mac(source: &mut dyn Source, is_extended: bool) -> Operation {
    let Keys { sign_key, seal_key } = Keys::drawn(source, is_extended);
    let count = source.between(1, 3);
    Operation::Mac(inputs::Mac {
        extended_session_security: is_extended,
        // Without it nothing is enciphered, which SIP does not do.
        key_exchange: true,
        datagram: true,
        seal_key,
        sign_key,
        seq: SEQUENCE_NUMBER,
        messages: (0..count).map(|_| MacMessage::Hex(octets(source).into())).collect(),
        random_pad: (!is_extended).then(|| source.octets(4).into()),
        seal: false,
    })
}

fn octets(source: &mut dyn Source) -> Vec<u8> {
    let length = source.below(80);
    source.octets(length as usize)
}

pub(super) fn mac_to_verify(source: &mut dyn Source) -> Operation {
    let is_extended = source.below(3) != 2;
    let keys = Keys::drawn(source, is_extended);
    let length = source.below(60);
    let message = source.word("<>abcdefghijklmnopqrstuvwxyz.@:", length);
    let mac = keys.mac(is_extended, true);
    let mut signature = mac.map_or_else(Vec::new, |mac| mac.sign(message.as_bytes()).to_vec());
    alter(source, &mut signature);
    Operation::MacVerify(inputs::MacVerify {
        extended_session_security: is_extended,
        key_exchange: true,
        datagram: true,
        seal_key: keys.seal_key,
        sign_key: keys.sign_key,
        seq: SEQUENCE_NUMBER,
        message,
        signature: signature.into(),
    })
}

/// Nothing, one bit, a shorter or a longer signature.
fn alter(source: &mut dyn Source, signature: &mut Vec<u8>) {
    match source.below(6) {
        0 | 1 => {}
        2 | 3 => {
            let place = source.below(16) as usize;
            let bit = 1 << source.below(8);
            signature.iter_mut().skip(place).take(1).for_each(|octet| *octet ^= bit);
        }
        4 => signature.truncate(source.below(16) as usize),
        _ => signature.push(0),
    }
}

pub(super) fn to_sign(source: &mut dyn Source) -> Operation {
    let is_extended = source.below(3) != 2;
    let Keys { sign_key, seal_key } = Keys::drawn(source, is_extended);
    let message = text(source, Freedoms::of(&[Freedom::Expires]));
    let version = u8::try_from(source.between(2, 4)).unwrap_or(4);
    Operation::SipNtlmSign(inputs::SipNtlmSign {
        message,
        version,
        context: BufferContext { scheme: "NTLM".to_owned(), ..context(source, &[]) },
        extended_session_security: is_extended,
        key_exchange: true,
        sign_key,
        seal_key,
        random_pad: (!is_extended).then(|| source.octets(4).into()),
        signature_in_message: None,
    })
}

/// Numbers around the edges of the window, and never the one number on which readings differ: 256 below the last.
pub(super) fn window(source: &mut dyn Source) -> Operation {
    let count = source.between(1, 40);
    let (mut numbers, mut last) = (Vec::new(), 0_u32);
    for _ in 0..count {
        let number = next_number(source, last, &numbers);
        if last < 256 || number != last - 256 {
            numbers.push(number);
            last = last.max(number);
        }
    }
    Operation::ReplayWindow(inputs::ReplayWindow { numbers })
}

fn next_number(source: &mut dyn Source, last: u32, known: &[u32]) -> u32 {
    match source.below(8) {
        0 | 1 => last.saturating_add(1),
        2 => last.saturating_add(source.between(2, 300)),
        3 => last.saturating_sub(source.below(300)),
        4 => source.pick(known).copied().unwrap_or(1),
        5 => last.saturating_sub(257).max(1),
        6 => source.below(600),
        _ => u32::MAX - source.below(3),
    }
}

pub(super) fn to_verify(source: &mut dyn Source) -> Operation {
    let is_extended = source.below(3) != 2;
    let keys = Keys::drawn(source, is_extended);
    let version = source.pick(&[Version::V4, Version::V3, Version::V2]).copied().unwrap_or(Version::V4);
    let signer = source.pick(&[Side::Client, Side::Server]).copied().unwrap_or(Side::Client);
    let parameters = Parameters {
        scheme: sipae::auth::Scheme::Ntlm,
        realm: b"SIP Communications Service".to_vec(),
        targetname: b"server.contoso.com".to_vec(),
        version,
    };
    let mac = keys.mac(is_extended, true);
    let association = mac.map(|mac| {
        let context = SecurityContext::Ntlm { client: mac.clone(), server: mac };
        SecurityAssociation::new(parameters, b"1B2C3D4E".to_vec(), signer, context)
    });
    let messages = association.map_or_else(Vec::new, |association| conversation(source, association));
    Operation::SipNtlmVerify(inputs::SipNtlmVerify {
        messages,
        signer: match signer {
            Side::Client => inputs::Side::Client,
            Side::Server => inputs::Side::Server,
        },
        version: u8::try_from(version.number()).unwrap_or(4),
        scheme: "NTLM".to_owned(),
        realm: "SIP Communications Service".to_owned(),
        targetname: "server.contoso.com".to_owned(),
        extended_session_security: is_extended,
        key_exchange: true,
        sign_key: keys.sign_key,
        seal_key: keys.seal_key,
    })
}

/// Signed messages with gaps, out of order, again, and forged.
fn conversation(source: &mut dyn Source, mut association: SecurityAssociation) -> Vec<String> {
    let count = source.between(1, 6);
    let mut messages: Vec<String> = Vec::new();
    for _ in 0..count {
        let number = source.between(1, 12);
        let message = match source.below(5) {
            4 => source.pick(&messages).cloned(),
            3 => signed(source, &mut association, number).map(|message| forged(source, &message)),
            _ => signed(source, &mut association, number),
        };
        messages.extend(message);
    }
    messages
}

fn signed(source: &mut dyn Source, association: &mut SecurityAssociation, number: u32) -> Option<String> {
    let text = text(source, Freedoms::NONE);
    let message = Message::parse(text.as_bytes(), &Limits::DEFAULT).ok()?;
    let mut draft = Draft::from_message(&message);
    let header = match association.signer {
        Side::Client => HeaderName::Authorization,
        Side::Server => HeaderName::AuthenticationInfo,
    };
    let rand = source.below(u32::MAX).to_be_bytes();
    let options = SignOptions { number: Some(number), ..SignOptions::new(header) };
    association.sign(&mut draft, rand, &options).ok()?;
    String::from_utf8(draft.to_octets()).ok()
}

/// One covered value is another one.
fn forged(source: &mut dyn Source, message: &str) -> String {
    let alterations = [
        ("Call-ID: ", "Call-ID: x"),
        (";tag=", ";tag=x"),
        ("CSeq: ", "CSeq: 1"),
        ("<sip", "<sips"),
        ("num=\"", "num=\"9"),
    ];
    let (from, to) = source.pick(&alterations).copied().unwrap_or_default();
    message.replacen(from, to, 1)
}
