//! A conversation, and how it is written down in cases.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Connection, DigestChange, Edit, Party, Password, Signing, Span, Step, Template, Timer, Token, written,
};

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Script {
    /// Its steps in order.
    #[serde(deserialize_with = "written::steps")]
    pub steps: Vec<Step>,
}

/// Writing scripts.
impl Script {
    /// Opens the first connection.
    #[must_use]
    pub fn connected() -> Self {
        Self::default().connect(Connection::FIRST)
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds the steps that each item gives.
    #[must_use]
    pub fn each<T>(self, items: impl IntoIterator<Item = T>, add: impl FnMut(Self, T) -> Self) -> Self {
        items.into_iter().fold(self, add)
    }

    /// Adds steps that may end early.
    #[must_use]
    pub fn attempt(self, part: impl FnOnce(Self) -> Self) -> Self {
        self.step(Step::Attempt(part(Self::default())))
    }

    /// Every step, those of attempts included.
    #[must_use]
    pub fn all_steps(&self) -> Vec<&Step> {
        let mut steps = Vec::new();
        for step in &self.steps {
            steps.push(step);
            if let Step::Attempt(part) = step {
                steps.extend(part.all_steps());
            }
        }
        steps
    }

    /// How many connections are opened, one after the other or at once.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.all_steps().into_iter().filter(|step| matches!(step, Step::Connect(_))).count()
    }

    /// The timers of the target that it lets pass, each once.
    #[must_use]
    pub fn timers(&self) -> BTreeSet<Timer> {
        let timer = |step: &Step| match step {
            Step::Elapse(span) => Some(span.timer),
            _ => None,
        };
        self.all_steps().into_iter().filter_map(timer).collect()
    }

    /// Opens a connection.
    #[must_use]
    pub fn connect(self, connection: Connection) -> Self {
        self.step(Step::Connect(connection))
    }

    /// Closes a connection.
    #[must_use]
    pub fn disconnect(self, connection: Connection) -> Self {
        self.step(Step::Disconnect(connection))
    }

    /// Makes a message.
    #[must_use]
    pub fn compose(self, message: &str, template: Template) -> Self {
        self.step(Step::Compose { message: message.into(), template })
    }

    /// Makes a copy of a message as it was sent.
    #[must_use]
    pub fn copy(self, message: &str, of: &str) -> Self {
        self.step(Step::Copy { message: message.into(), of: of.into() })
    }

    /// Makes a copy of a message as it was sent, with another Via branch.
    #[must_use]
    pub fn replay(self, message: &str, of: &str) -> Self {
        self.copy(message, of).edit(message, Edit::Branch)
    }

    /// Makes a copy of a message as it reached a party.
    #[must_use]
    pub fn copy_delivered(self, message: &str, of: &str, party: Party) -> Self {
        self.step(Step::CopyDelivered { message: message.into(), of: of.into(), party })
    }

    /// Signs a message with the next number.
    #[must_use]
    pub fn sign(self, message: &str, association: &str) -> Self {
        self.sign_with(message, association, Signing::default())
    }

    /// Signs a message with this number.
    #[must_use]
    pub fn sign_number(self, message: &str, association: &str, number: u32) -> Self {
        self.sign_with(message, association, Signing { number: Some(number), ..Signing::default() })
    }

    /// Signs a message.
    #[must_use]
    pub fn sign_with(self, message: &str, association: &str, signing: Signing) -> Self {
        self.step(Step::Sign { message: message.into(), association: association.into(), signing })
    }

    /// Makes the signature of a message anew, after its credential has been edited.
    #[must_use]
    pub fn resign(self, message: &str, association: &str) -> Self {
        self.step(Step::Resign { message: message.into(), association: association.into() })
    }

    /// Adds an unsigned credential.
    #[must_use]
    pub fn credential(self, message: &str, association: &str, token: Token) -> Self {
        self.step(Step::Credential { message: message.into(), association: association.into(), token })
    }

    /// Changes a message.
    #[must_use]
    pub fn edit(self, message: &str, edit: Edit) -> Self {
        self.step(Step::Edit { message: message.into(), edit })
    }

    /// Sends a message on the connection of its party.
    #[must_use]
    pub fn send(self, message: &str) -> Self {
        self.step(Step::Send { message: message.into(), connection: None })
    }

    /// Sends a message on another connection.
    #[must_use]
    pub fn send_on(self, message: &str, connection: Connection) -> Self {
        self.step(Step::Send { message: message.into(), connection: Some(connection) })
    }

    /// Waits for the answer to a message.
    #[must_use]
    pub fn wait(self, message: &str) -> Self {
        self.step(Step::Await { message: message.into() })
    }

    /// Sends a message and waits for its answer.
    #[must_use]
    pub fn ask(self, message: &str) -> Self {
        self.send(message).wait(message)
    }

    /// Sends a message again if its connection has ended.
    #[must_use]
    pub fn retry(self, message: &str) -> Self {
        self.step(Step::Retry { message: message.into() })
    }

    /// Waits until a message has reached a party.
    #[must_use]
    pub fn expect(self, message: &str, party: Party) -> Self {
        self.step(Step::Expect { message: message.into(), party })
    }

    /// Makes a response to a message that has reached a party.
    #[must_use]
    pub fn respond(self, message: &str, to: &str, party: Party, status: u16) -> Self {
        self.step(Step::Respond { message: message.into(), to: to.into(), party, status })
    }

    /// Takes what a challenge says.
    #[must_use]
    pub fn adopt(self, association: &str, message: &str) -> Self {
        self.step(Step::Adopt { association: association.into(), message: message.into() })
    }

    /// Answers the CHALLENGE.
    #[must_use]
    pub fn authenticate(self, association: &str, party: Party, password: Password) -> Self {
        self.step(Step::Authenticate { association: association.into(), party, password })
    }

    /// Adds a right Digest credential.
    #[must_use]
    pub fn digest(self, message: &str, challenge: &str) -> Self {
        self.digest_with(message, challenge, DigestChange::default())
    }

    /// Adds a Digest credential.
    #[must_use]
    pub fn digest_with(self, message: &str, challenge: &str, change: DigestChange) -> Self {
        self.step(Step::Digest { message: message.into(), challenge: challenge.into(), change })
    }

    /// A bare request and its answer on the first connection.
    #[must_use]
    pub fn fence(self) -> Self {
        self.fence_on(Connection::FIRST)
    }

    /// A bare request and its answer.
    #[must_use]
    pub fn fence_on(self, connection: Connection) -> Self {
        self.step(Step::Fence { connection, association: None })
    }

    /// A signed request and its answer on the first connection.
    #[must_use]
    pub fn signed_fence(self, association: &str) -> Self {
        self.signed_fence_on(association, Connection::FIRST)
    }

    /// A signed request and its answer.
    #[must_use]
    pub fn signed_fence_on(self, association: &str, connection: Connection) -> Self {
        self.step(Step::Fence { connection, association: Some(association.into()) })
    }

    /// Lets so much of a timer pass.
    #[must_use]
    pub fn elapse(self, timer: Timer, percent: u32) -> Self {
        self.step(Step::Elapse(Span { timer, percent }))
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}
