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
mod check;
pub mod conforming;
mod credentials;
mod edit;
pub mod fault;
mod file;
mod handshake;
mod mode;
pub mod model;
mod octets;
mod party;
mod script;
mod service;
mod shrink;
mod source;
mod step;
#[cfg(any(test, feature = "proptest"))]
pub mod strategy;
mod template;
mod text;
mod timer;
mod written;

pub use check::{Check, Expect};
pub use credentials::{CertificateFault, DigestChange, Password, Signing, TicketFault, Token};
pub use edit::{Edit, ParamEdit, Place};
pub use fault::Fault;
pub use file::{Got, ScriptFile, ScriptFileError};
pub use handshake::Handshake;
pub use mode::Mode;
pub use octets::{DerChange, FieldChange, OctetEdit};
pub use party::{AccountRole, Connection, Label, Party};
pub use script::Script;
pub use service::{Awaited, Form, Service, Turn};
pub use shrink::shrink;
pub use source::{Choices, Drawn, Fast, Fuzzed, Recorded, Recording, Source, Words};
pub use step::Step;
pub use template::{Recipient, Template};
pub use text::{Field, Piece, Reference, Text};
pub use timer::{Span, Timer};
