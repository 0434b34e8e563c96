//! 3.3.5.5: later messages of an anonymous session.

use sipae_gen::{DigestChange, Party, Recipient, Script, Template};

use super::anonymous::{
    anonymous_invite, arriving, hang_up, inside, is_let_in, is_ordinary, join, join_as, joined, nonce_serves_again,
};
use super::section_3_3_5_4::weakly_refused;
use crate::case::{Case, Gate, Place};

const ROW: &str = "SIPAE-3.3.5.5-01";
/// Responses that are wrong count against an account, where there is one.
const WRONG: Party = Party::ANONYMOUS_WRONG;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "3.3.5.5/count",
            "a nonce count that rises is accepted, with gaps, and none a second time",
            ROW,
        )
        .plan(|_| {
            let user = Party::ANONYMOUS;
            let script = inside_with(join(), user, "next", DigestChange::default());
            let script = inside_with(script, user, "gap", counted(64));
            leave(inside_with(script, user, "again", counted(64)), user)
        })
        .judge(|judge| {
            if !joined(judge) || !nonce_serves_again(judge, "next") {
                return;
            }
            judge.answered_as(ROW, "next", "accepted", is_let_in);
            judge.answered_as(ROW, "gap", "accepted", is_let_in);
            // Counts may be checked, and need not (RFC 7616 3.3).
            if is_ordinary(judge, "bare") {
                weakly_refused(judge, ROW, "again");
            } else {
                judge.refusal(ROW, "again");
            }
        }),
        case("3.3.5.5/other-method", "a response for another method is refused", ROW)
            .failing_logons(1)
            .plan(|_| {
                let change = DigestChange { method: Some("INVITE".to_owned()), ..DigestChange::default() };
                let script = inside_with(join_as(WRONG), WRONG, "next", DigestChange::default());
                leave(inside_with(script, WRONG, "other", change), WRONG)
            })
            .judge(|judge| {
                if joined(judge) && nonce_serves_again(judge, "next") {
                    judge.refusal(ROW, "other");
                }
            }),
        case("3.3.5.5/other-uri", "a response for another URI is refused", ROW)
            .failing_logons(1)
            .plan(|_| {
                let uri = Some("sip:another@another.invalid".to_owned());
                let change = DigestChange { uri, ..DigestChange::default() };
                leave(inside_with(join_as(WRONG), WRONG, "other", change), WRONG)
            })
            // Servers should compare, and need not (RFC 2617 3.2.2.5): proxies change Request-URIs.
            .judge(|judge| {
                if joined(judge) {
                    weakly_refused(judge, ROW, "other");
                }
            }),
        case(
            "3.3.5.5/other-caller",
            "the nonce of one anonymous caller is not accepted from another one",
            "SIPAE-3.3.5.5-02",
        )
        .in_place(Place::Conference)
        .plan(|_| {
            let second = Party::ANONYMOUS_SECOND;
            let script = join()
                .connect(second.connection())
                .compose("other", anonymous_invite().of(second))
                .digest("other", "bare")
                .send("other")
                .fence_on(second.connection())
                .wait("other");
            leave(hang_up(script, second, "other"), Party::ANONYMOUS)
        })
        .judge(|judge| {
            if joined(judge) {
                judge.refusal("SIPAE-3.3.5.5-02", "other");
            }
        }),
        case(
            "3.3.5.5/bare-ack",
            "an anonymous ACK or CANCEL without a credential is discarded without an answer",
            "SIPAE-3.3.5.5-03",
        )
        .behind(Gate::Offered)
        .in_place(Place::Conference)
        .plan(|_| {
            let bare = |method| Template::new(method).of(Party::ANONYMOUS).to(Recipient::Conference);
            arriving()
                .compose("ack", bare("ACK"))
                .send("ack")
                .compose("cancel", bare("CANCEL"))
                .send("cancel")
                .fence_on(Party::ANONYMOUS.connection())
        })
        .judge(|judge| {
            judge.silent("SIPAE-3.3.5.5-03", "ack");
            judge.silent("SIPAE-3.3.5.5-03", "cancel");
        }),
    ]
}

fn case(id: &str, title: &str, row: &'static str) -> Case {
    Case::new(id, title, &[row]).with_digest()
}

fn counted(count: u32) -> DigestChange {
    DigestChange { nc: Some(count), ..DigestChange::default() }
}

/// A request in the conference that may be left without an answer.
fn inside_with(script: Script, party: Party, message: &str, change: DigestChange) -> Script {
    script
        .compose(message, inside(party))
        .digest_with(message, "bare", change)
        .send(message)
        .fence_on(party.connection())
        .wait(message)
}

fn leave(script: Script, party: Party) -> Script {
    hang_up(script, party, "last")
}
