//! Messages, authentication header fields and signature buffers.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sipae::auth::{AuthHeader, AuthWriter, Scheme, Step, Style, Walk};
use sipae::buffer::{SignatureBuffer, SignatureParams};
use sipae::endpoint::InstanceId;
use sipae::message::{Address, HeaderName, Limits, Message, StartLine, Value};
use sipae::version::Version;
use sipae_vectors::{Answer, Refusal, inputs};

use super::Outcome;
use super::input::malformed;

fn parse(text: &str) -> Result<Message<'_>, Refusal> {
    Message::parse(text.as_bytes(), &Limits::DEFAULT).map_err(|error| malformed("message", error))
}

fn text(octets: &[u8]) -> String {
    Value(octets).to_text()
}

/// The signature buffer of a message in one version.
pub(super) fn buffer(
    message: &str,
    context: &inputs::BufferContext,
    version: u8,
) -> Result<Vec<u8>, Refusal> {
    let version = Version::from_number(version.into())
        .ok_or_else(|| malformed("version", format_args!("{version} is none of 2, 3 and 4")))?;
    let buffer = SignatureBuffer::new(&parse(message)?, &params(context), version);
    Ok(buffer.map_err(|error| malformed("message", error))?.to_vec())
}

const fn params(context: &inputs::BufferContext) -> SignatureParams<'_> {
    SignatureParams {
        protocol: context.scheme.as_bytes(),
        rand: Value(context.rand.as_bytes()),
        number: Value(context.num.as_bytes()),
        realm: Value(context.realm.as_bytes()),
        targetname: Value(context.targetname.as_bytes()),
    }
}

pub(super) fn buffers(inputs: &inputs::SipBuffer) -> Outcome {
    let versions = [2_u8, 3, 4].into_iter().map(|version| {
        let buffer = buffer(&inputs.message, &inputs.context, version)?;
        Ok((version.to_string(), String::from_utf8_lossy(&buffer).into_owned()))
    });
    Ok(Answer::new().texts("buffers", versions.collect::<Result<Vec<_>, Refusal>>()?))
}

pub(super) fn auth_header(inputs: &inputs::AuthHeader) -> Answer {
    let facts = AuthFacts::read(Value(inputs.header.as_bytes()));
    Answer::new().text("scheme", facts.scheme).texts("params", facts.params).value("findings", facts.findings)
}

pub(super) fn auth_write(inputs: &inputs::AuthWrite) -> Outcome {
    let scheme = Scheme::from_octets(inputs.scheme.as_bytes())
        .ok_or_else(|| malformed("scheme", format_args!("{:?} names no scheme", inputs.scheme)))?;
    let writer = inputs.params.iter().fold(AuthWriter::new(scheme), |writer, (name, value)| {
        writer.named(&name.to_ascii_lowercase(), value)
    });
    Ok(Answer::new().text("header", text(&writer.write(&Style::AS_ADDED))))
}

/// A parameter that is no quoted SIP URI is none ([MS-SIPAE] SIPAE-3.2.4.4-02).
pub(super) fn referred_by(inputs: &inputs::ReferredBy) -> Answer {
    let address = Address::parse(inputs.header.as_bytes()).ok();
    let param = address.and_then(|address| {
        let is_referee = |name: &[u8]| name.eq_ignore_ascii_case(b"ms-referee-uri");
        address.params.clone().find(|param| is_referee(param.name))
    });
    let referee =
        param.filter(|param| param.is_quoted && is_sip_uri(param.value)).map(|param| text(param.value));
    Answer::new()
        .value("uri", address.filter(|address| address.bracketed).map(|address| text(address.uri)))
        .value("referee_uri", referee)
}

fn is_sip_uri(uri: &[u8]) -> bool {
    let begins =
        |scheme: &[u8]| uri.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    begins(b"sip:") || begins(b"sips:")
}

/// What is reported of an authentication header field.
struct AuthFacts {
    scheme: String,
    params: BTreeMap<String, String>,
    findings: Vec<&'static str>,
}

impl AuthFacts {
    fn read(value: Value<'_>) -> Self {
        let header = AuthHeader::read(value);
        let mut params = BTreeMap::new();
        for step in Walk::new(value).1.take(sipae::auth::MAX_STEPS) {
            if let Step::Param(param) = step {
                params.entry(text(param.name).to_lowercase()).or_insert_with(|| param.value.to_text());
            }
        }
        let findings = header.findings().iter().map(|finding| finding.diagnostic.id()).collect();
        Self { scheme: text(header.scheme_text()), params, findings }
    }
}

pub(super) fn message(inputs: &inputs::SipMessage) -> Outcome {
    let message = parse(&inputs.message)?;
    let answer = facts(&message).into_iter().fold(start_line(&message), |answer, (name, fact)| match fact {
        Some(text) => answer.text(name, text),
        None => answer,
    });
    Ok(answer.value("auth", auth_fields(&message)).value("findings", findings(&message)))
}

fn start_line(message: &Message<'_>) -> Answer {
    match message.start_line() {
        StartLine::Request { method, uri } => {
            Answer::new().text("kind", "request").text("method", text(method)).text("request_uri", text(uri))
        }
        StartLine::Response { status, reason } => {
            Answer::new().text("kind", "response").number("status", status).text("reason", text(reason))
        }
    }
}

/// The header facts, each by its name; none where the message has no such value or it cannot be read.
fn facts(message: &Message<'_>) -> [(&'static str, Option<String>); 15] {
    let (from, to) = (message.from().ok(), message.to().ok());
    let contact = message.contact().ok().flatten();
    let cseq = message.cseq().ok();
    let identities = message.identities();
    [
        ("call_id", message.call_id().ok().map(Value::to_text)),
        ("cseq_number", cseq.map(|cseq| text(cseq.number))),
        ("cseq_method", cseq.map(|cseq| text(cseq.method))),
        ("from_uri", uri(from.as_ref())),
        ("from_tag", param(from.as_ref(), "tag")),
        ("from_epid", param(from.as_ref(), "epid")),
        ("to_uri", uri(to.as_ref())),
        ("to_tag", param(to.as_ref(), "tag")),
        ("to_epid", param(to.as_ref(), "epid")),
        ("expires", message.expires().ok().flatten().map(Value::to_text)),
        ("contact_uri", uri(contact.as_ref())),
        ("contact_instance", contact.as_ref().and_then(instance)),
        ("contact_gruu", param(contact.as_ref(), "gruu")),
        ("sip_identity", identity(identities.sip)),
        ("tel_identity", identity(identities.tel)),
    ]
}

fn uri(address: Option<&Address<'_>>) -> Option<String> {
    address.map(|address| text(address.uri))
}

fn param(address: Option<&Address<'_>>, name: &str) -> Option<String> {
    address.and_then(|address| address.param(name)).map(text)
}

fn instance(contact: &Address<'_>) -> Option<String> {
    contact.param("+sip.instance").and_then(InstanceId::from_instance).map(|id| id.to_string())
}

fn identity(uri: &[u8]) -> Option<String> {
    (!uri.is_empty()).then(|| text(uri))
}

fn auth_fields(message: &Message<'_>) -> Vec<Json> {
    let fields = message.headers().filter_map(|header| Some((header.known?, header.value)));
    fields.filter(|(name, _)| name.is_authentication()).map(|(name, value)| auth_field(name, value)).collect()
}

fn auth_field(name: HeaderName, value: Value<'_>) -> Json {
    let AuthFacts { scheme, params, findings } = AuthFacts::read(value);
    json!({"header": name.name(), "scheme": scheme, "params": params, "findings": findings})
}

/// Ids of the remarks about the message itself, sorted, each once.
fn findings(message: &Message<'_>) -> Vec<&'static str> {
    let mut ids: Vec<_> = message.findings().iter().map(|finding| finding.diagnostic.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
