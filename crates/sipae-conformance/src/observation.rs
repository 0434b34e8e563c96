//! What was seen while a script ran.

use std::collections::BTreeMap;

use sipae::auth::ChallengeKind;
use sipae::auth::{AuthHeader, Scheme};
use sipae::message::{Limits, Message};
use sipae_events::{Exchanged, SignatureSeen};
use sipae_gen::{Label, Party};

use crate::reaction::{Reaction, Signature};

/// What became of one message that was sent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What the target did.
    pub reaction: Reaction,
    /// The connection that it was sent over, by number; 0 where that is not known.
    pub connection: u32,
    /// The octets that were sent.
    pub sent: Vec<u8>,
    /// The final answer, if there was one.
    pub answer: Option<Vec<u8>>,
    /// The place of the answer among all messages.
    pub place: Option<u32>,
    /// Status and signature of the provisional answers.
    pub provisional: Vec<(u16, Signature)>,
    /// How often and to whom the target delivered it.
    pub deliveries: Vec<Delivery>,
}

impl Seen {
    /// A message that was sent as these octets and not answered.
    #[must_use]
    pub const fn unanswered(reaction: Reaction, sent: Vec<u8>) -> Self {
        Self {
            reaction,
            connection: 0,
            sent,
            answer: None,
            place: None,
            provisional: Vec::new(),
            deliveries: Vec::new(),
        }
    }
}

/// A message of the suite that the target has delivered to a party of the suite.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Whose connection it came over.
    pub to: Party,
    /// The octets that came.
    pub octets: Vec<u8>,
    /// How it is signed, as the association of that party tells.
    pub signature: Signature,
    /// The association that its signature verifies under, where that is not the one of the party.
    pub signed_by: Option<Label>,
}

impl Delivery {
    /// Looks at the message.
    pub fn look<T>(&self, look: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        Message::parse(&self.octets, &Limits::DEFAULT).ok().map(|message| look(&message))
    }
}

/// Everything that a judge may look at.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// The scheme under test.
    pub scheme: Scheme,
    /// What the identifiers of the suite followed from.
    pub seed: u64,
    /// By name of the message.
    pub messages: BTreeMap<Label, Seen>,
    /// What went over the wires, in order, as much as a report can hold.
    pub exchange: Vec<Exchanged>,
    /// How many messages came after those.
    pub exchange_left_out: u64,
    /// The signature buffers of answers and deliveries whose signature proves nothing.
    pub signatures: Vec<SignatureSeen>,
    /// Connections that ended before the suite closed them, by number.
    pub ended: BTreeMap<u32, Reaction>,
    /// Requests of the target that the suite did not send: method, and whether they were signed.
    pub unasked: Vec<(String, Signature)>,
    /// Answers that fit no message of the script: where one came, nothing was silent for sure.
    pub unmatched: u32,
    /// Why the script could not be played to its end.
    pub broken: Option<String>,
    /// Whether a connection could not be opened, or the target may have ended for another reason.
    pub is_unreachable: bool,
    /// Whether that was for want of anybody who takes connections.
    pub is_absent: bool,
    /// Why time could not be made to pass for the target: nothing that was seen says anything of its timers.
    pub clock_lost: Option<String>,
}

impl Observation {
    /// What was seen of a message; `None` if it was never sent.
    #[must_use]
    pub fn seen(&self, message: &str) -> Option<&Seen> {
        self.messages.get(&message.into())
    }

    /// What the target did about a message; `None` if it was never sent.
    #[must_use]
    pub fn reaction(&self, message: &str) -> Option<&Reaction> {
        self.seen(message).map(|seen| &seen.reaction)
    }

    /// How often and to whom a message was delivered.
    #[must_use]
    pub fn deliveries(&self, message: &str) -> &[Delivery] {
        self.seen(message).map_or(&[], |seen| &seen.deliveries)
    }

    /// Looks at the final answer to a message; `None` if there was none.
    pub fn answer<T>(&self, message: &str, look: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        let octets = self.seen(message)?.answer.as_deref()?;
        Message::parse(octets, &Limits::DEFAULT).ok().map(|answer| look(&answer))
    }

    /// Looks at the line of a challenge that is for the scheme under test; `None` if there was none.
    pub fn challenge<T>(
        &self,
        message: &str,
        look: impl FnOnce(ChallengeKind, &AuthHeader<'_>) -> T,
    ) -> Option<T> {
        self.answer(message, |answer| challenge_of(self.scheme, answer).map(|(kind, line)| look(kind, &line)))
            .flatten()
    }

    /// Looks at a message as it was sent.
    pub fn sent<T>(&self, message: &str, look: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        let octets = &self.seen(message)?.sent;
        Message::parse(octets, &Limits::NONE).ok().map(|sent| look(&sent))
    }
}

/// The header field that challenges with a scheme, and its kind.
#[must_use]
pub fn challenge_of<'m>(scheme: Scheme, answer: &Message<'m>) -> Option<(ChallengeKind, AuthHeader<'m>)> {
    let kind = ChallengeKind::from_status(answer.status()?)?;
    let mut lines = answer.all(kind.challenge()).map(AuthHeader::read);
    lines.find(|line| line.scheme() == Some(scheme)).map(|line| (kind, line))
}
