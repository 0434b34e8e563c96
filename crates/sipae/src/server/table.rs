//! The established security associations of a server ([MS-SIPAE] 3.3.1).

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::endpoint::EndpointId;
use crate::sa::{Lifetime, SecurityAssociation};

/// An established association and what belongs to it on the server's side.
#[derive(Debug)]
pub(super) struct Association {
    pub(super) sa: SecurityAssociation,
    pub(super) endpoint: EndpointId,
    pub(super) lifetime: Lifetime,
    /// The From tag of the handshake: clients change it, so nothing may depend on it.
    pub(super) handshake_tag: Vec<u8>,
}

/// Endpoints that one user can have at once.
const PER_USER: usize = 64;

/// Associations by opaque, and the opaque of each endpoint. A new association of an endpoint replaces the old one
/// (SIPAE-3.3.1-03).
#[derive(Debug)]
pub(super) struct Associations {
    capacity: usize,
    /// No association ends before: most inputs need no look at all of them.
    earliest_end: Time,
    by_opaque: BTreeMap<Vec<u8>, Association>,
    by_endpoint: BTreeMap<EndpointId, Vec<u8>>,
}

impl Associations {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            earliest_end: Time(u64::MAX),
            by_opaque: BTreeMap::new(),
            by_endpoint: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_opaque.len()
    }

    pub(super) fn contains(&self, opaque: &[u8]) -> bool {
        self.by_opaque.contains_key(opaque)
    }

    pub(super) fn get_mut(&mut self, opaque: &[u8]) -> Option<&mut Association> {
        self.by_opaque.get_mut(opaque)
    }

    pub(super) fn by_endpoint(&self, endpoint: &EndpointId) -> Option<&Association> {
        self.by_endpoint.get(endpoint).and_then(|opaque| self.by_opaque.get(opaque))
    }

    /// The association that it replaces goes first; then, where a bound is reached, the least recently used one, of the
    /// same user if that user has too many: nobody pushes out others by opening endpoints.
    pub(super) fn insert(&mut self, association: Association) {
        if let Some(replaced) = self.by_endpoint.get(&association.endpoint).cloned() {
            self.remove(&replaced);
        }
        let address = &association.endpoint.address;
        let own = self.by_endpoint.keys().filter(|endpoint| endpoint.address == *address).count();
        if PER_USER <= own {
            self.remove_least_used(|other| other.address == *address);
        } else if self.capacity <= self.len() {
            self.remove_least_used(|_| true);
        }
        self.ends_at(association.lifetime.end());
        let opaque = association.sa.opaque.clone();
        self.by_endpoint.insert(association.endpoint.clone(), opaque.clone());
        self.by_opaque.insert(opaque, association);
    }

    fn remove_least_used(&mut self, of: impl Fn(&EndpointId) -> bool) {
        let candidates = self.by_opaque.iter().filter(|(_, association)| of(&association.endpoint));
        let least = candidates.min_by_key(|(_, association)| association.lifetime.used());
        if let Some(opaque) = least.map(|(opaque, _)| opaque.clone()) {
            self.remove(&opaque);
        }
    }

    /// An association may end then.
    pub(super) fn ends_at(&mut self, end: Time) {
        self.earliest_end = self.earliest_end.min(end);
    }

    pub(super) fn remove(&mut self, opaque: &[u8]) {
        let Some(removed) = self.by_opaque.remove(opaque) else { return };
        if self.by_endpoint.get(&removed.endpoint).is_some_and(|current| current == opaque) {
            self.by_endpoint.remove(&removed.endpoint);
        }
    }

    /// Forgets what has ended, and tells how many.
    pub(super) fn expire(&mut self, now: Time) -> usize {
        if now < self.earliest_end {
            return 0;
        }
        let over: Vec<Vec<u8>> = self
            .by_opaque
            .iter()
            .filter(|(_, association)| association.lifetime.is_over(now))
            .map(|(opaque, _)| opaque.clone())
            .collect();
        for opaque in &over {
            self.remove(opaque);
        }
        let ends = self.by_opaque.values().map(|association| association.lifetime.end());
        self.earliest_end = ends.min().unwrap_or(Time(u64::MAX));
        over.len()
    }
}
