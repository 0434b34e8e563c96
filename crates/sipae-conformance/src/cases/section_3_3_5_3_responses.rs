//! 3.3.5.3: responses of clients are verified before they are relayed.

use sipae::auth::AuthParam;
use sipae::message::{HeaderName, Message};
use sipae_gen::{Edit, ParamEdit, Party, Script, Signing};

use super::section_3_3_4_1_deliveries::register_of;
use super::{PEER_SA, SA, both, to_peer};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Reaction;

/// A response that is not what it claims to be.
#[derive(Clone, Copy)]
pub(super) struct Forgery {
    pub(super) id: &'static str,
    /// What it is.
    pub(super) what: &'static str,
    /// Its status.
    pub(super) status: u16,
    /// Makes the message `forged` one.
    pub(super) forge: fn(Script) -> Script,
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> =
        FORGERIES.into_iter().map(|forgery| forged("3.3.5.3", "SIPAE-3.3.5.3-11", forgery)).collect();
    cases.push(forged("3.3.5.3", "SIPAE-3.3.5.3-05", USED_NUMBER));
    cases.push(ends_nothing());
    cases
}

const FORGERIES: [Forgery; 6] = [
    Forgery {
        id: "wrong-signature",
        what: "a 200 with a wrong signature",
        status: 200,
        forge: |script| script.sign("forged", PEER_SA).edit("forged", flipped()),
    },
    Forgery {
        id: "changed-status",
        what: "a 200 that was signed as 486",
        status: 200,
        forge: |script| {
            script.edit("forged", Edit::Status(486)).sign("forged", PEER_SA).edit("forged", Edit::Status(200))
        },
    },
    Forgery {
        id: "without-status",
        what: "a 200 signed without its status code, like a request",
        status: 200,
        forge: |script| {
            script.sign_with("forged", PEER_SA, Signing { without_status: true, ..Signing::default() })
        },
    },
    Forgery {
        id: "changed-to-tag",
        what: "a 603 whose To tag was changed after it was signed",
        status: 603,
        forge: |script| {
            let tag = Edit::Replace { header: HeaderName::To, from: ";tag=".into(), to: ";tag=x".into() };
            script.sign("forged", PEER_SA).edit("forged", tag)
        },
    },
    Forgery {
        id: "of-the-caller",
        what: "a 200 that the caller has signed",
        status: 200,
        forge: |script| script.sign("forged", SA),
    },
    Forgery {
        id: "without-response",
        what: "a 603 whose credential has no response",
        status: 603,
        forge: |script| {
            let missing = Edit::Param(AuthParam::Response, ParamEdit::Remove);
            script.sign("forged", PEER_SA).edit("forged", missing)
        },
    },
];

/// Number 1 has been used by then, whatever the version.
const USED_NUMBER: Forgery = Forgery {
    id: "used-number",
    what: "a 200 signed with a number that was used before",
    status: 200,
    forge: |script| script.sign_number("forged", PEER_SA, 1),
};

const fn flipped() -> Edit {
    Edit::Param(AuthParam::Response, ParamEdit::FlipBit)
}

/// A response that must not be relayed, and a right one with another status after it.
pub(super) fn forged(section: &str, row: &'static str, forgery: Forgery) -> Case {
    let title = format!("{} of who was asked is not relayed", forgery.what);
    Case::new(&format!("{section}/response-{}", forgery.id), &title, &[row])
        .with_peer()
        .plan(move |mode| {
            let script = both(mode).signed_fence_on(PEER_SA, Party::PEER.connection());
            let script = asked(script).respond("forged", "request", Party::PEER, forgery.status);
            (forgery.forge)(script)
                .send("forged")
                .respond("right", "request", Party::PEER, if forgery.status < 300 { 486 } else { 200 })
                .sign("right", PEER_SA)
                .send("right")
                .wait("request")
        })
        .judge(move |judge| not_relayed(judge, row, forgery.status))
}

fn asked(script: Script) -> Script {
    to_peer(script, "request", "MESSAGE").send("request").expect("request", Party::PEER)
}

/// The caller may see the right response, a failure that the server makes, or nothing.
fn not_relayed(judge: &mut Judge<'_>, row: &'static str, forged: u16) {
    let (Some(_), Some(reaction)) = (judge.observed("forged"), judge.observed("request")) else { return };
    let sent = judge.observation().sent("forged", to_tag).flatten();
    let came = judge.observation().answer("request", to_tag).flatten();
    let is_relayed = match reaction {
        Reaction::Final { status, .. } if forged < 300 => *status < 300,
        Reaction::Final { status, .. } => *status == forged,
        _ => false,
    };
    if is_relayed && came != sent {
        return judge.undecide(format!("another endpoint has answered: {reaction}"));
    }
    let holds = if is_relayed { Err(format!("request: {reaction}")) } else { Ok(()) };
    judge.check(row, &format!("request: not answered with that {forged}"), holds);
}

fn to_tag(message: &Message<'_>) -> Option<Vec<u8>> {
    message.to().ok()?.tag.map(<[u8]>::to_vec)
}

fn ends_nothing() -> Case {
    Case::new(
        "3.3.5.3/forged-response-ends-nothing",
        "a response with a wrong signature ends no association",
        &["SIPAE-3.3.5.3-04"],
    )
    .with_peer()
    .plan(|mode| {
        let script = asked(both(mode))
            .respond("forged", "request", Party::PEER, 200)
            .sign("forged", PEER_SA)
            .edit("forged", flipped())
            .send("forged");
        register_of(script, Party::PEER, PEER_SA, "after")
    })
    .judge(|judge| {
        // Closing is tolerated if the association survives on a new connection, which is not tried here.
        if judge.observation().ended.contains_key(&Party::PEER.connection().0) {
            return judge.undecide("the connection was closed".to_owned());
        }
        judge.processed("SIPAE-3.3.5.3-04", "after");
    })
}
