//! `response` and `rspauth`, decoded.

use sipae::auth::{AuthHeader, Scheme};
use sipae::ntlm::{SEQUENCE_NUMBER, SIGNATURE_LENGTH};
use sipae::side::Side;

use super::kerberos;
use crate::model::{Decoding, Part};
use crate::octets::{array, slice};

/// The signature of a field; what is no hexadecimal is a finding.
pub(super) fn decode(header: &AuthHeader<'_>, signer: Side) -> Option<Decoding> {
    let octets = header.signature(signer.signature()).ok().flatten()?;
    Some(match header.scheme() {
        Some(Scheme::Ntlm) => ntlm(&octets),
        Some(Scheme::Kerberos) => {
            kerberos::mic(&octets, signer).unwrap_or_else(|| Decoding::unknown(&octets))
        }
        Some(Scheme::TlsDsk) => tls(&octets),
        _ => Decoding::unknown(&octets),
    })
}

/// [MS-NLMP] 2.2.2.9: which of the two forms it has is told by the sequence number, which one form encrypts.
fn ntlm(octets: &[u8]) -> Decoding {
    if octets.len() != SIGNATURE_LENGTH {
        let remark = format!("an NTLM signature has {SIGNATURE_LENGTH} octets");
        return Decoding::unknown(octets).remark(Some(remark));
    }
    let word = |offset| array(octets, offset).map_or(0, u32::from_le_bytes);
    let version = Part::new("version", word(0).to_string(), 0, 4);
    let is_plain = word(12) == SEQUENCE_NUMBER;
    let odd = (word(0) != 1).then(|| "the version of a signature is 1".to_owned());
    let decoding = if is_plain {
        Decoding::new("NTLM signature with extended session security (HMAC-MD5)", octets).with(vec![
            version,
            Part::octets("checksum", slice(octets, 4, 12), 4),
            Part::new("sequence number", word(12).to_string(), 12, 4),
        ])
    } else {
        Decoding::new("NTLM signature, read as one without extended session security (CRC-32)", octets)
            .with(vec![
                version,
                Part::octets("random pad", slice(octets, 4, 8), 4),
                Part::octets("checksum, encrypted", slice(octets, 8, 12), 8),
                Part::octets("sequence number, encrypted", slice(octets, 12, 16), 12),
            ])
            .remark(Some(format!(
                "the last word is not {SEQUENCE_NUMBER}: encrypted, or another sequence number"
            )))
    };
    decoding.remark(odd)
}

fn tls(octets: &[u8]) -> Decoding {
    match hash_name(octets.len()) {
        Some(hash) => Decoding::new(format!("HMAC-{hash} of TLS-DSK"), octets)
            .with(vec![Part::octets("checksum", octets, 0)]),
        None => {
            Decoding::unknown(octets).remark(Some("its length is that of no hash function of TLS".to_owned()))
        }
    }
}

/// The hash function of TLS with a checksum of this length.
const fn hash_name(length: usize) -> Option<&'static str> {
    match length {
        16 => Some("MD5"),
        20 => Some("SHA-1"),
        32 => Some("SHA-256"),
        48 => Some("SHA-384"),
        _ => None,
    }
}
