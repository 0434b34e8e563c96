//! Schemes, parameters, quotation marks: how a credential is taken apart (SIPAE-2.2-01 to -05, -15, -19).

use sipae::auth::AuthParam;
use sipae_gen::{Edit, ParamEdit, Script, Text};

use super::{first_token_goes_on, in_credential, is_noticed, is_written_down, means_nothing, name};
use crate::case::Case;
use crate::cases::{Handshake, SA, handshake, signed};

use AuthParam::{Cnum, Crand, GssapiData, Opaque, Qop, Realm, Response, Targetname};

pub(super) fn cases() -> Vec<Case> {
    [schemes(), names(), orders(), quotes(), unknown(), qops()].into_iter().flatten().collect()
}

fn schemes() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-01";
    let token = |id: &str, spelling: &str, case: &str| {
        let title = format!("a handshake under a scheme {case} is one of the scheme");
        let edits = vec![Edit::Scheme(Text::of(spelling))];
        first_token_goes_on(id, &title, ROW, edits)
    };
    let other = Edit::AddHeader {
        name: "Authorization".to_owned(),
        value: Text::of("Foo realm=\"{sa.realm}\", targetname=\"{sa.targetname}\", data=\"1\""),
        first: true,
    };
    vec![
        // Field 1 of the buffer is the scheme; whether as written or in its own spelling, nobody judges: one of the two
        // must verify.
        Case::new(
            &name("scheme-of-signature"),
            "the letter case of the scheme does not matter in a signed message",
            &[ROW],
        )
        .plan(|mode| {
            let lower = Edit::Scheme(Text::of("{sa.scheme-lower}"));
            let script = signed(handshake(mode), "own spelling").edit("own spelling", lower.clone());
            signed(script.send("own spelling"), "as written")
                .edit("as written", lower)
                .resign("as written", SA)
                .send("as written")
                .signed_fence(SA)
        })
        .judge(|judge| {
            let names = ["own spelling", "as written"];
            let told: Vec<_> = names.iter().filter_map(|name| judge.observed(name)).collect();
            let holds = match told.as_slice() {
                [own, written] if !own.is_acceptance() && !written.is_acceptance() => {
                    Err(format!("{own}; {written}"))
                }
                _ => Ok(()),
            };
            judge.check(ROW, "one of the two ways to sign it is accepted", holds);
        }),
        means_nothing(
            "unknown-scheme-beside",
            "a credential of an unknown scheme does not hide the one behind it",
            ROW,
            vec![other],
        ),
        token("scheme-lower-case", "{sa.scheme-lower}", "in lower case"),
        token("scheme-capitalised", "{sa.scheme-capitalised}", "with one capital letter"),
    ]
}

const ALL: [AuthParam; 7] = [Qop, Realm, Opaque, Crand, Cnum, Targetname, Response];

/// Names in another letter case.
fn renamed(params: &[AuthParam], spell: impl Fn(&str) -> String) -> Vec<Edit> {
    params.iter().map(|param| Edit::Param(*param, ParamEdit::Rename(spell(param.name())))).collect()
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_ascii_uppercase() + rest
}

fn names() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-02";
    let signed = |id: &str, title: &str, edits| means_nothing(id, title, ROW, edits);
    vec![
        signed(
            "names-upper-case",
            "parameter names in upper case are the same names",
            renamed(&ALL, str::to_ascii_uppercase),
        ),
        signed(
            "names-capitalised",
            "parameter names with a capital letter are the same names",
            renamed(&ALL, capitalised),
        ),
        first_token_goes_on(
            "names-of-token-upper-case",
            "parameter names of a handshake in upper case are the same names",
            ROW,
            renamed(&[Qop, Realm, Targetname, GssapiData, AuthParam::Version], str::to_ascii_uppercase),
        ),
    ]
}

/// Orders that products write or that catch a reader who stops too early: none begins like that of the suite.
const ORDERS: [(&str, &[AuthParam]); 5] = [
    ("of-ocs", &[Response, Crand, Cnum, Opaque, Qop, Targetname, Realm]),
    ("of-rtcc", &[Realm, Targetname, Response, Crand, Cnum, Opaque, Qop]),
    ("reversed", &[Response, Targetname, Cnum, Crand, Opaque, Realm, Qop]),
    ("opaque-first", &[Opaque, Qop, Realm, Targetname, Crand, Cnum, Response]),
    ("realm-last", &[Targetname, Crand, Cnum, Response, Qop, Opaque, Realm]),
];

fn orders() -> Vec<Case> {
    let case = |(order, params): (&str, &[AuthParam])| {
        means_nothing(
            &format!("order-{order}"),
            &format!("the order of parameters carries no meaning: {}", order.replace('-', " ")),
            "SIPAE-2.2-03",
            vec![Edit::OrderParams(params.to_vec())],
        )
    };
    ORDERS.map(case).into()
}

/// A parameter that no server knows.
fn added(name: &str, value: &str, first: bool) -> Edit {
    Edit::AddParam { name: name.to_owned(), value: Text::from(value), first }
}

/// What a reader that splits at every comma, or takes a backslash for an escape, would take for parameters.
const LOOKS_LIKE_PARAMS: &str = "x, cnum=4711, realm=another, opaque=00000000, y";

fn quotes() -> Vec<Case> {
    vec![
        // It rests on unknown parameters being skipped, and the row lets such a field be refused.
        is_written_down(
            "backslash",
            "a backslash in a quoted value is an octet like any other",
            "SIPAE-2.2-04",
            vec![added("note", r"a\b", true)],
        ),
        is_written_down(
            "backslash-before-quote",
            "a backslash before a quotation mark does not escape it: whether such a field is read is written down",
            "SIPAE-2.2-04",
            vec![added("note", r"ab\", true)],
        ),
        means_nothing(
            "comma-in-value-first",
            "commas and equals signs in a quoted value separate nothing, in front of the other parameters",
            "SIPAE-2.2-05",
            vec![added("note", LOOKS_LIKE_PARAMS, true)],
        ),
        means_nothing(
            "comma-in-value-last",
            "commas and equals signs in a quoted value separate nothing, behind the other parameters",
            "SIPAE-2.2-05",
            vec![added("note", LOOKS_LIKE_PARAMS, false)],
        ),
        means_nothing(
            "comma-in-another-credential",
            "commas in a credential for another server do not make it one for this one",
            "SIPAE-2.2-05",
            vec![Edit::AddHeader {
                name: "Authorization".to_owned(),
                value: Text::of(
                    "{sa.scheme} qop=\"auth\", realm=\"x, realm={sa.realm}, targetname={sa.targetname}, y\", \
                     targetname=\"another.server.invalid\", opaque=\"00000000\", crand=\"00000000\", cnum=\"1\", \
                     response=\"00\"",
                ),
                first: true,
            }],
        ),
        is_noticed(
            "open-quotation-mark",
            "a credential with a quotation mark that nothing closes is not used",
            "SIPAE-2.2-05",
            vec![in_credential("qop=\"auth\"", "qop=\"auth")],
        ),
        is_noticed(
            "unterminated-quote",
            "a credential whose last quotation mark does not close is not used",
            "SIPAE-2.2-05",
            vec![added("note", "open", false), in_credential("\"open\"", "\"open")],
        ),
    ]
}

fn unknown() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-15";
    let quoted = || added("foo", "bar", true);
    let bare = || in_credential("{sa.scheme} ", "{sa.scheme} x=1, ");
    vec![
        means_nothing("unknown-parameter", "an unknown parameter has no effect", ROW, vec![quoted()]),
        means_nothing(
            "unknown-parameters",
            "unknown parameters have no effect, quoted or bare, in front or behind",
            ROW,
            vec![added("response-auth", "0", false), added("cnumber", "9", true), bare()],
        ),
        Case::new(
            &name("unknown-parameters-in-handshake"),
            "unknown parameters have no effect in a handshake",
            &[ROW],
        )
        .plan(move |mode| {
            Handshake::user().with_credential([quoted(), bare()]).play(Script::connected(), mode)
        })
        .judge(|judge| {
            let message = if judge.observation().seen("last").is_some() { "last" } else { "first" };
            judge.accepted(ROW, message);
        }),
    ]
}

fn qops() -> Vec<Case> {
    const ROW: &str = "SIPAE-2.2-19";
    let set = |value: &str| vec![Edit::Param(Qop, ParamEdit::Set(Text::from(value)))];
    vec![
        means_nothing(
            "qop-bare",
            "qop without quotation marks is the same qop",
            ROW,
            vec![Edit::Param(Qop, ParamEdit::Unquoted)],
        ),
        first_token_goes_on(
            "qop-of-token-bare",
            "qop of a handshake without quotation marks is the same qop",
            ROW,
            vec![Edit::Param(Qop, ParamEdit::Unquoted)],
        ),
        is_noticed("qop-auth-int", "a signature over bodies does not exist here: auth-int is refused", ROW, set("auth-int")),
        is_noticed("qop-unknown", "another qop than auth is refused", ROW, set("none")),
    ]
}
