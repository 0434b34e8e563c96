//! Base16 and Base64 as [MS-SIPAE] uses them: strict, without blanks.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// `gssapi-data`: RFC 4648 section 4 with padding and zero trailing bits ([MS-SIPAE] SIPAE-2.2-08).
#[must_use]
pub fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// `gssapi-data`: RFC 4648 section 4 with padding.
#[must_use]
pub fn encode_base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// GRUU: RFC 4648 section 5 without padding.
#[must_use]
pub fn encode_base64url(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// GRUU: RFC 4648 section 5 without padding.
#[must_use]
pub fn decode_base64url(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// `response` and `rspauth`: an even number of digits in either case ([MS-SIPAE] SIPAE-2.2-11).
#[must_use]
pub fn decode_base16(text: &[u8]) -> Option<Vec<u8>> {
    base16ct::mixed::decode_vec(text).ok()
}

/// Lower-case Base16, as clients and Lync servers write it.
#[must_use]
pub fn encode_base16(octets: &[u8]) -> String {
    base16ct::lower::encode_string(octets)
}

/// Upper-case Base16, as OCS servers write it.
#[must_use]
pub fn encode_base16_upper(octets: &[u8]) -> String {
    base16ct::upper::encode_string(octets)
}

/// Appends Base16 in either letter case.
pub(crate) fn write_base16(octets: &[u8], is_upper: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 2 * octets.len(), 0);
    let room = out.get_mut(start..).unwrap_or_default();
    for (pair, octet) in room.chunks_exact_mut(2).zip(octets) {
        pair.copy_from_slice(&digits(*octet, is_upper));
    }
}

/// The two digits of an octet.
pub(crate) fn digits(octet: u8, is_upper: bool) -> [u8; 2] {
    let digits = if is_upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    [octet >> 4, octet & 0xF].map(|number| digits.get(usize::from(number)).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_appended_as_they_are_encoded() {
        let octets: Vec<u8> = (0..=255).collect();
        for (is_upper, expected) in [(false, encode_base16(&octets)), (true, encode_base16_upper(&octets))] {
            let mut out = Vec::new();
            write_base16(&octets, is_upper, &mut out);
            assert_eq!(out, expected.as_bytes());
        }
    }
}
