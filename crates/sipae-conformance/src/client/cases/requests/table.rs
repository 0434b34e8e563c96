//! Requests that are bad, or look odd and are right: what is changed in a good one, and the rows that say so.

use sipae::auth::AuthParam;
use sipae::message::HeaderName;
use sipae::version::Version;
use sipae_gen::{Choices, Edit, ParamEdit, Service, Signing, Source, Text};

/// How a request is made bad, and what a client that acts upon it breaks.
pub(super) struct Bad {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) rows: &'static [&'static str],
    pub(super) make: fn(Service, &str) -> Service,
}

/// How a request is made that looks odd, and is right.
pub(super) struct Odd {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) rows: &'static [&'static str],
    /// Whether products are known that do not read it.
    pub(super) is_weak: bool,
    pub(super) make: fn(Service) -> Service,
}

pub(super) fn set(param: AuthParam, value: &str) -> Edit {
    Edit::Param(param, ParamEdit::Set(Text::from(value)))
}

fn replace(header: HeaderName, from: &str, to: &str) -> Edit {
    Edit::Replace { header, from: from.into(), to: to.into() }
}

fn header(name: &str, value: &str) -> Edit {
    Edit::AddHeader { name: name.to_owned(), value: value.into(), first: false }
}

pub(super) const LONG: &[Version] = &[Version::V3, Version::V4];

/// Each is made of a good request, signed.
pub(super) const BAD: &[Bad] = &[
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
pub(super) const BAD_LONG: &[Bad] = &[
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

pub(super) const ODD: &[Odd] = &[
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
pub(super) const ODD_LONG: &[Odd] = &[Odd {
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

/// A signature with one bit changed.
pub(in super::super::super) fn flipped(service: Service, message: &str) -> Service {
    service.edit(message, Edit::Param(AuthParam::Rspauth, ParamEdit::FlipBit))
}

/// What makes a signed request bad.
type Spoil = fn(Service, &str) -> Service;

/// Ways in which a signed request is bad whatever else stands in it.
pub(super) fn faults() -> impl Iterator<Item = &'static Bad> {
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
pub(in super::super::super) fn fault(source: &mut dyn Source) -> Option<(&'static str, Spoil)> {
    let known: Vec<&Bad> = faults().collect();
    let count = u32::try_from(known.len()).unwrap_or_default();
    let place = source.below(2 * count).checked_sub(count)?;
    let bad = known.get(usize::try_from(place).ok()?)?;
    Some((bad.rows.first()?, bad.make))
}

/// What makes a request look odd before it is signed, and leaves it right. Six choices.
pub(in super::super::super) fn oddly(service: Service, message: &str, source: &mut dyn Source) -> Service {
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
