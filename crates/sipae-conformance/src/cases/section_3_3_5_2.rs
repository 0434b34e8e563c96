//! 3.3.5.2: handshake messages.

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::{Message, Value};
use sipae::ntlm::Challenge;
use sipae::version::Version;
use sipae_gen::{Party, Password, Script, Template, Token};

use super::{first_token, handshake, signed};
use crate::case::{Case, Gate};
use crate::judge::Judge;
use crate::observation::ntlm_challenge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.2/continuation",
            "an empty NTLM token is answered with opaque and CHALLENGE, all else as in the first challenge",
            &["SIPAE-3.3.5.2-07", "SIPAE-3.3.5.2-13", "SIPAE-3.3.5.2-14"],
        )
        .behind(Gate::Offered)
        .plan(|_| first_token(Script::connected()))
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.2-07", "first");
            if matches!(judge.observation().reaction("first"), Some(Reaction::Continuation(_))) {
                judge.answer(
                    "SIPAE-3.3.5.2-07",
                    "first",
                    "one NTLM line with opaque and a CHALLENGE",
                    continuation,
                );
                same_as_first(judge);
            }
        }),
        Case::new(
            "3.3.5.2/challenge-flags",
            "the CHALLENGE is of the connectionless kind and asks for signing",
            &["SIPAE-3.3.5.2-08"],
        )
        .behind(Gate::Offered)
        .plan(|_| first_token(Script::connected()))
        .judge(|judge| {
            judge.answer("SIPAE-3.3.5.2-08", "first", "flags DATAGRAM, KEY_EXCH and SIGN", |answer| {
                challenge(answer)?.check_for_sip().map_err(|error| error.to_string())
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
            if number != 1 && provisional {
                return judge.undecide("a provisional response may have taken number 1".to_owned());
            }
            let holds = if number == 1 { Ok(()) } else { Err(format!("snum {number}")) };
            judge.check(
                "SIPAE-3.3.4.1-04",
                "snum 1 in the first message signed with a new association",
                holds,
            );
        }),
        Case::new(
            "3.3.5.2/completion-must-be-signed",
            "at version 4 an AUTHENTICATE without a signature gives no association",
            &["SIPAE-3.3.5.2-15"],
        )
        .at(&[Version::V4])
        .plan(|_| {
            let script = first_token(Script::connected())
                .adopt("sa", "first")
                .authenticate("sa", Party::USER, Password::Right)
                .compose("unsigned", Template::new("REGISTER"))
                .credential("unsigned", "sa", Token::Answer)
                .send("unsigned")
                .fence();
            signed(script, "after").send("after").fence()
        })
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.2-15", "unsigned");
            // The answer does not tell whether there is an association; a request signed under it does.
            judge.reaction("SIPAE-3.3.5.2-15", "after");
        }),
    ]
}

fn challenge(answer: &Message<'_>) -> Result<Challenge, String> {
    let (_, line) = ntlm_challenge(answer).ok_or("no NTLM line")?;
    let token = line.token().map_err(|diagnostic| diagnostic.to_string())?.ok_or("no gssapi-data")?;
    Challenge::read(&token).map_err(|error| error.to_string())
}

fn continuation(answer: &Message<'_>) -> Result<(), String> {
    let (kind, line) = ntlm_challenge(answer).ok_or("no NTLM line")?;
    let lines = answer.all(kind.challenge()).map(AuthHeader::read);
    if lines.filter(|other| other.scheme() == line.scheme()).count() != 1 {
        return Err("more than one NTLM line".to_owned());
    }
    if line.get(AuthParam::Opaque).is_none_or(|opaque| opaque.raw().is_empty()) {
        return Err(format!("no opaque in {}", line.value().to_text()));
    }
    challenge(answer).map(|_| ())
}

/// Status kind, realm, targetname and version stay what they were.
fn same_as_first(judge: &mut Judge<'_>) {
    let facts = |answer: &Message<'_>| {
        let (kind, line) = ntlm_challenge(answer)?;
        let text = |param| line.get(param).map(Value::to_text);
        Some((kind, [AuthParam::Realm, AuthParam::Targetname, AuthParam::Version].map(text)))
    };
    let observation = judge.observation();
    let first = observation.answer("bare", facts).flatten();
    let second = observation.answer("first", facts).flatten();
    let (Some((first_kind, first)), Some((second_kind, second))) = (first, second) else {
        return judge.undecide("a challenge has no NTLM line to compare".to_owned());
    };
    let kind = if first_kind == second_kind { Ok(()) } else { Err(second_kind.status().to_string()) };
    judge.check("SIPAE-3.3.5.2-13", &first_kind.status().to_string(), kind);
    let params = if first == second { Ok(()) } else { Err(format!("{second:?}")) };
    judge.check("SIPAE-3.3.5.2-14", &format!("realm, targetname, version {first:?}"), params);
}
