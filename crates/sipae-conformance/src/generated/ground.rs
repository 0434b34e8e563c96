//! What stands before a generated conversation, and what closes it.

use sipae_gen::{Connection, Handshake, Label, Mode, Party, Recipient, Script, Step, Template};

use crate::cases::PEER_SA;

pub(crate) use crate::cases::SA;
/// That of their second endpoint.
pub(crate) const SECOND_SA: &str = "second";
/// The request that must still be processed at the end.
pub(crate) const GOOD: &str = "good";

/// What stands before the first conversation of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Nothing: the conversation has connections of its own.
    Nothing,
    /// A connection.
    Connected,
    /// The association of the user.
    Established,
    /// The associations of two endpoints of the user.
    TwoEndpoints,
    /// The associations of the user and of a second user.
    TwoUsers,
}

impl Ground {
    /// The steps before.
    pub(crate) fn prelude(self, mode: Mode) -> Script {
        match self {
            Self::Nothing => Script::default(),
            Self::Connected => Script::connected(),
            Self::Established => Handshake::user().play(Script::connected(), mode),
            Self::TwoEndpoints => beside(Party::SECOND, SECOND_SA, mode),
            Self::TwoUsers => beside(Party::PEER, PEER_SA, mode),
        }
    }

    /// Whether the user has an association.
    pub(crate) const fn is_established(self) -> bool {
        !matches!(self, Self::Nothing | Self::Connected)
    }

    /// The steps behind a conversation: a fence, the answers that may have come, and a good request. A target may close
    /// the connection over what it refuses, so the good one is sent again over another.
    pub(crate) fn closing(self, script: Script, conversation: &Script, has_good: bool) -> Script {
        let fenced = self.fence(script, conversation);
        let script = sent(conversation).into_iter().fold(fenced, |script, label| script.wait(label.as_str()));
        if has_good && self.is_established() {
            let good = script.compose(GOOD, Template::new("REGISTER")).sign(GOOD, SA);
            good.ask(GOOD).retry(GOOD)
        } else {
            script
        }
    }

    fn fence(self, script: Script, conversation: &Script) -> Script {
        if self == Self::Nothing || awaits_all(conversation) {
            script
        } else if self == Self::TwoEndpoints {
            script.signed_fence(SA).signed_fence_on(SECOND_SA, Party::SECOND.connection())
        } else if self.is_established() {
            script.signed_fence(SA)
        } else {
            script.fence()
        }
    }
}

fn beside(party: Party, association: &str, mode: Mode) -> Script {
    let script = Handshake::user().play(Script::connected(), mode).connect(party.connection());
    Handshake::of(party, association).play(script, mode)
}

/// The messages that a conversation sends.
pub(crate) fn sent(conversation: &Script) -> Vec<Label> {
    let label = |step: &Step| match step {
        Step::Send { message, .. } => Some(message.clone()),
        _ => None,
    };
    conversation.steps.iter().filter_map(label).collect()
}

/// Whether a conversation waits for what it sends by itself.
fn awaits_all(conversation: &Script) -> bool {
    let awaited = |label: &Label| {
        conversation.steps.iter().any(|step| matches!(step, Step::Await { message } if message == label))
    };
    sent(conversation).iter().all(awaited)
}

/// A harmless request of the user, which a server answers itself.
pub(crate) fn request(script: Script, name: &str) -> Script {
    script.compose(name, Template::new("REGISTER"))
}

/// A MESSAGE from the user to the second one.
pub(crate) fn to_peer(script: Script, name: &str) -> Script {
    script.compose(name, Template::new("MESSAGE").to(Recipient::Account(Party::PEER)))
}

/// A connection that nobody else has: what is sent there may end it.
pub(crate) const STRANGER: Connection = Connection(20);
