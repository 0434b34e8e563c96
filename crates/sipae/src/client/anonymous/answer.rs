//! What an anonymous client makes of answers ([MS-SIPAE] 3.2.5.5, 3.2.5.6).

use super::careless;
use super::{
    AnonymousClient, AnonymousEvent, AnonymousOutput, Association, Attempt, Dialog, Outstanding, Scene,
};
use crate::auth::{AuthHeader, ChallengeKind, Scheme};
use crate::conference::ConferenceUri;
use crate::defects::Defect;
use crate::digest::{DigestChallenge, DigestError};
use crate::encoding::encode_base16;
use crate::message::{HeaderName, Message};
use crate::violation::{Breach, Violation};

impl AnonymousClient {
    /// After an error the next message cannot be found any more, so that the stream is not kept.
    pub(super) fn receive(&mut self, scene: &mut Scene<'_>, octets: &[u8]) {
        let Some(mut stream) = self.stream.take() else { return };
        stream.push(octets);
        loop {
            match stream.next_message() {
                Ok(Some(message)) => self.message(scene, &message),
                Ok(None) => break,
                Err(error) => {
                    scene.event(AnonymousEvent::Discarded(Violation::server(error)));
                    return scene.outputs.push(AnonymousOutput::Close);
                }
            }
        }
        self.stream = Some(stream);
    }

    /// Final answers to what is out; all else means nothing.
    fn message(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let Some(status) = message.status() else {
            return scene.event(AnonymousEvent::Discarded(Violation::server(Breach::Unsigned)));
        };
        let Some(cseq) = self.answered_cseq(message) else {
            return scene.event(AnonymousEvent::Discarded(Violation::server(Breach::NoAssociation)));
        };
        if status < 200 {
            return;
        }
        let Some(request) = self.outstanding.remove(&cseq) else { return };
        if request.method == "INVITE" && 300 <= status {
            let to = message.first(HeaderName::To).map(|to| to.unfolded().into_owned());
            Self::acknowledge_failure(scene, &request.draft, &to.unwrap_or_default(), cseq);
        }
        match ChallengeKind::from_status(status) {
            Some(kind) => self.challenged(scene, message, kind, request),
            None => self.answered(scene, message, cseq, status, &request),
        }
    }

    /// The CSeq of the request that is answered: Call-ID, CSeq and the branch of Via are its own.
    fn answered_cseq(&self, message: &Message<'_>) -> Option<u32> {
        let (call_id, cseq) = (message.call_id().ok()?, message.cseq().ok()?);
        let number = cseq.value().filter(|_| call_id.raw() == self.call_id.as_bytes())?;
        let request = self.outstanding.get(&number)?;
        let is_method = cseq.method == request.method.as_bytes();
        let own_branch = request.draft.read(|request| Ok(request.branch().map(<[u8]>::to_vec))).ok()?;
        (is_method && own_branch.is_some() && message.branch() == own_branch.as_deref()).then_some(number)
    }

    fn answered(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        cseq: u32,
        status: u16,
        request: &Outstanding,
    ) {
        let is_success = status < 300;
        match request.method.as_str() {
            "INVITE" if is_success => {
                let is_new = self.dialog.is_none();
                self.dialog = Some(self.dialog_of(message));
                self.acknowledge(scene, cseq);
                if is_new {
                    return scene.event(AnonymousEvent::Joined);
                }
            }
            "BYE" if is_success || status == 481 => {
                self.dialog = None;
                return scene.event(AnonymousEvent::Left);
            }
            _ => {}
        }
        scene.event(AnonymousEvent::Answered { method: request.method.clone(), status });
    }

    fn dialog_of(&self, message: &Message<'_>) -> Dialog {
        let contact = message.contact().ok().flatten();
        let target = contact.and_then(|contact| String::from_utf8(contact.uri.to_vec()).ok());
        let to = message.first(HeaderName::To).map(|to| to.unfolded().into_owned());
        Dialog {
            to: to.unwrap_or_default(),
            target: target.unwrap_or_else(|| self.config.conference.clone()),
        }
    }

    /// A refused credential is not tried again, unless its nonce alone was at fault: once, silently
    /// (SIPAE-3.2.5.5-06, SIPAE-3.2.5.6-02).
    fn challenged(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        kind: ChallengeKind,
        request: Outstanding,
    ) {
        if request.attempt == Attempt::Bare && careless::joins_by_ntlm(self.config.defects, message, kind) {
            return self.send_by_ntlm(scene, &request.method, request.draft);
        }
        let challenge = match self.strongest(message, kind) {
            Ok(challenge) => challenge,
            Err(breach) => {
                self.association = None;
                return scene.event(AnonymousEvent::Failed(Violation::server(breach)));
            }
        };
        let is_new = self.association.as_ref().is_none_or(|old| old.challenge.nonce != challenge.nonce);
        let defects = self.config.defects;
        let next = match request.attempt {
            _ if defects.has(Defect::ShowsRefusedKey) => Some(Attempt::Answered),
            _ if challenge.stale && defects.has(Defect::RefusesStale) => None,
            Attempt::Bare => Some(Attempt::Answered),
            Attempt::Ahead if is_new => Some(Attempt::Repeated),
            Attempt::Answered if is_new && challenge.stale => Some(Attempt::Repeated),
            _ => None,
        };
        let Some(next) = next else {
            self.association = None;
            return scene.event(AnonymousEvent::Refused);
        };
        let cnonce = encode_base16(&scene.entropy.octets::<8>());
        self.association = Some(Association { challenge, kind, cnonce, nc: 0 });
        self.send_with(scene, &request.method, request.draft, next);
    }

    /// The strongest of the Digest challenges for the realm of the conference whose algorithm and qop are known
    /// (SIPAE-3.2.5.5-03). Other schemes and other realms are not answered.
    fn strongest(&self, message: &Message<'_>, kind: ChallengeKind) -> Result<DigestChallenge, Breach> {
        let defects = self.config.defects;
        let headers = message.all(kind.challenge()).map(AuthHeader::read);
        let own = headers.filter(|header| header.scheme() == Some(Scheme::Digest));
        let mut problem = Breach::NoUsableChallenge;
        let mut usable = Vec::new();
        for read in own.map(|header| careless::challenge(defects, &header)) {
            match read.and_then(|challenge| self.check(challenge)) {
                Ok(challenge) => usable.push(challenge),
                Err(error) => problem = error.into(),
            }
        }
        DigestChallenge::strongest(usable.into_iter()).ok_or(problem)
    }

    fn check(&self, challenge: DigestChallenge) -> Result<DigestChallenge, DigestError> {
        if !challenge.offers_auth() {
            return Err(DigestError::UnknownQop);
        }
        let conference = ConferenceUri::read(self.config.conference.as_bytes());
        let organizer = conference.map(|conference| conference.organizer);
        let realm = self.config.realm.as_ref().map(String::as_bytes).or(organizer).unwrap_or_default();
        if challenge.realm.eq_ignore_ascii_case(realm) { Ok(challenge) } else { Err(DigestError::Realm) }
    }
}
