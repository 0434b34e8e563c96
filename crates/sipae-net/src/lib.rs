//! Wires between the suite and a target, programs that are started, and a host for the reference server.
//!
//! Threads and blocking sockets: one reader for each connection, one channel into whoever owns the wire; the host has
//! a writer for each connection too. Everything that has to be exact, such as silence in memory, is exact; everything
//! that a peer sends, or does not take, is bounded.

mod agent_object;
mod anonymous_object;
mod client_host;
mod client_object;
mod client_wire;
mod entropy;
mod host;
mod layer;
mod line;
mod listening;
mod memory;
mod object;
mod pipe;
mod process;
mod program;
#[cfg(feature = "provisioning")]
mod provisioning;
mod socket;
mod tls;
mod tls_dsk;
mod wire;

pub use agent_object::AgentObject;
pub use anonymous_object::AnonymousObject;
pub use client_host::{ClientControl, ClientEnd, ClientHost};
pub use client_object::{ClientAct, ClientObject};
pub use client_wire::{ClientExit, ClientMemoryWire, ClientWire, Happened};
pub use entropy::{OsEntropy, SeededEntropy, system_time};
pub use host::{Host, HostControl, HostEvent, serve_pipes};
pub use listening::Listening;
pub use memory::{MemoryWire, START as MEMORY_START, panic_message};
pub use object::{Act, ReferenceObject, ServerObject};
pub use pipe::{End, Ends, PipeWire};
pub use process::{Errors, Process, end_all, told};
pub use program::{LONGEST_LINE, Program, ProgramError, read_line};
#[cfg(feature = "provisioning")]
pub use provisioning::{Asked, Provisioning, ProvisioningSettings, ProvisioningStep};
pub use socket::SocketWire;
pub use tls::{ClientIdentity, HandshakeError, ServerIdentity, TlsClient, TlsError, TlsOptions, TlsRoots};
#[cfg(feature = "tls")]
pub use tls_dsk::{Authority, TestKey};
pub use tls_dsk::{TlsDskEngine, TlsDskIdentity, TlsDskProvider, TlsDskSettings, TlsDskVersion, Validity};
pub use wire::{Arrival, Arrived, Wire, WireError};
