//! The header fields that signing, endpoints and transactions need, read.

use sipae::endpoint::InstanceId;
use sipae::message::{Address, Addresses, Header, HeaderName, Message, Value};

use crate::model::{HeaderField, Reading};
use crate::octets::shown;

/// Fields that are shown, those of authentication apart.
const SHOWN: [HeaderName; 14] = [
    HeaderName::Via,
    HeaderName::MaxForwards,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::Contact,
    HeaderName::Expires,
    HeaderName::PAssertedIdentity,
    HeaderName::PPreferredIdentity,
    HeaderName::Event,
    HeaderName::Date,
    HeaderName::MsDiagnostics,
    HeaderName::ContentLength,
];

pub(super) fn fields(message: &Message<'_>) -> Vec<HeaderField> {
    message.headers().filter_map(|header| Some(field(message, &header, header.known?))).flatten().collect()
}

fn field(message: &Message<'_>, header: &Header<'_>, known: HeaderName) -> Option<HeaderField> {
    SHOWN.contains(&known).then(|| HeaderField {
        name: shown(header.name),
        value: shown(&header.value.unfolded()),
        offset: header.offset,
        readings: readings(message, known, header.value),
    })
}

fn readings(message: &Message<'_>, known: HeaderName, value: Value<'_>) -> Vec<Reading> {
    match known {
        HeaderName::From | HeaderName::To => end(value.raw()),
        HeaderName::Contact => contacts(value.raw()),
        HeaderName::CSeq => cseq(message),
        HeaderName::Via => via(message, value),
        HeaderName::PAssertedIdentity | HeaderName::PPreferredIdentity => identities(value.raw()),
        _ => Vec::new(),
    }
}

fn end(value: &[u8]) -> Vec<Reading> {
    let Ok(address) = Address::parse(value) else { return Vec::new() };
    let mut readings = vec![Reading::new("URI", shown(address.uri))];
    if let Some(tag) = address.tag {
        readings.push(Reading::new("tag", shown(tag)));
    }
    if let Some(epid) = address.epid {
        readings.push(Reading::new("epid", shown(epid)));
        readings.push(Reading::new("UUID of the epid", InstanceId::from_epid(epid).to_string()));
    }
    readings
}

fn contacts(value: &[u8]) -> Vec<Reading> {
    /// Contacts that are read.
    const READ: usize = 16;
    Addresses::new(value).take(READ).filter_map(Result::ok).flat_map(|address| contact(&address)).collect()
}

fn contact(address: &Address<'_>) -> Vec<Reading> {
    let mut readings = vec![Reading::new("URI", shown(address.uri))];
    for name in ["+sip.instance", "gruu", "expires"] {
        if let Some(value) = address.param(name) {
            readings.push(Reading::new(name, shown(value)));
        }
    }
    readings
}

fn cseq(message: &Message<'_>) -> Vec<Reading> {
    let Ok(cseq) = message.cseq() else { return Vec::new() };
    vec![Reading::new("number", shown(cseq.number)), Reading::new("method", shown(cseq.method))]
}

/// The topmost one alone: it is the key of the transaction.
fn via(message: &Message<'_>, value: Value<'_>) -> Vec<Reading> {
    if message.first(HeaderName::Via) != Some(value) {
        return Vec::new();
    }
    let Some(via) = message.via() else { return Vec::new() };
    let mut readings =
        vec![Reading::new("transport", shown(via.transport)), Reading::new("sent by", shown(via.sent_by))];
    if let Some(branch) = message.branch() {
        readings.push(Reading::new("branch", shown(branch)));
    }
    readings
}

fn identities(value: &[u8]) -> Vec<Reading> {
    Addresses::new(value)
        .filter_map(Result::ok)
        .map(|address| Reading::new("URI", shown(address.uri)))
        .collect()
}
