//! Messages of a script, and what ties what arrives to them.

use std::borrow::Cow;
use std::time::Instant;

use sipae::draft::Draft;
use sipae::message::{CSeq, HeaderName, Message, Value, Via};
use sipae::server::ConnectionId;
use sipae_gen::{AccountRole, Label, Party};

use crate::observation::Delivery;
use crate::pace::StepClass;
use crate::reaction::{Reaction, Signature};

/// What ties an answer to its request. What a faulty message does not have in a readable form is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key<'m> {
    call_id: Option<Cow<'m, [u8]>>,
    cseq: Option<[Cow<'m, [u8]>; 2]>,
    branch: Option<Cow<'m, [u8]>>,
}

impl<'m> Key<'m> {
    pub(super) fn of(message: &Message<'m>) -> Self {
        Self {
            call_id: message.call_id().ok().map(Value::unfolded),
            cseq: message.cseq().ok().map(|cseq| [cseq.number, cseq.method].map(Cow::Borrowed)),
            branch: message.branch().map(Cow::Borrowed),
        }
    }

    /// The same of a message that is being written.
    fn of_draft(draft: &'m Draft) -> Self {
        let all = |name| {
            let fields = draft.headers.iter().filter(move |header| header.is(name));
            fields.map(|header| header.value.trim_ascii())
        };
        let single = |name| all(name).next().filter(|_| all(name).nth(1).is_none());
        let cseq = single(HeaderName::CSeq).and_then(CSeq::read);
        let via = all(HeaderName::Via).next().and_then(Via::topmost);
        Self {
            call_id: single(HeaderName::CallId).map(|value| Value(value).unfolded()),
            cseq: cseq.map(|cseq| [cseq.number, cseq.method].map(Cow::Borrowed)),
            branch: via.and_then(Via::branch).map(Cow::Borrowed),
        }
    }

    pub(super) fn into_owned(self) -> Key<'static> {
        let owned = |text: Cow<'m, [u8]>| Cow::Owned(text.into_owned());
        Key {
            call_id: self.call_id.map(owned),
            cseq: self.cseq.map(|texts| texts.map(owned)),
            branch: self.branch.map(owned),
        }
    }

    /// Whether `answer` is that of an answer to this message. A target that does not repeat Via is forgiven; one that
    /// repeats it with another Call-ID or CSeq is answering something else.
    pub(super) fn is_answered_by(&self, answer: &Key<'_>) -> bool {
        let branch = match &answer.branch {
            Some(branch) => self.branch.as_ref().is_some_and(|own| is_same(own, branch)),
            None => self.call_id.is_some() && self.cseq.is_some(),
        };
        branch
            && (self.call_id.is_none() || self.call_id == answer.call_id)
            && (self.cseq.is_none() || self.cseq == answer.cseq)
    }

    /// Whether a request that arrived is this message, delivered: our Via is below those of the target, unless it hides
    /// them.
    pub(super) fn is_delivered_as(&self, delivered: &Message<'_>) -> bool {
        let key = Key::of(delivered);
        let same = self.call_id == key.call_id && self.cseq == key.cseq && key.call_id.is_some();
        let vias = delivered.all(HeaderName::Via).count();
        same && (vias < 2 || delivered.all(HeaderName::Via).any(|via| self.is_branch_in(via)))
    }

    fn is_branch_in(&self, via: Value<'_>) -> bool {
        let text = via.unfolded();
        self.branch.as_ref().is_some_and(|branch| {
            !branch.is_empty() && text.windows(branch.len()).any(|part| part == branch.as_ref())
        })
    }
}

/// What is random at its end differs there from most others.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.last() == other.last() && one == other
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
    pub(super) key: Key<'static>,
    pub(super) party: Party,
    pub(super) is_delivery: bool,
    /// Whose address it was composed for, where somebody of the suite has that.
    pub(super) recipient: Option<AccountRole>,
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
    pub(super) fn new(draft: Draft, party: Party) -> Self {
        Self {
            key: Key::of_draft(&draft).into_owned(),
            draft,
            before: Vec::new(),
            patches: Vec::new(),
            party,
            is_delivery: false,
            recipient: None,
            association: None,
            number: None,
            has_token: false,
            challenge: None,
            sent: None,
            answer: None,
            provisional: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    /// # Errors
    /// What is to be replaced and does not occur.
    pub(super) fn octets(&self) -> Result<Vec<u8>, Vec<u8>> {
        let mut octets = self.before.clone();
        self.draft.write_to(&mut octets);
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

    /// Whether its answer comes in the order of the requests, so that the answer to a later one proves silence. Not where
    /// another client has to answer first, nor where an identity is proven.
    pub(super) fn is_in_line(&self) -> bool {
        !self.is_proof() && (!self.is_delivery || self.is_for_target())
    }

    /// Whether it has a token that the target has to look into before it answers.
    pub(super) fn is_proof(&self) -> bool {
        self.has_token && !self.is_for_target()
    }

    /// Whatever goes to whom, ACK and CANCEL are for the target itself.
    fn is_for_target(&self) -> bool {
        let methods = [&b"ACK "[..], b"CANCEL "];
        methods.iter().any(|method| self.draft.start_line.starts_with(method))
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

#[cfg(test)]
mod tests {
    use sipae::message::Limits;
    use sipae_gen::Fast;
    use sipae_gen::conforming::{Freedoms, message};

    use super::*;

    #[test]
    fn the_key_of_a_draft_is_that_of_the_message_that_goes_out() {
        for seed in 0..500 {
            let text = message(&mut Fast::new(seed), Freedoms::ALL).octets;
            let message = Message::parse(&text, &Limits::DEFAULT).expect("a message");
            assert_eq!(Key::of_draft(&Draft::from_message(&message)), Key::of(&message));
        }
    }

    #[rstest::rstest]
    #[case("CSeq: 1 A\r\nCSeq: 2 A\r\n")]
    #[case("Call-ID: a\r\ni: a\r\n")]
    #[case("CSeq: 4294967296 A\r\n")]
    #[case("CSeq: 1\r\nCall-ID:\r\n")]
    #[case("CSeq: 1 A\r\nCall-ID: a\r\n b\r\nVia: SIP/2.0/TCP x;branch=\r\n")]
    #[case("v: SIP/2.0/TCP x, SIP/2.0/TCP y;branch=z\r\n")]
    #[case("Via: nothing\r\nVia: SIP/2.0/TCP y;branch=z\r\n")]
    fn what_cannot_be_read_ties_no_answer_in_either(#[case] headers: &str) {
        let text = format!("A sip:x SIP/2.0\r\n{headers}\r\n");
        let message = Message::parse(text.as_bytes(), &Limits::DEFAULT).expect("a message");
        assert_eq!(Key::of_draft(&Draft::from_message(&message)), Key::of(&message));
    }
}
