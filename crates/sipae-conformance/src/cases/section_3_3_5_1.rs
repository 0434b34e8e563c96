//! 3.3.5.1: messages that are not authenticated.

use sipae::auth::ChallengeKind;
use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::clock::Time;
use sipae::message::{HeaderName, Message, MessageError};
use sipae_gen::{Script, Template};
use sipae_spec::ReactionClass;

use super::bare;
use crate::case::{Case, Gate};
use crate::judge::Judge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.1/challenge",
            "a bare request is challenged, with a line of scheme, realm, targetname and version",
            &[
                "SIPAE-3.3.5.1-01",
                "SIPAE-3.3.5.1-05",
                "SIPAE-3.3.5.1-06",
                "SIPAE-3.3.5.1-09",
                "SIPAE-3.3.5.1-11",
            ],
        )
        .behind(Gate::Reachable)
        .plan(|_| bare(Script::connected()))
        .judge(challenge),
        Case::new(
            "3.3.5.1/sts-uri",
            "the line of TLS-DSK says where certificates come from",
            &["SIPAE-3.3.5.1-08"],
        )
        .with(&[Scheme::TlsDsk])
        .behind(Gate::Reachable)
        .plan(|_| bare(Script::connected()))
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.1-08", "bare");
            let has_uri = |_, line: &AuthHeader<'_>| match line.get(AuthParam::StsUri) {
                Some(uri) if !uri.raw().is_empty() => Ok(()),
                _ => Err(line.value().to_text()),
            };
            match judge.observation().challenge("bare", has_uri) {
                Some(holds) => judge.check("SIPAE-3.3.5.1-08", "sts-uri in the line of TLS-DSK", holds),
                None => judge.undecide("the challenge has no line of TLS-DSK".to_owned()),
            }
        }),
        Case::new("3.3.5.1/date", "a challenge has a Date in the form of RFC 1123", &["SIPAE-3.3.5.1-10"])
            .behind(Gate::Reachable)
            .plan(|_| bare(Script::connected()))
            .judge(|judge| {
                judge.answer("SIPAE-3.3.5.1-10", "bare", "Date: Ddd, DD Mmm YYYY HH:MM:SS GMT", date);
            }),
        Case::new(
            "3.3.5.1/repeats-headers",
            "a challenge repeats Via, From, Call-ID and CSeq and adds a To tag",
            &["SIPAE-3.3.5.1-13"],
        )
        .behind(Gate::Reachable)
        .plan(|_| bare(Script::connected()))
        .judge(|judge| {
            let observation = judge.observation();
            let compare = |sent: &Message<'_>| observation.answer("bare", |answer| repeats(sent, answer));
            match observation.sent("bare", compare).flatten() {
                Some(holds) => {
                    judge.check("SIPAE-3.3.5.1-13", "the header fields of the request, and a To tag", holds);
                }
                None => judge.undecide("bare has no answer to look at".to_owned()),
            }
        }),
        Case::new(
            "3.3.5.1/bare-ack",
            "a bare ACK or CANCEL is discarded without an answer",
            &["SIPAE-3.3.5.1-03"],
        )
        .behind(Gate::Reachable)
        .plan(|_| {
            Script::connected()
                .compose("ack", Template::new("ACK"))
                .send("ack")
                .compose("cancel", Template::new("CANCEL"))
                .send("cancel")
                .fence()
        })
        .judge(|judge| {
            judge.reaction_with("SIPAE-3.3.5.1-03", "ack", &[ReactionClass::Close]);
            judge.reaction_with("SIPAE-3.3.5.1-03", "cancel", &[ReactionClass::Close]);
        }),
    ]
}

fn challenge(judge: &mut Judge<'_>) {
    // A challenge that brings a token at once is a challenge all the same; the token is a matter of another row.
    if !matches!(judge.observation().reaction("bare"), Some(Reaction::Continuation(_))) {
        judge.challenge_with("SIPAE-3.3.5.1-01", "bare", &[]);
    }
    let is_challenge = |answer: &Message<'_>| answer.status().and_then(ChallengeKind::from_status);
    if judge.observation().answer("bare", is_challenge).flatten().is_none() {
        return;
    }
    judge.answer("SIPAE-3.3.5.1-05", "bare", "an authentication header field", has_line);
    judge.answer(
        "SIPAE-3.3.5.1-09",
        "bare",
        "401 with WWW-Authenticate or 407 with Proxy-Authenticate",
        pairs,
    );
    line_shape(judge);
}

fn has_line(answer: &Message<'_>) -> Result<(), String> {
    let lines: usize = HeaderName::CHALLENGES.iter().map(|name| answer.count(*name)).sum();
    if lines == 0 { Err("none".to_owned()) } else { Ok(()) }
}

/// 401 goes with WWW-Authenticate, 407 with Proxy-Authenticate.
fn pairs(answer: &Message<'_>) -> Result<(), String> {
    let Some(kind) = answer.status().and_then(ChallengeKind::from_status) else { return Ok(()) };
    let other = match kind {
        ChallengeKind::Www => HeaderName::ProxyAuthenticate,
        ChallengeKind::Proxy => HeaderName::WwwAuthenticate,
    };
    if answer.count(other) == 0 { Ok(()) } else { Err(format!("{} with {other}", kind.status())) }
}

/// The line of the scheme under test.
fn line_shape(judge: &mut Judge<'_>) {
    let version = judge.mode().version.number();
    let shape = |_, line: &AuthHeader<'_>| (complete(line, version), stateless(line));
    match judge.observation().challenge("bare", shape) {
        Some((complete, stateless)) => {
            judge.check("SIPAE-3.3.5.1-06", "realm, targetname and version", complete);
            judge.check("SIPAE-3.3.5.1-11", "no gssapi-data", stateless);
        }
        None => judge.undecide("the challenge has no line of the scheme".to_owned()),
    }
}

fn complete(line: &AuthHeader<'_>, version: u32) -> Result<(), String> {
    let needed = [AuthParam::Realm, AuthParam::Targetname];
    if let Some(param) = needed.into_iter().find(|param| line.get(*param).is_none()) {
        return Err(format!("no {param} in {}", line.value().to_text()));
    }
    let same = line.version() == Ok(version);
    if same { Ok(()) } else { Err(format!("not version {version} in {}", line.value().to_text())) }
}

/// An opaque is legal here, a token is not.
fn stateless(line: &AuthHeader<'_>) -> Result<(), String> {
    let token = line.get(AuthParam::GssapiData);
    token.map_or(Ok(()), |_| Err(format!("gssapi-data in {}", line.value().to_text())))
}

pub(super) fn date(answer: &Message<'_>) -> Result<(), String> {
    let date = answer.first(HeaderName::Date).ok_or("no Date")?.to_text();
    let is_canonical = Time::from_date(&date).is_some_and(|time| time.date() == date);
    if is_canonical { Ok(()) } else { Err(format!("Date: {date}")) }
}

fn repeats(sent: &Message<'_>, answer: &Message<'_>) -> Result<(), String> {
    let readable = |error: MessageError| error.to_string();
    let same = |what: &str, holds: bool| if holds { Ok(()) } else { Err(format!("another {what}")) };
    let (from, back) = (sent.from().map_err(readable)?, answer.from().map_err(readable)?);
    same("Via branch", sent.branch() == answer.branch())?;
    same("From address", from.uri == back.uri)?;
    same("From tag", from.tag == back.tag)?;
    same("Call-ID", sent.call_id().map_err(readable)? == answer.call_id().map_err(readable)?)?;
    same("CSeq", sent.cseq().map_err(readable)? == answer.cseq().map_err(readable)?)?;
    let to = answer.to().map_err(readable)?;
    if to.tag.is_some_and(|tag| !tag.is_empty()) { Ok(()) } else { Err("no To tag".to_owned()) }
}
