//! Verifying what the server signed ([MS-SIPAE] 3.2.5.2), and answering its requests.

use sipae_spec::Diagnostic;

use super::{Client, ClientEvent, Scene, State, careless};
use crate::auth::{AuthHeader, AuthParam, ChallengeKind};
use crate::defects::{Defect, Defects};
use crate::draft::Draft;
use crate::message::{HeaderName, Message, Value};
use crate::sa::SecurityAssociation;
use crate::violation::{Breach, Violation};

/// The signature header field that names an association, in either field (SIPAE-3.2.5.2-14, -16).
pub(super) fn signature<'m>(
    association: &SecurityAssociation,
    message: &Message<'m>,
) -> Option<AuthHeader<'m>> {
    let parameters = &association.parameters;
    let mut headers =
        HeaderName::SIGNATURES.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read);
    headers.find(|header| header.scheme() == Some(parameters.scheme) && parameters.fit(header))
}

/// Verifies a message by the header field for this association, if there is one.
fn verify(
    association: &mut SecurityAssociation,
    message: &Message<'_>,
    kind: ChallengeKind,
    defects: Defects,
) -> Result<(), Violation> {
    let unsigned = || Violation::server(Breach::Unsigned);
    let mistaken = careless::mistaken(defects, association, message);
    let header = match &mistaken {
        Some(mistaken) => AuthHeader::read(Value(mistaken)),
        None => signature(association, message).ok_or_else(unsigned)?,
    };
    if careless::misses(defects, kind, message, &header) {
        return Err(unsigned());
    }
    careless::judged(defects, association, message, &header).map(|_| ())
}

/// With Kerberos the server chooses the opaque in its answer (SIPAE-3.3.5.2-10). Only an answer that has verified tells
/// it, though the signature does not cover it.
fn learn_opaque(association: &mut SecurityAssociation, message: &Message<'_>) {
    let named = signature(association, message).filter(|_| association.opaque.is_empty());
    if let Some(opaque) = named.and_then(|header| header.get(AuthParam::Opaque)) {
        association.opaque = opaque.unfolded().into_owned();
    }
}

/// The start line is not covered by the signature, the method in CSeq is (SIPAE-3.2.5.2-24).
fn check_method(message: &Message<'_>) -> Result<(), Breach> {
    if Some(message.cseq()?.method) == message.method() {
        return Ok(());
    }
    Err(Breach::Header { header: HeaderName::CSeq, diagnostic: Diagnostic::CSeqMethodMismatch })
}

impl Client {
    /// A response that is no challenge, or one that is signed under a living association. 100 Trying comes unsigned
    /// from real servers and says nothing (SIPAE-3.2.5.2-12).
    pub(super) fn response(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        match &self.state {
            _ if status == 100 && self.config.defects.has(Defect::TryingEndsAll) => {
                self.fail(scene, Breach::Unsigned);
            }
            _ if status == 100 => {}
            State::Completing { .. } => self.proof(scene, message, status),
            State::Established(_) => self.signed_response(scene, message, status),
            State::Idle | State::Bare | State::Started { .. } => scene.discard(Breach::Unsigned),
        }
    }

    /// An association under negotiation verifies one message: the final answer to the completing request
    /// (SIPAE-3.2.1-04, SIPAE-3.2.5.2-19).
    fn proof(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        if !self.is_own_register(message) {
            return scene.discard(Breach::NoAssociation);
        }
        let defects = self.config.defects;
        let State::Completing { association, kind, .. } = &mut self.state else { return };
        if status < 200 {
            return;
        }
        match verify(association, message, *kind, defects) {
            Err(Violation { breach: Breach::Unsigned, .. }) if defects.has(Defect::RegistersUnsigned) => {
                self.establish(scene, message, status);
            }
            Ok(()) => {
                learn_opaque(association, message);
                self.establish(scene, message, status);
            }
            Err(violation) => scene.event(ClientEvent::Discarded(violation)),
        }
    }

    fn signed_response(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        let State::Established(established) = &mut self.state else { return };
        let defects = self.config.defects;
        match verify(&mut established.association, message, established.kind, defects) {
            Err(violation)
                if violation.breach != Breach::Unsigned || !defects.has(Defect::BelievesUnsigned) =>
            {
                return scene.event(ClientEvent::Discarded(violation));
            }
            _ => {}
        }
        scene.event(ClientEvent::Verified(message.octets().to_vec()));
        if status < 200 {
            return;
        }
        self.pending.settle(message);
        if self.is_own_register(message) {
            self.registered(scene, message, status);
        }
    }

    /// A request of the server: nothing in it is acted on before its signature has verified (SIPAE-3.2.5.2-20).
    pub(super) fn request(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let State::Established(established) = &mut self.state else {
            return scene.discard(Breach::NoAssociation);
        };
        let defects = self.config.defects;
        if let Err(breach) = check_method(message)
            && !defects.has(Defect::AnyStartLine)
        {
            return scene.discard(breach);
        }
        let verified = verify(&mut established.association, message, established.kind, defects);
        let verified = careless::by_time(defects, self.asked_at.replace(scene.now), scene.now, verified);
        match careless::by_former(defects, self.former.as_deref_mut(), message, verified) {
            Err(violation)
                if violation.breach != Breach::Unsigned || !defects.has(Defect::AnswersUnsignedRequest) =>
            {
                return scene.event(ClientEvent::Discarded(violation));
            }
            _ => {}
        }
        scene.event(ClientEvent::Verified(message.octets().to_vec()));
        if message.method() != Some(b"ACK") {
            self.answer(scene, message);
        }
    }

    /// Clients sign their responses too, in a credential header field (SIPAE-3.2.4.1-03).
    fn answer(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let status = if message.method() == Some(b"INVITE") { 486 } else { 200 };
        let tag = crate::encoding::encode_base16(&scene.entropy.octets::<5>());
        self.send_signed(scene, Draft::response_to(message, status, &tag).close());
    }
}
