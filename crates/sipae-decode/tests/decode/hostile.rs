//! Whatever octets come in: an answer, never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sipae_decode::material::{Material, NtlmKey, TlsKeys};
use sipae_decode::{decode, json_lines, render};

use crate::captures::{CLIENT, INVITE, pcap, pcapng, tcp};
use crate::conversation::exchange;
use crate::vectors::wrapped;

fn material() -> Material {
    Material {
        password: Some("secret".to_owned()),
        ntlm_client: Some(NtlmKey::new(Some([1; 16]), &[2; 16]).expect("keys")),
        tls: TlsKeys::read(Some("01"), Some("02")).expect("keys"),
        ..Material::default()
    }
}

/// Explains and writes in both forms; errors are answers.
fn explain(octets: &[u8]) {
    if let Ok(decoded) = decode(octets, &material()) {
        let text = render::text(&decoded);
        let json = json_lines(&decoded).expect("JSON");
        for shown in [text, json] {
            assert!(!shown.chars().any(|character| character.is_control() && character != '\n'), "{shown:?}");
        }
    }
}

/// Octets with some overwritten, or cut.
fn mutated(octets: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<Index>(), any::<u8>()), 0..12);
    (Just(octets), edits, any::<Index>(), any::<bool>()).prop_map(|(mut octets, edits, end, cuts)| {
        for (place, octet) in edits {
            let place = place.index(octets.len());
            octets[place] = octet;
        }
        if cuts {
            octets.truncate(end.index(octets.len() + 1));
        }
        octets
    })
}

fn packets() -> Vec<Vec<u8>> {
    let octets = INVITE.as_bytes();
    vec![tcp(CLIENT, 1, &octets[..30]), tcp(CLIENT, 31, &octets[30..]), tcp(CLIENT, 20, octets)]
}

/// A field with a token of these octets.
fn with_token(scheme: &str, token: &[u8]) -> String {
    let token = sipae::encoding::encode_base64(token);
    wrapped(&format!("{scheme} realm=\"r\", targetname=\"t\", opaque=\"1\", gssapi-data=\"{token}\""))
}

fn token() -> impl Strategy<Value = Vec<u8>> {
    let begin = prop::sample::select(vec![
        &b"NTLMSSP\0\x02\0\0\0"[..],
        b"NTLMSSP\0\x03\0\0\0",
        b"NTLMSSP\0\x01\0\0\0",
        b"\x60\x20\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00\x6e\x10",
        b"\x16\x03\x01\x00\x20\x01\x00\x00\x1c",
        b"",
    ]);
    (begin, vec(any::<u8>(), 0..200)).prop_map(|(begin, rest)| [begin, &rest].concat())
}

proptest! {
    #[test]
    fn any_octets_as_text(octets in vec(any::<u8>(), 0..600)) {
        explain(&octets);
    }

    #[test]
    fn a_conversation_with_edits(octets in mutated(exchange().into_bytes())) {
        explain(&octets);
    }

    #[test]
    fn any_octets_in_a_capture(octets in vec(any::<u8>(), 0..600), link_type in 0..280u32) {
        let file = pcap(link_type, std::slice::from_ref(&octets));
        explain(&file);
        explain(&[&file[..24], &octets].concat());
    }

    #[test]
    fn a_capture_with_edits(octets in mutated(pcap(1, &packets()))) {
        explain(&octets);
    }

    #[test]
    fn a_pcapng_capture_with_edits(
        little in mutated(pcapng(u32::to_le_bytes, 1, &packets())),
        big in mutated(pcapng(u32::to_be_bytes, 1, &packets())),
    ) {
        explain(&little);
        explain(&big);
    }

    #[test]
    fn any_octets_behind_the_magic_number_of_pcapng(octets in vec(any::<u8>(), 0..300)) {
        explain(&[&[0x0A, 0x0D, 0x0D, 0x0A], &octets[..]].concat());
    }

    #[test]
    fn any_token_and_any_signature(token in token(), signature in vec(any::<u8>(), 0..60)) {
        let digits = sipae::encoding::encode_base16(&signature);
        for scheme in ["NTLM", "Kerberos", "TLS-DSK"] {
            explain(with_token(scheme, &token).as_bytes());
            explain(wrapped(&format!("{scheme} crand=\"1\", cnum=\"1\", response=\"{digits}\"")).as_bytes());
            explain(wrapped(&format!("{scheme} srand=\"1\", snum=\"1\", rspauth=\"{digits}\"")).as_bytes());
        }
    }
}
