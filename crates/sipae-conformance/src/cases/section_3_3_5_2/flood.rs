//! Handshakes that nobody finishes (SIPAE-3.3.5.2-30).

use sipae::message::HeaderName;
use sipae_gen::{Connection, Edit, Mode, Party, Script, Text, Timer};

use super::completes;
use crate::case::Case;
use crate::cases::{Handshake, handshake, signed};

pub(super) fn cases() -> Vec<Case> {
    let kept = Case::new(
        "3.3.5.2/flood-of-first-tokens",
        "a flood of first tokens ends no association",
        &["SIPAE-3.3.5.2-30"],
    )
    .with_continuation()
    .rough()
    .plan(|mode| signed(flood(handshake(mode), mode), "after").ask("after"))
    .judge(|judge| judge.processed("SIPAE-3.3.5.2-30", "after"));
    let newcomer = Case::new(
        "3.3.5.2/login-after-flood",
        "after a flood of first tokens and the time of a handshake newcomers are served",
        &["SIPAE-3.3.5.2-30"],
    )
    .with_continuation()
    .rough()
    .over(Timer::Handshake)
    .plan(|mode| {
        let script = flood(handshake(mode), mode).elapse(Timer::Handshake, 110);
        newcomer().play(script.connect(Party::SECOND.connection()), mode)
    })
    .judge(|judge| completes(judge, "SIPAE-3.3.5.2-30", &newcomer()));
    vec![kept, newcomer]
}

fn newcomer() -> Handshake {
    Handshake::of(Party::SECOND, "newcomer")
}

/// First tokens, and over how many connections of strangers they come.
const TOKENS: u32 = 300;
const CONNECTIONS: u32 = 4;
const FIRST: u32 = 10;

/// Each of another endpoint of the user, so that no bound for one endpoint holds them off.
fn flood(script: Script, mode: Mode) -> Script {
    let script = script.each(FIRST..FIRST + CONNECTIONS, |script, number| script.connect(Connection(number)));
    script.each(0..TOKENS, |script, number| first_token(script, number, mode))
}

fn first_token(script: Script, number: u32, mode: Mode) -> Script {
    let message = format!("flood {number}");
    let replace = |header, from: &str, to: &str| {
        let (from, to) = (Text::of(from), Text::of(to));
        Edit::Replace { header, from, to }
    };
    let instance = ";+sip.instance=\"<urn:uuid:{user.instance}>\"";
    Handshake::user()
        .opening(script, &message, mode)
        .edit(&message, replace(HeaderName::From, "{user.epid}", &format!("{{user.epid}}{number}")))
        .edit(&message, replace(HeaderName::Contact, instance, ""))
        .send_on(&message, Connection(FIRST + number % CONNECTIONS))
}
