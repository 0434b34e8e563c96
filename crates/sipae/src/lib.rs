//! Reference implementation of [MS-SIPAE]: SIP authentication of Office Communications Server, Lync and Skype for
//! Business.
//!
//! Sans-IO: nothing in here reads a clock, a socket or a source of randomness. [`server::Server`] and
//! [`client::Client`] are state machines that take octets, a time and entropy, and give octets back.

mod names;
mod octets;

pub mod auth;
pub mod buffer;
pub mod client;
pub mod clock;
pub mod conference;
pub mod defects;
pub mod digest;
pub mod draft;
pub mod encoding;
pub mod endpoint;
pub mod kerberos;
pub mod message;
pub mod ntlm;
pub mod sa;
pub mod server;
pub mod side;
pub mod tlsdsk;
pub mod version;
pub mod violation;
