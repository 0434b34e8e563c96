//! The reference as a codec: what it does with inputs that allow no computation.

use serde_json::{Value, json};
use sipae_conformance::codec::ReferenceCodec;
use sipae_vectors::{Answer, Codec, Operation, Refusal};

fn answer(op: &str, inputs: &Value) -> Result<Answer, Refusal> {
    ReferenceCodec.answer(&Operation::from_parts(op, inputs).expect("an operation"))
}

fn refusal(op: &str, inputs: &Value) -> String {
    answer(op, inputs).expect_err("a refusal").to_string()
}

fn mac() -> Value {
    json!({"extended_session_security": true, "key_exchange": true, "datagram": true,
        "seal_key": "00".repeat(16), "sign_key": "00".repeat(16), "seq": 100, "messages": [{"text": "a"}]})
}

fn mac_with(name: &str, value: Value) -> Value {
    let mut inputs = mac();
    inputs[name] = value;
    inputs
}

#[test]
fn inputs_of_a_wrong_length_are_malformed_by_name() {
    assert_eq!(
        refusal("signkey", &json!({"flags": 0, "exported_session_key": "00", "mode": "client"})),
        "malformed: exported_session_key: 1 octets, not 16"
    );
    assert_eq!(
        refusal("rc4k", &json!({"key": "", "data": "00"})),
        "malformed: key: 0 octets, RC4 takes 1 to 256"
    );
    assert_eq!(refusal("mac", &mac_with("sign_key", json!("00"))), "malformed: sign_key: 1 octets, not 16");
}

#[test]
fn inputs_that_are_missing_are_malformed_by_name() {
    assert_eq!(
        refusal("hash_primitive", &json!({"algorithm": "hmac-md5", "data_hex": ""})),
        "malformed: key_hex: a key is needed"
    );
    assert_eq!(
        refusal("mac", &mac_with("sign_key", Value::Null)),
        "malformed: sign_key: extended session security needs one"
    );
}

#[test]
fn names_that_nobody_knows_are_malformed() {
    assert_eq!(
        refusal("ntlm_flags", &json!({"names": ["SIGN", "SING"]})),
        "malformed: names: no flag is called \"SING\""
    );
    assert_eq!(
        refusal("av_pairs", &json!({"pairs": [["Name", ""], ["EOL", ""]]})),
        "malformed: pairs: \"Name\" names no pair"
    );
}

#[test]
fn a_message_that_is_none_is_malformed() {
    assert_eq!(
        refusal("sip_message", &json!({"message": "INVITE\r\n\r\n"})),
        "malformed: message: start line \"INVITE\" is no request or status line of SIP/2.0"
    );
}

/// [MS-SIPAE] SIPAE-2.2-21: a message with two fields that are signed is unfit for signing.
#[test]
fn a_message_with_two_call_ids_has_no_buffer() {
    let context = json!({"scheme": "NTLM", "rand": "", "num": "1", "realm": "", "targetname": ""});
    let message = "INVITE sip:b@x SIP/2.0\r\nCall-ID: 1\r\ni: 2\r\n\r\n";
    assert_eq!(
        refusal("sip_buffer", &json!({"message": message, "context": context})),
        "malformed: message: Call-ID: a header field that may occur once occurs again"
    );
}

#[test]
fn a_scheme_that_is_not_built_is_unsupported() {
    assert_eq!(refusal("tls_prf", &json!({})), "unsupported: TLS-DSK is not built yet");
    assert_eq!(refusal("gss_mic", &json!({})), "unsupported: Kerberos is not built yet");
}

/// [MS-NLMP] 3.4.4.1: the first word of the key stream goes over the random pad, which counts as zero here.
#[test]
fn the_pad_is_the_key_stream_where_no_other_is_given() {
    let mut inputs = mac_with("extended_session_security", json!(false));
    inputs["messages"] = json!([{"text": "a"}, {"text": "a"}]);
    for (datagram, second) in [(true, 0..8), (false, 24..32)] {
        inputs["datagram"] = json!(datagram);
        let stream =
            answer("rc4k", &json!({"key": "00".repeat(16), "data": "00".repeat(32)})).expect("a stream");
        let stream = stream.get("output").and_then(Value::as_str).expect("octets");
        let signatures = answer("mac", &inputs).expect("signatures");
        let pad = |index: usize| {
            signatures.get("signatures").expect("a list")[index].as_str().expect("octets")[8..16].to_owned()
        };
        assert_eq!((pad(0), pad(1)), (stream[0..8].to_owned(), stream[second].to_owned()), "{datagram}");
    }
}
