//! Requests of the server, good and bad, inside one conversation: what a client does not act upon is proven by a later
//! request that it answers.

use sipae::auth::{AuthParam, Scheme};
use sipae::client::Stimulus;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Edit, ParamEdit, Service, Signing, Source, Text};

use super::super::case::ClientCase;
use super::super::judge::ClientJudge;
use super::look::{all, crands, credential, has, lacks, numbers_differ};

/// How a request is made bad, and what a client that acts upon it breaks.
struct Bad {
    id: &'static str,
    title: &'static str,
    rows: &'static [&'static str],
    make: fn(Service, &str) -> Service,
}

/// How a request is made that looks odd, and is right.
struct Odd {
    id: &'static str,
    title: &'static str,
    rows: &'static [&'static str],
    /// Whether products are known that do not read it.
    is_weak: bool,
    make: fn(Service) -> Service,
}

fn set(param: AuthParam, value: &str) -> Edit {
    Edit::Param(param, ParamEdit::Set(Text::from(value)))
}

fn replace(header: HeaderName, from: &str, to: &str) -> Edit {
    Edit::Replace { header, from: from.into(), to: to.into() }
}

fn header(name: &str, value: &str) -> Edit {
    Edit::AddHeader { name: name.to_owned(), value: value.into(), first: false }
}

const LONG: &[Version] = &[Version::V3, Version::V4];

/// Each is made of a good request, signed.
const BAD: &[Bad] = &[
    Bad {
        id: "3.2.5.2/flipped-signature",
        title: "a request with one bit of its signature changed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::FlipBit)),
    },
    Bad {
        id: "3.2.5.2/zero-signature",
        title: "a request with a signature of zeros is not acted upon",
        rows: &["SIPAE-3.2.5.2-08"],
        make: |s, m| s.edit(m, set(AuthParam::Rspauth, "00000000000000000000000000000000")),
    },
    Bad {
        id: "3.2.5.2/altered-from-uri",
        title: "a request whose From URI was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, replace(HeaderName::From, "peer@", "mallory@")),
    },
    Bad {
        id: "3.2.5.2/altered-from-tag",
        title: "a request whose From tag was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, replace(HeaderName::From, "tag=", "tag=x")),
    },
    Bad {
        id: "3.2.5.2/altered-to-tag",
        title: "a request whose To tag was added after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, replace(HeaderName::To, ">", ">;tag=added")),
    },
    Bad {
        id: "3.2.5.2/altered-call-id",
        title: "a request whose Call-ID was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, Edit::SetHeader(HeaderName::CallId, "another-call".into())),
    },
    Bad {
        id: "3.2.5.2/altered-cseq",
        title: "a request whose CSeq number was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, replace(HeaderName::CSeq, " ", "7 ")),
    },
    Bad {
        id: "3.2.5.2/altered-expires",
        title: "a request whose Expires was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, header("Expires", "60")),
    },
    Bad {
        id: "3.2.5.2/altered-srand",
        title: "a request whose srand was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, set(AuthParam::Srand, "0A1B2C3D")),
    },
    Bad {
        id: "3.2.5.2/altered-snum",
        title: "a request whose snum was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, set(AuthParam::Snum, "9999")),
    },
    Bad {
        id: "3.2.5.2/empty-rspauth",
        title: "a request with an empty rspauth is not acted upon",
        rows: &["SIPAE-3.2.5.2-17"],
        make: |s, m| s.edit(m, set(AuthParam::Rspauth, "")),
    },
    Bad {
        id: "3.2.5.2/short-rspauth",
        title: "a request with the first half of its rspauth is not acted upon",
        rows: &["SIPAE-3.2.5.2-17"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::Truncate(16))),
    },
    Bad {
        id: "3.2.5.2/odd-rspauth",
        title: "a request whose rspauth lacks its last digit is not acted upon",
        rows: &["SIPAE-3.2.5.2-17"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::Truncate(31))),
    },
    Bad {
        id: "3.2.5.2/long-rspauth",
        title: "a request whose rspauth goes on behind its end is not acted upon",
        rows: &["SIPAE-3.2.5.2-17"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::Insert(200, "00".into()))),
    },
    Bad {
        id: "3.2.5.2/rspauth-no-digits",
        title: "a request whose rspauth is no hexadecimal text is not acted upon",
        rows: &["SIPAE-3.2.5.2-17"],
        make: |s, m| s.edit(m, set(AuthParam::Rspauth, "zz")),
    },
    Bad {
        id: "3.2.5.2/base64-rspauth",
        title: "a request whose rspauth is written in Base64 is not acted upon",
        rows: &["SIPAE-3.2.5.2-17"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::AsBase64)),
    },
    Bad {
        id: "3.2.5.2/without-srand",
        title: "a request without srand is not acted upon",
        rows: &["SIPAE-3.2.5.2-18"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Srand, ParamEdit::Remove)),
    },
    Bad {
        id: "3.2.5.2/without-snum",
        title: "a request without snum is not acted upon",
        rows: &["SIPAE-3.2.5.2-18"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Snum, ParamEdit::Remove)),
    },
    Bad {
        id: "3.2.5.2/without-rspauth",
        title: "a request without rspauth is not acted upon",
        rows: &["SIPAE-3.2.5.2-18"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Rspauth, ParamEdit::Remove)),
    },
    Bad {
        id: "3.2.5.2/other-realm",
        title: "a request for an association of another realm is discarded",
        rows: &["SIPAE-3.2.5.2-01", "SIPAE-3.2.5.2-02", "SIPAE-3.2.1-02"],
        make: |s, m| s.edit(m, set(AuthParam::Realm, "Another Realm")),
    },
    Bad {
        id: "3.2.5.2/realm-in-other-letters",
        title: "realm is compared with regard to case",
        rows: &["SIPAE-2.2-12"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Realm, ParamEdit::UpperCase)),
    },
    Bad {
        id: "3.2.5.2/other-targetname",
        title: "a request for an association with another server is discarded",
        rows: &["SIPAE-3.2.5.2-02", "SIPAE-3.2.5.2-03", "SIPAE-3.2.1-02"],
        make: |s, m| s.edit(m, set(AuthParam::Targetname, "another.server.invalid")),
    },
    Bad {
        id: "3.2.5.2/without-targetname",
        title: "a request whose signature names no server is discarded",
        rows: &["SIPAE-3.2.5.2-02"],
        make: |s, m| s.edit(m, Edit::Param(AuthParam::Targetname, ParamEdit::Remove)),
    },
    Bad {
        id: "3.2.5.2/other-scheme",
        title: "a request for an association of another scheme is discarded",
        rows: &["SIPAE-3.2.5.2-01", "SIPAE-3.2.5.2-02"],
        make: |s, m| s.edit(m, Edit::Scheme("Signed-By-Nobody".into())),
    },
    Bad {
        id: "3.2.5.2/method-of-start-line",
        title: "a request whose start line has another method than its CSeq is not acted upon",
        rows: &["SIPAE-3.2.5.2-24"],
        make: |s, m| s.edit(m, Edit::Method("INFO".to_owned())),
    },
];

/// Those whose signature covers more at versions 3 and 4.
const BAD_LONG: &[Bad] = &[
    Bad {
        id: "3.2.5.2/altered-to-uri",
        title: "a request whose To URI was changed after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04"],
        make: |s, m| s.edit(m, replace(HeaderName::To, "<sip:", "<sips:")),
    },
    Bad {
        id: "3.2.5.2/altered-identity",
        title: "a request to which P-Asserted-Identity was added after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04", "SIPAE-3.2.4.2-03"],
        make: |s, m| s.edit(m, header("P-Asserted-Identity", "<sip:mallory@contoso.com>")),
    },
    Bad {
        id: "3.2.5.2/altered-number-of-identity",
        title: "a request to which a tel identity was added after it was signed is not acted upon",
        rows: &["SIPAE-3.2.5.2-08", "SIPAE-3.2.5.2-04", "SIPAE-3.2.4.2-03"],
        make: |s, m| s.edit(m, header("P-Asserted-Identity", "<tel:+15550100>")),
    },
];

const ODD: &[Odd] = &[
    Odd {
        id: "3.2.5.2/upper-case-rspauth",
        title: "rspauth is read in digits of either case",
        rows: &["SIPAE-3.2.5.2-17"],
        is_weak: false,
        make: |s| s.sign("odd").edit("odd", Edit::Param(AuthParam::Rspauth, ParamEdit::UpperCase)),
    },
    Odd {
        id: "3.2.5.2/srand-in-lower-case",
        title: "srand is taken as it is written, in lower case",
        rows: &["SIPAE-3.2.5.2-07"],
        is_weak: false,
        make: |s| s.sign_with("odd", rand("1b6d47a1")),
    },
    Odd {
        id: "3.2.5.2/other-signature-field",
        title: "a signature is accepted in Proxy-Authentication-Info as well",
        rows: &["SIPAE-3.2.5.2-16"],
        is_weak: false,
        make: |s| s.sign("odd").edit("odd", Edit::CredentialHeader(HeaderName::ProxyAuthenticationInfo)),
    },
    Odd {
        id: "3.2.5.2/signature-of-another-hop",
        title: "of two signatures the one for the own association is verified",
        rows: &["SIPAE-3.2.5.2-14"],
        is_weak: true,
        make: |s| {
            s.sign("odd").edit(
                "odd",
                Edit::AddHeader {
                    name: "Proxy-Authentication-Info".to_owned(),
                    value: "NTLM qop=\"auth\", opaque=\"0A0B0C0D\", srand=\"0A1B2C3D\", snum=\"1\", rspauth=\"01000000\
                            000000000000000064000000\", targetname=\"proxy.contoso.com\", realm=\"Another Realm\""
                        .into(),
                    first: true,
                },
            )
        },
    },
    Odd {
        id: "3.2.5.2/without-version",
        title: "a signature needs no version",
        rows: &["SIPAE-3.2.5.2-15", "SIPAE-3.2.5.2-10"],
        is_weak: false,
        make: |s| s.sign("odd").edit("odd", Edit::Param(AuthParam::Version, ParamEdit::Remove)),
    },
    Odd {
        id: "3.2.5.2/parameters-in-another-order",
        title: "parameters are understood in any order and any letters",
        rows: &["SIPAE-2.2-02", "SIPAE-2.2-03"],
        is_weak: true,
        make: |s| s.sign("odd").edit("odd", Edit::ReshapeCredential),
    },
    Odd {
        id: "3.2.5.2/unknown-parameter",
        title: "parameters that are not known do no harm",
        rows: &["SIPAE-2.2-15"],
        is_weak: false,
        make: |s| {
            let edit = Edit::AddParam { name: "ms-extra".to_owned(), value: "1".into(), first: false };
            s.sign("odd").edit("odd", edit)
        },
    },
    Odd {
        id: "3.1/body-is-not-signed",
        title: "body, Via and Contact may change behind the signature",
        rows: &["SIPAE-3.1-09"],
        is_weak: false,
        make: |s| {
            let body = Edit::Body { content_type: "text/plain".to_owned(), octets: b"changed".to_vec() };
            s.sign("odd").edit("odd", body).edit("odd", replace(HeaderName::Contact, "peer@", "other@"))
        },
    },
    Odd {
        id: "3.2.4.1/display-name-in-from",
        title: "the URI of From is found behind a display name that looks like one",
        rows: &["SIPAE-3.2.4.1-10", "SIPAE-3.2.5.2-04"],
        is_weak: false,
        make: |s| {
            s.edit("odd", replace(HeaderName::From, "<sip:", "\"a <sip:b@c>;tag=1\" <sip:")).sign("odd")
        },
    },
    Odd {
        id: "3.2.4.1/uri-as-written",
        title: "URIs are signed as they are written",
        rows: &["SIPAE-3.2.4.1-07", "SIPAE-3.2.5.2-04"],
        is_weak: false,
        make: |s| s.edit("odd", replace(HeaderName::From, "sip:peer@", "SIP:Peer@")).sign("odd"),
    },
    Odd {
        id: "3.2.4.1/uri-parameters-are-signed",
        title: "URI parameters inside the brackets are signed",
        rows: &["SIPAE-3.2.4.1-10", "SIPAE-3.2.5.2-04"],
        is_weak: false,
        make: |s| s.edit("odd", replace(HeaderName::From, ">", ";user=phone>")).sign("odd"),
    },
    Odd {
        id: "3.2.4.1/expires-of-contact",
        title: "expires of Contact is not signed",
        rows: &["SIPAE-3.2.4.1-11"],
        is_weak: false,
        make: |s| s.edit("odd", replace(HeaderName::Contact, ">", ">;expires=600")).sign("odd"),
    },
    Odd {
        id: "3.2.4.1/expires-zero",
        title: "Expires: 0 is signed as it is written",
        rows: &["SIPAE-3.2.4.1-12"],
        is_weak: false,
        make: |s| s.edit("odd", header("Expires", "0")).sign("odd"),
    },
    Odd {
        id: "3.2.4.5/on-behalf-is-not-signed",
        title: "p-session-on-behalf-of is not signed, and a malformed one does no harm",
        rows: &["SIPAE-3.2.4.5-03", "SIPAE-3.2.5.4-02"],
        is_weak: false,
        make: |s| s.sign("odd").edit("odd", header("p-session-on-behalf-of", "<<nobody")),
    },
    Odd {
        id: "3.2.4.4/identity-headers-are-for-servers",
        title: "ms-identity header fields are not evaluated by clients",
        rows: &["SIPAE-3.2.4.4-03"],
        is_weak: false,
        make: |s| {
            let edit = header("ms-identity", "deadbeef");
            s.sign("odd").edit("odd", edit).edit("odd", header("ms-identity-alg", "none"))
        },
    },
    Odd {
        id: "2.2/keep-alives-before-a-request",
        title: "empty lines in front of a request are skipped",
        rows: &["SIPAE-3.3.5.1-18"],
        is_weak: false,
        make: |s| s.sign("odd").edit("odd", Edit::Before(b"\r\n\r\n".to_vec())),
    },
    Odd {
        id: "2.2/compact-names",
        title: "compact names of header fields are understood",
        rows: &["SIPAE-2.2-20"],
        is_weak: false,
        make: |s| {
            let compact = |name, short: &str| Edit::RenameHeader(name, short.to_owned());
            s.sign("odd")
                .edit("odd", compact(HeaderName::From, "f"))
                .edit("odd", compact(HeaderName::To, "t"))
                .edit("odd", compact(HeaderName::CallId, "i"))
        },
    },
    Odd {
        id: "2.2/header-names-in-other-letters",
        title: "names of header fields are understood in any letters",
        rows: &["SIPAE-2.2-20"],
        is_weak: false,
        make: |s| {
            let name = Edit::RenameHeader(HeaderName::AuthenticationInfo, "AUTHENTICATION-INFO".to_owned());
            s.sign("odd").edit("odd", name)
        },
    },
    Odd {
        id: "2.2/folded-signature",
        title: "a folded signature header field is understood",
        rows: &["SIPAE-2.2-20"],
        is_weak: true,
        make: |s| {
            s.sign("odd").edit("odd", Edit::Param(AuthParam::Snum, ParamEdit::Lead("\r\n ".to_owned())))
        },
    },
];

/// Those whose signature covers more at versions 3 and 4.
const ODD_LONG: &[Odd] = &[Odd {
    id: "3.2.5.3/asserted-identity",
    title: "a signature that covers P-Asserted-Identity verifies",
    rows: &["SIPAE-3.2.5.3-01", "SIPAE-3.2.5.3-04", "SIPAE-3.2.4.2-03"],
    is_weak: false,
    make: |s| {
        let identity = header("P-Asserted-Identity", "\"P\" <sip:peer@contoso.com>,<tel:+15550100>");
        s.edit("odd", identity).sign("odd")
    },
}];

fn rand(text: &str) -> Signing {
    Signing { rand_text: Some(text.to_owned()), ..Signing::default() }
}

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

/// Generated requests, and what is foreseen of them.
fn generated() -> Vec<ClientCase> {
    use super::super::generated::{content, history, sequence};
    let mut rows: Vec<&'static str> = faults().filter_map(|bad| bad.rows.first().copied()).collect();
    rows.push("SIPAE-3.2.5.2-10");
    rows.sort_unstable();
    rows.dedup();
    vec![
        shared(
            "3.1.1/generated-sequences",
            "whatever the order of its requests, each number of a server is accepted once",
            &[
                "SIPAE-3.2.5.2-10",
                "SIPAE-3.1.1-03",
                "SIPAE-3.1.1-04",
                "SIPAE-3.1.1-05",
                "SIPAE-3.1.1-07",
                "SIPAE-3.1.1-08",
                "SIPAE-3.2.5.2-08",
                "SIPAE-3.2.5.2-11",
            ],
        )
        .generated(sequence),
        shared(
            "3.1.1/generated-histories",
            "each association of a client has numbers of its own, and the last one alone counts",
            &[
                "SIPAE-3.1.1-10",
                "SIPAE-3.2.5.2-10",
                "SIPAE-3.1.1-03",
                "SIPAE-3.1.1-04",
                "SIPAE-3.1.1-05",
                "SIPAE-3.1.1-07",
                "SIPAE-3.1.1-08",
                "SIPAE-3.2.5.2-08",
                "SIPAE-3.2.5.2-11",
            ],
        )
        .made_to(&[Stimulus::Message])
        .generated(history),
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

/// The window over the numbers of the server.
fn numbers() -> Vec<ClientCase> {
    let ask = |service: Service, name: &str| service.ask(name);
    vec![
        shared("3.1.1/gap", "a gap in the numbers is no error", &["SIPAE-3.1.1-08", "SIPAE-3.1.1-03"])
            .plan(move |_| ask(Service::new().answered("ahead").sign_at("ahead", 50), "ahead").skip(51))
            .judge(|judge| {
                judge.processed("SIPAE-3.1.1-08", "ahead");
                judge.processed("SIPAE-3.1.1-03", "ahead");
            }),
        shared("3.1.1/lower-number", "a lower number that is new is accepted", &["SIPAE-3.1.1-04"])
            .plan(|_| {
                Service::new()
                    .answered("ahead")
                    .sign_at("ahead", 5)
                    .ask("ahead")
                    .answered("lower")
                    .sign_at("lower", 3)
                    .ask("lower")
                    .skip(6)
            })
            .judge(|judge| judge.processed("SIPAE-3.1.1-04", "lower")),
        shared(
            "3.1.1/number-again",
            "a number that was used is refused in another request",
            &["SIPAE-3.1.1-06", "SIPAE-3.2.5.2-09"],
        )
        .plan(|_| {
            Service::new().ask_signed("good").answered("again").sign_at("again", -1).send("again").fence()
        })
        .judge(|judge| {
            judge.refused("SIPAE-3.1.1-06", "again");
            judge.refused("SIPAE-3.2.5.2-09", "again");
        }),
        shared(
            "3.1.1/replayed-request",
            "a request that comes again by another way is not acted upon again",
            &["SIPAE-3.1.1-01", "SIPAE-3.1.1-05", "SIPAE-3.2.5.2-09"],
        )
        .plan(|_| {
            let via = "SIP/2.0/TCP other.contoso.com:5061;branch=z9hG4bKanother";
            Service::new()
                .ask_signed("good")
                .copy("again", "good")
                .edit("again", Edit::SetHeader(HeaderName::Via, via.into()))
                .send("again")
                .fence()
        })
        .judge(|judge| {
            for row in ["SIPAE-3.1.1-01", "SIPAE-3.1.1-05", "SIPAE-3.2.5.2-09"] {
                judge.not_again(row, "again", "good");
            }
        }),
        shared(
            "3.1.1/old-number-again",
            "a number that was used a while ago is refused",
            &["SIPAE-3.1.1-05"],
        )
        .plan(|_| {
            let service = Service::new().ask_signed("old");
            let service = service.each(1..=8, |service, number| {
                let name = format!("later {number}");
                service.answered(&name).sign(&name).ask(&name)
            });
            service.answered("again").sign_at("again", -9).send("again").fence()
        })
        .judge(|judge| judge.refused("SIPAE-3.1.1-05", "again")),
        shared("3.1.1/window-moves", "a number far above the last one is accepted", &["SIPAE-3.1.1-03"])
            .plan(|_| Service::new().answered("far").sign_at("far", 700).ask("far").skip(701))
            .judge(|judge| judge.processed("SIPAE-3.1.1-03", "far")),
        shared("3.1.1/below-the-window", "a number below the window is refused", &["SIPAE-3.1.1-07"])
            .plan(|_| {
                Service::new()
                    .answered("far")
                    .sign_at("far", 700)
                    .ask("far")
                    .answered("below")
                    .sign_at("below", 400)
                    .send("below")
                    .skip(701)
                    .fence()
            })
            .judge(|judge| judge.refused("SIPAE-3.1.1-07", "below")),
        shared(
            "3.1.1/bottom-of-the-window",
            "a number that is just inside the window is accepted",
            &["SIPAE-3.1.1-02", "SIPAE-3.1.1-04"],
        )
        .plan(|_| {
            Service::new()
                .answered("far")
                .sign_at("far", 700)
                .ask("far")
                .answered("inside")
                .sign_at("inside", 446)
                .ask("inside")
                .skip(701)
        })
        .judge(|judge| {
            judge.processed("SIPAE-3.1.1-02", "inside");
            judge.processed("SIPAE-3.1.1-04", "inside");
        }),
        shared("3.1.1/forgery-moves-nothing", "a forged number moves no window", &["SIPAE-3.1.1-09"])
            .plan(|_| {
                Service::new()
                    .answered("bad")
                    .sign_at("bad", 100_000)
                    .edit("bad", Edit::Param(AuthParam::Rspauth, ParamEdit::FlipBit))
                    .send("bad")
                    .ask_signed("good")
            })
            .judge(|judge| judge.processed("SIPAE-3.1.1-09", "good")),
        shared(
            "3.1.1/forgery-marks-nothing",
            "a number that only a forgery had is good",
            &["SIPAE-3.1.1-09"],
        )
        .plan(|_| {
            Service::new()
                .answered("bad")
                .sign_at("bad", 0)
                .edit("bad", Edit::Param(AuthParam::Rspauth, ParamEdit::FlipBit))
                .send("bad")
                .ask_signed("good")
        })
        .judge(|judge| judge.processed("SIPAE-3.1.1-09", "good")),
        shared(
            "3.1.1/retransmission",
            "a request that comes again as it was ends nothing",
            &["SIPAE-3.1.1-13"],
        )
        .plan(|_| Service::new().ask_signed("good").copy("again", "good").send("again").ask_signed("later"))
        .judge(|judge| judge.processed("SIPAE-3.1.1-13", "later")),
    ]
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

/// A signature with one bit changed.
pub(in super::super) fn flipped(service: Service, message: &str) -> Service {
    service.edit(message, Edit::Param(AuthParam::Rspauth, ParamEdit::FlipBit))
}

/// What makes a signed request bad.
type Spoil = fn(Service, &str) -> Service;

/// Ways in which a signed request is bad whatever else stands in it.
fn faults() -> impl Iterator<Item = &'static Bad> {
    const OF_CONTENT: [&str; 6] = [
        "3.2.5.2/altered-from-uri",
        "3.2.5.2/altered-from-tag",
        "3.2.5.2/altered-to-tag",
        "3.2.5.2/altered-expires",
        // The method of the start line is a matter of what the client answers.
        "3.2.5.2/method-of-start-line",
        "3.2.5.2/realm-in-other-letters",
    ];
    BAD.iter().filter(|bad| !OF_CONTENT.contains(&bad.id))
}

/// One of them, and the row that it breaks; half of the time none. One choice.
pub(in super::super) fn fault(source: &mut dyn Source) -> Option<(&'static str, Spoil)> {
    let known: Vec<&Bad> = faults().collect();
    let count = u32::try_from(known.len()).unwrap_or_default();
    let place = source.below(2 * count).checked_sub(count)?;
    let bad = known.get(usize::try_from(place).ok()?)?;
    Some((bad.rows.first()?, bad.make))
}

/// What makes a request look odd before it is signed, and leaves it right. Six choices.
pub(in super::super) fn oddly(service: Service, message: &str, source: &mut dyn Source) -> Service {
    let display = ["", "\"a <sip:b@c>;tag=1\" ", "Peer ", "\"\" "];
    let uris = ["peer@", "Peer%41@", "peer.p+x@", "PEER@"];
    let params = [">", ";user=phone>", ";transport=tcp;lr>", ";gruu;opaque=app:conf>"];
    let extras = [
        None,
        Some(("Expires", "0")),
        Some(("Expires", "4294967295")),
        Some(("P-Asserted-Identity", "<sip:peer@contoso.com>,<tel:+15550100>")),
        Some(("P-Asserted-Identity", "\"P, Q\" <sips:peer@contoso.com;user=ip>")),
        Some(("p-session-on-behalf-of", "<sip:boss@contoso.com>")),
        Some(("Subject", "a <b>, \"c")),
    ];
    let mut service = service;
    let mut edit = |header: HeaderName, from: &str, to: String| {
        if from != to {
            service = std::mem::take(&mut service).edit(message, replace(header, from, &to));
        }
    };
    edit(HeaderName::From, "<sip:", format!("{}<sip:", source.text(&display)));
    edit(HeaderName::From, "peer@", source.text(&uris).to_owned());
    edit(HeaderName::From, ">;", format!("{};", source.text(&params)));
    edit(HeaderName::To, "<sip:", format!("{}<sip:", source.text(&display)));
    if let Some(Some((name, value))) = source.pick(&extras) {
        service = service.edit(message, header(name, value));
    }
    let tag = format!("tag=x-{:x}.~", source.below(65_536));
    service.edit(message, replace(HeaderName::From, "tag=", &tag))
}
