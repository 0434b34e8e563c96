//! Conformance suite for [MS-SIPAE]: whom to test, what to test, and how to judge it.
//!
//! The golden vectors are put to a [`Codec`](sipae_vectors::Codec); [`codec::ReferenceCodec`] is the reference
//! implementation in that role.
//!
//! A [`Case`](case::Case) plans a [`Script`](sipae_gen::Script) and judges what was seen; [`execute`] plays scripts
//! over any wire; [`run`](run::run) decides needs, opens gates and emits events.

mod buffers;
pub mod campaign;
pub mod case;
pub mod cases;
pub mod client;
pub mod codec;
pub mod control;
pub mod credentials;
mod edits;
pub mod execute;
mod failure;
pub mod filter;
pub mod gate;
mod generated;
#[cfg(feature = "harness")]
pub mod harness;
pub mod judge;
mod ledger;
mod needs;
pub mod observation;
pub mod pace;
mod plan;
pub mod probe;
pub mod profile;
pub mod reaction;
pub mod replay;
pub mod run;
mod schedule;
pub mod target;
mod trial;

pub use generated::{Effort, Stop, Stopwatch};
