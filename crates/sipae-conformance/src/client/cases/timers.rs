//! What a client does as time passes, by a clock that is set.

use std::time::Duration;

use sipae::auth::Scheme;
use sipae::clock::Time;
use sipae::message::HeaderName;
use sipae_gen::{Awaited, Edit, Form, Service};

use super::super::case::ClientCase;
use super::super::home::Class;
use super::super::judge::ClientJudge;
use super::super::seen::Heard;
use crate::ledger::holds_if;
use crate::reaction::Signature;

const MINUTE: u64 = 60 * 1000;
/// The longest life of an association.
const LIMIT: Duration = Duration::from_secs(8 * 60 * 60);
/// What a conversation takes by the clock of this machine, beside the one that is set.
const TOLERANCE: Duration = Duration::from_secs(60);
/// By when it should have been renewed.
const BUFFER: Duration = Duration::from_secs(5 * 60);

/// Time passes in steps that a client's own timers fit into.
fn pass(service: Service, minutes: u64, step: u64) -> Service {
    service.each(0..minutes / step, move |service, _| service.elapse(step * MINUTE))
}

pub(super) fn cases() -> Vec<ClientCase> {
    vec![
        renewal_of(Scheme::Ntlm, "3.2.2/ntlm-association-is-renewed", "SIPAE-3.2.2-04"),
        renewal_of(Scheme::Kerberos, "3.2.2/kerberos-association-is-renewed", "SIPAE-3.2.2-02"),
        renewal_of(Scheme::TlsDsk, "3.2.2/tls-dsk-association-is-renewed", "SIPAE-3.2.2-03"),
        ClientCase::new(
            "3.2.2/registration-is-refreshed",
            "a registration is refreshed before it ends, signed",
            &["SIPAE-3.2.2-06", "PATENT-0046"],
        )
        .by_a_set_clock()
        .plan(|_| {
            let service = Service::new()
                .wait("completing", Awaited::Completing)
                .respond("granted", "completing", 200, Form::Success)
                .edit("granted", Edit::SetHeader(HeaderName::Expires, "120".into()))
                .sign("granted")
                .send("granted")
                .settle();
            service.each(0..13, |service, _| service.elapse(10 * 1000))
        })
        .judge(|judge| {
            let Some(granted) = judge.sent("granted") else { return };
            let begun = time_of(judge, "completing");
            let later = judge.seen().heard.get(granted.before..).unwrap_or_default();
            let next = later.iter().find(|heard| heard.method() == "REGISTER");
            let holds = match next.zip(begun) {
                None => Err("nothing".to_owned()),
                Some((heard, begun)) if Duration::from_secs(120) < heard.at.since(begun) => {
                    Err(format!("after {} s", heard.at.since(begun).as_secs()))
                }
                Some((heard, _)) => match (&heard.read.signature, heard.read.class) {
                    (Signature::Verified(_), Class::Signed) => Ok(()),
                    (_, Class::Bare | Class::First) => Ok(()),
                    (signature, _) => Err(format!("{signature:?}")),
                },
            };
            judge.check("SIPAE-3.2.2-06", "a REGISTER within 120 s", holds.clone());
            judge.recorded("PATENT-0046", "a REGISTER within 120 s", holds);
        }),
        ClientCase::new(
            "3.2.2/short-registration",
            "a registration of a minute is refreshed without a busy loop",
            &["SIPAE-3.2.2-06"],
        )
        .by_a_set_clock()
        .plan(|_| {
            let service = Service::new()
                .wait("completing", Awaited::Completing)
                .respond("granted", "completing", 200, Form::Success)
                .edit("granted", Edit::SetHeader(HeaderName::Expires, "10".into()))
                .sign("granted")
                .send("granted")
                .settle();
            service.each(0..100, |service, _| service.elapse(100))
        })
        .judge(|judge| {
            let Some(granted) = judge.sent("granted") else { return };
            let count = judge.seen().heard.len().saturating_sub(granted.before);
            let holds = holds_if(count <= 10, format!("{count} requests in 10 s"));
            judge.check("SIPAE-3.2.2-06", "no more than one request a second", holds);
        }),
        ClientCase::new(
            "3.2.2/timer-of-a-replaced-association",
            "the timer of an association ends with it",
            &["SIPAE-3.2.2-07"],
        )
        .made_to(&[sipae::client::Stimulus::Message])
        .by_a_set_clock()
        .plan(|_| {
            let service = pass(Service::new().establish().settle(), 60, 5)
                .make("asked", sipae::client::Stimulus::Message)
                .wait("request", Awaited::Method("MESSAGE".to_owned()))
                .forget()
                .challenge("challenge", "request")
                .send("challenge")
                .wait("renewing", Awaited::Completing)
                .serve("renewing")
                .settle();
            // The first association would have ended in seven hours from here.
            pass(service, 7 * 60 + 5, 5)
        })
        .judge(|judge| {
            let Some(place) = judge.seen().kept.get(&"renewing".into()).copied() else {
                return judge.undecide("it has not authenticated again");
            };
            let later = judge.seen().heard.get(place + 1..).unwrap_or_default();
            let again = later.iter().filter(|heard| heard.read.class == Class::Completing).count();
            let holds = holds_if(again == 0, "another authentication");
            judge.check("SIPAE-3.2.2-07", "no authentication at the old instant", holds);
        }),
    ]
}

/// The whole life of an association, and what follows it.
fn renewal_of(scheme: Scheme, id: &str, row: &'static str) -> ClientCase {
    let rows = ["SIPAE-3.2.2-01", "SIPAE-3.2.2-05", "SIPAE-3.2.6-01", "PATENT-0052", row];
    ClientCase::new(id, "an association is renewed before its eight hours are over", &rows)
        .with(&[scheme])
        .by_a_set_clock()
        // Whoever renews nothing has refreshed a registration of two hours behind the eighth.
        .plan(|_| pass(Service::new().establish().settle(), 10 * 60 + 5, 5))
        .judge(move |judge| {
            renewed(judge);
            within(judge, row, LIMIT);
        })
}

fn time_of(judge: &ClientJudge<'_>, message: &str) -> Option<Time> {
    judge.seen().request(message).map(|heard| heard.at)
}

/// The first request of a new authentication, and how long after the first one it came.
fn renewal<'o>(judge: &ClientJudge<'o>) -> Option<(&'o Heard, Duration)> {
    let begun = time_of(judge, "completing")?;
    let place = *judge.seen().kept.get(&"completing".into())?;
    let later = judge.seen().heard.get(place + 1..).unwrap_or_default();
    let renewing =
        later.iter().find(|heard| matches!(heard.read.class, Class::Bare | Class::First | Class::Completing));
    renewing.map(|heard| (heard, heard.at.since(begun)))
}

fn within(judge: &mut ClientJudge<'_>, row: &'static str, limit: Duration) {
    if judge.request("completing").is_none() {
        return;
    }
    let holds = match renewal(judge) {
        Some((_, time)) if time <= limit + TOLERANCE => Ok(()),
        Some((_, time)) => Err(format!("after {} min", time.as_secs() / 60)),
        None => Err("nothing".to_owned()),
    };
    judge.check(row, &format!("a new authentication within {} min", limit.as_secs() / 60), holds);
}

fn renewed(judge: &mut ClientJudge<'_>) {
    within(judge, "SIPAE-3.2.2-01", LIMIT);
    within(judge, "SIPAE-3.2.2-05", LIMIT.saturating_sub(BUFFER));
    within(judge, "PATENT-0052", LIMIT);
    outlived(judge);
    let Some((renewing, _)) = renewal(judge) else { return };
    let is_bare = holds_if(renewing.read.class == Class::Bare, "a first token");
    judge.recorded("SIPAE-3.2.6-01", "it begins bare", is_bare);
    // Behind the new association nothing is signed with the old one once its time is over.
    let Some(begun) = time_of(judge, "completing") else { return };
    let heard = &judge.seen().heard;
    let last = heard.iter().rposition(|heard| heard.read.class == Class::Completing).unwrap_or_default();
    let stale = heard.get(last + 1..).unwrap_or_default().iter().any(|heard| {
        let is_late = LIMIT + TOLERANCE < heard.at.since(begun);
        is_late && heard.read.class == Class::Signed && !heard.read.is_current
    });
    let holds = holds_if(!stale, "a request signed with the old association");
    judge.check("SIPAE-3.2.6-01", "nothing is signed with the association that has ended", holds);
}

/// What is signed longer than an association lives, where no other one has been made.
fn outlived(judge: &mut ClientJudge<'_>) {
    let Some(begun) = time_of(judge, "completing") else { return };
    let heard = &judge.seen().heard;
    let renewed = heard.iter().filter(|heard| heard.read.class == Class::Completing).count();
    let late = heard
        .iter()
        .any(|heard| heard.read.class == Class::Signed && LIMIT + TOLERANCE < heard.at.since(begun));
    let holds = holds_if(!(late && renewed < 2), "a request signed after eight hours");
    judge.check("SIPAE-3.2.6-01", "nothing is signed after eight hours", holds);
}
