//! The authentication header fields of [MS-SIPAE] 2.2.1-2.2.3: challenges, credentials and server signatures.
//!
//! Reading is tolerant: it never fails, gives every value as written, and tells what is wrong as findings. Absent,
//! empty and present are three different things: `None`, `Some(empty)` and `Some(text)`. Writing is canonical, in an
//! order and quoting that can be chosen, because products differ.

mod findings;
mod header;
mod kind;
mod param;
mod scheme;
mod walk;
mod write;

/// Parameters and problems that are looked at in one field. More than that is no product's, and makes it malformed.
pub const MAX_STEPS: usize = 128;

pub use findings::Finding;
pub use header::AuthHeader;
pub use kind::ChallengeKind;
pub use param::AuthParam;
pub use scheme::Scheme;
pub use walk::{RawParam, Step, Walk};
pub(crate) use write::write_known;
pub use write::{AuthWriter, Quoting, Style};
