//! Tickets for Kerberos: minted with the key of the service, or from the credentials of a user.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use sipae::clock::{Entropy, Time};
use sipae::kerberos::{EncryptionType, Initiate, Initiated, Key, Mint, Principal, ServiceKey, ServiceTicket};
use sipae_gen::{Password, TicketFault};

use super::{DAY, HOUR, MINUTE, TicketCache, Unproven, ago};
use crate::profile::ProfileUser;

/// Where service tickets come from.
#[derive(Clone)]
pub enum Tickets {
    /// Minted with the keys of services: any ticket for anybody.
    Minted(Vec<ServiceKey>),
    /// Those that somebody gets of a KDC: for their principal, and right ones only.
    Granted(Arc<TicketCache>),
}

impl Tickets {
    /// Whether tickets of any kind can be made.
    #[must_use]
    pub const fn can_issue(&self) -> bool {
        matches!(self, Self::Minted(_))
    }

    /// Whether a user has a ticket.
    #[must_use]
    pub fn has(&self, user: &ProfileUser) -> bool {
        match self {
            Self::Minted(_) => true,
            Self::Granted(cache) => cache.is_of(user),
        }
    }

    /// The right ticket of a user for a service.
    ///
    /// # Errors
    /// When there is none.
    pub fn ticket(
        &self,
        user: &ProfileUser,
        targetname: &str,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<ServiceTicket, Unproven> {
        match self {
            Self::Minted(keys) => mint(keys, user, &Password::Right, targetname, now, entropy),
            Self::Granted(cache) => cache.ticket(user, targetname, now),
        }
    }

    /// The AP-REQ of a user for the service of a challenge.
    ///
    /// # Errors
    /// When there is no such ticket.
    pub(crate) fn initiate(
        &self,
        user: &ProfileUser,
        password: &Password,
        targetname: &str,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Initiated, Unproven> {
        let ticket = match self {
            Self::Minted(keys) => mint(keys, user, password, targetname, now, entropy)?,
            Self::Granted(cache) if is_right_ticket(password) => cache.ticket(user, targetname, now)?,
            Self::Granted(_) => return Err(Unproven::Missing("no keytab to mint tickets with")),
        };
        let mut initiate = Initiate::new(now);
        match password {
            Password::Ticket(TicketFault::Skewed) => initiate.time = ago(now, 10 * MINUTE),
            Password::Ticket(TicketFault::SkewedAhead) => initiate.time = now.plus(10 * MINUTE),
            Password::Ticket(TicketFault::SlightlySkewed) => initiate.time = ago(now, 4 * MINUTE),
            Password::Ticket(TicketFault::OtherClient) => {
                initiate.client = Some(Principal::user("nobody-with-this-name", &ticket.client.realm));
            }
            Password::Ticket(TicketFault::Checksum) => initiate.checksum_type = 7,
            _ => {}
        }
        Ok(initiate.token(&ticket, entropy)?)
    }
}

/// Whether a ticket of a KDC will do: all that is wrong is in the authenticator.
const fn is_right_ticket(password: &Password) -> bool {
    matches!(
        password,
        Password::Right
            | Password::Ticket(
                TicketFault::Skewed
                    | TicketFault::SkewedAhead
                    | TicketFault::SlightlySkewed
                    | TicketFault::OtherClient
                    | TicketFault::Checksum
            )
    )
}

fn mint(
    keys: &[ServiceKey],
    user: &ProfileUser,
    password: &Password,
    targetname: &str,
    now: Time,
    entropy: &mut dyn Entropy,
) -> Result<ServiceTicket, Unproven> {
    let key =
        service_key(keys, targetname).ok_or_else(|| Unproven::NoKey { service: targetname.to_owned() })?;
    let client = match password {
        Password::UnknownUser(name) => Principal::user(name, &key.principal.realm),
        _ => principal_of(user, &key.principal.realm),
    };
    let session_key = Key::random(key.key.etype(), entropy);
    let mut mint = Mint::new(client, key.principal.clone(), session_key, now);
    mint.kvno = key.kvno;
    // A clock that is somewhat behind must not take the ticket for one of the future.
    (mint.auth_time, mint.start) = (ago(now, HOUR), ago(now, HOUR));
    spoil(&mut mint, password, now);
    let wrong;
    let by = match password {
        Password::Wrong(_) => {
            wrong = Key::random(key.key.etype(), entropy);
            &wrong
        }
        Password::Ticket(TicketFault::OtherType) => {
            wrong = Key::random(other_type(keys, key), entropy);
            &wrong
        }
        _ => &key.key,
    };
    Ok(mint.mint(by, entropy)?)
}

fn spoil(mint: &mut Mint, password: &Password, now: Time) {
    let Password::Ticket(fault) = password else { return };
    match fault {
        TicketFault::Expired => (mint.start, mint.end) = (ago(now, DAY), ago(now, HOUR)),
        TicketFault::Future => (mint.start, mint.end) = (now.plus(HOUR), now.plus(DAY)),
        TicketFault::EndsSoon => mint.end = now.plus(MINUTE),
        TicketFault::OtherService => {
            mint.service.components = vec!["sip".to_owned(), "another.server.invalid".to_owned()];
        }
        TicketFault::OtherRealm => "ANOTHER.INVALID".clone_into(&mut mint.service.realm),
        TicketFault::Truncated => mint.missing = 8,
        TicketFault::OtherType
        | TicketFault::Skewed
        | TicketFault::SkewedAhead
        | TicketFault::SlightlySkewed
        | TicketFault::OtherClient
        | TicketFault::Checksum => {}
    }
}

/// An encryption type that a service has no key of; where it has one of each, the weakest, which then is another key.
fn other_type(keys: &[ServiceKey], own: &ServiceKey) -> EncryptionType {
    let has = |etype: &EncryptionType| {
        keys.iter().any(|key| key.principal == own.principal && key.key.etype() == *etype)
    };
    EncryptionType::ALL.into_iter().find(|etype| !has(etype)).unwrap_or(EncryptionType::Rc4)
}

/// The strongest key of a service, and of its keys the newest.
fn service_key<'k>(keys: &'k [ServiceKey], targetname: &str) -> Option<&'k ServiceKey> {
    let own = keys.iter().filter(|key| key.principal.name().eq_ignore_ascii_case(targetname));
    // Encryption types are in order, the strongest first.
    own.min_by_key(|key| (key.key.etype(), Reverse(key.kvno)))
}

/// The principal of a user: the one that the profile names, else the account name in the realm of the service.
fn principal_of(user: &ProfileUser, realm: &str) -> Principal {
    let named = user.principal.as_deref().and_then(|text| text.parse().ok());
    named.unwrap_or_else(|| Principal::user(&user.user, realm))
}

pub(super) fn is_of(client: &Principal, user: &ProfileUser) -> bool {
    *client == principal_of(user, &client.realm)
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minted(_) => "Tickets(minted)",
            Self::Granted(_) => "Tickets(granted)",
        })
    }
}
