//! Scripts of [MS-SIPAE] conversations, as data, and generators of what a right implementation has to read.
//!
//! A [`Script`] says what the suite sends and what it waits for. What we choose is literal, what the peer chose is a
//! [`Reference`], and signing is a step of its own, so that a script can be changed, shrunk, stored and played again
//! against any target.
//!
//! A generator draws its choices from a [`Source`]; what it made is made again, or made smaller ([`shrink()`]), from the
//! record of the choices.

#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;
pub mod conforming;
mod edit;
mod handshake;
mod mode;
mod party;
mod script;
mod shrink;
mod source;
#[cfg(any(test, feature = "proptest"))]
pub mod strategy;
mod text;

pub use edit::{Edit, ParamEdit};
pub use handshake::Handshake;
pub use mode::Mode;
pub use party::{AccountRole, Connection, Label, Party};
pub use script::{
    CertificateFault, DigestChange, Password, Recipient, Script, Signing, Span, Step, Template, TicketFault,
    Timer, Token,
};
pub use shrink::shrink;
pub use source::{Drawn, Fast, Fuzzed, Recorded, Recording, Source, Words};
pub use text::{Field, Piece, Reference, Text};
