//! Faults of the message around the credential.

use sipae::message::HeaderName;

use super::{Fault, Stage, field};
use crate::{Edit, Expect, Text};

use HeaderName::{CSeq, CallId, Contact, From, MaxForwards, To, Via};
use Stage::{After, Before};

const UNIT: &str = "SIPAE-2.2-21";
const TAGS: &str = "SIPAE-2.2-25";
const SEVERAL: &str = "SIPAE-2.2-26";
const ENDPOINT: &str = "SIPAE-3.3.5.3-07";

const OTHER_FROM: &str = "<sip:nobody-with-this-name@{user.host}>;tag=another1;epid={user.epid}";
const OTHER_TO: &str = "<sip:nobody-with-this-name@{user.host}>";

pub(super) const FAULTS: &[Fault] = &[
    copied("from-before", |_| field("From", OTHER_FROM, true)),
    copied("from-behind", |_| field("From", OTHER_FROM, false)),
    copied("compact-from-before", |_| field("f", OTHER_FROM, true)),
    copied("compact-from-behind", |_| field("f", OTHER_FROM, false)),
    copied("same-from", |_| field("From", "<sip:{user.address}>;tag={user.tag};epid={user.epid}", false)),
    copied("to-before", |_| field("To", OTHER_TO, true)),
    copied("to-behind", |_| field("To", OTHER_TO, false)),
    copied("compact-to-before", |_| field("t", OTHER_TO, true)),
    copied("compact-to-behind", |_| field("t", OTHER_TO, false)),
    copied("call-id-before", |_| field("Call-ID", "another-call", true)),
    copied("call-id-behind", |_| field("Call-ID", "another-call", false)),
    copied("compact-call-id-before", |_| field("i", "another-call", true)),
    copied("compact-call-id-behind", |_| field("i", "another-call", false)),
    copied("cseq-before", |_| field("CSeq", "4711 REGISTER", true)),
    copied("cseq-behind", |_| field("CSeq", "4711 REGISTER", false)),
    copied("expires-before", |_| [field("Expires", "3600", false), field("Expires", "3601", true)].concat()),
    copied("expires-behind", |_| [field("Expires", "3600", false), field("Expires", "3601", false)].concat()),
    Fault::new("without-from", TAGS, "header-missing", After, |_| without(From)).open(),
    Fault::new("without-to", TAGS, "header-missing", After, |_| without(To)).open(),
    Fault::new("without-call-id", TAGS, "header-missing", After, |_| without(CallId)).open(),
    Fault::new("without-cseq", TAGS, "header-missing", After, |_| without(CSeq)).open(),
    Fault::new("without-max-forwards", TAGS, "header-missing", Before, |_| without(MaxForwards)).open(),
    Fault::new("via-without-branch", TAGS, "via-branch-missing", Before, |_| {
        vec![Edit::SetHeader(Via, Text::from("SIP/2.0/TCP 127.0.0.1:5060"))]
    })
    .open(),
    Fault::new("via-of-rfc-2543", TAGS, "via-branch-missing", Before, |_| {
        // Another one each time, as the epid is: a server may know a branch again.
        vec![Edit::SetHeader(Via, Text::of("SIP/2.0/TCP 127.0.0.1:5060;branch={user.epid}"))]
    })
    .open(),
    Fault::new("from-without-tag", TAGS, "from-tag-missing", Before, |_| {
        set(From, "<sip:{user.address}>;epid={user.epid}")
    })
    .open(),
    Fault::new("from-with-empty-tag", TAGS, "from-tag-missing", Before, |_| {
        set(From, "<sip:{user.address}>;tag;epid={user.epid}")
    })
    .open(),
    malformed("from-empty", |_| set(From, "")),
    malformed("from-open-bracket", |_| set(From, "<sip:{user.address};tag={user.tag};epid={user.epid}")),
    malformed("from-word", |_| set(From, "user;tag={user.tag};epid={user.epid}")),
    malformed("from-open-quote", |_| {
        set(From, "\"user <sip:{user.address}>;tag={user.tag};epid={user.epid}")
    }),
    malformed("to-empty", |_| set(To, "")),
    malformed("to-open-bracket", |_| set(To, "<sip:{user.address}")),
    malformed("to-word", |_| set(To, "user")),
    Fault::new("contact-word", TAGS, "name-addr-malformed", Before, |_| set(Contact, "user")).open(),
    Fault::new("from-without-brackets", TAGS, "name-addr-without-brackets", Before, |_| {
        set(From, "User sip:{user.address};tag={user.tag};epid={user.epid}")
    })
    .open(),
    several("from-uri-before", |_| {
        set(From, "<sip:nobody@{user.host}> <sip:{user.address}>;tag={user.tag};epid={user.epid}")
    }),
    several("from-uri-behind", |_| {
        set(From, "<sip:{user.address}> <sip:nobody@{user.host}>;tag={user.tag};epid={user.epid}")
    }),
    several("from-before-others", |_| {
        set(From, "<sip:nobody@{user.host}>;tag=2, <sip:{user.address}>;tag={user.tag};epid={user.epid}")
    }),
    several("from-behind-others", |_| {
        set(From, "<sip:{user.address}>;tag={user.tag};epid={user.epid}, <sip:nobody@{user.host}>;tag=2")
    }),
    several("to-list-before", |_| set(To, "<sip:nobody@{user.host}>, <sip:{user.address}>")),
    several("to-list-behind", |_| set(To, "<sip:{user.address}>, <sip:nobody@{user.host}>")),
    Fault::new("epid-empty", ENDPOINT, "epid-malformed", Before, |_| {
        [set(From, "<sip:{user.address}>;tag={user.tag};epid="), without(Contact)].concat()
    })
    .expecting(Expect::Legal),
    Fault::new("epid-with-blank", ENDPOINT, "epid-malformed", Before, |_| {
        [set(From, "<sip:{user.address}>;tag={user.tag};epid=\"a b\""), without(Contact)].concat()
    })
    .expecting(Expect::Legal),
    Fault::new("epid-of-17", ENDPOINT, "epid-too-long", Before, |_| {
        [set(From, "<sip:{user.address}>;tag={user.tag};epid=0123456789abcdef0"), without(Contact)].concat()
    })
    .expecting(Expect::Legal),
    Fault::new("instance-of-another", ENDPOINT, "instance-mismatch", Before, |_| {
        set(Contact, "<sip:127.0.0.1:5060>;+sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697>\"")
    })
    .expecting(Expect::Legal),
    Fault::new("instance-no-uuid", ENDPOINT, "instance-mismatch", Before, |_| {
        set(Contact, "<sip:127.0.0.1:5060>;+sip.instance=\"<urn:uuid:4b1682a8>\"")
    })
    .expecting(Expect::Legal),
    cseq("cseq-without-number", |_| set(CSeq, "REGISTER")),
    cseq("cseq-without-method", |_| set(CSeq, "7")),
    cseq("cseq-negative", |_| set(CSeq, "-1 REGISTER")),
    cseq("cseq-above-32-bits", |_| set(CSeq, "4294967296 REGISTER")),
    cseq("cseq-hexadecimal", |_| set(CSeq, "0x7 REGISTER")),
    cseq("cseq-empty", |_| set(CSeq, "")),
    cseq("cseq-with-three-words", |_| set(CSeq, "7 REGISTER now")),
    Fault::new("cseq-of-another-method", UNIT, "cseq-method-mismatch", Before, |_| set(CSeq, "7 OPTIONS"))
        .open(),
    Fault::new("length-missing", UNIT, "content-length-missing", Before, |_| {
        without(HeaderName::ContentLength)
    })
    .open(),
];

const fn copied(name: &'static str, edits: fn(&mut dyn crate::Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, UNIT, "header-duplicate", After, edits)
}

/// What cannot be read cannot be signed: it is changed behind the signature. Whoever reads it as it was meant finds the
/// texts that are signed, and whoever does not may refuse it in any way.
const fn malformed(name: &'static str, edits: fn(&mut dyn crate::Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, TAGS, "name-addr-malformed", After, edits).open()
}

/// Whoever takes one of them for everything breaks nothing.
const fn several(name: &'static str, edits: fn(&mut dyn crate::Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, SEVERAL, "name-addr-several", After, edits).open()
}

const fn cseq(name: &'static str, edits: fn(&mut dyn crate::Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, UNIT, "cseq-malformed", After, edits).open()
}

fn set(header: HeaderName, value: &str) -> Vec<Edit> {
    vec![Edit::SetHeader(header, Text::of(value))]
}

fn without(header: HeaderName) -> Vec<Edit> {
    vec![Edit::RemoveHeader(header)]
}
