//! 3.1.1: the replay window, as far as a server shows it.

use sipae_gen::{Connection, Edit, Party, Script};
use sipae_spec::ReactionClass;

use super::{Handshake, SA, handshake, signed};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Reaction;

/// What a server that knows no window of its own may do with a copy; the list of the row has what MS-SIP says.
const CHALLENGES: [ReactionClass; 2] = [ReactionClass::Challenge401, ReactionClass::Challenge407];

pub(super) fn cases() -> Vec<Case> {
    [copies(), numbers(), edges(), others()].into_iter().flatten().collect()
}

/// A signed REGISTER with this number, and its answer.
fn numbered(script: Script, number: u32) -> Script {
    let name = number.to_string();
    signed_as(script, &name, number).ask(&name)
}

fn signed_as(script: Script, name: &str, number: u32) -> Script {
    script.compose(name, sipae_gen::Template::new("REGISTER")).sign_number(name, SA, number)
}

/// A message, others behind it, and its copy in another transaction.
fn replayed(script: Script, between: u32) -> Script {
    const AT_ONCE: usize = 20;
    let names: Vec<String> = (0..between).map(|place| format!("between {place}")).collect();
    let script = signed(script, "original").ask("original");
    names
        .chunks(AT_ONCE)
        .fold(script, |script, names| {
            script
                .each(names, |script, name| signed(script, name).send(name))
                .each(names, |script, name| script.wait(name))
        })
        .replay("copy", "original")
        .send("copy")
        .signed_fence(SA)
}

/// Only what was processed once can be processed twice. A challenge is right on another connection or for an association
/// that has gone; where both are there it is weak.
fn not_twice(judge: &mut Judge<'_>, row: &'static str) {
    if judge.presupposes("original") && !told_apart(judge, row, "copy") {
        judge.reaction_with(row, "copy", &CHALLENGES);
    }
}

/// Whether the target tells the copy for what it is, by 400, 482 or 500 for its CSeq, signed or not: it is not processed
/// then, though the answer may be signed. That is written down.
fn told_apart(judge: &mut Judge<'_>, row: &'static str, message: &str) -> bool {
    let Some(reaction) = judge.observed(message) else { return false };
    let is_told = matches!(reaction, Reaction::Final { status: 400 | 482 | 500, .. });
    if is_told {
        judge.record(row, message, &reaction.outline());
    }
    is_told
}

fn copies() -> Vec<Case> {
    vec![
        Case::new(
            "3.1.1/replay",
            "a signed request that comes again in another transaction is not processed again",
            &["SIPAE-3.1.1-05"],
        )
        .plan(|mode| replayed(handshake(mode), 2))
        .judge(|judge| not_twice(judge, "SIPAE-3.1.1-05")),
        Case::new(
            "3.1.1/replay-at-once",
            "the number that was received last is a replay too",
            &["SIPAE-3.1.1-01", "SIPAE-3.1.1-06"],
        )
        .plan(|mode| replayed(handshake(mode), 0))
        .judge(|judge| {
            for row in ["SIPAE-3.1.1-01", "SIPAE-3.1.1-06"] {
                if judge.presupposes("original") && !told_apart(judge, row, "copy") {
                    judge.reaction(row, "copy");
                }
            }
        }),
        Case::new(
            "3.1.1/replay-after-many",
            "a request is not processed again after 200 others",
            &["SIPAE-3.1.1-05"],
        )
        .plan(|mode| replayed(handshake(mode), 200))
        .judge(|judge| not_twice(judge, "SIPAE-3.1.1-05")),
        Case::new(
            "3.1.1/replay-on-another-connection",
            "a signed request that comes again over another connection is not processed again",
            &["SIPAE-3.1.1-05"],
        )
        .plan(|mode| {
            const OTHER: Connection = Connection(6);
            signed(handshake(mode), "original")
                .ask("original")
                .connect(OTHER)
                .replay("copy", "original")
                .send_on("copy", OTHER)
                .fence_on(OTHER)
        })
        .judge(|judge| {
            if judge.presupposes("original") {
                judge.reaction("SIPAE-3.1.1-05", "copy");
            }
        }),
    ]
}

/// Numbers that come one behind the other, and must all be processed.
fn rising(id: &str, title: &str, row: &'static str, numbers: &'static [u32]) -> Case {
    Case::new(id, title, &[row])
        .plan(|mode| numbers.iter().fold(handshake(mode), |script, number| numbered(script, *number)))
        .judge(move |judge| numbers.iter().for_each(|number| judge.processed(row, &number.to_string())))
}

fn numbers() -> Vec<Case> {
    vec![
        Case::new("3.1.1/first-number", "numbers begin at 1", &["SIPAE-3.1.1-02"])
            // The completing request of TLS-DSK has the first one at every version.
            .at(&[sipae::version::Version::V2, sipae::version::Version::V3])
            .with_last_token()
            .plan(|mode| numbered(handshake(mode), 1))
            .judge(|judge| judge.processed("SIPAE-3.1.1-02", "1")),
        rising(
            "3.1.1/window-moves-up",
            "numbers above the last one are accepted, beyond the first 256 too",
            "SIPAE-3.1.1-03",
            &[2, 3, 250, 300],
        ),
        rising("3.1.1/gaps", "numbers that are left out are no error", "SIPAE-3.1.1-08", &[2, 50, 52]),
        Case::new(
            "3.1.1/below-window",
            "a number below the window is not accepted, even if it has not been seen",
            &["SIPAE-3.1.1-07"],
        )
        .plan(|mode| {
            let climbed = [200, 400, 600, 800, 1000].into_iter().fold(handshake(mode), numbered);
            ["743", "3"]
                .into_iter()
                .fold(climbed, |script, name| {
                    signed_as(script, name, name.parse().unwrap_or_default()).send(name)
                })
                .signed_fence(SA)
        })
        .judge(|judge| {
            if judge.presupposes("1000") {
                let weak = [CHALLENGES[0], CHALLENGES[1], ReactionClass::Status(482)];
                judge.reaction_with("SIPAE-3.1.1-07", "743", &weak);
                judge.reaction_with("SIPAE-3.1.1-07", "3", &weak);
            }
        }),
    ]
}

fn edges() -> Vec<Case> {
    vec![
        Case::new(
            "3.1.1/out-of-order",
            "a number below the last one, inside the window and not seen, is accepted once",
            &["SIPAE-3.1.1-04"],
        )
        .plan(|mode| {
            let script = [2, 9, 5].into_iter().fold(handshake(mode), numbered);
            script.replay("again", "5").send("again").signed_fence(SA)
        })
        .judge(|judge| {
            if !judge.presupposes("9") {
                return;
            }
            // For servers the window is an inference (SIPAE-3.3.5.3-06 allows a refusal), so this fails nobody.
            let Some(late) = judge.observed("5") else { return };
            let is_accepted = matches!(late, Reaction::Final { .. });
            let holds = if is_accepted { Ok(()) } else { Err(late.to_string()) };
            judge.weakly("SIPAE-3.1.1-04", "5 behind 9: accepted", holds);
            if is_accepted && !told_apart(judge, "SIPAE-3.1.1-04", "again") {
                judge.refused("SIPAE-3.1.1-04", "again");
            }
        }),
        Case::new(
            "3.1.1/large-jump",
            "a jump of 300 is written down: a server may refuse it, and a client must not depend on it",
            &["SIPAE-3.1.1-12"],
        )
        .plan(|mode| signed_as(handshake(mode), "jump", 310).send("jump").fence())
        .judge(|judge| {
            let Some(reaction) = judge.observed("jump") else { return };
            judge.record("SIPAE-3.1.1-12", "cnum 310 behind 1", &reaction.outline());
        }),
    ]
}

fn others() -> Vec<Case> {
    vec![
        Case::new(
            "3.1.1/window-of-each-association",
            "two associations of one user count for themselves",
            &["SIPAE-3.1.1-10"],
        )
        .plan(|mode| {
            let script = handshake(mode).connect(Party::SECOND.connection());
            let script = Handshake::of(Party::SECOND, "second").play(script, mode);
            let script = signed_as(script, "of the first", 7).ask("of the first");
            script
                .compose("of the second", sipae_gen::Template::new("REGISTER").of(Party::SECOND))
                .sign_number("of the second", "second", 7)
                .ask("of the second")
        })
        .judge(|judge| {
            judge.processed("SIPAE-3.1.1-10", "of the first");
            judge.processed("SIPAE-3.1.1-10", "of the second");
        }),
        Case::new(
            "3.1.1/forgery-marks-no-number",
            "a number that only a forged message had is still free",
            &["SIPAE-3.1.1-09"],
        )
        .plan(|mode| {
            let script = signed_as(handshake(mode), "forged", 4)
                .edit("forged", Edit::Param(sipae::auth::AuthParam::Response, sipae_gen::ParamEdit::FlipBit))
                .send("forged");
            numbered(script, 4).retry("4")
        })
        .judge(|judge| judge.processed("SIPAE-3.1.1-09", "4")),
    ]
}
