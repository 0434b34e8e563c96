//! What was seen while a script ran.

use std::collections::BTreeMap;

use sipae::auth::ChallengeKind;
use sipae::auth::{AuthHeader, Scheme};
use sipae::message::{Limits, Message};
use sipae_events::Exchanged;
use sipae_gen::Label;

use crate::reaction::Reaction;

/// What became of one message that was sent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What the target did.
    pub reaction: Reaction,
    /// The octets that were sent.
    pub sent: Vec<u8>,
    /// The final answer, if there was one.
    pub answer: Option<Vec<u8>>,
    /// The place of the answer among all messages.
    pub place: Option<u32>,
}

/// Everything that a judge may look at.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// By name of the message.
    pub messages: BTreeMap<Label, Seen>,
    /// What went over the wires, in order, as much as a report can hold.
    pub exchange: Vec<Exchanged>,
    /// How many messages came after those.
    pub exchange_left_out: u64,
    /// Why the script could not be played to its end.
    pub broken: Option<String>,
    /// Whether a connection could not be opened.
    pub is_unreachable: bool,
}

impl Observation {
    /// What the target did about a message; `None` if it was never sent.
    #[must_use]
    pub fn reaction(&self, message: &str) -> Option<&Reaction> {
        self.messages.get(&message.into()).map(|seen| &seen.reaction)
    }

    /// Looks at the final answer to a message; `None` if there was none.
    pub fn answer<T>(&self, message: &str, look: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        let octets = self.messages.get(&message.into())?.answer.as_deref()?;
        Message::parse(octets, &Limits::DEFAULT).ok().map(|answer| look(&answer))
    }

    /// Looks at a message as it was sent.
    pub fn sent<T>(&self, message: &str, look: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        let octets = &self.messages.get(&message.into())?.sent;
        Message::parse(octets, &Limits::DEFAULT).ok().map(|sent| look(&sent))
    }
}

/// The header field that challenges with NTLM, and its kind.
#[must_use]
pub fn ntlm_challenge<'m>(answer: &Message<'m>) -> Option<(ChallengeKind, AuthHeader<'m>)> {
    let kind = ChallengeKind::from_status(answer.status()?)?;
    let mut lines = answer.all(kind.challenge()).map(AuthHeader::read);
    lines.find(|line| line.scheme() == Some(Scheme::Ntlm)).map(|line| (kind, line))
}
