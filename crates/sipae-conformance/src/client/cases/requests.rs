//! Requests of the server, good and bad, inside one conversation: what a client does not act upon is proven by a later
//! request that it answers.

mod numbers;
mod table;

use sipae::auth::{AuthParam, Scheme};
use sipae::client::Stimulus;
use sipae::version::Version;
use sipae_gen::{Edit, Service, Signing};

use self::numbers::numbers;
use self::table::{BAD, BAD_LONG, Bad, LONG, ODD, ODD_LONG, Odd, faults, set};
pub(in super::super) use self::table::{fault, flipped, oddly};
use super::super::case::ClientCase;
use super::super::judge::ClientJudge;
use super::look::{all, crands, credential, has, lacks, numbers_differ};

pub(super) fn cases() -> Vec<ClientCase> {
    let bad = BAD.iter().map(bad).chain(BAD_LONG.iter().map(|case| bad(case).at(LONG)));
    let odd = ODD.iter().map(odd).chain(ODD_LONG.iter().map(|case| odd(case).at(LONG)));
    let written = std::iter::once(good()).chain(odd).chain(numbers()).chain(others()).chain(bad);
    written.chain(generated()).collect()
}

fn shared(id: &str, title: &str, rows: &[&'static str]) -> ClientCase {
    ClientCase::new(id, title, rows).shared().answering()
}

fn bad(case: &'static Bad) -> ClientCase {
    shared(case.id, case.title, case.rows)
        .plan(|_| (case.make)(Service::new().answered("bad").sign("bad"), "bad").send("bad").fence())
        .judge(|judge| {
            for row in case.rows {
                judge.refused(row, "bad");
            }
        })
}

fn odd(case: &'static Odd) -> ClientCase {
    shared(case.id, case.title, case.rows)
        .plan(|_| (case.make)(Service::new().answered("odd")).ask("odd"))
        .judge(|judge| {
            for row in case.rows {
                if case.is_weak { judge.processed_weakly(row, "odd") } else { judge.processed(row, "odd") }
            }
        })
}

/// What sequences of numbers, replays and forgeries show.
const SEQUENCES: &[&str] = &[
    "SIPAE-3.2.5.2-10",
    "SIPAE-3.1.1-03",
    "SIPAE-3.1.1-04",
    "SIPAE-3.1.1-05",
    "SIPAE-3.1.1-07",
    "SIPAE-3.1.1-08",
    "SIPAE-3.2.5.2-08",
    "SIPAE-3.2.5.2-11",
];

/// Generated requests, and what is foreseen of them.
fn generated() -> Vec<ClientCase> {
    use super::super::generated::{content, history, returns, sequence, times};
    let mut rows: Vec<&'static str> = faults().filter_map(|bad| bad.rows.first().copied()).collect();
    rows.push("SIPAE-3.2.5.2-10");
    rows.sort_unstable();
    rows.dedup();
    let histories = [&["SIPAE-3.1.1-10"], SEQUENCES].concat();
    vec![
        shared(
            "3.1.1/generated-sequences",
            "whatever the order of its requests, each number of a server is accepted once",
            SEQUENCES,
        )
        .generated(sequence),
        shared(
            "3.1.1/generated-times",
            "a number that was used stays used, however much time passes",
            SEQUENCES,
        )
        .by_a_set_clock()
        .generated(times),
        shared(
            "3.1.1/generated-histories",
            "each association of a client has numbers of its own, and the last one alone counts",
            &histories,
        )
        .made_to(&[Stimulus::Message])
        .generated(history),
        shared(
            "3.1.1/generated-returns",
            "a client that comes back has an association that knows nothing of the one before",
            &histories,
        )
        .made_to(&[Stimulus::Message, Stimulus::Unregister, Stimulus::Register])
        .generated(returns),
        shared("3.2.5.2/generated-requests", "odd requests are acted upon, and bad ones are not", &rows)
            .generated(content),
    ]
}

/// What a client says when everything is right.
fn good() -> ClientCase {
    shared(
        "3.2.4.1/answers-are-signed",
        "a good request is answered, with a signature of the client of its own",
        &[
            "SIPAE-3.2.5.2-10",
            "SIPAE-3.2.5.2-06",
            "SIPAE-3.2.4.1-03",
            "SIPAE-3.2.4.1-13",
            "SIPAE-3.2.4.1-14",
            "SIPAE-3.2.4.1-16",
            "SIPAE-3.2.4.1-17",
            "SIPAE-3.2.4.1-18",
            "SIPAE-3.2.5.1-18",
            "SIPAE-3.1-01",
            "PATENT-0010",
            "PATENT-0018",
        ],
    )
    .plan(|_| {
        Service::new().each(["one", "two", "three", "four"], |service, name| {
            service.answered(name).sign(name).ask(name)
        })
    })
    .judge(|judge| {
        for row in ["SIPAE-3.2.5.2-10", "SIPAE-3.2.5.2-06", "SIPAE-3.2.4.1-03", "SIPAE-3.1-01", "PATENT-0018"]
        {
            judge.processed(row, "one");
        }
        of_answers(judge);
    })
}

/// What every answer must carry, and how answers differ.
fn of_answers(judge: &mut ClientJudge<'_>) {
    use AuthParam::{Cnum, Crand, GssapiData, Opaque, Qop, Realm, Response, Targetname, Version};
    let scheme = judge.mode().scheme;
    let octets: Vec<Vec<u8>> = judge
        .seen()
        .sent
        .values()
        .flat_map(|sent| &sent.replies)
        .filter(|reply| 200 <= reply.status)
        .map(|reply| reply.octets.clone())
        .collect();
    let every = |look: &dyn Fn(&sipae::auth::AuthHeader<'_>) -> Result<(), String>| {
        let look = |octets: &Vec<u8>| {
            credential(octets, scheme, look).unwrap_or_else(|| Err("no credential".to_owned()))
        };
        all(octets.iter().map(look).collect::<Vec<_>>())
    };
    let carried = every(&|header| has(header, &[Qop, Realm, Opaque, Targetname, Crand, Cnum, Response]));
    judge.check("SIPAE-3.2.4.1-16", "qop, realm, opaque, targetname, crand, cnum, response", carried);
    for row in ["SIPAE-3.2.5.1-18", "PATENT-0010"] {
        judge.check(row, "opaque", every(&|header| has(header, &[Opaque])));
    }
    judge.check("SIPAE-3.2.4.1-17", "no gssapi-data", every(&|header| lacks(header, &[GssapiData])));
    let version = every(&|header| lacks(header, &[Version]));
    judge.recorded("SIPAE-3.2.4.1-18", "no version", version);
    let seen = judge.seen();
    judge.check("SIPAE-3.2.4.1-13", "crands of eight digits that differ", crands(seen));
    judge.check("SIPAE-3.2.4.1-14", "cnums that differ", numbers_differ(seen));
}

fn others() -> Vec<ClientCase> {
    vec![
        shared(
            "3.2.5.2/unsigned-request",
            "an unsigned request is not acted upon",
            &["SIPAE-3.2.5.2-11", "SIPAE-3.1-01"],
        )
        .plan(|_| Service::new().answered("bad").send("bad").fence())
        .judge(|judge| {
            judge.refused_or_told("SIPAE-3.2.5.2-11", "bad");
            judge.refused_or_told("SIPAE-3.1-01", "bad");
        }),
        shared(
            "3.2.5.2/unsigned-message",
            "an unsigned MESSAGE, INVITE, NOTIFY or BYE is not acted upon",
            &["SIPAE-3.2.5.2-11"],
        )
        .plan(|_| {
            Service::new().each(["MESSAGE", "INVITE", "NOTIFY", "BYE"], |service, method| {
                service.request(method, method).send(method).fence()
            })
        })
        .judge(|judge| {
            for method in ["MESSAGE", "INVITE", "NOTIFY", "BYE"] {
                judge.refused_or_told("SIPAE-3.2.5.2-11", method);
            }
        }),
        shared(
            "3.2.5.2/layout-of-the-association",
            "the version of the association decides what is signed",
            &["SIPAE-3.2.5.2-15"],
        )
        .plan(|mode| {
            let other = if mode.version == Version::V2 { Version::V4 } else { Version::V2 };
            let signing = Signing { layout: Some(other), ..Signing::default() };
            Service::new().answered("bad").sign_with("bad", signing).send("bad").fence()
        })
        .judge(|judge| judge.refused("SIPAE-3.2.5.2-15", "bad")),
        shared(
            "3.2.5.2/layout-of-the-own-version",
            "a message is verified over the buffer of the association's version",
            &["SIPAE-3.2.5.2-15", "SIPAE-3.2.4.1-05", "SIPAE-2.2-07"],
        )
        .at(&[Version::V2])
        .plan(|_| Service::new().ask_signed("good"))
        .judge(|judge| {
            judge.processed("SIPAE-3.2.5.2-15", "good");
            for row in ["SIPAE-3.2.4.1-05", "SIPAE-2.2-07"] {
                let holds = super::look::verify(judge.seen());
                judge.check(row, "the answer verifies over the short buffer", holds);
            }
        }),
        shared(
            "3.2.5.2/version-that-disagrees",
            "a version in the signature that is not that of the association",
            &["SIPAE-3.2.5.2-15"],
        )
        .at(LONG)
        .plan(|_| {
            Service::new()
                .answered("odd")
                .sign("odd")
                .edit("odd", set(AuthParam::Version, "2"))
                .send("odd")
                .fence()
        })
        .judge(|judge| {
            let answered = judge.seen().sent("odd").is_some_and(|sent| sent.answer().is_some());
            let told = if answered { "processed by the association" } else { "ignored" };
            judge.record("SIPAE-3.2.5.2-15", "what rules where they disagree", told);
        }),
        shared(
            "3.2.1/kerberos-target-without-sip",
            "a Kerberos targetname without sip/ is looked up, or not",
            &["SIPAE-3.2.1-03", "SIPAE-3.2.5.2-03"],
        )
        .with(&[Scheme::Kerberos])
        .plan(|_| {
            let edit = Edit::Credential { from: "sip/".into(), to: "".into() };
            Service::new().answered("odd").sign("odd").edit("odd", edit).send("odd").fence()
        })
        .judge(|judge| {
            let answered = judge.seen().sent("odd").is_some_and(|sent| sent.answer().is_some());
            let told = if answered { "found" } else { "not found" };
            judge.record("SIPAE-3.2.1-03", "without sip/", told);
            judge.record("SIPAE-3.2.5.2-03", "without sip/", told);
        }),
        shared(
            "3.2.5.2/own-answer-reflected",
            "the client's own signature does not verify as the server's",
            &["SIPAE-3.2.5.2-21"],
        )
        .made_to(&[Stimulus::Message])
        .plan(|_| {
            use sipae::client::Stimulus;
            use sipae_gen::Awaited;
            Service::new()
                .make("message", Stimulus::Message)
                .wait("own", Awaited::Method("MESSAGE".to_owned()))
                .serve("own")
                .echo("back", "own")
                .reflect("back", "own")
                .send("back")
                .fence()
        })
        .judge(|judge| judge.refused("SIPAE-3.2.5.2-21", "back")),
    ]
}
