//! 3.3.4.1: the numbers and the random values of many messages that are signed with one association.

use std::collections::BTreeSet;

use sipae::auth::AuthParam;
use sipae::message::Message;
use sipae_gen::{Party, Recipient, Script, Template};

use super::seen::{number, signature_param};
use super::{PEER_SA, both, handshake, signed};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Reaction;

const PARALLEL: usize = 100;
const EACH_WAY: usize = 20;
const SAMPLES: usize = 64;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.4.1/hundred-at-once",
            "a hundred requests at once are answered with a hundred numbers",
            &["SIPAE-3.3.4.1-05"],
        )
        .plan(|mode| at_once(handshake(mode), PARALLEL))
        .judge(distinct_numbers),
        Case::new(
            "3.3.4.1/answers-and-deliveries",
            "answers to a client and requests to it take their numbers from one counter",
            &["SIPAE-3.3.4.1-05"],
        )
        .with_peer()
        .plan(|mode| both_ways(both(mode)))
        .judge(distinct_numbers),
        Case::new(
            "3.3.4.1/srand",
            "srand is eight hexadecimal digits, fresh in each message",
            &["SIPAE-3.3.4.1-06"],
        )
        .plan(|mode| at_once(handshake(mode), SAMPLES))
        .judge(fresh_srand),
    ]
}

fn at_once(script: Script, count: usize) -> Script {
    let names: Vec<String> = (1..=count).map(|place| format!("request {place}")).collect();
    script
        .each(&names, |script, name| signed(script, name))
        .each(&names, |script, name| script.send(name))
        .each(&names, |script, name| script.wait(name))
}

/// The user asks, and is sent requests by the second user meanwhile.
fn both_ways(script: Script) -> Script {
    let asked: Vec<String> = (1..=EACH_WAY).map(|place| format!("request {place}")).collect();
    let sent: Vec<String> = (1..=EACH_WAY).map(|place| format!("message {place}")).collect();
    let to_user = || Template::new("MESSAGE").of(Party::PEER).to(Recipient::Endpoint(Party::USER));
    script
        .each(&asked, |script, name| signed(script, name))
        .each(&sent, |script, name| script.compose(name, to_user()).sign(name, PEER_SA))
        .each(asked.iter().zip(&sent), |script, (asked, sent)| script.send(sent).send(asked))
        .each(sent.iter().chain(&asked), |script, name| script.wait(name))
}

/// What the server has signed for the user: answers to the user, and what reached the user.
fn numbers(judge: &Judge<'_>) -> Vec<u32> {
    let messages = &judge.observation().messages;
    let own = messages
        .iter()
        .filter(|(label, _)| ["request", "last"].iter().any(|prefix| label.as_str().starts_with(prefix)));
    let answers = own.filter_map(|(_, seen)| seen.reaction.number());
    let deliveries = messages.values().flat_map(|seen| &seen.deliveries);
    let delivered = deliveries.filter(|delivery| delivery.to == Party::USER);
    answers.chain(delivered.filter_map(|delivery| number(&delivery.signature))).collect()
}

fn distinct_numbers(judge: &mut Judge<'_>) {
    let numbers = numbers(judge);
    if numbers.len() < 2 {
        return judge.undecide("fewer than two messages with a good signature".to_owned());
    }
    let mut seen = BTreeSet::new();
    let twice = numbers.iter().find(|number| !seen.insert(**number));
    let holds =
        twice.map_or(Ok(()), |number| Err(format!("snum {number} twice in {} messages", numbers.len())));
    judge.check("SIPAE-3.3.4.1-05", "no snum twice in one association", holds);
}

fn fresh_srand(judge: &mut Judge<'_>) {
    let srand = |answer: &Message<'_>| signature_param(answer, AuthParam::Srand);
    let finals = judge.observation().messages.iter();
    let finals = finals.filter(|(_, seen)| matches!(seen.reaction, Reaction::Final { .. }));
    let names: Vec<String> = finals.map(|(label, _)| label.to_string()).collect();
    let values: Vec<String> =
        names.iter().filter_map(|name| judge.observation().answer(name, srand).flatten()).collect();
    if values.len() < 2 {
        return judge.undecide("fewer than two signed messages".to_owned());
    }
    let is_srand = |text: &str| text.len() == 8 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    let odd = values.iter().find(|text| !is_srand(text));
    let shape = odd.map_or(Ok(()), |text| Err(format!("srand {text}")));
    judge.check("SIPAE-3.3.4.1-06", "eight hexadecimal digits", shape);
    let mut seen = BTreeSet::new();
    let twice = values.iter().find(|text| !seen.insert(*text));
    let fresh = twice.map_or(Ok(()), |text| Err(format!("srand {text} twice in {} messages", values.len())));
    judge.check("SIPAE-3.3.4.1-06", "a fresh srand in each message", fresh);
}
