//! AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3).

use subtle::ConstantTimeEq;

use super::response::{NTLMV2_BLOB, blob_av_pairs};
use super::wire::{Payload, Reader, Writer, text};
use super::{
    AvId, AvPair, AvPairs, Challenge, NegotiateFlags, NtlmError, PayloadField, ResponseV1, ResponseV2,
    SessionKeys, encode_text, key_exchange_key_v1, lmowfv1, message_integrity_code, ntowfv1, ntowfv2,
};

/// Fixed part without version and MIC: no payload begins before.
const FIXED: usize = 64;
const BASE: usize = 72;
const BASE_WITH_MIC: usize = 88;
/// Bit of MsvAvFlags: a MIC is present.
const AV_FLAG_MIC: u8 = 0x02;

/// What the client answers a CHALLENGE with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authenticate {
    /// NegotiateFlags: what both sides have agreed on.
    pub flags: NegotiateFlags,
    /// LmChallengeResponse.
    pub lm_response: Vec<u8>,
    /// NtChallengeResponse.
    pub nt_response: Vec<u8>,
    /// DomainName, in UTF-16LE or OEM text as the flags say.
    pub domain: Vec<u8>,
    /// UserName, likewise.
    pub user: Vec<u8>,
    /// Workstation, likewise.
    pub workstation: Vec<u8>,
    /// EncryptedRandomSessionKey.
    pub session_key: Vec<u8>,
    /// Version; `None` where the payload begins before it would end.
    pub version: Option<[u8; 8]>,
    /// MIC; `None` unless the AV pairs of the response announce one.
    pub mic: Option<[u8; 16]>,
}

/// What a client knows and decides when it answers a CHALLENGE.
#[derive(Clone)]
pub struct Answer<'a> {
    /// User name.
    pub user: &'a str,
    /// Domain; empty for the user@domain form.
    pub domain: &'a str,
    /// Password.
    pub password: &'a str,
    /// Workstation name, for display only.
    pub workstation: &'a str,
    /// Flags of AUTHENTICATE.
    pub flags: NegotiateFlags,
    /// ClientChallenge: random.
    pub client_challenge: [u8; 8],
    /// RandomSessionKey: random, used with KEY_EXCH.
    pub random_session_key: [u8; 16],
    /// Windows FILETIME: 100 ns since 1601, little-endian; a time stamp in the CHALLENGE wins.
    pub time: [u8; 8],
    /// NTLMv2 or NTLMv1.
    pub response: ResponseKind,
    /// Whether a MIC is put in.
    pub with_mic: bool,
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}\\{}, {:?}, {:?})", self.domain, self.user, self.response, self.flags)
    }
}

/// Which response is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseKind {
    /// [MS-NLMP] 3.3.2.
    NtlmV2,
    /// [MS-NLMP] 3.3.1.
    NtlmV1,
}

impl Authenticate {
    /// The order in which Communicator lays the payload out.
    pub const PAYLOAD: Payload<'static> = Payload {
        order: &[
            PayloadField::Domain,
            PayloadField::User,
            PayloadField::Workstation,
            PayloadField::LmResponse,
            PayloadField::NtResponse,
            PayloadField::SessionKey,
        ],
    };

    /// Reads a token.
    ///
    /// # Errors
    /// When it is cut short, a field lies outside it, or the responses have lengths that no NTLM version makes.
    pub fn read(token: &[u8]) -> Result<Self, NtlmError> {
        let reader = Reader::new(token, 3, FIXED)?;
        let mut first = usize::MAX;
        let mut field = |field, descriptor| {
            reader.payload(field, descriptor).map(|(octets, offset)| {
                first = first.min(offset);
                octets.to_vec()
            })
        };
        let mut message = Self {
            lm_response: field(PayloadField::LmResponse, 12)?,
            nt_response: field(PayloadField::NtResponse, 20)?,
            domain: field(PayloadField::Domain, 28)?,
            user: field(PayloadField::User, 36)?,
            workstation: field(PayloadField::Workstation, 44)?,
            session_key: field(PayloadField::SessionKey, 52)?,
            flags: reader.flags(60)?,
            version: None,
            mic: None,
        };
        message.check_lengths()?;
        if BASE <= first.min(token.len()) {
            message.version = reader.octets("version", 64).ok();
        }
        if BASE_WITH_MIC <= first && message.announces_mic() {
            message.mic = Some(reader.octets("MIC", 72)?);
        }
        Ok(message)
    }

    fn check_lengths(&self) -> Result<(), NtlmError> {
        let wrong = |field, octets: &[u8]| Err(NtlmError::ResponseLength { field, length: octets.len() });
        match (self.lm_response.len(), self.nt_response.len()) {
            (0 | 1 | 24, 0 | 24) => Ok(()),
            (0 | 24, length) if 16 + NTLMV2_BLOB <= length => Ok(()),
            (0 | 1 | 24, _) => wrong(PayloadField::NtResponse, &self.nt_response),
            _ => wrong(PayloadField::LmResponse, &self.lm_response),
        }
    }

    fn announces_mic(&self) -> bool {
        blob_av_pairs(&self.nt_response).as_ref().is_some_and(announces_mic)
    }

    /// Writes the token, with room for a MIC if there is one.
    #[must_use]
    pub fn write(&self, payload: &Payload<'_>) -> Vec<u8> {
        let base = if self.mic.is_some() { BASE_WITH_MIC } else { BASE };
        Writer::new(3, base, payload, |field| self.field(field))
            .descriptor(PayloadField::LmResponse)
            .descriptor(PayloadField::NtResponse)
            .descriptor(PayloadField::Domain)
            .descriptor(PayloadField::User)
            .descriptor(PayloadField::Workstation)
            .descriptor(PayloadField::SessionKey)
            .octets(&self.flags.0.to_le_bytes())
            .octets(&self.version.unwrap_or_default())
            .octets(self.mic.as_ref().map_or(&[][..], |mic| mic))
            .finish()
    }

    fn field(&self, field: PayloadField) -> &[u8] {
        match field {
            PayloadField::LmResponse => &self.lm_response,
            PayloadField::NtResponse => &self.nt_response,
            PayloadField::Domain => &self.domain,
            PayloadField::User => &self.user,
            PayloadField::Workstation => &self.workstation,
            PayloadField::SessionKey => &self.session_key,
            PayloadField::TargetName | PayloadField::TargetInfo => &[],
        }
    }

    fn text(&self, field: PayloadField) -> Result<String, NtlmError> {
        text(field, self.field(field), self.flags.contains(NegotiateFlags::UNICODE))
    }

    /// User name as text.
    ///
    /// # Errors
    /// When it is not valid text.
    pub fn user_text(&self) -> Result<String, NtlmError> {
        self.text(PayloadField::User)
    }

    /// Domain as text.
    ///
    /// # Errors
    /// When it is not valid text.
    pub fn domain_text(&self) -> Result<String, NtlmError> {
        self.text(PayloadField::Domain)
    }

    /// Workstation as text.
    ///
    /// # Errors
    /// When it is not valid text.
    pub fn workstation_text(&self) -> Result<String, NtlmError> {
        self.text(PayloadField::Workstation)
    }

    /// Whether it claims no user: the anonymous kind ([MS-NLMP] 3.2.5.1.2).
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.flags.contains(NegotiateFlags::ANONYMOUS) || self.user.is_empty() || self.nt_response.is_empty()
    }

    /// Whether the response is NTLMv2: it is longer than the 24 octets of NTLMv1.
    #[must_use]
    pub const fn is_v2(&self) -> bool {
        24 < self.nt_response.len()
    }

    /// The revision in Version; 0 where there is none.
    #[must_use]
    pub fn revision(&self) -> u8 {
        let flagged = self.flags.contains(NegotiateFlags::VERSION);
        self.version.filter(|_| flagged).map_or(0, |[.., revision]| revision)
    }

    /// Answers a CHALLENGE, and gives the keys of the context ([MS-NLMP] 3.1.5.2.1).
    ///
    /// # Errors
    /// When the AV pairs of the CHALLENGE are cut short, or too long to be repeated in a response.
    pub fn answer(challenge: &Challenge, answer: &Answer<'_>) -> Result<(Self, SessionKeys), NtlmError> {
        let mut message = Self {
            flags: answer.flags,
            domain: encode_text(answer.flags, answer.domain),
            user: encode_text(answer.flags, answer.user),
            workstation: encode_text(answer.flags, answer.workstation),
            version: Some([6, 1, 0xB1, 0x1D, 0, 0, 0, 0x0F]),
            ..Self::default()
        };
        let key_exchange_key = match answer.response {
            ResponseKind::NtlmV2 => message.respond_v2(challenge, answer)?,
            ResponseKind::NtlmV1 => message.respond_v1(challenge, answer),
        };
        let mut exported = key_exchange_key;
        if answer.flags.contains(NegotiateFlags::KEY_EXCH) {
            exported = answer.random_session_key;
            message.session_key = super::rc4(&key_exchange_key, &exported);
        }
        let keys = SessionKeys::new(answer.flags, exported, message.revision());
        Ok((message, keys))
    }

    fn respond_v2(&mut self, challenge: &Challenge, answer: &Answer<'_>) -> Result<[u8; 16], NtlmError> {
        let pairs = challenge.av_pairs()?;
        let stamp = pairs.get(AvId::Timestamp).and_then(|stamp| stamp.try_into().ok());
        self.mic = answer.with_mic.then_some([0; 16]);
        // The octets of the CHALLENGE are repeated as they are unless the announcement of a MIC has to change.
        let target_info = if announces_mic(&pairs) == answer.with_mic {
            challenge.target_info.clone()
        } else {
            announcing(pairs, answer.with_mic).write()
        };
        let key = ntowfv2(&ntowfv1(answer.password), answer.user, answer.domain);
        let time = stamp.unwrap_or(answer.time);
        let response =
            ResponseV2::new(&key, challenge.server_challenge, answer.client_challenge, time, &target_info);
        // [MS-NLMP] 3.1.5.1.2: no LMv2 response where the server gave a time stamp.
        if usize::from(u16::MAX) < response.nt_response.len() {
            let (field, length) = (PayloadField::NtResponse, response.nt_response.len());
            return Err(NtlmError::ResponseLength { field, length });
        }
        self.lm_response = if stamp.is_some() { vec![0; 24] } else { response.lm_response.to_vec() };
        self.nt_response = response.nt_response;
        Ok(response.session_base_key)
    }

    fn respond_v1(&mut self, challenge: &Challenge, answer: &Answer<'_>) -> [u8; 16] {
        let (nt_hash, lm_hash) = (ntowfv1(answer.password), lmowfv1(answer.password));
        let challenges = (challenge.server_challenge, answer.client_challenge);
        let response = ResponseV1::new(&nt_hash, &lm_hash, challenges.0, challenges.1, answer.flags);
        self.lm_response = response.lm_response.to_vec();
        self.nt_response = response.nt_response.to_vec();
        let base = response.session_base_key;
        key_exchange_key_v1(answer.flags, &base, &response.lm_response, challenges.0, &lm_hash)
    }

    /// Whether a connectionless context that signs can come out of it, with nothing in it that `challenge` did not offer
    /// ([MS-SIPAE] SIPAE-3.3.5.2-08).
    ///
    /// # Errors
    /// Names the flag that is clear, or was not offered.
    pub fn check_for_sip(&self, challenge: &Challenge) -> Result<(), NtlmError> {
        const SECURITY: [&str; 6] =
            ["LM_KEY", "REQUEST_NON_NT_SESSION_KEY", "EXTENDED_SESSIONSECURITY", "128", "56", "KEY_EXCH"];
        super::challenge::check_for_sip(self.flags)?;
        let alien = |name: &&&'static str| {
            let flag = NegotiateFlags::from_name(name).unwrap_or_default();
            self.flags.contains(flag) && !challenge.flags.contains(flag)
        };
        SECURITY.iter().find(alien).map_or(Ok(()), |flag| Err(NtlmError::FlagNotOffered { flag }))
    }

    /// Checks the response against the password and gives the keys of the context ([MS-NLMP] 3.2.5.2.2).
    ///
    /// # Errors
    /// [`NtlmError::Anonymous`], [`NtlmError::Proof`], or what is wrong with a field.
    pub fn verify(&self, challenge: &Challenge, password: &str) -> Result<SessionKeys, NtlmError> {
        let base = if self.is_anonymous() {
            Err(NtlmError::Anonymous)
        } else if self.is_v2() {
            self.verify_v2(challenge, password)
        } else {
            self.verify_v1(challenge, password)
        }?;
        Ok(SessionKeys::new(self.flags, self.exported_session_key(base)?, self.revision()))
    }

    fn verify_v2(&self, challenge: &Challenge, password: &str) -> Result<[u8; 16], NtlmError> {
        let key = ntowfv2(&ntowfv1(password), &self.user_text()?, &self.domain_text()?);
        ResponseV2::verify(&key, challenge.server_challenge, &self.nt_response).ok_or(NtlmError::Proof)
    }

    fn verify_v1(&self, challenge: &Challenge, password: &str) -> Result<[u8; 16], NtlmError> {
        let (nt_hash, lm_hash) = (ntowfv1(password), lmowfv1(password));
        let lm_response = self.lm_response.first_chunk::<24>().copied().unwrap_or_default();
        let client_challenge = lm_response.first_chunk::<8>().copied().unwrap_or_default();
        let expected =
            ResponseV1::new(&nt_hash, &lm_hash, challenge.server_challenge, client_challenge, self.flags);
        if !bool::from(expected.nt_response.as_slice().ct_eq(&self.nt_response)) {
            return Err(NtlmError::Proof);
        }
        let base = expected.session_base_key;
        Ok(key_exchange_key_v1(self.flags, &base, &lm_response, challenge.server_challenge, &lm_hash))
    }

    fn exported_session_key(&self, key_exchange_key: [u8; 16]) -> Result<[u8; 16], NtlmError> {
        if !self.flags.contains(NegotiateFlags::KEY_EXCH) {
            return Ok(key_exchange_key);
        }
        let length = self.session_key.len();
        let exported = super::rc4(&key_exchange_key, &self.session_key);
        exported.try_into().map_err(|_| NtlmError::SessionKeyLength { length })
    }

    /// Fills the MIC over the messages of the exchange. In connectionless mode there is no NEGOTIATE and `before` is
    /// the CHALLENGE alone; in connection mode it is NEGOTIATE and CHALLENGE ([MS-NLMP] 3.1.5.1.2, 3.1.5.2.1).
    pub fn set_mic(&mut self, exported_session_key: &[u8; 16], before: &[&[u8]], payload: &Payload<'_>) {
        self.mic = Some([0; 16]);
        let own = self.write(payload);
        self.mic = Some(message_integrity_code(exported_session_key, before, &own));
    }

    /// Checks the MIC of a token. One whose response announces no MIC passes; one that announces it and has none, does
    /// not.
    ///
    /// # Errors
    /// [`NtlmError::Integrity`].
    pub fn check_mic(token: &[u8], exported: &[u8; 16], before: &[&[u8]]) -> Result<(), NtlmError> {
        let read = Self::read(token)?;
        let Some(mic) = read.mic else {
            return if read.announces_mic() { Err(NtlmError::Integrity) } else { Ok(()) };
        };
        let mut zeroed = token.to_vec();
        if let Some(field) = zeroed.get_mut(BASE..BASE_WITH_MIC) {
            field.fill(0);
        }
        let expected = message_integrity_code(exported, before, &zeroed);
        if bool::from(expected.ct_eq(&mic)) { Ok(()) } else { Err(NtlmError::Integrity) }
    }
}

fn announces_mic(pairs: &AvPairs) -> bool {
    pairs.get(AvId::Flags).and_then(<[u8]>::first).is_some_and(|flags| flags & AV_FLAG_MIC != 0)
}

/// The pairs with the announcement of a MIC set or cleared; the other flags stay.
fn announcing(mut pairs: AvPairs, mic: bool) -> AvPairs {
    let mut flags =
        pairs.get(AvId::Flags).and_then(|flags| flags.try_into().ok()).map_or(0, u32::from_le_bytes);
    let bit = u32::from(AV_FLAG_MIC);
    flags = if mic { flags | bit } else { flags & !bit };
    pairs.0.retain(|pair| pair.id != AvId::Flags);
    pairs.0.push(AvPair { id: AvId::Flags, value: flags.to_le_bytes().to_vec() });
    pairs
}
