use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::Hex;

/// One literal for each typed operation, so that none is forgotten.
fn samples() -> Vec<(&'static str, Value)> {
    let context = json!({"scheme": "NTLM", "rand": "00c0FFee", "num": "3", "realm": "r", "targetname": "t"});
    let values = json!({"call_id": "i", "cseq": "1", "method": "INVITE", "from_uri": "sip:a@b", "from_tag": "f",
        "to_uri": "sip:c@d", "to_tag": "", "pai_sip": "", "pai_tel": "", "expires": "", "status": "200"});
    vec![
        ("hash_primitive", json!({"algorithm": "hmac-sha256", "data_hex": "00ff", "key_hex": "01"})),
        ("hash_primitive", json!({"algorithm": "crc32", "data_hex": ""})),
        ("ntlm_flags", json!({"names": ["128", "KEY_EXCH"]})),
        ("ntowfv1", json!({"password": "Password"})),
        ("lmowfv1", json!({"password": "Password"})),
        ("ntowfv2", json!({"password": "Password", "user": "User", "domain": "Domain"})),
        (
            "ntlmv1_response",
            json!({"nt_hash": "a4", "lm_hash": "e5", "server_challenge": "01", "client_challenge": "aa", "flags": 1}),
        ),
        (
            "ntlmv2_response",
            json!({"response_key": "0c", "server_challenge": "01", "client_challenge": "aa", "time": "00",
                "target_info": "0200"}),
        ),
        (
            "kxkey_v1",
            json!({"flags": 2_u32, "session_base_key": "d8", "lm_response": "98", "server_challenge": "01",
                "lm_hash": "e5"}),
        ),
        ("rc4k", json!({"key": "8d", "data": "55"})),
        ("signkey", json!({"flags": u32::MAX, "exported_session_key": "55", "mode": "client"})),
        ("sealkey", json!({"flags": 0, "exported_session_key": "eb", "mode": "server", "ntlm_revision": 15})),
        ("sealkey", json!({"flags": 0, "exported_session_key": "eb", "mode": "server"})),
        ("datagram_rekey", json!({"seal_key": "20", "seq": u32::MAX})),
        ("mac", mac()),
        (
            "mac",
            json!({"extended_session_security": false, "key_exchange": true, "datagram": true, "seal_key": "83",
                "sign_key": null, "seq": 100, "messages": [], "random_pad": "00000000", "seal": true}),
        ),
        (
            "mac_verify",
            json!({"extended_session_security": false, "key_exchange": true, "datagram": true, "seal_key": "2f",
                "sign_key": null, "seq": 100, "message": "<NTLM>", "signature": "0100"}),
        ),
        (
            "sip_ntlm_verify",
            json!({"messages": ["m"], "signer": "client", "version": 4, "scheme": "NTLM", "realm": "r",
                "targetname": "t", "extended_session_security": true, "key_exchange": true, "sign_key": "01",
                "seal_key": "02"}),
        ),
        ("referred_by", json!({"header": "<sip:a@b>"})),
        ("replay_window", json!({"numbers": [1, u32::MAX]})),
        ("auth_write", json!({"scheme": "ntlm", "params": [["realm", "r"], ["version", "4"]]})),
        ("av_pairs", json!({"pairs": [["NbDomainName", "LYNC"], ["EOL", ""]]})),
        (
            "ntlm_message",
            json!({"type": "negotiate", "payload_order": [], "fields": {"flags": 7, "domain": "", "workstation": "",
                "version": "06", "zero_descriptors": ["domain", "workstation"]}}),
        ),
        (
            "ntlm_message",
            json!({"type": "challenge", "payload_order": ["target_name"], "fields": {"flags": 7, "target_name": "S",
                "server_challenge": "01", "target_info": "", "version": "06"}}),
        ),
        (
            "ntlm_message",
            json!({"type": "authenticate", "payload_order": ["user"], "fields": {"flags": 7, "domain": "D",
                "user": "U", "workstation": "W", "lm_response": "98", "nt_response": "67",
                "encrypted_session_key": "", "version": "05", "mic": "00"}}),
        ),
        (
            "ntlm_exchange",
            json!({"datagram": false, "password": "Pa$$word", "negotiate": "4e", "challenge": "4e",
                "authenticate": "4e", "signed": [{"side": "server", "seq": 0, "text": "<NTLM>"}]}),
        ),
        ("ntlm_proof", json!({"password": "Pa$$word", "challenge": "4e", "authenticate": "4e"})),
        ("ntlm_keyless", json!({"tokens": ["01", "02"], "crc32": [706_951_026], "buffer_lengths": [202]})),
        (
            "ntlm_auth_mic",
            json!({"exported_session_key": "04", "negotiate": "4e", "challenge": "4e", "authenticate_mic_zeroed": "4e"}),
        ),
        (
            "sip_ntlm_sign",
            json!({"message": "SIP/2.0 200 OK\r\n\r\n", "version": 4, "context": context,
                "extended_session_security": true, "key_exchange": true, "sign_key": "ea", "seal_key": "83",
                "signature_in_message": false}),
        ),
        ("sip_message", json!({"message": "SIP/2.0 200 OK\r\n\r\n"})),
        (
            "sip_buffer",
            json!({"message": "SIP/2.0 200 OK\r\n\r\n", "context": context, "values": values,
                "context_in_message": true}),
        ),
        ("auth_header", json!({"header": "NTLM qop=\"auth\""})),
        ("epid_uuid", json!({"epid": "01010101"})),
        ("uuid_gruu", json!({"uuid": "e0de506b-a705-59cc-9bfa-d37593141231"})),
        ("sipe_epid", json!({"self_uri": "sip:a@b", "hostname": "h", "ip": "2001:db8::1"})),
        ("base16", json!({"text": "a_b_"})),
        ("base64", json!({"text": "YIIC"})),
        ("digest", digest()),
        (
            "digest",
            json!({"username": "u", "realm": "r", "password": "p", "nonce": "n", "method": "BYE", "uri": "sip:x",
                "algorithm": "sha-256-sess", "qop": "auth-int", "nc": "00000001", "cnonce": "c", "body_hex": "0d0a",
                "want_rspauth": true, "rsp_body_hex": "", "userhash_of": "v"}),
        ),
        (
            "digest_mismatch",
            json!({"username": "u", "realm": "r", "password": "p", "nonce": "n", "method": "BYE", "uri": "sip:x",
                "algorithm": "MD5", "qop": "auth", "nc": "00000001", "cnonce": "c", "claimed_response": "5ae0"}),
        ),
        ("tls_records", json!({"gssapi_data": "FgMB"})),
        (
            "tlsdsk_keys",
            json!({"prf": "tls1", "client_random": "c0", "server_random": "50", "master_secret": "01"}),
        ),
        (
            "tlsdsk_keys",
            json!({"prf": "tls12-sha256", "client_random": "c0", "server_random": "50", "master_secret": "01",
                "pre_master_secret": "03", "extended_master_secret": true, "session_hash": "5e"}),
        ),
        (
            "tls_prf",
            json!({"prf": "tls12-sha384", "secret": "01", "label": "test", "seed": "02", "length": 100}),
        ),
        ("tls_prf", json!({"prf": "tls1", "secret": "", "label_hex": "00ff", "seed": "", "length": 0})),
        ("tlsdsk_sign", json!({"hmac": "sha384", "key": "a0", "buffer": "<TLS-DSK>"})),
        (
            "tlsdsk_sign",
            json!({"hmac": "md5", "key": "a0", "message": "SIP/2.0 200 OK\r\n\r\n", "version": 4, "context": context,
                "keys_from": "keys-sipe-aes128-sha"}),
        ),
        (
            "tlsdsk_transcript",
            json!({"flights": ["FgMB", ""], "prf": "tls1", "extended_master_secret": false, "server_modulus": "9a",
                "server_private_exponent": "22", "client_modulus": "de"}),
        ),
        ("nfold", json!({"data": "6b", "length": 16})),
        (
            "krb_string_to_key_aes",
            json!({"enctype": 17, "password": "password", "salt_hex": "41", "iterations": 1200}),
        ),
        ("krb_string_to_key_rc4", json!({"password": "password"})),
        ("aes_cts", json!({"key": "63", "data": "49"})),
        ("krb_dk", json!({"enctype": 18, "key": "fe", "constant": "0000001799"})),
        (
            "gss_mic",
            json!({"enctype": 18, "key": "00", "sender": "initiator", "acceptor_subkey": false, "seq": u64::MAX,
                "message": "m", "buffer_of": {"message": "m", "version": 4, "context": context}}),
        ),
        (
            "gss_mic",
            json!({"enctype": 1, "key": "01", "sender": "acceptor", "acceptor_subkey": true, "seq": 0,
                "message_hex": ""}),
        ),
        ("gss_mic_parse", json!({"token": "0404"})),
        (
            "gss_mic_verify",
            json!({"enctype": 23, "key": "00", "message": "m", "sender": "acceptor", "token": "60"}),
        ),
        ("krb_ap_req", json!({"enctype": 18, "service_password": "p", "service_salt": "s", "token": "60"})),
        ("krb_ap_rep", json!({"enctype": 3, "session_key": "1d", "token": "60"})),
    ]
}

fn digest() -> Value {
    json!({"username": "u", "realm": "r", "password": "p", "nonce": "n", "method": "BYE", "uri": "sip:x",
        "algorithm": "MD5"})
}

fn mac() -> Value {
    json!({"extended_session_security": true, "key_exchange": false, "datagram": false, "seal_key": "59",
        "sign_key": "47", "seq": 0, "messages": [{"hex": "5000"}, {"text": "5000"}]})
}

#[test]
fn every_typed_operation_comes_back_as_it_went() {
    for (op, inputs) in samples() {
        let json = json!({"op": op, "inputs": inputs});
        let operation: Operation = serde_json::from_value(json.clone()).expect(op);
        assert_eq!(operation.name(), op);
        assert_eq!(serde_json::to_value(&operation).expect(op), json);
    }
}

#[test]
fn every_typed_operation_has_a_sample() {
    let typed = Operation::NAMES.iter().copied();
    let sampled: BTreeSet<_> = samples().iter().map(|(op, _)| *op).collect();
    assert_eq!(typed.collect::<BTreeSet<_>>(), sampled);
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<_> = Operation::NAMES.iter().collect();
    assert_eq!(names.len(), Operation::NAMES.len());
}

#[test]
fn upper_case_octets_are_written_in_lower_case() {
    let operation = Operation::from_parts("rc4k", &json!({"key": "8D", "data": "aB"})).expect("octets");
    let inputs = inputs::Rc4k { key: Hex(vec![0x8d]), data: Hex(vec![0xab]) };
    assert_eq!(operation, Operation::Rc4k(inputs));
    assert_eq!(serde_json::to_value(&operation).expect("json")["inputs"], json!({"key": "8d", "data": "ab"}));
}

fn error(op: &str, inputs: &Value) -> String {
    Operation::from_parts(op, inputs).expect_err("refused").to_string()
}

#[test]
fn an_unknown_operation_is_named() {
    assert_eq!(error("ntowfv3", &json!({})), "op: unknown operation \"ntowfv3\"");
}

#[test]
fn a_wrong_input_is_named_with_its_value() {
    let mut inputs = mac();
    inputs["messages"][1] = json!({"hex": "0g"});
    assert_eq!(error("mac", &inputs), "inputs.messages[1].hex: invalid hex \"0g\"");
    assert_eq!(error("tls_prf", &json!(7)), "inputs: expected an object, got 7");
    let inputs = json!({"enctype": 16, "key": "", "constant": ""});
    assert_eq!(error("krb_dk", &inputs), "inputs.enctype: unknown encryption type 16");
}

#[test]
fn a_missing_and_an_unknown_input_are_named() {
    assert_eq!(error("rc4k", &json!({"key": "00"})), "inputs: missing field `data`");
    assert_eq!(
        error("rc4k", &json!({"key": "00", "data": "", "seed": 1})),
        "inputs: unknown field `seed`, expected `key` or `data`"
    );
}

#[test]
fn a_wrong_input_of_digest_is_named() {
    let with = |name: &str, value: Value| {
        let mut inputs = digest();
        inputs[name] = value;
        inputs
    };
    assert!(
        error("digest", &with("qop", json!("auth-conf")))
            .starts_with("inputs.qop: unknown variant `auth-conf`")
    );
    assert_eq!(error("digest", &with("body_hex", json!("0g"))), "inputs.body_hex: invalid hex \"0g\"");
    assert!(
        error("digest", &with("nonce_count", json!(1))).starts_with("inputs: unknown field `nonce_count`")
    );
    assert_eq!(error("digest_mismatch", &digest()), "inputs: missing field `claimed_response`");
}

#[test]
fn the_fields_of_an_ntlm_message_are_those_of_its_type() {
    let fields =
        json!({"flags": 1, "target_name": "", "server_challenge": "0g", "target_info": "", "version": ""});
    let inputs = |kind: &str| json!({"type": kind, "payload_order": [], "fields": fields});
    assert_eq!(
        error("ntlm_message", &inputs("challenge")),
        "inputs: fields.server_challenge: invalid hex \"0g\""
    );
    assert!(error("ntlm_message", &inputs("negotiate")).starts_with("inputs: fields: unknown field"));
    assert!(error("ntlm_message", &inputs("other")).starts_with("inputs.type: unknown variant `other`"));
}

#[test]
fn a_label_is_text_or_octets_and_never_both() {
    let inputs = |labels: Value| {
        let mut inputs = json!({"prf": "tls1", "secret": "", "seed": "", "length": 1});
        inputs.as_object_mut().expect("an object").extend(labels.as_object().expect("an object").clone());
        inputs
    };
    let problem = "inputs: expected either `label` or `label_hex`";
    assert_eq!(error("tls_prf", &inputs(json!({}))), problem);
    assert_eq!(error("tls_prf", &inputs(json!({"label": "a", "label_hex": "61"}))), problem);
    assert_eq!(error("tls_prf", &inputs(json!({"label_hex": "0g"}))), "inputs.label_hex: invalid hex \"0g\"");
    assert!(error("tls_prf", &inputs(json!({"lable": "a"}))).starts_with("inputs: unknown field `lable`"));
}

#[test]
fn a_tls_dsk_signature_is_of_a_buffer_or_of_a_message() {
    let problem = "inputs: expected either `buffer`, or `message`, `version` and `context`";
    for inputs in [
        json!({"hmac": "md5", "key": "00"}),
        json!({"hmac": "md5", "key": "00", "message": "m", "version": 4}),
        json!({"hmac": "md5", "key": "00", "buffer": "b", "message": "m"}),
    ] {
        assert_eq!(error("tlsdsk_sign", &inputs), problem);
    }
    let inputs = json!({"hmac": "sha512", "key": "00", "buffer": ""});
    assert!(error("tlsdsk_sign", &inputs).starts_with("inputs.hmac: unknown variant `sha512`"));
}
