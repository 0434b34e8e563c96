//! The requirement catalogue of [MS-SIPAE], its legal reactions, what products do, and the diagnostics of
//! its readers.
//!
//! Data only: no parsing, no protocol, no dependencies. The tables under `data/` are the source;
//! `cargo xtask catalogue` turns them into statics.
//!
//! ```
//! use sipae_spec::{ReactionClass, Requirement, Weight};
//!
//! let row = Requirement::get("SIPAE-3.3.5.1-03").ok_or("no such row")?;
//! assert_eq!(row.weight_when_broken(), Weight::Fail);
//!
//! let legal = row.legal().ok_or("not about a reaction")?;
//! assert!(legal.allows(ReactionClass::Drop));
//! assert!(!legal.allows("challenge-401".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalogue;
mod coverage;
mod diagnostics;
mod product;
mod reaction;
mod requirement;
mod source;
mod words;

pub use coverage::{Coverage, coverage};
pub use diagnostics::{Diagnostic, Severity};
pub use product::{Product, products};
pub use reaction::{LegalReactions, ReactionClass};
pub use requirement::{Confidence, Level, Profile, Requirement, Role, Weight, requirements};
pub use source::Source;
pub use words::UnknownWord;
