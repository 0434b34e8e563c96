//! The server of a context (RFC 4120 3.2.3 and 3.2.4, RFC 4121 4.1).

use std::time::Duration;

use super::{
    ApReq, Authenticator, EncApRepPart, EncTicketPart, EncryptionType, GssChecksum, GssFlags, KerberosError,
    KerberosMac, Key, Principal, ReplayCache, ServiceKey, Ticket,
};
use crate::clock::{Entropy, Time};

/// Accepts AP-REQs for the services whose keys it has.
#[derive(Clone, Debug)]
pub struct Acceptor {
    /// The keys, of as many services, versions and types as there are.
    pub keys: Vec<ServiceKey>,
    /// How far the clocks of client and server may be apart.
    pub skew: Duration,
}

/// What an AP-REQ has proved.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The user.
    pub client: Principal,
    /// The service, as the ticket spells it.
    pub service: Principal,
    /// When the ticket ends, and with it the association ([MS-SIPAE] SIPAE-3.3.2-02).
    pub end: Time,
    /// What the client asked for.
    pub flags: GssFlags,
    /// What signs and verifies the messages of both sides.
    pub mac: KerberosMac,
    /// AP-REP token, where the client asked for mutual authentication.
    pub reply: Option<Vec<u8>>,
}

impl Acceptor {
    /// 5 minutes, as in Active Directory ([MS-SIPAE] SIPAE-3.3.5.2-19).
    pub const SKEW: Duration = Duration::from_mins(5);

    /// An acceptor with these keys that allows 5 minutes of skew.
    #[must_use]
    pub const fn new(keys: Vec<ServiceKey>) -> Self {
        Self { keys, skew: Self::SKEW }
    }

    /// Accepts a token of `gssapi-data`, once. Channel bindings and addresses are not looked at.
    pub fn accept(
        &self,
        token: &[u8],
        now: Time,
        replays: &mut ReplayCache,
        entropy: &mut dyn Entropy,
    ) -> Result<Accepted, KerberosError> {
        let request = ApReq::read(token)?;
        let ticket = self.open(&request.ticket)?;
        self.check_times(&ticket, now)?;
        let session_key = ticket.session_key.key("session key")?;
        let authenticator = request.decrypt_authenticator(&session_key)?;
        let flags = self.check(&authenticator, &ticket, now)?;
        replays.insert(&request.authenticator.cipher, authenticator.time().plus(self.skew), now)?;
        let is_mutual = flags.contains(GssFlags::MUTUAL) || request.options & ApReq::MUTUAL_REQUIRED != 0;
        let subkey = authenticator.subkey.as_ref().map(|key| key.key("subkey")).transpose()?;
        let context = Context { authenticator, key: subkey.unwrap_or_else(|| session_key.clone()) };
        let (mac, reply) = if is_mutual {
            context.reply(&session_key, entropy)
        } else {
            (KerberosMac::new(&context.key, false), None)
        };
        let (service, end) = (request.ticket.service, ticket.end.time());
        Ok(Accepted { client: ticket.client, service, end, flags, mac, reply })
    }

    /// Decrypts with the key of the version that the ticket names, else with any other of its type: versions wrap, and
    /// keytabs are made with the wrong one.
    fn open(&self, ticket: &Ticket) -> Result<EncTicketPart, KerberosError> {
        let is_service = |key: &&ServiceKey| key.principal.is_service(&ticket.service);
        let mut keys: Vec<_> = self.keys.iter().filter(is_service).collect();
        if keys.is_empty() {
            return Err(KerberosError::UnknownService { service: ticket.service.clone() });
        }
        let found = ticket.encrypted.etype;
        keys.retain(|key| key.key.etype().number() == found);
        keys.sort_by_key(|key| Some(key.kvno) != ticket.encrypted.kvno);
        let mut failure = KerberosError::EncryptionType { what: "ticket", found };
        for key in keys {
            match ticket.decrypt(&key.key) {
                Err(error @ KerberosError::Integrity { .. }) => failure = error,
                opened => return opened,
            }
        }
        Err(failure)
    }

    fn check_times(&self, ticket: &EncTicketPart, now: Time) -> Result<(), KerberosError> {
        let (start, end) = (ticket.start.unwrap_or(ticket.auth_time).time(), ticket.end.time());
        if ticket.flags & EncTicketPart::INVALID != 0 {
            return Err(KerberosError::TicketInvalid);
        }
        if self.skew < start.since(now) {
            return Err(KerberosError::NotYetValid { start, now });
        }
        if self.skew < now.since(end) {
            return Err(KerberosError::Expired { end, now });
        }
        Ok(())
    }

    /// Everything about an authenticator that decrypts, but for replays.
    fn check(
        &self,
        authenticator: &Authenticator,
        ticket: &EncTicketPart,
        now: Time,
    ) -> Result<GssFlags, KerberosError> {
        if authenticator.client != ticket.client {
            let (authenticator, ticket) = (authenticator.client.clone(), ticket.client.clone());
            return Err(KerberosError::ClientMismatch { authenticator, ticket });
        }
        let client = authenticator.time();
        if self.skew < client.since(now).max(now.since(client)) {
            return Err(KerberosError::Skew { client, now, skew: self.skew });
        }
        let GssChecksum { flags, .. } = GssChecksum::read(authenticator.checksum.as_ref())?;
        if !flags.contains(GssFlags::INTEG) {
            return Err(KerberosError::FlagClear { flag: "INTEG" });
        }
        Ok(flags)
    }
}

/// A context whose client has proved itself.
struct Context {
    authenticator: Authenticator,
    key: Key,
}

impl Context {
    /// AP-REP. With RFC 4121 the acceptor asserts a key of its own, and everybody signs with that.
    fn reply(&self, session_key: &Key, entropy: &mut dyn Entropy) -> (KerberosMac, Option<Vec<u8>>) {
        let etype = self.key.etype();
        let asserted = (etype != EncryptionType::Rc4).then(|| Key::random(etype, entropy));
        let part = EncApRepPart {
            ctime: self.authenticator.ctime,
            cusec: self.authenticator.cusec,
            subkey: asserted.as_ref().map(Into::into),
            sequence: Some(0),
        };
        let reply = part.encrypt(session_key, entropy).write();
        let mac = KerberosMac::new(asserted.as_ref().unwrap_or(&self.key), asserted.is_some());
        (mac, Some(reply))
    }
}
