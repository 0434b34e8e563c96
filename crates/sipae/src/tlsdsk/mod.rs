//! TLS-DSK: a TLS handshake with certificates of both sides, carried in `gssapi-data` ([MS-SIPAE] 3.2.5.1, 3.3.5.2).
//!
//! No octet of SIP is ever encrypted with it: the handshake gives key material, and messages are signed with an HMAC
//! under it. This module has what is particular to the scheme, without a TLS library: records and flights, the state
//! machine around a [`TlsEngine`], hash, keys and signatures. Engines are handed in by a [`TlsProvider`].
//!
//! Not here: abbreviated handshakes, which the scheme does not use, and TLS 1.3, whose exporter is another one.

mod alert;
mod engine;
mod error;
mod flight;
mod handshake;
mod hash;
mod hmac;
mod mac;
mod prf;
mod records;

pub use alert::{Alert, AlertLevel};
pub use engine::{PeerCertificate, TlsEngine, TlsOutcome, TlsProvider};
pub use error::TlsDskError;
pub use flight::{Flight, HandshakeMessage, HandshakeMessages, HandshakeType, coalesce, version_of_server};
pub use handshake::{MOST_FLIGHTS, TlsHandshake};
pub use hash::Hash;
pub use hmac::hmac;
pub use mac::TlsDskMac;
pub use prf::{KEY_MATERIAL_LABEL, KEY_MATERIAL_LENGTH, Prf, key_material, prf};
pub use records::{ContentType, LONGEST_FLIGHT, LONGEST_PLAINTEXT, MOST_RECORDS, Record, Records};

/// TLS 1.0 on the wire.
pub const TLS_1_0: u16 = 0x0301;
/// TLS 1.1 on the wire.
pub const TLS_1_1: u16 = 0x0302;
/// TLS 1.2 on the wire.
pub const TLS_1_2: u16 = 0x0303;

#[cfg(test)]
mod tests;
