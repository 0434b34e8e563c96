//! Explanations as they are read: each snapshot was compared by eye with what its vector says.

use rstest::rstest;
use sipae_decode::{Material, decode, render};

use crate::conversation::{PASSWORD, exchange};
use crate::vectors;

#[rstest]
#[case("sip-ocs2007r2-register-v4")]
#[case("sip-ocs2007-200-v2")]
#[case("sipe-180-pai-v4")]
#[case("ocpstn-4.7.2.1-tlsdsk-200")]
#[case("authhdr-captured-sofia-1")]
#[case("authhdr-captured-xtt-1")]
#[case("authhdr-captured-xtt-2")]
#[case("authhdr-captured-ucma")]
#[case("authhdr-captured-sfbonline-403")]
fn a_vector(#[case] id: &str) {
    insta::assert_snapshot!(id, render::text(&vectors::get(id).explained()));
}

/// Tokens of the vectors, in a header field.
#[rstest]
#[case("apreq-mit-aes256-mutual", "Kerberos")]
#[case("aprep-mit-aes256-mutual", "Kerberos")]
fn a_kerberos_token(#[case] id: &str, #[case] scheme: &str) {
    let token = sipae::encoding::decode_base16(vectors::get(id).input("token").as_bytes()).expect("octets");
    insta::assert_snapshot!(id, of_token(scheme, &sipae::encoding::encode_base64(&token)));
}

#[rstest]
#[case("flight-sipe-aes128-sha-1")]
#[case("flight-sipe-aes128-sha-2")]
fn a_flight_of_tls_dsk(#[case] id: &str) {
    insta::assert_snapshot!(id, of_token("TLS-DSK", vectors::get(id).input("gssapi_data")));
}

/// The part about the token of a field.
fn of_token(scheme: &str, token: &str) -> String {
    let header = format!("{scheme} realm=\"r\", targetname=\"t\", gssapi-data=\"{token}\"");
    let decoded = decode(vectors::wrapped(&header).as_bytes(), &Material::default()).expect("text");
    let text = render::text(&decoded);
    let start = text.find("    gssapi-data:").expect("a token");
    text[start..].to_owned()
}

#[rstest]
#[case("micparse-mssip-4.3-request", "version=3, crand=\"01234567\", cnum=\"1\", response")]
#[case("micparse-sfb-aes-snum74", "version=4, srand=\"01234567\", snum=\"74\", rspauth")]
fn a_kerberos_signature(#[case] id: &str, #[case] params: &str) {
    let token = vectors::get(id);
    let header = format!("Kerberos realm=\"r\", targetname=\"sip/t\", {params}=\"{}\"", token.input("token"));
    let decoded = decode(vectors::wrapped(&header).as_bytes(), &Material::default()).expect("text");
    insta::assert_snapshot!(id, render::text(&decoded));
}

#[test]
fn a_whole_exchange_with_its_password() {
    let material = Material { password: Some(PASSWORD.to_owned()), ..Material::default() };
    let decoded = decode(exchange().as_bytes(), &material).expect("text");
    insta::assert_snapshot!("exchange", render::text(&decoded));
}

#[test]
fn an_exchange_as_json() {
    let vector = vectors::get("sip-ocs2007-200-v2");
    insta::assert_json_snapshot!("json", vector.explained().messages);
}

/// What a message holds must not act upon the terminal.
#[test]
fn control_characters_are_escaped() {
    let text = "OPTIONS sip:a\x1b]0;x\x07@x SIP/2.0\r\nFrom: \"\x1b[31m\" <sip:a@x>;tag=\u{202E}\r\n\
        Authorization: NTLM realm=\"\x1b[2J\", crand=\"\x07\"\r\n\r\n";
    let decoded = decode(text.as_bytes(), &Material::default()).expect("text");
    let json = serde_json::to_string(&decoded.messages).expect("JSON");
    for shown in [render::text(&decoded), json] {
        assert!(
            !shown
                .chars()
                .any(|character| (character.is_control() && character != '\n') || character == '\u{202E}'),
            "{shown}"
        );
        assert!(shown.contains("u{1b}"), "{shown}");
    }
}
