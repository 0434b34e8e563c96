//! 3.3.5.1: what is not authenticated has no effect on others.

use sipae::auth::AuthParam;
use sipae_gen::{Edit, ParamEdit, Party, Recipient, Script, Template};

use super::section_3_3_5_3_responses::{Forgery, forged};
use super::seen::delivered;
use super::{PEER_SA, both, delivery_fence, to_peer};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = METHODS.into_iter().map(bare).collect();
    cases.extend(SILENT.into_iter().map(bare_silent));
    cases.extend([bare_unregister(), bare_elsewhere()]);
    cases.extend(UNSIGNED.into_iter().map(|forgery| forged("3.3.5.1", "SIPAE-3.3.5.1-17", forgery)));
    cases
}

const METHODS: [&str; 3] = ["MESSAGE", "SUBSCRIBE", "INVITE"];
const SILENT: [&str; 2] = ["ACK", "CANCEL"];

/// A request to the second user, of an endpoint that has no association.
fn stranger(script: Script, method: &str) -> Script {
    let script = script
        .connect(Party::SECOND.connection())
        .compose("bare", Template::new(method).of(Party::SECOND).to(Recipient::Account(Party::PEER)))
        .send("bare")
        .fence_on(Party::SECOND.connection());
    delivery_fence(script)
}

fn bare(method: &'static str) -> Case {
    let id = format!("3.3.5.1/bare-{}-to-another", method.to_lowercase());
    let title = format!("a bare {method} to another user is challenged and reaches nobody");
    Case::new(&id, &title, &["SIPAE-3.1-08", "SIPAE-3.3.5.1-15"])
        .with_peer()
        .plan(move |mode| stranger(both(mode), method))
        .judge(|judge| {
            judge.reaction("SIPAE-3.1-08", "bare");
            if judge.presupposes("delivery fence") {
                judge.undelivered("SIPAE-3.3.5.1-15", "bare");
            }
        })
}

fn bare_silent(method: &'static str) -> Case {
    let id = format!("3.3.5.1/bare-{}-to-another", method.to_lowercase());
    Case::new(&id, &format!("a bare {method} to another user reaches nobody"), &["SIPAE-3.3.5.1-15"])
        .with_peer()
        .plan(move |mode| stranger(both(mode), method))
        .judge(|judge| {
            if judge.presupposes("delivery fence") {
                judge.undelivered("SIPAE-3.3.5.1-15", "bare");
            }
        })
}

/// Anybody can write a REGISTER with the address and epid of another: who could end a registration with it could cut
/// everybody off.
fn bare_unregister() -> Case {
    Case::new(
        "3.3.5.1/bare-unregister",
        "a bare REGISTER with Expires 0 ends no registration",
        &["SIPAE-3.3.5.1-15"],
    )
    .with_peer()
    .plan(|mode| {
        let unregister = Template::new("REGISTER").of(Party::PEER).header("Expires", "0");
        let script = both(mode).compose("bare", unregister).ask("bare");
        to_peer(script, "after", "MESSAGE").ask("after")
    })
    .judge(|judge| {
        let (Some(_), Some(after)) = (judge.observed("bare"), judge.observed("after")) else { return };
        let is_there = delivered(judge, "after", Party::PEER).is_some();
        let holds = if is_there { Ok(()) } else { Err(format!("not delivered: {after}")) };
        judge.check("SIPAE-3.3.5.1-15", "after: delivered to peer", holds);
    })
}

fn bare_elsewhere() -> Case {
    let elsewhere = Party::PEER_SECOND;
    Case::new(
        "3.3.5.1/bare-register-elsewhere",
        "a bare REGISTER over another connection draws no requests there",
        &["SIPAE-3.3.5.1-15"],
    )
    .with_peer()
    .plan(move |mode| {
        let script = both(mode)
            .connect(elsewhere.connection())
            .compose("bare", Template::new("REGISTER").of(Party::PEER))
            .send_on("bare", elsewhere.connection())
            .wait("bare");
        to_peer(script, "after", "MESSAGE").ask("after")
    })
    .judge(move |judge| {
        let (Some(_), Some(after)) = (judge.observed("bare"), judge.observed("after")) else { return };
        if delivered(judge, "after", elsewhere).is_some() {
            let got = Err("delivered over the connection of the bare REGISTER".to_owned());
            judge.check("SIPAE-3.3.5.1-15", "after: delivered where the user has authenticated", got);
        } else if delivered(judge, "after", Party::PEER).is_some() {
            judge.check("SIPAE-3.3.5.1-15", "after", Ok(()));
        } else {
            judge.undecide(format!("after was not delivered: {after}"));
        }
    })
}

/// Responses that no association has signed, as far as the server can tell.
const UNSIGNED: [Forgery; 3] = [
    Forgery { id: "unsigned-200", what: "an unsigned 200", status: 200, forge: |script| script },
    Forgery { id: "unsigned-603", what: "an unsigned 603", status: 603, forge: |script| script },
    Forgery {
        id: "unknown-opaque-200",
        what: "a 200 signed under an opaque that nobody has",
        status: 200,
        forge: |script| {
            let other = Edit::Param(AuthParam::Opaque, ParamEdit::ChangeLastDigit);
            script.sign("forged", PEER_SA).edit("forged", other)
        },
    },
];
