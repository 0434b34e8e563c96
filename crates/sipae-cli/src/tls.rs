//! Arguments about TLS, of `sipae run` and of `sipae serve`.

use std::fs;
use std::net::ToSocketAddrs;
use std::path::Path;

use sipae_conformance::target::Target;
use sipae_net::{ServerIdentity, TlsOptions, TlsRoots};

use crate::args::{ServeArgs, TlsArgs};
use crate::output::Failure;
use crate::schemes::TLS_CERTIFICATE;

/// Arguments about TLS are for targets on TLS.
pub(crate) fn check_target(args: &TlsArgs, target: &Target) -> Result<(), Failure> {
    match arguments(args).next() {
        Some(argument) if !matches!(target, Target::Tls { .. }) => {
            Err(Failure::Usage(format!("{argument}: {target} is not of the form tls://host:port")))
        }
        _ => Ok(()),
    }
}

/// Lets the arguments go before the profile.
pub(crate) fn settle(args: &TlsArgs, options: &mut TlsOptions) {
    if args.tls_insecure {
        options.roots = TlsRoots::Unchecked;
    } else if !args.tls_ca.is_empty() {
        options.roots = TlsRoots::Files(args.tls_ca.clone());
    }
    if args.tls_name.is_some() {
        options.server_name.clone_from(&args.tls_name);
    }
}

/// As they were given, for the command that repeats a run.
pub(crate) fn arguments(args: &TlsArgs) -> impl Iterator<Item = String> {
    let authorities = args.tls_ca.iter().map(|file| format!("--tls-ca {}", file.display()));
    let name = args.tls_name.iter().map(|name| format!("--tls-name {name}"));
    authorities.chain(name).chain(args.tls_insecure.then(|| "--tls-insecure".to_owned()))
}

/// What `sipae serve` shows to its clients; `None`: it serves without TLS.
pub(crate) fn identity(args: &ServeArgs) -> Result<Option<ServerIdentity>, Failure> {
    if !args.tls.tls {
        return Ok(None);
    }
    if let (Some(certificate), Some(key)) = (&args.tls.certificate, &args.tls.key) {
        return Ok(Some(ServerIdentity::load(certificate, key)?));
    }
    let (identity, certificate) = ServerIdentity::self_signed(&names(args))?;
    let folder = args.schemes.write_test_credentials.as_deref();
    let beside_others = folder.map(|folder| folder.join(TLS_CERTIFICATE));
    for file in args.tls.write_certificate.iter().chain(&beside_others) {
        write(file, &certificate)?;
    }
    Ok(Some(identity))
}

/// What the provisioning service shows over https: that of the server, or one for the same names, which is written beside
/// the test credentials.
#[cfg(feature = "provisioning")]
pub(crate) fn provisioning_identity(
    args: &ServeArgs,
    server: Option<&ServerIdentity>,
) -> Result<ServerIdentity, Failure> {
    if let Some(server) = server {
        return Ok(server.clone());
    }
    let (identity, certificate) = ServerIdentity::self_signed(&names(args))?;
    if let Some(folder) = &args.schemes.write_test_credentials {
        write(&folder.join("provisioning.pem"), &certificate)?;
    }
    Ok(identity)
}

/// Whatever a client may call the server.
fn names(args: &ServeArgs) -> Vec<String> {
    let bare = args.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&args.host);
    // An address that cannot be resolved cannot be listened at either, and that is told then.
    let listened =
        args.listen.to_socket_addrs().into_iter().flatten().map(|address| address.ip().to_string());
    let fixed = [bare, "localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<String> = fixed.into_iter().chain(listened).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn write(file: &Path, certificate: &str) -> Result<(), Failure> {
    fs::write(file, certificate).map_err(|source| Failure::File { file: file.to_owned(), source })
}
