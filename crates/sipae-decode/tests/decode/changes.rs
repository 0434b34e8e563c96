//! Each change of the table is found where a signer deviates in just that way, and no other is named.

use std::collections::BTreeSet;

use rstest::rstest;
use sipae::encoding::encode_base16;
use sipae::ntlm::{DatagramMac, MacOptions, SEQUENCE_NUMBER};
use sipae_decode::material::{Material, NtlmKey, TlsKeys};
use sipae_decode::model::{Outcome, Verification};
use sipae_decode::{change_names, decode};

const CLIENT: Keys = Keys { sign: [1; 16], seal: [2; 16] };
const SERVER: Keys = Keys { sign: [3; 16], seal: [4; 16] };
const EXTENDED: MacOptions = MacOptions { extended: true, key_exchange: true };

/// The elements of the buffer that the rules give for [`request`], in version 3 or 4.
const ELEMENTS: [&str; 15] = [
    "ntlm",
    "0A0b0C0d",
    "007",
    "Realm R",
    "Host.X",
    "c1",
    "7",
    "INVITE",
    "sip:Alice@X;p=1",
    "f1",
    "sip:Bob@X;user=phone",
    "t1",
    "sip:Alice@X;q=2",
    "tel:+1555;EXT=1",
    "60",
];

struct Keys {
    sign: [u8; 16],
    seal: [u8; 16],
}

impl Keys {
    fn signature(&self, options: MacOptions, number: u32, buffer: &str) -> String {
        let mac = DatagramMac::new(options, &self.sign, &self.seal, number).expect("keys");
        encode_base16(&mac.sign(buffer.as_bytes()))
    }

    fn given(&self) -> Option<NtlmKey> {
        Some(NtlmKey::new(Some(self.sign), &self.seal).expect("keys"))
    }
}

fn material() -> Material {
    Material { ntlm_client: CLIENT.given(), ntlm_server: SERVER.given(), ..Material::default() }
}

/// A request in which nearly every mistake shows.
fn request(signature: &str) -> String {
    format!(
        "OPTIONS sip:Bob@X SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:Alice@X;p=1>;tag=f1\r\nTo: <sip:Bob@X;user=phone>;tag=t1\r\nCall-ID: c1\r\n\
         CSeq: 7 INVITE\r\nExpires: 60\r\nContact: <sip:h>;expires=90\r\nSession-Expires: 1800\r\n\
         P-Asserted-Identity: <sip:Alice@X;q=2>, <tel:+1555;EXT=1>\r\n\
         P-Preferred-Identity: <sip:Other@X>\r\n\
         Authorization: ntlm realm=\"Realm R\", targetname=\"Host.X\", crand=\"0A0b0C0d\", cnum=\"007\", \
         opaque=\"1\", version=4, response=\"{signature}\"\r\nContent-Length: 0\r\n\r\n"
    )
}

fn response(signature: &str) -> String {
    request(signature)
        .replacen("OPTIONS sip:Bob@X SIP/2.0", "SIP/2.0 180 Ringing", 1)
        .replace("Authorization: ", "Authentication-Info: ")
        .replace("crand", "srand")
        .replace("cnum", "snum")
        .replace("response=", "rspauth=")
}

fn joined<T: AsRef<str>>(elements: &[T]) -> String {
    elements.iter().map(|element| format!("<{}>", element.as_ref())).collect()
}

/// The buffer with another value for an element.
fn with(place: usize, value: &str) -> String {
    let mut elements = ELEMENTS;
    elements[place] = value;
    joined(&elements)
}

fn without(places: &[usize]) -> String {
    let kept: Vec<&str> = ELEMENTS
        .iter()
        .enumerate()
        .filter(|(place, _)| !places.contains(place))
        .map(|(_, text)| *text)
        .collect();
    joined(&kept)
}

fn checked(text: &str, material: &Material) -> Verification {
    let decoded = decode(text.as_bytes(), material).expect("text");
    let field = decoded.messages.last().and_then(|message| message.authentication.first());
    field.and_then(|field| field.verification.clone()).expect("checked")
}

#[track_caller]
fn assert_found(found: &Verification, name: &str, text: &str) {
    assert_eq!(found.outcome, Outcome::DoesNotVerify);
    let names: Vec<&str> = found.changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(names, [name], "{found:?}");
    assert!(found.changes[0].text.contains(text), "{found:?}");
    assert!(change_names().contains(&name));
}

#[test]
fn the_buffer_of_the_rules_verifies() {
    for (text, keys, end) in [(request as fn(&str) -> String, CLIENT, ""), (response, SERVER, "<180>")] {
        let signature = keys.signature(EXTENDED, SEQUENCE_NUMBER, &format!("{}{end}", joined(&ELEMENTS)));
        assert_eq!(checked(&text(&signature), &material()).outcome, Outcome::Verifies);
    }
}

#[rstest]
#[case("other-version", "as version 2", without(&[10, 12, 13]))]
#[case("other-layout", "in the layout of a response", format!("{}<>", joined(&ELEMENTS)))]
#[case("rand-case", "crand in lower case", with(1, "0a0b0c0d"))]
#[case("rand-case", "crand in upper case", with(1, "0A0B0C0D"))]
#[case("number-zeros", "cnum without its leading zeros", with(2, "7"))]
#[case("start-line-method", "method of the start line", with(7, "OPTIONS"))]
#[case("expires", "Expires empty", with(14, ""))]
#[case("expires", "without the element of Expires", without(&[14]))]
#[case("expires", "expires parameter of Contact", with(14, "90"))]
#[case("expires", "Session-Expires", with(14, "1800"))]
#[case("identities", "both identities empty", with(12, "").replace("tel:+1555;EXT=1", ""))]
#[case("identities", "without the sip identity", with(12, ""))]
#[case("identities", "without the tel identity", with(13, ""))]
#[case("identities", "tel identity before", joined(&ELEMENTS).replace("<sip:Alice@X;q=2><tel:+1555;EXT=1>", "<tel:+1555;EXT=1><sip:Alice@X;q=2>"))]
#[case("identities", "without the elements of the identities", without(&[12, 13]))]
#[case("identities", "P-Preferred-Identity", with(12, "sip:Other@X").replace("tel:+1555;EXT=1", ""))]
#[case("identities", "whole P-Asserted-Identity", with(12, "<sip:Alice@X;q=2>, <tel:+1555;EXT=1>"))]
#[case("to-uri", "without the element of the To URI", without(&[10]))]
#[case("to-uri", "To URI empty", with(10, ""))]
#[case("tags", "To tag empty", with(11, ""))]
#[case("tags", "From tag empty", with(9, ""))]
#[case("uri-params", "the From URI without its parameters", with(8, "sip:Alice@X"))]
#[case("uri-params", "the To URI without its parameters", with(10, "sip:Bob@X"))]
#[case("uri-params", "the From URI, the To URI", joined(&ELEMENTS).replace(";p=1", "").replace(";user=phone", "").replace(";q=2", "").replace(";EXT=1", ""))]
#[case("uri-brackets", "the From URI in its angle brackets", with(8, "<sip:Alice@X;p=1>"))]
#[case("uri-case", "the To URI in lower case", with(10, "sip:bob@x;user=phone"))]
#[case("realm-target-case", "realm in lower case", with(3, "realm r"))]
#[case("realm-target-case", "targetname in upper case", with(4, "HOST.X"))]
#[case("realm-target-quotes", "realm in its quotes", with(3, "\"Realm R\""))]
#[case("realm-target-quotes", "realm, targetname in its quotes", with(3, "\"Realm R\"").replace("Host.X", "\"Host.X\""))]
#[case("target-prefix", "sip/ before targetname", with(4, "sip/Host.X"))]
#[case("scheme-spelling", "spelled NTLM", with(0, "NTLM"))]
#[case("trailing-octets", "a NUL", format!("{}\0", joined(&ELEMENTS)))]
#[case("trailing-octets", "a CRLF", format!("{}\r\n", joined(&ELEMENTS)))]
fn a_change_of_the_buffer_is_found(#[case] name: &str, #[case] text: &str, #[case] buffer: String) {
    let signature = CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &buffer);
    assert_found(&checked(&request(&signature), &material()), name, text);
}

#[test]
fn a_response_in_the_layout_of_a_request_is_found() {
    let signature = SERVER.signature(EXTENDED, SEQUENCE_NUMBER, &joined(&ELEMENTS));
    assert_found(&checked(&response(&signature), &material()), "other-layout", "status code is left out");
}

#[test]
fn the_key_of_the_other_side_is_found() {
    let signature = SERVER.signature(EXTENDED, SEQUENCE_NUMBER, &joined(&ELEMENTS));
    assert_found(&checked(&request(&signature), &material()), "other-direction", "key of the other side");
}

#[rstest]
#[case("session-security", "CRC-32", MacOptions { extended: false, key_exchange: true }, SEQUENCE_NUMBER)]
#[case("key-exchange", "KEY_EXCH", MacOptions { extended: true, key_exchange: false }, SEQUENCE_NUMBER)]
#[case("sequence-number", "cnum (7)", EXTENDED, 7)]
#[case("sequence-number", "with 0 ", EXTENDED, 0)]
fn a_change_of_ntlm_is_found(
    #[case] name: &str,
    #[case] text: &str,
    #[case] options: MacOptions,
    #[case] number: u32,
) {
    let signature = CLIENT.signature(options, number, &joined(&ELEMENTS));
    assert_found(&checked(&request(&signature), &material()), name, text);
}

#[test]
fn signatures_that_were_mixed_up_are_found() {
    let good = CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &joined(&ELEMENTS));
    let other = request(&good).replace("Call-ID: c1", "Call-ID: c2");
    let text = format!("{other}{}", request(&CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, "other")));
    assert_found(&checked(&text, &material()), "other-signature", "signature of message 1");
}

#[rstest]
#[case("60", 1)]
#[case("61", 2)]
fn the_copy_of_a_repeated_field_that_was_signed_is_found(#[case] expires: &str, #[case] copy: usize) {
    let signature = CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &with(14, expires));
    let text = request(&signature).replace("Expires: 60\r\n", "Expires: 60\r\nExpires: 61\r\n");
    let text = text.replace("Session-Expires: 60\r\nExpires: 61", "Session-Expires: 1800");
    let found = checked(&text, &material());
    assert_found(&found, "header-copy", &format!("copy {copy} of Expires"));
    assert!(found.reason.is_some_and(|reason| reason.contains("unfit")));
}

#[test]
fn where_no_version_is_known_both_layouts_are_good() {
    for (buffer, version) in [(without(&[10, 12, 13]), 2), (joined(&ELEMENTS), 4)] {
        let text = request(&CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &buffer)).replace(" version=4,", "");
        let found = checked(&text, &material());
        assert_eq!((found.outcome, found.version), (Outcome::Verifies, Some(version)));
    }
}

#[test]
fn where_no_version_is_known_a_change_names_its_layout() {
    let signature =
        CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &without(&[10, 12, 13]).replace("<60>", "<>"));
    let found = checked(&request(&signature).replace(" version=4,", ""), &material());
    assert_found(
        &found,
        "expires",
        "Expires empty: the signer does not see the header field, in the layout of version 2",
    );
}

#[test]
fn two_changes_at_once_are_not_found_and_the_number_of_trials_is_told() {
    let buffer = with(14, "").replace("<f1>", "<>");
    let found = checked(&request(&CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &buffer)), &material());
    assert_eq!((found.outcome, &found.changes[..]), (Outcome::DoesNotVerify, &[][..]));
    assert!(50 < found.tried, "{}", found.tried);
}

/// SIPAE-2.2-27, and a number that is none: the signature is good, and no verifier takes the message.
#[test]
fn a_good_signature_of_a_message_that_is_refused_is_told_as_such() {
    let ambiguous = with(5, "c><1");
    let text = request(&CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &ambiguous))
        .replace("Call-ID: c1", "Call-ID: c><1");
    let found = checked(&text, &material());
    assert_eq!(found.outcome, Outcome::Verifies);
    assert!(found.reason.is_some_and(|reason| reason.contains("SIPAE-2.2-27")));
    let zero = with(2, "0");
    let text = request(&CLIENT.signature(EXTENDED, SEQUENCE_NUMBER, &zero)).replace("\"007\"", "\"0\"");
    let found = checked(&text, &material());
    assert_eq!(found.outcome, Outcome::Verifies);
    assert!(found.reason.is_some_and(|reason| reason.contains("SIPAE-2.2-10")));
}

/// HMAC has no mode: what is tried of NTLM is not tried of TLS-DSK.
#[test]
fn tls_dsk_signatures_are_searched_too() {
    use sipae::ntlm::hmac_md5;
    let buffer = with(0, "TLS-DSK").replace("<60>", "<>");
    let signature = encode_base16(&hmac_md5(&[7; 32], &[buffer.as_bytes()]));
    let text = request(&signature).replace("Authorization: ntlm", "Authorization: TLS-DSK");
    let tls = TlsKeys::read(Some(&"07".repeat(32)), None).expect("a key");
    let found = checked(&text, &Material { tls, ..Material::default() });
    assert_found(&found, "expires", "Expires empty");
}

/// The cases above name every row of the table.
/// Trap of implementers: the key material of EAP-TLS has other keys before those that sign.
#[rstest]
#[case(0, "octets 0 to 31 of the key material")]
#[case(32, "octets 32 to 63 of the key material")]
fn a_key_from_another_place_is_found(#[case] place: usize, #[case] text: &str) {
    use hmac::{KeyInit, Mac};
    let material: Vec<u8> = (0..128).collect();
    let digits: String = material.iter().map(|octet| format!("{octet:02x}")).collect();
    let tls = Material { tls: TlsKeys::of_material(&digits).expect("128 octets"), ..Material::default() };
    let buffer = joined(&ELEMENTS).replacen("ntlm", "TLS-DSK", 1);
    let key = material.get(place..place + 32).expect("32 octets");
    let mac = <hmac::Hmac<sha1::Sha1> as KeyInit>::new_from_slice(key).expect("a key");
    let signature = mac.chain_update(buffer.as_bytes()).finalize().into_bytes();
    let signature: String = signature.iter().map(|octet| format!("{octet:02x}")).collect();
    let message = request(&signature).replacen("ntlm", "TLS-DSK", 1);
    assert_found(&checked(&message, &tls), "other-key", text);
}

#[test]
fn every_change_has_a_test() {
    let source = include_str!("changes.rs");
    let missing: BTreeSet<&str> =
        change_names().into_iter().filter(|name| !source.contains(&format!("\"{name}\""))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
