//! Answers on their way back: verified for who answers, signed for who has asked ([MS-SIPAE] 3.3.5.3, 3.3.4.1).

use super::location::Flow;
use super::proxy::set_to_epid;
use super::transactions::{Branch, Outgoing, RINGING, Transaction};
use super::{Scene, Server};
use crate::auth::AuthParam;
use crate::defects::Defect;
use crate::draft::Draft;
use crate::endpoint::EndpointId;
use crate::message::{HeaderName, Message};
use crate::violation::Breach;

impl Server {
    /// A response is relayed only if its signature is good and it answers something (SIPAE-3.3.5.1-17, -3.3.5.3-11).
    pub(super) fn client_response(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        match self.verify_response(scene, message) {
            Ok(()) => {
                scene.has_authenticated = true;
                self.answered(scene, message);
            }
            // Hop by hop, and never signed.
            Err(Breach::Unsigned) if message.status() == Some(100) => {}
            Err(breach) => self.bad_response(scene, message, breach),
        }
    }

    fn bad_response(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, breach: Breach) {
        let defects = self.config.defects;
        let is_relayed = match breach {
            Breach::Unsigned | Breach::ParamMissing { .. } => defects.has(Defect::RelaysUnsignedResponse),
            Breach::Signature => defects.has(Defect::RelaysForgedResponse),
            Breach::Replayed { .. } => defects.has(Defect::RelaysReplayedResponse),
            Breach::NoAssociation => defects.has(Defect::RelaysResponseOfAnybody),
            _ => false,
        };
        let ends = match breach {
            Breach::Signature => defects.has(Defect::ForgedResponseEndsAssociation),
            Breach::Replayed { .. } => defects.has(Defect::RetransmissionEndsAssociation),
            _ => false,
        };
        if ends && let Some(credential) = self.credential(message) {
            let opaque = credential.get(AuthParam::Opaque).unwrap_or_default().unfolded();
            self.associations.remove(&opaque);
        }
        scene.refused(breach);
        if is_relayed {
            self.answered(scene, message);
        }
    }

    /// Who answers is who was asked, and without a transaction the client in To. A verified response restarts the idle
    /// timer like any other message (SIPAE-3.3.5.3-10).
    fn verify_response(&mut self, scene: &Scene<'_>, message: &Message<'_>) -> Result<(), Breach> {
        let credential = self.credential(message).ok_or(Breach::Unsigned)?;
        super::signed::check_qop(self.config.kind.credential(), &credential)?;
        let opaque = credential.get(AuthParam::Opaque).unwrap_or_default().unfolded().into_owned();
        let endpoint = match self.transactions.callee(message) {
            Some(callee) => callee.clone(),
            None => EndpointId::of(&message.to()?, message.contact()?.as_ref())?,
        };
        let association = self.associations.get_mut(&opaque).filter(|found| found.endpoint == endpoint);
        let association = association.ok_or(Breach::NoAssociation)?;
        association.sa.verify(message, &credential).map_err(|violation| violation.breach)?;
        association.verified(scene.flow, scene.now);
        Ok(())
    }

    /// An answer to a forwarded request. What answers nothing, or what has been answered, is dropped.
    fn answered(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let Some((serial, place)) = self.transactions.of_response(message) else { return };
        let Some(transaction) = self.transactions.get(serial) else { return };
        let Some(branch) = transaction.branches.get(place) else { return };
        if branch.is_final || !transaction.is_answered_by(message) || !self.has_room(message) {
            return;
        }
        let is_over = transaction.outcome.is_some();
        match message.status().unwrap_or_default() {
            300.. if is_over => self.too_late(scene, message, serial, place),
            _ if is_over => {}
            100 => {}
            101..=199 => self.provisional(scene, message, serial, place),
            status => self.decided(scene, message, serial, place, status),
        }
    }

    /// A failure of a branch after the caller was answered still gets its ACK.
    fn too_late(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, serial: u64, place: usize) {
        self.acknowledge(scene, message, serial, place);
        let Some(transaction) = self.transactions.get_mut(serial) else { return };
        if let Some(branch) = transaction.branches.get_mut(place) {
            branch.is_final = true;
        }
    }

    /// A call that rings may do so for a while.
    fn provisional(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, serial: u64, place: usize) {
        let Some(relayed) = self.relayed(message, serial, place) else { return };
        let Some(transaction) = self.transactions.get_mut(serial) else { return };
        if transaction.is_invite && !transaction.is_cancelled {
            transaction.end = scene.now.plus(RINGING);
        }
        let (caller, flow) = (transaction.caller.clone(), transaction.flow);
        self.send_signed(scene, &caller, Some(flow), relayed);
    }

    /// The first success ends it; a failure does when no branch can do better any more (RFC 3261 16.7).
    fn decided(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        serial: u64,
        place: usize,
        status: u16,
    ) {
        let Some(relayed) = self.relayed(message, serial, place) else { return };
        let Some(transaction) = self.transactions.get_mut(serial) else { return };
        transaction.note(place, status, relayed);
        let is_last = status < 300 || transaction.is_answered();
        if 300 <= status {
            self.acknowledge(scene, message, serial, place);
        }
        if is_last && let Some(transaction) = self.transactions.remove(serial) {
            self.end(scene, transaction, status);
        }
    }

    /// The last word to the caller. An INVITE is kept for its ACK, and for who has not heard yet that it is over.
    pub(super) fn end(&mut self, scene: &mut Scene<'_>, transaction: Transaction, status: u16) {
        let over = self.conclude(scene, transaction, status);
        if let Some(over) = over.filter(|over| over.is_invite) {
            self.transactions.insert(over);
        }
    }

    /// The best answer that came, or the server's own; `None` if the caller has had it.
    pub(super) fn conclude(
        &mut self,
        scene: &mut Scene<'_>,
        mut transaction: Transaction,
        status: u16,
    ) -> Option<Transaction> {
        if transaction.outcome.is_some() {
            return None;
        }
        let best = transaction.best.take();
        let (status, outgoing) = best.unwrap_or_else(|| (status, Outgoing::own(transaction.answer(status))));
        self.send_signed(scene, &transaction.caller, Some(transaction.flow), outgoing);
        let cancels = self.cancels(&transaction);
        self.send_cancels(scene, cancels);
        transaction.outcome = Some(status);
        transaction.end = scene.now.plus(self.config.durations.transaction);
        Some(transaction)
    }

    /// The response as the caller gets it, not signed yet: the Via that the caller wrote, the endpoint that answers.
    fn relayed(&self, message: &Message<'_>, serial: u64, place: usize) -> Option<Outgoing> {
        let transaction = self.transactions.get(serial)?;
        let callee = &transaction.branches.get(place)?.callee;
        let mut draft = Draft::from_message(message);
        draft.remove(HeaderName::Via);
        let vias = transaction.answer.headers.iter().filter(|header| header.is(HeaderName::Via));
        draft.headers.splice(..0, vias.cloned());
        self.strip_credentials(&mut draft);
        set_to_epid(
            &mut draft,
            self.associations.by_endpoint(callee).and_then(|found| found.epid.as_deref()),
        );
        withhold_challenge(&mut draft, message);
        let is_silent = self.config.defects.has(Defect::ResponseWithoutIdentity);
        let asserted = self.asserted(message, &callee.address).filter(|_| !is_silent);
        Some(Outgoing { draft: draft.close(), asserted })
    }

    /// Signs for an endpoint and sends, over that connection or where the endpoint is now. Nothing leaves unsigned.
    fn send_signed(
        &mut self,
        scene: &mut Scene<'_>,
        endpoint: &EndpointId,
        flow: Option<Flow>,
        mut outgoing: Outgoing,
    ) {
        let Some(association) = self.associations.by_endpoint(endpoint) else { return };
        let own = association.sa.opaque.clone();
        let flows = [flow, Some(association.flow)];
        let Some(flow) = flows.into_iter().flatten().find(|flow| self.is_open(*flow)) else { return };
        let opaque = self.other_endpoint(&own, Defect::RelaysForOtherEndpoint).unwrap_or(own);
        let asserted = outgoing.asserted.as_deref();
        let is_response = outgoing.draft.start_line.starts_with(b"SIP/");
        if is_response && self.config.defects.has(Defect::RelaysUnsigned) {
            self.set_identity(&mut outgoing.draft, asserted);
            scene.send_to(flow, outgoing.draft.to_octets());
        } else if self.seal(scene, &mut outgoing.draft, asserted, &opaque) {
            scene.send_to(flow, outgoing.draft.to_octets());
        }
    }

    /// The server's own ACK to a failure of a branch (RFC 3261 16.7, 17.1.1.3).
    fn acknowledge(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, serial: u64, place: usize) {
        let to = message.first(HeaderName::To).unwrap_or_default().unfolded();
        let Some(transaction) = self.transactions.get(serial).filter(|found| found.is_invite) else { return };
        let Some(branch) = transaction.branches.get(place) else { return };
        let draft = self.hop_request("ACK", transaction, branch, &to);
        let callee = branch.callee.clone();
        self.send_signed(scene, &callee, None, Outgoing::own(draft));
    }

    /// The caller's ACK: one to a failure ends here, one to a success is for who has answered.
    pub(super) fn acknowledged(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, caller: &EndpointId) {
        let found = self.transactions.of_invite(scene.flow, caller, message);
        let invite = found.and_then(|serial| self.transactions.get(serial).map(|invite| (serial, invite)));
        match invite {
            None => self.pass_on(scene, message, &caller.address),
            Some((_, invite)) if invite.outcome.is_some_and(|status| status < 300) => {
                self.pass_on(scene, message, &caller.address);
            }
            Some((serial, invite)) if invite.outcome.is_some() && invite.is_answered() => {
                self.transactions.remove(serial);
            }
            Some(_) => {}
        }
    }

    /// CANCEL is answered here and goes to everybody who has not answered yet (RFC 3261 9.2, 16.10).
    pub(super) fn cancel(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, opaque: &[u8]) {
        let Some(association) = self.associations.get(opaque) else { return };
        let found = self.transactions.of_invite(scene.flow, &association.endpoint, message);
        self.answer_signed(scene, message, opaque, if found.is_some() { 200 } else { 481 }, []);
        if let Some(serial) = found {
            self.stop(scene, serial);
        }
    }

    fn stop(&mut self, scene: &mut Scene<'_>, serial: u64) {
        let is_running = |invite: &&Transaction| invite.outcome.is_none() && !invite.is_cancelled;
        let Some(invite) = self.transactions.get(serial).filter(is_running) else { return };
        let cancels = self.cancels(invite);
        self.send_cancels(scene, cancels);
        let end = scene.now.plus(self.config.durations.transaction);
        self.transactions.ends_at(end);
        if let Some(invite) = self.transactions.get_mut(serial) {
            (invite.is_cancelled, invite.end) = (true, end);
        }
    }

    /// A CANCEL for each branch of an INVITE that has not answered. It cannot overtake the INVITE on the same
    /// connection, so nobody waits for a provisional answer first.
    fn cancels(&self, transaction: &Transaction) -> Vec<(EndpointId, Draft)> {
        let is_due = transaction.is_invite && !transaction.is_cancelled;
        let waiting = transaction.branches.iter().filter(|branch| is_due && !branch.is_final);
        let cancel = |branch: &Branch| self.hop_request("CANCEL", transaction, branch, &branch.to);
        waiting.map(|branch| (branch.callee.clone(), cancel(branch))).collect()
    }

    fn send_cancels(&mut self, scene: &mut Scene<'_>, cancels: Vec<(EndpointId, Draft)>) {
        for (callee, draft) in cancels {
            self.send_signed(scene, &callee, None, Outgoing::own(draft));
        }
    }
}

/// Whether a caller is to authenticate is for this server to say: a client that is challenged by its callee would give
/// up its association.
fn withhold_challenge(draft: &mut Draft, message: &Message<'_>) {
    if matches!(message.status(), Some(401 | 407)) {
        draft.start_line = Draft::response(403).start_line;
    }
    for name in HeaderName::CHALLENGES {
        draft.remove(name);
    }
}
