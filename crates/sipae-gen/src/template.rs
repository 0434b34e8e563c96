//! What is sent before anything is changed in it, and to whom.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Label, Party, Text, written};

/// To whom a message goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    /// The sender's own address; the server itself for REGISTER and OPTIONS.
    #[default]
    Own,
    /// The address of this party's account.
    Account(Party),
    /// This endpoint alone, by its GRUU.
    Endpoint(Party),
    /// An address that nobody has, at the sender's host.
    Nobody,
    /// The conference of the profile.
    Conference,
    /// A conference of the same organizer that does not exist.
    NoConference,
    /// A conference that admits nobody without an account.
    ClosedConference,
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("its own address"),
            Self::Account(party) => write!(f, "the account of {party}"),
            Self::Endpoint(party) => write!(f, "the endpoint of {party}"),
            Self::Nobody => f.write_str("an address nobody has"),
            Self::Conference => f.write_str("the conference"),
            Self::NoConference => f.write_str("a conference that does not exist"),
            Self::ClosedConference => f.write_str("a conference that is closed to the anonymous"),
        }
    }
}

/// What the suite sends before anything is changed in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Template {
    /// Method.
    pub method: String,
    /// Whose From, epid and Contact; Via, Call-ID and CSeq are the executor's, fresh for each message.
    #[serde(default, skip_serializing_if = "written::is_default")]
    pub from: Party,
    /// To whom it goes.
    #[serde(default, skip_serializing_if = "written::is_default")]
    pub to: Recipient,
    /// Header fields behind the usual ones.
    #[serde(default, skip_serializing_if = "written::is_default")]
    pub headers: Vec<(String, Text)>,
    /// The INVITE in whose dialog it is: Request-URI, To and Route follow from the answer to that.
    #[serde(default, skip_serializing_if = "written::is_default")]
    pub within: Option<Label>,
}

impl Template {
    /// A request of the user without further header fields.
    #[must_use]
    pub fn new(method: &str) -> Self {
        Self {
            method: method.to_owned(),
            from: Party::USER,
            to: Recipient::Own,
            headers: Vec::new(),
            within: None,
        }
    }

    /// The same from another party.
    #[must_use]
    pub const fn of(mut self, party: Party) -> Self {
        self.from = party;
        self
    }

    /// The same to somebody else.
    #[must_use]
    pub const fn to(mut self, recipient: Recipient) -> Self {
        self.to = recipient;
        self
    }

    /// The same in the dialog of an INVITE that was accepted.
    #[must_use]
    pub fn within(mut self, invite: &str) -> Self {
        self.within = Some(invite.into());
        self
    }

    /// The same with one more header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
