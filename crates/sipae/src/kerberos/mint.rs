//! Service tickets without a KDC: whoever has the key of a service can make tickets for it.

use std::time::Duration;

use super::{EncTicketPart, EncryptedData, KerberosError, KerberosTime, Key, Principal, Ticket};
use crate::clock::{Entropy, Time};

/// A ticket and what belongs to it: all that a client needs of a KDC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTicket {
    /// DER of the ticket.
    pub ticket: Vec<u8>,
    /// The session key, which is in the ticket too.
    pub session_key: Key,
    /// The user.
    pub client: Principal,
    /// The service.
    pub service: Principal,
    /// From when on the ticket is valid.
    pub start: Time,
    /// Until when.
    pub end: Time,
}

/// Makes a service ticket. Every field is written as it is: a tester sets wrong what is to be wrong.
#[derive(Clone, Debug)]
pub struct Mint {
    /// The user.
    pub client: Principal,
    /// The service. A ticket for another service or realm names it here and is minted with the same key.
    pub service: Principal,
    /// Version of the key of the service.
    pub kvno: u32,
    /// The session key.
    pub session_key: Key,
    /// When the user proved the password.
    pub auth_time: Time,
    /// From when on the ticket is valid; later than now for a ticket that is not yet.
    pub start: Time,
    /// Until when; before now for a ticket that has ended.
    pub end: Time,
    /// Ticket flags, such as [`EncTicketPart::INVALID`].
    pub flags: u32,
    /// Number of an encryption type that is named in place of that of the key.
    pub etype: Option<i32>,
    /// So many octets are missing at the end of what is encrypted.
    pub missing: usize,
}

impl Mint {
    /// Flags of a ticket that a user got with a password: `initial` and `pre-authent`.
    pub const FLAGS: u32 = 0x0060_0000;
    /// How long tickets of Active Directory live.
    pub const LIFETIME: Duration = Duration::from_hours(10);

    /// A right ticket, valid from now on, for the first version of a key.
    #[must_use]
    pub fn new(client: Principal, service: Principal, session_key: Key, now: Time) -> Self {
        let end = now.plus(Self::LIFETIME);
        let (auth_time, start, flags) = (now, now, Self::FLAGS);
        Self { client, service, kvno: 1, session_key, auth_time, start, end, flags, etype: None, missing: 0 }
    }

    /// The ticket, encrypted with the key of the service.
    pub fn mint(&self, service_key: &Key, entropy: &mut dyn Entropy) -> Result<ServiceTicket, KerberosError> {
        let encrypted = self.content().encrypt(service_key, entropy);
        let ticket = Ticket { service: self.service.clone(), encrypted: self.with_faults(encrypted)? };
        Ok(ServiceTicket {
            ticket: ticket.write(),
            session_key: self.session_key.clone(),
            client: self.client.clone(),
            service: self.service.clone(),
            start: self.start,
            end: self.end,
        })
    }

    fn content(&self) -> EncTicketPart {
        EncTicketPart {
            flags: self.flags,
            session_key: (&self.session_key).into(),
            client: self.client.clone(),
            auth_time: KerberosTime::of(self.auth_time),
            start: Some(KerberosTime::of(self.start)),
            end: KerberosTime::of(self.end),
        }
    }

    fn with_faults(&self, mut encrypted: EncryptedData) -> Result<EncryptedData, KerberosError> {
        let kept = encrypted.cipher.len().checked_sub(self.missing);
        encrypted.cipher.truncate(kept.ok_or(KerberosError::Integrity { what: "ticket" })?);
        encrypted.kvno = Some(self.kvno);
        encrypted.etype = self.etype.unwrap_or(encrypted.etype);
        Ok(encrypted)
    }
}
