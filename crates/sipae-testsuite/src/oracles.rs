//! Fuzz oracles: properties that hold for any octets whatsoever.
//!
//! Each oracle takes what a peer might send and panics when a property does not hold, so that one function serves the
//! fuzzer, the kept inputs (`tests/suite/fuzz_regression.rs`) and anybody with a file at hand.

#![expect(clippy::panic, reason = "a property that does not hold is told to the fuzzer by a panic")]

mod auth_header;
mod client;
mod forwarding;
mod kerberos;
mod message;
mod message_stream;
mod ntlm;
mod octets;
mod script;
mod server;
mod tls_dsk;

pub use auth_header::auth_header;
pub use client::client;
pub use forwarding::forwarding;
pub use kerberos::kerberos;
pub use message::message;
pub use message_stream::message_stream;
pub use ntlm::ntlm;
pub use script::script;
pub use server::server;
pub use tls_dsk::tls_dsk;

/// A property of all octets.
pub type Oracle = fn(&[u8]);

/// Every oracle by the name of its fuzz target.
pub const ORACLES: &[(&str, Oracle)] = &[
    ("auth_header", auth_header),
    ("client", client),
    ("forwarding", forwarding),
    ("kerberos", kerberos),
    ("message", message),
    ("message_stream", message_stream),
    ("ntlm", ntlm),
    ("script", script),
    ("server", server),
    ("tls_dsk", tls_dsk),
];
