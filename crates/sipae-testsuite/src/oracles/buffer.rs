//! The signature buffer and what is signed with it: [`SignatureBuffer`], [`SecurityAssociation`].

use sipae::auth::{AuthHeader, AuthParam};
use sipae::buffer::{Field, SignatureBuffer, SignatureParams};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message, MessageError, Value};
use sipae::ntlm::{NegotiateFlags, SessionKeys};
use sipae::sa::{Context, Parameters, SecurityAssociation, SignOptions};
use sipae::side::Side;
use sipae::tlsdsk::{Hash, TlsOutcome};
use sipae::version::Version;
use sipae::violation::Breach;

use super::octets::{fnv, place_in};

/// A buffer reads back into the values that it was built from unless it says that it could be read otherwise; what one
/// side signs the other side verifies once, and not with one covered octet changed.
pub fn buffer(data: &[u8]) {
    let Ok(message) = Message::parse(data, &Limits::DEFAULT) else { return };
    let line = line_of(&message);
    for version in Version::ALL {
        for side in SIDES {
            let params = SignatureParams::of(&line, side);
            if let Ok(buffer) = SignatureBuffer::new(&message, &params, version) {
                reads_back(&buffer, &message, version);
            }
            let seed = fnv(data);
            for context in contexts().skip(chosen(seed, 2)).take(1) {
                let association = association(&line, version, side, context);
                signed(&message, association, seed);
            }
        }
    }
}

/// A number below `end`, which is not zero.
fn chosen(seed: u64, end: usize) -> usize {
    usize::try_from(seed >> 32).unwrap_or_default() % end
}

const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// The first of its authentication header fields; an empty one where there is none.
fn line_of<'a>(message: &Message<'a>) -> AuthHeader<'a> {
    let names = [HeaderName::CREDENTIALS, HeaderName::SIGNATURES, HeaderName::CHALLENGES];
    let first = names.into_iter().flatten().find_map(|name| message.first(name));
    AuthHeader::read(first.unwrap_or_default())
}

fn reads_back(buffer: &SignatureBuffer<'_>, message: &Message<'_>, version: Version) {
    let octets = buffer.to_vec();
    let elements: Vec<_> = buffer.elements().map(|(_, value)| value.unfolded().into_owned()).collect();
    let always = if version == Version::V2 { 12 } else { 15 };
    assert_eq!(elements.len(), always + usize::from(!message.is_request()));
    let Some(read) = read(&octets) else { panic!("{octets:?} is not in angle brackets") };
    match buffer.ambiguous() {
        None => assert_eq!(read, elements, "{octets:?}"),
        Some(field) => {
            assert!(elements.len() < read.len(), "{octets:?}");
            assert!(elements.iter().any(|value| value.contains(&b'<')), "{field:?}");
        }
    }
}

/// As a careless verifier would take it apart: at every `><`.
fn read(buffer: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = buffer.strip_prefix(b"<")?.strip_suffix(b">")?;
    let mut elements = Vec::new();
    while let Some(place) = rest.windows(2).position(|pair| pair == b"><") {
        elements.push(rest.get(..place)?);
        rest = rest.get(place + 2..)?;
    }
    elements.push(rest);
    Some(elements)
}

fn contexts() -> impl Iterator<Item = Context> {
    let keys = SessionKeys::new(NegotiateFlags::SERVER, [0x55; 16], 0x0F);
    let outcome = TlsOutcome { hash: Hash::Sha256, key_material: [0x55; 128], peer: None };
    Context::ntlm(&keys).into_iter().chain([Context::tls_dsk(&outcome)])
}

/// One that has realm and targetname of that line, as far as they can be written.
fn association(
    line: &AuthHeader<'_>,
    version: Version,
    signer: Side,
    context: Context,
) -> SecurityAssociation {
    let text = |param, other: &str| {
        let value = line.get(param).map(|value| value.unfolded().into_owned());
        value.filter(|text| !text.contains(&b'"')).unwrap_or_else(|| other.as_bytes().to_vec())
    };
    let parameters = Parameters {
        scheme: context.scheme(),
        realm: text(AuthParam::Realm, "SIP Communications Service"),
        targetname: text(AuthParam::Targetname, "server.contoso.com"),
        version,
    };
    SecurityAssociation::new(parameters, text(AuthParam::Opaque, "357E6F72"), signer, context)
}

/// What a side has signed: the association of its peer, and where the signature stands.
struct Signed {
    octets: Vec<u8>,
    header: HeaderName,
    peer: SecurityAssociation,
}

fn signed(message: &Message<'_>, mut association: SecurityAssociation, seed: u64) {
    let header = match association.signer {
        Side::Client => HeaderName::Authorization,
        Side::Server => HeaderName::AuthenticationInfo,
    };
    let expected = signable(message, &association);
    let mut draft = Draft::from_message(message);
    let signed = association.sign(&mut draft, [0xA1; 4], &SignOptions::new(header));
    assert_eq!(signed, expected);
    if signed.is_ok() {
        let signed = Signed::new(&draft, header, association);
        verified(signed.peer.clone(), &signed);
        changed(&signed, seed);
    }
}

/// Whether a message is fit for signing, by its buffer.
fn signable(message: &Message<'_>, association: &SecurityAssociation) -> Result<(), Breach> {
    let Parameters { realm, targetname, version, scheme } = &association.parameters;
    let params = SignatureParams {
        protocol: scheme.name().as_bytes(),
        realm: Value(realm),
        targetname: Value(targetname),
        ..SignatureParams::default()
    };
    let buffer = SignatureBuffer::new(message, &params, *version)?;
    buffer.ambiguous().map_or(Ok(()), |field| Err(Breach::Ambiguous { field }))
}

impl Signed {
    fn new(draft: &Draft, header: HeaderName, mut association: SecurityAssociation) -> Self {
        association.signer = association.signer.peer();
        Self { octets: draft.to_octets(), header, peer: association }
    }

    /// What is done with the message and its signature.
    fn with<T>(
        &self,
        octets: &[u8],
        then: impl FnOnce(&Message<'_>, &AuthHeader<'_>) -> T,
    ) -> Result<T, MessageError> {
        let message = Message::parse(octets, &Limits::NONE)?;
        let line = message.all(self.header).last().unwrap_or_default();
        Ok(then(&message, &AuthHeader::read(line)))
    }

    fn buffer(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let (signer, version) = (self.peer.signer.peer(), self.peer.parameters.version);
        let buffer = |message: &Message<'_>, line: &AuthHeader<'_>| {
            SignatureBuffer::new(message, &SignatureParams::of(line, signer), version)
                .map(|buffer| buffer.to_vec())
        };
        self.with(octets, buffer).ok()?.ok()
    }

    /// Each element that is not empty: its place among the octets, its length, and whether it may be changed and read
    /// the same.
    fn covered(&self) -> Vec<(Field, usize, usize, bool)> {
        let (signer, version) = (self.peer.signer.peer(), self.peer.parameters.version);
        let covered = |message: &Message<'_>, line: &AuthHeader<'_>| {
            let buffer = SignatureBuffer::new(message, &SignatureParams::of(line, signer), version)?;
            let element = |(field, value): (Field, Value<'_>)| {
                let length = value.raw().len();
                let may_stay = value.is_folded() || matches!(field, Field::SipIdentity | Field::TelIdentity);
                place_in(&self.octets, value.raw()).map(|place| (field, place, length, may_stay))
            };
            Ok::<_, MessageError>(buffer.elements().filter_map(element).collect())
        };
        self.with(&self.octets, covered).ok().and_then(Result::ok).unwrap_or_default()
    }
}

fn verified(mut peer: SecurityAssociation, signed: &Signed) {
    let twice = signed.with(&signed.octets, |message, line| {
        let first = peer.verify(message, line).map_err(|violation| violation.breach);
        (first, peer.verify(message, line).map_err(|violation| violation.breach))
    });
    assert_eq!(twice, Ok((Ok(1), Err(Breach::Replayed { number: 1 }))), "{:?}", Value(&signed.octets));
}

/// One octet of every fifth element. An identity may give way to another one that reads the same, and the blanks of a fold
/// are one blank.
fn changed(signed: &Signed, seed: u64) {
    let original = signed.buffer(&signed.octets);
    let covered = signed.covered().into_iter().skip(chosen(seed, 5)).step_by(5);
    for (field, place, length, may_stay) in covered {
        let offset = chosen(seed, length);
        let mut octets = signed.octets.clone();
        if let Some(octet) = octets.get_mut(place + offset) {
            *octet ^= 1 << (seed % 8);
        }
        let verified = signed.with(&octets, |message, line| signed.peer.verify_signature(message, line));
        let stays = signed.buffer(&octets) == original;
        assert!(!stays || may_stay, "{field:?} of {:?}", Value(&octets));
        assert!(stays || !matches!(verified, Ok(Ok(_))), "{field:?} of {:?}", Value(&octets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// What the fuzzer starts from must be signed, or it will never see signing.
    #[test]
    fn every_element_of_a_register_is_changed_once() {
        let message = Message::parse(sample::REGISTER, &Limits::DEFAULT).expect("a message");
        let line = line_of(&message);
        for context in contexts() {
            let mut association = association(&line, Version::V4, Side::Client, context);
            assert_eq!(signable(&message, &association), Ok(()));
            let mut draft = Draft::from_message(&message);
            let header = HeaderName::Authorization;
            association.sign(&mut draft, [1; 4], &SignOptions::new(header)).expect("signable");
            let signed = Signed::new(&draft, header, association);
            let fields: Vec<_> = signed.covered().into_iter().map(|(field, ..)| field).collect();
            assert_eq!(fields.len(), 12, "{fields:?}");
        }
    }

    #[test]
    fn a_buffer_that_holds_brackets_in_a_value_is_read_otherwise() {
        assert_eq!(read(b"<a><><b>"), Some(vec![&b"a"[..], b"", b"b"]));
        assert_eq!(read(b"<a>><<b>"), Some(vec![&b"a>"[..], b"<b"]));
        assert_eq!(read(b"a"), None);
    }
}
