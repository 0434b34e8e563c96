//! Where endpoints are, and which of them a request is for.

use super::table::Association;
use super::{ConnectionId, Server};
use crate::clock::Time;
use crate::endpoint::{EndpointId, InstanceId, gruu_of, is_gruu, lower_address};
use crate::message::{Address, Message, StartLine};

/// A connection from its beginning to its end. Whoever owns connections may give a number out again; no request goes to
/// the new owner of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) connection: ConnectionId,
    /// Counts the connections of this server.
    pub(super) serial: u64,
}

/// A registration of an endpoint (RFC 3261 10.3).
#[derive(Clone, Debug)]
pub(super) struct Binding {
    /// The URI of Contact; empty if it is too long to be kept, or nothing for a request line.
    pub(super) contact: Vec<u8>,
    pub(super) end: Time,
}

impl Binding {
    /// Octets of a Contact URI that are kept for each endpoint.
    const CONTACT: usize = 1024;

    pub(super) fn new(contact: &[u8], end: Time) -> Self {
        let is_fit = contact.len() <= Self::CONTACT && !contact.iter().any(|octet| *octet <= b' ');
        let contact = if is_fit { contact.to_vec() } else { Vec::new() };
        Self { contact, end }
    }
}

/// Who a request is for.
struct Target {
    /// Address-of-record in lower case.
    address: String,
    /// The endpoint, if the request names one.
    instance: Option<InstanceId>,
}

impl Server {
    /// Whether that connection is still there.
    pub(super) fn is_open(&self, flow: Flow) -> bool {
        self.connections.get(&flow.connection).is_some_and(|link| link.serial == flow.serial)
    }

    /// The endpoints that a request goes to, or the status with which the server itself answers. `sender` is the
    /// address-of-record that has signed it.
    pub(super) fn recipients(&self, message: &Message<'_>, sender: &str) -> Result<Vec<EndpointId>, u16> {
        let target = self.target(message)?;
        if is_service(message) && target.instance.is_none() && target.address == sender {
            return Err(200);
        }
        let uri = request_uri(message);
        let mut found: Vec<&Association> = self.reachable(&target).collect();
        if found.iter().any(|association| association.is_at(uri)) {
            found.retain(|association| association.is_at(uri));
        }
        let endpoints: Vec<_> = found.into_iter().map(|association| association.endpoint.clone()).collect();
        if endpoints.is_empty() { Err(480) } else { Ok(endpoints) }
    }

    fn reachable<'s>(&'s self, target: &'s Target) -> impl Iterator<Item = &'s Association> + use<'s> {
        self.associations
            .registered(&target.address)
            .filter(|association| target.instance.is_none_or(|named| association.endpoint.instance == named))
            .filter(|association| self.is_open(association.flow))
    }

    /// The Request-URI, or inside a dialog the signed To where the Request-URI is a contact: so nobody needs
    /// Record-Route.
    fn target(&self, message: &Message<'_>) -> Result<Target, u16> {
        let to = message.to().map_err(|_| 400u16)?;
        let uri = request_uri(message);
        if let Some(address) = self.known(uri) {
            return named(uri, address, &to);
        }
        if to.tag.is_some() {
            let address = self.known(to.uri).ok_or(481u16)?;
            return named(to.uri, address, &to);
        }
        Err(status_without_user(uri, message.method().unwrap_or_default()))
    }

    fn known(&self, uri: &[u8]) -> Option<String> {
        lower_address(uri).filter(|address| self.config.accounts.has_address(address))
    }
}

/// The endpoint is named by the GRUU, or by the epid of To if To is that user's.
fn named(uri: &[u8], address: String, to: &Address<'_>) -> Result<Target, u16> {
    if is_gruu(uri) {
        let instance = gruu_of(uri, &address).map_err(|_| 404u16)?;
        return Ok(Target { address, instance: Some(instance) });
    }
    let is_to = lower_address(to.uri).as_deref() == Some(&address);
    let instance = to.epid.filter(|_| is_to).map(InstanceId::from_epid);
    Ok(Target { address, instance })
}

/// Without a user it is for the server itself, which can tell that it is there, and has services to subscribe to.
fn status_without_user(uri: &[u8], method: &[u8]) -> u16 {
    let has_user = lower_address(uri).is_none_or(|address| address.contains('@'));
    match method {
        b"OPTIONS" | b"SUBSCRIBE" | b"SERVICE" if !has_user => 200,
        _ => 404,
    }
}

/// What a client asks of its own home server when it goes on line (presence, contacts, policies).
fn is_service(message: &Message<'_>) -> bool {
    matches!(message.method(), Some(b"SUBSCRIBE" | b"SERVICE"))
}

pub(super) fn request_uri<'m>(message: &Message<'m>) -> &'m [u8] {
    match message.start_line() {
        StartLine::Request { uri, .. } => uri,
        StartLine::Response { .. } => b"",
    }
}
