//! The results that an operation has.
//!
//! A vector that expects another one can never pass, and one that expects octets which are none neither: both are
//! mistakes in the file, not in whoever computes.

use crate::answer::Expected;
use crate::compare;
use crate::error::InputError;

/// Names of the results by operation, both in order; the same as in `vectors/schema.json`.
const RESULTS: &[(&str, &[&str])] = &[
    ("aes_cts", &["output"]),
    ("auth_header", &["findings", "params", "scheme"]),
    ("auth_write", &["header"]),
    ("av_pairs", &["encoded"]),
    ("base16", &["canonical_lower", "canonical_upper", "decoded"]),
    ("base64", &["decoded"]),
    ("datagram_rekey", &["sealing_key_prime"]),
    ("digest", &["ha1", "ha2", "response", "rspauth", "userhash"]),
    ("digest_mismatch", &["matches"]),
    ("epid_uuid", &["uuid"]),
    ("gss_mic", &["token"]),
    (
        "gss_mic_parse",
        &["checksum", "filler_ok", "flags", "form", "seq", "sgn_alg", "snd_seq_encrypted", "token_id"],
    ),
    ("gss_mic_verify", &["valid"]),
    ("hash_primitive", &["digest", "mac", "output", "value_le"]),
    ("krb_ap_rep", &["ctime", "seq", "subkey", "subkey_type", "token_id"]),
    (
        "krb_ap_req",
        &[
            "authenticator_client",
            "checksum_type",
            "client",
            "client_realm",
            "ctime",
            "gss_flags",
            "mutual_required",
            "realm",
            "seq",
            "service_key",
            "session_key",
            "session_keytype",
            "sname",
            "subkey",
            "subkey_type",
            "ticket_etype",
            "token_id",
        ],
    ),
    ("krb_dk", &["derived"]),
    ("krb_string_to_key_aes", &["key", "pbkdf2"]),
    ("krb_string_to_key_rc4", &["key"]),
    ("kxkey_v1", &["key_exchange_key"]),
    ("lmowfv1", &["lm_hash"]),
    ("mac", &["sealed", "signatures"]),
    ("mac_verify", &["valid"]),
    ("nfold", &["output"]),
    ("ntlm_auth_mic", &["authenticate", "mic"]),
    (
        "ntlm_exchange",
        &[
            "client_seal_key",
            "client_sign_key",
            "exported_session_key",
            "nt_proof_ok",
            "response_key_nt",
            "server_seal_key",
            "server_sign_key",
            "session_base_key",
            "signatures",
        ],
    ),
    ("ntlm_flags", &["value", "wire_le"]),
    ("ntlm_keyless", &["keystream_word2", "tail"]),
    ("ntlm_message", &["base64", "message"]),
    ("ntlm_proof", &["valid"]),
    ("ntlmv1_response", &["key_exchange_key", "lm_response", "nt_response", "session_base_key"]),
    (
        "ntlmv2_response",
        &["key_exchange_key", "lm_response", "nt_proof_str", "nt_response", "session_base_key"],
    ),
    ("ntowfv1", &["nt_hash"]),
    ("ntowfv2", &["key"]),
    ("rc4k", &["output"]),
    ("referred_by", &["referee_uri", "uri"]),
    ("replay_window", &["accepted"]),
    ("sealkey", &["key"]),
    ("signkey", &["key"]),
    ("sip_buffer", &["buffers"]),
    (
        "sip_message",
        &[
            "auth",
            "call_id",
            "contact_gruu",
            "contact_instance",
            "contact_uri",
            "cseq_method",
            "cseq_number",
            "expires",
            "findings",
            "from_epid",
            "from_tag",
            "from_uri",
            "kind",
            "method",
            "reason",
            "request_uri",
            "sip_identity",
            "status",
            "tel_identity",
            "to_epid",
            "to_tag",
            "to_uri",
        ],
    ),
    ("sip_ntlm_sign", &["buffer", "signature"]),
    ("sip_ntlm_verify", &["outcomes"]),
    ("sipe_epid", &["epid"]),
    ("tls_prf", &["output"]),
    ("tls_records", &["handshake", "records"]),
    ("tlsdsk_keys", &["client_key", "key_material", "server_key"]),
    ("tlsdsk_sign", &["buffer", "signature"]),
    (
        "tlsdsk_transcript",
        &[
            "cipher_suite",
            "client_key",
            "client_random",
            "client_verify_data",
            "handshake_types",
            "key_material",
            "master_secret",
            "pre_master_secret",
            "server_key",
            "server_random",
            "server_verify_data",
        ],
    ),
    ("uuid_gruu", &["gruu_epid"]),
];

/// Whether an answer to this operation could be as expected.
pub(crate) fn check(op: &str, expected: &Expected) -> Result<(), InputError> {
    if expected.is_empty() {
        return Err(InputError::new("expected", "nothing is expected"));
    }
    for (name, value) in expected.iter() {
        known(op, name)?;
        compare::readable(name, value).map_err(|error| error.under("expected"))?;
    }
    Ok(())
}

fn known(op: &str, name: &str) -> Result<(), InputError> {
    let Some((_, names)) = RESULTS.iter().find(|(listed, _)| *listed == op) else { return Ok(()) };
    if names.contains(&name) {
        return Ok(());
    }
    let names = names.join(", ");
    Err(InputError::new("expected", format_args!("{op} has no result {name:?}, only {names}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::Operation;

    fn checked(op: &str, expected: Value) -> String {
        let expected: Expected = serde_json::from_value(expected).expect("an object");
        check(op, &expected).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn every_operation_has_results() {
        let named: BTreeSet<_> = RESULTS.iter().map(|(op, _)| *op).collect();
        let known: BTreeSet<_> = Operation::NAMES.iter().copied().collect();
        assert_eq!(named, known);
        assert_eq!(RESULTS.len(), known.len());
    }

    #[test]
    fn results_are_those_of_the_schema() {
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/schema.json");
        let schema = std::fs::read_to_string(schema).expect("the schema");
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        let rules = schema["$defs"]["vector"]["allOf"].as_array().expect("a rule for each operation");
        for rule in rules {
            let op = rule["if"]["properties"]["op"]["const"].as_str().expect("a name");
            let expected = &rule["then"]["properties"]["expected"];
            let forms = expected["oneOf"].as_array().into_iter().flatten().chain([expected]);
            let properties = forms.filter_map(|form| form["properties"].as_object());
            let names: BTreeSet<_> = properties.flat_map(|names| names.keys().map(String::as_str)).collect();
            let (_, listed) = RESULTS.iter().find(|(listed, _)| *listed == op).expect(op);
            assert_eq!(listed.to_vec(), Vec::from_iter(names), "{op}");
        }
        assert_eq!(rules.len(), RESULTS.len());
    }

    #[test]
    fn a_result_that_the_operation_does_not_have_is_named() {
        assert_eq!(
            checked("base16", json!({"decodedd": "00"})),
            "expected: base16 has no result \"decodedd\", only canonical_lower, canonical_upper, decoded"
        );
    }

    #[test]
    fn octets_that_are_none_are_named_with_their_place() {
        assert_eq!(checked("rc4k", json!({"output": "0g"})), "expected.output: invalid hex \"0g\"");
        assert_eq!(
            checked("mac", json!({"signatures": ["00", "0"]})),
            "expected.signatures[1]: invalid hex \"0\""
        );
    }

    #[test]
    fn text_and_refusals_are_no_octets() {
        assert_eq!(checked("base16", json!({"decoded": null})), "fine");
        assert_eq!(checked("sip_ntlm_sign", json!({"buffer": "<NTLM>", "signature": "0A"})), "fine");
    }
}
