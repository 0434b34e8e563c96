//! Strict Base16 and Base64.

use sipae::encoding::{decode_base16, decode_base64, encode_base16, encode_base16_upper};
use sipae_vectors::{Answer, inputs};

pub(super) fn base16(inputs: &inputs::Base16) -> Answer {
    let decoded = decode_base16(inputs.text.as_bytes());
    let answer = Answer::new().hex_or_null("decoded", decoded.as_deref());
    match decoded {
        None => answer,
        Some(octets) => answer
            .text("canonical_lower", encode_base16(&octets))
            .text("canonical_upper", encode_base16_upper(&octets)),
    }
}

pub(super) fn base64(inputs: &inputs::Base64) -> Answer {
    Answer::new().hex_or_null("decoded", decode_base64(inputs.text.as_bytes()).as_deref())
}
