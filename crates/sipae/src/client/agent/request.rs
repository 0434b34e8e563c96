//! Requests of a user agent, and what answers them.

use super::super::{Scene, Stimulus};
use super::UserAgent;
use crate::draft::Draft;
use crate::encoding::encode_base16;
use crate::message::{HeaderName, Message, Via};

/// A session for instant messages: no media is set up.
const SESSION: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=message 5060 sip null\r\na=accept-types:text/plain\r\n";

/// A request without final answer.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// By which its outcome is known.
    pub(super) number: u64,
    /// What it was asked for as.
    pub(super) stimulus: Stimulus,
    pub(super) cseq: u32,
    /// As it was sent, without its signature.
    pub(super) draft: Draft,
    /// Whether it goes out once more when a challenge has answered it.
    pub(super) may_be_repeated: bool,
    /// A challenge has answered it.
    pub(super) is_lost: bool,
}

impl Request {
    /// A request that goes out for the first time.
    pub(super) const fn new(number: u64, stimulus: Stimulus, cseq: u32, draft: Draft) -> Self {
        Self { number, stimulus, cseq, draft, may_be_repeated: true, is_lost: false }
    }

    /// The last try: higher CSeq, new branch (RFC 3261 22.2).
    pub(super) fn again(mut self, via: &str) -> Self {
        self.cseq = self.cseq.saturating_add(1);
        self.draft.set(HeaderName::CSeq, format!("{} {}", self.cseq, self.stimulus.method()));
        self.draft.set(HeaderName::Via, via);
        Self { may_be_repeated: false, is_lost: false, ..self }
    }

    /// RFC 3261 17.1.3.
    pub(super) fn is_answered_by(&self, message: &Message<'_>) -> bool {
        self.is_of_call(message) && self.branch().is_some_and(|branch| message.branch() == Some(branch))
    }

    /// Whether Call-ID and CSeq are those of the request.
    pub(super) fn is_of_call(&self, message: &Message<'_>) -> bool {
        let (Ok(call_id), Ok(cseq)) = (message.call_id(), message.cseq()) else { return false };
        self.draft.get(HeaderName::CallId) == Some(call_id.raw())
            && cseq.value() == Some(self.cseq)
            && cseq.method == self.stimulus.method().as_bytes()
    }

    pub(super) fn can_be_challenged(&self) -> bool {
        self.stimulus != Stimulus::Cancel && !self.is_lost
    }

    /// ACK of an answer that is no success: of the same transaction, with the To of the answer (RFC 3261 17.1.1.3).
    pub(super) fn ack_of_failure(&self, answer: &Message<'_>) -> Draft {
        let to = answer.first(HeaderName::To).unwrap_or_default().unfolded();
        self.of_transaction("ACK", &to)
    }

    /// CANCEL of this request (RFC 3261 9.1).
    pub(super) fn cancel(&self) -> Draft {
        self.of_transaction("CANCEL", self.draft.get(HeaderName::To).unwrap_or_default())
    }

    fn of_transaction(&self, method: &str, to: &[u8]) -> Draft {
        let own = |name| self.draft.get(name).unwrap_or_default();
        let uri = self.draft.start_line.split(|octet| *octet == b' ').nth(1).unwrap_or_default();
        Draft::with_start_line([method.as_bytes(), b" ", uri, b" SIP/2.0"].concat())
            .with(HeaderName::Via, own(HeaderName::Via))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, own(HeaderName::From))
            .with(HeaderName::To, to)
            .with(HeaderName::CallId, own(HeaderName::CallId))
            .with(HeaderName::CSeq, format!("{} {method}", self.cseq))
            .close()
    }

    fn branch(&self) -> Option<&[u8]> {
        Via::topmost(self.draft.get(HeaderName::Via)?)?.branch()
    }
}

impl UserAgent {
    /// A request that begins a call of its own.
    pub(super) fn out_of_dialog(&self, scene: &mut Scene<'_>, stimulus: Stimulus) -> Draft {
        let (config, method) = (&self.client.config, stimulus.method());
        let to = match stimulus {
            Stimulus::Options => config.domain_of_address(),
            Stimulus::Subscribe => &config.address,
            _ => &config.peer,
        };
        let via = config.via(scene.entropy);
        let call_id = encode_base16(&scene.entropy.octets::<16>());
        let tag = encode_base16(&scene.entropy.octets::<5>());
        let draft = Draft::request(method, &format!("sip:{to}"))
            .with(HeaderName::Via, via)
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, config.own_from(&tag))
            .with(HeaderName::To, format!("<sip:{to}>"))
            .with(HeaderName::CallId, call_id)
            .with(HeaderName::CSeq, format!("1 {method}"))
            .with(HeaderName::Contact, config.contact());
        with_contents(draft, stimulus)
    }
}

fn with_contents(draft: Draft, stimulus: Stimulus) -> Draft {
    match stimulus {
        Stimulus::Message => draft.with_body("text/plain", b"Hello"),
        Stimulus::Invite => draft.with_body("application/sdp", SESSION.as_bytes()),
        Stimulus::Subscribe => {
            draft.with(HeaderName::Event, "presence").with(HeaderName::Expires, "3600").close()
        }
        _ => draft.close(),
    }
}
