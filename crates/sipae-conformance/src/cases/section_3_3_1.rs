//! 3.3.1: what a server keeps of its associations.

use std::collections::BTreeSet;

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::{HeaderName, Value};
use sipae_gen::{Connection, Edit, Mode, ParamEdit, Party, Script, Template, Text};

use super::{Handshake, PEER_SA, SA, both, handshake, signed};
use crate::case::{Case, Gate};
use crate::judge::Judge;

pub(super) fn cases() -> Vec<Case> {
    [replacement(), opaques(), keys(), same_epid()].into_iter().flatten().collect()
}

fn replacement() -> Vec<Case> {
    let case = Case::new(
        "3.3.1/new-association-replaces-old",
        "a second association of an endpoint takes the place of the first",
        &["SIPAE-3.3.1-03"],
    );
    let case = case.plan(|mode| {
        let renewed = Handshake::of(Party::USER, "new");
        let script = renewed.play(handshake(mode), mode);
        let script = renewed.ask(renewed.signed(script, "by the new"), "by the new");
        signed(script, "by the old").send("by the old").signed_fence("new").wait("by the old")
    });
    vec![case.judge(|judge| {
        judge.processed("SIPAE-3.3.1-03", "by the new");
        judge.reaction("SIPAE-3.3.1-03", "by the old");
        if let Some(reaction) = judge.observation().reaction("by the old") {
            judge.record("SIPAE-3.3.1-03", "signed with the replaced association", &reaction.to_string());
        }
    })]
}

/// Unfinished handshakes: so many on each of so many connections. Targets bound them, for each connection maybe.
const TOKENS: usize = 10;
const CONNECTIONS: u32 = 5;

fn opaques() -> Vec<Case> {
    let case = Case::new(
        "3.3.1/fifty-opaques",
        "fifty handshakes under way have fifty different opaques",
        &["SIPAE-3.3.1-04", "SIPAE-3.3.1-05"],
    );
    let case = case.behind(Gate::Offered).with_continuation().plan(|mode| {
        let script = super::bare(Script::connected()).adopt(SA, "bare");
        script.each(1..=CONNECTIONS, |script, number| begun_on(script, Connection(number), mode))
    });
    vec![case.judge(distinct_opaques)]
}

/// First tokens of endpoints that differ.
fn begun_on(script: Script, connection: Connection, mode: Mode) -> Script {
    (0..TOKENS).fold(script.connect(connection), |script, place| {
        let message = name(connection.0, place);
        let epid = format!(";epid={{user.epid}}{}x{place}", connection.0);
        Handshake::user()
            .opening(script, &message, mode)
            .edit(&message, replace(HeaderName::From, ";epid={user.epid}", &epid))
            .edit(&message, replace(HeaderName::Contact, INSTANCE, ""))
            .send_on(&message, connection)
            .wait(&message)
    })
}

const INSTANCE: &str = ";+sip.instance=\"<urn:uuid:{user.instance}>\"";

fn replace(header: HeaderName, from: &str, to: &str) -> Edit {
    Edit::Replace { header, from: Text::of(from), to: Text::of(to) }
}

fn name(connection: u32, place: usize) -> String {
    format!("first {connection}.{place}")
}

fn distinct_opaques(judge: &mut Judge<'_>) {
    let opaque = |_, line: &AuthHeader<'_>| line.get(AuthParam::Opaque).map(Value::to_text);
    let names = (1..=CONNECTIONS).flat_map(|number| (0..TOKENS).map(move |place| name(number, place)));
    let opaques: Vec<String> =
        names.filter_map(|name| judge.observation().challenge(&name, opaque).flatten()).collect();
    // Twenty tell as well whether one comes twice.
    if opaques.len() < 20 {
        return judge.undecide(format!("only {} handshakes could be begun at once", opaques.len()));
    }
    let distinct: BTreeSet<&String> = opaques.iter().collect();
    let holds = if distinct.len() == opaques.len() {
        Ok(())
    } else {
        Err(format!("{} opaques in {} handshakes", distinct.len(), opaques.len()))
    };
    judge.check("SIPAE-3.3.1-04", "no opaque twice", holds);
    judge.record("SIPAE-3.3.1-05", "how opaques are spread", &spread(&opaques));
}

/// Length, what is the same in all, and whether they go up: what a guesser would look at first.
fn spread(opaques: &[String]) -> String {
    let lengths: BTreeSet<usize> = opaques.iter().map(String::len).collect();
    let common = opaques.iter().skip(1).fold(opaques.first().map_or("", String::as_str), |common, opaque| {
        let same = common.chars().zip(opaque.chars()).take_while(|(left, right)| left == right);
        common.get(..same.map(|(left, _)| left.len_utf8()).sum()).unwrap_or_default()
    });
    let rises = |pair: &[String]| pair.first() < pair.last();
    let order = if opaques.windows(2).all(rises) {
        "each above the one before"
    } else if opaques.windows(2).any(rises) {
        "in no order"
    } else {
        "each below the one before"
    };
    format!("{} opaques, lengths {lengths:?}, common beginning {common:?}, {order}", opaques.len())
}

/// The opaque of the user in a message that is signed with the key of the second user.
fn with_opaque_of_user(message: &str, script: Script) -> Script {
    script.edit(message, Edit::Param(AuthParam::Opaque, ParamEdit::Set(Text::of("{sa.opaque}"))))
}

fn keys() -> Vec<Case> {
    vec![
        wrong_key(
            "3.3.1/opaque-of-another-user",
            "an opaque of another user gives no access, and the association that has it goes on",
            Party::PEER,
        ),
        wrong_key(
            "3.3.1/key-of-another-user",
            "the key of another user gives no access to an association, which goes on",
            Party::USER,
        ),
    ]
}

/// Who sends is who claims: the second user as themselves, or as the user.
fn wrong_key(id: &str, title: &str, claimed: Party) -> Case {
    let place = Party::PEER.connection();
    let case = Case::new(id, title, &["SIPAE-3.3.1-04"]).with_second_account().plan(move |mode| {
        let script = both(mode)
            .compose("taken", Template::new("REGISTER").of(claimed))
            .sign_number("taken", PEER_SA, 100);
        let script = with_opaque_of_user("taken", script).send_on("taken", place).fence_on(place);
        signed(script, "owner").ask("owner")
    });
    case.judge(|judge| {
        judge.refusal("SIPAE-3.3.1-04", "taken");
        judge.processed("SIPAE-3.3.1-04", "owner");
    })
}

fn same_epid() -> Vec<Case> {
    let second = Handshake::of(Party::PEER, PEER_SA).edited([
        replace(HeaderName::From, "{peer.epid}", "{user.epid}"),
        replace(HeaderName::Contact, "{peer.instance}", "{user.instance}"),
    ]);
    let case = Case::new(
        "3.3.1/same-epid-of-two-users",
        "two users with the same epid have associations that do not touch each other",
        &["SIPAE-3.3.1-07"],
    );
    let case = case.with_second_account().plan(move |mode| {
        let script = second.play(handshake(mode).connect(Party::PEER.connection()), mode);
        let script = second.ask(second.signed(script, "of the second"), "of the second");
        second.leave(signed(script, "of the first").ask("of the first"))
    });
    vec![case.judge(|judge| {
        judge.processed("SIPAE-3.3.1-07", "of the second");
        judge.processed("SIPAE-3.3.1-07", "of the first");
    })]
}
