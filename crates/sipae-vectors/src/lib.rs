//! Golden vectors of [MS-SIPAE]: operations, answers, vector files, and their comparison.
//!
//! A vector says what to compute ([`Operation`]), from what ([`inputs`]), and what comes out ([`Expected`]).
//! Whoever computes is a [`Codec`]; [`check`] puts every vector to it and says what differs.
//!
//! The names of operations, inputs and results are those of the files, so that a codec in another language reads
//! the same words. Nothing here computes: a codec and the vectors must not share a mistake.

mod answer;
mod check;
mod compare;
mod error;
mod file;
mod golden;
mod hex;
pub mod inputs;
mod located;
mod operation;
pub mod protocol;
mod results;
mod unique;

pub use answer::{Answer, Expected};
pub use check::{Cause, Codec, Counts, Failure, Outcome, Refusal, Report, check};
pub use compare::Difference;
pub use error::{InputError, LoadError, Place};
pub use file::{MAX_FILE, Provenance, Vector, VectorFile, load_file, load_folder, parse_file};
pub use golden::golden;
pub use hex::{Hex, InvalidHex};
pub use operation::Operation;
