//! How defective servers read messages: differently from those who signed them.
//!
//! Each planted misreading is a change to the message as it came, or a reason not to understand it. A right server has
//! none of them.

use super::Server;
use crate::auth::{AuthHeader, AuthParam, AuthWriter, Step, Style, Walk};
use crate::defects::Defect;
use crate::draft::{Draft, RawHeader};
use crate::message::{HeaderName, Limits, Message, Value};
use crate::octets::slice;

type Misreading = (Defect, fn(&mut Draft));
type Misunderstanding = (Defect, fn(&Message<'_>, &AuthHeader<'_>) -> bool);

/// What a defective server takes a message for.
const MISREADINGS: [Misreading; 15] = [
    (Defect::FirstCopyCounts, |draft| keep_copy(draft, false)),
    (Defect::LastCopyCounts, |draft| keep_copy(draft, true)),
    (Defect::ReadsFirstAddress, |draft| map_addresses(draft, |value| one_address(value, false))),
    (Defect::ReadsLastAddress, |draft| map_addresses(draft, |value| one_address(value, true))),
    (Defect::CutsAtControls, |draft| map_addresses(draft, cut_at_controls)),
    (Defect::NormalisesText, |draft| map_addresses(draft, normalised)),
    (Defect::ReadsBodyAsHeaders, take_headers_from_body),
    (Defect::LastParamWins, |draft| map_params(draft, last_of_each)),
    (Defect::ReprintsCrand, |draft| map_values(draft, AuthParam::Crand, reprinted)),
    (Defect::SkipsInBase64, |draft| map_values(draft, AuthParam::GssapiData, cleaned_base64)),
    (Defect::ClosesOpenQuotes, |draft| map_credentials(draft, without_open_quote)),
    (Defect::FirstTagCounts, |draft| map_addresses(draft, with_first_tag)),
    (Defect::LowersCrand, |draft| map_values(draft, AuthParam::Crand, <[u8]>::to_ascii_lowercase)),
    (Defect::ForgivesNames, |draft| map_credentials(draft, without_odd_characters)),
    (Defect::MendsPadding, |draft| map_values(draft, AuthParam::GssapiData, without_surplus_padding)),
];

/// What a defective server does not understand, though it is right.
const MISUNDERSTANDINGS: [Misunderstanding; 13] = [
    (Defect::UnknownSchemeSpoilsAll, |message, _| {
        let mut credentials = HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name));
        credentials.any(|value| AuthHeader::read(value).scheme().is_none())
    }),
    (Defect::NameCaseMatters, |_, credential| {
        params_of(credential.value().raw()).1.iter().any(|(name, _)| *name != name.to_ascii_lowercase())
    }),
    (Defect::OrderMatters, |_, credential| {
        let (_, params) = params_of(credential.value().raw());
        params.first().is_some_and(|(name, _)| !is_param(name, AuthParam::Qop))
    }),
    (Defect::RefusesBackslash, |_, credential| credential.value().raw().contains(&b'\\')),
    (Defect::SplitsAtEveryComma, |message, _| {
        let mut credentials = HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name));
        credentials.any(|value| params_of(value.raw()).1.iter().any(|(_, text)| text.contains(&b',')))
    }),
    (Defect::RefusesUnknownParams, |_, credential| {
        let (_, params) = params_of(credential.value().raw());
        params.iter().any(|(name, _)| AuthParam::from_octets(name.as_bytes()).is_none())
    }),
    (Defect::WantsQopQuoted, |_, credential| {
        credential.get(AuthParam::Qop).is_some() && !credential.is_quoted(AuthParam::Qop)
    }),
    (Defect::WantsVersionBare, |_, credential| credential.is_quoted(AuthParam::Version)),
    (Defect::KnowsLongNamesOnly, |message, _| message.headers().any(|header| header.name.len() == 1)),
    (Defect::HeaderCaseMatters, |message, _| {
        message.headers().any(|header| {
            header.known.is_some_and(|known| 1 < header.name.len() && known.name().as_bytes() != header.name)
        })
    }),
    (Defect::FoldsAreEnds, |message, _| message.headers().any(|header| header.value.is_folded())),
    (Defect::RefusesOtherHops, |message, _| {
        message.first(HeaderName::MaxForwards).is_none_or(|hops| hops.raw() != b"70")
    }),
    (Defect::WantsBrackets, |message, _| message.from().is_ok_and(|from| !from.bracketed)),
];

impl Server {
    /// The message that a defective server takes this one for; `None` where it reads it as it is.
    pub(super) fn misread(&self, message: &Message<'_>) -> Option<Vec<u8>> {
        let (_, change) = MISREADINGS.iter().find(|(defect, _)| self.config.defects.has(*defect))?;
        let mut draft = Draft::from_message(message);
        let original = draft.clone();
        change(&mut draft);
        let octets = Some(draft).filter(|changed| *changed != original)?.to_octets();
        Message::parse(&octets, &Limits::NONE).is_ok().then_some(octets)
    }

    /// Whether a defective server cannot read a request.
    pub(super) fn misunderstands(&self, message: &Message<'_>, credential: &AuthHeader<'_>) -> bool {
        MISUNDERSTANDINGS
            .iter()
            .find(|(defect, _)| self.config.defects.has(*defect))
            .is_some_and(|(_, is_foreign)| is_foreign(message, credential))
    }
}

/// The scheme of a credential and its parameters.
fn params_of(value: &[u8]) -> (String, Vec<(String, Vec<u8>)>) {
    let (scheme, walk) = Walk::new(Value(value));
    let params = walk.filter_map(|step| match step {
        Step::Param(raw) => Some((String::from_utf8_lossy(raw.name).into_owned(), raw.value.raw().to_vec())),
        Step::Problem(..) => None,
    });
    (String::from_utf8_lossy(scheme).into_owned(), params.collect())
}

fn is_param(name: &str, param: AuthParam) -> bool {
    AuthParam::from_octets(name.as_bytes()) == Some(param)
}

fn map_headers(draft: &mut Draft, names: [HeaderName; 2], change: impl Fn(&[u8]) -> Vec<u8>) {
    for header in draft.headers.iter_mut().filter(|header| names.iter().any(|name| header.is(*name))) {
        header.value = change(&header.value);
    }
}

fn map_addresses(draft: &mut Draft, change: impl Fn(&[u8]) -> Vec<u8>) {
    map_headers(draft, [HeaderName::From, HeaderName::To], change);
}

fn map_credentials(draft: &mut Draft, change: impl Fn(&[u8]) -> Vec<u8>) {
    map_headers(draft, HeaderName::CREDENTIALS, change);
}

/// Writes a credential anew if its parameters change.
fn map_params(draft: &mut Draft, change: impl Fn(&mut Vec<(String, Vec<u8>)>)) {
    map_credentials(draft, |value| {
        let (scheme, original) = params_of(value);
        let mut params = original.clone();
        change(&mut params);
        if params == original {
            return value.to_vec();
        }
        let writer = params
            .iter()
            .fold(AuthWriter::with_scheme(&scheme), |writer, (name, text)| writer.named(name, text));
        writer.write(&Style::AS_ADDED)
    });
}

fn map_values(draft: &mut Draft, param: AuthParam, change: impl Fn(&[u8]) -> Vec<u8>) {
    map_params(draft, |params| {
        for (_, text) in params.iter_mut().filter(|(name, _)| is_param(name, param)) {
            *text = change(text);
        }
    });
}

/// Of fields that may occur once, one copy.
fn keep_copy(draft: &mut Draft, last: bool) {
    let names = [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq, HeaderName::Expires];
    for name in names {
        let mut copies = draft.headers.iter().filter(|header| header.is(name));
        let kept = if last { copies.next_back() } else { copies.next() }.cloned();
        draft.headers.retain(|header| !header.is(name) || Some(header) == kept.as_ref());
    }
}

/// Of several addresses the first or the last.
fn one_address(value: &[u8], last: bool) -> Vec<u8> {
    if value.contains(&b'"') {
        return value.to_vec();
    }
    let mut parts = value.split(|octet| *octet == b',');
    let part = if last { parts.next_back() } else { parts.next() }.unwrap_or_default();
    let opening = |from: &[u8]| from.iter().position(|octet| *octet == b'<');
    let second = opening(part)
        .and_then(|first| opening(slice(part, first + 1, part.len())).map(|second| first + 1 + second));
    let Some(second) = second else { return part.trim_ascii().to_vec() };
    let (before, behind) = part.split_at(second);
    let end = behind.iter().position(|octet| *octet == b'>').map_or(behind.len(), |end| end + 1);
    if last { behind.to_vec() } else { [before.trim_ascii(), slice(behind, end, behind.len())].concat() }
}

/// From a NUL or a lone carriage return to the next parameter.
fn cut_at_controls(value: &[u8]) -> Vec<u8> {
    let mut is_cut = false;
    let mut rest = value.iter().copied().peekable();
    let mut kept = Vec::new();
    while let Some(octet) = rest.next() {
        let ends = octet == 0 || octet == b'\r' && rest.peek() != Some(&b'\n');
        is_cut = ends || is_cut && octet != b';';
        if !is_cut {
            kept.push(octet);
        }
    }
    kept
}

/// As a library for text would have it: decoded, composed, in lower case.
fn normalised(value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    text.replace("%61", "a").replace("e\u{301}", "\u{e9}").to_lowercase().into_bytes()
}

/// Fields that the message lacks, from its body.
fn take_headers_from_body(draft: &mut Draft) {
    let body = String::from_utf8_lossy(&draft.body).into_owned();
    for (name, value) in body.lines().filter_map(|line| line.split_once(": ")) {
        let known = HeaderName::from_octets(name.as_bytes());
        if known.is_some_and(|known| draft.get(known).is_none()) {
            draft.headers.push(RawHeader::new(name, value));
        }
    }
}

fn last_of_each(params: &mut Vec<(String, Vec<u8>)>) {
    let all = params.clone();
    let is_last = |place: usize, name: &str| {
        all.iter().skip(place + 1).all(|(other, _)| !other.eq_ignore_ascii_case(name))
    };
    *params = all
        .iter()
        .enumerate()
        .filter(|(place, (name, _))| is_last(*place, name))
        .map(|(_, param)| param.clone())
        .collect();
}

/// As a number that is printed again.
fn reprinted(digits: &[u8]) -> Vec<u8> {
    let number = std::str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
    number.map_or_else(|| digits.to_vec(), |number| format!("{number:x}").into_bytes())
}

/// Without what does not belong there, padded as it should be.
fn cleaned_base64(text: &[u8]) -> Vec<u8> {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let mut cleaned: Vec<u8> = text.iter().copied().filter(is_digit).collect();
    cleaned.resize(cleaned.len().next_multiple_of(4), b'=');
    cleaned
}

fn without_odd_characters(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|octet| !matches!(octet, b'<' | b'>' | 0)).collect()
}

fn without_surplus_padding(text: &[u8]) -> Vec<u8> {
    let mut text = text;
    while let Some(shorter) = text.strip_suffix(b"====") {
        text = shorter;
    }
    text.to_vec()
}

fn without_open_quote(value: &[u8]) -> Vec<u8> {
    let is_open = value.iter().filter(|octet| **octet == b'"').count() % 2 == 1;
    let comma = value.iter().rposition(|octet| *octet == b',').filter(|_| is_open);
    slice(value, 0, comma.unwrap_or(value.len())).to_vec()
}

/// The first `tag=` that stands anywhere is the tag.
fn with_first_tag(value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value).into_owned();
    let end = |rest: &str| rest.find([';', '>', '"']).unwrap_or(rest.len());
    let tag = text.split_once("tag=").map_or("", |(_, rest)| rest.split_at(end(rest)).0);
    match text.rsplit_once(";tag=") {
        Some((before, rest)) if !text.ends_with('>') => {
            let behind = rest.split_at(end(rest)).1;
            format!("{before};tag={tag}{behind}").into_bytes()
        }
        _ if tag.is_empty() => text.replace("TAG", "x").into_bytes(),
        _ => format!("{text};tag={tag}").into_bytes(),
    }
}
