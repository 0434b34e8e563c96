//! The tickets of whoever runs the suite.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::credentials::{TicketCache, Tickets};

/// The variable that names the cache of a user, for every Kerberos program.
const VARIABLE: &str = "KRB5CCNAME";

/// The tickets in the default cache.
///
/// # Errors
/// When there is none that can be read.
pub(super) fn tickets() -> Result<Tickets, String> {
    let file = match std::env::var_os(VARIABLE) {
        Some(name) => named(&name)?,
        None => default_file(),
    };
    TicketCache::open(file).map(|cache| Tickets::Granted(Arc::new(cache)))
}

/// A name is a file, or a type, a colon and what means something to that type.
fn named(name: &OsStr) -> Result<PathBuf, String> {
    let text = name.to_str().ok_or_else(|| format!("{VARIABLE} is no UTF-8"))?;
    match text.split_once(':') {
        _ if text.is_empty() => Err(format!("{VARIABLE} is empty")),
        Some(("FILE", file)) => Ok(file.into()),
        Some((kind, _)) if !kind.contains('/') => {
            Err(format!("{VARIABLE} names a cache of type {kind}, and only those of type FILE are read"))
        }
        _ => Ok(text.into()),
    }
}

/// MIT's own choice, where no configuration makes another one.
fn default_file() -> PathBuf {
    format!("/tmp/krb5cc_{}", user_id().unwrap_or_default()).into()
}

#[cfg(unix)]
fn user_id() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").ok().map(|process| process.uid())
}

#[cfg(not(unix))]
const fn user_id() -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("FILE:/tmp/mine", "/tmp/mine")]
    #[case("/tmp/mine", "/tmp/mine")]
    #[case("mine", "mine")]
    #[case("/tmp/a:b", "/tmp/a:b")]
    fn a_cache_is_a_file_with_or_without_its_type(#[case] name: &str, #[case] file: &str) {
        assert_eq!(named(OsStr::new(name)), Ok(PathBuf::from(file)));
    }

    #[rstest]
    #[case("", "KRB5CCNAME is empty")]
    #[case(
        "KEYRING:persistent:1000",
        "KRB5CCNAME names a cache of type KEYRING, and only those of type FILE are read"
    )]
    #[case("KCM:", "KRB5CCNAME names a cache of type KCM, and only those of type FILE are read")]
    fn what_is_no_file_says_so(#[case] name: &str, #[case] problem: &str) {
        assert_eq!(named(OsStr::new(name)), Err(problem.to_owned()));
    }
}
