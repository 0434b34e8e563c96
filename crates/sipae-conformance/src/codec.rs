//! Codecs under test: the golden vectors and generated properties, put to whoever computes.
//!
//! A codec is asked operations (`docs/codec-protocol.md`). What its answers must be follows from the golden vectors, and
//! where inputs are generated from the [reference](ReferenceCodec), which is itself held by the vectors and by a second
//! implementation. [`cases`] are tied to rows of the catalogue like all others.

mod asked;
mod case;
mod judge;
mod process;
mod property;
mod reference;
mod rows;
pub(crate) mod run;

pub use asked::{Answered, Asked, Breakdown, InProcess, OpenError};
pub use case::{CodecCase, cases};
pub use process::CodecProcess;
pub use reference::ReferenceCodec;
