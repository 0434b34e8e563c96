//! Challenges and credentials of anonymous clients ([MS-SIPAE] 3.3.5.4).

use super::{Refusal, Visit, digest_credential};
use crate::auth::ChallengeKind;
use crate::clock::Entropy;
use crate::defects::Defect;
use crate::digest::{Algorithm, DigestChallenge, DigestCredential, DigestError, Expectation, Issued, Qop};
use crate::message::{HeaderName, Message};
use crate::server::{Scene, Server, is_silent};

impl Server {
    /// 401 with a line for each algorithm, and nothing for ACK and CANCEL (SIPAE-3.3.5.4-01, SIPAE-3.3.5.5-03). A
    /// conference that does not exist is challenged as one that does.
    pub(super) fn challenge_by_digest(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        visit: &Visit<'_>,
        is_stale: bool,
    ) {
        let defects = self.config.defects;
        if is_silent(visit.method) && !defects.has(Defect::ChallengesAnonymousAck) {
            return;
        }
        let kind = ChallengeKind::Www;
        let mut draft = Self::respond_to(scene, message, kind.status());
        if !defects.has(Defect::DigestWithoutDate) {
            draft.push(HeaderName::Date, scene.now.date());
        }
        let issued = self.nonce(scene);
        for algorithm in self.algorithms(visit) {
            let challenge = self.digest_challenge(visit, algorithm, is_stale, &issued);
            draft.push(kind.challenge(), challenge.write());
        }
        scene.send(draft.close().to_octets());
    }

    fn nonce(&mut self, scene: &mut Scene<'_>) -> Issued {
        if self.config.defects.has(Defect::NonceRepeats)
            && let Some(first) = &self.focus.first
        {
            return first.clone();
        }
        let entropy: &mut dyn Entropy = scene.entropy;
        let issued = self.focus.nonces.issue(scene.now, entropy);
        self.focus.first.get_or_insert_with(|| issued.clone());
        issued
    }

    fn digest_challenge(
        &self,
        visit: &Visit<'_>,
        algorithm: Algorithm,
        is_stale: bool,
        issued: &Issued,
    ) -> DigestChallenge {
        DigestChallenge {
            realm: self.digest_realm(visit),
            domain: None,
            nonce: issued.nonce.clone(),
            opaque: Some(issued.opaque.clone()),
            stale: is_stale,
            algorithm: Some(algorithm),
            qop: self.digest_qop().map(<[Qop]>::to_vec),
        }
    }

    fn digest_qop(&self) -> Option<&'static [Qop]> {
        let has_qop = !self.config.defects.has(Defect::DigestWithoutQop);
        has_qop.then_some(&[Qop::Auth])
    }

    /// The address of the organizer, as the client writes it: what a conference that does not exist has, too.
    fn digest_realm(&self, visit: &Visit<'_>) -> Vec<u8> {
        if self.config.defects.has(Defect::DigestRealmOfServer) {
            return self.config.realm.clone();
        }
        visit.uri.organizer.to_vec()
    }

    /// A conference that does not exist offers what the first one offers.
    fn algorithms(&self, visit: &Visit<'_>) -> Vec<Algorithm> {
        if self.config.defects.has(Defect::OffersPlainMd5) {
            return vec![Algorithm::Md5];
        }
        let conference = self.conference(&visit.uri).or(self.config.conferences.first());
        conference.map(|conference| conference.algorithms.clone()).unwrap_or_default()
    }

    /// Password first, then the nonce: `stale` is said to those alone who know the password.
    pub(super) fn verify_digest(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        visit: &Visit<'_>,
    ) -> Result<(), Refusal> {
        let realm = self.digest_realm(visit);
        let credential = digest_credential(message, &realm).ok_or(Refusal::Bare)??;
        self.check_password(scene, message, visit, &realm, &credential)
            .map_err(|error| self.reworded(error))?;
        let accepted = self.focus.nonces.accept(&credential, &visit.holder(), scene.now);
        Ok(accepted.or_else(|error| self.tolerated(error))?)
    }

    fn check_password(
        &self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        visit: &Visit<'_>,
        realm: &[u8],
        credential: &DigestCredential,
    ) -> Result<(), DigestError> {
        // Nobody knows the password of what does not exist, and looking for it takes as long.
        let nobody = scene.entropy.octets::<32>();
        let conference = self.conference(&visit.uri);
        let address = [visit.user, b"@anonymous.invalid"].concat();
        let algorithms = self.algorithms(visit);
        let expectation = Expectation {
            realm,
            usernames: &[visit.uri.id, visit.user, &address],
            password: conference.map_or(nobody.as_slice(), |conference| conference.key.as_bytes()),
            algorithms: &algorithms,
            qop: self.digest_qop(),
            method: visit.method,
            uri: visit.target,
            body: message.body(),
        };
        expectation.check_offer(credential).or_else(|error| self.tolerated(error))?;
        expectation.check_request(credential).or_else(|error| self.tolerated(error))?;
        let of_invite = Expectation { method: b"INVITE", ..expectation };
        let checked = expectation.check_response(credential);
        let checked = checked.or_else(|error| match error {
            DigestError::Response if self.config.defects.has(Defect::IgnoresDigestMethod) => {
                of_invite.check_response(credential)
            }
            error => Err(error),
        });
        checked.or_else(|error| self.tolerated(error))
    }

    /// What a defective server lets pass.
    fn tolerated(&self, error: DigestError) -> Result<(), DigestError> {
        let defect = match error {
            DigestError::Response => Defect::AcceptsWrongDigest,
            DigestError::Replayed { .. } => Defect::AcceptsReplayedCount,
            DigestError::Realm => Defect::AcceptsAnyDigestRealm,
            DigestError::Uri => Defect::IgnoresDigestUri,
            DigestError::Holder => Defect::NonceForEverybody,
            DigestError::Expired => Defect::NonceNeverExpires,
            error => return Err(error),
        };
        if self.config.defects.has(defect) { Ok(()) } else { Err(error) }
    }

    /// What a defective server takes a wrong password for.
    fn reworded(&self, error: DigestError) -> DigestError {
        let is_stale = error == DigestError::Response && self.config.defects.has(Defect::WrongPinIsStale);
        if is_stale { DigestError::Expired } else { error }
    }
}
