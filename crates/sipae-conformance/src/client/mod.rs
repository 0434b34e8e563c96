//! Clients under test: the suite is their server, a good one and a bad one.

mod buffers;
mod home;
mod pace;
mod play;
mod seen;

pub use home::{Class, HomeConfig, Read};
pub use pace::ClientPace;
pub use seen::{Connections, Conversation, Heard, Next, Reply, Sent};
