//! Judgement as data: what a right target does about a message of a script.

use serde::{Deserialize, Serialize};

use crate::{AccountRole, Label, Party};

/// What has to become of one message, by which row of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Check {
    /// The message.
    pub message: Label,
    /// Id of the row.
    pub requirement: String,
    /// What has to become of it.
    pub expect: Expect,
}

impl Check {
    /// A check.
    #[must_use]
    pub fn new(message: impl AsRef<str>, requirement: &str, expect: Expect) -> Self {
        Self { message: Label::new(message), requirement: requirement.to_owned(), expect }
    }
}

/// What has to become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// It is processed under its association: a signed answer, or a success.
    Accepted,
    /// It is processed, as its answer or a delivery shows. Where its connection has ended and it is not, nothing is said.
    AcceptedUnlessClosed,
    /// Any final answer that is no challenge.
    Processed,
    /// The same, if the conversation came so far that it was sent.
    ProcessedIfSent,
    /// An answer whose signature verifies, whatever its number.
    Verified,
    /// It is not processed, whatever the target does instead.
    Refused,
    /// No success, and nobody gets it; a refusal may be signed.
    NotGranted,
    /// The same, if the conversation came so far that it was sent.
    NotGrantedIfSent,
    /// One of the reactions that the row lists.
    Legal,
    /// A challenge, of whatever scheme.
    Challenged,
    /// A challenge, of whatever scheme. Where there is none, its connection has ended and it is not processed, nothing is said.
    ChallengedUnlessClosed,
    /// A handshake goes on: a continuation, or an answer under the association that it makes.
    Continued,
    /// A handshake does not go on, whatever the target does instead.
    NotContinued,
    /// No answer.
    Silent,
    /// It reaches nobody.
    Undelivered,
    /// As it reaches this party it is signed for that party.
    Delivered(Party),
    /// It reaches an endpoint of this user.
    Reaches(AccountRole),
    /// It does not reach this party.
    Misses(Party),
    /// It reaches nobody twice. Where a connection has ended and it does, nothing is said.
    Once,
}
