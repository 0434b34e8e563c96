//! The client of a context (RFC 4121 4.1, RFC 4120 3.2.2 and 3.2.5).

use super::gss::{TokenId, unframe};
use super::{
    ApRep, ApReq, Authenticator, Checksum, EncApRepPart, EncryptionType, GssChecksum, GssFlags,
    KerberosError, KerberosMac, KerberosTime, Key, KrbError, Principal, ServiceTicket,
};
use crate::clock::{Entropy, Time};

/// Which key of its own the client puts into the authenticator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subkey {
    /// None: the session key signs.
    Absent,
    /// A random one of the type of the session key, as Kerberos libraries do it.
    #[default]
    Random,
    /// This one.
    Given(Key),
}

/// Makes an AP-REQ. Every field is written as it is: a tester sets wrong what is to be wrong.
#[derive(Clone, Debug)]
pub struct Initiate {
    /// Whether an AP-REP is asked for. [MS-SIPAE] needs none, since `rspauth` proves the server (SIPAE-3.2.5.1-12).
    pub mutual: bool,
    /// What else is asked for.
    pub flags: GssFlags,
    /// The key of the context.
    pub subkey: Subkey,
    /// Time of the authenticator.
    pub time: Time,
    /// First sequence number.
    pub sequence: u32,
    /// Type of the checksum; another one than [`GssChecksum::KIND`] is wrong.
    pub checksum_type: i32,
    /// MD5 of channel bindings.
    pub bindings: [u8; 16],
    /// Client of the authenticator; another one than that of the ticket is wrong.
    pub client: Option<Principal>,
}

impl Initiate {
    /// A right one without mutual authentication, which asks for integrity.
    #[must_use]
    pub const fn new(time: Time) -> Self {
        Self {
            mutual: false,
            flags: GssFlags::INTEG,
            subkey: Subkey::Random,
            time,
            sequence: 0,
            checksum_type: GssChecksum::KIND,
            bindings: [0; 16],
            client: None,
        }
    }

    /// The token of `gssapi-data` for a ticket, and what the client has to remember.
    pub fn token(
        &self,
        ticket: &ServiceTicket,
        entropy: &mut dyn Entropy,
    ) -> Result<Initiated, KerberosError> {
        let session_key = ticket.session_key.clone();
        let subkey = match &self.subkey {
            Subkey::Absent => None,
            Subkey::Random => Some(Key::random(session_key.etype(), entropy)),
            Subkey::Given(key) => Some(key.clone()),
        };
        let authenticator = self.authenticator(ticket, subkey.as_ref(), entropy);
        let encrypted = authenticator.encrypt(&session_key, entropy);
        let options = if self.mutual { ApReq::MUTUAL_REQUIRED } else { 0 };
        let token = ApReq::write_with(options, &ticket.ticket, &encrypted);
        let Authenticator { ctime, cusec, .. } = authenticator;
        Ok(Initiated { token, session_key, subkey, ctime, cusec })
    }

    fn authenticator(
        &self,
        ticket: &ServiceTicket,
        subkey: Option<&Key>,
        entropy: &mut dyn Entropy,
    ) -> Authenticator {
        Authenticator {
            client: self.client.clone().unwrap_or_else(|| ticket.client.clone()),
            checksum: Some(Checksum { kind: self.checksum_type, octets: self.checksum().write() }),
            cusec: microseconds(self.time, entropy),
            ctime: KerberosTime::of(self.time),
            subkey: subkey.map(Into::into),
            sequence: Some(self.sequence),
        }
    }

    fn checksum(&self) -> GssChecksum {
        let mutual = if self.mutual { GssFlags::MUTUAL } else { GssFlags::default() };
        GssChecksum { bindings: self.bindings, flags: self.flags | mutual }
    }
}

/// Those of the time, which knows milliseconds, and random ones: acceptors that know authenticators by their time take
/// two of one microsecond for a replay (RFC 4120 3.2.3).
fn microseconds(time: Time, entropy: &mut dyn Entropy) -> u32 {
    let milliseconds = u32::try_from(time.0 % 1000).unwrap_or_default();
    milliseconds * 1000 + u32::from(u16::from_be_bytes(entropy.octets()) % 1000)
}

/// An AP-REQ and what the client remembers of it.
#[derive(Clone, Debug)]
pub struct Initiated {
    /// What `gssapi-data` carries.
    pub token: Vec<u8>,
    session_key: Key,
    subkey: Option<Key>,
    ctime: KerberosTime,
    cusec: u32,
}

impl Initiated {
    /// What signs until an AP-REP asserts another key: with subkey or session key.
    #[must_use]
    pub fn mac(&self) -> KerberosMac {
        KerberosMac::new(self.subkey.as_ref().unwrap_or(&self.session_key), false)
    }

    /// Reads the AP-REP, or the KRB-ERROR in its place, and gives what signs from then on.
    pub fn complete(self, token: &[u8]) -> Result<KerberosMac, KerberosError> {
        if matches!(unframe(token), Ok((id, _)) if id == TokenId::KrbError.number()) {
            let KrbError { code, text, .. } = KrbError::read(token)?;
            return Err(KerberosError::Peer { code, text: text.unwrap_or_default() });
        }
        let EncApRepPart { ctime, cusec, subkey, .. } = ApRep::read(token)?.decrypt(&self.session_key)?;
        if (ctime, cusec) != (self.ctime, self.cusec) {
            return Err(KerberosError::Mutual);
        }
        let asserted = subkey.map(|key| key.key("subkey of AP-REP")).transpose()?;
        // RFC 1964 knows no key of the acceptor, whatever AP-REP holds: MIT repeats that of the client there.
        let asserted = asserted.filter(|key| key.etype() != EncryptionType::Rc4);
        Ok(asserted.map_or_else(|| self.mac(), |key| KerberosMac::new(&key, true)))
    }
}
