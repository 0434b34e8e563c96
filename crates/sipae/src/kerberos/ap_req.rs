//! AP-REQ and what is in it: ticket and authenticator (RFC 4120 5.3, 5.5.1), and the checksum of GSS (RFC 4121 4.1.1).

use super::data::{Checksum, EncryptedData, EncryptionKey};
use super::der::{self, GENERAL_STRING, Reader, application};
use super::gss::{GssFlags, TokenId, frame, unframe_as};
use super::key::{Key, Usage};
use super::principal::{SERVICE, USER};
use super::{KerberosError, KerberosTime, Principal};
use crate::clock::{Entropy, Time};

pub(super) const VERSION: i64 = 5;
const AP_REQ: u8 = 14;
const TICKET: u8 = 1;
const AUTHENTICATOR: u8 = 2;
const ENC_TICKET_PART: u8 = 3;

/// `pvno` or a version of its own, which is 5.
pub(super) fn version(reader: &mut Reader<'_>, number: u8, what: &'static str) -> Result<(), KerberosError> {
    match reader.field(number, what)?.integer(what)? {
        VERSION => Ok(()),
        found => Err(KerberosError::Version { what, found }),
    }
}

/// `pvno` and `msg-type`, with which every message begins.
pub(super) fn message<'a>(
    content: Reader<'a>,
    number: u8,
    what: &'static str,
) -> Result<Reader<'a>, KerberosError> {
    let mut fields = content.only(application(number), what)?.sequence(what)?;
    version(&mut fields, 0, what)?;
    match (fields.field(1, what)?.integer(what)?, i64::from(number)) {
        (found, expected) if found == expected => Ok(fields),
        (found, expected) => Err(KerberosError::MessageType { expected, found }),
    }
}

/// The beginning of a message.
pub(super) fn header(number: u8) -> [Vec<u8>; 2] {
    [der::field(0, &der::integer(VERSION)), der::field(1, &der::integer(number.into()))]
}

/// AP-REQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApReq {
    /// AP options, the first one in the highest bit.
    pub options: u32,
    /// The ticket.
    pub ticket: Ticket,
    /// The authenticator, encrypted with the session key.
    pub authenticator: EncryptedData,
}

impl ApReq {
    /// Option `mutual-required`: an AP-REP is asked for.
    pub const MUTUAL_REQUIRED: u32 = 0x2000_0000;

    /// Reads a token of `gssapi-data`.
    pub fn read(token: &[u8]) -> Result<Self, KerberosError> {
        let mut fields = message(unframe_as(token, TokenId::ApReq)?, AP_REQ, "AP-REQ")?;
        Ok(Self {
            options: fields.field(2, "ap-options")?.flags("ap-options")?,
            ticket: Ticket::read_field(fields.field(3, "ticket")?)?,
            authenticator: EncryptedData::read(
                &mut fields.field(4, "encrypted authenticator")?,
                "encrypted authenticator",
            )?,
        })
    }

    /// As a token of `gssapi-data`.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        Self::write_with(self.options, &self.ticket.write(), &self.authenticator)
    }

    /// The same with a ticket that may be any octets.
    pub(super) fn write_with(options: u32, ticket: &[u8], authenticator: &EncryptedData) -> Vec<u8> {
        let [version, kind] = header(AP_REQ);
        let fields = [
            version,
            kind,
            der::field(2, &der::flags(options)),
            der::field(3, ticket),
            der::field(4, &authenticator.write()),
        ];
        frame(TokenId::ApReq, &der::message(AP_REQ, &fields))
    }

    /// The authenticator, with the session key of the ticket.
    pub fn decrypt_authenticator(&self, session_key: &Key) -> Result<Authenticator, KerberosError> {
        let plain = self.authenticator.decrypt(session_key, Usage::Authenticator, "authenticator")?;
        Authenticator::read(&plain)
    }
}

/// A ticket, whose content only its service can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The service.
    pub service: Principal,
    /// What is encrypted with its key.
    pub encrypted: EncryptedData,
}

impl Ticket {
    /// Reads the DER of a ticket.
    pub fn read(octets: &[u8]) -> Result<Self, KerberosError> {
        Self::read_field(Reader::new(octets))
    }

    fn read_field(field: Reader<'_>) -> Result<Self, KerberosError> {
        let mut fields = field.only(application(TICKET), "ticket")?.sequence("ticket")?;
        version(&mut fields, 0, "ticket")?;
        let realm = fields.field(1, "realm of the service")?.text(GENERAL_STRING, "realm of the service")?;
        let what = "name of the service";
        Ok(Self {
            service: Principal::read_name(&mut fields.field(2, what)?, what, realm)?,
            encrypted: EncryptedData::read(&mut fields.field(3, "encrypted ticket")?, "encrypted ticket")?,
        })
    }

    /// The DER of a ticket.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let fields = [
            der::field(0, &der::integer(VERSION)),
            der::field(1, &der::general_string(&self.service.realm)),
            der::field(2, &self.service.write_name(SERVICE)),
            der::field(3, &self.encrypted.write()),
        ];
        der::message(TICKET, &fields)
    }

    /// What the KDC says in it, with the key of the service.
    pub fn decrypt(&self, service_key: &Key) -> Result<EncTicketPart, KerberosError> {
        EncTicketPart::read(&self.encrypted.decrypt(service_key, Usage::Ticket, "ticket")?)
    }
}

/// The encrypted part of a ticket. Addresses and authorization data are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncTicketPart {
    /// Ticket flags, the first one in the highest bit.
    pub flags: u32,
    /// The session key.
    pub session_key: EncryptionKey,
    /// The user.
    pub client: Principal,
    /// When the user proved the password.
    pub auth_time: KerberosTime,
    /// From when on the ticket is valid; from `auth_time` where it is not said.
    pub start: Option<KerberosTime>,
    /// Until when.
    pub end: KerberosTime,
}

impl EncTicketPart {
    /// The flag of a postdated ticket that was not yet validated.
    pub const INVALID: u32 = 0x0100_0000;

    /// Reads what was decrypted.
    pub fn read(plain: &[u8]) -> Result<Self, KerberosError> {
        let content = Reader::new(plain).element(application(ENC_TICKET_PART), "content of the ticket");
        let mut fields = content?.sequence("content of the ticket")?;
        let flags = fields.field(0, "ticket flags")?.flags("ticket flags")?;
        let session_key = EncryptionKey::read(&mut fields.field(1, "session key")?, "session key")?;
        let client = client(&mut fields, 2)?;
        fields.field(4, "transited realms")?;
        let start = |mut field: Reader<'_>| field.time("start of the ticket");
        Ok(Self {
            flags,
            session_key,
            client,
            auth_time: fields.field(5, "auth time")?.time("auth time")?,
            start: fields.optional(6, "start of the ticket")?.map(start).transpose()?,
            end: fields.field(7, "end of the ticket")?.time("end of the ticket")?,
        })
    }

    /// What is encrypted.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let no_realms = [der::field(0, &der::integer(1)), der::field(1, &der::octet_string(&[]))];
        let fields = [
            der::field(0, &der::flags(self.flags)),
            der::field(1, &self.session_key.write()),
            der::field(2, &der::general_string(&self.client.realm)),
            der::field(3, &self.client.write_name(USER)),
            der::field(4, &der::sequence(&no_realms)),
            der::field(5, &der::time(self.auth_time)),
            der::optional(6, self.start.map(der::time)),
            der::field(7, &der::time(self.end)),
        ];
        der::message(ENC_TICKET_PART, &fields)
    }

    /// Encrypted for a service.
    pub fn encrypt(&self, service_key: &Key, entropy: &mut dyn Entropy) -> EncryptedData {
        EncryptedData::encrypt(service_key, Usage::Ticket, &self.write(), entropy)
    }
}

/// Realm and name of the client, which stand behind each other in tickets and authenticators.
fn client(fields: &mut Reader<'_>, number: u8) -> Result<Principal, KerberosError> {
    let realm = fields.field(number, "realm of the client")?.text(GENERAL_STRING, "realm of the client")?;
    let what = "name of the client";
    Principal::read_name(&mut fields.field(number + 1, what)?, what, realm)
}

/// The authenticator: fresh, and made by somebody who has the session key. Authorization data are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// The client.
    pub client: Principal,
    /// The checksum, which GSS uses for other things.
    pub checksum: Option<Checksum>,
    /// Microseconds behind `ctime`.
    pub cusec: u32,
    /// Time of the client.
    pub ctime: KerberosTime,
    /// A key of this context alone.
    pub subkey: Option<EncryptionKey>,
    /// First sequence number of the client.
    pub sequence: Option<u32>,
}

impl Authenticator {
    /// Time of the client with its microseconds.
    #[must_use]
    pub fn time(&self) -> Time {
        self.ctime.time().plus(std::time::Duration::from_micros(self.cusec.into()))
    }

    /// Reads what was decrypted.
    pub fn read(plain: &[u8]) -> Result<Self, KerberosError> {
        let what = "authenticator";
        let mut fields = Reader::new(plain).element(application(AUTHENTICATOR), what)?.sequence(what)?;
        version(&mut fields, 0, what)?;
        let client = client(&mut fields, 1)?;
        let checksum = |mut field: Reader<'_>| Checksum::read(&mut field, "checksum");
        let subkey = |mut field: Reader<'_>| EncryptionKey::read(&mut field, "subkey");
        let sequence = |mut field: Reader<'_>| field.word("sequence number");
        Ok(Self {
            client,
            checksum: fields.optional(3, "checksum")?.map(checksum).transpose()?,
            cusec: microseconds(&mut fields, 4)?,
            ctime: fields.field(5, "ctime")?.time("ctime")?,
            subkey: fields.optional(6, "subkey")?.map(subkey).transpose()?,
            sequence: fields.optional(7, "sequence number")?.map(sequence).transpose()?,
        })
    }

    /// What is encrypted.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let fields = [
            der::field(0, &der::integer(VERSION)),
            der::field(1, &der::general_string(&self.client.realm)),
            der::field(2, &self.client.write_name(USER)),
            der::optional(3, self.checksum.as_ref().map(Checksum::write)),
            der::field(4, &der::integer(self.cusec.into())),
            der::field(5, &der::time(self.ctime)),
            der::optional(6, self.subkey.as_ref().map(EncryptionKey::write)),
            der::optional(7, self.sequence.map(|number| der::integer(number.into()))),
        ];
        der::message(AUTHENTICATOR, &fields)
    }

    /// Encrypted with the session key.
    pub fn encrypt(&self, session_key: &Key, entropy: &mut dyn Entropy) -> EncryptedData {
        EncryptedData::encrypt(session_key, Usage::Authenticator, &self.write(), entropy)
    }
}

/// Microseconds (RFC 4120 5.2.4): 0 to 999999.
pub(super) fn microseconds(fields: &mut Reader<'_>, number: u8) -> Result<u32, KerberosError> {
    let mut field = fields.field(number, "microseconds")?;
    let wrong = field.wrong_value("microseconds");
    field.word("microseconds").ok().filter(|number| *number < 1_000_000).ok_or(wrong)
}

/// The content of the checksum 0x8003. Delegated credentials and extensions are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GssChecksum {
    /// MD5 of the channel bindings; zeros without any.
    pub bindings: [u8; 16],
    /// What the client asks for.
    pub flags: GssFlags,
}

impl GssChecksum {
    /// Its checksum type.
    pub const KIND: i32 = 0x8003;

    /// Reads the checksum of an authenticator.
    pub fn read(checksum: Option<&Checksum>) -> Result<Self, KerberosError> {
        let Some(Checksum { kind: Self::KIND, octets }) = checksum else {
            return Err(KerberosError::ChecksumType { found: checksum.map(|checksum| checksum.kind) });
        };
        Self::from_octets(octets).ok_or(KerberosError::Checksum { length: octets.len() })
    }

    fn from_octets(octets: &[u8]) -> Option<Self> {
        let (length, rest) = octets.split_first_chunk::<4>()?;
        let (bindings, rest) = rest.split_first_chunk::<16>()?;
        let flags = GssFlags(u32::from_le_bytes(*rest.first_chunk()?));
        (u32::from_le_bytes(*length) == 16).then_some(Self { bindings: *bindings, flags })
    }

    /// The octets of the checksum.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        [&16_u32.to_le_bytes()[..], &self.bindings, &self.flags.0.to_le_bytes()].concat()
    }
}
