//! AP-REP: the acceptor proves that it could read the authenticator (RFC 4120 5.5.2).

use super::ap_req::{header, message, microseconds};
use super::data::{EncryptedData, EncryptionKey};
use super::der::{self, Reader, application};
use super::gss::{TokenId, frame, unframe_as};
use super::key::{Key, Usage};
use super::{KerberosError, KerberosTime};
use crate::clock::Entropy;

const AP_REP: u8 = 15;
const ENC_AP_REP_PART: u8 = 27;

/// AP-REP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApRep {
    /// What is encrypted with the session key of the ticket.
    pub encrypted: EncryptedData,
}

impl ApRep {
    /// Reads a token of `gssapi-data`.
    pub fn read(token: &[u8]) -> Result<Self, KerberosError> {
        let mut fields = message(unframe_as(token, TokenId::ApRep)?, AP_REP, "AP-REP")?;
        let what = "encrypted part of AP-REP";
        Ok(Self { encrypted: EncryptedData::read(&mut fields.field(2, what)?, what)? })
    }

    /// As a token of `gssapi-data`.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let [version, kind] = header(AP_REP);
        let fields = [version, kind, der::field(2, &self.encrypted.write())];
        frame(TokenId::ApRep, &der::message(AP_REP, &fields))
    }

    /// What is in it, with the session key of the ticket.
    pub fn decrypt(&self, session_key: &Key) -> Result<EncApRepPart, KerberosError> {
        EncApRepPart::read(&self.encrypted.decrypt(session_key, Usage::ApRep, "AP-REP")?)
    }
}

/// The encrypted part of AP-REP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncApRepPart {
    /// Time of the authenticator.
    pub ctime: KerberosTime,
    /// Microseconds of the authenticator.
    pub cusec: u32,
    /// The key that the acceptor asserts.
    pub subkey: Option<EncryptionKey>,
    /// First sequence number of the acceptor.
    pub sequence: Option<u32>,
}

impl EncApRepPart {
    /// Reads what was decrypted.
    pub fn read(plain: &[u8]) -> Result<Self, KerberosError> {
        let what = "content of AP-REP";
        let mut fields = Reader::new(plain).element(application(ENC_AP_REP_PART), what)?.sequence(what)?;
        let subkey = |mut field: Reader<'_>| EncryptionKey::read(&mut field, "subkey");
        let sequence = |mut field: Reader<'_>| field.word("sequence number");
        Ok(Self {
            ctime: fields.field(0, "ctime")?.time("ctime")?,
            cusec: microseconds(&mut fields, 1)?,
            subkey: fields.optional(2, "subkey")?.map(subkey).transpose()?,
            sequence: fields.optional(3, "sequence number")?.map(sequence).transpose()?,
        })
    }

    /// What is encrypted.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let fields = [
            der::field(0, &der::time(self.ctime)),
            der::field(1, &der::integer(self.cusec.into())),
            der::optional(2, self.subkey.as_ref().map(EncryptionKey::write)),
            der::optional(3, self.sequence.map(|number| der::integer(number.into()))),
        ];
        der::message(ENC_AP_REP_PART, &fields)
    }

    /// Encrypted with the session key.
    pub fn encrypt(&self, session_key: &Key, entropy: &mut dyn Entropy) -> ApRep {
        ApRep { encrypted: EncryptedData::encrypt(session_key, Usage::ApRep, &self.write(), entropy) }
    }
}
