//! What planted bugs make of an anonymous client ([`crate::defects`]). Without the feature nothing here does anything.

use super::{AnonymousClient, Attempt, Outstanding, Scene};
use crate::auth::{AuthHeader, AuthParam, ChallengeKind, Scheme};
use crate::defects::{Defect, Defects};
use crate::digest::{DigestChallenge, DigestError, Qop};
use crate::draft::Draft;
use crate::message::{HeaderName, Message};

/// Whether a scheme that signs is begun.
pub(super) fn joins_by_ntlm(defects: Defects, message: &Message<'_>, kind: ChallengeKind) -> bool {
    let mut lines = message.all(kind.challenge()).map(AuthHeader::read);
    defects.has(Defect::JoinsByNtlm) && lines.any(|line| line.scheme() == Some(Scheme::Ntlm))
}

/// What a challenge line says.
pub(super) fn challenge(defects: Defects, header: &AuthHeader<'_>) -> Result<DigestChallenge, DigestError> {
    let text = |param| header.get(param).map(|value| value.unfolded().into_owned());
    match DigestChallenge::of(header) {
        Err(DigestError::UnknownAlgorithm) if defects.has(Defect::TakesUnknownAlgorithm) => {
            Ok(DigestChallenge {
                realm: text(AuthParam::Realm).unwrap_or_default(),
                nonce: text(AuthParam::Nonce).unwrap_or_default(),
                opaque: text(AuthParam::Opaque),
                qop: Some(vec![Qop::Auth]),
                ..DigestChallenge::default()
            })
        }
        read => read,
    }
}

/// The count of the next credential.
pub(super) fn next_count(defects: Defects, count: u32) -> u32 {
    if 0 < count && defects.has(Defect::NonceCountStays) { count } else { count.saturating_add(1) }
}

/// What of a challenge is answered, by the first request or by a later one.
pub(super) fn answered(defects: Defects, challenge: &DigestChallenge, is_later: bool) -> DigestChallenge {
    let mut challenge = challenge.clone();
    challenge.algorithm = challenge.algorithm.filter(|_| !defects.has(Defect::AnswersByMd5));
    challenge.opaque = challenge.opaque.filter(|_| !defects.has(Defect::DropsDigestOpaque));
    if defects.has(Defect::OtherDigestRealm) {
        challenge.realm = b"anonymous".to_vec();
    }
    if is_later && defects.has(Defect::ForgetsNonce) {
        challenge.nonce = b"0".to_vec();
    }
    challenge
}

/// For which method and URI.
pub(super) fn request_line<'a>(defects: Defects, method: &'a [u8], uri: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let method = if defects.has(Defect::MistakesDigestMethod) { b"REGISTER" } else { method };
    let short = uri.split(|octet| *octet == b';').next().filter(|_| defects.has(Defect::ShortDigestUri));
    (method, short.unwrap_or(uri))
}

impl AnonymousClient {
    pub(super) fn send_by_ntlm(&mut self, scene: &mut Scene<'_>, method: &str, mut draft: Draft) {
        self.cseq = self.cseq.saturating_add(1);
        draft.set(HeaderName::CSeq, format!("{} {method}", self.cseq));
        draft.push(HeaderName::Authorization, "NTLM qop=\"auth\", gssapi-data=\"\"");
        scene.send(&draft);
        let outstanding = Outstanding { method: method.to_owned(), draft, attempt: Attempt::Answered };
        self.outstanding.insert(self.cseq, outstanding);
    }
}
