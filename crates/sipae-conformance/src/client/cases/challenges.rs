//! Challenges of every kind: what a client makes of them, and where it must not go on.

use sipae::auth::{AuthParam, ChallengeKind, Scheme};
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Awaited, Edit, Form, ParamEdit, Service, Text};

use super::super::case::ClientCase;
use super::super::judge::ClientJudge;
use super::super::seen::{Heard, Next};
use super::good::{echoes, in_field, opaque_echoed};
use super::look::all;
use super::renewals::at_a_proxy;
use crate::ledger::holds_if;
use crate::reaction::Signature;

/// A challenge that looks odd, and can be answered.
struct Odd {
    id: &'static str,
    title: &'static str,
    rows: &'static [&'static str],
    /// Whether products are known that do not read it.
    is_weak: bool,
    edits: fn() -> Vec<Edit>,
}

/// Another line of the challenge; what stands in braces in it is what the challenge says.
pub(super) fn line(value: &str, first: bool) -> Edit {
    Edit::AddHeader { name: "WWW-Authenticate".to_owned(), value: Text::of(value), first }
}

const ODD: &[Odd] = &[
    Odd {
        id: "3.2.5.1/unknown-scheme-first",
        title: "challenges of unknown schemes are passed over",
        rows: &["SIPAE-3.2.5.1-03", "SIPAE-2.2-17"],
        is_weak: false,
        edits: || {
            vec![
                line("Basic realm=\"x\"", true),
                line("Foo realm=\"x\", targetname=\"y\", version=4", true),
                line("Bearer realm=\"x\"", false),
            ]
        },
    },
    Odd {
        id: "3.2.5.1/line-without-targetname-first",
        title: "a challenge line without targetname is passed over",
        rows: &["SIPAE-3.2.5.1-04"],
        is_weak: false,
        edits: || vec![line("{sa.scheme} realm=\"Nobody\", version=4", true)],
    },
    Odd {
        id: "3.2.5.1/line-without-realm-first",
        title: "a challenge line without realm is passed over",
        rows: &["SIPAE-3.2.5.1-04"],
        is_weak: false,
        edits: || vec![line("{sa.scheme} targetname=\"nobody.invalid\", version=4", true)],
    },
    Odd {
        id: "3.2.5.1/malformed-line-first",
        title: "a malformed challenge line is passed over",
        rows: &["SIPAE-3.2.5.1-04"],
        is_weak: false,
        edits: || vec![line("{sa.scheme} realm=\"Nobody, targetname=\"nobody.invalid, version=4", true)],
    },
    Odd {
        id: "3.2.5.1/date-an-hour-off",
        title: "a challenge whose Date is an hour off is answered",
        rows: &["SIPAE-3.2.5.1-24"],
        is_weak: false,
        edits: || vec![Edit::SetHeader(HeaderName::Date, "Thu, 01 Jan 2026 03:00:00 GMT".into())],
    },
    Odd {
        id: "3.2.5.1/no-date",
        title: "a challenge without Date, or with one that cannot be read, is answered",
        rows: &["SIPAE-3.2.5.1-24"],
        is_weak: false,
        edits: || vec![Edit::SetHeader(HeaderName::Date, "yesterday".into())],
    },
    Odd {
        id: "2.2/challenge-in-another-order",
        title: "parameters of a challenge are understood in any order and any letters",
        rows: &["SIPAE-2.2-02", "SIPAE-2.2-03"],
        is_weak: true,
        edits: || vec![Edit::ReshapeCredential],
    },
    Odd {
        id: "2.2/challenge-with-unknown-parameter",
        title: "parameters of a challenge that are not known do no harm",
        rows: &["SIPAE-2.2-15"],
        is_weak: false,
        edits: || {
            let value = "a, b=\"c\"".replace('"', "'");
            vec![Edit::AddParam { name: "ms-extra".to_owned(), value: value.as_str().into(), first: true }]
        },
    },
    Odd {
        id: "2.2/challenge-in-other-letters",
        title: "the name of the challenge's header field is understood in any letters",
        rows: &["SIPAE-2.2-20"],
        is_weak: false,
        edits: || vec![Edit::RenameHeader(HeaderName::WwwAuthenticate, "www-authenticate".to_owned())],
    },
    Odd {
        id: "2.2/folded-challenge",
        title: "a folded challenge is understood",
        rows: &["SIPAE-2.2-20"],
        is_weak: true,
        edits: || vec![Edit::Param(AuthParam::Targetname, ParamEdit::Lead("\r\n ".to_owned()))],
    },
];

pub(super) fn cases() -> Vec<ClientCase> {
    ODD.iter().map(odd).chain(others()).chain(loops()).collect()
}

pub(super) fn challenged(edits: Vec<Edit>) -> Service {
    let service = Service::new().wait("bare", Awaited::Bare).challenge("challenge", "bare");
    service.each(edits, |service, edit| service.edit("challenge", edit)).send("challenge")
}

/// The changes of all cases that can go into one challenge with those of this one: the generous ones by themselves, and
/// one without a Date by itself.
fn edits_like(case: &Odd) -> Vec<Edit> {
    const WITHOUT_DATE: &str = "3.2.5.1/no-date";
    let is_alone = case.id == WITHOUT_DATE;
    let alike = |other: &&Odd| match is_alone {
        true => other.id == case.id,
        false => other.id != WITHOUT_DATE && other.is_weak == case.is_weak,
    };
    ODD.iter().filter(alike).flat_map(|other| (other.edits)()).collect()
}

fn odd(case: &'static Odd) -> ClientCase {
    ClientCase::new(case.id, case.title, case.rows)
        .plan(|_| challenged((case.edits)()).establish().settle())
        .together(|_| challenged(edits_like(case)).establish().settle())
        .judge(|judge| {
            for row in case.rows {
                judge.begins(row, "challenge", case.is_weak);
            }
        })
}

fn others() -> Vec<ClientCase> {
    vec![
        ClientCase::new(
            "3.2.5.1/odd-spelling-comes-back",
            "a realm of odd spelling comes back as it was",
            &["SIPAE-3.2.5.1-06"],
        )
        .plan(|_| Service::new().realm("conToso  REALM (x)").establish().settle())
        .together(|_| odd_spelling())
        .judge(|judge| {
            judge.establishes("SIPAE-3.2.5.1-06");
            echoes(judge, &["SIPAE-3.2.5.1-06"]);
        }),
        ClientCase::new(
            "3.2.5.1/odd-opaque-comes-back",
            "an opaque of odd spelling comes back as it was",
            &["SIPAE-2.2-14"],
        )
        .with(&[Scheme::Ntlm, Scheme::TlsDsk])
        .plan(|_| Service::new().opaque("0aB  c,=;x").establish().settle())
        .together(|_| odd_spelling())
        .judge(|judge| opaque_echoed(judge, "SIPAE-2.2-14")),
        ClientCase::new(
            "3.2.5.1/proxy-challenge",
            "a 407 is answered in Proxy-Authorization",
            &["SIPAE-3.2.5.1-01", "SIPAE-3.2.4.1-22"],
        )
        .plan(|_| {
            Service::new()
                .kind(ChallengeKind::Proxy)
                .wait("bare", Awaited::Bare)
                .challenge("first challenge", "bare")
                .send("first challenge")
                .establish()
                .settle()
        })
        .together(|_| at_a_proxy())
        .judge(|judge| {
            // A shipping client answers 401 alone: the row is a SHOULD.
            judge.begins("SIPAE-3.2.5.1-01", "first challenge", true);
            if judge.seen().request("completing").is_some() {
                in_field(judge, HeaderName::ProxyAuthorization);
            }
        }),
        ClientCase::new(
            "3.2.5.1/crossed-challenge",
            "a 401 that has Proxy-Authenticate alone is answered or not",
            &["SIPAE-3.2.5.1-01"],
        )
        .plan(|_| challenged(vec![Edit::CredentialHeader(HeaderName::ProxyAuthenticate)]).settle())
        .judge(|judge| {
            if let Some(next) = judge.next_of("challenge") {
                judge.record("SIPAE-3.2.5.1-01", "401 with Proxy-Authenticate", &next.to_string());
            }
        }),
        ClientCase::new(
            "3.2.5.1/version-from-the-future",
            "a challenge of version 5 is answered with a version that the client knows, or not at all",
            &["SIPAE-3.2.5.1-07"],
        )
        .at(&[Version::V4])
        .plan(|_| {
            let version = Edit::Param(AuthParam::Version, ParamEdit::Set("5".into()));
            challenged(vec![version]).wait_if_any("next", Awaited::Any).settle()
        })
        .judge(|judge| {
            // Whoever tries again later has given up this time.
            match judge.next_of("challenge") {
                Some(Next::Bare { .. }) => {
                    judge.record("SIPAE-3.2.5.1-07", "version 5", "a bare request, anew");
                }
                _ => judge.next("SIPAE-3.2.5.1-07", "challenge"),
            }
        }),
        ClientCase::new(
            "3.2.5.1/only-unknown-schemes",
            "where only unknown schemes are offered nothing is sent",
            &["SIPAE-3.2.5.1-03"],
        )
        .plan(|_| {
            challenged(vec![
                Edit::SetHeader(HeaderName::WwwAuthenticate, "Foo realm=\"x\", targetname=\"y\"".into()),
                line("Basic realm=\"x\"", false),
            ])
            .settle()
        })
        .judge(|judge| nothing_usable(judge, "SIPAE-3.2.5.1-03")),
        ClientCase::new(
            "3.2.5.1/only-a-line-without-targetname",
            "where the only line lacks targetname no credential is invented",
            &["SIPAE-3.2.5.1-04"],
        )
        .plan(|_| challenged(vec![Edit::Param(AuthParam::Targetname, ParamEdit::Remove)]).settle())
        .judge(|judge| nothing_usable(judge, "SIPAE-3.2.5.1-04")),
        ClientCase::new(
            "3.2.5.1/challenge-without-line",
            "a 401 that has no line at all is the end of it",
            &["SIPAE-3.2.5.1-04"],
        )
        .plan(|_| challenged(vec![Edit::RemoveHeader(HeaderName::WwwAuthenticate)]).settle())
        .judge(|judge| nothing_usable(judge, "SIPAE-3.2.5.1-04")),
        proxy_before_the_server(),
        no_ticket(),
        other_name(),
        preference("3.2.5.1/order-of-schemes", true),
        preference("3.2.5.1/order-of-schemes-reversed", false),
    ]
}

/// The proxy asks for Digest first. A client without an account there has nothing to show.
fn proxy_before_the_server() -> ClientCase {
    const LINE: &str = "Digest realm=\"edge.invalid\", nonce=\"h8A4ZW22ygGZozIIGZcb43waVME-M6Gq\", \
                        opaque=\"0C1D4536\", algorithm=MD5, qop=\"auth\"";
    const ROW: &str = "SIPAE-3.2.5.1-28";
    ClientCase::new(
        "3.2.5.1/proxy-before-the-server",
        "the credential for a proxy before the server stands beside that for the server",
        &[ROW],
    )
    .plan(|_| {
        Service::new()
            .wait("bare", Awaited::Bare)
            .respond("proxy", "bare", 407, Form::Plain)
            .edit("proxy", Edit::SetHeader(HeaderName::ProxyAuthenticate, LINE.into()))
            .send("proxy")
            .wait_if_any("digest", Awaited::Any)
            .challenge("challenge", "digest")
            .send("challenge")
            .wait_if_any("first", Awaited::First)
            .serve_if("first")
            .settle()
    })
    .judge(|judge| {
        let Some(next) = judge.next_of("proxy") else { return };
        let has_account = next == Next::Digest;
        if !has_account {
            return judge.undecide(format!("it has shown no credential for a proxy: {next}"));
        }
        if judge.sent("challenge").is_none() {
            return;
        }
        let scheme = judge.mode().scheme;
        let own = |heard: &&Heard| heard.credential(scheme, |_, _| ()).is_some();
        let later: Vec<&Heard> = judge.seen().after("challenge").iter().filter(own).collect();
        let with_both = later.iter().map(|heard| {
            let has_both = heard.credential(Scheme::Digest, |_, _| ()).is_some();
            holds_if(has_both, format!("{} without a credential for the proxy", heard.method()))
        });
        judge.check(ROW, "a credential for the proxy in every request", all(with_both));
        let signatures = later.iter().map(|heard| match &heard.read.signature {
            Signature::Bad(why) => Err(why.clone()),
            _ => Ok(()),
        });
        judge.check(ROW, "what is signed names the association of the server", all(signatures));
    })
}

/// For a server of this name no client can have a ticket.
fn no_ticket() -> ClientCase {
    const ROW: &str = "SIPAE-3.2.5.1-13";
    ClientCase::new(
        "3.2.5.1/no-ticket-to-be-had",
        "where no ticket can be had the next scheme is taken",
        &[ROW],
    )
    .with(&[Scheme::Ntlm, Scheme::TlsDsk])
    .plan(|mode| {
        let version = mode.version.param().map(|version| format!(", version={version}"));
        let kerberos = format!(
            "Kerberos realm=\"{{sa.realm}}\", targetname=\"sip/nobody.invalid\"{}",
            version.unwrap_or_default()
        );
        challenged(vec![line(&kerberos, true)]).wait_if_any("next", Awaited::Any).serve_if("next").settle()
    })
    .judge(|judge| {
        let Some(next) = judge.next_of("challenge") else { return };
        let is_ticket = next == Next::OtherScheme(Scheme::Kerberos);
        judge.check(ROW, "no ticket of another server", holds_if(!is_ticket, next.to_string()));
        // Whose policy forbids the other scheme gives up.
        judge.begins(ROW, "challenge", true);
    })
}

/// The certificate of the server names another one than its challenge. What a client makes of it is its policy.
fn other_name() -> ClientCase {
    const ROW: &str = "SIPAE-3.2.5.1-17";
    ClientCase::new(
        "3.2.5.1/certificate-of-another-server",
        "a certificate that does not name the server is refused, or not",
        &[ROW],
    )
    .with(&[Scheme::TlsDsk])
    .plan(|_| {
        Service::new()
            .targetname("nobody.invalid")
            .wait("bare", Awaited::Bare)
            .challenge("challenge", "bare")
            .send("challenge")
            .wait("first", Awaited::First)
            .proceed("flight", "first")
            .send("flight")
            .wait_if_any("second", Awaited::Flight)
            .proceed("finished", "second")
            .send("finished")
            .wait_if_any("completing", Awaited::Completing)
            .serve_if("completing")
            .settle()
    })
    .judge(|judge| {
        if judge.sent("flight").is_none() {
            return;
        }
        let went_on = judge.seen().request("completing").is_some();
        judge.recorded(ROW, "it does not go on", holds_if(!went_on, "it signs for nobody.invalid"));
    })
}

fn odd_spelling() -> Service {
    Service::new().realm("conToso  REALM (x)").opaque("0aB  c,=;x").establish().settle()
}

/// Which of several schemes a client takes is written down: what it has credentials for is its own matter.
fn preference(id: &'static str, ascending: bool) -> ClientCase {
    ClientCase::new(
        id,
        "of several schemes one is taken, whatever their order",
        &["SIPAE-3.2.5.1-02", "PATENT-0013"],
    )
    .plan(move |mode| {
        let offered = |scheme: &Scheme| *scheme != mode.scheme;
        let lines = Scheme::SIGNING.into_iter().filter(offered).map(|scheme| {
            let service = if scheme == Scheme::Kerberos { "sip/" } else { "" };
            let version = mode.version.param().map(|version| format!(", version={version}"));
            let line = format!(
                "{} realm=\"{{sa.realm}}\", targetname=\"{service}{{sa.server}}\"{}",
                scheme.name(),
                version.unwrap_or_default()
            );
            self::line(&line, ascending)
        });
        challenged(lines.collect()).wait_if_any("next", Awaited::Any).settle()
    })
    .judge(|judge| {
        let Some(next) = judge.next_of("challenge") else { return };
        let taken = match next {
            Next::OtherScheme(scheme) => Some(scheme),
            Next::First { .. } => Some(judge.mode().scheme),
            _ => None,
        };
        let holds = taken.map(drop).ok_or_else(|| next.to_string());
        judge.check("SIPAE-3.2.5.1-02", "a first token of one of the schemes", holds);
        let preferred = |scheme: Scheme| match scheme {
            Scheme::TlsDsk => Ok(()),
            other => Err(other.name().to_owned()),
        };
        if let Some(scheme) = taken {
            judge.recorded("SIPAE-3.2.5.1-02", "TLS-DSK before the others", preferred(scheme));
            let is_ntlm = holds_if(scheme != Scheme::Ntlm, "NTLM");
            judge.recorded("PATENT-0013", "NTLM behind the others", is_ntlm);
        }
    })
}

/// A challenge that cannot be answered: no credential, and no crash.
fn nothing_usable(judge: &mut ClientJudge<'_>, row: &'static str) {
    let Some(next) = judge.next_of("challenge") else { return };
    let is_credential = matches!(
        next,
        Next::First { .. }
            | Next::Continued
            | Next::Stray
            | Next::Digest
            | Next::TwoCredentials
            | Next::Crashed
    );
    let holds = holds_if(!is_credential, next.to_string());
    judge.check(row, "no credential", holds);
}

/// Servers that challenge for ever.
fn loops() -> Vec<ClientCase> {
    /// What a client may try, and much more.
    const ROUNDS: usize = 40;
    let endless = |kind: ChallengeKind, what: fn(usize) -> Awaited| {
        Service::new().kind(kind).each(0..ROUNDS, move |service, round| {
            let (request, answer) = (format!("request {round}"), format!("challenge {round}"));
            service.wait_if_any(&request, what(round)).challenge(&answer, &request).send(&answer)
        })
    };
    let any = |_: usize| Awaited::Any;
    vec![
        ClientCase::new(
            "3.2.5.1/endless-401",
            "a server that answers everything by a fresh 401 is given up",
            &["SIPAE-3.2.5.1-21"],
        )
        .patient()
        .plan(move |_| endless(ChallengeKind::Www, any))
        .judge(|judge| bounded(judge, "SIPAE-3.2.5.1-21", 10, 31)),
        ClientCase::new(
            "3.2.5.1/endless-407",
            "a server that answers everything by a fresh 407 is given up",
            &["SIPAE-3.2.5.1-29"],
        )
        .patient()
        .plan(move |_| endless(ChallengeKind::Proxy, any))
        .judge(|judge| bounded(judge, "SIPAE-3.2.5.1-29", 31, 31)),
        ClientCase::new(
            "3.2.5.1/refused-credentials",
            "credentials that were refused are not shown again and again",
            &["SIPAE-3.2.5.1-21", "PATENT-0021"],
        )
        .patient()
        .plan(|_| {
            (0..12).fold(Service::new(), |service, round| {
                let (request, answer) = (format!("completing {round}"), format!("refusal {round}"));
                service.wait_if_any(&request, Awaited::Completing).challenge(&answer, &request).send(&answer)
            })
        })
        .judge(|judge| {
            bounded(judge, "SIPAE-3.2.5.1-21", 2, 10);
            // How often it is tried that page leaves open.
            let rounds = judge.seen().kept.len();
            judge.recorded(
                "PATENT-0021",
                "no third round",
                holds_if(rounds <= 2, format!("{rounds} rounds")),
            );
        }),
        ClientCase::new(
            "3.2.5.1/refused-after-the-last-token",
            "a fresh challenge behind the last token is the end of that handshake",
            &["SIPAE-3.2.5.1-21"],
        )
        .plan(|_| {
            Service::new()
                .wait("completing", Awaited::Completing)
                .challenge("refusal", "completing")
                .send("refusal")
                .wait_if_any("next", Awaited::Any)
        })
        .judge(|judge| {
            let Some(next) = judge.next_of("refusal") else { return };
            let holds = match next {
                Next::Signed(_) | Next::Continued | Next::Crashed => Err(next.to_string()),
                _ => Ok(()),
            };
            judge.check("SIPAE-3.2.5.1-21", "no further message of that handshake", holds);
        }),
        ClientCase::new(
            "3.2.5.2/unsigned-final-answer",
            "an unsigned refusal before there is an association ends the attempt, or nothing",
            &["SIPAE-3.2.5.2-13"],
        )
        .plan(|_| {
            Service::new()
                .wait("bare", Awaited::Bare)
                .respond("refusal", "bare", 403, Form::Plain)
                .send("refusal")
                .settle()
        })
        .judge(|judge| {
            let Some(next) = judge.next_of("refusal") else { return };
            let holds = holds_if(next != Next::Crashed, next.to_string());
            judge.check("SIPAE-3.2.5.2-13", "no crash", holds);
            judge.record("SIPAE-3.2.5.2-13", "what comes after an unsigned 403", &next.to_string());
        }),
    ]
}

/// A client stops after so many requests; what goes beyond that is a finding up to `most`, and fails behind it.
pub(super) fn bounded(judge: &mut ClientJudge<'_>, row: &'static str, expected: usize, most: usize) {
    if judge.seen().heard.is_empty() {
        let why = judge.seen().broken.clone().unwrap_or_else(|| "nothing was heard".to_owned());
        return judge.undecide(why);
    }
    let asked = judge.seen().kept.len();
    let told = |bound: usize| holds_if(asked <= bound, format!("{asked} requests and more"));
    judge.check(row, &format!("at most {most} rounds"), told(most));
    if asked <= most {
        judge.recorded(row, &format!("at most {expected} rounds"), told(expected));
    }
}
