//! Messages of a script, and what ties what arrives to them.

use std::time::Instant;

use sipae::draft::Draft;
use sipae::message::{HeaderName, Message, MessageError, Value};
use sipae::server::ConnectionId;
use sipae_gen::{Label, Party};

use crate::observation::Delivery;
use crate::pace::StepClass;
use crate::reaction::{Reaction, Signature};

/// What ties an answer to its request. What a faulty message does not have in a readable form is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    call_id: Option<Vec<u8>>,
    cseq: Option<(Vec<u8>, Vec<u8>)>,
    branch: Option<Vec<u8>>,
}

impl Key {
    pub(super) fn of(message: &Message<'_>) -> Self {
        let cseq = message.cseq().ok();
        Self {
            call_id: message.call_id().ok().map(|call_id| call_id.unfolded().into_owned()),
            cseq: cseq.map(|cseq| (cseq.number.to_vec(), cseq.method.to_vec())),
            branch: message.branch().map(<[u8]>::to_vec),
        }
    }

    /// Whether `answer` is that of an answer to this message. A target that does not repeat Via is forgiven; one that
    /// repeats it with another Call-ID or CSeq is answering something else.
    pub(super) fn is_answered_by(&self, answer: &Self) -> bool {
        let call_id = self.call_id.is_none() || self.call_id == answer.call_id;
        let cseq = self.cseq.is_none() || self.cseq == answer.cseq;
        let branch = match &answer.branch {
            Some(branch) => self.branch.as_ref() == Some(branch),
            None => self.call_id.is_some() && self.cseq.is_some(),
        };
        branch && call_id && cseq
    }

    /// Whether a request that arrived is this message, delivered: our Via is below those of the target, unless it hides
    /// them.
    pub(super) fn is_delivered_as(&self, delivered: &Message<'_>) -> bool {
        let key = Self::of(delivered);
        let same = self.call_id == key.call_id && self.cseq == key.cseq && key.call_id.is_some();
        let vias = delivered.all(HeaderName::Via).count();
        same && (vias < 2 || delivered.all(HeaderName::Via).any(|via| self.is_branch_in(via)))
    }

    fn is_branch_in(&self, via: Value<'_>) -> bool {
        let text = via.unfolded();
        self.branch.as_ref().is_some_and(|branch| {
            !branch.is_empty() && text.windows(branch.len()).any(|part| part == branch.as_slice())
        })
    }
}

/// When and where a message was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) connection: ConnectionId,
    pub(super) order: u32,
    pub(super) at: Instant,
}

/// The final answer to a message.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) reaction: Reaction,
    pub(super) octets: Vec<u8>,
    /// Its place among all messages of the script.
    pub(super) place: u32,
}

/// A message of the script.
#[derive(Clone, Debug)]
pub(super) struct MessageState {
    pub(super) draft: Draft,
    /// Octets that go out in front of it.
    pub(super) before: Vec<u8>,
    /// What is replaced in the octets that go out, and by what.
    pub(super) patches: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) key: Key,
    pub(super) party: Party,
    pub(super) is_delivery: bool,
    pub(super) association: Option<Label>,
    /// Its cnum, where the script chose it.
    pub(super) number: Option<u32>,
    /// Whether it carries a token that the target has to look into.
    pub(super) has_token: bool,
    /// The message whose challenge its Digest credential answers.
    pub(super) challenge: Option<Label>,
    pub(super) sent: Option<Sent>,
    pub(super) answer: Option<Answered>,
    pub(super) provisional: Vec<(u16, Signature)>,
    pub(super) deliveries: Vec<Delivery>,
}

impl MessageState {
    /// # Errors
    /// When the suite itself could not read it.
    pub(super) fn new(draft: Draft, party: Party) -> Result<Self, MessageError> {
        let key = draft.read(|message| Ok(Key::of(message)))?;
        Ok(Self {
            draft,
            before: Vec::new(),
            patches: Vec::new(),
            key,
            party,
            is_delivery: false,
            association: None,
            number: None,
            has_token: false,
            challenge: None,
            sent: None,
            answer: None,
            provisional: Vec::new(),
            deliveries: Vec::new(),
        })
    }

    /// # Errors
    /// What is to be replaced and does not occur.
    pub(super) fn octets(&self) -> Result<Vec<u8>, Vec<u8>> {
        let mut octets = self.before.clone();
        octets.extend(self.draft.to_octets());
        for (from, to) in &self.patches {
            let place = octets.windows(from.len().max(1)).position(|part| part == from);
            let place = place.ok_or_else(|| from.clone())?;
            drop(octets.splice(place..place + from.len(), to.iter().copied()));
        }
        Ok(octets)
    }

    /// The message as it was sent, without what went before it.
    pub(super) fn sent_octets(&self) -> Vec<u8> {
        let octets = self.octets().unwrap_or_else(|_| self.draft.to_octets());
        octets.get(self.before.len()..).map(<[u8]>::to_vec).unwrap_or_default()
    }

    pub(super) const fn class(&self) -> StepClass {
        match (self.is_delivery, self.has_token, &self.association) {
            (_, true, _) => StepClass::Logon,
            (true, ..) => StepClass::Delivery,
            (_, _, Some(_)) => StepClass::Request,
            (_, _, None) => StepClass::Handshake,
        }
    }
}
