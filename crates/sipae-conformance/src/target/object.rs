//! Targets of this process.

use std::fmt;
use std::sync::Arc;

use sipae::sa::Durations;
use sipae_net::ServerObject;
use sipae_vectors::Codec;

use crate::codec::InProcess;

/// What makes servers.
#[derive(Clone)]
pub struct ServerObjects {
    name: String,
    make: Arc<dyn Fn() -> Box<dyn ServerObject> + Send + Sync>,
}

impl ServerObjects {
    /// With a name for reports.
    pub fn new(name: &str, make: impl Fn() -> Box<dyn ServerObject> + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), make: Arc::new(make) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn make(&self) -> Box<dyn ServerObject> {
        (self.make)()
    }

    pub(crate) fn durations(&self) -> Option<Durations> {
        self.make().durations()
    }
}

/// What makes codecs.
#[derive(Clone)]
pub struct CodecObjects {
    name: String,
    make: Arc<dyn Fn() -> Box<dyn Codec + Send> + Send + Sync>,
}

impl CodecObjects {
    /// With a name for reports.
    pub fn new(name: &str, make: impl Fn() -> Box<dyn Codec + Send> + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), make: Arc::new(make) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn make(&self) -> InProcess {
        InProcess::new(&self.name, (self.make)())
    }
}

impl fmt::Debug for ServerObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerObjects({})", self.name)
    }
}

impl fmt::Debug for CodecObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodecObjects({})", self.name)
    }
}

/// They are the same if they are clones of each other.
impl PartialEq for ServerObjects {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.make, &other.make)
    }
}

impl Eq for ServerObjects {}

/// They are the same if they are clones of each other.
impl PartialEq for CodecObjects {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.make, &other.make)
    }
}

impl Eq for CodecObjects {}
