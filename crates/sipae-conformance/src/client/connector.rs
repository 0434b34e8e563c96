//! Ways to a client, one for each conversation.

use std::fmt::Debug;

use sipae::auth::Scheme;
use sipae::defects::Defects;
use sipae_gen::Mode;
use sipae_net::{AgentObject, AnonymousObject, ClientMemoryWire, ClientWire};

use super::objects::ClientObjects;
use super::reference::{reference_anonymous, reference_client};

/// What makes wires to one client. It can be shared between threads.
pub trait ClientConnector: Debug + Send + Sync {
    /// A client that has not been started, or one that has had good conversations where it need not be `fresh`. What is
    /// random in a client of this process follows from `seed`.
    ///
    /// # Errors
    /// When there is none to be had.
    fn wire(&self, mode: Mode, seed: u64, fresh: bool) -> Result<Box<dyn ClientWire>, String>;

    /// What a reader has to know before anything happens.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// How many there can be at once.
    fn most_at_once(&self) -> usize {
        usize::MAX
    }
}

/// The reference client, a new one for each conversation.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) defects: Defects,
}

impl ClientConnector for Reference {
    fn wire(&self, mode: Mode, seed: u64, _: bool) -> Result<Box<dyn ClientWire>, String> {
        if mode.scheme == Scheme::Digest {
            let client = AnonymousObject::new(reference_anonymous(self.defects), seed);
            let client = client.map_err(|error| error.to_string())?;
            return Ok(Box::new(ClientMemoryWire::to(Box::new(client))));
        }
        let config = reference_client(self.defects, seed)?;
        Ok(Box::new(ClientMemoryWire::to(Box::new(AgentObject::new(config, seed)))))
    }
}

/// Clients of this process.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) objects: ClientObjects,
}

impl ClientConnector for Objects {
    fn wire(&self, mode: Mode, _: u64, _: bool) -> Result<Box<dyn ClientWire>, String> {
        Ok(Box::new(ClientMemoryWire::to(self.objects.make(mode))))
    }
}

/// To nowhere, for this reason.
#[derive(Debug)]
pub(crate) struct Nowhere(pub(crate) String);

impl ClientConnector for Nowhere {
    fn wire(&self, _: Mode, _: u64, _: bool) -> Result<Box<dyn ClientWire>, String> {
        Err(self.0.clone())
    }
}
