//! `--provisioning` of `sipae serve` and `sipae run`.

use std::sync::Arc;

use sipae::server::{ServerConfig, TlsDskService};
use sipae_conformance::run::RunOptions;
use sipae_net::ServerIdentity;
use sipae_spec::Role;

use crate::args::{ProvisioningScheme, ServeArgs};
use crate::output::Failure;

#[cfg(feature = "provisioning")]
pub(crate) use sipae_net::Provisioning as Running;

/// The service in a build without it: never there.
#[cfg(not(feature = "provisioning"))]
pub(crate) enum Running {}

#[cfg(not(feature = "provisioning"))]
impl Running {
    pub(crate) const fn uri(&self) -> String {
        match *self {}
    }
}

/// Starts the service beside the server, if that is asked for, and names it in the challenges.
pub(crate) fn start(
    args: &ServeArgs,
    identity: Option<&ServerIdentity>,
    config: &mut ServerConfig,
) -> Result<Option<Running>, Failure> {
    let Some(scheme) = args.schemes.provisioning else { return Ok(None) };
    let Some(TlsDskService { sts_uri, .. }) = &mut config.tls_dsk else {
        return Err(Failure::Usage("--provisioning: TLS-DSK is not offered (--schemes)".to_owned()));
    };
    let running = run(args, scheme, identity)?;
    *sts_uri = running.uri();
    Ok(Some(running))
}

/// The same beside the suite, which is the server of a client.
pub(crate) fn beside_run(
    scheme: Option<ProvisioningScheme>,
    options: &mut RunOptions,
) -> Result<Option<Running>, Failure> {
    let Some(scheme) = scheme else { return Ok(None) };
    if options.target.role() != Role::Client {
        return Err(Failure::Usage("--provisioning: it is for clients (--target listen:...)".to_owned()));
    }
    let running = run_for_client(scheme, options)?;
    Arc::make_mut(&mut options.profile).client.sts_uri = Some(running.uri());
    options.arguments.push(format!("--provisioning {}", scheme.name()));
    Ok(Some(running))
}

#[cfg(not(feature = "provisioning"))]
fn run_for_client(_: ProvisioningScheme, _: &RunOptions) -> Result<Running, Failure> {
    Err(Failure::Usage("--provisioning: built without it".to_owned()))
}

/// Where clients connect, at a port of its own; where they do not, on this machine alone.
#[cfg(feature = "provisioning")]
fn run_for_client(scheme: ProvisioningScheme, options: &RunOptions) -> Result<Running, Failure> {
    use sipae_conformance::credentials::Certificates;
    use sipae_conformance::target::Target;
    use sipae_net::ProvisioningSettings;

    let wrong = |why: &str| Failure::Usage(format!("--provisioning: {why}"));
    let issuer = options.profile.certificates.as_ref().and_then(Certificates::issuer);
    let authority = issuer.ok_or_else(|| wrong("the profile has no tls_dsk.authority to certify by"))?;
    let address = match &options.target {
        Target::Listen { address, .. } => address.as_str(),
        _ => "127.0.0.1:0",
    };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let identity = match scheme {
        ProvisioningScheme::Http => None,
        ProvisioningScheme::Https => {
            Some(options.profile.client.identity(address).map_err(|why| wrong(&why))?)
        }
    };
    let at = format!("{host}:0");
    let settings = ProvisioningSettings { identity, ..ProvisioningSettings::default() };
    let failed = |source| Failure::Listen { address: at.clone(), source };
    Running::start(at.as_str(), authority, settings).map_err(failed)
}

#[cfg(not(feature = "provisioning"))]
fn run(_: &ServeArgs, _: ProvisioningScheme, _: Option<&ServerIdentity>) -> Result<Running, Failure> {
    Err(Failure::Usage("--provisioning: built without it".to_owned()))
}

/// Listens where the server does, at a port of its own.
#[cfg(feature = "provisioning")]
fn run(
    args: &ServeArgs,
    scheme: ProvisioningScheme,
    identity: Option<&ServerIdentity>,
) -> Result<Running, Failure> {
    use std::net::{SocketAddr, ToSocketAddrs};

    use sipae_net::{Authority, ProvisioningSettings};

    use crate::tls;

    let failed = |source| Failure::Listen { address: args.listen.clone(), source };
    let near = args.listen.to_socket_addrs().map_err(failed)?;
    let near: Vec<SocketAddr> = near.map(|address| SocketAddr::new(address.ip(), 0)).collect();
    let authority = Authority::test().map_err(|error| Failure::Usage(format!("--provisioning: {error}")))?;
    let is_everywhere = near.iter().any(|address| address.ip().is_unspecified());
    let identity = match scheme {
        ProvisioningScheme::Http => None,
        ProvisioningScheme::Https => Some(tls::provisioning_identity(args, identity)?),
    };
    let settings = ProvisioningSettings {
        host: is_everywhere.then(|| args.host.clone()),
        identity,
        ..ProvisioningSettings::default()
    };
    Running::start(near.as_slice(), authority, settings).map_err(failed)
}
