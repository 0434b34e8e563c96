//! 3.3.5.3: what does not verify, or is not what it says it is, reaches nobody.

use sipae::auth::{AuthHeader, AuthParam, ChallengeKind};
use sipae::message::HeaderName;
use sipae::ntlm::{Challenge, NegotiateFlags};
use sipae_gen::{Edit, ParamEdit, Party, Recipient, Script, Template, Text};
use sipae_spec::ReactionClass;

use super::seen::{delivered, free_of, lines, sender};
use super::{SA, both, delivery_fence, handshake, to_peer};
use crate::case::Case;
use crate::judge::Judge;
use crate::observation::Delivery;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![forged_message(), replayed(), replayed_elsewhere(), reflected()];
    cases.extend(ALTERED.into_iter().map(altered));
    cases.extend(FOREIGN.into_iter().map(foreign));
    cases.extend(SPLIT.into_iter().map(split));
    cases
}

/// A change to the message `message`, which is for the second user.
type Change = fn(Script) -> Script;

/// One field of each kind that every version covers.
const ALTERED: [(&str, Change); 3] = [
    ("call-id", |script| {
        script.edit("message", Edit::SetHeader(HeaderName::CallId, Text::of("{user.epid}-altered")))
    }),
    ("cseq", |script| script.edit("message", Edit::SetHeader(HeaderName::CSeq, "4242424 MESSAGE".into()))),
    ("from-tag", |script| script.edit("message", Edit::FromTag("altered1".to_owned()))),
];

fn altered((field, change): (&'static str, Change)) -> Case {
    let title = format!("a MESSAGE whose {field} was changed after it was signed reaches nobody");
    Case::new(&format!("3.3.5.3/altered-message-{field}"), &title, &["SIPAE-3.3.5.3-03"])
        .with_peer()
        .plan(move |mode| {
            let script = change(to_peer(both(mode), "message", "MESSAGE"));
            delivery_fence(script.send("message").signed_fence(SA))
        })
        .judge(|judge| {
            // What makes a server look for a dialog or a transaction first.
            let weak = [404, 481, 482].map(ReactionClass::Status);
            judge.reaction_with("SIPAE-3.3.5.3-03", "message", &weak);
        })
}

fn forged_message() -> Case {
    Case::new(
        "3.3.5.3/forged-message",
        "a MESSAGE with a wrong signature reaches nobody",
        &["SIPAE-3.3.5.3-04"],
    )
    .with_peer()
    .plan(|mode| {
        let forged = Edit::Param(AuthParam::Response, ParamEdit::FlipBit);
        let script = to_peer(both(mode), "message", "MESSAGE").edit("message", forged);
        delivery_fence(script.send("message").signed_fence(SA))
    })
    .judge(|judge| {
        let weak = [ReactionClass::Close, ReactionClass::StatusClass(4)];
        judge.reaction_with("SIPAE-3.3.5.3-04", "message", &weak);
    })
}

/// A From that is not the user's, signed as it is. epid and Contact stay: only the address is another.
const FOREIGN: [(&str, &str, &str); 2] = [
    ("from-of-another", "the From of another user", "<sip:{peer.address}>"),
    ("from-of-another-domain", "a From of another domain", "<sip:somebody@elsewhere.example>"),
];

fn foreign((id, what, address): (&str, &str, &'static str)) -> Case {
    let title = format!("a MESSAGE with {what}, signed with one's own association, reaches nobody");
    Case::new(&format!("3.3.5.3/{id}"), &title, &["SIPAE-3.3.5.3-08"])
        .with_peer()
        .plan(move |mode| {
            let from = Edit::Replace {
                header: HeaderName::From,
                from: Text::of("<sip:{user.address}>"),
                to: Text::of(address),
            };
            let script =
                to_peer_changed(both(mode), |script| script.edit("message", from)).sign("message", SA);
            delivery_fence(script.send("message").signed_fence(SA))
        })
        .judge(|judge| judge.reaction("SIPAE-3.3.5.3-08", "message"))
}

/// A MESSAGE to the second user, changed before it is signed.
fn to_peer_changed(script: Script, change: impl FnOnce(Script) -> Script) -> Script {
    let template = Template::new("MESSAGE").to(Recipient::Account(Party::PEER));
    change(script.compose("message", template))
}

/// From values in which one reader finds the user and another one the second user. Where both addresses cannot be
/// signed, the user's is, and the other one is added behind it.
const SPLIT: [(&str, &str, Change); 4] = [
    ("display-name", "another address in a quoted display name", |script| {
        let from = "\"<sip:{peer.address}>\" <sip:{user.address}>;tag=split1;epid={user.epid}";
        script.edit("message", Edit::SetHeader(HeaderName::From, Text::of(from))).sign("message", SA)
    }),
    ("parameter", "another address in a header parameter", |script| {
        let from = "sip:{user.address};tag=split1;epid={user.epid};x=\"<sip:{peer.address}>\"";
        script.edit("message", Edit::SetHeader(HeaderName::From, Text::of(from))).sign("message", SA)
    }),
    ("brackets", "another address in a second pair of brackets", |script| {
        let second = Edit::Replace {
            header: HeaderName::From,
            from: ">".into(),
            to: Text::of("><sip:{peer.address}>"),
        };
        script.sign("message", SA).edit("message", second)
    }),
    ("line", "another address in a second From line", |script| {
        let second = Edit::AddHeader {
            name: "From".to_owned(),
            value: Text::of("<sip:{peer.address}>;tag=split1;epid={user.epid}"),
            first: false,
        };
        script.sign("message", SA).edit("message", second)
    }),
];

fn split((id, what, change): (&str, &str, Change)) -> Case {
    let title = format!("{what} than the one that is signed is never taken for the sender's");
    Case::new(&format!("3.3.5.3/split-from-{id}"), &title, &["SIPAE-3.3.5.3-19"])
        .with_peer()
        .plan(move |mode| {
            let script = to_peer_changed(both(mode), |script| {
                change(script.edit("message", Edit::FromTag("split1".to_owned())))
            });
            delivery_fence(script.send("message").signed_fence(SA))
        })
        .judge(never_as_another)
}

/// Refusing such a message is right; so is delivering it as the user's.
fn never_as_another(judge: &mut Judge<'_>) {
    let (Some(_), Some(another)) = (judge.observed("message"), sender(judge, "peer last")) else { return };
    let deliveries = judge.observation().deliveries("message").iter();
    let holds = deliveries.map(|delivery| as_the_user(delivery, &another)).find(Result::is_err);
    let expected = format!("message: not delivered as that of {another}");
    judge.check("SIPAE-3.3.5.3-19", &expected, holds.unwrap_or(Ok(())));
}

fn as_the_user(delivery: &Delivery, another: &str) -> Result<(), String> {
    let from = delivery.look(|message| {
        let address = message.from().ok().and_then(|from| from.address_of_record());
        address.map(|address| String::from_utf8_lossy(address).into_owned())
    });
    match from.flatten() {
        Some(address) if !address.eq_ignore_ascii_case(another) => {}
        _ => return Err(format!("From: {}", lines(delivery, HeaderName::From).join(" and "))),
    }
    let asserted = HeaderName::PAssertedIdentity;
    free_of(asserted, &lines(delivery, asserted), &format!("sip:{another}"))
}

fn replayed() -> Case {
    Case::new(
        "3.3.5.3/replayed-message",
        "a signed MESSAGE that comes again in another transaction is delivered once",
        &["SIPAE-3.3.5.3-05"],
    )
    .with_peer()
    .plan(|mode| {
        let script = to_peer(both(mode), "message", "MESSAGE").ask("message");
        delivery_fence(script.replay("replay", "message").send("replay").signed_fence(SA))
    })
    .judge(delivered_once)
}

fn replayed_elsewhere() -> Case {
    Case::new(
        "3.3.5.3/replayed-message-elsewhere",
        "a signed MESSAGE that comes again over another connection is delivered once",
        &["SIPAE-3.3.5.3-05"],
    )
    .with_peer()
    .plan(|mode| {
        let elsewhere = Party::SECOND.connection();
        let script = to_peer(both(mode), "message", "MESSAGE").ask("message").connect(elsewhere);
        let script = script.replay("replay", "message").send_on("replay", elsewhere).fence_on(elsewhere);
        delivery_fence(script)
    })
    .judge(delivered_once)
}

fn delivered_once(judge: &mut Judge<'_>) {
    if delivered(judge, "message", Party::PEER).is_none() {
        return judge.undecide("message was not delivered".to_owned());
    }
    judge.reaction_with("SIPAE-3.3.5.3-05", "replay", &[ReactionClass::Close]);
    // A server that hides the Via lines of clients makes both look the same.
    let deliveries = judge.observation().deliveries("message").iter();
    let count = deliveries.filter(|delivery| delivery.to == Party::PEER).count();
    let holds = if count == 1 { Ok(()) } else { Err(format!("{count} times")) };
    judge.check("SIPAE-3.3.5.3-05", "message: delivered to peer once", holds);
}

/// A number that the client has not used: what is refused as a replay shows nothing about signatures.
const AHEAD: u32 = 100;

/// A MESSAGE to oneself comes back signed by the server, and its From and epid are one's own.
fn reflected() -> Case {
    Case::new(
        "3.3.5.3/reflected-signature",
        "a signature of the server does not verify as the client's",
        &["SIPAE-3.3.5.3-18"],
    )
    .plan(|mode| {
        handshake(mode)
            // To this endpoint alone: others of the same user would answer in its place.
            .compose("message", Template::new("MESSAGE").to(Recipient::Endpoint(Party::USER)))
            .sign_number("message", SA, AHEAD)
            .send("message")
            .expect("message", Party::USER)
            .copy_delivered("reflected", "message", Party::USER)
            .edit("reflected", Edit::Reflect)
            .edit("reflected", Edit::RequestUri(Text::of("sip:{user.address}")))
            .send("reflected")
            .signed_fence(SA)
    })
    .judge(|judge| {
        if judge.observation().challenge("first", has_a_key_for_each_side).flatten() == Some(false) {
            // One key serves both directions then.
            let Some(reaction) = judge.observed("reflected") else { return };
            return judge.record("SIPAE-3.3.5.3-18", "reflected: not processed", &reaction.to_string());
        }
        judge.refused("SIPAE-3.3.5.3-18", "reflected");
    })
}

/// Whether the association has extended session security.
fn has_a_key_for_each_side(_: ChallengeKind, line: &AuthHeader<'_>) -> Option<bool> {
    let token = line.token().ok().flatten()?;
    let challenge = Challenge::read(&token).ok()?;
    Some(challenge.flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY))
}
