//! The established security associations of a server ([MS-SIPAE] 3.3.1).

use std::collections::BTreeMap;

use super::location::{Binding, Flow};
use crate::clock::Time;
use crate::endpoint::{EndpointId, InstanceId};
use crate::sa::{Lifetime, SecurityAssociation};

/// An established association and what belongs to it on the server's side.
#[derive(Debug)]
pub(super) struct Association {
    pub(super) sa: SecurityAssociation,
    pub(super) endpoint: EndpointId,
    pub(super) lifetime: Lifetime,
    /// The From tag of the handshake: clients change it, so nothing may depend on it.
    pub(super) handshake_tag: Vec<u8>,
    /// From and Contact of a request of this endpoint: nearly all that follow have the same.
    pub(super) written: Option<[Vec<u8>; 2]>,
    /// As the client writes it, if it does: requests to it have it in To (SIPAE-3.3.1-06).
    pub(super) epid: Option<Vec<u8>>,
    /// The connection of the last verified message.
    pub(super) flow: Flow,
    /// Only a registered endpoint gets requests.
    pub(super) binding: Option<Binding>,
    /// AP-REP, which goes out with the first message that is signed.
    pub(super) reply: Option<Vec<u8>>,
}

impl Association {
    /// A message has verified: the idle timer starts again, and the endpoint is where it came from.
    pub(super) const fn verified(&mut self, flow: Flow, now: Time) {
        self.lifetime.touch(now);
        self.flow = flow;
    }

    /// The registered URI; empty if there is none.
    pub(super) fn contact(&self) -> &[u8] {
        self.binding.as_ref().map_or(&[], |binding| &binding.contact)
    }

    /// Whether the endpoint has registered this URI.
    pub(super) fn is_at(&self, uri: &[u8]) -> bool {
        !uri.is_empty() && self.contact() == uri
    }

    fn is_registered(&self, now: Time) -> bool {
        self.binding.as_ref().is_some_and(|binding| now < binding.end)
    }
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
    /// When associations were last looked at.
    now: Time,
    by_opaque: BTreeMap<Vec<u8>, Association>,
    /// The opaques of each user's endpoints.
    by_user: BTreeMap<String, BTreeMap<InstanceId, Vec<u8>>>,
}

impl Associations {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            earliest_end: Time(u64::MAX),
            now: Time(0),
            by_opaque: BTreeMap::new(),
            by_user: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_opaque.len()
    }

    pub(super) fn contains(&self, opaque: &[u8]) -> bool {
        self.by_opaque.contains_key(opaque)
    }

    pub(super) fn get(&self, opaque: &[u8]) -> Option<&Association> {
        self.by_opaque.get(opaque)
    }

    pub(super) fn get_mut(&mut self, opaque: &[u8]) -> Option<&mut Association> {
        self.by_opaque.get_mut(opaque)
    }

    fn opaque(&self, endpoint: &EndpointId) -> Option<&Vec<u8>> {
        self.by_user.get(&endpoint.address)?.get(&endpoint.instance)
    }

    pub(super) fn by_endpoint(&self, endpoint: &EndpointId) -> Option<&Association> {
        self.by_opaque.get(self.opaque(endpoint)?)
    }

    /// Every endpoint of a user.
    pub(super) fn of_user(&self, address: &str) -> impl Iterator<Item = &Association> {
        let opaques = self.by_user.get(address).into_iter().flat_map(BTreeMap::values);
        opaques.filter_map(|opaque| self.by_opaque.get(opaque))
    }

    /// The registered endpoints of a user.
    pub(super) fn registered(&self, address: &str) -> impl Iterator<Item = &Association> {
        self.of_user(address).filter(|association| association.is_registered(self.now))
    }

    /// The association that it replaces goes first; then, where a bound is reached, the least recently used one, of the
    /// same user if that user has too many: nobody pushes out others by opening endpoints.
    pub(super) fn insert(&mut self, association: Association) {
        let EndpointId { address, instance } = association.endpoint.clone();
        if let Some(replaced) = self.opaque(&association.endpoint).cloned() {
            self.remove(&replaced);
        }
        if self.by_user.get(&address).is_some_and(|own| PER_USER <= own.len()) {
            self.remove_opaque(least_used(self.of_user(&address)));
        } else if self.capacity <= self.len() {
            self.remove_opaque(least_used(self.by_opaque.values()));
        }
        self.ends_at(association.lifetime.end());
        let opaque = association.sa.opaque.clone();
        self.by_user.entry(address).or_default().insert(instance, opaque.clone());
        self.by_opaque.insert(opaque, association);
    }

    fn remove_opaque(&mut self, opaque: Option<Vec<u8>>) {
        if let Some(opaque) = opaque {
            self.remove(&opaque);
        }
    }

    /// Forgets that endpoint of every user.
    pub(super) fn remove_instance(&mut self, instance: InstanceId) {
        let found: Vec<_> =
            self.by_user.values().filter_map(|endpoints| endpoints.get(&instance)).cloned().collect();
        for opaque in found {
            self.remove(&opaque);
        }
    }

    /// Forgets the association of an endpoint, if it has one.
    pub(super) fn remove_endpoint(&mut self, endpoint: &EndpointId) {
        self.remove_opaque(self.opaque(endpoint).cloned());
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.by_opaque.clear();
        self.by_user.clear();
    }

    /// An association may end then.
    pub(super) fn ends_at(&mut self, end: Time) {
        self.earliest_end = self.earliest_end.min(end);
    }

    pub(super) fn remove(&mut self, opaque: &[u8]) {
        let Some(removed) = self.by_opaque.remove(opaque) else { return };
        let EndpointId { address, instance } = &removed.endpoint;
        let Some(own) = self.by_user.get_mut(address) else { return };
        if own.get(instance).is_some_and(|current| current == opaque) {
            own.remove(instance);
        }
        if own.is_empty() {
            self.by_user.remove(address);
        }
    }

    /// What has ended and is not forgotten yet.
    pub(super) fn over(&self, now: Time) -> Vec<Vec<u8>> {
        let over = self.by_opaque.iter().filter(|(_, association)| association.lifetime.is_over(now));
        over.map(|(opaque, _)| opaque.clone()).collect()
    }

    /// Forgets what has ended, and tells how many.
    pub(super) fn expire(&mut self, now: Time) -> usize {
        self.now = now;
        if now < self.earliest_end {
            return 0;
        }
        let over = self.over(now);
        for opaque in &over {
            self.remove(opaque);
        }
        let ends = self.by_opaque.values().map(|association| association.lifetime.end());
        self.earliest_end = ends.min().unwrap_or(Time(u64::MAX));
        over.len()
    }
}

fn least_used<'a>(associations: impl Iterator<Item = &'a Association>) -> Option<Vec<u8>> {
    let least = associations.min_by_key(|association| association.lifetime.used());
    least.map(|association| association.sa.opaque.clone())
}
