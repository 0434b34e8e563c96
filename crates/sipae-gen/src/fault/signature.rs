//! Faults of the signature, and of what it covers.

use sipae::auth::AuthParam;
use sipae::message::HeaderName;

use super::{Fault, Stage, param, set};
use crate::{Choices, Edit, Expect, ParamEdit, Source, Text};

use AuthParam::{Cnum, Crand, Opaque, Realm, Response, Targetname};
use HeaderName::{CSeq, CallId, Expires, From, PAssertedIdentity, PPreferredIdentity, To};
use Stage::{After, Before, Resigned};

const ALTERED: &str = "SIPAE-3.3.5.3-03";
const FORGED: &str = "SIPAE-3.3.5.3-04";
const WHOLE: &str = "SIPAE-5.1-04";
const MISSING: &str = "SIPAE-3.3.5.3-09";
const LOOKUP: &str = "SIPAE-3.3.5.3-02";
const ENDPOINT: &str = "SIPAE-3.3.5.3-07";
const OTHER_SERVER: &str = "SIPAE-3.3.5.1-02";
/// A credential for another server is none.
const UNSIGNED: &str = "SIPAE-3.2.4.1-01";
const AMBIGUOUS: &str = "SIPAE-2.2-27";
const CUT: &str = "SIPAE-2.2-23";

pub(super) const FAULTS: &[Fault] = &[
    forged("signature-bit", |source| param(Response, ParamEdit::FlipBitBack(source.below(16) as usize + 1))),
    forged("signature-zeros", |_| set(Response, "00000000000000000000000000000000")),
    forged("signature-random", |source| {
        let digits = source.word("0123456789abcdef", 32);
        set(Response, &digits)
    }),
    whole("signature-cut", |source| {
        param(Response, ParamEdit::Truncate(2 * (source.below(13) as usize + 1)))
    }),
    whole("signature-longer", |source| {
        let more = source.text(&["00", "0000", "64000000", "01000000000000000000000064000000"]);
        param(Response, ParamEdit::Insert(usize::MAX, Text::from(more)))
    }),
    whole("signature-shifted", |_| param(Response, ParamEdit::Insert(0, Text::from("00")))),
    altered("altered-crand", |source| {
        let digits = source.word("0123456789abcdef", 8);
        set(Crand, &digits)
    }),
    altered("altered-call-id", |source| {
        let more = source.word("abc", 3);
        header(CallId, &format!("{{user.call-id}}{more}"))
    }),
    altered("altered-cseq-number", |source| {
        let number = source.between(1_000_000, 2_000_000);
        header(CSeq, &format!("{number} REGISTER"))
    }),
    altered("altered-from-uri", |_| replace(From, ">", ";x=1>")),
    altered("altered-from-tag", |source| {
        let tag = source.word("abcdef0123456789", 8);
        vec![Edit::FromTag(tag)]
    }),
    altered("altered-to-tag", |_| header(To, "<sip:{user.address}>;tag=added1")),
    altered("altered-expires", |source| {
        let seconds = source.between(601, 7200).to_string();
        header(Expires, &seconds)
    }),
    Fault::new("other-realm", OTHER_SERVER, UNSIGNED, After, |_| set(Realm, "another realm"))
        .expecting(Expect::Refused),
    Fault::new("realm-in-lower-case", OTHER_SERVER, UNSIGNED, Resigned, |_| {
        set(Realm, "sip communications service")
    })
    .expecting(Expect::Refused),
    Fault::new("other-targetname", OTHER_SERVER, UNSIGNED, After, |_| {
        set(Targetname, "another.server.invalid")
    })
    .expecting(Expect::Refused)
    .with(super::NTLM),
    missing("without-crand", |_| param(Crand, ParamEdit::Remove)),
    missing("without-cnum", |_| param(Cnum, ParamEdit::Remove)),
    missing("without-response", |_| param(Response, ParamEdit::Remove)),
    lookup("unknown-opaque", |source| {
        let digits = source.word("0123456789ABCDEF", 8);
        set(Opaque, &format!("no{digits}"))
    }),
    lookup("opaque-empty", |_| set(Opaque, "")),
    lookup("opaque-longer", |_| param(Opaque, ParamEdit::Insert(usize::MAX, Text::from("0")))),
    lookup("without-opaque", |_| param(Opaque, ParamEdit::Remove)),
    Fault::new("other-endpoint", ENDPOINT, LOOKUP, After, |source| {
        let epid = source.word("abcdef0123456789", 10);
        let from = format!("<sip:{{user.address}}>;tag={{user.tag}};epid={epid}");
        [header(From, &from), vec![Edit::RemoveHeader(HeaderName::Contact)]].concat()
    })
    .expecting(Expect::Legal),
    Fault::new("other-endpoint-signed", ENDPOINT, LOOKUP, Before, |source| {
        let epid = source.word("abcdef0123456789", 10);
        let from = format!("<sip:{{user.address}}>;tag={{user.tag}};epid={epid}");
        [header(From, &from), vec![Edit::RemoveHeader(HeaderName::Contact)]].concat()
    })
    .expecting(Expect::Legal),
    Fault::new("ambiguous-call-id", AMBIGUOUS, AMBIGUOUS, Resigned, |_| header(CallId, "a><1><INVITE"))
        .open(),
    Fault::new("identity-of-nobody-behind", ALTERED, FORGED, After, |_| {
        header(PPreferredIdentity, "<sip:{user.address}>")
    })
    .open(),
    Fault::new("asserted-identity-behind", ALTERED, FORGED, After, |_| {
        header(PAssertedIdentity, "<sip:nobody@{user.host}>")
    })
    .open(),
    Fault::new("tag-behind-nul", CUT, FORGED, After, |source| {
        let tag = source.word("abcdef", 2);
        replace(From, ";tag={user.tag}", &format!(";tag={{user.tag}}\0{tag}"))
    }),
    Fault::new("tag-behind-carriage-return", CUT, "name-addr-malformed", After, |source| {
        let tag = source.word("abcdef", 2);
        replace(From, ";tag={user.tag}", &format!(";tag={{user.tag}}\r{tag}"))
    }),
];

const fn forged(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, FORGED, FORGED, After, edits).expecting(Expect::Legal)
}

const fn whole(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, WHOLE, FORGED, After, edits)
}

const fn altered(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, ALTERED, FORGED, After, edits).expecting(Expect::Legal)
}

const fn missing(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, MISSING, MISSING, After, edits).expecting(Expect::Legal)
}

const fn lookup(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, LOOKUP, LOOKUP, After, edits).expecting(Expect::Legal)
}

fn header(name: HeaderName, value: &str) -> Vec<Edit> {
    vec![Edit::SetHeader(name, Text::of(value))]
}

fn replace(header: HeaderName, from: &str, to: &str) -> Vec<Edit> {
    vec![Edit::Replace { header, from: Text::of(from), to: Text::of(to) }]
}
