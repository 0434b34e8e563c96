//! What planted bugs make of a client ([`crate::defects`]): how it verifies what it should not, and signs what it should
//! not. Without the feature nothing here does anything.

use std::time::Duration;

use crate::auth::{AuthHeader, AuthParam, AuthWriter, ChallengeKind, Step, Style, Walk};
use crate::buffer::{SignatureBuffer, SignatureParams};
use crate::clock::Time;
use crate::defects::{Defect, Defects};
use crate::draft::Draft;
use crate::message::{HeaderName, Limits, Message, Value};
use crate::sa::{SecurityAssociation, SignOptions};
use crate::side::Side;
use crate::version::Version;
use crate::violation::{Breach, Violation};

/// Whether a handshake that was refused is begun again.
pub(super) fn begins_again(defects: Defects, cseq: u32) -> bool {
    defects.has(Defect::BeginsForEver) || cseq == 2 && defects.has(Defect::KerberosBeginsEmpty)
}

/// Whether a message is not even looked at.
pub(super) fn overlooks(defects: Defects, message: &Message<'_>) -> bool {
    let is_compact = |message: &Message<'_>| message.headers().any(|header| header.name.len() == 1);
    let has_body = |message: &Message<'_>| message.is_request() && !message.body().is_empty();
    defects.has(Defect::LongNamesOnly) && is_compact(message)
        || defects.has(Defect::BodyIsSigned) && has_body(message)
}

/// The signature header field that is looked at, and whether there is none for this client.
pub(super) fn misses(
    defects: Defects,
    kind: ChallengeKind,
    message: &Message<'_>,
    header: &AuthHeader<'_>,
) -> bool {
    if defects.has(Defect::OwnSignatureFieldOnly) && message.first(kind.signature()).is_none() {
        return true;
    }
    let names = || HeaderName::SIGNATURES.into_iter().flat_map(|name| message.all(name));
    let is_first =
        |first: Value<'_>| AuthHeader::read(first).get(AuthParam::Rspauth) == header.get(AuthParam::Rspauth);
    let written_first =
        message.headers().find(|field| HeaderName::SIGNATURES.iter().any(|name| name.is_spelled(field.name)));
    if defects.has(Defect::FirstSignatureOnly)
        && 1 < names().count()
        && written_first.is_some_and(|field| !is_first(field.value))
    {
        return true;
    }
    let value = names().find(|value| is_first(*value)).unwrap_or_default();
    let (_, walk) = Walk::new(value);
    let params: Vec<_> = walk
        .filter_map(|step| match step {
            Step::Param(raw) => Some(AuthParam::from_octets(raw.name)),
            Step::Problem(..) => None,
        })
        .collect();
    let place = |wanted| params.iter().position(|param| *param == Some(wanted));
    defects.has(Defect::SignatureOrderMatters) && place(AuthParam::Rspauth) < place(AuthParam::Srand)
        || defects.has(Defect::UnknownParamSpoils) && params.contains(&None)
        || defects.has(Defect::FoldsEndSignatures) && value.raw().contains(&b'\n')
        || defects.has(Defect::ClientHeaderCase)
            && written_first
                .is_some_and(|field| field.name.first() == Some(&b'A') && field.name.get(1) == Some(&b'U'))
}

/// The header field of somebody else that is taken for the own one, as it would have to be.
pub(super) fn mistaken(
    defects: Defects,
    association: &SecurityAssociation,
    message: &Message<'_>,
) -> Option<Vec<u8>> {
    let own = &association.parameters;
    let ignores = |header: &AuthHeader<'_>| {
        let is = |param, text: &[u8]| header.get(param).is_some_and(|value| *value.unfolded() == *text);
        let realm = header.get(AuthParam::Realm).unwrap_or_default().unfolded();
        defects.has(Defect::IgnoresRealm) && is(AuthParam::Targetname, &own.targetname)
            || defects.has(Defect::IgnoresTargetname) && is(AuthParam::Realm, &own.realm)
            || defects.has(Defect::IgnoresRealmLetters)
                && is(AuthParam::Targetname, &own.targetname)
                && *realm != *own.realm
                && realm.eq_ignore_ascii_case(&own.realm)
    };
    let headers = HeaderName::SIGNATURES.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read);
    let mut headers = headers.filter(|header| header.scheme() == Some(own.scheme));
    let header = headers.find(ignores)?;
    let get = |param| header.get(param).map(|value| value.unfolded().into_owned());
    let params =
        [AuthParam::Opaque, AuthParam::Srand, AuthParam::Snum, AuthParam::Rspauth, AuthParam::Version];
    let writer = params.into_iter().fold(own.writer(), |writer, param| writer.optional(param, get(param)));
    Some(writer.write(&Style::CANONICAL))
}

/// What a careless client makes of a signature, in place of what it is.
pub(super) fn judged(
    defects: Defects,
    association: &mut SecurityAssociation,
    message: &Message<'_>,
    header: &AuthHeader<'_>,
) -> Result<u32, Violation> {
    crash_on_empty(defects, header);
    let number = header.number(AuthParam::Snum).ok().flatten().unwrap_or_default();
    let last = association.window().last();
    let judged = association.verify(message, header);
    let by = Side::Server;
    let refuse = |breach| Err(Violation { by, breach });
    match judged {
        Ok(_) if defects.has(Defect::WantsLowerDigits) && has_upper(header, AuthParam::Rspauth) => {
            refuse(Breach::Signature)
        }
        Ok(_) if defects.has(Defect::UppersSrand) && has_lower(header, AuthParam::Srand) => {
            refuse(Breach::Signature)
        }
        Ok(_) if miscopies(defects, message) => refuse(Breach::Signature),
        Ok(number) if defects.has(Defect::RefusesServerGaps) && last.saturating_add(1) < number => {
            refuse(Breach::TooOld { number })
        }
        Ok(number) if defects.has(Defect::RefusesLowerNumbers) && number < last => {
            refuse(Breach::TooOld { number })
        }
        Ok(number) if defects.has(Defect::WindowOfClientStays) && 256 < number => {
            refuse(Breach::TooOld { number })
        }
        Ok(number) if defects.has(Defect::NarrowWindow) && number.saturating_add(128) < last => {
            refuse(Breach::TooOld { number })
        }
        Ok(_)
            if defects.has(Defect::VersionOfMessage)
                && header.version() != Ok(association.parameters.version.number()) =>
        {
            refuse(Breach::Signature)
        }
        Err(violation) if forgives(defects, association, message, header, &violation.breach) => Ok(number),
        Err(violation)
            if violation.breach == Breach::Signature && defects.has(Defect::ForgeryMovesClient) =>
        {
            // The window is moved, whatever the message proves.
            let _moved = association.accept(number);
            Err(violation)
        }
        judged => judged,
    }
}

#[cfg(feature = "defects")]
#[expect(clippy::panic, reason = "a planted bug")]
fn crash_on_empty(defects: Defects, header: &AuthHeader<'_>) {
    const LONGEST: usize = 4096;
    let length = header.get(AuthParam::Rspauth).map(|value| value.raw().len());
    if length.is_some_and(|length| LONGEST < length) && defects.has(Defect::CrashesOnLongRspauth) {
        panic!("range end index {length:?} out of range for slice of length {LONGEST}");
    }
    let is_empty = length == Some(0);
    if is_empty && defects.has(Defect::CrashesOnEmptyRspauth) {
        panic!("index out of bounds: the len is 0 but the index is 0");
    }
}

#[cfg(not(feature = "defects"))]
const fn crash_on_empty(_: Defects, _: &AuthHeader<'_>) {}

/// A CHALLENGE that is read without looking at its length.
#[cfg(feature = "defects")]
#[expect(clippy::panic, reason = "a planted bug")]
pub(super) fn crash_on_short(defects: Defects, challenge: &[u8]) {
    if challenge.len() < 48 && defects.has(Defect::CrashesOnShortChallenge) {
        panic!("range end index 48 out of range for slice of length {}", challenge.len());
    }
}

#[cfg(not(feature = "defects"))]
pub(super) const fn crash_on_short(_: Defects, _: &[u8]) {}

fn has_lower(header: &AuthHeader<'_>, param: AuthParam) -> bool {
    header.get(param).is_some_and(|value| value.raw().iter().any(u8::is_ascii_lowercase))
}

/// Whether a value of the message would enter the buffer as another one.
fn miscopies(defects: Defects, message: &Message<'_>) -> bool {
    let text = |name: HeaderName| message.first(name).map(Value::to_text).unwrap_or_default();
    let (from, contact) = (text(HeaderName::From), text(HeaderName::Contact));
    let has = |name: &str| message.by_text(name).is_some();
    let brackets = from.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    message.is_request()
        && (defects.has(Defect::TakesDisplayName) && 1 < from.matches('<').count()
            || defects.has(Defect::CutsUriParameters) && brackets.is_some_and(|(uri, _)| uri.contains(';'))
            || defects.has(Defect::CountsContactExpires) && contact.contains("expires=")
            || defects.has(Defect::ZeroIsNothing) && text(HeaderName::Expires) == "0"
            || defects.has(Defect::CoversOnBehalf) && has("p-session-on-behalf-of")
            || defects.has(Defect::EvaluatesIdentity) && has("ms-identity")
            || defects.has(Defect::RefusesAsserted) && has("P-Asserted-Identity"))
}

fn has_upper(header: &AuthHeader<'_>, param: AuthParam) -> bool {
    header.get(param).is_some_and(|value| value.raw().iter().any(u8::is_ascii_uppercase))
}

/// Whether a breach is none to a careless client.
fn forgives(
    defects: Defects,
    association: &SecurityAssociation,
    message: &Message<'_>,
    header: &AuthHeader<'_>,
    breach: &Breach,
) -> bool {
    match breach {
        Breach::Replayed { .. } => defects.has(Defect::BelievesReplay),
        Breach::TooOld { .. } => defects.has(Defect::BelievesOldNumbers),
        Breach::ParamMissing { .. } => defects.has(Defect::BelievesIncomplete),
        Breach::Header { .. } => defects.has(Defect::BelievesUnreadable),
        Breach::Signature => forgives_signature(defects, association, message, header),
        _ => false,
    }
}

fn forgives_signature(
    defects: Defects,
    association: &SecurityAssociation,
    message: &Message<'_>,
    header: &AuthHeader<'_>,
) -> bool {
    defects.has(Defect::BelievesForgery)
        || defects.has(Defect::BelievesBeginning) && is_beginning(association, message, header)
        || defects.has(Defect::BelievesAnyStatus) && fits_any_status(association, message, header)
        || defects.has(Defect::BelievesOtherLayout) && fits_layout(association, message, header)
        || defects.has(Defect::IgnoresIdentity) && fits_without_identity(association, message, header)
        || defects.has(Defect::BelievesReflection) && is_reflected(association, message, header)
}

/// The buffer that the server should have signed.
fn buffer_of(message: &Message<'_>, header: &AuthHeader<'_>, version: Version) -> Option<Vec<u8>> {
    let params = SignatureParams::of(header, Side::Server);
    SignatureBuffer::new(message, &params, version).ok().map(|buffer| buffer.to_vec())
}

fn is_beginning(association: &SecurityAssociation, message: &Message<'_>, header: &AuthHeader<'_>) -> bool {
    let signature = header.signature(AuthParam::Rspauth).ok().flatten().unwrap_or_default();
    let buffer = buffer_of(message, header, association.parameters.version);
    buffer.is_some_and(|buffer| association.context.sign(Side::Server, &buffer).starts_with(&signature))
}

fn fits_any_status(
    association: &SecurityAssociation,
    message: &Message<'_>,
    header: &AuthHeader<'_>,
) -> bool {
    let lines =
        (100..700).map(|status| format!("SIP/2.0 {status} X")).chain(["MESSAGE sip:x SIP/2.0".to_owned()]);
    message.status().is_some()
        && lines.into_iter().any(|line| {
            fits_as(association, message, header, |draft| {
                draft.start_line = line.into_bytes();
            })
        })
}

fn fits_without_identity(
    association: &SecurityAssociation,
    message: &Message<'_>,
    header: &AuthHeader<'_>,
) -> bool {
    fits_as(association, message, header, |draft| draft.remove(HeaderName::PAssertedIdentity))
}

/// Whether the signature is that of the message with a change.
fn fits_as(
    association: &SecurityAssociation,
    message: &Message<'_>,
    header: &AuthHeader<'_>,
    change: impl FnOnce(&mut Draft),
) -> bool {
    let mut draft = Draft::from_message(message);
    change(&mut draft);
    let octets = draft.to_octets();
    let changed = Message::parse(&octets, &Limits::NONE);
    changed.is_ok_and(|changed| association.verify_signature(&changed, header).is_ok())
}

fn fits_layout(association: &SecurityAssociation, message: &Message<'_>, header: &AuthHeader<'_>) -> bool {
    let mut other = association.clone();
    other.parameters.version = Version::V2;
    other.verify_signature(message, header).is_ok()
}

fn is_reflected(association: &SecurityAssociation, message: &Message<'_>, header: &AuthHeader<'_>) -> bool {
    let signature = header.signature(AuthParam::Rspauth).ok().flatten().unwrap_or_default();
    let buffer = buffer_of(message, header, association.parameters.version);
    buffer.is_some_and(|buffer| association.context.verify(Side::Client, &buffer, &signature))
}

/// Signs as a careless client does; `None` where it is no such.
pub(super) fn sign(
    defects: Defects,
    association: &mut SecurityAssociation,
    draft: &mut Draft,
    rand: [u8; 4],
    options: &SignOptions,
) -> Result<(), Breach> {
    let mut options = options.clone();
    let rand = if defects.has(Defect::CrandRepeats) { [1; 4] } else { rand };
    let is_response = draft.start_line.starts_with(b"SIP/");
    if is_response && defects.has(Defect::CnumRepeats) {
        options.number = association.next_number().map(|next| next.saturating_sub(1).max(1));
    }
    options.with_version |= defects.has(Defect::SignsWithVersion);
    if defects.has(Defect::SignsWithToken) {
        options.token = Some("AA==".to_owned());
    }
    let own = association.parameters.clone();
    if defects.has(Defect::ShortLayout) {
        association.parameters.version = Version::V2;
    } else if defects.has(Defect::LongLayout) {
        association.parameters.version = Version::V4;
    }
    let strips = defects.has(Defect::SignsStrippedTarget);
    if strips && let Some(bare) = own.targetname.strip_prefix(b"sip/") {
        association.parameters.targetname = bare.to_vec();
    }
    let signed = sign_some_of(defects, association, draft, rand, &options);
    association.parameters = own;
    if strips && let Some(value) = draft.headers.iter_mut().find(|header| header.is(options.header)) {
        let text = String::from_utf8_lossy(&value.value).replace("targetname=\"", "targetname=\"sip/");
        value.value = text.into_bytes();
    }
    signed?;
    spoil(defects, draft, options.header, is_response);
    Ok(())
}

/// Signs a message with less in it, or other letters, than it goes out with.
fn sign_some_of(
    defects: Defects,
    association: &mut SecurityAssociation,
    draft: &mut Draft,
    rand: [u8; 4],
    options: &SignOptions,
) -> Result<(), Breach> {
    let opaque = association.opaque.clone();
    if defects.has(Defect::SignsWithoutOpaque) {
        association.opaque.clear();
    }
    let mut signed = draft.clone();
    if defects.has(Defect::LeavesWithoutExpires) && draft.get(HeaderName::Expires) == Some(b"0") {
        signed.remove(HeaderName::Expires);
    }
    if draft.start_line.starts_with(b"ACK ")
        && defects.has(Defect::AckLikeInvite)
        && let Some(cseq) = draft.get(HeaderName::CSeq)
    {
        signed.set(HeaderName::CSeq, String::from_utf8_lossy(cseq).replace("ACK", "INVITE"));
    }
    if defects.has(Defect::SignsLowerUris)
        && let Some(from) = draft.get(HeaderName::From)
    {
        signed.set(HeaderName::From, from.to_ascii_lowercase());
    }
    let result = association.sign(&mut signed, rand, options);
    association.opaque = opaque;
    draft.headers.retain(|header| !header.is(options.header));
    draft.headers.extend(signed.headers.iter().filter(|header| header.is(options.header)).cloned());
    result
}

/// What is wrong with the header field that carries the signature.
fn spoil(defects: Defects, draft: &mut Draft, name: HeaderName, is_response: bool) {
    let Some(value) = draft.get(name).map(<[u8]>::to_vec) else { return };
    let is = |method: &str| draft.start_line.starts_with(method.as_bytes());
    let is_unsigned = is("ACK ") && defects.has(Defect::AckUnsigned)
        || is("CANCEL ") && defects.has(Defect::CancelUnsigned)
        || is_response && defects.has(Defect::ResponsesUnsigned)
        || (is("BYE ") || is("REFER ")) && defects.has(Defect::DialogUnsigned)
        || !is_response && !is("REGISTER ") && defects.has(Defect::RequestsUnsigned);
    if is_unsigned {
        draft.remove(name);
    } else if is_response && defects.has(Defect::SignsInInfoField) {
        draft.remove(name);
        draft.push(HeaderName::AuthenticationInfo, value);
    } else if defects.has(Defect::CredentialTwice) {
        draft.push(name, value);
    }
}

/// What every request says that it should not.
pub(super) fn adorn(defects: Defects, draft: &mut Draft, address: &str) {
    if draft.start_line.starts_with(b"SIP/") {
        return;
    }
    if defects.has(Defect::PrefersTwo) {
        draft.push(HeaderName::PPreferredIdentity, format!("<sip:{address}>, <sip:second-{address}>"));
    }
    if defects.has(Defect::AssertsItself) {
        draft.push(HeaderName::PAssertedIdentity, format!("<sip:{address}>"));
    }
}

/// A guess at what the server will ask for.
pub(super) fn guess(defects: Defects, draft: &mut Draft) {
    if defects.has(Defect::AuthenticatesAhead) {
        let guess =
            AuthWriter::with_scheme("NTLM").param(AuthParam::Qop, "auth").param(AuthParam::Realm, "SIP");
        let guess = guess.param(AuthParam::Targetname, "x").param(AuthParam::GssapiData, "");
        draft.push(HeaderName::Authorization, guess.write(&Style::COMMUNICATOR));
    }
}

/// Whether the method of an answer is that of its request.
pub(super) fn is_method(defects: Defects, found: &[u8], expected: &[u8]) -> bool {
    found == expected || defects.has(Defect::AnyCseqMethod)
}

/// The lines of a challenge, and what is made up where there is none.
pub(super) fn lines<'m>(
    defects: Defects,
    kind: ChallengeKind,
    message: &Message<'m>,
) -> impl Iterator<Item = AuthHeader<'m>> + use<'m> {
    let none = message.first(kind.challenge()).is_none() && defects.has(Defect::InventsTarget);
    let made_up =
        none.then(|| AuthHeader::read(Value(b"NTLM realm=\"x\", targetname=\"server\", version=4")));
    message.all(kind.challenge()).map(AuthHeader::read).chain(made_up)
}

/// The line without targetname that is answered all the same.
pub(super) fn with_target(defects: Defects, header: &AuthHeader<'_>) -> Option<Vec<u8>> {
    let lacks = header.get(AuthParam::Targetname).is_none() && header.scheme().is_some();
    if !lacks || !defects.has(Defect::AnswersWithoutTarget) {
        return None;
    }
    let get = |param| header.get(param).map(|value| value.unfolded().into_owned());
    let writer = AuthWriter::new(header.scheme().unwrap_or_default());
    let writer =
        writer.optional(AuthParam::Realm, get(AuthParam::Realm)).param(AuthParam::Targetname, "server");
    Some(writer.optional(AuthParam::Version, get(AuthParam::Version)).write(&Style::CANONICAL))
}

/// Whether a challenge is not answered though it could be.
pub(super) fn shies(defects: Defects, kind: ChallengeKind, message: &Message<'_>) -> bool {
    let lines = || message.all(kind.challenge()).map(AuthHeader::read);
    let date = || message.first(HeaderName::Date).map(Value::to_text).unwrap_or_default();
    defects.has(Defect::StopsAtUnknownScheme) && lines().any(|line| line.scheme().is_none())
        || defects.has(Defect::StopsAtMalformedLine)
            && lines().any(|line| {
                line.malformed().is_some()
                    || line.get(AuthParam::Targetname).is_none() && line.scheme().is_some()
            })
        || defects.has(Defect::WantsDate) && Time::from_date(&date()).is_none()
        || defects.has(Defect::OneKindOnly) && kind == ChallengeKind::Proxy
}

/// The credential of a handshake, in the wrong words.
pub(super) fn credential(defects: Defects, value: Vec<u8>) -> Vec<u8> {
    if defects.has(Defect::ChangesQop) {
        return String::from_utf8_lossy(&value).replace("qop=\"auth\"", "qop=\"auth-int\"").into_bytes();
    }
    value
}

/// The kind of field that credentials stand in.
pub(super) fn field(defects: Defects, kind: ChallengeKind) -> HeaderName {
    if defects.has(Defect::CrossesFields) { kind.other().credential() } else { kind.credential() }
}

/// A flight as a careless client sends it: the record that changes the cipher begins with 20.
pub(super) fn flight(defects: Defects, mut flight: Vec<u8>) -> Vec<u8> {
    if defects.has(Defect::AddsToFlights) {
        flight.push(0);
    }
    let change = flight.windows(6).position(|octets| octets == [20, 3, 3, 0, 1, 1]);
    if let Some(place) = change
        && defects.has(Defect::CutsFlight)
    {
        flight.truncate(place);
    }
    flight
}

/// A REGISTER that answers Basic.
pub(super) fn basic(defects: Defects, kind: ChallengeKind, message: &Message<'_>) -> bool {
    let is_basic = |value: Value<'_>| value.raw().to_ascii_lowercase().starts_with(b"basic");
    defects.has(Defect::AnswersBasic) && message.all(kind.challenge()).any(is_basic)
}

/// What is remembered of an association that was lost.
pub(super) fn remembered(
    defects: Defects,
    association: SecurityAssociation,
) -> Option<Box<SecurityAssociation>> {
    let remembers = [Defect::FormerAssociationGood, Defect::WindowOutlivesAssociation];
    remembers.into_iter().any(|defect| defects.has(defect)).then(|| Box::new(association))
}

/// What is remembered of an association that has ended with the client's registration.
pub(super) fn remembered_on_return(
    defects: Defects,
    association: SecurityAssociation,
) -> Option<Box<SecurityAssociation>> {
    defects.has(Defect::WindowOutlivesReturn).then(|| Box::new(association))
}

/// What the association before the last one has to say of a message.
pub(super) fn by_former(
    defects: Defects,
    former: Option<&mut SecurityAssociation>,
    message: &Message<'_>,
    verified: Result<(), Violation>,
) -> Result<(), Violation> {
    let Some(former) = former else { return verified };
    if defects.has(Defect::WindowOutlivesReturn) {
        let mut signatures = HeaderName::SIGNATURES.into_iter().flat_map(|name| message.all(name));
        let number =
            signatures.find_map(|value| AuthHeader::read(value).number(AuthParam::Snum).ok().flatten());
        return verified.and_then(|()| new_to(former, number.unwrap_or_default()));
    }
    let Some(header) = super::verify::signature(former, message) else { return verified };
    let number = header.number(AuthParam::Snum).ok().flatten().unwrap_or_default();
    match verified {
        Err(_) if defects.has(Defect::FormerAssociationGood) => former.verify(message, &header).map(drop),
        Ok(()) if defects.has(Defect::WindowOutlivesAssociation) => new_to(former, number),
        verified => verified,
    }
}

/// What is made of a number that comes again after a while.
pub(super) fn by_time(
    defects: Defects,
    last: Option<Time>,
    now: Time,
    verified: Result<(), Violation>,
) -> Result<(), Violation> {
    const WHILE: Duration = Duration::from_secs(30);
    let is_long = last.is_some_and(|last| WHILE <= now.since(last));
    match verified {
        Err(Violation { breach: Breach::Replayed { .. }, .. })
            if is_long && defects.has(Defect::WindowFadesInTime) =>
        {
            Ok(())
        }
        verified => verified,
    }
}

/// Whether a number is higher than all of the association before.
fn new_to(former: &SecurityAssociation, number: u32) -> Result<(), Violation> {
    match number <= former.window().last() {
        true => Err(Violation { by: Side::Server, breach: Breach::Replayed { number } }),
        false => Ok(()),
    }
}
