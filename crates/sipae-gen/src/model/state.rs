//! What a server keeps of each endpoint, as far as it is known.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{PARTIES, Request};
use super::prediction::Rows;
use super::window::Window;
use crate::{AccountRole, Party};

/// Whether an association is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// For certain.
    Alive,
    /// A target may have kept it or not.
    Doubtful,
    /// It has ended; by these rows.
    Over(Rows),
}

impl Life {
    pub(super) fn doubted(&mut self) {
        if *self == Self::Alive {
            *self = Self::Doubtful;
        }
    }
}

/// Percents of the idle timer that have passed: since the last use, at most and at least; and since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Idle {
    pub(super) most: u32,
    pub(super) least: u32,
    pub(super) all: u32,
}

/// An association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Association {
    /// The action that made it, which gives it its name.
    pub(super) made_by: usize,
    pub(super) life: Life,
    pub(super) window: Window,
    pub(super) idle: Idle,
    /// A REGISTER may have been accepted under it: its idle timer is then as long as that says.
    pub(super) may_last: bool,
    pub(super) disturbed: Disturbed,
}

/// What has come between the last good message of an association and the next: a target that does not take that one breaks
/// the rule about this. What is least sure goes before the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Disturbed {
    #[default]
    No,
    /// A forged message.
    Forged,
    /// A request without credential.
    Bare,
    /// The beginning of another handshake.
    Begun,
    /// Time.
    Waited,
}

impl Association {
    pub(super) const fn new(made_by: usize, life: Life, may_last: bool) -> Self {
        let idle = Idle { most: 0, least: 0, all: 0 };
        Self { made_by, life, window: Window::new(), idle, may_last, disturbed: Disturbed::No }
    }

    fn merged(&self, other: &Self) -> Self {
        Self {
            made_by: self.made_by,
            life: if self.life == other.life { self.life } else { Life::Doubtful },
            window: self.window.merged(&other.window),
            idle: Idle {
                most: self.idle.most.max(other.idle.most),
                least: self.idle.least.min(other.idle.least),
                all: self.idle.all.max(other.idle.all),
            },
            may_last: self.may_last || other.may_last,
            disturbed: self.disturbed.max(other.disturbed),
        }
    }
}

/// Whether an endpoint is registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Registration {
    #[default]
    No,
    Possible,
    Yes,
}

impl Registration {
    pub(super) const fn doubted(self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Possible | Self::Yes => Self::Possible,
        }
    }
}

/// An endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The oldest first; the last one is in use.
    pub(super) associations: Vec<Association>,
    pub(super) registration: Registration,
    pub(super) is_connected: bool,
    /// Its REGISTER was accepted over the present connection.
    pub(super) is_here: bool,
    /// Nothing has been refused on the present connection.
    pub(super) is_clean: bool,
}

impl Endpoint {
    /// Over the present connection nothing is known yet.
    pub(super) const fn connect(&mut self) {
        self.is_connected = true;
        self.is_clean = true;
        self.is_here = false;
    }

    /// Whether a request reaches it for certain; `None` where it may.
    fn is_reached(&self) -> Option<bool> {
        match self.registration {
            Registration::No => Some(false),
            Registration::Possible => None,
            Registration::Yes => {
                let is_alive = self.associations.last().is_some_and(|last| last.life == Life::Alive);
                (is_alive && self.is_here).then_some(true)
            }
        }
    }

    /// Whether its next REGISTER is accepted for certain, and changes nothing.
    pub(super) fn is_steady(&self) -> bool {
        let takes_next = self.associations.last().is_some_and(|last| last.window.takes_next());
        takes_next && self.is_reached() == Some(true)
    }

    pub(super) fn disturb(&mut self, by: Disturbed) {
        for association in &mut self.associations {
            association.disturbed = association.disturbed.max(by);
        }
    }

    fn merged(&self, other: &Self) -> Self {
        let pairs = self.associations.iter().zip(&other.associations);
        let is_same = self.registration == other.registration;
        Self {
            associations: pairs.map(|(one, other)| one.merged(other)).collect(),
            registration: if is_same { self.registration } else { Registration::Possible },
            is_connected: self.is_connected && other.is_connected,
            is_here: self.is_here && other.is_here,
            is_clean: self.is_clean && other.is_clean,
        }
    }
}

/// What becomes of a message that comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Refused(Rows),
    Denied(Rows),
    Open,
}

/// A signed message that has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// The action, which gives it its name.
    pub(super) by: usize,
    pub(super) party: Party,
    pub(super) request: Request,
    pub(super) again: Again,
}

impl Sent {
    fn merged(&self, other: &Self) -> Self {
        let is_same = self.again == other.again;
        Self { again: if is_same { self.again } else { Again::Open }, ..self.clone() }
    }
}

/// Whom a MESSAGE may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Audience {
    pub(super) only: BTreeSet<Party>,
    /// Each of them is reached for certain.
    pub(super) is_certain: bool,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    endpoints: BTreeMap<Party, Endpoint>,
    pub(super) sent: Vec<Sent>,
    /// How many deliveries there may have been.
    pub(super) deliveries: usize,
}

impl State {
    pub(super) fn endpoint(&self, party: Party) -> Option<&Endpoint> {
        self.endpoints.get(&party)
    }

    pub(super) fn endpoint_mut(&mut self, party: Party) -> &mut Endpoint {
        self.endpoints.entry(party).or_default()
    }

    pub(super) fn endpoints_mut(&mut self) -> impl Iterator<Item = &mut Endpoint> {
        self.endpoints.values_mut()
    }

    pub(super) fn associations(&self, party: Party) -> &[Association] {
        self.endpoint(party).map_or(&[], |endpoint| &endpoint.associations)
    }

    pub(super) fn is_connected(&self, party: Party) -> bool {
        self.endpoint(party).is_some_and(|endpoint| endpoint.is_connected)
    }

    /// The endpoints of the user to whom this account sends.
    pub(super) fn audience_of(&self, sender: AccountRole) -> Audience {
        let others = PARTIES.into_iter().filter(|party| party.account != sender);
        let reached =
            others.map(|party| (party, self.endpoint(party).map_or(Some(false), Endpoint::is_reached)));
        let may_be: Vec<(Party, Option<bool>)> = reached.filter(|(_, is)| *is != Some(false)).collect();
        Audience {
            is_certain: may_be.iter().all(|(_, is)| *is == Some(true)),
            only: may_be.into_iter().map(|(party, _)| party).collect(),
        }
    }

    /// What holds in both.
    pub(super) fn merged(&self, other: &Self) -> Self {
        let endpoints = self.endpoints.iter().map(|(party, endpoint)| {
            let merged = other.endpoints.get(party).map(|other| endpoint.merged(other));
            (*party, merged.unwrap_or_else(|| endpoint.clone()))
        });
        Self {
            endpoints: endpoints.collect(),
            sent: self.sent.iter().zip(&other.sent).map(|(one, other)| one.merged(other)).collect(),
            deliveries: self.deliveries.max(other.deliveries),
        }
    }
}
