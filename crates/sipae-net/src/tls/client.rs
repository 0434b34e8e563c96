//! The side of TLS that connects.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::{HandshakeError, Session, TlsError, TlsOptions, TlsRoots, files, provider, trust};

/// What the TLS connections of a run have in common; a clone costs next to nothing.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

impl TlsClient {
    /// Reads what the options name.
    ///
    /// # Errors
    /// Names the file or value, and what is wrong with it.
    pub fn new(options: &TlsOptions) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier(&options.roots)?);
        let mut config = match &options.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = files::certificates(&identity.certificate)?;
                builder
                    .with_client_auth_cert(chain, files::key(&identity.key)?)
                    .map_err(|error| files::content(&identity.key, error.to_string()))?
            }
        };
        // Each connection of a case is to be like the first.
        config.resumption = Resumption::disabled();
        let server_name = options.server_name.as_deref().map(server_name).transpose()?;
        Ok(Self { config: Arc::new(config), server_name })
    }

    /// A session with the server at `host:port`, before its handshake.
    pub(crate) fn session(&self, address: &str) -> Result<Session, HandshakeError> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(host(address))?,
        };
        let connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        Ok(Session::new(connection.into()))
    }
}

fn verifier(roots: &TlsRoots) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    match roots {
        TlsRoots::System => trust::system(),
        TlsRoots::Files(files) => trust::files(files),
        TlsRoots::Unchecked => Ok(trust::unchecked()),
    }
}

/// Checks a name for [`TlsOptions::server_name`] and gives it the form that TLS needs.
fn server_name(text: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(text.to_owned()).map_err(|_| TlsError::ServerName(text.to_owned()))
}

/// The host of `host:port`; of `[fe80::1%2]:5061` what can stand in a certificate.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let Some(bare) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return host };
    bare.split_once('%').map_or(bare, |(bare, _)| bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_what_a_certificate_bears() {
        for (address, expected) in [
            ("server.contoso.com:5061", "server.contoso.com"),
            ("127.0.0.1:5061", "127.0.0.1"),
            ("[::1]:5061", "::1"),
            ("[fe80::1%2]:5061", "fe80::1"),
            ("lab_1:5061", "lab_1"),
        ] {
            assert_eq!(host(address), expected);
            server_name(host(address)).expect(address);
        }
    }

    #[test]
    fn a_name_that_no_certificate_could_bear_is_named() {
        let options = TlsOptions { server_name: Some("a b".to_owned()), ..TlsOptions::default() };
        let options = TlsOptions { roots: TlsRoots::Unchecked, ..options };
        let error = TlsClient::new(&options).unwrap_err().to_string();
        assert_eq!(error, "\"a b\" is neither a host name nor an IP address");
    }
}
