//! Faults of the tokens of a handshake, and of the tickets and certificates behind them.

use sipae::auth::AuthParam;

use super::{Deviation, Fault, KERBEROS, NTLM, Stage, TLS_DSK, param, set};
use crate::{
    CertificateFault, Choices, DerChange, Edit, Expect, FieldChange, OctetEdit, ParamEdit, Source, Text,
    TicketFault,
};

use AuthParam::{GssapiData, Opaque};
use Stage::{Opening, Proof, Shown};

const TOKEN: &str = "SIPAE-3.3.5.2-21";
const BASE64: &str = "SIPAE-2.2-08";
const FAILS: &str = "SIPAE-3.3.5.2-16";
const MATCH: &str = "SIPAE-3.3.5.2-09";
const UNKNOWN: &str = "SIPAE-3.3.5.3-02";
const SKEW: &str = "SIPAE-3.3.5.2-19";
const PERSON: &str = "SIPAE-3.3.5.2-12";
const SERVICE: &str = "SIPAE-3.3.5.2-31";

/// Where the fields of an AUTHENTICATE stand, [MS-NLMP] 2.2.1.3.
const LM: usize = 12;
const NT: usize = 20;
const DOMAIN: usize = 28;
const USER: usize = 36;
const WORKSTATION: usize = 44;
const SESSION_KEY: usize = 52;
const FLAGS: usize = 60;

/// Tags on the way to the parts of an AP-REQ in its GSS-API frame, RFC 4121 4.1 and RFC 4120 5.5.1.
const FRAME: u8 = 0x60;
const OID: u8 = 0x06;
const AP_REQ: u8 = 0x6E;
const SEQUENCE: u8 = 0x30;

pub(super) const FAULTS: &[Fault] = &[
    base64("token-stray-character", |source| insert(source.text(&["*", "-", "_", "$", "!"]))),
    base64("token-padding-inside", |_| insert("====")),
    base64("token-padding-surplus", |_| param(GssapiData, ParamEdit::Insert(usize::MAX, Text::from("====")))),
    Fault::new("proof-with-other-opaque", MATCH, UNKNOWN, Proof, |source| {
        let digits = source.word("0123456789ABCDEF", 8);
        set(Opaque, &format!("no{digits}"))
    })
    .with(&[sipae::auth::Scheme::Ntlm, sipae::auth::Scheme::TlsDsk]),
    Fault::new("proof-without-opaque", MATCH, UNKNOWN, Proof, |_| param(Opaque, ParamEdit::Remove))
        .with(&[sipae::auth::Scheme::Ntlm, sipae::auth::Scheme::TlsDsk]),
    // [MS-NLMP] 2.2.1.3.
    ntlm("authenticate-signature", |_| overwrite(0, b"NTLMSSQ\0")),
    ntlm("authenticate-type-1", |_| overwrite(8, &[1, 0, 0, 0])),
    ntlm("authenticate-type-2", |_| overwrite(8, &[2, 0, 0, 0])),
    ntlm("authenticate-type-4", |_| overwrite(8, &[4, 0, 0, 0])),
    ntlm("authenticate-cut", |source| cut(source.below(60) as usize + 1)),
    ntlm("authenticate-of-its-header", |_| cut(12)),
    ntlm("lm-longer", |_| ntlm_field(LM, FieldChange::Longer(0x7000))).open(),
    ntlm("lm-behind-end", |_| ntlm_field(LM, FieldChange::BehindEnd(1))).open(),
    ntlm("nt-longer", |_| ntlm_field(NT, FieldChange::Longer(0x7000))),
    ntlm("nt-behind-end", |_| ntlm_field(NT, FieldChange::BehindEnd(1))),
    ntlm("nt-offset-overflows", |_| ntlm_field(NT, FieldChange::Offset(u32::MAX))),
    ntlm("domain-longer", |_| ntlm_field(DOMAIN, FieldChange::Longer(0x7000))).open(),
    ntlm("domain-behind-end", |_| ntlm_field(DOMAIN, FieldChange::BehindEnd(1))).open(),
    ntlm("domain-offset-overflows", |_| ntlm_field(DOMAIN, FieldChange::Offset(u32::MAX))).open(),
    ntlm("user-longer", |_| ntlm_field(USER, FieldChange::Longer(0x7000))),
    ntlm("user-behind-end", |_| ntlm_field(USER, FieldChange::BehindEnd(1))),
    ntlm("user-of-odd-length", |_| ntlm_field(USER, FieldChange::Length(3))).remarked("[MS-NLMP] 2.2"),
    ntlm("workstation-longer", |_| ntlm_field(WORKSTATION, FieldChange::Longer(0x7000))).open(),
    ntlm("workstation-behind-end", |_| ntlm_field(WORKSTATION, FieldChange::BehindEnd(1))).open(),
    ntlm("session-key-longer", |_| ntlm_field(SESSION_KEY, FieldChange::Longer(0x7000))),
    ntlm("session-key-behind-end", |_| ntlm_field(SESSION_KEY, FieldChange::BehindEnd(1))),
    ntlm("session-key-of-15-octets", |_| ntlm_field(SESSION_KEY, FieldChange::Length(15)))
        .remarked("[MS-NLMP] 2.2.1.3"),
    fails("nt-proof-bit", |source| ntlm_field(NT, FieldChange::Flip(source.below(16) as usize))).with(NTLM),
    fails("nt-blob-bit", |source| ntlm_field(NT, FieldChange::Flip(source.below(8) as usize + 32)))
        .with(NTLM),
    fails("nt-response-of-15-octets", |_| ntlm_field(NT, FieldChange::Length(15)))
        .remarked("[MS-NLMP] 2.2.2")
        .with(NTLM),
    fails("user-name-bit", |_| ntlm_field(USER, FieldChange::Flip(0))).with(NTLM),
    Fault::new("session-key-bit", "SIPAE-3.3.5.2-15", "SIPAE-3.3.5.3-04", Proof, |source| {
        // Of a key for 40 bits no more is used.
        ntlm_field(SESSION_KEY, FieldChange::Flip(source.below(5) as usize))
    })
    .with(NTLM),
    ntlm("flags-without-sign", |_| overwrite(FLAGS, &[0x05, 0x82, 0x88, 0x62])).remarked("SIPAE-3.3.5.2-08"),
    // RFC 2743 3.1, RFC 4121 4.1, RFC 4120 5.5.1.
    kerberos("frame-tag", |_| der(&[FRAME], DerChange::Tag(0x61))),
    kerberos("frame-length", |_| der(&[FRAME], DerChange::Length(0x7F))),
    kerberos("frame-length-of-gibibytes", |_| der(&[FRAME], DerChange::Length(0x88))),
    kerberos("mechanism", |_| der(&[FRAME, OID], DerChange::FlipLast)),
    kerberos("token-id", |_| der(&[FRAME, 1], DerChange::Tag(2))),
    kerberos("ap-req-tag", |_| der(&[FRAME, AP_REQ], DerChange::Tag(0x6F))).remarked("RFC 4120 5"),
    kerberos("ap-req-length", |_| der(&[FRAME, AP_REQ], DerChange::Length(0x7F))).remarked("RFC 4120 5"),
    kerberos("ap-req-version", |_| der(&[FRAME, AP_REQ, SEQUENCE, 0xA0, 2], DerChange::Content(vec![4])))
        .remarked("RFC 4120 5"),
    kerberos("ap-req-type", |_| der(&[FRAME, AP_REQ, SEQUENCE, 0xA1, 2], DerChange::Content(vec![15])))
        .remarked("RFC 4120 5"),
    kerberos("ticket-tag", |_| der(&[FRAME, AP_REQ, SEQUENCE, 0xA3, 0x61], DerChange::Tag(0x62)))
        .remarked("RFC 4120 5"),
    kerberos("ticket-length", |_| der(&[FRAME, AP_REQ, SEQUENCE, 0xA3, 0x61], DerChange::Length(0x7F)))
        .remarked("RFC 4120 5"),
    kerberos("ticket-version", |_| {
        der(&[FRAME, AP_REQ, SEQUENCE, 0xA3, 0x61, SEQUENCE, 0xA0, 2], DerChange::Content(vec![6]))
    })
    .remarked("RFC 4120 5"),
    kerberos("ap-req-cut", |source| cut(source.below(200) as usize + 1)),
    fails("authenticator-bit", |_| octets(OctetEdit::FlipBack(1))).with(KERBEROS).remarked("RFC 3961 5.3"),
    fails("ticket-bit", |_| {
        let part = [FRAME, AP_REQ, SEQUENCE, 0xA3, 0x61, SEQUENCE, 0xA3, SEQUENCE, 0xA2, 4];
        der(&part, DerChange::FlipLast)
    })
    .with(KERBEROS)
    .remarked("RFC 3961 5.3"),
    ticket("ticket-expired", FAILS, TicketFault::Expired).remarked("RFC 4120 3.2.3"),
    ticket("ticket-of-the-future", FAILS, TicketFault::Future).remarked("RFC 4120 3.2.3"),
    ticket("ticket-of-another-realm", SERVICE, TicketFault::OtherRealm),
    ticket("ticket-for-another-service", SERVICE, TicketFault::OtherService),
    ticket("ticket-of-another-type", FAILS, TicketFault::OtherType).remarked("RFC 3961 5.3"),
    ticket("client-of-another-ticket", FAILS, TicketFault::OtherClient).remarked("RFC 4120 3.2.3"),
    ticket("ticket-truncated", FAILS, TicketFault::Truncated).remarked("RFC 3961 5.3"),
    ticket("authenticator-checksum", FAILS, TicketFault::Checksum).remarked("RFC 4121 4.1.1"),
    ticket("authenticator-of-the-past", SKEW, TicketFault::Skewed),
    ticket("authenticator-of-the-future", SKEW, TicketFault::SkewedAhead),
    // RFC 5246 6.2.1, 7.4.
    tls("record-type", |_| overwrite(0, &[0x15])).remarked("RFC 5246 7.2"),
    tls("record-of-no-type", |source| overwrite(0, &[u8::try_from(source.between(25, 255)).unwrap_or(255)]))
        .remarked("RFC 5246 6.2"),
    tls("record-length-zero", |_| overwrite(3, &[0, 0])).remarked("RFC 5246 6.2"),
    tls("record-length-short", |_| overwrite(3, &[0, 1])).remarked("RFC 5246 6.2"),
    tls("record-length-long", |_| overwrite(3, &[0x3F, 0xFF])).remarked("RFC 5246 6.2"),
    tls("record-length-beyond-bounds", |_| overwrite(3, &[0xFF, 0xFF])).remarked("RFC 5246 6.2"),
    tls("handshake-type", |_| overwrite(5, &[0x63])).remarked("RFC 5246 7.4"),
    tls("handshake-length", |_| overwrite(6, &[0xFF, 0xFF, 0xFF])).remarked("RFC 5246 7.4"),
    tls("flight-cut", |source| cut(source.below(40) as usize + 1)).remarked("RFC 5246 6.2"),
    tls("flight-without-its-end", |source| octets(OctetEdit::CutBack(source.below(20) as usize + 1)))
        .remarked("RFC 5246 6.2"),
    tls("flight-with-more", |_| octets(OctetEdit::Append(vec![0x16, 3, 3, 0, 0]))).remarked("RFC 5246 6.2"),
    certificate("certificate-expired", CertificateFault::Expired),
    certificate("certificate-of-the-future", CertificateFault::Future),
    certificate("certificate-absent", CertificateFault::Absent).remarked("SIPAE-3.3.5.2-11"),
    certificate("certificate-of-nobody", CertificateFault::Unnamed),
    // A library may answer with an alert, which some put into a challenge.
    Fault::new("hello-cut", TOKEN, TOKEN, Opening, |source| cut(source.below(40) as usize + 1))
        .open()
        .with(TLS_DSK)
        .remarked("RFC 5246 6.2"),
    Fault::new("hello-type", TOKEN, TOKEN, Opening, |_| overwrite(5, &[0x63]))
        .open()
        .with(TLS_DSK)
        .remarked("RFC 5246 7.4"),
    Fault::new("hello-record-type", TOKEN, TOKEN, Opening, |_| overwrite(0, &[0x17]))
        .open()
        .with(TLS_DSK)
        .remarked("SIPAE-3.1-04"),
    Fault::new("hello-length", TOKEN, TOKEN, Opening, |_| overwrite(6, &[0xFF, 0xFF, 0xFF]))
        .open()
        .with(TLS_DSK)
        .remarked("RFC 5246 7.4"),
];

/// The password behind it is the right one: nobody's logon fails.
const fn base64(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, BASE64, "token-not-base64", Proof, edits)
}

const fn ntlm(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, TOKEN, "[MS-NLMP] 2.2.1", Proof, edits).expecting(Expect::Legal).with(NTLM)
}

const fn kerberos(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, TOKEN, TOKEN, Proof, edits).expecting(Expect::Legal).with(KERBEROS)
}

const fn tls(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, TOKEN, TOKEN, Proof, edits).expecting(Expect::Legal).with(TLS_DSK)
}

const fn fails(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, FAILS, FAILS, Proof, edits).expecting(Expect::Legal)
}

const fn ticket(name: &'static str, row: &'static str, fault: TicketFault) -> Fault {
    Fault {
        deviation: Deviation::Ticket(fault),
        ..Fault::new(name, row, row, Shown, |_| Vec::new()).expecting(Expect::Legal)
    }
    .with(KERBEROS)
}

const fn certificate(name: &'static str, fault: CertificateFault) -> Fault {
    Fault {
        deviation: Deviation::Certificate(fault),
        ..Fault::new(name, PERSON, PERSON, Shown, |_| Vec::new())
    }
    .with(TLS_DSK)
}

fn octets(edit: OctetEdit) -> Vec<Edit> {
    param(GssapiData, ParamEdit::Octets(edit))
}

fn overwrite(at: usize, with: &[u8]) -> Vec<Edit> {
    octets(OctetEdit::Overwrite { at, octets: with.to_vec() })
}

fn cut(kept: usize) -> Vec<Edit> {
    octets(OctetEdit::Cut(kept))
}

fn ntlm_field(at: usize, change: FieldChange) -> Vec<Edit> {
    octets(OctetEdit::NtlmField { at, change })
}

fn der(path: &[u8], change: DerChange) -> Vec<Edit> {
    octets(OctetEdit::Der { path: path.to_vec(), change })
}

fn insert(text: &str) -> Vec<Edit> {
    param(GssapiData, ParamEdit::Insert(8, Text::from(text)))
}
