//! 3.1 and 3.1.1: two users, and what is not signed between them or comes twice.

use sipae_gen::{Party, Recipient, Template};
use sipae_spec::ReactionClass;

use super::section_3_3_4_1_deliveries::{
    acknowledged, answered_call, bye, register_of, ringing_call, unsigned_ack,
};
use super::{PEER_SA, SA, both, delivery_fence};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Reaction;

pub(super) fn cases() -> Vec<Case> {
    vec![unsigned_message(), unsigned_in_call(), unsigned_end(), retransmission()]
}

fn unsigned_message() -> Case {
    Case::new(
        "3.1/unsigned-message-to-another",
        "an unsigned request of an endpoint that has an association reaches nobody",
        &["SIPAE-3.1-01"],
    )
    .with_peer()
    .plan(|mode| {
        let script = both(mode)
            .compose("unsigned", Template::new("MESSAGE").to(Recipient::Account(Party::PEER)))
            .send("unsigned")
            .signed_fence(SA);
        delivery_fence(script)
    })
    .judge(not_processed)
}

fn unsigned_in_call() -> Case {
    Case::new(
        "3.1/unsigned-ack-in-call",
        "an unsigned ACK of an endpoint that has an association reaches nobody",
        &["SIPAE-3.1-01"],
    )
    .with_peer()
    .plan(|mode| {
        let script = ringing_call(both(mode))
            .respond("ok", "invite", Party::PEER, 200)
            .sign("ok", PEER_SA)
            .send("ok")
            .wait("invite");
        acknowledged(unsigned_ack(script, "unsigned").send("unsigned").signed_fence(SA))
    })
    .judge(not_processed)
}

fn unsigned_end() -> Case {
    Case::new(
        "3.1/unsigned-bye-in-call",
        "an unsigned BYE of an endpoint that has an association ends no call",
        &["SIPAE-3.1-01"],
    )
    .with_peer()
    .plan(|mode| {
        let script = bye(answered_call(both(mode)), "unsigned")
            .send("unsigned")
            .signed_fence_on(PEER_SA, Party::PEER.connection());
        bye(script, "bye").sign("bye", PEER_SA).ask("bye")
    })
    .judge(not_processed)
}

/// Whatever else it is told, closing and a 4xx are weak.
fn not_processed(judge: &mut Judge<'_>) {
    let weak = [ReactionClass::Close, ReactionClass::StatusClass(4)];
    judge.reaction_with("SIPAE-3.1-01", "unsigned", &weak);
}

/// A callee without ACK sends its 200 again, the same octets. It is a replay, and no attack.
fn retransmission() -> Case {
    Case::new(
        "3.1.1/retransmitted-answer",
        "a 200 to INVITE that is sent again ends neither connection nor association",
        &["SIPAE-3.1.1-13"],
    )
    .with_peer()
    .plan(|mode| {
        let script = ringing_call(both(mode))
            .respond("ok", "invite", Party::PEER, 200)
            .sign("ok", PEER_SA)
            .send("ok")
            .copy("again", "ok")
            .send("again")
            .wait("invite");
        let script = register_of(acknowledged(script), Party::PEER, PEER_SA, "after");
        bye(script, "bye").sign("bye", PEER_SA).ask("bye")
    })
    .judge(still_works)
}

fn still_works(judge: &mut Judge<'_>) {
    let (Some(_), Some(after)) = (judge.observed("again"), judge.observed("after")) else { return };
    let is_first_accepted = matches!(judge.observation().reaction("invite"), Some(Reaction::Final { .. }));
    if !is_first_accepted {
        return judge.undecide("invite has no final answer".to_owned());
    }
    let holds = if after.is_acceptance() { Ok(()) } else { Err(after.to_string()) };
    judge.check("SIPAE-3.1.1-13", "after the repetition: the association works", holds);
}
