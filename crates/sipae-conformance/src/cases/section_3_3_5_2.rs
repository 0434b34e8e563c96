//! 3.3.5.2: handshake messages.

mod carriers;
mod claims;
mod completion;
mod flood;
mod identifiers;
mod kerberos;
mod opaque;
mod parameters;
mod tls_dsk;
mod tokens;

use sipae::auth::{AuthHeader, AuthParam, ChallengeKind, Scheme};
use sipae::message::{HeaderName, Message, Value};
use sipae::ntlm::Challenge;
use sipae_gen::{Connection, Script};

use super::{Handshake, first_token, handshake};
use crate::case::{Case, Gate};
use crate::judge::Judge;
use crate::observation::challenge_of;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    let parts = [
        answers(),
        identifiers::cases(),
        completion::cases(),
        opaque::cases(),
        claims::cases(),
        tokens::cases(),
        parameters::cases(),
        carriers::cases(),
        flood::cases(),
        kerberos::cases(),
        tls_dsk::cases(),
    ];
    parts.into_iter().flatten().collect()
}

/// The connection of somebody who is not the endpoint that they claim to be.
const STRANGER: Connection = Connection(6);

/// A request of the endpoint of a handshake, signed under the association that came out of it.
fn signed_after(handshake: &Handshake, script: Script) -> Script {
    handshake.ask(handshake.signed(script, "after"), "after")
}

/// The last request of a handshake that was sent.
fn deepest<'n>(judge: &Judge<'_>, handshake: &'n Handshake) -> &'n str {
    let requests = handshake.requests();
    let was_sent = |name: &&str| judge.observation().seen(name).is_some();
    requests.into_iter().rev().find(was_sent).unwrap_or(requests[0])
}

/// Why the script did not go on behind a request whose answer asked for the next one.
fn stopped(judge: &mut Judge<'_>, handshake: &Handshake, message: &str) -> bool {
    let [bare, first, second, _] = handshake.requests();
    let goes_on = match judge.observation().reaction(message) {
        Some(Reaction::Challenge(_) | Reaction::Final { status: 200..300, .. }) => message == bare,
        Some(Reaction::Continuation(_)) => message == bare || message == first || message == second,
        Some(_) => false,
        None => true,
    };
    if goes_on {
        let why = judge.observation().broken.clone().unwrap_or_else(|| "the handshake stopped".to_owned());
        judge.undecide(format!("{message}: {why}"));
    }
    goes_on
}

/// The handshake comes to its final answer.
fn completes(judge: &mut Judge<'_>, row: &'static str, handshake: &Handshake) {
    let message = deepest(judge, handshake);
    if stopped(judge, handshake, message) {
        return;
    }
    if message == handshake.last() {
        return judge.processed(row, message);
    }
    judge.answered_as(row, message, "the handshake goes on", |_| false);
}

/// The handshake is refused at one of its requests, and there is no association: a request signed under it, if the
/// script has one, is refused too.
fn refuses(judge: &mut Judge<'_>, row: &'static str, handshake: &Handshake) {
    let message = deepest(judge, handshake);
    if stopped(judge, handshake, message) {
        return;
    }
    judge.refusal(row, message);
    if judge.observation().seen("after").is_some() {
        judge.refusal(row, "after");
    }
}

fn answers() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.2/continuation",
            "a first token is answered with opaque and token, all else as in the first challenge",
            &["SIPAE-3.3.5.2-07", "SIPAE-3.3.5.2-13", "SIPAE-3.3.5.2-14"],
        )
        .with_continuation()
        .behind(Gate::Offered)
        .plan(|mode| first_token(Script::connected(), mode))
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.2-07", "first");
            if matches!(judge.observation().reaction("first"), Some(Reaction::Continuation(_))) {
                let scheme = judge.mode().scheme;
                let what = format!("one {scheme} line with opaque and token");
                judge.answer("SIPAE-3.3.5.2-07", "first", &what, |answer| continuation(scheme, answer));
                judge_rest(judge);
                same_as_first(judge);
            }
        }),
        Case::new(
            "3.3.5.2/challenge-flags",
            "the CHALLENGE is of the connectionless kind and asks for signing",
            &["SIPAE-3.3.5.2-08"],
        )
        .with_ntlm()
        .behind(Gate::Offered)
        .plan(|mode| first_token(Script::connected(), mode))
        .judge(|judge| {
            judge.answer("SIPAE-3.3.5.2-08", "first", "flags DATAGRAM, KEY_EXCH and SIGN", |answer| {
                let (_, line) = challenge_of(Scheme::Ntlm, answer).ok_or("no NTLM line")?;
                challenge(&line)?.check_for_sip().map_err(|error| error.to_string())
            });
        }),
        Case::new(
            "3.3.5.2/completes",
            "a good handshake ends in a signed final answer whose number is 1",
            &["SIPAE-3.3.5.2-24", "SIPAE-3.3.4.1-04"],
        )
        .plan(handshake)
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.2-24", "last");
            let Some(number) = judge.observation().reaction("last").and_then(Reaction::number) else {
                return;
            };
            let provisional =
                judge.observation().exchange.iter().any(|message| message.label.starts_with('1'));
            if number != 1 && (provisional || !judge.observation().unasked.is_empty()) {
                return judge.undecide("another message may have taken number 1".to_owned());
            }
            let holds = if number == 1 { Ok(()) } else { Err(format!("snum {number}")) };
            judge.check(
                "SIPAE-3.3.4.1-04",
                "snum 1 in the first message signed with a new association",
                holds,
            );
        }),
    ]
}

fn challenge(line: &AuthHeader<'_>) -> Result<Challenge, String> {
    let token = line.token().map_err(|diagnostic| diagnostic.to_string())?.ok_or("no gssapi-data")?;
    Challenge::read(&token).map_err(|error| error.to_string())
}

fn continuation(scheme: Scheme, answer: &Message<'_>) -> Result<(), String> {
    let (kind, line) = challenge_of(scheme, answer).ok_or_else(|| format!("no {scheme} line"))?;
    let lines = answer.all(kind.challenge()).map(AuthHeader::read);
    if lines.filter(|other| other.scheme() == line.scheme()).count() != 1 {
        return Err(format!("more than one {scheme} line"));
    }
    if line.get(AuthParam::Opaque).is_none_or(|opaque| opaque.raw().is_empty()) {
        return Err(format!("no opaque in {}", line.value().to_text()));
    }
    if scheme == Scheme::Ntlm {
        return challenge(&line).map(|_| ());
    }
    let token = line.token().map_err(|diagnostic| diagnostic.to_string())?;
    token.filter(|token| !token.is_empty()).map(|_| ()).ok_or_else(|| "no gssapi-data".to_owned())
}

/// What the row says of the rest of the answer is weaker.
fn judge_rest(judge: &mut Judge<'_>) {
    let rest = judge.observation().answer("first", |answer| (is_alone(answer), has_date(answer)));
    let Some((alone, date)) = rest else { return };
    judge.weakly("SIPAE-3.3.5.2-07", "no line of another scheme", alone);
    judge.weakly("SIPAE-3.3.5.2-07", "a Date", date);
}

fn is_alone(answer: &Message<'_>) -> Result<(), String> {
    let lines: usize = HeaderName::CHALLENGES.iter().map(|name| answer.count(*name)).sum();
    if lines == 1 { Ok(()) } else { Err(format!("{lines} lines")) }
}

fn has_date(answer: &Message<'_>) -> Result<(), String> {
    if answer.count(HeaderName::Date) == 0 { Err("none".to_owned()) } else { Ok(()) }
}

/// Status kind, realm, targetname and version stay what they were.
fn same_as_first(judge: &mut Judge<'_>) {
    let facts = |kind: ChallengeKind, line: &AuthHeader<'_>| {
        let text = |param| line.get(param).map(Value::to_text);
        (kind, [AuthParam::Realm, AuthParam::Targetname, AuthParam::Version].map(text))
    };
    let observation = judge.observation();
    let first = observation.challenge("bare", facts);
    let second = observation.challenge("first", facts);
    let (Some((first_kind, first)), Some((second_kind, second))) = (first, second) else {
        return judge.undecide("a challenge has no line of the scheme to compare".to_owned());
    };
    let kind = if first_kind == second_kind { Ok(()) } else { Err(second_kind.status().to_string()) };
    judge.check("SIPAE-3.3.5.2-13", &first_kind.status().to_string(), kind);
    let params = if first == second { Ok(()) } else { Err(format!("{second:?}")) };
    judge.check("SIPAE-3.3.5.2-14", &format!("realm, targetname, version {first:?}"), params);
}
