//! 3.3.5.6: whom the server vouches for.

use sipae::message::{HeaderName, Message};
use sipae::version::Version;
use sipae_gen::{Edit, Party, Recipient, Script, Template, Text};

use super::seen::{delivered, free_of, lines, lines_of, sender, verified};
use super::{PEER_SA, SA, both, to_peer};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::{Reaction, Signature};

const PREFERRED: &str = "P-Preferred-Identity";
const ASSERTED: &str = "P-Asserted-Identity";
/// A number that is nobody's.
const NUMBER: &str = "+15555550199";
/// A user of another domain, who is not one of the target's.
const STRANGER: &str = "sip:somebody@elsewhere.example";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![own(), verified_as_sent(), unasked(), answered(), answered_as_another()];
    cases.extend(WISHES.into_iter().map(wish));
    // With the short layout identities are not covered, so products of that time do not vouch for them.
    cases.into_iter().map(|case| case.at(&[Version::V3, Version::V4])).collect()
}

/// A MESSAGE to the second user with these identities.
fn with_identities(script: Script, identities: &[(&str, &str)]) -> Script {
    let template = Template::new("MESSAGE").to(Recipient::Account(Party::PEER));
    let add = |template: Template, (name, value): &(&str, &str)| template.header(name, Text::of(value));
    script.compose("request", identities.iter().fold(template, add)).sign("request", SA).ask("request")
}

/// Identities that are not all the user's.
#[derive(Clone, Copy)]
struct Wish {
    id: &'static str,
    row: &'static str,
    title: &'static str,
    identities: &'static [(&'static str, &'static str)],
    foreign: Foreign,
}

/// What the receiver must not see.
#[derive(Clone, Copy)]
enum Foreign {
    /// The address of the second user.
    Peer,
    Text(&'static str),
}

const OWN: &str = "<sip:{user.address}>";
const ANOTHER: &str = "<sip:{peer.address}>";

const WISHES: [Wish; 10] = [
    Wish {
        id: "foreign-identity",
        row: "SIPAE-3.3.5.6-01",
        title: "the address of another user is not asserted on a client's wish",
        identities: &[(PREFERRED, ANOTHER)],
        foreign: Foreign::Peer,
    },
    Wish {
        id: "foreign-domain",
        row: "SIPAE-3.3.5.6-01",
        title: "an address of another domain is not asserted on a client's wish",
        identities: &[(PREFERRED, "<sip:somebody@elsewhere.example>")],
        foreign: Foreign::Text(STRANGER),
    },
    Wish {
        id: "foreign-number",
        row: "SIPAE-3.3.5.6-01",
        title: "a telephone number that is not the user's is not asserted on a client's wish",
        identities: &[(PREFERRED, "<sip:{user.address}>, <tel:+15555550199>")],
        foreign: Foreign::Text(NUMBER),
    },
    Wish {
        id: "claimed-identity",
        row: "SIPAE-3.3.5.6-03",
        title: "a P-Asserted-Identity of a client is not shown to others",
        identities: &[(ASSERTED, ANOTHER)],
        foreign: Foreign::Peer,
    },
    Wish {
        id: "claimed-number",
        row: "SIPAE-3.3.5.6-03",
        title: "a telephone number in a P-Asserted-Identity of a client is not shown to others",
        identities: &[(ASSERTED, "<tel:+15555550199>")],
        foreign: Foreign::Text(NUMBER),
    },
    Wish {
        id: "claimed-beside-own",
        row: "SIPAE-3.3.5.6-03",
        title: "a P-Asserted-Identity of a client is not shown to others beside a right wish either",
        identities: &[(PREFERRED, OWN), (ASSERTED, ANOTHER)],
        foreign: Foreign::Peer,
    },
    Wish {
        id: "two-lines-own-first",
        row: "SIPAE-3.3.5.6-07",
        title: "of two P-Preferred-Identity lines the second, foreign one is not shown to others",
        identities: &[(PREFERRED, OWN), (PREFERRED, ANOTHER)],
        foreign: Foreign::Peer,
    },
    Wish {
        id: "two-lines-foreign-first",
        row: "SIPAE-3.3.5.6-07",
        title: "of two P-Preferred-Identity lines the first, foreign one is not shown to others",
        identities: &[(PREFERRED, ANOTHER), (PREFERRED, OWN)],
        foreign: Foreign::Peer,
    },
    Wish {
        id: "two-uris-own-first",
        row: "SIPAE-3.3.5.6-07",
        title: "of two sip URIs in one line the second, foreign one is not shown to others",
        identities: &[(PREFERRED, "<sip:{user.address}>, <sip:{peer.address}>")],
        foreign: Foreign::Peer,
    },
    Wish {
        id: "two-uris-foreign-first",
        row: "SIPAE-3.3.5.6-07",
        title: "of two sip URIs in one line the first, foreign one is not shown to others",
        identities: &[(PREFERRED, "<sip:{peer.address}>, <sip:{user.address}>")],
        foreign: Foreign::Peer,
    },
];

fn wish(wish: Wish) -> Case {
    let Wish { id, row, title, identities, foreign } = wish;
    Case::new(&format!("3.3.5.6/{id}"), title, &[row])
        .with_peer()
        .plan(move |mode| with_identities(both(mode), identities))
        .judge(move |judge| not_shown(judge, row, foreign))
}

/// Whoever refuses such a request shows nothing to anybody. A wish that is left in place is a matter of another row.
fn not_shown(judge: &mut Judge<'_>, row: &'static str, foreign: Foreign) {
    let (Some(reaction), Some(peer)) = (judge.observed("request"), sender(judge, "peer last")) else {
        return;
    };
    let foreign = match foreign {
        Foreign::Peer => format!("sip:{peer}"),
        Foreign::Text(text) => text.to_owned(),
    };
    let name = HeaderName::PAssertedIdentity;
    let expected = format!("request: {foreign} is not asserted");
    match (delivered(judge, "request", Party::PEER), reaction) {
        (Some(delivery), _) => judge.check(row, &expected, free_of(name, &lines(delivery, name), &foreign)),
        (None, Reaction::Final { status: 300.., .. }) => judge.check(row, &expected, Ok(())),
        (None, other) => judge.undecide(format!("request was not delivered: {other}")),
    }
}

fn own() -> Case {
    Case::new(
        "3.3.5.6/own-identity",
        "a wish for one's own address becomes P-Asserted-Identity, and P-Preferred-Identity is removed",
        &["SIPAE-3.3.5.6-02"],
    )
    .with_peer()
    .plan(|mode| with_identities(both(mode), &[(PREFERRED, OWN)]))
    .judge(|judge| {
        let expected = "request: P-Asserted-Identity in the place of P-Preferred-Identity";
        judge.delivery("SIPAE-3.3.5.6-02", "request", Party::PEER, expected, |delivery| {
            let left = lines(delivery, HeaderName::PPreferredIdentity);
            if let Some(left) = left.first() {
                return Err(format!("{PREFERRED}: {left}"));
            }
            let is_asserted = !lines(delivery, HeaderName::PAssertedIdentity).is_empty();
            if is_asserted { Ok(()) } else { Err(format!("no {ASSERTED}")) }
        });
    })
}

/// A server that takes the wish out before it verifies finds the signature wrong.
fn verified_as_sent() -> Case {
    Case::new(
        "3.3.5.6/verified-as-sent",
        "a signature is verified over the P-Preferred-Identity that was sent",
        &["SIPAE-3.3.5.6-05"],
    )
    .with_peer()
    .plan(|mode| {
        let script = to_peer(both(mode), "control", "MESSAGE").ask("control");
        with_identities(script, &[(PREFERRED, OWN)]).signed_fence(SA)
    })
    .judge(|judge| {
        let Some(reaction) = judge.observed("request") else { return };
        let Some(control) = delivered(judge, "control", Party::PEER) else {
            return judge.undecide("control was not delivered".to_owned());
        };
        if verified(&control.signature).is_err() {
            return judge.undecide("control is not signed well".to_owned());
        }
        let holds = match (delivered(judge, "request", Party::PEER), reaction) {
            (Some(delivery), _) if delivery.signature == Signature::Unsigned => return,
            (Some(delivery), _) => verified(&delivery.signature),
            (None, Reaction::Final { .. }) => Ok(()),
            (None, other) => Err(other.to_string()),
        };
        judge.check("SIPAE-3.3.5.6-05", "request: verified, and signed anew", holds);
    })
}

fn unasked() -> Case {
    Case::new(
        "3.3.5.6/default-identity",
        "without P-Preferred-Identity the address of the authenticated user is asserted",
        &["SIPAE-3.3.5.6-04"],
    )
    .with_peer()
    .plan(|mode| to_peer(both(mode), "request", "MESSAGE").ask("request"))
    .judge(|judge| {
        let Some(user) = sender(judge, "request") else { return };
        let expected = format!("request: {ASSERTED} with sip:{user}");
        judge.delivery("SIPAE-3.3.5.6-04", "request", Party::PEER, &expected, |delivery| {
            names(&lines(delivery, HeaderName::PAssertedIdentity), &user)
        });
    })
}

fn names(asserted: &[String], address: &str) -> Result<(), String> {
    let is_there = asserted.iter().any(|line| line.to_lowercase().contains(&address.to_lowercase()));
    if is_there { Ok(()) } else { Err(format!("{ASSERTED}: {}", asserted.join(", "))) }
}

/// The second user answers with a wish.
fn answers_with(script: Script, identity: &str) -> Script {
    let wish = Edit::AddHeader { name: PREFERRED.to_owned(), value: Text::of(identity), first: false };
    to_peer(script, "request", "MESSAGE")
        .send("request")
        .expect("request", Party::PEER)
        .respond("response", "request", Party::PEER, 200)
        .edit("response", wish)
        .sign("response", PEER_SA)
        .send("response")
        .wait("request")
}

fn answered() -> Case {
    Case::new(
        "3.3.5.6/identity-of-who-answers",
        "P-Preferred-Identity of a response becomes P-Asserted-Identity for who has asked",
        &["SIPAE-3.3.5.6-06"],
    )
    .with_peer()
    .plan(|mode| answers_with(both(mode), ANOTHER))
    .judge(|judge| {
        let Some(peer) = sender(judge, "peer last") else { return };
        relayed(judge, &format!("request: {ASSERTED} with sip:{peer}"), |answer| {
            names(&lines_of(answer, HeaderName::PAssertedIdentity), &peer)
        });
    })
}

fn answered_as_another() -> Case {
    Case::new(
        "3.3.5.6/foreign-identity-of-who-answers",
        "an address of somebody else is not asserted on the wish of who answers",
        &["SIPAE-3.3.5.6-06"],
    )
    .with_peer()
    .plan(|mode| answers_with(both(mode), "<sip:somebody@elsewhere.example>"))
    .judge(|judge| {
        let name = HeaderName::PAssertedIdentity;
        relayed(judge, &format!("request: {STRANGER} is not asserted"), |answer| {
            free_of(name, &lines_of(answer, name), STRANGER)
        });
    })
}

/// Only what the second user has answered tells anything.
fn relayed(judge: &mut Judge<'_>, expected: &str, holds: impl FnOnce(&Message<'_>) -> Result<(), String>) {
    match judge.observed("request") {
        Some(Reaction::Final { status, .. }) if *status < 300 => {
            judge.answer("SIPAE-3.3.5.6-06", "request", expected, holds);
        }
        Some(other) => judge.undecide(format!("the response was not relayed: {other}")),
        None => {}
    }
}
