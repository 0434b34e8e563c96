//! Faults in how a credential is written.

use sipae::auth::AuthParam;

use super::{Fault, NTLM, Stage, TLS_DSK, appended, credential, param, set};
use crate::{Choices, Edit, Expect, ParamEdit, Signing, Source, Text};

use AuthParam::{Cnum, Crand, GssapiData, Opaque, Qop, Realm, Response, Targetname, Version};
use Stage::{After, Opening, Resigned};

const SCHEME: &str = "SIPAE-2.2-01";
const NAMES: &str = "SIPAE-2.2-02";
const QUOTES: &str = "SIPAE-2.2-05";
/// How a version is written is the row of readers; a server that goes on has taken one that it did not offer.
const OFFERED: &str = "SIPAE-3.3.5.2-22";
const BASE64: &str = "SIPAE-2.2-08";
const RAND: &str = "SIPAE-2.2-09";
const NUMBER: &str = "SIPAE-2.2-10";
const SIGNATURE: &str = "SIPAE-2.2-11";
const TWICE: &str = "SIPAE-2.2-16";
const QOP: &str = "SIPAE-2.2-19";
const BOUNDS: &str = "SIPAE-3.3.5.3-22";

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("scheme-unknown", SCHEME, "SIPAE-3.2.4.1-01", After, |_| {
        vec![Edit::Scheme(Text::from("Foo"))]
    })
    .open(),
    Fault::new("scheme-missing", SCHEME, "scheme-missing", After, |_| vec![Edit::Scheme(Text::from(""))])
        .open(),
    Fault::new("scheme-lower-case", SCHEME, "scheme-spelling", After, |_| {
        vec![Edit::Scheme(Text::of("{sa.scheme-lower}"))]
    })
    .open(),
    malformed("name-with-blank", "param-name-malformed", |_| credential("crand=", "cra nd=")),
    malformed("name-empty", "param-name-malformed", |_| credential("crand=", "=")),
    malformed("name-in-brackets", "param-name-malformed", |_| credential("crand=", "<crand>=")),
    malformed("name-with-nul", "param-name-malformed", |_| credential("crand=", "crand\0=")),
    malformed("value-missing", "param-value-missing", |_| appended("x=\"y\"", "x")).open(),
    Fault::new("value-empty", NAMES, "value-not-token", After, |_| appended("x=\"y\"", "x=")).open(),
    Fault::new("quote-open", QUOTES, "quote-unterminated", After, |_| appended("x=\"y\"", "x=\"y")),
    Fault::new("quote-alone", QUOTES, "quote-unterminated", After, |_| appended("x=\"y\"", "x=\"")),
    Fault::new("text-behind-quote", "SIPAE-2.2-04", "text-after-quote", After, |_| {
        appended("x=\"y\"", "x=\"y\"z")
    })
    .open(),
    Fault::new("text-behind-qop", "SIPAE-2.2-04", "text-after-quote", After, |_| {
        credential("\"auth\"", "\"auth\"x")
    })
    .open(),
    Fault::new("comma-missing", NAMES, "comma-missing", After, |_| credential("\"auth\", ", "\"auth\" "))
        .open(),
    Fault::new("element-empty", NAMES, "element-empty", After, |_| credential("\"auth\", ", "\"auth\", , "))
        .open(),
    Fault::new("comma-at-the-end", NAMES, "element-empty", After, |_| appended("x=\"y\"", "x=\"y\",,"))
        .open(),
    Fault::new("value-no-token", NAMES, "value-not-token", After, |_| appended("x=\"y\"", "x=y/z")).open(),
    twice("repeated-qop", |_| precede(Qop, "auth")).open(),
    twice("repeated-realm", |_| precede(Realm, "another realm")),
    twice("repeated-targetname", |_| precede(Targetname, "another.server.invalid")),
    twice("repeated-opaque", |_| precede(Opaque, "00000000")),
    twice("repeated-crand", |_| precede(Crand, "00000000")),
    twice("repeated-cnum", |_| precede(Cnum, "4711")),
    twice("repeated-response", |_| precede(Response, "00000000000000000000000000000000")),
    twice("repeated-in-upper-case", |_| {
        vec![Edit::AddParam { name: "CRAND".to_owned(), value: Text::from("00000000"), first: true }]
    }),
    twice("repeated-behind-qop", |_| repeat(Qop, "auth")).open(),
    twice("repeated-behind-opaque", |_| repeat(Opaque, "00000000")).open(),
    twice("repeated-behind-cnum", |_| repeat(Cnum, "4711")).open(),
    Fault::new("thousands-of-parameters", BOUNDS, "params-too-many", After, |_| {
        let many: String = (0..2000).map(|number| format!("x{number}=y, ")).collect();
        vec![Edit::Credential { from: Text::from("qop="), to: Text::from(format!("{many}qop=")) }]
    })
    .open(),
    bare("opaque-bare", |_| param(Opaque, ParamEdit::Unquoted)),
    bare("crand-bare", |_| param(Crand, ParamEdit::Unquoted)),
    bare("cnum-bare", |_| param(Cnum, ParamEdit::Unquoted)),
    bare("response-bare", |_| param(Response, ParamEdit::Unquoted)),
    bare("targetname-bare", |_| param(Targetname, ParamEdit::Unquoted)).with(NTLM),
    qop("qop-auth-int", |_| set(Qop, "auth-int")),
    qop("qop-empty", |_| set(Qop, "")),
    qop("qop-list", |_| set(Qop, "auth,auth-int")),
    qop("qop-word", |source| set(Qop, source.text(&["none", "Auth2", "au th", "integrity"]))),
    Fault::new("sts-uri-in-credential", "SIPAE-2.2-18", "sts-uri-misplaced", After, |_| {
        vec![Edit::AddParam {
            name: "sts-uri".to_owned(),
            value: Text::from("https://x.invalid/"),
            first: false,
        }]
    })
    .open()
    .with(NTLM),
    rand("crand-letters", |_| rand_text("zyxwvuts")),
    rand("crand-with-prefix", |_| rand_text("0x1b2c3d")),
    rand("crand-empty", |_| rand_text("")),
    rand("crand-with-blank", |_| rand_text("0a1b 2c3")),
    rand("crand-with-sign", |_| rand_text("-a1b2c3d")),
    Fault::signing("crand-of-7-digits", RAND, "rand-length", |_| rand_text("a1b2c3d")).open(),
    Fault::signing("crand-of-9-digits", RAND, "rand-length", |_| rand_text("0a1b2c3d4")).open(),
    number("cnum-zero", |_| number_text("0")),
    number("cnum-above-32-bits", |_| number_text("4294967296")),
    number("cnum-far-above", |_| number_text("18446744073709551617")),
    number("cnum-negative", |_| number_text("-1")),
    number("cnum-with-sign", |_| number_text("+77")),
    number("cnum-hexadecimal", |_| number_text("0x4d")),
    number("cnum-with-letters", |_| number_text("9abc")),
    number("cnum-fraction", |_| number_text("9.0")),
    number("cnum-exponent", |_| number_text("9e1")),
    number("cnum-empty", |_| number_text("")),
    number("cnum-of-other-digits", |_| number_text("\u{0667}")),
    Fault::signing("cnum-zero-padded", NUMBER, "number-zero-padded", |_| number_text("000007")).open(),
    hex("signature-in-base64", |_| param(Response, ParamEdit::AsBase64)),
    hex("signature-of-odd-length", |_| param(Response, ParamEdit::Truncate(31))),
    hex("signature-with-digit-more", |_| param(Response, ParamEdit::Insert(usize::MAX, Text::from("0")))),
    hex("signature-empty", |_| set(Response, "")),
    hex("signature-with-blank", |_| param(Response, ParamEdit::Insert(8, Text::from("  ")))),
    hex("signature-with-letters", |_| param(Response, ParamEdit::Insert(8, Text::from("zz")))),
    hex("signature-with-prefix", |_| param(Response, ParamEdit::Insert(0, Text::from("0x")))),
    opening("version-word", OFFERED, "version-malformed", |_| set(Version, "four")),
    opening("version-negative", OFFERED, "version-malformed", |_| set(Version, "-1")),
    opening("version-fraction", OFFERED, "version-malformed", |_| set(Version, "4.0")),
    opening("version-above-32-bits", OFFERED, "version-malformed", |_| set(Version, "4294967300")),
    opening("version-never-offered", OFFERED, OFFERED, |source| {
        set(Version, source.text(&["7", "1", "5", "0", "4294967295"]))
    }),
    opening("first-token-no-base64", BASE64, "token-not-base64", |source| {
        set(GssapiData, source.text(&["*", "TlRM!U1TUA==", "T", "-_-_"]))
    }),
    opening("first-qop-auth-int", "SIPAE-3.3.5.2-23", "qop-not-auth", |_| set(Qop, "auth-int")),
    Fault::new("repeated-first-token", TWICE, "param-duplicate", Opening, |_| precede(GssapiData, "AAAA"))
        .open()
        // The first token of NTLM is empty, and nobody has to look whether it is.
        .with(TLS_DSK),
];

const fn malformed(
    name: &'static str,
    remark: &'static str,
    edits: fn(&mut dyn Source) -> Vec<Edit>,
) -> Fault {
    Fault::new(name, NAMES, remark, After, edits)
}

const fn twice(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, TWICE, "param-duplicate", After, edits)
}

const fn bare(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, NAMES, "value-unquoted", After, edits).open()
}

const fn qop(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, QOP, "qop-not-auth", Resigned, edits)
}

const fn rand(name: &'static str, signing: fn(&mut dyn Source) -> Signing) -> Fault {
    Fault::signing(name, RAND, "rand-not-hex", signing)
}

const fn number(name: &'static str, signing: fn(&mut dyn Source) -> Signing) -> Fault {
    Fault::signing(name, NUMBER, "number-malformed", signing)
}

const fn hex(name: &'static str, edits: fn(&mut dyn Source) -> Vec<Edit>) -> Fault {
    Fault::new(name, SIGNATURE, "signature-not-hex", After, edits)
}

const fn opening(
    name: &'static str,
    row: &'static str,
    remark: &'static str,
    edits: fn(&mut dyn Source) -> Vec<Edit>,
) -> Fault {
    Fault::new(name, row, remark, Opening, edits).expecting(Expect::NotContinued)
}

fn precede(name: AuthParam, value: &str) -> Vec<Edit> {
    param(name, ParamEdit::Precede(Text::from(value)))
}

fn repeat(name: AuthParam, value: &str) -> Vec<Edit> {
    param(name, ParamEdit::Repeat(Text::from(value)))
}

fn rand_text(text: &str) -> Signing {
    Signing { rand_text: Some(text.to_owned()), ..Signing::default() }
}

fn number_text(text: &str) -> Signing {
    Signing { number_text: Some(text.to_owned()), ..Signing::default() }
}
