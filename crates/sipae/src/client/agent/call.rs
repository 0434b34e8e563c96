//! Calls of a user agent: what follows an INVITE.

use super::super::{Input, Scene, Stimulus};
use super::request::Request;
use super::{UserAgent, is_success};
use crate::defects::Defect;
use crate::draft::Draft;
use crate::message::{Elements, HeaderName, Message, Value};

/// A call that was answered (RFC 3261 12.1.2).
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    /// The INVITE that began it.
    invite: Request,
    /// To as the other side has written it, with its tag.
    to: Vec<u8>,
    /// Where the other side is.
    target: Vec<u8>,
    /// The Route header fields.
    routes: Vec<Vec<u8>>,
    /// CSeq of the last request of this side.
    pub(super) cseq: u32,
}

impl Dialog {
    /// What a success says of the dialog. An answer without Contact leaves the address that was called.
    pub(super) fn new(invite: Request, answer: &Message<'_>) -> Self {
        let to = answer.first(HeaderName::To).unwrap_or_default().unfolded().into_owned();
        let contact = answer.contact().ok().flatten().map(|contact| contact.uri);
        let contact = contact.filter(|uri| !uri.is_empty() && uri.iter().all(|octet| b' ' < *octet));
        let called = invite.draft.start_line.split(|octet| *octet == b' ').nth(1).unwrap_or_default();
        let target = contact.unwrap_or(called).to_vec();
        Self { routes: routes(answer), cseq: invite.cseq, invite, to, target }
    }

    /// Whether a request of this side belongs to it.
    pub(super) fn is_of(&self, draft: &Draft) -> bool {
        self.invite.draft.get(HeaderName::CallId) == draft.get(HeaderName::CallId)
    }

    /// A request in the dialog (RFC 3261 12.2.1.1).
    fn request(&self, method: &str, cseq: u32, via: &str) -> Draft {
        let own = |name| self.invite.draft.get(name).unwrap_or_default();
        let start_line = [method.as_bytes(), b" ", self.target.as_slice(), b" SIP/2.0"].concat();
        let mut draft = Draft::with_start_line(start_line).with(HeaderName::Via, via);
        for route in &self.routes {
            draft.push(HeaderName::Route, route.as_slice());
        }
        draft
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, own(HeaderName::From))
            .with(HeaderName::To, self.to.as_slice())
            .with(HeaderName::CallId, own(HeaderName::CallId))
            .with(HeaderName::CSeq, format!("{cseq} {method}"))
            .with(HeaderName::Contact, own(HeaderName::Contact))
            .close()
    }
}

/// Record-Route, nearest hop first.
fn routes(answer: &Message<'_>) -> Vec<Vec<u8>> {
    let values: Vec<_> = answer.all(HeaderName::RecordRoute).map(Value::unfolded).collect();
    let mut routes: Vec<Vec<u8>> =
        values.iter().flat_map(|value| Elements { rest: value }).map(<[u8]>::to_vec).collect();
    routes.reverse();
    routes
}

impl UserAgent {
    /// A verified final answer to an INVITE. The ACK of each is signed as a message of its own (SIPAE-3.2.4.1-31).
    pub(super) fn invite_answered(
        &mut self,
        scene: &mut Scene<'_>,
        invite: Request,
        answer: &Message<'_>,
        status: u16,
    ) {
        if !is_success(status) {
            self.tell(scene, Input::Send(&invite.ack_of_failure(answer)));
            return;
        }
        let dialog = Dialog::new(invite, answer);
        self.acknowledge(scene, &dialog);
        self.dialog = Some(dialog);
    }

    /// Each success of an INVITE has its ACK, also one that comes again or from another endpoint (RFC 3261 13.2.2.4).
    pub(super) fn answered_again(&mut self, scene: &mut Scene<'_>, answer: &Message<'_>, status: u16) {
        let Some(dialog) = self.dialog.as_ref().filter(|dialog| dialog.invite.is_of_call(answer)) else {
            return;
        };
        if is_success(status) {
            let of_answer = Dialog::new(dialog.invite.clone(), answer);
            self.acknowledge(scene, &of_answer);
        }
    }

    pub(super) fn acknowledge(&mut self, scene: &mut Scene<'_>, dialog: &Dialog) {
        let via = self.client.config.via(scene.entropy);
        let ack = dialog.request("ACK", dialog.invite.cseq, &via);
        self.tell(scene, Input::Send(&ack));
    }

    /// Gives up the last call that has no final answer. On one connection it cannot overtake the INVITE, so that it
    /// waits for no provisional answer.
    pub(super) fn cancel(&mut self, scene: &mut Scene<'_>, number: u64) {
        let is_call = |request: &Request| request.stimulus == Stimulus::Invite;
        let Some(place) = self.requests.iter().rposition(is_call) else { return };
        let Some(invite) = self.requests.get_mut(place) else { return };
        if invite.is_lost {
            self.requests.remove(place);
            return;
        }
        invite.may_be_repeated = false;
        let cancel = Request::new(number, Stimulus::Cancel, invite.cseq, invite.cancel());
        self.send(scene, cancel);
    }

    /// BYE ends the call with its sending (RFC 3261 15.1.1).
    pub(super) fn in_dialog(&mut self, scene: &mut Scene<'_>, number: u64, stimulus: Stimulus) {
        let Some(mut dialog) = self.dialog.take() else { return };
        let via = self.client.config.via(scene.entropy);
        let cseq = dialog.cseq.saturating_add(1);
        let mut draft = dialog.request(stimulus.method(), cseq, &via);
        if stimulus == Stimulus::Refer {
            let config = &self.client.config;
            draft.push_text("Refer-To", format!("<sip:{}>", config.refer_to));
            draft.push(HeaderName::ReferredBy, format!("<sip:{}>", config.address));
            if config.defects.has(Defect::NamesIdentity) {
                draft.push_text("ms-identity", "0");
            }
        }
        let is_sent = self.send(scene, Request::new(number, stimulus, cseq, draft));
        if is_sent {
            dialog.cseq = cseq;
        }
        if !is_sent || stimulus != Stimulus::Bye {
            self.dialog = Some(dialog);
        }
    }

    /// A verified request: the other side may end the call.
    pub(super) fn requested(&mut self, request: &Message<'_>) {
        let call_id = request.call_id().map(Value::raw).unwrap_or_default();
        let is_of_call = |dialog: &Dialog| dialog.invite.draft.get(HeaderName::CallId) == Some(call_id);
        if request.method() == Some(b"BYE") && self.dialog.as_ref().is_some_and(is_of_call) {
            self.dialog = None;
        }
    }
}
