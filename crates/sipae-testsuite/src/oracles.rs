//! Fuzz oracles: properties that hold for any octets whatsoever.
//!
//! Each oracle takes what a peer might send and panics when a property does not hold, so that one function serves the
//! fuzzer, the kept inputs (`tests/fuzz_regression.rs`) and anybody with a file at hand.

#![expect(clippy::panic, reason = "a property that does not hold is told to the fuzzer by a panic")]

mod auth_header;
mod buffer;
mod claims;
mod client;
pub mod client_sequence;
mod codec_protocol;
mod forwarding;
mod kerberos;
mod message;
mod message_stream;
mod ntlm;
mod octets;
mod script;
mod server;
pub mod server_sequence;
mod tls_dsk;
mod user;
mod vectors_loader;

pub use auth_header::auth_header;
pub use buffer::buffer;
pub use client::client;
pub use client_sequence::client_sequence;
pub use codec_protocol::codec_protocol;
pub use forwarding::forwarding;
pub use kerberos::kerberos;
pub use message::message;
pub use message_stream::message_stream;
pub use ntlm::ntlm;
pub use script::script;
pub use server::server;
pub use server_sequence::server_sequence;
pub use tls_dsk::tls_dsk;
pub use vectors_loader::vectors_loader;

/// A property of all octets.
pub type Oracle = fn(&[u8]);

/// Every oracle by the name of its fuzz target.
pub const ORACLES: &[(&str, Oracle)] = &[
    ("auth_header", auth_header),
    ("buffer", buffer),
    ("client", client),
    ("client_sequence", client_sequence),
    ("codec_protocol", codec_protocol),
    ("forwarding", forwarding),
    ("kerberos", kerberos),
    ("message", message),
    ("message_stream", message_stream),
    ("ntlm", ntlm),
    ("script", script),
    ("server", server),
    ("server_sequence", server_sequence),
    ("tls_dsk", tls_dsk),
    ("vectors_loader", vectors_loader),
];
