//! MIT Kerberos' GSS-API (RFC 2743, RFC 2744), loaded at run time.
//!
//! Nothing is needed to build this, and a machine without the library hears of it in one line from [`Gss::load`]. The
//! keys of a context stay in the library: who wants signatures asks the [`Context`] for them.
//!
//! This is the only crate of the workspace that is `unsafe` inside, and it is safe to use: every object is released when
//! it is dropped, everything that the library gives is copied within bounds, and nothing is sent between threads.
//!
//! Configuration is the library's own: the environment variables `KRB5_CONFIG`, `KRB5CCNAME`, `KRB5_KTNAME`, or a
//! [`Store`] for one credential.
//!
//! ```
//! use sipae_gssapi::{Credential, Flags, Gss, GssError, Initiator, Name, Oid, Usage, Wanted};
//!
//! fn first_token() -> Result<Vec<u8>, GssError> {
//!     let gss = Gss::load()?;
//!     let own = Credential::acquire(gss, &Wanted::new(Usage::Initiate, &Oid::KRB5))?;
//!     let server = Name::principal(gss, "sip/server.contoso.com")?;
//!     let mut initiator = Initiator::new(gss, Some(own), server, Oid::KRB5, Flags::INTEGRITY);
//!     Ok(initiator.step(None)?.token)
//! }
//! # drop(first_token());
//! ```
//!
//! Not here: wrapping (SIP messages are signed, never encrypted), delegation, channel bindings.

mod buffer;
mod context;
mod credential;
mod error;
mod flags;
mod gss;
mod handshake;
mod name;
mod oid;
mod sys;

pub use context::Context;
pub use credential::{Credential, Store, Usage, Wanted};
pub use error::GssError;
pub use flags::Flags;
pub use gss::Gss;
pub use handshake::{Acceptor, Initiator, Step};
pub use name::Name;
pub use oid::{Oid, OidError};
