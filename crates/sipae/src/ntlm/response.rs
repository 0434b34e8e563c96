//! Password hashes and responses ([MS-NLMP] 3.3).

use subtle::ConstantTimeEq;

use super::crypto::{des_pair, desl, hmac_md5, md4, md5};
use super::wire::utf16;
use super::{AvPairs, NegotiateFlags};
use crate::octets::slice;

/// Octets of the fixed part of the NTLMv2 blob, before its AV pairs.
pub(super) const NTLMV2_BLOB: usize = 28;

/// NTOWFv1: MD4 of the password in UTF-16LE.
#[must_use]
pub fn ntowfv1(password: &str) -> [u8; 16] {
    md4(&utf16(password))
}

/// LMOWFv1: the first 14 characters, in upper case. Characters outside Latin-1 read as `?`, as OEM code pages do.
#[must_use]
pub fn lmowfv1(password: &str) -> [u8; 16] {
    let mut key = [0; 14];
    for (octet, character) in key.iter_mut().zip(upper_case(password).chars()) {
        *octet = u8::try_from(u32::from(character)).unwrap_or(b'?');
    }
    des_pair(key, *b"KGS!@#$%", *b"KGS!@#$%")
}

/// NTOWFv2: keyed by NTOWFv1, over the upper-case user name and the domain as sent.
#[must_use]
pub fn ntowfv2(nt_hash: &[u8; 16], user: &str, domain: &str) -> [u8; 16] {
    hmac_md5(nt_hash, &[&utf16(&upper_case(user)), &utf16(domain)])
}

/// Upper case character by character, as Windows does: a character that would become two stays as it is.
#[must_use]
pub fn upper_case(text: &str) -> String {
    let upper = |character: char| {
        let mut mapped = character.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(single), None) => single,
            _ => character,
        }
    };
    text.chars().map(upper).collect()
}

/// The responses of NTLMv1 ([MS-NLMP] 3.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseV1 {
    /// LmChallengeResponse.
    pub lm_response: [u8; 24],
    /// NtChallengeResponse.
    pub nt_response: [u8; 24],
    /// SessionBaseKey.
    pub session_base_key: [u8; 16],
}

impl ResponseV1 {
    /// Computes the responses; with extended session security the client challenge goes in.
    #[must_use]
    pub fn new(
        nt_hash: &[u8; 16],
        lm_hash: &[u8; 16],
        server_challenge: [u8; 8],
        client_challenge: [u8; 8],
        flags: NegotiateFlags,
    ) -> Self {
        let session_base_key = md4(nt_hash);
        if !flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
            let lm_response = desl(*lm_hash, server_challenge);
            return Self { lm_response, nt_response: desl(*nt_hash, server_challenge), session_base_key };
        }
        let mut lm_response = [0; 24];
        for (octet, value) in lm_response.iter_mut().zip(client_challenge) {
            *octet = value;
        }
        let digest = md5(&[&server_challenge, &client_challenge]);
        let block = digest.first_chunk::<8>().copied().unwrap_or_default();
        Self { lm_response, nt_response: desl(*nt_hash, block), session_base_key }
    }
}

/// The responses of NTLMv2 ([MS-NLMP] 3.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseV2 {
    /// LmChallengeResponse: LMv2.
    pub lm_response: [u8; 24],
    /// NTProofStr.
    pub nt_proof: [u8; 16],
    /// NtChallengeResponse: NTProofStr and blob.
    pub nt_response: Vec<u8>,
    /// SessionBaseKey, which is the key exchange key as well.
    pub session_base_key: [u8; 16],
}

impl ResponseV2 {
    /// Computes the responses. `key` is NTOWFv2, `time` a FILETIME.
    #[must_use]
    pub fn new(
        key: &[u8; 16],
        server_challenge: [u8; 8],
        client_challenge: [u8; 8],
        time: [u8; 8],
        target_info: &[u8],
    ) -> Self {
        let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
        blob.extend_from_slice(&time);
        blob.extend_from_slice(&client_challenge);
        blob.extend_from_slice(&[0; 4]);
        blob.extend_from_slice(target_info);
        blob.extend_from_slice(&[0; 4]);
        let nt_proof = hmac_md5(key, &[&server_challenge, &blob]);
        let nt_response = [&nt_proof[..], &blob].concat();
        let lm_response = lmv2_response(key, server_challenge, client_challenge);
        Self { lm_response, nt_proof, nt_response, session_base_key: hmac_md5(key, &[&nt_proof]) }
    }

    /// The session base key, if the response proves the knowledge of `key`.
    #[must_use]
    pub fn verify(key: &[u8; 16], server_challenge: [u8; 8], nt_response: &[u8]) -> Option<[u8; 16]> {
        let (proof, blob) = nt_response.split_first_chunk::<16>()?;
        let expected = hmac_md5(key, &[&server_challenge, blob]);
        let proves = NTLMV2_BLOB <= blob.len() && bool::from(expected.ct_eq(proof));
        proves.then(|| hmac_md5(key, &[proof]))
    }
}

/// LMv2: proof of the client challenge, and the client challenge.
#[must_use]
pub fn lmv2_response(key: &[u8; 16], server_challenge: [u8; 8], client_challenge: [u8; 8]) -> [u8; 24] {
    let proof = hmac_md5(key, &[&server_challenge, &client_challenge]);
    let mut response = [0; 24];
    for (octet, value) in response.iter_mut().zip(proof.into_iter().chain(client_challenge)) {
        *octet = value;
    }
    response
}

/// The AV pairs inside an NTLMv2 response.
pub(super) fn blob_av_pairs(nt_response: &[u8]) -> Option<AvPairs> {
    AvPairs::read(slice(nt_response, 16 + NTLMV2_BLOB, nt_response.len())).ok()
}

/// KXKEY for NTLMv1 ([MS-NLMP] 3.4.5.1).
#[must_use]
pub fn key_exchange_key_v1(
    flags: NegotiateFlags,
    session_base_key: &[u8; 16],
    lm_response: &[u8; 24],
    server_challenge: [u8; 8],
    lm_hash: &[u8; 16],
) -> [u8; 16] {
    let first = lm_response.first_chunk::<8>().copied().unwrap_or_default();
    let [l0, l1, l2, l3, l4, l5, l6, l7, ..] = *lm_hash;
    if flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
        hmac_md5(session_base_key, &[&server_challenge, &first])
    } else if flags.contains(NegotiateFlags::LM_KEY) {
        let fill = 0xBD;
        let key = [l0, l1, l2, l3, l4, l5, l6, l7, fill, fill, fill, fill, fill, fill];
        des_pair(key, first, first)
    } else if flags.contains(NegotiateFlags::REQUEST_NON_NT_SESSION_KEY) {
        [l0, l1, l2, l3, l4, l5, l6, l7, 0, 0, 0, 0, 0, 0, 0, 0]
    } else {
        *session_base_key
    }
}

/// MIC over the messages of an exchange, that of the last one counted as zeros ([MS-NLMP] 3.1.5.1.2, 3.1.5.2.1).
#[must_use]
pub fn message_integrity_code(exported: &[u8; 16], before: &[&[u8]], authenticate: &[u8]) -> [u8; 16] {
    hmac_md5(exported, &[before, &[authenticate]].concat())
}
