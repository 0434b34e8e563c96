//! What is legal, and what was seen.

use std::collections::BTreeSet;
use std::fmt;

use crate::{Connection, Party};

/// Rows of the catalogue: what a deviation breaks, and how much that weighs, is theirs to say.
pub type Rows = &'static [&'static str];

/// What a right target does about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expected {
    /// A fresh challenge.
    Challenged,
    /// It is processed under its association: a success, or a signed final answer.
    Accepted,
    /// Anything else: silence, a challenge, a refusal, a closed connection.
    Refused,
    /// The same, and a target that has found the association may sign the refusal, whatever its status: no success.
    Denied,
    /// Either is legal, or the catalogue is not sure.
    Open,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Challenged => "challenged",
            Self::Accepted => "processed under its association",
            Self::Refused => "not processed",
            Self::Denied => "no success",
            Self::Open => "anything",
        })
    }
}

/// Whom a MESSAGE reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Nobody but these.
    pub only: BTreeSet<Party>,
    /// At least one of them.
    pub reaches: bool,
    /// What another delivery breaks.
    pub rows: Rows,
}

impl Delivery {
    pub(super) const fn to_nobody(rows: Rows) -> Self {
        Self { only: BTreeSet::new(), reaches: false, rows }
    }
}

/// What a right target does about the message of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// The reaction.
    pub expected: Expected,
    /// Whom it reaches; of other requests than MESSAGE nothing is said.
    pub delivery: Option<Delivery>,
    /// Why.
    pub rows: Rows,
}

impl Prediction {
    /// Nothing is said.
    pub(super) const OPEN: Self = Self::of(Expected::Open, &[]);

    pub(super) const fn of(expected: Expected, rows: Rows) -> Self {
        Self { expected, delivery: None, rows }
    }
}

/// What a target did about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// Nothing, and that is proven.
    Silent,
    /// Nothing in time.
    Missed,
    /// It closed the connection, or sent what cannot be read.
    Closed,
    /// A challenge without token.
    Challenged,
    /// A challenge with a token.
    Continued,
    /// Another final answer.
    Answered {
        /// The status.
        status: u16,
        /// Whether the signature is that of the association.
        is_signed: bool,
    },
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("no answer, though a later request was answered"),
            Self::Missed => f.write_str("no answer in time"),
            Self::Closed => f.write_str("connection closed"),
            Self::Challenged => f.write_str("challenged"),
            Self::Continued => f.write_str("a handshake token"),
            Self::Answered { status, is_signed: true } => write!(f, "{status}, signed"),
            Self::Answered { status, is_signed: false } => write!(f, "{status}, not signed"),
        }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What its sender saw.
    pub seen: Seen,
    /// To whom it was delivered, each time.
    pub deliveries: Vec<Party>,
}

/// Whether a status code tells a message for what it is, a replay or something broken, so that nothing was done: a target that
/// has found the association may sign that. A CANCEL, or a request of a dialog that nobody has, is answered so by who accepts it,
/// too: of those it says nothing.
#[must_use]
pub const fn is_told_refusal(status: u16) -> bool {
    matches!(status, 400 | 403 | 481 | 482 | 500)
}

impl Outcome {
    fn is_success(&self) -> bool {
        matches!(self.seen, Seen::Answered { status: 200..300, .. })
    }

    /// Whether the message was processed: what was delivered was, whatever the sender was told.
    pub(super) fn is_processed(&self) -> bool {
        let is_signed = matches!(self.seen, Seen::Answered { is_signed: true, .. });
        self.is_success() || is_signed || !self.deliveries.is_empty()
    }

    /// Whether a registrar did what a REGISTER asks for.
    pub(super) fn is_granted(&self) -> bool {
        self.is_success()
    }

    fn is_refused(&self) -> bool {
        let is_told = matches!(self.seen, Seen::Answered { status, .. } if is_told_refusal(status));
        self.deliveries.is_empty() && (is_told || !self.is_processed())
    }

    /// A target may read a request before it asks who sent it, and find it wanting.
    const fn is_challenged(&self) -> bool {
        matches!(self.seen, Seen::Challenged | Seen::Answered { status: 400, is_signed: false })
    }

    fn fits(&self, expected: Expected) -> bool {
        match expected {
            Expected::Challenged => self.is_challenged() && self.deliveries.is_empty(),
            Expected::Accepted => self.is_processed(),
            Expected::Refused => self.is_refused(),
            Expected::Denied => !self.is_success() && self.deliveries.is_empty(),
            Expected::Open => true,
        }
    }
}

impl Prediction {
    /// Compares; `closed` are the connections that the target has ended, `own` is that of the message. Whoever closes
    /// connections owes nothing on them.
    ///
    /// # Errors
    /// The rows that are broken, what was expected, and what was seen.
    pub fn check(
        &self,
        outcome: &Outcome,
        own: Connection,
        closed: &BTreeSet<Connection>,
    ) -> Result<(), Broken> {
        let is_excused = closed.contains(&own)
            && matches!(self.expected, Expected::Accepted | Expected::Challenged)
            && !outcome.is_processed();
        if !is_excused && !outcome.fits(self.expected) {
            let seen = told(outcome);
            return Err(Broken { rows: self.rows, expected: self.expected.to_string(), seen });
        }
        self.delivery.as_ref().map_or(Ok(()), |delivery| delivery.check(outcome, own, closed))
    }
}

impl Delivery {
    fn check(&self, outcome: &Outcome, own: Connection, closed: &BTreeSet<Connection>) -> Result<(), Broken> {
        let broken = |expected: String| Broken { rows: self.rows, expected, seen: told(outcome) };
        if outcome.deliveries.iter().any(|party| !self.only.contains(party)) {
            return Err(broken(self.bounds()));
        }
        let may_miss = closed.contains(&own) || self.only.iter().any(|to| closed.contains(&to.connection()));
        if self.reaches && outcome.deliveries.is_empty() && !may_miss {
            return Err(broken(format!("delivered to {}", listed(self.only.iter().copied()))));
        }
        Ok(())
    }
}

impl Delivery {
    fn bounds(&self) -> String {
        match self.only.is_empty() {
            true => "delivered to nobody".to_owned(),
            false => format!("delivered to nobody but {}", listed(self.only.iter().copied())),
        }
    }
}

/// What was not as it is predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rows.
    pub rows: Rows,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

fn told(outcome: &Outcome) -> String {
    let Outcome { seen, deliveries } = outcome;
    match deliveries.is_empty() {
        true => seen.to_string(),
        false => format!("{seen}, delivered to {}", listed(deliveries.iter().copied())),
    }
}

fn listed(parties: impl Iterator<Item = Party>) -> String {
    let names: Vec<String> = parties.map(|party| party.to_string()).collect();
    names.join(", ")
}
