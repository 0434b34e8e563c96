//! Whether the peers are on this machine.

use std::env;
use std::path::{Path, PathBuf};

use sipae_gssapi::{Gss, Oid};

use super::kamailio;
use super::realm::PROGRAMS;

/// An implementation that somebody else has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// NTLM as a plug-in of MIT's GSS-API: the one free peer with connectionless mode.
    GssNtlmssp,
    /// MIT Kerberos, library and KDC.
    MitKerberos,
    /// Kamailio, a server of Digest.
    Kamailio,
}

impl Peer {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GssNtlmssp => "gss-ntlmssp",
            Self::MitKerberos => "MIT Kerberos",
            Self::Kamailio => "Kamailio",
        }
    }

    /// What of it is not on this machine.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Self::GssNtlmssp => missing_mechanism(&Oid::NTLM),
            Self::MitKerberos => missing_mechanism(&Oid::KRB5).or_else(|| missing_program(&PROGRAMS)),
            Self::Kamailio => missing_program(&[kamailio::PROGRAM]),
        }
    }
}

/// One line of what nobody else's implementation has confirmed, because it is not on this machine.
pub(crate) fn unconfirmed() -> Option<String> {
    let peers = [("NTLM", Peer::GssNtlmssp), ("Kerberos", Peer::MitKerberos), ("Digest", Peer::Kamailio)];
    let absent = peers.iter().filter_map(|(scheme, peer)| {
        peer.missing().map(|missing| format!("{scheme} by {} ({missing})", peer.name()))
    });
    let absent: Vec<String> = absent.collect();
    (!absent.is_empty()).then(|| format!("not confirmed: {}", absent.join("; ")))
}

/// Whether a peer that is absent is a failure.
pub(crate) fn are_required() -> bool {
    env::var_os("SIPAE_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

fn missing_mechanism(mechanism: &Oid) -> Option<String> {
    match Gss::load().and_then(Gss::mechanisms) {
        Ok(mechanisms) if mechanisms.contains(mechanism) => None,
        Ok(_) => Some(format!("mechanism {mechanism} is not installed")),
        Err(error) => Some(error.to_string()),
    }
}

fn missing_program(programs: &[&str]) -> Option<String> {
    let missing = programs.iter().find(|name| program(name).is_none());
    missing.map(|name| format!("program {name} is not installed"))
}

/// A program on the path, or where only administrators have theirs.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|path: &PathBuf| Path::is_file(path))
}
