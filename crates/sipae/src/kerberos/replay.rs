//! Authenticators that were accepted (RFC 4120 3.2.3, [MS-SIPAE] SIPAE-3.3.5.2-20).

use std::collections::BTreeSet;

use sha1::{Digest, Sha1};

use super::KerberosError;
use crate::clock::Time;

/// Remembers authenticators for as long as they would be accepted by their time.
///
/// It knows them by a digest of their encrypted octets, which nobody can change without the session key. A client that
/// makes two authenticators in one microsecond is thus not taken for a replay.
#[derive(Clone, Debug, Default)]
pub struct ReplayCache {
    /// Those that are forgotten first come first.
    seen: BTreeSet<(Time, [u8; 20])>,
}

impl ReplayCache {
    /// How many are remembered at most. When it is full nothing more is accepted until something is forgotten: a
    /// cache that forgot early would let replays in. Only who holds a ticket can fill it.
    pub const CAPACITY: usize = 65_536;

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Remembers an authenticator until `until`, or says that it was seen.
    pub(super) fn insert(&mut self, encrypted: &[u8], until: Time, now: Time) -> Result<(), KerberosError> {
        while self.seen.first().is_some_and(|(until, _)| *until < now) {
            self.seen.pop_first();
        }
        let entry = (until, Sha1::digest(encrypted).into());
        if self.seen.contains(&entry) {
            return Err(KerberosError::Replay);
        }
        if Self::CAPACITY <= self.seen.len() {
            return Err(KerberosError::ReplayCacheFull);
        }
        self.seen.insert(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authenticator_is_remembered_up_to_its_last_moment() {
        let mut cache = ReplayCache::default();
        assert_eq!(cache.insert(b"one", Time(1000), Time(0)), Ok(()));
        assert_eq!(cache.insert(b"two", Time(2000), Time(0)), Ok(()));
        assert_eq!(cache.insert(b"one", Time(1000), Time(1000)), Err(KerberosError::Replay));
        assert_eq!(cache.insert(b"three", Time(2000), Time(1001)), Ok(()));
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn a_full_cache_accepts_nothing_until_something_is_forgotten() {
        let mut cache = ReplayCache::default();
        for number in 0..u64::try_from(ReplayCache::CAPACITY).unwrap() {
            assert_eq!(cache.insert(&number.to_be_bytes(), Time(1000 + number), Time(0)), Ok(()));
        }
        assert_eq!(cache.insert(b"more", Time(9000), Time(1000)), Err(KerberosError::ReplayCacheFull));
        assert_eq!(cache.insert(b"more", Time(9000), Time(1001)), Ok(()));
        assert_eq!(cache.len(), ReplayCache::CAPACITY);
    }
}
