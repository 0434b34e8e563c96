//! gssapi-data that proves nobody: no AUTHENTICATE, no AP-REQ, no flight (SIPAE-3.3.5.2-21).

use sipae::auth::{AuthParam, Scheme};
use sipae::encoding::encode_base64;
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

/// What is sent in the place of a client's flight with its certificate.
const FLIGHTS: [(&str, &str, &str); 8] = [
    ("tls-no-record", "gssapi-data that is no TLS record", "aGVsbG8gd29ybGQ="),
    ("tls-record-cut", "a TLS record that claims more octets than there are", "FgMDEAABAAAA"),
    ("tls-record-huge", "a TLS record that claims 65535 octets", "FgMD//8="),
    ("tls-empty-record", "a TLS record without a fragment", "FgMDAAA="),
    ("tls-message-huge", "a handshake message that claims 16 mebibytes", "FgMDAAQL////"),
    ("tls-application-data", "application data in the place of a handshake", "FwMDAAVoZWxsbw=="),
    ("tls-fatal-alert", "a fatal alert in the place of a handshake", "FQMDAAICKA=="),
    ("tls-finished-early", "a Finished without a certificate before it", "FAMDAAEBFgMDABAUAAAMAAAAAAAAAAAAAAAA"),
];

/// What is sent in the place of an AP-REQ.
const TICKETS: [(&str, &str, &str); 8] = [
    ("krb-no-token", "gssapi-data that is no GSS-API token", "aGVsbG8gd29ybGQ="),
    ("krb-length-huge", "DER that claims four gibibytes", "YIT/////BgkqhkiG9xIBAgIBAG4="),
    ("krb-length-indefinite", "DER of indefinite length", "YIAGCSqGSIb3EgECAgEAboAAAA=="),
    ("krb-other-mechanism", "a token of another mechanism", "YBIGCSqGSIL3EgECAgEAbgQwAgUA"),
    ("krb-reply", "an AP-REP in the place of an AP-REQ", "YBMGCSqGSIb3EgECAgIAbwUwA6ADAgEF"),
    ("krb-error", "a KRB-ERROR in the place of an AP-REQ", "YBMGCSqGSIb3EgECAgMAfgUwA6ADAgEF"),
    ("krb-no-framing", "an AP-REQ without the framing of GSS-API", "bgUwA6ADAgEF"),
    ("krb-empty-request", "an AP-REQ without a ticket", "YBMGCSqGSIb3EgECAgEAbgUwA6ADAgEF"),
];

pub(super) fn cases() -> Vec<Case> {
    let set = |text: &str| ParamEdit::Set(Text::from(text));
    let of = |scheme: Scheme, table: &[(&str, &str, &str)]| -> Vec<Case> {
        let case = |(name, what, text): &(&str, &str, &str)| token_case(name, what, set(text)).with(&[scheme]);
        table.iter().map(case).collect()
    };
    // Cut before the name of the user: no logon of anybody fails.
    let truncated = token_case("truncated", "a token that is cut short", ParamEdit::Truncate(40));
    let huge = token_case("huge", "gssapi-data of a mebibyte", set(&"A".repeat(HUGE))).rough();
    let bomb = token_case("tls-record-bomb", "a flight of five thousand records", set(&bomb())).rough();
    [
        of(Scheme::Ntlm, &TOKENS),
        of(Scheme::Kerberos, &TICKETS),
        of(Scheme::TlsDsk, &FLIGHTS),
        vec![truncated, huge, bomb.with(&[Scheme::TlsDsk])],
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Records of one octet each: the beginning of a handshake message that claims all of them.
fn bomb() -> String {
    const RECORDS: usize = 5000;
    encode_base64(&[0x16, 3, 3, 0, 1, 0x0B].repeat(RECORDS))
}

/// The token comes from a second endpoint, whose handshake is under way; the first one stays served.
fn token_case(name: &str, what: &str, change: ParamEdit) -> Case {
    let handshake_of_second = Handshake::of(Party::SECOND, "bad").fenced();
    let judged = handshake_of_second.clone();
    let played = handshake_of_second.proving([Edit::Param(AuthParam::GssapiData, change)]);
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
