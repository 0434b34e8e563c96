//! gssapi-data that is no AUTHENTICATE (SIPAE-3.3.5.2-21).

use sipae::auth::AuthParam;
use sipae_gen::{Edit, ParamEdit, Party, Text};

use super::refuses;
use crate::case::Case;
use crate::cases::{Handshake, handshake, signed};

/// Three quarters of a kibibyte for each four; far above every token and every header field.
const HUGE: usize = 1024 * 1024;

/// Descriptors that point outside the token.
const OUTSIDE: &str = "TlRMTVNTUAADAAAAGAAYAAD///8YABgAAP///xgAGAAA////GAAYAAD///8YABgAAP///xgAGAAA////\
                       NYKI4gAAAAAAAAAA";

const TOKENS: [(&str, &str, &str); 7] = [
    ("not-base64", "gssapi-data that is no Base64", "!!!!"),
    ("no-token", "gssapi-data that is no NTLM token", "aGVsbG8gd29ybGQ="),
    ("signature-alone", "an NTLM token that ends behind its signature", "TlRMTVNTUAA="),
    (
        "negotiate",
        "a NEGOTIATE in the place of an AUTHENTICATE",
        "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAA=",
    ),
    (
        "challenge",
        "a CHALLENGE in the place of an AUTHENTICATE",
        "TlRMTVNTUAACAAAAAAAAADAAAAA1gpjiMTIzNDU2NzgAAAAAAAAAAAAAAAAwAAAA",
    ),
    ("fields-outside", "an AUTHENTICATE whose fields lie outside it", OUTSIDE),
    ("unknown-type", "an NTLM token of an unknown type", "TlRMTVNTUAD/////AAAAAAAAAAAAAAAA"),
];

pub(super) fn cases() -> Vec<Case> {
    let set = |text: &str| ParamEdit::Set(Text::from(text));
    let listed = TOKENS.into_iter().map(|(name, what, text)| token_case(name, what, set(text)));
    // Cut before the name of the user: no logon of anybody fails.
    let truncated = token_case("truncated", "an AUTHENTICATE that is cut short", ParamEdit::Truncate(40));
    let huge = token_case("huge", "gssapi-data of a mebibyte", set(&"A".repeat(HUGE))).rough();
    listed.chain([truncated, huge]).collect()
}

/// The token comes from a second endpoint, whose handshake is under way; the first one stays served.
fn token_case(name: &str, what: &str, change: ParamEdit) -> Case {
    let handshake_of_second = Handshake::of(Party::SECOND, "bad").fenced();
    let judged = handshake_of_second.clone();
    let played = handshake_of_second.completing([Edit::Param(AuthParam::GssapiData, change)]);
    let title = format!("{what} is refused, and others stay served");
    Case::new(&format!("3.3.5.2/token-{name}"), &title, &["SIPAE-3.3.5.2-21"])
        .plan(move |mode| {
            let script = handshake(mode).connect(Party::SECOND.connection());
            signed(script.attempt(|script| played.play(script, mode)), "served").ask("served")
        })
        .judge(move |judge| {
            refuses(judge, "SIPAE-3.3.5.2-21", &judged);
            judge.processed("SIPAE-3.3.5.2-21", "served");
        })
}
