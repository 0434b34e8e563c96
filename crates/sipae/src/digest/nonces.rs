//! The nonces that a server has issued ([MS-SIPAE] SIPAE-3.3.5.4-04).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{DigestCredential, DigestError};
use crate::clock::{Entropy, Time};
use crate::encoding::{decode_base64url, encode_base16_upper, encode_base64url};

/// Octets of a nonce: FILETIME and 16 random ones, as the nonce of [MS-SIPAE] 4.5 has them.
const LENGTH: usize = 24;

/// A nonce and the opaque that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Base64 for URLs, 32 characters.
    pub nonce: Vec<u8>,
    /// Eight upper-case hexadecimal digits.
    pub opaque: Vec<u8>,
}

impl Issued {
    fn new(now: Time, entropy: &mut dyn Entropy) -> Self {
        let random = entropy.octets::<16>();
        let nonce = encode_base64url(&[now.filetime().as_slice(), &random].concat()).into_bytes();
        let opaque = encode_base16_upper(&entropy.octets::<4>()).into_bytes();
        Self { nonce, opaque }
    }
}

/// The nonces that are good, and how far each has been counted.
///
/// Those that nobody has used yet and those in use have a bound each, the oldest giving way: strangers who ask for
/// challenges push out no client that has authenticated. What is pushed out costs its owner a challenge with
/// `stale=true`, no more.
#[derive(Clone, Debug)]
pub struct Nonces {
    lifetime: Duration,
    fresh: Pool,
    used: Pool,
}

impl Nonces {
    /// No nonce yet. At most `capacity` unused ones and as many used ones are remembered, each for `lifetime`.
    #[must_use]
    pub fn new(capacity: usize, lifetime: Duration) -> Self {
        Self { lifetime, fresh: Pool::new(capacity), used: Pool::new(capacity) }
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fresh.known.len() + self.used.known.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A new nonce for a challenge.
    pub fn issue(&mut self, now: Time, entropy: &mut dyn Entropy) -> Issued {
        let issued = Issued::new(now, entropy);
        let state = State { opaque: issued.opaque.clone(), since: now, holder: None, last: 0 };
        self.fresh.insert(issued.nonce.clone(), state);
        issued
    }

    /// Takes note of a credential whose response is right: its nonce must be good and its count above the last one. A
    /// credential without qop has no count, so its nonce is good once. `holder` names who uses it for what: a nonce
    /// belongs to the first one.
    ///
    /// # Errors
    /// [`DigestError::UnknownNonce`], [`DigestError::Expired`], [`DigestError::Opaque`], [`DigestError::Holder`],
    /// [`DigestError::Count`] or [`DigestError::Replayed`]. A nonce that is not even of this form is
    /// [`DigestError::Response`]: no server that has forgotten it can have issued it.
    pub fn accept(
        &mut self,
        credential: &DigestCredential,
        holder: &str,
        now: Time,
    ) -> Result<(), DigestError> {
        let count = credential.count()?;
        let nonce = credential.nonce.as_slice();
        let lifetime = self.lifetime;
        let state = self.used.known.get(nonce).or_else(|| self.fresh.known.get(nonce));
        let Some(state) = state else {
            return Err(if is_well_formed(nonce) {
                DigestError::UnknownNonce
            } else {
                DigestError::Response
            });
        };
        if lifetime <= now.since(state.since) {
            self.forget(nonce);
            return Err(DigestError::Expired);
        }
        if credential.opaque.as_ref() != Some(&state.opaque) {
            return Err(DigestError::Opaque);
        }
        if state.holder.as_deref().is_some_and(|known| known != holder) {
            return Err(DigestError::Holder);
        }
        if count.map_or(state.last != 0, |count| count <= state.last) {
            return Err(DigestError::Replayed { count: count.unwrap_or_default() });
        }
        self.counted(nonce, holder, count.unwrap_or(u32::MAX));
        Ok(())
    }

    fn counted(&mut self, nonce: &[u8], holder: &str, count: u32) {
        if let Some(state) = self.fresh.known.remove(nonce) {
            let holder = Some(holder.to_owned());
            self.used.insert(nonce.to_vec(), State { holder, last: count, ..state });
        } else if let Some(state) = self.used.known.get_mut(nonce) {
            state.last = count;
        }
    }

    /// Forgets a nonce: nothing is accepted under it any more.
    pub fn forget(&mut self, nonce: &[u8]) {
        self.fresh.known.remove(nonce);
        self.used.known.remove(nonce);
    }
}

fn is_well_formed(nonce: &[u8]) -> bool {
    decode_base64url(nonce).is_some_and(|octets| octets.len() == LENGTH)
}

#[derive(Clone, Debug)]
struct State {
    opaque: Vec<u8>,
    since: Time,
    /// Who uses it; nobody yet if there is none.
    holder: Option<String>,
    /// The highest count so far; zero before the first use.
    last: u32,
}

/// At most `capacity` nonces. `order` may name some that are gone, and never has more names than that.
#[derive(Clone, Debug)]
struct Pool {
    capacity: usize,
    known: BTreeMap<Vec<u8>, State>,
    order: VecDeque<Vec<u8>>,
}

impl Pool {
    const fn new(capacity: usize) -> Self {
        Self { capacity, known: BTreeMap::new(), order: VecDeque::new() }
    }

    fn insert(&mut self, nonce: Vec<u8>, state: State) {
        while self.capacity <= self.order.len() {
            let Some(oldest) = self.order.pop_front() else { return };
            self.known.remove(&oldest);
        }
        self.order.push_back(nonce.clone());
        self.known.insert(nonce, state);
    }
}
