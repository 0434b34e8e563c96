//! What ties the messages of a handshake together: opaque and CHALLENGE (SIPAE-3.3.5.2-09, -26, -27, -31).

use sipae::auth::{AuthHeader, AuthParam, ChallengeKind};
use sipae::message::Value;
use sipae_gen::{Mode, Edit, ParamEdit, Party, Script, Text};

use super::{STRANGER, deepest, refuses};
use crate::case::Case;
use crate::cases::{Handshake, first_token, handshake, signed};
use crate::judge::Judge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    [unmatched(), foreign(), again(), parallel(), chosen_by_client(), other_challenge()]
        .into_iter()
        .flatten()
        .collect()
}

fn set_opaque(value: &str) -> Edit {
    Edit::Param(AuthParam::Opaque, ParamEdit::Set(Text::of(value)))
}

/// AUTHENTICATE is good, and its opaque is not the one that came with the CHALLENGE.
const UNMATCHED: [(&str, &str, ParamEdit); 2] = [
    (
        "3.3.5.2/authenticate-with-unknown-opaque",
        "an AUTHENTICATE whose opaque names no handshake is refused",
        ParamEdit::ChangeLastDigit,
    ),
    ("3.3.5.2/authenticate-without-opaque", "an AUTHENTICATE without opaque is refused", ParamEdit::Remove),
];

fn unmatched() -> Vec<Case> {
    let case = |(id, title, change): (&str, &str, ParamEdit)| {
        let handshake = Handshake::user().completing([Edit::Param(AuthParam::Opaque, change)]);
        let played = handshake.clone().fenced();
        Case::new(id, title, &["SIPAE-3.3.5.2-09"])
            .with_continuation()
            .plan(move |mode| played.play(Script::connected(), mode))
            .judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-09", &handshake))
    };
    UNMATCHED.into_iter().map(case).collect()
}

/// A handshake that another endpoint began and the user completes: the token is right, so that no account fails.
fn foreign() -> Vec<Case> {
    let case = |id, begun_by: Party| {
        let begun = Handshake::of(begun_by, "begun");
        let completed = begun.clone().by(Party::USER);
        let played = completed.clone().fenced();
        Case::new(id, "a handshake that another endpoint began is not completed", &["SIPAE-3.3.5.2-09"])
            .with_continuation()
            .plan(move |mode| {
                let script = begun.begin(Script::connected().connect(begun_by.connection()), mode);
                played.finish(script, mode)
            })
            .judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-09", &completed))
    };
    vec![
        case("3.3.5.2/opaque-of-another-endpoint", Party::SECOND),
        case("3.3.5.2/opaque-of-another-user", Party::PEER).with_second_account(),
    ]
}

/// The right AUTHENTICATE over another connection, and once more after it has done its work.
fn again() -> Vec<Case> {
    let moved = Case::new(
        "3.3.5.2/completed-on-another-connection",
        "whether a handshake may go on over another connection is written down",
        &["SIPAE-3.3.5.2-09"],
    )
    .plan(|mode| {
        let script = first_token(Script::connected(), mode).connect(STRANGER);
        Handshake::user().on(STRANGER).fenced().finish(script, mode)
    })
    .judge(|judge| {
        let Some(reaction) = judge.observed("last") else { return };
        judge.record("SIPAE-3.3.5.2-09", "completed over another connection", &reaction.to_string());
    });
    let replayed = Case::new(
        "3.3.5.2/authenticate-again",
        "a completing request that comes again in another transaction is refused, and its association goes on",
        &["SIPAE-3.3.5.2-09", "SIPAE-3.3.5.2-28"],
    )
    .plan(|mode| {
        let script = handshake(mode).connect(STRANGER).replay("again", "last");
        let script = script.send_on("again", STRANGER).fence_on(STRANGER);
        signed(script, "after").ask("after")
    })
    .judge(|judge| {
        not_done_again(judge);
        judge.processed("SIPAE-3.3.5.2-28", "after");
    });
    vec![moved, replayed]
}

/// A copy may be refused below the handshake as well, under the association: 482 for a merged request, 500 for a CSeq
/// that does not rise.
fn not_done_again(judge: &mut Judge<'_>) {
    match judge.observation().reaction("again") {
        Some(reaction @ Reaction::Final { status: 400.., .. }) => {
            judge.record("SIPAE-3.3.5.2-09", "a completing request that comes again", &reaction.to_string());
        }
        _ => judge.refusal("SIPAE-3.3.5.2-09", "again"),
    }
}

/// Two handshakes of one endpoint under way.
fn parallel() -> Vec<Case> {
    let case = |id, order: [&'static str; 2]| {
        let title = "of two handshakes of one endpoint at once at least one comes to its end";
        Case::new(id, title, &["SIPAE-3.3.5.2-26"])
            .plan(move |mode| {
                let begin = |script, name| Handshake::of(Party::USER, name).fenced().begin(script, mode);
                let script = begin(Script::connected(), "one").attempt(|script| begin(script, "two"));
                script.each(order, |script, name| {
                    script.attempt(|script| Handshake::of(Party::USER, name).fenced().finish(script, mode))
                })
            })
            .judge(one_of_both)
    };
    vec![
        case("3.3.5.2/parallel-handshakes", ["one", "two"]),
        case("3.3.5.2/parallel-handshakes-in-reverse", ["two", "one"]),
    ]
}

fn one_of_both(judge: &mut Judge<'_>) {
    let ends = ["one last", "two last"].map(|name| judge.observation().reaction(name));
    if ends == [None, None] {
        let why = judge.observation().broken.clone().unwrap_or_else(|| "no handshake was begun".to_owned());
        return judge.undecide(why);
    }
    let [one, two] = ends.map(|end| end.map_or_else(|| "not begun".to_owned(), ToString::to_string));
    let what = format!("one: {one}; two: {two}");
    let is_final = |end: &Option<&Reaction>| matches!(end, Some(Reaction::Final { .. }));
    let holds = if ends.iter().any(is_final) { Ok(()) } else { Err(what.clone()) };
    judge.check("SIPAE-3.3.5.2-26", "one of the two at least has a final answer", holds);
    judge.record("SIPAE-3.3.5.2-26", "two handshakes at once", &what);
}

/// First tokens that bring an opaque along, and what it is.
fn chosen_by_client() -> Vec<Case> {
    let own = Case::new(
        "3.3.5.2/opaque-chosen-by-client",
        "an opaque that the client made up does not become that of the association",
        &["SIPAE-3.3.5.2-27"],
    )
    .plan(|mode| claiming("0123ABCD").fenced().begin(Script::connected().connect(STRANGER), mode))
    .judge(|judge| another_opaque(judge, Some("0123ABCD")));
    let established = Case::new(
        "3.3.5.2/opaque-of-an-association-in-first-token",
        "a first token with the opaque of another endpoint's association gets another one, and harms nobody",
        &["SIPAE-3.3.5.2-27"],
    )
    .plan(|mode| {
        let script = handshake(mode).connect(STRANGER);
        let script = script.attempt(|script| claiming("{sa.opaque}").fenced().begin(script, mode));
        signed(script, "owner").ask("owner")
    })
    .judge(|judge| {
        another_opaque(judge, None);
        judge.processed("SIPAE-3.3.5.2-27", "owner");
    });
    let unfinished = Case::new(
        "3.3.5.2/opaque-of-a-handshake-in-first-token",
        "a first token with the opaque of another endpoint's handshake gets another one, and harms nobody",
        &["SIPAE-3.3.5.2-27"],
    )
    .plan(|mode| {
        let script = first_token(Script::connected(), mode).connect(STRANGER);
        let script = script.attempt(|script| claiming("{sa.opaque}").fenced().begin(script, mode));
        Handshake::user().finish(script, mode)
    })
    .judge(|judge| {
        another_opaque(judge, None);
        judge.processed("SIPAE-3.3.5.2-27", "last");
    });
    vec![own, established, unfinished]
}

/// Another endpoint of the user, whose first token claims this opaque.
fn claiming(opaque: &str) -> Handshake {
    let claim = Edit::AddParam { name: "opaque".to_owned(), value: Text::of(opaque), first: false };
    Handshake::of(Party::SECOND, "claim").with_credential([claim]).on(STRANGER)
}

/// The claim is refused, or the continuation has an opaque that is not the claimed one: that of the user's handshake,
/// where none is given.
fn another_opaque(judge: &mut Judge<'_>, claimed: Option<&str>) {
    let claim = claiming("");
    let message = deepest(judge, &claim);
    let Some(reaction) = judge.observed(message) else { return };
    if !matches!(reaction, Reaction::Continuation(_)) {
        return judge.refused("SIPAE-3.3.5.2-27", message);
    }
    let observation = judge.observation();
    let owned = observation.challenge("first", opaque_of).flatten();
    let claimed = claimed.map(str::to_owned).or(owned);
    let given = observation.challenge(message, opaque_of).flatten();
    let holds = if given == claimed { Err(format!("{given:?}")) } else { Ok(()) };
    judge.check("SIPAE-3.3.5.2-27", "an opaque that the server has chosen", holds);
}

fn opaque_of(_: ChallengeKind, line: &AuthHeader<'_>) -> Option<String> {
    line.get(AuthParam::Opaque).map(Value::to_text)
}

/// The token of one CHALLENGE under the opaque of another one: a proof that is wrong, hence the sacrificial account.
fn other_challenge() -> Vec<Case> {
    let case = |id, of: &'static str, under: &'static str| {
        let title = "an AUTHENTICATE that answers another CHALLENGE of the same endpoint is refused";
        let taken = move |name| Handshake::of(Party::SACRIFICIAL, name).fenced();
        let judged = taken(of);
        Case::new(id, title, &["SIPAE-3.3.5.2-31"])
            .with_ntlm()
            .failing_logons(1)
            .plan(move |mode: Mode| {
                let script = Script::default().connect(Party::SACRIFICIAL.connection());
                let script = taken("two").begin(taken("one").begin(script, mode), mode);
                let mixed = taken(of).completing([set_opaque(&format!("{{{under}.opaque}}"))]);
                mixed.ask(mixed.complete(script, mode), mixed.last())
            })
            .judge(move |judge| refuses(judge, "SIPAE-3.3.5.2-31", &judged))
    };
    vec![
        case("3.3.5.2/authenticate-of-older-challenge", "one", "two"),
        case("3.3.5.2/authenticate-of-newer-challenge", "two", "one"),
    ]
}
