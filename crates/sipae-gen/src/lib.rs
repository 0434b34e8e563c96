//! Scripts of [MS-SIPAE] conversations, as data.
//!
//! A [`Script`] says what the suite sends and what it waits for. What we choose is literal, what the peer chose is a
//! [`Reference`], and signing is a step of its own, so that a script can be changed, shrunk, stored and played again
//! against any target.

mod edit;
mod party;
mod script;
mod text;

pub use edit::{Edit, ParamEdit};
pub use party::{AccountRole, Connection, Label, Party};
pub use script::{Password, Recipient, Script, Signing, Span, Step, Template, Timer, Token};
pub use text::{Field, Piece, Reference, Text};
