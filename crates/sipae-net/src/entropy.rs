//! Clocks and randomness of this machine.

use std::time::SystemTime;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sipae::clock::{Entropy, Time};

/// The clock of this machine.
#[must_use]
pub fn system_time() -> Time {
    Time::from(SystemTime::now())
}

/// Randomness of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// Asks again until the system has randomness to give: right after boot it may not.
    fn fill(&mut self, octets: &mut [u8]) {
        while getrandom::fill(octets).is_err() {
            std::thread::yield_now();
        }
    }
}

/// Repeatable randomness for tests and for runs with a seed.
#[derive(Clone, Debug)]
pub struct SeededEntropy(ChaCha12Rng);

impl SeededEntropy {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, octets: &mut [u8]) {
        self.0.fill_bytes(octets);
    }
}
