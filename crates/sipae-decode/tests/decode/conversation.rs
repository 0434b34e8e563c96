//! What earlier messages say is used for later ones.

use sipae::encoding::{decode_base16, encode_base64};
use sipae_decode::material::{ExportedKey, Material, TlsKeys};
use sipae_decode::model::Outcome;
use sipae_decode::{Decoded, decode};

use crate::vectors;

pub(crate) const PASSWORD: &str = "Pa$$word";

/// The captured exchange of Communicator and OCS 2007 R2: CHALLENGE, AUTHENTICATE, signed answer.
pub(crate) fn exchange() -> String {
    let challenge = decode_base16(vectors::get("proof-good").input("challenge").as_bytes()).expect("octets");
    let challenge = format!(
        "SIP/2.0 407 Proxy Authentication Required\r\n\
         Via: SIP/2.0/TLS 192.168.172.6:12723;branch=z9hG4bK2\r\n\
         Proxy-Authenticate: NTLM opaque=\"2BDBAC9D\", gssapi-data=\"{}\", \
         targetname=\"cosmo-ocs-r2.cosmo.local\", realm=\"SIP Communications Service\", version=4\r\n\
         From: <sip:user@cosmo.local>;tag=3e49177a52;epid=c8ca638a15\r\n\
         To: <sip:user@cosmo.local>;tag=5E61CCD925D17E043D9A74835A88F664\r\n\
         Call-ID: 4037df9284354df39065195bd57a4b14\r\nCSeq: 2 REGISTER\r\nContent-Length: 0\r\n\r\n",
        encode_base64(&challenge)
    );
    [challenge, vectors::get("ocs2007r2-register").message(), vectors::get("ocs2007r2-200").message()]
        .concat()
}

fn with_password(text: &str, password: &str) -> Decoded {
    let material = Material { password: Some(password.to_owned()), ..Material::default() };
    decode(text.as_bytes(), &material).expect("text")
}

#[test]
fn the_password_verifies_both_sides_of_a_captured_exchange() {
    let decoded = with_password(&exchange(), PASSWORD);
    assert_eq!(decoded.tally().verified, 2);
    let answer = &decoded.messages[2].authentication[0];
    let found = answer.verification.as_ref().expect("checked");
    assert_eq!((found.outcome, found.version), (Outcome::Verifies, Some(4)));
    assert!(answer.knowledge.contains(&"version 4, from message 1".to_owned()), "{:?}", answer.knowledge);
    assert_eq!(answer.buffers.len(), 1);
}

/// A retransmission, or both legs of a capture.
#[test]
fn a_challenge_that_comes_again_takes_no_keys_away() {
    let text = exchange();
    let (challenge, rest) = text.split_at(text.find("REGISTER sip:").expect("a request"));
    let (request, answer) = rest.split_at(rest.find("SIP/2.0 200").expect("an answer"));
    let decoded = with_password(&[challenge, request, challenge, answer].concat(), PASSWORD);
    assert_eq!(decoded.tally().verified, 2);
}

/// [MS-SIPAE] SIPAE-3.2.5.1-07: the version is that of the challenge, whatever a client says.
#[test]
fn the_challenge_decides_the_version_and_a_field_that_says_otherwise_is_told() {
    let decoded = with_password(&exchange().replacen("version=4", "version=2", 1), PASSWORD);
    let request = &decoded.messages[1].authentication[0];
    let told = "it says version 4, and the server offers 2 in message 1, which decides (SIPAE-3.2.5.1-07)";
    assert!(request.knowledge.contains(&told.to_owned()), "{:?}", request.knowledge);
    let found = request.verification.as_ref().expect("checked");
    assert_eq!(found.outcome, Outcome::DoesNotVerify);
    assert_eq!(
        found.changes.iter().map(|change| change.name.as_str()).collect::<Vec<_>>(),
        ["other-version"]
    );
}

#[test]
fn a_token_of_another_mechanism_is_not_called_kerberos() {
    let token = encode_base64(b"\x60\x0a\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x00");
    let header = format!("NTLM realm=\"r\", targetname=\"t\", gssapi-data=\"{token}\"");
    let decoded = with_password(&vectors::wrapped(&header), PASSWORD);
    let text = sipae_decode::render::text(&decoded);
    assert!(text.contains("GSS-API token of SPNEGO, which is not taken apart"), "{text}");
    assert!(!text.contains("is one of Kerberos"), "{text}");
}

#[test]
fn a_wrong_password_is_told_and_nothing_is_judged() {
    let decoded = with_password(&exchange(), "secret-word");
    let found = decoded.messages[2].authentication[0].verification.clone().expect("looked at");
    assert_eq!(found.outcome, Outcome::NotTried);
    assert_eq!(
        found.reason.as_deref(),
        Some(
            "the password gives no keys: response does not prove the password of the user (SIPAE-3.3.5.2-16)"
        )
    );
}

#[test]
fn without_the_exchange_a_password_gives_no_keys() {
    let decoded = with_password(&vectors::get("ocs2007r2-200").message(), PASSWORD);
    assert_eq!((decoded.tally().untried, decoded.tally().failed), (1, 0));
}

#[test]
fn nothing_secret_is_told() {
    let decoded = with_password(&exchange(), PASSWORD);
    let json: String =
        decoded.messages.iter().map(|message| serde_json::to_string(message).expect("JSON")).collect();
    let text = sipae_decode::render::text(&decoded);
    for secret in [PASSWORD, "ea5e87c195ae65338f7c023e7600690d", "83013a189002d3abad49c4c8f605ecc8"] {
        assert!(!json.contains(secret) && !text.contains(secret), "{secret}");
    }
}

/// [MS-NLMP] 3.4.5: both sides' keys follow from the exported one. The key is that of the vector `gssntlmssp-dgram`.
#[test]
fn an_exported_session_key_is_enough() {
    let buffer = "<NTLM><01234567><1><r><t><1><1><OPTIONS><sip:a@x><1><sip:b@x><2><><><>";
    let key = ExportedKey::read("6af40dd91c7136e6f367ca066583dccb", "0xe2c9b275").expect("a key");
    let flags = sipae::ntlm::NegotiateFlags(0xE2C9_B275);
    let exported = decode_base16(b"6af40dd91c7136e6f367ca066583dccb").expect("octets");
    let keys = sipae::ntlm::SessionKeys::new(flags, exported.try_into().expect("16 octets"), 0);
    let mac = sipae::ntlm::DatagramMac::for_sip(&keys, sipae::side::Side::Client).expect("signs");
    let header = format!(
        "NTLM realm=\"r\", targetname=\"t\", crand=\"01234567\", cnum=\"1\", response=\"{}\"",
        sipae::encoding::encode_base16(&mac.sign(buffer.as_bytes()))
    );
    let material = Material { exported: Some(key), ..Material::default() };
    let decoded = decode(vectors::wrapped(&header).as_bytes(), &material).expect("text");
    assert_eq!(decoded.tally().verified, 1);
}

/// The signatures of the worked example EX-8, in a message that has its buffer.
#[test]
fn tls_dsk_signatures_verify_by_the_hash_that_their_length_tells() {
    let message = |signature: &str| {
        format!(
            "SIP/2.0 200 OK\r\nFrom: <sip:alice@contoso.com>;tag=1a2b3c4d5e\r\n\
             To: <sip:alice@contoso.com>;tag=E7B5C3A19F0D2E4B6A8C7F5D3B1E9A0C\r\n\
             Call-ID: f00dcafef00dcafef00dcafef00dcafe\r\nCSeq: 4 REGISTER\r\nExpires: 600\r\n\
             Authentication-Info: TLS-DSK realm=\"SIP Communications Service\", targetname=\"server.contoso.com\", \
             srand=\"0B9D33A2\", snum=\"1\", rspauth=\"{signature}\", version=4\r\nContent-Length: 0\r\n\r\n"
        )
    };
    for id in ["ex-8-md5-s", "ex-8-sha1-s", "ex-8-sha256-s", "ex-8-sha384-s"] {
        let vector = vectors::get(id);
        let tls = TlsKeys::read(None, Some(vector.input("key"))).expect("a key");
        let material = Material { tls, ..Material::default() };
        let decoded = decode(message(vector.signature()).as_bytes(), &material).expect("text");
        assert_eq!(decoded.tally().verified, 1, "{id}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_message() {
    let text = format!("\u{FEFF}{}", exchange());
    let decoded = with_password(&text, PASSWORD);
    assert_eq!((decoded.tally().verified, decoded.messages[0].offset), (2, 3));
}

#[test]
fn kerberos_is_told_to_be_not_built_yet() {
    let header = "Kerberos realm=\"r\", targetname=\"sip/t\", srand=\"01234567\", snum=\"1\", \
                  rspauth=\"040401ffffffffff0000000000000000258b1b279a38abe5d2250499\"";
    let decoded = with_password(&vectors::wrapped(header), PASSWORD);
    let found = decoded.messages[0].authentication[0].verification.clone().expect("looked at");
    assert_eq!(found.outcome, Outcome::NotTried);
    assert!(found.reason.is_some_and(|reason| reason.contains("not built yet")));
}
