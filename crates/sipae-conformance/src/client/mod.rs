//! Clients under test: the suite is their server, a good one and a bad one.
//!
//! A [`ClientCase`] plans a [`Service`](sipae_gen::Service), which says what the suite does as a server, and judges what
//! was seen. Bad requests are silently discarded by a right client, which a later good one that it answers proves; of bad
//! responses it shows by what the client takes for the outcome, or by what it does next.

#[cfg(feature = "harness")]
mod able;
mod buffers;
mod case;
pub mod cases;
mod connector;
mod file;
mod generated;
mod home;
mod judge;
mod live;
mod objects;
mod pace;
mod play;
mod reference;
pub(crate) mod run;
mod seen;

#[cfg(feature = "harness")]
pub(crate) use able::Able;
pub use case::{ClientCase, ClientNeeds, Part};
pub use connector::ClientConnector;
pub(crate) use connector::{Nowhere, Objects, Reference};
pub use file::ServiceFile;
pub use generated::{Foreseen, Play};
pub use home::{Class, HomeConfig, Read};
pub use judge::ClientJudge;
pub(crate) use live::{Facts, Pipes, Sockets};
pub use objects::ClientObjects;
pub use pace::{ClientPace, Haste};
pub(crate) use play::Tells;
#[doc(hidden)]
pub use reference::{reference_anonymous, reference_client};
pub use seen::{Connections, Conversation, Heard, Next, Reply, Sent};
