//! 3.2.4.1: what signatures look like, seen in those of a server.

use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::encoding::decode_base16;
use sipae::message::HeaderName;

use super::handshake;
use crate::case::Case;
use crate::judge::Judge;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "3.2.4.1/kerberos-token",
            "a signature of Kerberos is a token of GSS_GetMIC: 28 octets with AES, 37 with RC4",
            &["SIPAE-3.2.4.1-28"],
        )
        .with(&[Scheme::Kerberos])
        .plan(handshake)
        .judge(|judge| signature(judge, "SIPAE-3.2.4.1-28", "a token of GSS_GetMIC", is_token)),
        Case::new(
            "3.2.4.1/whole-hmac",
            "a signature of TLS-DSK is a whole HMAC: 16, 20, 32 or 48 octets",
            &["SIPAE-3.2.4.1-29"],
        )
        .with(&[Scheme::TlsDsk])
        .plan(handshake)
        .judge(|judge| signature(judge, "SIPAE-3.2.4.1-29", "a whole HMAC", is_hmac)),
    ]
}

fn signature(judge: &mut Judge<'_>, row: &'static str, what: &str, is_right: fn(&[u8]) -> bool) {
    let rspauth = judge.observation().answer("last", |answer| {
        let lines = HeaderName::SIGNATURES.into_iter().flat_map(|name| answer.all(name));
        lines.map(AuthHeader::read).find_map(|line| Some(line.get(AuthParam::Rspauth)?.raw().to_vec()))
    });
    let Some(rspauth) = rspauth.flatten() else {
        return judge.undecide("the handshake has no signed answer".to_owned());
    };
    let octets = decode_base16(&rspauth).unwrap_or_default();
    let holds = if is_right(&octets) { Ok(()) } else { Err(String::from_utf8_lossy(&rspauth).into_owned()) };
    judge.check(row, what, holds);
}

/// RFC 4121 4.2.6.1, or RFC 1964 1.2.1 behind the header of RFC 2743.
fn is_token(octets: &[u8]) -> bool {
    const MIC: &[u8] = &[0x04, 0x04];
    const HEADER: &[u8] = &[0x60, 0x23];
    octets.len() == 28 && octets.starts_with(MIC) || octets.len() == 37 && octets.starts_with(HEADER)
}

/// MD5, SHA-1, SHA-256, SHA-384.
fn is_hmac(octets: &[u8]) -> bool {
    matches!(octets.len(), 16 | 20 | 32 | 48)
}
