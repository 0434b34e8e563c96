//! A ticket cache: what somebody has got of a KDC, and what it gives when it is asked.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sipae::clock::Time;
use sipae::kerberos::{Ccache, Principal, ServiceTicket};

use super::Unproven;
use super::tickets::is_of;
use crate::profile::{ProfileUser, read_octets};
use crate::target::is_host;

/// The ticket cache of whoever runs the suite: a file in the format of MIT.
///
/// Which service a target is, is known from its challenge alone. A ticket that is not there yet is got of the KDC by
/// MIT's library, which puts it into the file.
pub struct TicketCache {
    file: PathBuf,
    state: Mutex<State>,
}

struct State {
    cache: Ccache,
    /// Why there is no ticket for a service: nobody is asked again.
    refused: BTreeMap<String, String>,
}

impl TicketCache {
    /// Reads a file.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn open(file: PathBuf) -> Result<Self, String> {
        let state = State { cache: read(&file)?, refused: BTreeMap::new() };
        Ok(Self { file, state: Mutex::new(state) })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the cache is that of a user.
    #[must_use]
    pub fn is_of(&self, user: &ProfileUser) -> bool {
        is_of(&self.lock().cache.client, user)
    }

    /// The ticket of a user for the service of a challenge.
    pub(super) fn ticket(
        &self,
        user: &ProfileUser,
        targetname: &str,
        now: Time,
    ) -> Result<ServiceTicket, Unproven> {
        let missing = |reason: String| {
            let (user, service) = (user.name(), targetname.to_owned());
            Unproven::NoTicket { user, service, reason }
        };
        let mut state = self.lock();
        if !is_of(&state.cache.client, user) {
            let (file, client) = (self.file.display(), &state.cache.client);
            return Err(missing(format!("{file} is of {client}")));
        }
        if let Some(reason) = state.refused.get(targetname) {
            return Err(missing(reason.clone()));
        }
        if let Some(ticket) = find(&state.cache, targetname, now) {
            return Ok(ticket);
        }
        let got = self.get(targetname).and_then(|cache| {
            state.cache = cache;
            find(&state.cache, targetname, now).ok_or_else(|| UNUSABLE.to_owned())
        });
        got.map_err(|reason| {
            state.refused.insert(targetname.to_owned(), reason.clone());
            missing(reason)
        })
    }

    /// The cache with a further ticket. A server that names another service than its own gets no ticket for that.
    fn get(&self, targetname: &str) -> Result<Ccache, String> {
        if !targetname.strip_prefix("sip/").is_some_and(is_host) {
            return Err("its name is not of the form sip/host".to_owned());
        }
        fetch(&self.file, targetname)?;
        read(&self.file)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ticket of the KDC that the suite can do nothing with.
const UNUSABLE: &str = "the KDC gives one whose encryption type is none of AES-256, AES-128 and RC4";

fn read(file: &Path) -> Result<Ccache, String> {
    let octets = read_octets(file)
        .map_err(|error| format!("no ticket cache at {} (kinit makes one): {error}", file.display()))?;
    Ccache::read(&octets).map_err(|error| format!("{}: {error}", file.display()))
}

/// Of several, the one that is good for longest.
fn find(cache: &Ccache, targetname: &str, now: Time) -> Option<ServiceTicket> {
    let is_good = |ticket: &&ServiceTicket| is_for(&ticket.service, targetname) && now < ticket.end;
    cache.tickets.iter().filter(is_good).max_by_key(|ticket| ticket.end).cloned()
}

fn is_for(service: &Principal, targetname: &str) -> bool {
    service.name().eq_ignore_ascii_case(targetname)
}

/// Lets MIT's library begin a handshake with a service: for that it gets a ticket, and keeps it in the cache. Nobody
/// sees the token.
#[cfg(feature = "gssapi")]
fn fetch(cache: &Path, service: &str) -> Result<(), String> {
    use sipae_gssapi::{Credential, Flags, Gss, GssError, Initiator, Name, Oid, Store, Usage, Wanted};
    let begin = || -> Result<(), GssError> {
        let gss = Gss::load()?;
        let store = Store { ccache: Some(format!("FILE:{}", cache.display())), ..Store::default() };
        let own = Credential::acquire_from(gss, &Wanted::new(Usage::Initiate, &Oid::KRB5), &store)?;
        let service = Name::principal(gss, service)?;
        Initiator::new(gss, Some(own), service, Oid::KRB5, Flags::INTEGRITY).step(None).map(drop)
    };
    begin().map_err(|error| match error {
        // That of GSS-API says that the mechanism says more.
        GssError::Status { text, .. } => match text.split_once("; ") {
            Some((_, of_mechanism)) => of_mechanism.to_owned(),
            None => text,
        },
        other => other.to_string(),
    })
}

#[cfg(not(feature = "gssapi"))]
fn fetch(_: &Path, _: &str) -> Result<(), String> {
    Err("it is not in the cache, and no KDC is asked (built without gssapi)".to_owned())
}

impl fmt::Debug for TicketCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketCache({})", self.file.display())
    }
}
