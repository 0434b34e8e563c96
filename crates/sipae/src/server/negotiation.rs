//! Handshakes under way.

use std::collections::BTreeMap;

use super::ConnectionId;
use crate::clock::Time;
use crate::endpoint::EndpointId;
use crate::ntlm::Challenge;
use crate::sa::Lifetime;
use crate::tlsdsk::TlsHandshake;

/// A handshake under way.
#[derive(Debug)]
pub(super) struct Negotiation {
    pub(super) connection: ConnectionId,
    pub(super) endpoint: EndpointId,
    pub(super) stage: Stage,
    pub(super) lifetime: Lifetime,
}

/// What a handshake waits for.
#[derive(Debug)]
pub(super) enum Stage {
    /// The AUTHENTICATE.
    Ntlm {
        challenge: Challenge,
        /// The CHALLENGE as sent: the MIC covers it.
        token: Vec<u8>,
    },
    /// The next flight, or the signed request behind the last one.
    TlsDsk(Box<TlsHandshake>),
}

/// Handshakes under way by opaque, bounded for each connection and in all: a flood of first tokens pushes out the
/// oldest of the flood itself, and touches no established association (SIPAE-3.3.5.2-30).
#[derive(Debug)]
pub(super) struct Negotiations {
    capacity: usize,
    /// No handshake ends before.
    earliest_end: Time,
    /// Counts up, so that the oldest is known whatever the clock says.
    serial: u64,
    by_opaque: BTreeMap<Vec<u8>, (u64, Negotiation)>,
}

/// Handshakes that one connection can have under way.
const PER_CONNECTION: usize = 32;

impl Negotiations {
    pub(super) const fn new(capacity: usize) -> Self {
        Self { capacity, earliest_end: Time(u64::MAX), serial: 0, by_opaque: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_opaque.len()
    }

    pub(super) fn contains(&self, opaque: &[u8]) -> bool {
        self.by_opaque.contains_key(opaque)
    }

    pub(super) fn get(&self, opaque: &[u8]) -> Option<&Negotiation> {
        self.by_opaque.get(opaque).map(|(_, negotiation)| negotiation)
    }

    pub(super) fn insert(&mut self, opaque: Vec<u8>, negotiation: Negotiation) {
        let connection = negotiation.connection;
        let own = self.by_opaque.values().filter(|(_, other)| other.connection == connection).count();
        if PER_CONNECTION <= own {
            self.remove_oldest(|other| other.connection == connection);
        } else if self.capacity <= self.by_opaque.len() {
            self.remove_oldest(|_| true);
        }
        self.earliest_end = self.earliest_end.min(negotiation.lifetime.end());
        self.serial += 1;
        self.by_opaque.insert(opaque, (self.serial, negotiation));
    }

    fn remove_oldest(&mut self, of: impl Fn(&Negotiation) -> bool) {
        let candidates = self.by_opaque.iter().filter(|(_, (_, negotiation))| of(negotiation));
        let oldest = candidates.min_by_key(|(_, (serial, _))| *serial).map(|(opaque, _)| opaque.clone());
        if let Some(opaque) = oldest {
            self.by_opaque.remove(&opaque);
        }
    }

    /// How many have been begun until now.
    pub(super) const fn begun(&self) -> u64 {
        self.serial
    }

    /// The opaque of a handshake of this endpoint.
    pub(super) fn opaque_of(&self, endpoint: &EndpointId) -> Option<Vec<u8>> {
        let mut all = self.by_opaque.iter();
        all.find(|(_, (_, found))| found.endpoint == *endpoint).map(|(opaque, _)| opaque.clone())
    }

    /// The endpoint that began the handshake of this opaque.
    pub(super) fn endpoint_of(&self, opaque: &[u8]) -> Option<EndpointId> {
        self.by_opaque.get(opaque).map(|(_, found)| found.endpoint.clone())
    }

    /// Takes the handshake out, if it is that endpoint's: a stranger who guesses an opaque ends nothing.
    pub(super) fn take(&mut self, opaque: &[u8], endpoint: &EndpointId) -> Option<Negotiation> {
        self.by_opaque.get(opaque).filter(|(_, found)| found.endpoint == *endpoint)?;
        self.by_opaque.remove(opaque).map(|(_, negotiation)| negotiation)
    }

    pub(super) fn expire(&mut self, now: Time) {
        if self.earliest_end <= now {
            self.by_opaque.retain(|_, (_, negotiation)| !negotiation.lifetime.is_over(now));
            let ends = self.by_opaque.values().map(|(_, negotiation)| negotiation.lifetime.end());
            self.earliest_end = ends.min().unwrap_or(Time(u64::MAX));
        }
    }
}
