//! Requests from one user to another: verified for the sender, signed for each receiver ([MS-SIPAE] 3.3.4.1).

use super::location::request_uri;
use super::transactions::{Branch, Transaction};
use super::{Scene, Server};
use crate::auth::AuthHeader;
use crate::defects::Defect;
use crate::draft::Draft;
use crate::encoding::encode_base16;
use crate::endpoint::EndpointId;
use crate::message::{Address, HeaderName, Message, Value};
use crate::octets::{decimal, offset_in, slice};

/// Max-Forwards of a request that has none, or that the server makes (RFC 3261 16.6).
const MAX_FORWARDS: u32 = 70;
/// More than a Via, an identity, a signature, an epid and another Request-URI take.
const ADDED_OCTETS: usize = 4 * 1024;
const ADDED_FIELDS: usize = 8;

/// What all copies of a forwarded request have in common.
struct Passage<'m> {
    message: &'m Message<'m>,
    hops: u32,
    asserted: Option<String>,
}

impl Server {
    /// A verified request that is for others.
    pub(super) fn forward(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, opaque: &[u8]) {
        let Some(association) = self.associations.get(opaque) else { return };
        let caller = association.endpoint.clone();
        let routed = self
            .recipients(message, &caller.address)
            .and_then(|recipients| Ok((recipients, self.passage(message, &caller.address)?)));
        let status = match routed {
            Ok((recipients, passage)) => match self.fork(scene, &passage, &recipients) {
                branches if branches.is_empty() => 480,
                branches => return self.wait(scene, message, caller, branches),
            },
            Err(status) => status,
        };
        self.answer_signed(scene, message, opaque, status, []);
        if status == 200 && self.config.defects.has(Defect::NotifiesUnsigned) {
            scene.send(self.notification(message).to_octets());
        }
        if message.method() == Some(b"INVITE") && 300 <= status {
            self.await_ack(scene, message, caller, status);
        }
    }

    /// Sends a request on and remembers nothing: ACK of a success has no answer.
    pub(super) fn pass_on(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, sender: &str) {
        let recipients = self.recipients(message, sender);
        if let (Ok(recipients), Ok(passage)) = (recipients, self.passage(message, sender)) {
            self.fork(scene, &passage, &recipients);
        }
    }

    fn passage<'m>(&self, message: &'m Message<'m>, sender: &str) -> Result<Passage<'m>, u16> {
        let hops = hops_left(message)?;
        if !self.has_room(message) {
            return Err(513);
        }
        Ok(Passage { message, hops, asserted: self.asserted(message, sender) })
    }

    /// Whether a message is still one that this server would read itself when all is added to it that it adds: what is
    /// too long for a client would cost it its connection.
    pub(super) fn has_room(&self, message: &Message<'_>) -> bool {
        let (limits, octets) = (&self.config.limits, message.octets().len());
        octets.saturating_sub(message.body().len()) + ADDED_OCTETS <= limits.head
            && message.headers().count() + ADDED_FIELDS <= limits.header_fields
            && message.method().unwrap_or_default().len() + ADDED_OCTETS <= limits.start_line
    }

    /// The branches that could be signed and sent.
    fn fork(
        &mut self,
        scene: &mut Scene<'_>,
        passage: &Passage<'_>,
        recipients: &[EndpointId],
    ) -> Vec<Branch> {
        if passage.message.method() == Some(b"INVITE") {
            trying(scene, passage.message);
        }
        recipients.iter().filter_map(|callee| self.deliver(scene, passage, callee)).collect()
    }

    fn deliver(
        &mut self,
        scene: &mut Scene<'_>,
        passage: &Passage<'_>,
        callee: &EndpointId,
    ) -> Option<Branch> {
        let (branch, mut draft) = self.copy_for(scene, passage, callee)?;
        let defects = self.config.defects;
        let flow = self.associations.by_endpoint(callee)?.flow;
        let signer = self.signer_for(callee)?;
        let asserted = passage.asserted.as_deref();
        if defects.has(Defect::ForwardsUnsigned) {
            self.set_identity(&mut draft, asserted);
        } else if !self.seal(scene, &mut draft, asserted, &signer) {
            return None;
        }
        scene.send_to(flow, draft.to_octets());
        Some(branch)
    }

    /// The association of the endpoint that the message goes to (SIPAE-3.3.4.1-10).
    fn signer_for(&self, callee: &EndpointId) -> Option<Vec<u8>> {
        let own = self.associations.by_endpoint(callee)?.sa.opaque.clone();
        Some(self.other_endpoint(&own, Defect::SignsForOtherEndpoint).unwrap_or(own))
    }

    /// The request as this endpoint gets it, not signed yet.
    fn copy_for(
        &self,
        scene: &mut Scene<'_>,
        passage: &Passage<'_>,
        callee: &EndpointId,
    ) -> Option<(Branch, Draft)> {
        let association = self.associations.by_endpoint(callee)?;
        let contact = association.contact();
        let uri = if contact.is_empty() { request_uri(passage.message) } else { contact }.to_vec();
        let mut draft = Draft::from_message(passage.message);
        draft.start_line = request_line(passage.message.method().unwrap_or_default(), &uri);
        let id = [b"z9hG4bK", encode_base16(&scene.entropy.octets::<8>()).as_bytes()].concat();
        draft.push_first(HeaderName::Via, self.via(&id));
        draft.remove(HeaderName::MaxForwards);
        draft.push(HeaderName::MaxForwards, passage.hops.to_string());
        self.strip_credentials(&mut draft);
        let epid = association.epid.as_deref().filter(|_| !self.config.defects.has(Defect::ToWithoutEpid));
        set_to_epid(&mut draft, epid);
        let to = draft.get(HeaderName::To).unwrap_or_default().to_vec();
        Some((Branch { id, callee: callee.clone(), uri, to, is_final: false }, draft.close()))
    }

    /// A NOTIFY of the server itself, without signature and without contents: a right server sends none.
    fn notification(&self, message: &Message<'_>) -> Draft {
        let field = |name| message.first(name).unwrap_or_default().unfolded();
        Draft::with_start_line(request_line(b"NOTIFY", request_uri(message)))
            .with(HeaderName::Via, self.via(b"z9hG4bKnotify"))
            .with(HeaderName::MaxForwards, MAX_FORWARDS.to_string())
            .with(HeaderName::From, field(HeaderName::To))
            .with(HeaderName::To, field(HeaderName::From))
            .with(HeaderName::CallId, field(HeaderName::CallId))
            .with(HeaderName::CSeq, "1 NOTIFY")
            .close()
    }

    fn via(&self, branch: &[u8]) -> Vec<u8> {
        let host = self.config.host.as_bytes();
        [b"SIP/2.0/TCP ", host, b";branch=", branch].concat()
    }

    /// What this server has consumed goes no further; credentials for others stay (SIPAE-3.3.4.1-14).
    pub(super) fn strip_credentials(&self, draft: &mut Draft) {
        if self.config.defects.has(Defect::PassesCredentialOn) {
            return;
        }
        let takes_all = self.config.defects.has(Defect::StripsAllCredentials);
        draft.headers.retain(|header| {
            let is_credential = HeaderName::CREDENTIALS.iter().any(|name| header.is(*name));
            !(is_credential && (takes_all || self.offer(&AuthHeader::read(Value(&header.value))).is_some()))
        });
    }

    /// The identity first, then the signature over it (SIPAE-3.3.4.1-11). Whether there is one.
    pub(super) fn seal(
        &mut self,
        scene: &mut Scene<'_>,
        draft: &mut Draft,
        asserted: Option<&str>,
        opaque: &[u8],
    ) -> bool {
        if self.config.defects.has(Defect::SignsBeforeIdentity) {
            let is_signed = self.sign(scene, draft, opaque);
            self.set_identity(draft, asserted);
            return is_signed;
        }
        self.set_identity(draft, asserted);
        self.sign(scene, draft, opaque)
    }

    fn wait(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        caller: EndpointId,
        branches: Vec<Branch>,
    ) {
        let mut transaction = self.transaction(scene, message, caller);
        transaction.branches = branches;
        self.remember(scene, transaction);
    }

    /// The ACK to a failure ends here (RFC 3261 17.2.1).
    fn await_ack(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, caller: EndpointId, status: u16) {
        let mut transaction = self.transaction(scene, message, caller);
        transaction.outcome = Some(status);
        self.remember(scene, transaction);
    }

    fn transaction(&self, scene: &mut Scene<'_>, message: &Message<'_>, caller: EndpointId) -> Transaction {
        let to_tag = message.to().ok().and_then(|to| to.tag).map(<[u8]>::to_vec);
        Transaction {
            caller,
            flow: scene.flow,
            caller_branch: message.branch().unwrap_or_default().to_vec(),
            is_invite: message.method() == Some(b"INVITE"),
            answer: Self::respond_to(scene, message, 100),
            to_tag,
            branches: Vec::new(),
            best: None,
            outcome: None,
            is_cancelled: false,
            end: scene.now.plus(self.config.durations.transaction),
        }
    }

    fn remember(&mut self, scene: &mut Scene<'_>, transaction: Transaction) {
        if let Some(evicted) = self.transactions.insert(transaction) {
            self.conclude(scene, evicted, 503);
        }
    }

    /// ACK or CANCEL of this hop (RFC 3261 9.1, 17.1.1.3).
    pub(super) fn hop_request(&self, method: &str, of: &Transaction, branch: &Branch, to: &[u8]) -> Draft {
        let repeated = |name| of.answer.get(name).unwrap_or_default();
        Draft::with_start_line(request_line(method.as_bytes(), &branch.uri))
            .with(HeaderName::Via, self.via(&branch.id))
            .with(HeaderName::MaxForwards, MAX_FORWARDS.to_string())
            .with(HeaderName::From, repeated(HeaderName::From))
            .with(HeaderName::To, to)
            .with(HeaderName::CallId, repeated(HeaderName::CallId))
            .with(HeaderName::CSeq, [of.cseq_number(), b" ", method.as_bytes()].concat())
            .close()
    }
}

fn request_line(method: &[u8], uri: &[u8]) -> Vec<u8> {
    [method, b" ", uri, b" SIP/2.0"].concat()
}

/// The server's own 100, which adds no tag and is not signed (SIPAE-3.3.4.1-03).
fn trying(scene: &mut Scene<'_>, message: &Message<'_>) {
    let mut draft = Draft::response_to(message, 100, "");
    if let Some(to) = message.first(HeaderName::To) {
        draft.set(HeaderName::To, to.unfolded());
    }
    scene.send(draft.close().to_octets());
}

/// RFC 3261 16.3, 16.6.
fn hops_left(message: &Message<'_>) -> Result<u32, u16> {
    match message.single(HeaderName::MaxForwards) {
        Ok(None) => Ok(MAX_FORWARDS),
        Ok(Some(value)) => decimal::<u32>(value.raw()).ok_or(400u16)?.checked_sub(1).ok_or(483),
        Err(_) => Err(400),
    }
}

/// To names the endpoint that the message is for, or that it comes from (SIPAE-3.3.1-06).
pub(super) fn set_to_epid(draft: &mut Draft, epid: Option<&[u8]>) {
    let (Some(epid), Some(value)) = (epid, draft.get(HeaderName::To)) else { return };
    let Ok(to) = Address::parse(value) else { return };
    let written = match to.epid {
        Some(found) => {
            let start = offset_in(value, found);
            [slice(value, 0, start), epid, slice(value, start + found.len(), value.len())].concat()
        }
        None => [value, b";epid=", epid].concat(),
    };
    draft.set(HeaderName::To, written);
}
