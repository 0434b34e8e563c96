//! Handshakes under way.

use std::collections::HashMap;

use crate::clock::Time;
use crate::endpoint::EndpointId;
use crate::ntlm::Challenge;
use crate::sa::Lifetime;

/// A handshake whose CHALLENGE is out.
#[derive(Debug)]
pub(super) struct Negotiation {
    pub(super) endpoint: EndpointId,
    pub(super) challenge: Challenge,
    /// The CHALLENGE as sent: the MIC covers it.
    pub(super) token: Vec<u8>,
    pub(super) lifetime: Lifetime,
}

/// Handshakes under way by opaque, bounded: a flood of first tokens pushes the oldest out and touches no established
/// association (SIPAE-3.3.5.2-30).
#[derive(Debug)]
pub(super) struct Negotiations {
    capacity: usize,
    /// No handshake ends before.
    earliest_end: Time,
    by_opaque: HashMap<Vec<u8>, Negotiation>,
}

impl Negotiations {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, earliest_end: Time(u64::MAX), by_opaque: HashMap::new() }
    }

    pub(super) fn contains(&self, opaque: &[u8]) -> bool {
        self.by_opaque.contains_key(opaque)
    }

    pub(super) fn insert(&mut self, opaque: Vec<u8>, negotiation: Negotiation) {
        if self.capacity <= self.by_opaque.len() {
            self.remove_oldest();
        }
        self.earliest_end = self.earliest_end.min(negotiation.lifetime.end());
        self.by_opaque.insert(opaque, negotiation);
    }

    fn remove_oldest(&mut self) {
        let oldest = self.by_opaque.iter().min_by_key(|(_, negotiation)| negotiation.lifetime.end());
        if let Some(opaque) = oldest.map(|(opaque, _)| opaque.clone()) {
            self.by_opaque.remove(&opaque);
        }
    }

    /// Takes the handshake out, if it is that endpoint's: a stranger who guesses an opaque ends nothing.
    pub(super) fn take(&mut self, opaque: &[u8], endpoint: &EndpointId) -> Option<Negotiation> {
        self.by_opaque.get(opaque).filter(|found| found.endpoint == *endpoint)?;
        self.by_opaque.remove(opaque)
    }

    pub(super) fn expire(&mut self, now: Time) {
        if self.earliest_end <= now {
            self.by_opaque.retain(|_, negotiation| !negotiation.lifetime.is_over(now));
            let ends = self.by_opaque.values().map(|negotiation| negotiation.lifetime.end());
            self.earliest_end = ends.min().unwrap_or(Time(u64::MAX));
        }
    }
}
