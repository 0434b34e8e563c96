//! Certificates and keys in PEM files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// All authorities of the world fit in half of it; a larger file is some other file.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The certificates of a file: one at least.
///
/// # Errors
/// Names the file and what is wrong with it.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let octets = read(file)?;
    let read: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(&octets).collect();
    let certificates = read.map_err(|error| content(file, format!("no PEM: {error}")))?;
    if certificates.is_empty() {
        Err(content(file, "no certificate in PEM is in it"))
    } else {
        Ok(certificates)
    }
}

/// The first private key of a file.
///
/// # Errors
/// Names the file and what is wrong with it, never what is in it.
pub(super) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|error| match error {
        Error::NoItemsFound => content(file, "no private key in PEM, without a password, is in it"),
        other => content(file, format!("no PEM: {other}")),
    })
}

/// An error about what is in a file.
pub(super) fn content(file: &Path, problem: impl Into<String>) -> TlsError {
    TlsError::Content { file: file.to_owned(), problem: problem.into() }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { file: file.to_owned(), source };
    let mut octets = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(LARGEST + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if u64::try_from(octets.len()).is_ok_and(|length| LARGEST < length) {
        return Err(unreadable(io::Error::other("larger than 4 MiB")));
    }
    Ok(octets)
}
