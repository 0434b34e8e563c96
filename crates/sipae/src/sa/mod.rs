//! Security associations ([MS-SIPAE] 3.1.1, 3.2.1, 3.3.1).

mod association;
mod lifetime;
mod window;

pub use association::{Context, Parameters, SecurityAssociation, SignOptions};
pub use lifetime::{Durations, Lifetime};
pub use window::{ReplayWindow, WindowError};
