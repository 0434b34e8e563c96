//! Ways to a target, one for each case.

use std::fmt::Debug;
use std::time::Duration;

use sipae::auth::ChallengeKind;
use sipae::clock::Time;
use sipae::defects::Defects;
use sipae::server::ConnectionId;
use sipae_net::{Arrival, MemoryWire, PipeWire, SocketWire, TlsClient, Wire, WireError, system_time};

use super::{Command, ServerObjects, Setting, reference_config};

/// What makes wires to one target. It can be shared between threads, and a wire costs little.
pub trait Connector: Debug + Send + Sync {
    /// A fresh way to the target in this setting. What is random in a target of this process follows from
    /// `seed`.
    fn wire(&self, setting: Setting, seed: u64) -> Box<dyn Wire>;
}

/// To a reference server of its own for each wire.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) defects: Defects,
}

impl Connector for Memory {
    fn wire(&self, setting: Setting, seed: u64) -> Box<dyn Wire> {
        let mut config = reference_config(setting.mode.version);
        config.kind = setting.kind.unwrap_or(config.kind);
        if setting.kind == Some(ChallengeKind::Proxy) {
            // With 401 each scheme is offered beside the others, with 407 alone.
            config.schemes = vec![setting.mode.scheme];
        }
        config.defects = self.defects;
        Box::new(MemoryWire::new(config, seed))
    }
}

/// Over TCP.
#[derive(Debug)]
pub(super) struct Tcp {
    pub(super) address: String,
}

impl Connector for Tcp {
    fn wire(&self, _: Setting, _: u64) -> Box<dyn Wire> {
        Box::new(SocketWire::tcp(&self.address))
    }
}

/// Over TLS.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) address: String,
    pub(super) client: TlsClient,
}

impl Connector for Tls {
    fn wire(&self, _: Setting, _: u64) -> Box<dyn Wire> {
        Box::new(SocketWire::tls(&self.address, self.client.clone()))
    }
}

/// To a program for each connection.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) command: Command,
}

impl Connector for Pipes {
    fn wire(&self, _: Setting, _: u64) -> Box<dyn Wire> {
        Box::new(PipeWire::new(self.command.words()))
    }
}

/// To a server of this process for each wire.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) objects: ServerObjects,
}

impl Connector for Objects {
    fn wire(&self, _: Setting, _: u64) -> Box<dyn Wire> {
        Box::new(MemoryWire::to(self.objects.make()))
    }
}

/// To nowhere, for this reason.
#[derive(Clone, Debug)]
pub(super) struct Nowhere(pub(super) String);

impl Connector for Nowhere {
    fn wire(&self, _: Setting, _: u64) -> Box<dyn Wire> {
        Box::new(self.clone())
    }
}

impl Wire for Nowhere {
    fn connect(&mut self) -> Result<ConnectionId, WireError> {
        Err(WireError::Settings(self.0.clone()))
    }

    fn send(&mut self, connection: ConnectionId, _: &[u8]) -> Result<(), WireError> {
        Err(WireError::NotConnected(connection))
    }

    fn receive(&mut self, _: Duration) -> Option<Arrival> {
        None
    }

    fn disconnect(&mut self, _: ConnectionId) {}

    fn now(&self) -> Time {
        system_time()
    }
}
