//! 3.3.5.4: opening an anonymous session.

use std::collections::BTreeSet;

use sipae::auth::AuthHeader;
use sipae::conference::ConferenceUri;
use sipae::digest::{Algorithm, DigestChallenge, Qop};
use sipae::message::{HeaderName, Message, StartLine};
use sipae_gen::{DigestChange, Party, Recipient, Script, Template, Timer};

use super::anonymous::{anonymous_invite, arriving, challenged, challenged_as, hang_up, is_ordinary, join, joined};
use super::section_3_3_5_1::date;
use crate::case::{Case, Gate, Place};
use crate::gate::offered;
use crate::judge::Judge;
use crate::reaction::Reaction;

const CHALLENGES: [&str; 20] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19",
    "20",
];

pub(super) fn cases() -> Vec<Case> {
    challenges().into_iter().chain(nonces()).chain(credentials()).chain(openings()).collect()
}

fn case(id: &str, title: &str, rows: &[&'static str]) -> Case {
    Case::new(id, title, rows).with_digest()
}

fn challenges() -> Vec<Case> {
    let asked = |case: Case| {
        case.behind(Gate::Offered).in_place(Place::Conference).plan(|_| challenged())
    };
    vec![
        asked(case(
            "3.3.5.4/challenge",
            "an anonymous INVITE to a conference gets a Digest challenge with nonce, opaque, algorithm and qop=\"auth\"",
            &["SIPAE-3.3.5.4-01", "SIPAE-3.3.3-03"],
        ))
        .judge(challenge),
        asked(case("3.3.5.4/date", "a Digest challenge has a Date", &["SIPAE-3.3.5.4-02"])).judge(|judge| {
            judge.answer("SIPAE-3.3.5.4-02", "bare", "Date: Ddd, DD Mmm YYYY HH:MM:SS GMT", date);
        }),
        asked(case("3.3.5.4/algorithm", "a Digest challenge offers MD5-sess", &["SIPAE-3.3.5.4-03"])).judge(
            |judge| judge.answer("SIPAE-3.3.5.4-03", "bare", "a line with algorithm=MD5-sess", md5_sess),
        ),
    ]
}

fn challenge(judge: &mut Judge<'_>) {
    judge.reaction("SIPAE-3.3.5.4-01", "bare");
    let observation = judge.observation();
    let Some(read) = observation.challenge("bare", |_, line| DigestChallenge::of(line)) else {
        return judge.undecide("bare has no Digest challenge to look at".to_owned());
    };
    let whole = read.as_ref().map_err(ToString::to_string).and_then(is_whole);
    judge.check("SIPAE-3.3.5.4-01", "realm, nonce, opaque, algorithm and qop=\"auth\"", whole);
    let organizer = observation.sent("bare", organizer).unwrap_or_default();
    if let Ok(challenge) = read {
        let realm = String::from_utf8_lossy(&challenge.realm).into_owned();
        let holds = if challenge.realm.eq_ignore_ascii_case(&organizer) { Ok(()) } else { Err(realm) };
        judge.recorded("SIPAE-3.3.3-03", "realm: the address of the organizer", holds);
    }
}

fn is_whole(challenge: &DigestChallenge) -> Result<(), String> {
    let has_auth = challenge.qop.as_ref().is_some_and(|options| options.contains(&Qop::Auth));
    let parts = [
        ("a nonce", !challenge.nonce.is_empty()),
        ("opaque", challenge.opaque.is_some()),
        ("algorithm", challenge.algorithm.is_some()),
        ("qop=\"auth\"", has_auth),
    ];
    let missing: Vec<&str> = parts.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| *name).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("without {}", missing.join(", "))) }
}

fn organizer(invite: &Message<'_>) -> Vec<u8> {
    let StartLine::Request { uri, .. } = invite.start_line() else { return Vec::new() };
    ConferenceUri::read(uri).map(|uri| uri.organizer.to_vec()).unwrap_or_default()
}

fn md5_sess(answer: &Message<'_>) -> Result<(), String> {
    let lines = HeaderName::CHALLENGES.into_iter().flat_map(|name| answer.all(name)).map(AuthHeader::read);
    let read = lines.filter_map(|line| DigestChallenge::of(&line).ok());
    let algorithms: Vec<Algorithm> = read.map(|read| read.algorithm.unwrap_or_default()).collect();
    let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
    if algorithms.contains(&Algorithm::Md5Sess) { Ok(()) } else { Err(names.join(", ")) }
}

fn nonces() -> Vec<Case> {
    let connection = Party::ANONYMOUS.connection();
    vec![
        case("3.3.5.4/nonces", "twenty Digest challenges have twenty nonces", &["SIPAE-3.3.5.4-04"])
            .behind(Gate::Offered)
            .plan(|_| {
                arriving().each(CHALLENGES, |script, name| script.compose(name, anonymous_invite()).ask(name))
            })
            .judge(different),
        case("3.3.5.4/old-nonce", "a nonce that has ended is not accepted", &["SIPAE-3.3.5.4-04"])
            .over(Timer::Idle)
            .plan(move |_| {
                let script = challenged()
                    .disconnect(connection)
                    .elapse(Timer::Idle, 110)
                    .connect(connection)
                    .compose("late", anonymous_invite())
                    .digest("late", "bare")
                    .ask("late");
                hang_up(script, Party::ANONYMOUS, "late")
            })
            // How long nonces live is nobody's rule.
            .judge(|judge| weakly_refused(judge, "SIPAE-3.3.5.4-04", "late")),
    ]
}

fn different(judge: &mut Judge<'_>) {
    let observation = judge.observation();
    let nonce = |name: &&str| observation.challenge(name, |_, line| DigestChallenge::of(line))?.ok();
    let nonces: Vec<Vec<u8>> = CHALLENGES.iter().filter_map(nonce).map(|challenge| challenge.nonce).collect();
    if nonces.len() < 2 {
        return judge.undecide("there are no challenges to compare".to_owned());
    }
    let distinct = nonces.iter().collect::<BTreeSet<_>>().len();
    let got = format!("{distinct} nonces in {} challenges", nonces.len());
    let holds = if distinct == nonces.len() { Ok(()) } else { Err(got) };
    let expected = "a nonce of its own in each challenge";
    // A nonce that is made of the time is the example of RFC 7616 3.3.
    if CHALLENGES.first().is_some_and(|first| is_ordinary(judge, first)) {
        judge.weakly("SIPAE-3.3.5.4-04", expected, holds);
    } else {
        judge.check("SIPAE-3.3.5.4-04", expected, holds);
    }
}

/// A finding that fails nobody where the message was accepted.
pub(super) fn weakly_refused(judge: &mut Judge<'_>, row: &'static str, message: &str) {
    let Some(reaction) = judge.observed(message) else { return };
    let holds = if reaction.is_acceptance() { Err(reaction.to_string()) } else { Ok(()) };
    judge.weakly(row, &format!("{message}: refused"), holds);
}

/// `wrong` has a credential with a change.
fn wrong(party: Party, change: DigestChange) -> Script {
    let invite = || anonymous_invite().of(party);
    let script = challenged_as(party).compose("wrong", invite());
    let script = script.digest_with("wrong", "bare", change).ask("wrong");
    hang_up(script, party, "wrong")
}

fn credentials() -> Vec<Case> {
    let row = &["SIPAE-3.3.5.4-05"];
    let wrong_key = || DigestChange { key: Some("not the key".to_owned()), ..DigestChange::default() };
    let other_realm = || DigestChange { realm: Some("another.invalid".to_owned()), ..DigestChange::default() };
    vec![
        case("3.3.5.4/wrong-key", "a credential with a wrong key is refused, and not as a stale one", row)
            .failing_logons(1)
            .plan(move |_| wrong(Party::ANONYMOUS_WRONG, wrong_key()))
            .judge(|judge| {
                judge.refusal("SIPAE-3.3.5.4-05", "wrong");
                let stale = judge.observation().challenge("wrong", |_, line| {
                    DigestChallenge::of(line).is_ok_and(|challenge| challenge.stale)
                });
                let holds = if stale == Some(true) { Err("stale=true".to_owned()) } else { Ok(()) };
                judge.check("SIPAE-3.3.5.4-05", "wrong: no stale=true", holds);
            }),
        case("3.3.5.4/other-realm", "a credential for another realm is refused", row)
            .failing_logons(1)
            .plan(move |_| wrong(Party::ANONYMOUS_WRONG, other_realm()))
            .judge(|judge| judge.refusal("SIPAE-3.3.5.4-05", "wrong")),
        case(
            "3.3.5.4/unknown-conference",
            "a conference that does not exist is answered as one whose key is wrong",
            row,
        )
        .in_place(Place::Conference)
        .plan(move |_| {
            let unknown = || anonymous_invite().to(Recipient::NoConference);
            let script = wrong(Party::ANONYMOUS, wrong_key()).compose("bare unknown", unknown()).ask("bare unknown").attempt(
                |script| {
                    let script = script.compose("unknown", unknown());
                    script.digest_with("unknown", "bare unknown", wrong_key()).ask("unknown")
                },
            );
            hang_up(script, Party::ANONYMOUS, "unknown")
        })
        .judge(unknown),
    ]
}

fn unknown(judge: &mut Judge<'_>) {
    if judge.observation().seen("unknown").is_some() {
        judge.refusal("SIPAE-3.3.5.4-05", "unknown");
    }
    for (known, unknown) in [("bare", "bare unknown"), ("wrong", "unknown")] {
        let reaction = |name| judge.observation().reaction(name).map(Reaction::outline);
        if let (Some(expected), Some(got)) = (reaction(known), reaction(unknown)) {
            let holds = if expected == got { Ok(()) } else { Err(got) };
            judge.check("SIPAE-3.3.5.4-05", &format!("{unknown}: {expected}"), holds);
        }
    }
}

fn openings() -> Vec<Case> {
    let conference = |case: Case| case.behind(Gate::Offered).in_place(Place::Conference);
    vec![
        case(
            "3.3.5.4/closed-conference",
            "a conference that admits nobody without an account refuses an anonymous INVITE",
            &["SIPAE-3.3.5.4-06"],
        )
        .behind(Gate::Offered)
        .in_place(Place::ClosedConference)
        .plan(|_| {
            arriving().compose("closed", anonymous_invite().to(Recipient::ClosedConference)).ask("closed")
        })
        .judge(|judge| judge.reaction("SIPAE-3.3.5.4-06", "closed")),
        conference(case(
            "3.3.5.4/message-opens-nothing",
            "a MESSAGE opens no anonymous session",
            &["SIPAE-3.3.5.4-07"],
        ))
        .plan(|_| {
            let message = || Template::new("MESSAGE").of(Party::ANONYMOUS).to(Recipient::Conference);
            arriving().compose("message", message()).ask("message").attempt(|script| {
                script.compose("answer", message()).digest("answer", "message").ask("answer")
            })
        })
        .judge(|judge| {
            weakly_without_digest(judge, "SIPAE-3.3.5.4-07", "message");
            for message in ["message", "answer"] {
                if judge.observation().seen(message).is_some() {
                    judge.refused("SIPAE-3.3.5.4-07", message);
                }
            }
        }),
        conference(case(
            "3.3.5.4/invite-to-user",
            "Digest is for an anonymous INVITE to a conference alone, and the only scheme there",
            &["SIPAE-3.3.5.4-07", "SIPAE-3.3.5.1-14"],
        ))
        .plan(|_| {
            let to_user = anonymous_invite().to(Recipient::Account(Party::USER));
            challenged().compose("user", to_user).ask("user")
        })
        .judge(|judge| {
            judge.answer("SIPAE-3.3.5.1-14", "bare", "bare: Digest alone", digest_alone);
            judge.reaction("SIPAE-3.3.5.1-14", "bare");
            judge.refused("SIPAE-3.3.5.4-07", "user");
            weakly_without_digest(judge, "SIPAE-3.3.5.4-07", "user");
            weakly_without_digest(judge, "SIPAE-3.3.5.1-14", "user");
        }),
        case(
            "3.3.5.4/one-conference",
            "who has joined one conference is not let into another one",
            &["SIPAE-3.3.5.4-08"],
        )
        .in_place(Place::Conference)
        .plan(|_| {
            let other = anonymous_invite().to(Recipient::NoConference);
            let script = join().compose("other", other).digest("other", "bare").ask("other");
            let script = script.fence_on(Party::ANONYMOUS.connection());
            hang_up(hang_up(script, Party::ANONYMOUS, "other"), Party::ANONYMOUS, "last")
        })
        .judge(|judge| {
            if joined(judge) {
                judge.refusal("SIPAE-3.3.5.4-08", "other");
            }
        }),
    ]
}

fn digest_alone(answer: &Message<'_>) -> Result<(), String> {
    let schemes = offered(answer);
    let is_alone = schemes.iter().all(|scheme| scheme.eq_ignore_ascii_case("Digest"));
    if is_alone { Ok(()) } else { Err(schemes.join(", ")) }
}

fn weakly_without_digest(judge: &mut Judge<'_>, row: &'static str, message: &str) {
    let schemes = judge.observation().answer(message, offered).unwrap_or_default();
    let has_digest = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("Digest"));
    let holds = if has_digest { Err(schemes.join(", ")) } else { Ok(()) };
    judge.weakly(row, &format!("{message}: no Digest"), holds);
}
