//! The requirement catalogue of [MS-SIPAE], its legal reactions, and the diagnostics of its readers.
//!
//! Data only: no parsing, no protocol, no dependencies.

mod diagnostics;

pub use diagnostics::{Diagnostic, Severity};
