//! CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2).

use super::wire::{Payload, Reader, Writer, text, utf16};
use super::{AvPair, AvPairs, NegotiateFlags, NtlmError, PayloadField};

const BASE: usize = 56;
/// Up to and with Reserved; TargetInfo and Version came later.
const FIXED: usize = 40;

/// What the server sends first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// TargetName, in UTF-16LE or OEM text as the flags say.
    pub target_name: Vec<u8>,
    /// NegotiateFlags.
    pub flags: NegotiateFlags,
    /// ServerChallenge.
    pub server_challenge: [u8; 8],
    /// TargetInfo as written, see [`Self::av_pairs`].
    pub target_info: Vec<u8>,
    /// Version; `None` where the token is too short for one.
    pub version: Option<[u8; 8]>,
}

impl Challenge {
    /// The order in which servers lay the payload out.
    pub const PAYLOAD: Payload<'static> =
        Payload { order: &[PayloadField::TargetName, PayloadField::TargetInfo] };

    /// Reads a token.
    ///
    /// # Errors
    /// When it is cut short, a field lies outside it, or the AV pairs are cut short.
    pub fn read(token: &[u8]) -> Result<Self, NtlmError> {
        let reader = Reader::new(token, 2, FIXED)?;
        let flags = reader.flags(20)?;
        let (target_name, name_offset) = reader.payload(PayloadField::TargetName, 12)?;
        let has_info = flags.contains(NegotiateFlags::TARGET_INFO) || 48 <= token.len().min(name_offset);
        let (target_info, info_offset) =
            if has_info { reader.payload(PayloadField::TargetInfo, 40)? } else { (&[][..], usize::MAX) };
        let has_version = BASE <= name_offset.min(info_offset);
        let challenge = Self {
            target_name: target_name.to_vec(),
            flags,
            server_challenge: reader.octets("server challenge", 24)?,
            target_info: target_info.to_vec(),
            version: if has_version { reader.octets("version", 48).ok() } else { None },
        };
        if !challenge.target_info.is_empty() {
            AvPairs::read(&challenge.target_info)?;
        }
        Ok(challenge)
    }

    /// Writes the token.
    #[must_use]
    pub fn write(&self, payload: &Payload<'_>) -> Vec<u8> {
        Writer::new(2, BASE, payload, |field| self.field(field))
            .descriptor(PayloadField::TargetName)
            .octets(&self.flags.0.to_le_bytes())
            .octets(&self.server_challenge)
            .octets(&[0; 8])
            .descriptor(PayloadField::TargetInfo)
            .octets(&self.version.unwrap_or_default())
            .finish()
    }

    fn field(&self, field: PayloadField) -> &[u8] {
        match field {
            PayloadField::TargetName => &self.target_name,
            PayloadField::TargetInfo => &self.target_info,
            _ => &[],
        }
    }

    /// TargetName as text.
    ///
    /// # Errors
    /// When it is not valid text.
    pub fn target_name_text(&self) -> Result<String, NtlmError> {
        text(PayloadField::TargetName, &self.target_name, self.flags.contains(NegotiateFlags::UNICODE))
    }

    /// The AV pairs of TargetInfo; an empty list if there is none.
    ///
    /// # Errors
    /// When the list is cut short.
    pub fn av_pairs(&self) -> Result<AvPairs, NtlmError> {
        if self.target_info.is_empty() { Ok(AvPairs::default()) } else { AvPairs::read(&self.target_info) }
    }

    /// A CHALLENGE such as Lync sends: NetBIOS and DNS names of domain and computer, no target name, no time stamp.
    #[must_use]
    pub fn for_server(flags: NegotiateFlags, server_challenge: [u8; 8], domain: &str, host: &str) -> Self {
        let label = |name: &str| name.split('.').next().unwrap_or_default().to_uppercase();
        let dns_domain = host.split_once('.').map_or(host, |(_, domain)| domain);
        let pairs = AvPairs(vec![
            AvPair::text(super::AvId::NbDomainName, domain),
            AvPair::text(super::AvId::NbComputerName, &label(host)),
            AvPair::text(super::AvId::DnsDomainName, dns_domain),
            AvPair::text(super::AvId::DnsComputerName, host),
            AvPair::text(super::AvId::DnsTreeName, dns_domain),
        ]);
        Self {
            target_name: Vec::new(),
            flags,
            server_challenge,
            target_info: pairs.write(),
            version: Some([5, 2, 0xCE, 0x0E, 0, 0, 0, 0x0F]),
        }
    }

    /// Whether a connectionless context that signs can come out of it ([MS-SIPAE] SIPAE-3.3.5.2-08).
    ///
    /// # Errors
    /// Names the first flag that is clear.
    pub fn check_for_sip(&self) -> Result<(), NtlmError> {
        check_for_sip(self.flags)
    }
}

/// The flags without which there is no connectionless context that signs.
pub(super) fn check_for_sip(flags: NegotiateFlags) -> Result<(), NtlmError> {
    let is_clear =
        |name: &&&'static str| NegotiateFlags::from_name(name).is_some_and(|flag| !flags.contains(flag));
    let clear = ["DATAGRAM", "KEY_EXCH", "SIGN"].iter().find(is_clear);
    clear.map_or(Ok(()), |flag| Err(NtlmError::FlagClear { flag }))
}

impl Default for Challenge {
    fn default() -> Self {
        Self::for_server(NegotiateFlags::SERVER, [0; 8], "CONTOSO", "server.contoso.com")
    }
}

/// Text in the encoding of the flags: UTF-16LE, or OEM text.
#[must_use]
pub fn encode_text(flags: NegotiateFlags, text: &str) -> Vec<u8> {
    if flags.contains(NegotiateFlags::UNICODE) { utf16(text) } else { text.as_bytes().to_vec() }
}
