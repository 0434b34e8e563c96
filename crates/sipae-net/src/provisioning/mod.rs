//! The web services behind `sts-uri`, as far as a client of TLS-DSK needs them to get its certificate ([MS-OCAUTHWS],
//! [MS-SIPAE] 3.2.5.1): a web ticket, and a certificate of a test authority for the key of the client.
//!
//! Nobody is authenticated: whoever asks gets a certificate for whatever address it names. That is for tests, and for an
//! [`Authority`] that nobody else trusts. A real service asks for Negotiate or NTLM at the web ticket, and lets the client
//! sign with a proof key; neither is done here.
//!
//! A thread accepts, and each connection has one of its own. What a client sends is bounded in octets and in time.

mod connection;
mod http;
mod pkcs10;
mod service;
mod soap;
mod xml;

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::host::{is_passing, wake};
use crate::tls_dsk::{Authority, Validity};
use crate::{OsEntropy, ServerIdentity};
use connection::Connection;
use service::Service;
pub use service::{Asked, ProvisioningStep};

/// Connections served at once; a further one is closed as soon as it is accepted.
const CONNECTIONS: usize = 64;

/// How a provisioning service is set up.
#[derive(Clone, Debug)]
pub struct ProvisioningSettings {
    /// The host by which clients are told to come; `None`: the address that is listened at.
    pub host: Option<String>,
    /// What clients get to see over https; `None`: they come over http.
    pub identity: Option<ServerIdentity>,
    /// From when until when certificates are valid; `None`: from an hour ago for thirty days.
    pub validity: Option<Validity>,
    /// How long a client may take over a request, counted from the answer to the one before.
    pub patience: Duration,
}

impl Default for ProvisioningSettings {
    fn default() -> Self {
        Self { host: None, identity: None, validity: None, patience: Duration::from_secs(10) }
    }
}

/// A running service, which ends when it is dropped.
pub struct Provisioning {
    service: Arc<Service>,
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    /// Gone only while it is dropped.
    accepting: Option<JoinHandle<()>>,
}

impl Provisioning {
    /// Listens at an address, where port 0 lets the system choose, and issues certificates of this authority.
    ///
    /// # Errors
    /// When the address cannot be had, or the system gives no thread.
    pub fn start(
        address: impl ToSocketAddrs,
        authority: impl Into<Arc<Authority>>,
        settings: ProvisioningSettings,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let base = base(address, &settings);
        let service = Arc::new(Service::new(authority.into(), base, settings.validity, Box::new(OsEntropy)));
        let stopping = Arc::new(AtomicBool::new(false));
        let door = Door { service: Arc::clone(&service), settings, stopping: Arc::clone(&stopping) };
        let accepting = thread::Builder::new().spawn(move || door.keep(&listener))?;
        Ok(Self { service, address, stopping, accepting: Some(accepting) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `sts-uri` for challenges of TLS-DSK.
    #[must_use]
    pub fn uri(&self) -> String {
        self.service.uri()
    }

    /// What was asked so far, in this order; of very many requests the last ones.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.service.asked()
    }
}

impl fmt::Debug for Provisioning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provisioning").field("uri", &self.uri()).finish_non_exhaustive()
    }
}

impl Drop for Provisioning {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let is_woken = wake(self.address);
        if let Some(accepting) = self.accepting.take()
            && is_woken
        {
            // It ends in any case; how is of no interest any more.
            let _ended = accepting.join();
        }
    }
}

/// Scheme, host and port of all URLs.
fn base(address: SocketAddr, settings: &ProvisioningSettings) -> String {
    let scheme = if settings.identity.is_some() { "https" } else { "http" };
    match &settings.host {
        Some(host) => format!("{scheme}://{host}:{}", address.port()),
        None => format!("{scheme}://{address}"),
    }
}

/// What the thread that accepts knows.
struct Door {
    service: Arc<Service>,
    settings: ProvisioningSettings,
    stopping: Arc<AtomicBool>,
}

/// A connection that is being served.
struct Guest {
    socket: TcpStream,
    thread: JoinHandle<()>,
}

impl Door {
    /// Accepts until it is told to stop, and lets nobody stay behind.
    fn keep(&self, listener: &TcpListener) {
        let mut guests: Vec<Guest> = Vec::new();
        loop {
            let accepted = listener.accept();
            if self.stopping.load(Ordering::SeqCst) {
                break;
            }
            guests.retain(|guest| !guest.thread.is_finished());
            match accepted {
                Ok((socket, _)) if guests.len() < CONNECTIONS => guests.extend(self.admit(socket).ok()),
                Ok(_) => {}
                Err(error) if is_passing(&error) => thread::sleep(Duration::from_millis(10)),
                Err(_) => break,
            }
        }
        for Guest { socket, thread } in guests {
            let _already_closed = socket.shutdown(Shutdown::Both);
            let _ended = thread.join();
        }
    }

    fn admit(&self, socket: TcpStream) -> io::Result<Guest> {
        let service = Arc::clone(&self.service);
        let patience = self.settings.patience;
        let connection =
            Connection::new(socket.try_clone()?, self.settings.identity.as_ref(), service, patience)?;
        let thread = thread::Builder::new().spawn(move || connection.serve())?;
        Ok(Guest { socket, thread })
    }
}

#[cfg(test)]
mod tests;
