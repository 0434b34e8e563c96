//! NEGOTIATE_MESSAGE ([MS-NLMP] 2.2.1.1).

use super::wire::{Payload, Reader, Writer};
use super::{NegotiateFlags, NtlmError, PayloadField};

const FIXED: usize = 32;
const BASE: usize = 40;

/// The message that opens NTLM in connection mode. SIP does not send it; it is read so that one that was sent can be
/// named ([MS-SIPAE] SIPAE-3.2.5.1-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiate {
    /// NegotiateFlags.
    pub flags: NegotiateFlags,
    /// DomainName, OEM text.
    pub domain: Vec<u8>,
    /// Workstation, OEM text.
    pub workstation: Vec<u8>,
    /// Version; `None` where the token is too short for one.
    pub version: Option<[u8; 8]>,
}

impl Negotiate {
    /// Reads a token.
    ///
    /// # Errors
    /// When it is cut short or a field lies outside it.
    pub fn read(token: &[u8]) -> Result<Self, NtlmError> {
        let reader = Reader::new(token, 1, FIXED)?;
        Ok(Self {
            flags: reader.flags(12)?,
            domain: reader.payload(PayloadField::Domain, 16)?.0.to_vec(),
            workstation: reader.payload(PayloadField::Workstation, 24)?.0.to_vec(),
            version: reader.octets("version", 32).ok(),
        })
    }

    /// Writes the token.
    #[must_use]
    pub fn write(&self, payload: &Payload<'_>) -> Vec<u8> {
        Writer::new(1, BASE, payload, |field| self.field(field))
            .octets(&self.flags.0.to_le_bytes())
            .descriptor(PayloadField::Domain)
            .descriptor(PayloadField::Workstation)
            .octets(&self.version.unwrap_or_default())
            .finish()
    }

    fn field(&self, field: PayloadField) -> &[u8] {
        match field {
            PayloadField::Domain => &self.domain,
            PayloadField::Workstation => &self.workstation,
            _ => &[],
        }
    }
}
