//! What the tests of the workspace share: fuzz oracles, and samples that several of them read.

pub mod conversation;
pub mod oracles;
pub mod sample;
