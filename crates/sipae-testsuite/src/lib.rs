//! What the tests of the workspace share: fuzz oracles, and samples that several of them read.
//!
//! The tests themselves are one binary, `tests/main.rs`, and a second one that counts allocations.

pub mod conversation;
pub mod kerberos;
pub mod oracles;
pub mod room;
pub mod sample;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What comes of each of these things, two of them at a time, in no order.
///
/// # Panics
/// With what one of them panics with.
pub fn two_at_a_time<I: Sync, T: Send>(things: &[I], look: impl Fn(&I) -> Option<T> + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut all = Vec::new();
        while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
            all.extend(look(thing));
        }
        all
    };
    thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        let all = workers.into_iter().map(|worker| match worker.join() {
            Ok(all) => all,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        all.flatten().collect()
    })
}
