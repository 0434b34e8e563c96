//! 3.3.5.3: signed messages.

use sipae::auth::AuthParam;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Mode, Connection, Edit, ParamEdit, Party, Recipient, Script, Signing, Template, Text};
use sipae_spec::ReactionClass;

use super::{Handshake, PEER_SA, SA, both, handshake, signed};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::{Reaction, Signature};

/// Far above any window: a server that moved its window by a forged number would refuse all that follow.
const FORGED_NUMBER: u32 = 100_000;
/// Closing is tolerated if the association survives, which another row's case looks at.
const CLOSE: [ReactionClass; 1] = [ReactionClass::Close];
const FROM_VERSION_3: [Version; 2] = [Version::V3, Version::V4];

pub(super) fn cases() -> Vec<Case> {
    [forgeries(), altered(), moved(), missing(), lookups(), several(), endpoints(), users(), registrations(), numbers(), lives(), crowds()]
        .into_iter()
        .flatten()
        .collect()
}

/// A signed REGISTER that is changed after it was signed, sent, and followed by a good one.
fn changed(script: Script, edits: impl IntoIterator<Item = Edit>) -> Script {
    edits
        .into_iter()
        .fold(signed(script, "changed"), |script, edit| script.edit("changed", edit))
        .send("changed")
        .signed_fence(SA)
}

fn forged(id: &str, title: &str, edit: Edit) -> Case {
    Case::new(id, title, &["SIPAE-3.3.5.3-04"])
        .plan(move |mode| {
            let script = changed(handshake(mode), [edit.clone()]);
            signed(script, "good").ask("good").retry("good")
        })
        .judge(|judge| {
            judge.reaction_with("SIPAE-3.3.5.3-04", "changed", &[CLOSE[0], ReactionClass::StatusClass(4)]);
            judge.processed("SIPAE-3.3.5.3-04", "good");
        })
}

fn response(change: ParamEdit) -> Edit {
    Edit::Param(AuthParam::Response, change)
}

fn forgeries() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/forged-signature",
            "a message with a wrong signature is not processed, moves no window and ends no association",
            &["SIPAE-3.3.5.3-04", "SIPAE-3.1.1-09"],
        )
        .plan(|mode| {
            let script = handshake(mode)
                .compose("forged", Template::new("REGISTER"))
                .sign_number("forged", SA, FORGED_NUMBER)
                .edit("forged", response(ParamEdit::FlipBit))
                .send("forged");
            signed(script, "good").ask("good").retry("good").signed_fence(SA)
        })
        .judge(forged_signature),
        forged(
            "3.3.5.3/forged-checksum",
            "a signature whose checksum is zero is not taken for a good one",
            response(ParamEdit::Set(Text::from("01000000000000000000000064000000"))),
        ),
        forged(
            "3.3.5.3/forged-zeros",
            "a signature of zeros is not taken for a good one",
            response(ParamEdit::Set(Text::from("00000000000000000000000000000000"))),
        ),
        Case::new(
            "3.3.5.3/many-forgeries",
            "many messages with wrong signatures end no association",
            &["SIPAE-3.3.5.3-04"],
        )
        .plan(|mode| {
            let script = (0..20).fold(handshake(mode), |script, place| {
                let name = format!("forged {place}");
                signed(script, &name).edit(&name, response(ParamEdit::FlipBit)).send(&name)
            });
            signed(script, "good").ask("good").retry("good").signed_fence(SA)
        })
        .judge(|judge| judge.processed("SIPAE-3.3.5.3-04", "good")),
        Case::new("3.3.5.3/forged-ack", "an ACK with a wrong signature is dropped", &["SIPAE-3.3.5.3-04"])
            .plan(|mode| {
                handshake(mode)
                    .compose("ack", Template::new("ACK"))
                    .sign("ack", SA)
                    .edit("ack", response(ParamEdit::FlipBit))
                    .send("ack")
                    .signed_fence(SA)
            })
            .judge(|judge| judge.silent("SIPAE-3.3.5.3-04", "ack")),
    ]
}

/// The next good message tells what the forgery did: an ended association is challenged, a moved window is silent.
fn forged_signature(judge: &mut Judge<'_>) {
    judge.reaction_with("SIPAE-3.3.5.3-04", "forged", &[CLOSE[0], ReactionClass::StatusClass(4)]);
    if matches!(judge.observation().reaction("good"), Some(Reaction::Challenge(_))) {
        judge.processed("SIPAE-3.3.5.3-04", "good");
    } else {
        judge.processed("SIPAE-3.1.1-09", "good");
    }
}

/// What the signature covers, and a change to it that leaves a good SIP message. Realm and targetname are not among them:
/// with others the credential is for another server; neither is the scheme, whose letter case is a verifier's own matter.
fn covered() -> Vec<(&'static str, &'static [Version], Vec<Edit>)> {
    let replace =
        |header, from: &str, to: &str| Edit::Replace { header, from: Text::of(from), to: Text::of(to) };
    let set = |header, value: &str| Edit::SetHeader(header, Text::of(value));
    let all: &[Version] = &Version::ALL;
    vec![
        ("crand", all, vec![Edit::Param(AuthParam::Crand, ParamEdit::Set(Text::from("0a1b2c3d")))]),
        ("cnum", all, vec![Edit::Param(AuthParam::Cnum, ParamEdit::Set(Text::from("77")))]),
        ("call-id", all, vec![set(HeaderName::CallId, "{user.call-id}x")]),
        ("cseq-number", all, vec![set(HeaderName::CSeq, "4711 REGISTER")]),
        (
            "cseq-method",
            all,
            vec![replace(HeaderName::CSeq, "REGISTER", "OPTIONS"), Edit::Method("OPTIONS".to_owned())],
        ),
        ("from-uri", all, vec![replace(HeaderName::From, ">", ";x=1>")]),
        ("from-tag", all, vec![Edit::FromTag("another1".to_owned())]),
        ("to-uri", &FROM_VERSION_3, vec![replace(HeaderName::To, ">", ";x=1>")]),
        ("to-tag", all, vec![set(HeaderName::To, "<sip:{user.address}>;tag=added1")]),
        ("sip-identity", &FROM_VERSION_3, vec![set(HeaderName::PPreferredIdentity, "<sip:{user.address}>")]),
        ("tel-identity", &FROM_VERSION_3, vec![set(HeaderName::PPreferredIdentity, "<tel:+14255550123>")]),
        ("expires", all, vec![set(HeaderName::Expires, "61")]),
    ]
}

fn altered() -> Vec<Case> {
    let cases = covered().into_iter().map(|(field, versions, edits)| {
        Case::new(
            &format!("3.3.5.3/altered-{field}"),
            &format!("a message whose {field} was changed after it was signed is not processed"),
            &["SIPAE-3.3.5.3-03"],
        )
        .at(versions)
        .plan(move |mode| changed(handshake(mode), edits.clone()))
        .judge(|judge| {
            // A server may look for a dialog or a transaction first.
            judge.reaction_with("SIPAE-3.3.5.3-03", "changed", &[ReactionClass::StatusClass(4), ReactionClass::Status(500)]);
        })
    });
    cases.collect()
}

fn moved() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/signature-of-another-association",
            "what one association signed is not processed under another one of the same user",
            &["SIPAE-3.3.5.3-04"],
        )
        .plan(|mode| {
            let script = handshake(mode).connect(Party::SECOND.connection());
            Handshake::of(Party::SECOND, "second")
                .play(script, mode)
                .compose("moved", Template::new("REGISTER").of(Party::SECOND))
                .sign_number("moved", SA, 9)
                .edit("moved", Edit::Param(AuthParam::Opaque, ParamEdit::Set(Text::of("{second.opaque}"))))
                .send("moved")
                .signed_fence_on("second", Party::SECOND.connection())
        })
        .judge(|judge| {
            judge.reaction_with("SIPAE-3.3.5.3-04", "moved", &[CLOSE[0], ReactionClass::StatusClass(4)]);
        }),
        Case::new(
            "3.3.5.3/version-downgrade",
            "a version in a signed message does not make its signature one of the short layout",
            &["SIPAE-3.3.5.3-21"],
        )
        .at(&FROM_VERSION_3)
        .plan(|mode| relaid(mode, Version::V2))
        .judge(|judge| judge.refused("SIPAE-3.3.5.3-21", "relaid")),
        Case::new(
            "3.3.5.3/version-upgrade",
            "a version in a signed message does not make its signature one of the long layout",
            &["SIPAE-3.3.5.3-21"],
        )
        .at(&[Version::V2])
        .plan(|mode| relaid(mode, Version::V4))
        .judge(|judge| judge.refused("SIPAE-3.3.5.3-21", "relaid")),
        Case::new(
            "3.3.5.3/other-version-of-the-same-layout",
            "what a server does about version 3 in a message of version 4, or the reverse, is written down",
            &["SIPAE-3.3.5.3-21"],
        )
        .at(&FROM_VERSION_3)
        .plan(|mode| relaid(mode, if mode.version == Version::V3 { Version::V4 } else { Version::V3 }))
        .judge(|judge| {
            let Some(reaction) = judge.observed("relaid") else { return };
            judge.record("SIPAE-3.3.5.3-21", "another version of the same layout", &reaction.outline());
        }),
        Case::new(
            "3.3.5.3/from-tag",
            "an association is found whatever the From tag of the message is",
            &["SIPAE-3.3.5.3-01"],
        )
        .plan(|mode| {
            handshake(mode)
                .compose("retagged", Template::new("REGISTER"))
                .edit("retagged", Edit::FromTag("another1".to_owned()))
                .sign("retagged", SA)
                .ask("retagged")
        })
        .judge(|judge| judge.processed("SIPAE-3.3.5.3-01", "retagged")),
    ]
}

/// A message signed over the layout of another version, which it names.
fn relaid(mode: Mode, layout: Version) -> Script {
    let signing = Signing { layout: Some(layout), ..Signing::default() };
    let number = Text::from(layout.number().to_string());
    handshake(mode)
        .compose("relaid", Template::new("REGISTER"))
        .sign_with("relaid", SA, signing)
        .edit("relaid", Edit::AddParam { name: "version".to_owned(), value: number, first: false })
        .send("relaid")
        .signed_fence(SA)
}

fn incomplete(param: AuthParam) -> Case {
    Case::new(
        &format!("3.3.5.3/without-{}", param.name()),
        &format!("a signed message without {} is not processed", param.name()),
        &["SIPAE-3.3.5.3-09"],
    )
    .plan(move |mode| changed(handshake(mode), [Edit::Param(param, ParamEdit::Remove)]))
    .judge(|judge| judge.reaction_with("SIPAE-3.3.5.3-09", "changed", &CLOSE))
}

fn missing() -> Vec<Case> {
    [AuthParam::Crand, AuthParam::Cnum, AuthParam::Response].map(incomplete).into()
}

fn lookups() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/unknown-opaque",
            "a signed request whose opaque names no association is challenged",
            &["SIPAE-3.3.5.3-02"],
        )
        .plan(|mode| {
            changed(handshake(mode), [Edit::Param(AuthParam::Opaque, ParamEdit::ChangeLastDigit)])
        })
        .judge(|judge| judge.reaction_with("SIPAE-3.3.5.3-02", "changed", &[ReactionClass::Drop])),
        Case::new(
            "3.3.5.3/unknown-opaque-ack",
            "an ACK whose opaque names no association is dropped",
            &["SIPAE-3.3.5.3-02"],
        )
        .plan(|mode| {
            handshake(mode)
                .compose("ack", Template::new("ACK"))
                .sign("ack", SA)
                .edit("ack", Edit::Param(AuthParam::Opaque, ParamEdit::ChangeLastDigit))
                .send("ack")
                .signed_fence(SA)
        })
        .judge(|judge| judge.silent("SIPAE-3.3.5.3-02", "ack")),
    ]
}

fn several() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/own-credential-last",
            "among several credentials the one for this server is used, wherever it stands",
            &["SIPAE-3.3.5.3-12"],
        )
        .plan(|mode| changed(handshake(mode), [Edit::CrowdCredential { others: 2 }]))
        .judge(|judge| judge.processed("SIPAE-3.3.5.3-12", "changed")),
        Case::new(
            "3.3.5.3/credential-in-the-other-field",
            "the credential is found in Authorization and in Proxy-Authorization",
            &["SIPAE-3.3.5.3-13"],
        )
        .plan(|mode| {
            let script = [HeaderName::ProxyAuthorization, HeaderName::Authorization].into_iter();
            script.fold(handshake(mode), |script, name| {
                signed(script, name.name())
                    .edit(name.name(), Edit::CredentialHeader(name))
                    .send(name.name())
                    .signed_fence(SA)
            })
        })
        .judge(|judge| {
            judge.processed("SIPAE-3.3.5.3-13", HeaderName::ProxyAuthorization.name());
            judge.processed("SIPAE-3.3.5.3-13", HeaderName::Authorization.name());
        }),
        Case::new(
            "3.3.5.3/two-credentials-for-one-server",
            "a second credential for the same server, forged, makes nothing of a message that the first does not",
            &["SIPAE-3.3.5.3-04"],
        )
        .plan(|mode| {
            let forged = Text::of(
                "{sa.scheme} qop=\"auth\", realm=\"{sa.realm}\", targetname=\"{sa.targetname}\", opaque=\"{sa.opaque}\", \
                 crand=\"01234567\", cnum=\"40\", response=\"01000000000000000000000064000000\"",
            );
            let add = |name: HeaderName| Edit::AddHeader {
                name: name.name().to_owned(),
                value: forged.clone(),
                first: false,
            };
            handshake(mode)
                .compose("changed", Template::new("REGISTER"))
                .edit("changed", add(HeaderName::Authorization))
                .edit("changed", add(HeaderName::ProxyAuthorization))
                .send("changed")
                .signed_fence(SA)
        })
        .judge(|judge| {
            judge.reaction_with("SIPAE-3.3.5.3-04", "changed", &[CLOSE[0], ReactionClass::StatusClass(4)]);
        }),
    ]
}

fn endpoints() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/other-epid",
            "a message is not processed under an epid that its association was not made for",
            &["SIPAE-3.3.5.3-07"],
        )
        .plan(|mode| {
            // The signature covers neither epid nor Contact: it goes on to verify.
            let edits = [
                Edit::Replace {
                    header: HeaderName::From,
                    from: Text::of("{user.epid}"),
                    to: Text::of("{second.epid}"),
                },
                Edit::Replace {
                    header: HeaderName::Contact,
                    from: Text::of("{user.instance}"),
                    to: Text::of("{second.instance}"),
                },
            ];
            changed(handshake(mode), edits)
        })
        .judge(|judge| judge.reaction_with("SIPAE-3.3.5.3-07", "changed", &CLOSE)),
        Case::new(
            "3.3.5.3/epid-of-another-endpoint",
            "a message is not processed under another endpoint of the same user that is there as well",
            &["SIPAE-3.3.5.3-07"],
        )
        .plan(|mode| {
            let script = handshake(mode).connect(Party::SECOND.connection());
            Handshake::of(Party::SECOND, "second")
                .play(script, mode)
                .compose("changed", Template::new("REGISTER").of(Party::SECOND))
                .sign("changed", SA)
                .send("changed")
                .signed_fence_on("second", Party::SECOND.connection())
        })
        .judge(|judge| judge.reaction_with("SIPAE-3.3.5.3-07", "changed", &CLOSE)),
    ]
}

fn users() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/from-of-another-user",
            "a message signed by one user is not processed as one of another",
            &["SIPAE-3.3.5.3-08"],
        )
        .with_second_account()
        .plan(|mode| {
            let from = Text::of("<sip:{peer.address}>;tag={user.tag};epid={user.epid}");
            handshake(mode)
                .compose("spoofed", Template::new("OPTIONS"))
                .edit("spoofed", Edit::SetHeader(HeaderName::From, from))
                .edit("spoofed", Edit::SetHeader(HeaderName::To, Text::of("<sip:{peer.address}>")))
                .sign("spoofed", SA)
                .send("spoofed")
                .signed_fence(SA)
        })
        .judge(|judge| judge.reaction_with("SIPAE-3.3.5.3-08", "spoofed", &CLOSE)),
        Case::new(
            "3.3.5.3/endpoint-of-another-user",
            "a message signed by one user is not processed as one of another's endpoint that is there as well",
            &["SIPAE-3.3.5.3-08"],
        )
        .with_second_account()
        .plan(|mode| {
            both(mode)
                .compose("spoofed", Template::new("REGISTER").of(Party::PEER))
                .sign("spoofed", SA)
                .send("spoofed")
                .signed_fence_on(PEER_SA, Party::PEER.connection())
        })
        .judge(|judge| judge.reaction_with("SIPAE-3.3.5.3-08", "spoofed", &CLOSE)),
    ]
}

fn registrations() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/register-for-another-user",
            "a user cannot register the address of another",
            &["SIPAE-3.3.5.3-20"],
        )
        .with_second_account()
        .plan(|mode| {
            handshake(mode)
                .compose("for another", Template::new("REGISTER").to(Recipient::Account(Party::PEER)))
                .edit("for another", Edit::RequestUri(Text::of("sip:{user.host}")))
                .sign("for another", SA)
                .send("for another")
                .signed_fence(SA)
        })
        .judge(|judge| not_success(judge, "SIPAE-3.3.5.3-20", "for another")),
        Case::new(
            "3.3.5.3/register-redirected-to-another-user",
            "with the short layout To is not covered: a changed one registers nobody else",
            &["SIPAE-3.3.5.3-20"],
        )
        .at(&[Version::V2])
        .with_second_account()
        .plan(|mode| {
            changed(handshake(mode), [Edit::SetHeader(HeaderName::To, Text::of("<sip:{peer.address}>"))])
        })
        .judge(|judge| not_success(judge, "SIPAE-3.3.5.3-20", "changed")),
    ]
}

/// Any answer but a success; silence as well.
fn not_success(judge: &mut Judge<'_>, row: &'static str, message: &str) {
    let Some(reaction) = judge.observed(message) else { return };
    let holds = match reaction {
        Reaction::Final { status: 200..300, .. } => Err(reaction.to_string()),
        _ => Ok(()),
    };
    judge.check(row, &format!("{message}: no success"), holds);
}

fn numbers() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/out-of-order",
            "numbers that overtake each other inside the window are accepted",
            &["SIPAE-3.3.5.3-06"],
        )
        .plan(|mode| {
            let numbered = |script: Script, name: &'static str, number| {
                script.compose(name, Template::new("REGISTER")).sign_number(name, SA, number)
            };
            let script = numbered(handshake(mode), "third", 4);
            let script = numbered(numbered(script, "second", 3), "fourth", 5);
            script.ask("third").send("second").ask("fourth").signed_fence(SA)
        })
        .judge(|judge| {
            judge.processed("SIPAE-3.3.5.3-06", "third");
            judge.processed("SIPAE-3.3.5.3-06", "fourth");
            let Some(late) = judge.observed("second") else { return };
            if !matches!(late, Reaction::Final { .. }) {
                judge.record("SIPAE-3.3.5.3-06", "cnum 3 behind 4", &late.outline());
            }
        }),
        Case::new("3.3.5.3/replay", "a number that was used is silently discarded", &["SIPAE-3.3.5.3-05"])
            .plan(|mode| {
                const NUMBER: u32 = 7;
                handshake(mode)
                    .compose("original", Template::new("REGISTER"))
                    .sign_number("original", SA, NUMBER)
                    .ask("original")
                    .compose("same number", Template::new("REGISTER"))
                    .sign_number("same number", SA, NUMBER)
                    .send("same number")
                    .signed_fence(SA)
            })
            .judge(|judge| {
                // Another message under a number that was used: signed well, and still no more than a replay.
                if judge.presupposes("original") {
                    judge.reaction_with("SIPAE-3.3.5.3-05", "same number", &CLOSE);
                }
            }),
    ]
}

fn lives() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.5.3/unregister",
            "the end of a registration is answered with a signature, and then ends the association",
            &["SIPAE-3.3.5.3-14"],
        )
        .plan(|mode| {
            handshake(mode)
                .compose("unregister", Template::new("REGISTER").header("Expires", "0"))
                .sign("unregister", SA)
                .ask("unregister")
                .compose("after", Template::new("OPTIONS"))
                .sign("after", SA)
                .send("after")
                .fence()
        })
        .judge(|judge| {
            let Some(reaction) = judge.observed("unregister") else { return };
            let is_signed = matches!(
                reaction,
                Reaction::Final { signature: Signature::Verified(_) | Signature::Replayed(_), .. }
            );
            let holds = if is_signed { Ok(()) } else { Err(reaction.to_string()) };
            judge.check("SIPAE-3.3.5.3-14", "unregister: a signed answer", holds);
            let Some(after) = judge.observed("after") else { return };
            if after.is_acceptance() {
                judge.record("SIPAE-3.3.5.3-14", "a signed request after the end", &after.outline());
            }
        }),
        Case::new(
            "3.3.5.3/another-connection",
            "an association outlives its connection",
            &["SIPAE-3.3.5.3-16"],
        )
        .plan(|mode| {
            let script = handshake(mode).disconnect(Connection::FIRST).connect(Connection::FIRST);
            signed(script, "moved").send("moved").fence()
        })
        .judge(|judge| {
            let Some(reaction) = judge.observed("moved") else { return };
            let is_processed = matches!(reaction, Reaction::Final { .. });
            let holds = if is_processed { Ok(()) } else { Err(reaction.to_string()) };
            judge.recorded("SIPAE-3.3.5.3-16", "a signed request on a new connection is processed", holds);
        }),
        Case::new(
            "3.3.5.3/new-handshake-beside-the-old",
            "an association is good until a new handshake of its endpoint has come to its end",
            &["SIPAE-3.3.5.3-17"],
        )
        .with_continuation()
        .plan(|mode| {
            let again = Handshake::of(Party::USER, "again");
            signed(again.begin(handshake(mode), mode), "old").ask("old")
        })
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.5.3-17", "again first");
            judge.processed("SIPAE-3.3.5.3-17", "old");
        }),
    ]
}

fn crowds() -> Vec<Case> {
    let crowd = |id: &str, title: &str, edit: Edit| {
        Case::new(id, title, &["SIPAE-3.3.5.3-22"])
            .rough()
            .plan(move |mode| {
                let script = changed(handshake(mode), [edit.clone()]).connect(Connection(6));
                script
                    .compose("elsewhere", Template::new("OPTIONS"))
                    .send_on("elsewhere", Connection(6))
                    .wait("elsewhere")
            })
            .judge(|judge| {
                let Some(reaction) = judge.observed("changed") else { return };
                let holds = match reaction {
                    Reaction::Overdue | Reaction::Silent => Err(reaction.to_string()),
                    _ => Ok(()),
                };
                judge.check(
                    "SIPAE-3.3.5.3-22",
                    "changed: an answer, a refusal, or a closed connection",
                    holds,
                );
                let Some(elsewhere) = judge.observed("elsewhere") else { return };
                let holds = match elsewhere {
                    Reaction::Challenge(_) | Reaction::Continuation(_) | Reaction::Final { .. } => Ok(()),
                    other => Err(other.to_string()),
                };
                judge.check("SIPAE-3.3.5.3-22", "elsewhere: others are served", holds);
            })
    };
    vec![
        crowd(
            "3.3.5.3/crowd-of-credentials",
            "hundreds of credentials in one message are refused or looked through",
            Edit::CrowdCredential { others: 500 },
        ),
        crowd(
            "3.3.5.3/huge-opaque",
            "an opaque of 60 kilobytes is refused or looked up",
            Edit::Param(AuthParam::Opaque, ParamEdit::Set(Text::from("A".repeat(60_000)))),
        ),
    ]
}
