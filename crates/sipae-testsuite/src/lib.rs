//! What the tests of the workspace share: fuzz oracles, and samples that several of them read.
//!
//! The tests themselves are one binary, `tests/main.rs`, and a second one that counts allocations.

pub mod conversation;
pub mod kerberos;
pub mod oracles;
pub mod room;
pub mod sample;
