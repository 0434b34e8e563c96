//! Tokens of a server that are not as they must be, and continuations that belong to nothing.

use sipae::auth::{AuthParam, Scheme};
use sipae_gen::{Awaited, Edit, FieldChange, OctetEdit, ParamEdit, Service};

use super::super::case::ClientCase;
use super::super::seen::Next;
use crate::ledger::holds_if;

const NTLM: &[Scheme] = &[Scheme::Ntlm];
const TLS_DSK: &[Scheme] = &[Scheme::TlsDsk];
const CONTINUED: &[Scheme] = &[Scheme::Ntlm, Scheme::TlsDsk];

/// What is wrong with a token.
struct Bad {
    id: &'static str,
    title: &'static str,
    /// Whether a client that goes on all the same has only been generous.
    is_generous: bool,
    edit: fn() -> Edit,
}

fn octets(edit: OctetEdit) -> Edit {
    Edit::Param(AuthParam::GssapiData, ParamEdit::Octets(edit))
}

fn overwrite(at: usize, octets: &[u8]) -> Edit {
    self::octets(OctetEdit::Overwrite { at, octets: octets.to_vec() })
}

/// Where the fields of a CHALLENGE stand: length, allocated length and offset of TargetName and of TargetInfo.
const TARGET_NAME: usize = 12;
const FLAGS: usize = 20;
const TARGET_INFO: usize = 40;
/// The usual flags without one of the octets that have SIGN, DATAGRAM and NTLM, and without KEY_EXCH.
const NO_SIGN: &[u8] = &[0xF3 & !0x50];
const NO_KEY_EXCH: &[u8] = &[0xE2 & !0x40];
const NO_UNICODE: &[u8] = &[0xF3 & !0x01];

const CHALLENGES: &[Bad] = &[
    Bad {
        id: "3.2.5.1/challenge-empty",
        title: "an empty CHALLENGE is not answered",
        is_generous: false,
        edit: || Edit::Param(AuthParam::GssapiData, ParamEdit::Set("".into())),
    },
    Bad {
        id: "3.2.5.1/challenge-no-base64",
        title: "a CHALLENGE that is no Base64 is not answered",
        is_generous: false,
        edit: || Edit::Param(AuthParam::GssapiData, ParamEdit::Set("T!RMT*==".into())),
    },
    Bad {
        id: "3.2.5.1/challenge-cut-in-half",
        title: "the first octets of a CHALLENGE are not answered",
        is_generous: false,
        edit: || octets(OctetEdit::Cut(20)),
    },
    Bad {
        id: "3.2.5.1/challenge-of-another-protocol",
        title: "a CHALLENGE with another signature than NTLMSSP is not answered",
        is_generous: false,
        edit: || overwrite(0, b"MLTNSSP"),
    },
    Bad {
        id: "3.2.5.1/challenge-is-a-negotiate",
        title: "a NEGOTIATE in place of the CHALLENGE is not answered",
        is_generous: false,
        edit: || overwrite(8, &[1]),
    },
    Bad {
        id: "3.2.5.1/challenge-is-an-authenticate",
        title: "an AUTHENTICATE in place of the CHALLENGE is not answered",
        is_generous: false,
        edit: || overwrite(8, &[3]),
    },
    Bad {
        id: "3.2.5.1/challenge-target-info-behind-its-end",
        title: "a CHALLENGE whose TargetInfo lies behind its end is not answered",
        is_generous: false,
        edit: || octets(OctetEdit::NtlmField { at: TARGET_INFO, change: FieldChange::BehindEnd(64) }),
    },
    Bad {
        id: "3.2.5.1/challenge-target-info-too-long",
        title: "a CHALLENGE whose TargetInfo is longer than the token is not answered",
        is_generous: false,
        edit: || octets(OctetEdit::NtlmField { at: TARGET_INFO, change: FieldChange::Length(0xFFFF) }),
    },
    Bad {
        id: "3.2.5.1/challenge-offset-overflows",
        title: "a CHALLENGE whose TargetInfo has an offset near 2^32 is not answered",
        is_generous: false,
        edit: || octets(OctetEdit::NtlmField { at: TARGET_INFO, change: FieldChange::Offset(0xFFFF_FFF0) }),
    },
    Bad {
        id: "3.2.5.1/challenge-target-name-behind-its-end",
        title: "a CHALLENGE whose TargetName lies behind its end",
        is_generous: true,
        edit: || octets(OctetEdit::NtlmField { at: TARGET_NAME, change: FieldChange::BehindEnd(64) }),
    },
    Bad {
        id: "3.2.5.1/challenge-without-end-of-list",
        title: "a CHALLENGE whose AV list has no end",
        is_generous: true,
        edit: || octets(OctetEdit::NtlmField { at: TARGET_INFO, change: FieldChange::Length(8) }),
    },
    Bad {
        id: "3.2.5.1/challenge-without-sign",
        title: "a CHALLENGE without SIGN and DATAGRAM cannot make an association",
        is_generous: true,
        edit: || overwrite(FLAGS, NO_SIGN),
    },
    Bad {
        id: "3.2.5.1/challenge-without-key-exchange",
        title: "a CHALLENGE without KEY_EXCH cannot make an association",
        is_generous: true,
        edit: || overwrite(FLAGS + 3, NO_KEY_EXCH),
    },
    Bad {
        id: "3.2.5.1/challenge-without-unicode",
        title: "a CHALLENGE without UNICODE",
        is_generous: true,
        edit: || overwrite(FLAGS, NO_UNICODE),
    },
];

const FLIGHTS: &[Bad] = &[
    Bad {
        id: "3.2.5.1/flight-empty",
        title: "an empty flight is not answered",
        is_generous: false,
        edit: || Edit::Param(AuthParam::GssapiData, ParamEdit::Set("".into())),
    },
    Bad {
        id: "3.2.5.1/flight-cut",
        title: "half a flight is not answered",
        is_generous: false,
        edit: || octets(OctetEdit::Cut(60)),
    },
    Bad {
        id: "3.2.5.1/flight-of-unknown-records",
        title: "records of an unknown type are not answered",
        is_generous: false,
        edit: || overwrite(0, &[99]),
    },
    Bad {
        id: "3.2.5.1/flight-is-an-alert",
        title: "a fatal alert ends the handshake",
        is_generous: false,
        edit: || Edit::Param(AuthParam::GssapiData, ParamEdit::Set("FQMDAAICKA==".into())),
    },
    Bad {
        id: "3.2.5.1/flight-record-too-long",
        title: "a record that says to be longer than it is is not answered",
        is_generous: false,
        edit: || overwrite(3, &[0x3F, 0xFF]),
    },
    Bad {
        id: "3.2.5.1/flight-with-a-changed-certificate",
        title: "a flight in which one bit was changed does not end in an association",
        is_generous: true,
        edit: || octets(OctetEdit::Flip(300)),
    },
];

pub(super) fn cases() -> Vec<ClientCase> {
    let challenges = CHALLENGES.iter().map(|bad| spoilt(bad, NTLM, "SIPAE-3.2.5.1-10"));
    let flights = FLIGHTS.iter().map(|bad| spoilt(bad, TLS_DSK, "SIPAE-3.2.5.1-15"));
    challenges.chain(flights).chain(others()).chain(STRAYS.iter().map(stray)).collect()
}

/// Its first continuation is spoilt.
fn continued(edits: Vec<Edit>) -> Service {
    let service = Service::new().wait("first", Awaited::First).proceed("continuation", "first");
    let service = service.each(edits, |service, edit| service.edit("continuation", edit));
    service.send("continuation").wait_if_any("next", Awaited::Any)
}

/// The last flight of the server is spoilt.
fn finished(edit: OctetEdit) -> Service {
    let service = Service::new().wait("flight", Awaited::Flight).proceed("finished", "flight");
    service.edit("finished", octets(edit)).send("finished").wait_if_any("next", Awaited::Any)
}

fn spoilt(bad: &'static Bad, schemes: &[Scheme], row: &'static str) -> ClientCase {
    ClientCase::new(bad.id, bad.title, rows_of(row))
        .with(schemes)
        .plan(|_| continued(vec![(bad.edit)()]))
        .judge(move |judge| {
            if bad.is_generous {
                let Some(next) = judge.next_of("continuation") else { return };
                let holds = holds_if(next != Next::Crashed, next.to_string());
                judge.check(row, "no crash", holds);
                judge.record(row, bad.title, &next.to_string());
            } else {
                judge.does_not_go_on(row, "continuation");
            }
        })
}

fn rows_of(row: &'static str) -> &'static [&'static str] {
    match row {
        "SIPAE-3.2.5.1-10" => &["SIPAE-3.2.5.1-10"],
        _ => &["SIPAE-3.2.5.1-15"],
    }
}

fn others() -> Vec<ClientCase> {
    vec![
        ClientCase::new(
            "3.2.5.1/server-finished-is-verified",
            "a wrong Finished of the server ends the handshake",
            &["SIPAE-3.2.5.1-16"],
        )
        .with(TLS_DSK)
        .plan(|_| finished(OctetEdit::FlipBack(1)))
        .judge(|judge| judge.does_not_go_on("SIPAE-3.2.5.1-16", "finished")),
        ClientCase::new(
            "3.2.5.1/finished-left-out",
            "without Finished of the server there is no association",
            &["SIPAE-3.2.5.1-16"],
        )
        .with(TLS_DSK)
        .plan(|_| finished(OctetEdit::Cut(6)))
        .judge(|judge| judge.does_not_go_on("SIPAE-3.2.5.1-16", "finished")),
        ClientCase::new(
            "3.2.5.1/insists-on-tls-1-3",
            "a ServerHello of TLS 1.3 ends the handshake",
            &["SIPAE-3.2.5.1-32"],
        )
        .with(TLS_DSK)
        .plan(|_| continued(vec![overwrite(9, &[3, 4])]))
        .judge(|judge| judge.does_not_go_on("SIPAE-3.2.5.1-32", "continuation")),
        ClientCase::new(
            "3.2.5.1/kerberos-error",
            "an AP-REQ that is answered by an error token is the end of that handshake",
            &["SIPAE-3.2.5.1-21"],
        )
        .with(&[Scheme::Kerberos])
        .plan(|_| {
            let token =
                Edit::AddParam { name: "gssapi-data".to_owned(), value: KRB_ERROR.into(), first: false };
            Service::new()
                .wait("completing", Awaited::Completing)
                .challenge("error", "completing")
                .edit("error", token)
                .send("error")
                .wait_if_any("next", Awaited::Any)
        })
        .judge(|judge| {
            let Some(next) = judge.next_of("error") else { return };
            let holds = match next {
                Next::Signed(_) | Next::Continued | Next::Crashed => Err(next.to_string()),
                _ => Ok(()),
            };
            judge.check("SIPAE-3.2.5.1-21", "no further message of that handshake", holds);
        }),
        ClientCase::new(
            "3.2.5.1/continuation-again",
            "a CHALLENGE in answer to the AUTHENTICATE is the end of that handshake",
            &["SIPAE-3.2.5.1-21"],
        )
        .with(NTLM)
        .plan(|_| {
            Service::new()
                .wait("completing", Awaited::Completing)
                .proceed("again", "completing")
                .send("again")
                .wait_if_any("next", Awaited::Any)
        })
        .judge(|judge| judge.does_not_go_on("SIPAE-3.2.5.1-21", "again")),
    ]
}

/// KRB_AP_ERR_SKEW of `sip/server.contoso.com` in GSS framing, made up for this suite.
const KRB_ERROR: &str = "YDAGCSqGSIb3EgECAgMAfiEwH6ADAgEFoQMCAR6kERgPMjAyNjAxMDEwMDAwMDBapQMCAQA=";

/// A continuation that belongs to no handshake under way.
struct Stray {
    id: &'static str,
    title: &'static str,
    edit: fn() -> Edit,
}

const STRAYS: &[Stray] = &[
    Stray {
        id: "3.2.5.1/continuation-of-another-realm",
        title: "a continuation with another realm does not go into the handshake",
        edit: || Edit::Param(AuthParam::Realm, ParamEdit::Set("Another Realm".into())),
    },
    Stray {
        id: "3.2.5.1/continuation-of-another-server",
        title: "a continuation with another targetname does not go into the handshake",
        edit: || Edit::Param(AuthParam::Targetname, ParamEdit::Set("another.server.invalid".into())),
    },
    Stray {
        id: "3.2.5.1/continuation-of-another-scheme",
        title: "a continuation of another scheme does not go into the handshake",
        edit: || Edit::Scheme("Kerberos".into()),
    },
];

fn stray(case: &'static Stray) -> ClientCase {
    ClientCase::new(case.id, case.title, &["SIPAE-3.2.5.1-20"])
        .with(CONTINUED)
        .plan(|_| continued(vec![(case.edit)()]))
        .judge(|judge| judge.does_not_go_on("SIPAE-3.2.5.1-20", "continuation"))
}
