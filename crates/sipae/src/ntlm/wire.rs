//! The frame that NTLM messages share: fixed fields and payload descriptors ([MS-NLMP] 2.2.1).

use std::fmt;

use super::{NegotiateFlags, NtlmError};

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// A field of the payload, pointed to by length and offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadField {
    /// TargetName of CHALLENGE.
    TargetName,
    /// TargetInfo of CHALLENGE: AV pairs.
    TargetInfo,
    /// LmChallengeResponse.
    LmResponse,
    /// NtChallengeResponse.
    NtResponse,
    /// DomainName.
    Domain,
    /// UserName.
    User,
    /// Workstation.
    Workstation,
    /// EncryptedRandomSessionKey.
    SessionKey,
}

impl PayloadField {
    /// Every field.
    pub const ALL: [Self; 8] = [
        Self::TargetName,
        Self::TargetInfo,
        Self::LmResponse,
        Self::NtResponse,
        Self::Domain,
        Self::User,
        Self::Workstation,
        Self::SessionKey,
    ];

    /// Name as vectors write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TargetName => "target_name",
            Self::TargetInfo => "target_info",
            Self::LmResponse => "lm_response",
            Self::NtResponse => "nt_response",
            Self::Domain => "domain",
            Self::User => "user",
            Self::Workstation => "workstation",
            Self::SessionKey => "encrypted_session_key",
        }
    }
}

impl fmt::Display for PayloadField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a message lays its payload out. Implementations differ, and the octets are hashed into the MIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Fields in the order in which they are laid out; a field that is not named has an all-zero descriptor.
    pub order: &'a [PayloadField],
}

/// Reads a token front to back; every access is checked against its length.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    token: &'a [u8],
    /// Octets of the fixed part: no payload field may begin before.
    fixed: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(token: &'a [u8], message_type: u32, fixed: usize) -> Result<Self, NtlmError> {
        let reader = Self { token, fixed };
        if reader.octets::<8>("signature", 0)? != *SIGNATURE {
            return Err(NtlmError::Signature);
        }
        let found = reader.word("message type", 8)?;
        if found != message_type {
            return Err(NtlmError::MessageType { expected: message_type, found });
        }
        Ok(reader)
    }

    pub(super) fn octets<const N: usize>(
        &self,
        what: &'static str,
        offset: usize,
    ) -> Result<[u8; N], NtlmError> {
        let found = offset.checked_add(N).and_then(|end| self.token.get(offset..end));
        found.and_then(|octets| octets.try_into().ok()).ok_or(NtlmError::Truncated {
            what,
            offset,
            needed: N,
            length: self.token.len(),
        })
    }

    pub(super) fn word(&self, what: &'static str, offset: usize) -> Result<u32, NtlmError> {
        self.octets(what, offset).map(u32::from_le_bytes)
    }

    pub(super) fn flags(&self, offset: usize) -> Result<NegotiateFlags, NtlmError> {
        self.word("flags", offset).map(NegotiateFlags)
    }

    /// The octets a descriptor points to, and their offset. An empty field may point anywhere.
    pub(super) fn payload(
        &self,
        field: PayloadField,
        descriptor: usize,
    ) -> Result<(&'a [u8], usize), NtlmError> {
        let [l0, l1, _, _, o0, o1, o2, o3] = self.octets::<8>(field.name(), descriptor)?;
        let length = u16::from_le_bytes([l0, l1]);
        let offset = u32::from_le_bytes([o0, o1, o2, o3]);
        if length == 0 {
            return Ok((&[], usize::MAX));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let octets = start.checked_add(usize::from(length)).and_then(|end| self.token.get(start..end));
        octets.filter(|_| self.fixed <= start).map(|octets| (octets, start)).ok_or(NtlmError::Payload {
            field,
            offset,
            length,
            token: self.token.len(),
        })
    }
}

/// Writes fixed part and payload.
pub(super) struct Writer {
    fixed: Vec<u8>,
    payload: Vec<u8>,
    base: usize,
    descriptors: Vec<(PayloadField, [u8; 8])>,
}

impl Writer {
    /// Lays the payload out behind a fixed part of `base` octets. A field of 64 KiB or more is cut: its length has 16
    /// bits.
    pub(super) fn new<'f>(
        message_type: u32,
        base: usize,
        payload: &Payload<'_>,
        field: impl Fn(PayloadField) -> &'f [u8],
    ) -> Self {
        let mut fixed = SIGNATURE.to_vec();
        fixed.extend_from_slice(&message_type.to_le_bytes());
        let mut writer = Self { fixed, payload: Vec::new(), base, descriptors: Vec::new() };
        for ordered in payload.order {
            writer.lay(*ordered, field(*ordered));
        }
        writer
    }

    fn lay(&mut self, field: PayloadField, octets: &[u8]) {
        let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
        let offset = u32::try_from(self.base + self.payload.len()).unwrap_or(u32::MAX);
        let mut descriptor = [0; 8];
        let parts = length.to_le_bytes().into_iter().chain(length.to_le_bytes()).chain(offset.to_le_bytes());
        for (octet, value) in descriptor.iter_mut().zip(parts) {
            *octet = value;
        }
        self.descriptors.push((field, descriptor));
        self.payload.extend(octets.iter().take(usize::from(length)));
    }

    pub(super) fn descriptor(mut self, field: PayloadField) -> Self {
        let found = self.descriptors.iter().find(|(known, _)| *known == field);
        let descriptor = found.map_or([0; 8], |(_, descriptor)| *descriptor);
        self.fixed.extend_from_slice(&descriptor);
        self
    }

    pub(super) fn octets(mut self, octets: &[u8]) -> Self {
        self.fixed.extend_from_slice(octets);
        self
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.fixed.extend_from_slice(&self.payload);
        self.fixed
    }
}

/// UTF-16LE of `text`.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Text of a payload field: UTF-16LE, or OEM text, of which only ASCII is read.
pub(super) fn text(field: PayloadField, octets: &[u8], unicode: bool) -> Result<String, NtlmError> {
    let read = if unicode { from_utf16(octets) } else { from_ascii(octets) };
    read.ok_or(NtlmError::Text { field })
}

pub(super) fn from_utf16(octets: &[u8]) -> Option<String> {
    let (pairs, rest) = octets.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
}

fn from_ascii(octets: &[u8]) -> Option<String> {
    octets.is_ascii().then(|| String::from_utf8(octets.to_vec()).ok()).flatten()
}
