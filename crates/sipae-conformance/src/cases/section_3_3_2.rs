//! 3.3.2 and 3.3.6: how long a server keeps associations, handshakes and connections.
//!
//! Time passes by a set clock, or really where the profile says that the target's timers are short.

use sipae::auth::Scheme;
use sipae_gen::{
    CertificateFault, Connection, Edit, Mode, ParamEdit, Password, Recipient, Script, Template, TicketFault, Timer,
};


use super::{Handshake, SA, first_token, handshake, signed};
use crate::case::Case;
use crate::judge::Judge;
use crate::reaction::Signature;

pub(super) fn cases() -> Vec<Case> {
    [expiry(), idle(), credentials(), unfinished(), silent_timers()].into_iter().flatten().collect()
}

/// An association that was made without registering anything: its idle timer is the short one.
fn unregistered(mode: Mode) -> Script {
    Handshake::user().over("OPTIONS", Recipient::Own).play(Script::connected(), mode)
}

fn options(script: Script, message: &str) -> Script {
    script.compose(message, Template::new("OPTIONS")).sign(message, SA)
}

/// A signed request after so much of a timer, and a bare request behind it.
fn after(script: Script, timer: Timer, percent: u32, message: &str) -> Script {
    options(script.elapse(timer, percent), message).send(message).fence()
}

/// A request that comes too late is not processed under the association. Connections may have been closed meanwhile.
fn ended(judge: &mut Judge<'_>, rows: &[&'static str], message: &str) {
    for row in rows {
        judge.refused(row, message);
    }
}

fn expiry() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.2/expiry",
            "an association ends 8 hours after it was established, however much it was used",
            &["SIPAE-3.3.2-01", "SIPAE-3.3.6-01"],
        )
        .over(Timer::Expiry)
        .plan(|mode| {
            // REGISTERs keep the idle timer from firing first.
            let kept =
                ["1", "2", "3", "4", "5", "6", "7"].into_iter().fold(handshake(mode), |script, name| {
                    signed(script.elapse(Timer::Expiry, 13), name).ask(name)
                });
            signed(kept.elapse(Timer::Expiry, 13), "late").send("late").fence()
        })
        .judge(|judge| {
            if judge.presupposes("7") {
                judge.reaction("SIPAE-3.3.2-01", "late");
                judge.reaction("SIPAE-3.3.6-01", "late");
            }
        }),
        Case::new(
            "3.3.6/expired-ack",
            "an ACK for an association that has expired is dropped",
            &["SIPAE-3.3.6-01"],
        )
        .over(Timer::Expiry)
        .plan(|mode| {
            handshake(mode)
                .elapse(Timer::Expiry, 105)
                .connect(Connection::FIRST)
                .compose("ack", Template::new("ACK"))
                .sign("ack", SA)
                .send("ack")
                .fence()
        })
        .judge(|judge| judge.silent("SIPAE-3.3.6-01", "ack")),
    ]
}

fn idle() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.2/idle",
            "an association that is not used for the time of the idle timer ends",
            &["SIPAE-3.3.2-03", "SIPAE-3.3.6-02"],
        )
        .over(Timer::Idle)
        .plan(|mode| after(unregistered(mode), Timer::Idle, 110, "late"))
        .judge(|judge| {
            if judge.presupposes("last") {
                ended(judge, &["SIPAE-3.3.2-03", "SIPAE-3.3.6-02"], "late");
            }
        }),
        Case::new(
            "3.3.5.3/use-restarts-idle",
            "a verified message starts the idle timer again",
            &["SIPAE-3.3.5.3-10"],
        )
        .over(Timer::Idle)
        .plan(|mode| {
            let script = options(unregistered(mode).elapse(Timer::Idle, 65), "in time").ask("in time");
            options(script.elapse(Timer::Idle, 65), "in time again").ask("in time again")
        })
        .judge(|judge| {
            if judge.presupposes("in time") {
                judge.processed("SIPAE-3.3.5.3-10", "in time again");
            }
        }),
        Case::new(
            "3.3.5.3/forgery-restarts-nothing",
            "a message with a wrong signature does not start the idle timer again",
            &["SIPAE-3.3.5.3-10"],
        )
        .over(Timer::Idle)
        .plan(|mode| {
            let script = options(unregistered(mode).elapse(Timer::Idle, 65), "forged")
                .edit("forged", Edit::Param(sipae::auth::AuthParam::Response, ParamEdit::FlipBit))
                .send("forged");
            after(script, Timer::Idle, 65, "late")
        })
        .judge(|judge| {
            if judge.presupposes("last") {
                judge.refused("SIPAE-3.3.5.3-10", "late");
            }
        }),
        Case::new(
            "3.3.2/registration-extends-idle",
            "an endpoint may be silent as long as its registration lasts",
            &["SIPAE-3.3.2-04"],
        )
        .over(Timer::Idle)
        .plan(|mode| signed(handshake(mode).elapse(Timer::Idle, 150), "later").send("later").fence())
        .judge(|judge| {
            let granted = judge.observation().answer("last", |answer| {
                answer.expires().ok().flatten().and_then(|value| value.to_text().parse::<u32>().ok())
            });
            // Half an hour has passed of what was granted, where the timers are the specification's.
            match granted.flatten() {
                Some(1800..) => judge.processed("SIPAE-3.3.2-04", "later"),
                granted => judge.undecide(format!("last: Expires {granted:?} is too short to tell")),
            }
        }),
    ]
}

/// The credentials end in a minute; an association that is in use would go on for hours. With Kerberos the clocks may be
/// five minutes apart.
fn credentials() -> Vec<Case> {
    let case = |id: &str, what: &str, scheme: Scheme, password: Password| {
        let title = format!("an association ends with the {what} that made it");
        let handshake = Handshake::user().with_password(password);
        Case::new(id, &title, &["SIPAE-3.3.2-02"])
            .with(&[scheme])
            .minting()
            .over(Timer::Idle)
            .by_a_set_clock()
            .plan(move |mode| {
                let script = handshake.play(Script::connected(), mode).elapse(Timer::Idle, 80);
                signed(script.connect(Connection::FIRST), "late").send("late").fence()
            })
            .judge(|judge| judge.reaction("SIPAE-3.3.2-02", "late"))
    };
    vec![
        case(
            "3.3.2/ticket-end",
            "ticket",
            Scheme::Kerberos,
            Password::Ticket(TicketFault::EndsSoon),
        ),
        case(
            "3.3.2/certificate-end",
            "certificate",
            Scheme::TlsDsk,
            Password::Certificate(CertificateFault::EndsSoon),
        ),
    ]
}

fn unfinished() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.2/unfinished-handshake",
            "an AUTHENTICATE that comes after the time for a handshake completes nothing",
            &["SIPAE-3.3.2-07", "SIPAE-3.3.6-02"],
        )
        .with_continuation()
        .over(Timer::Handshake)
        .plan(|mode| {
            let script = first_token(Script::connected(), mode).elapse(Timer::Handshake, 110);
            // A connection that has not authenticated may have been closed meanwhile.
            Handshake::user()
                .complete(script.connect(Connection::FIRST), mode)
                .ask("last")
        })
        .judge(|judge| {
            judge.reaction("SIPAE-3.3.2-07", "last");
            judge.refused("SIPAE-3.3.6-02", "last");
        }),
        Case::new(
            "3.3.2/silent-connection",
            "a connection that does not authenticate is closed, one that has is not",
            &["SIPAE-3.3.2-06"],
        )
        .over(Timer::Connection)
        .plan(|mode| {
            // Opened first: once the handshake is over, the target has taken note of it.
            let opened = Script::default().connect(Connection(6)).connect(Connection::FIRST);
            let script = Handshake::user().play(opened, mode).elapse(Timer::Connection, 120);
            signed(script, "authenticated").ask("authenticated")
        })
        .judge(|judge| {
            judge.processed("SIPAE-3.3.2-06", "authenticated");
            if !judge.observation().ended.contains_key(&6) {
                // A server without the role of an edge need not close.
                judge.record("SIPAE-3.3.2-06", "a connection that does not authenticate", "stays open");
            }
        }),
    ]
}

fn silent_timers() -> Vec<Case> {
    vec![
        Case::new(
            "3.3.6/timers-send-nothing",
            "nothing is sent under an association when its time is over",
            &["SIPAE-3.3.6-04"],
        )
        .over(Timer::Expiry)
        .plan(|mode| handshake(mode).elapse(Timer::Expiry, 110).connect(Connection::FIRST).fence())
        .judge(|judge| {
            let signed = |(_, signature): &&(String, Signature)| {
                matches!(signature, Signature::Verified(_) | Signature::Replayed(_))
            };
            let sent = judge.observation().unasked.iter().find(signed);
            let holds = match sent {
                Some((method, _)) => Err(format!("{method}, signed")),
                None => Ok(()),
            };
            judge.check("SIPAE-3.3.6-04", "no message signed with the association that has ended", holds);
        }),
    ]
}
