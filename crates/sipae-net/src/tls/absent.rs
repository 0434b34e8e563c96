//! TLS in a build without it: there is none to be had, and whoever asks is told so.

use std::convert::Infallible;
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use super::{HandshakeError, TlsError, TlsOptions};
use crate::layer::Heard;

/// What the TLS connections of a run would have in common.
#[derive(Clone, Debug)]
pub struct TlsClient(Infallible);

impl TlsClient {
    /// Refuses.
    ///
    /// # Errors
    /// Always: this build has no TLS.
    pub const fn new(_: &TlsOptions) -> Result<Self, TlsError> {
        Err(TlsError::NotBuilt)
    }

    pub(crate) fn session(&self, _: &str) -> Result<Session, HandshakeError> {
        match self.0 {}
    }
}

/// What a host of TLS would show.
#[derive(Clone, Debug)]
pub struct ServerIdentity(Infallible);

impl ServerIdentity {
    /// Refuses.
    ///
    /// # Errors
    /// Always: this build has no TLS.
    pub const fn load(_: &Path, _: &Path) -> Result<Self, TlsError> {
        Err(TlsError::NotBuilt)
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always: this build has no TLS.
    pub const fn self_signed(_: &[String]) -> Result<(Self, String), TlsError> {
        Err(TlsError::NotBuilt)
    }

    pub(crate) fn session(&self) -> Result<Session, HandshakeError> {
        match self.0 {}
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session(Infallible);

impl Session {
    pub(crate) fn handshake(&self, _: &TcpStream, _: Duration) -> Result<(), HandshakeError> {
        match self.0 {}
    }

    pub(crate) fn say(&self, _: &[u8]) -> io::Result<Vec<u8>> {
        match self.0 {}
    }

    pub(crate) fn farewell(&self) -> Vec<u8> {
        match self.0 {}
    }

    pub(crate) fn hear(&self, _: &[u8]) -> Heard {
        match self.0 {}
    }
}
