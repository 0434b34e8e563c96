//! 3.3.4.1 and 3.3.1: two endpoints of one user, each with its own association.

use sipae::message::{HeaderName, Message};
use sipae_gen::{Mode, Party, Recipient, Script, Template};

use super::section_3_3_4_1_deliveries::register_of;
use super::seen::{answer_signature, delivered, is_verified, lines, sender_epid, verified};
use super::{Handshake, PEER_SA, SA, both, handshake, to_peer};
use crate::case::Case;
use crate::judge::Judge;
use crate::observation::Delivery;
use crate::reaction::Signature;

/// The association of the second endpoint, of either user.
const SECOND_SA: &str = "second";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![own_answers(), relayed_answers(), forked(), each_by_gruu()];
    cases.extend(to_epid());
    cases.push(to_epid_of_each());
    cases
}

/// The second user is there twice.
fn with_two_peers(mode: Mode) -> Script {
    let script = both(mode).connect(Party::PEER_SECOND.connection());
    Handshake::of(Party::PEER_SECOND, SECOND_SA).play(script, mode)
}

/// The user is there twice.
fn with_two_users(script: Script, mode: Mode) -> Script {
    let script = script.connect(Party::SECOND.connection());
    Handshake::of(Party::SECOND, SECOND_SA).play(script, mode)
}

fn own_answers() -> Case {
    Case::new(
        "3.3.4.1/two-endpoints-answers",
        "an answer is signed with the association of the endpoint that asked",
        &["SIPAE-3.3.4.1-10"],
    )
    .plan(|mode| {
        let script = with_two_users(handshake(mode), mode);
        let script = register_of(script, Party::USER, SA, "of the first");
        register_of(script, Party::SECOND, SECOND_SA, "of the second")
    })
    .judge(|judge| {
        // Before there was a second endpoint, nothing could be mixed up.
        if is_verified(judge, "last") {
            own_association(judge, "of the first");
            own_association(judge, "of the second");
        }
    })
}

fn relayed_answers() -> Case {
    Case::new(
        "3.3.4.1/two-endpoints-relayed",
        "a relayed response is signed with the association of the endpoint that asked",
        &["SIPAE-3.3.4.1-10"],
    )
    .with_peer()
    .plan(|mode| {
        let script = to_peer(both(mode), "alone", "MESSAGE").ask("alone");
        let script = with_two_users(script, mode);
        let second = Template::new("MESSAGE").of(Party::SECOND).to(Recipient::Account(Party::PEER));
        to_peer(script, "of the first", "MESSAGE")
            .ask("of the first")
            .compose("of the second", second)
            .sign("of the second", SECOND_SA)
            .ask("of the second")
    })
    .judge(|judge| {
        if is_verified(judge, "alone") {
            own_association(judge, "of the first");
            own_association(judge, "of the second");
        }
    })
}

fn own_association(judge: &mut Judge<'_>, message: &str) {
    match answer_signature(judge, message) {
        Some(signature) if *signature != Signature::Unsigned => {
            let expected = format!("{message}: signed with the association of its endpoint");
            judge.check("SIPAE-3.3.4.1-10", &expected, verified(signature));
        }
        _ => judge.undecide(format!("{message} has no signed answer")),
    }
}

/// A request for the user goes to one endpoint or to both; which is for the server to say.
fn forked() -> Case {
    Case::new(
        "3.3.4.1/two-endpoints-requests",
        "a request is signed with the association of the endpoint that it goes to",
        &["SIPAE-3.3.4.1-10"],
    )
    .with_peer()
    .plan(|mode| {
        let script = with_two_peers(mode);
        let script = to_peer(script, "request", "MESSAGE").ask("request");
        script.signed_fence_on(PEER_SA, Party::PEER.connection())
    })
    .judge(|judge| {
        if judge.observation().deliveries("request").is_empty() {
            return judge.undecide("request was not delivered".to_owned());
        }
        for delivery in judge.observation().deliveries("request") {
            own_endpoint(judge, "SIPAE-3.3.4.1-10", "request", delivery);
        }
    })
}

fn each_by_gruu() -> Case {
    Case::new(
        "3.3.1/association-of-each-endpoint",
        "of two endpoints of a user each gets its requests signed with its own association",
        &["SIPAE-3.3.1-01", "SIPAE-3.3.4.1-10"],
    )
    .with_peer()
    .plan(|mode| {
        with_two_peers(mode)
            .compose("to the first", Template::new("MESSAGE").to(Recipient::Endpoint(Party::PEER)))
            .sign("to the first", SA)
            .ask("to the first")
            .compose("to the second", Template::new("MESSAGE").to(Recipient::Endpoint(Party::PEER_SECOND)))
            .sign("to the second", SA)
            .ask("to the second")
    })
    .judge(|judge| {
        for (message, party) in [("to the first", Party::PEER), ("to the second", Party::PEER_SECOND)] {
            match delivered(judge, message, party) {
                Some(delivery) => {
                    own_endpoint(judge, "SIPAE-3.3.1-01", message, delivery);
                    own_endpoint(judge, "SIPAE-3.3.4.1-10", message, delivery);
                }
                None => judge.undecide(format!("{message} did not reach {party}")),
            }
        }
    })
}

/// A signature that no association of the script has made is the breach of another row.
fn own_endpoint(judge: &mut Judge<'_>, row: &'static str, message: &str, delivery: &Delivery) {
    let expected = format!("{message}: signed with the association of {}", delivery.to);
    match (&delivery.signature, &delivery.signed_by) {
        (Signature::Verified(_) | Signature::Replayed(_), _) => judge.check(row, &expected, Ok(())),
        (_, Some(other)) => judge.check(row, &expected, Err(format!("signed with {other}"))),
        (Signature::Unsigned, None) => judge.undecide(format!("{message} is delivered unsigned")),
        (Signature::Bad(why), None) => judge.undecide(format!("{message}: {why}")),
    }
}

/// Requests that tell their receiver which of its endpoints they are for.
const METHODS: [&str; 3] = ["MESSAGE", "INVITE", "OPTIONS"];

fn to_epid() -> impl Iterator<Item = Case> {
    METHODS.into_iter().map(|method| {
        let id = format!("3.3.1/to-epid-{}", method.to_lowercase());
        let title = format!("To of a delivered {method} has the epid of its receiver");
        Case::new(&id, &title, &["SIPAE-3.3.1-06"])
            .with_peer()
            .plan(move |mode| {
                let script = to_peer(both(mode), "request", method).send("request");
                // Whoever is called refuses, so that no call is left.
                script
                    .expect("request", Party::PEER)
                    .respond("refusal", "request", Party::PEER, 486)
                    .sign("refusal", PEER_SA)
                    .send("refusal")
                    .wait("request")
            })
            .judge(|judge| names_endpoint(judge, "request", Party::PEER, "peer last"))
    })
}

fn to_epid_of_each() -> Case {
    Case::new(
        "3.3.1/to-epid-of-each-endpoint",
        "of two endpoints of a user each gets its own epid in To",
        &["SIPAE-3.3.1-06"],
    )
    .with_peer()
    .plan(|mode| to_peer(with_two_peers(mode), "request", "MESSAGE").ask("request"))
    .judge(|judge| {
        if judge.observation().deliveries("request").is_empty() {
            return judge.undecide("request was not delivered".to_owned());
        }
        for (party, known_from) in [(Party::PEER, "peer last"), (Party::PEER_SECOND, "second last")] {
            if delivered(judge, "request", party).is_some() {
                names_endpoint(judge, "request", party, known_from);
            }
        }
    })
}

/// To names the endpoint by its epid; its GRUU would do as well.
fn names_endpoint(judge: &mut Judge<'_>, message: &str, party: Party, known_from: &str) {
    let Some(epid) = sender_epid(judge, known_from) else {
        return judge.undecide(format!("{known_from} was not sent"));
    };
    let expected = format!("{message} to {party}: To with its epid");
    judge.delivery("SIPAE-3.3.1-06", message, party, &expected, |delivery| {
        let is_own = |message: &Message<'_>| {
            let to = message.to().ok()?;
            Some(to.epid == Some(epid.as_bytes()) || String::from_utf8_lossy(to.uri).contains(";gruu"))
        };
        let to = lines(delivery, HeaderName::To).join(", ");
        if delivery.look(is_own).flatten() == Some(true) { Ok(()) } else { Err(format!("To: {to}")) }
    });
}
