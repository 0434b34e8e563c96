//! Clients of this process under test.

use std::fmt;
use std::sync::Arc;

use sipae_gen::Mode;
use sipae_net::ClientObject;

/// What makes clients.
#[derive(Clone)]
pub struct ClientObjects {
    name: String,
    make: Arc<dyn Fn(Mode) -> Box<dyn ClientObject> + Send + Sync>,
}

impl ClientObjects {
    /// With a name for reports. `make` is told scheme and version of the conversation that a client is for.
    pub fn new(name: &str, make: impl Fn(Mode) -> Box<dyn ClientObject> + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), make: Arc::new(make) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn make(&self, mode: Mode) -> Box<dyn ClientObject> {
        (self.make)(mode)
    }
}

impl fmt::Debug for ClientObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientObjects({})", self.name)
    }
}

/// They are the same if they are clones of each other.
impl PartialEq for ClientObjects {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.make, &other.make)
    }
}

impl Eq for ClientObjects {}
