//! The keys of both sides, for one header field.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use sipae::auth::{AuthHeader, Scheme};
use sipae::ntlm::{DatagramMac, MacOptions, NegotiateFlags, SEQUENCE_NUMBER, SessionKeys};
use sipae::side::Side;

use crate::conversation::Conversation;
use crate::material::{ExportedKey, Material, NtlmKey};

/// Keys of other associations that are tried.
const MOST_OTHERS: usize = 64;

/// How NTLM signs, where it is not as negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NtlmMode {
    pub(crate) other_security: bool,
    pub(crate) other_key_exchange: bool,
    pub(crate) sequence_number: u32,
}

impl Default for NtlmMode {
    fn default() -> Self {
        Self { other_security: false, other_key_exchange: false, sequence_number: SEQUENCE_NUMBER }
    }
}

/// A key of one side.
pub(crate) enum Key {
    Ntlm(NtlmKey),
    Session(SessionKeys, Side),
    Tls(Vec<u8>),
}

/// The keys of both sides, as far as they are known, and where they are from.
pub(crate) struct Keys {
    client: Option<Key>,
    server: Option<Key>,
    pub(crate) from: String,
    /// Why there are none, where only those of others are known.
    pub(crate) missing: Option<String>,
    /// Keys that are not for this signature, and whose they are.
    pub(crate) others: Vec<(Key, String)>,
}

/// Finds the keys that a header field is to be verified with, or says why there are none.
pub(crate) fn keys(
    header: &AuthHeader<'_>,
    material: &Material,
    conversation: &Conversation,
) -> Result<Keys, String> {
    match header.scheme() {
        Some(Scheme::Ntlm) => ntlm(header, material, conversation),
        Some(Scheme::TlsDsk) => tls(material),
        _ => Err("there are no keys for this scheme".to_owned()),
    }
}

fn ntlm(header: &AuthHeader<'_>, material: &Material, conversation: &Conversation) -> Result<Keys, String> {
    if material.ntlm_client.is_some() || material.ntlm_server.is_some() {
        let key = |key: &Option<NtlmKey>| key.clone().map(Key::Ntlm);
        let (client, server) = (key(&material.ntlm_client), key(&material.ntlm_server));
        return Ok(Keys { client, server, from: "given".to_owned(), missing: None, others: Vec::new() });
    }
    if let Some(ExportedKey { key, flags }) = &material.exported {
        let keys = SessionKeys::new(*flags, *key, conversation.revision(header));
        return Ok(Keys::of_session(&keys, "the exported session key".to_owned()));
    }
    if material.password.is_none() {
        return Err("no NTLM key was given".to_owned());
    }
    let others = others(header, conversation);
    match conversation.keys(header) {
        Some((Ok(keys), from)) => Ok(Keys { others, ..Keys::of_session(keys, from) }),
        Some((Err(problem), _)) => Err(format!("the password gives no keys: {problem}")),
        None => {
            let missing = "no earlier message has CHALLENGE and AUTHENTICATE of this association";
            if others.is_empty() {
                return Err(missing.to_owned());
            }
            let (from, missing) = ("the password".to_owned(), Some(missing.to_owned()));
            Ok(Keys { client: None, server: None, from, missing, others })
        }
    }
}

/// The keys of other associations of the input, of both sides.
fn others(header: &AuthHeader<'_>, conversation: &Conversation) -> Vec<(Key, String)> {
    let sides = [(Side::Client, "client"), (Side::Server, "server")];
    let keys = conversation.other_keys(header).into_iter().flat_map(|(keys, opaque)| {
        sides.map(|(side, name)| {
            let whose = format!("the key of the {name} in another association, opaque {opaque:?}");
            (Key::Session(keys.clone(), side), whose)
        })
    });
    keys.take(MOST_OTHERS).collect()
}

fn tls(material: &Material) -> Result<Keys, String> {
    if material.tls.is_empty() {
        return Err("no TLS-DSK key was given".to_owned());
    }
    let key = |key: &Option<Vec<u8>>| key.clone().map(Key::Tls);
    Ok(Keys {
        client: key(&material.tls.client),
        server: key(&material.tls.server),
        from: "given".to_owned(),
        missing: None,
        others: material
            .tls
            .others
            .iter()
            .map(|(key, name)| (Key::Tls(key.clone()), format!("{name} of the key material")))
            .collect(),
    })
}

impl Keys {
    fn of_session(keys: &SessionKeys, from: String) -> Self {
        let key = |side| Some(Key::Session(keys.clone(), side));
        Self { client: key(Side::Client), server: key(Side::Server), from, missing: None, others: Vec::new() }
    }

    pub(crate) const fn of(&self, side: Side) -> Option<&Key> {
        match side {
            Side::Client => self.client.as_ref(),
            Side::Server => self.server.as_ref(),
        }
    }
}

impl Key {
    pub(crate) const fn is_ntlm(&self) -> bool {
        !matches!(self, Self::Tls(_))
    }

    /// Whether messages are signed with extended session security as negotiated.
    pub(crate) const fn is_extended(&self) -> bool {
        match self {
            Self::Ntlm(key) => key.sign.is_some(),
            Self::Session(keys, _) => keys.flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY),
            Self::Tls(_) => false,
        }
    }

    pub(crate) fn verifies(&self, mode: NtlmMode, buffer: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ntlm(key) => given(key, mode).is_some_and(|mac| mac.verify(buffer, signature)),
            Self::Session(keys, side) => {
                derived(keys, *side, mode).is_some_and(|mac| mac.verify(buffer, signature))
            }
            Self::Tls(key) => tls_verifies(key, buffer, signature),
        }
    }
}

/// Keys that were given: a signing key says that there is extended session security.
fn given(key: &NtlmKey, mode: NtlmMode) -> Option<DatagramMac> {
    let extended = key.sign.is_some() != mode.other_security;
    let options = MacOptions { extended, key_exchange: !mode.other_key_exchange };
    let sign = if extended { key.sign? } else { [0; 16] };
    DatagramMac::new(options, &sign, &key.seal, mode.sequence_number)
}

fn derived(keys: &SessionKeys, side: Side, mode: NtlmMode) -> Option<DatagramMac> {
    let mut keys = keys.clone();
    if mode.other_security {
        keys.flags = toggled(keys.flags, NegotiateFlags::EXTENDED_SESSIONSECURITY);
    }
    if mode.other_key_exchange {
        keys.flags = toggled(keys.flags, NegotiateFlags::KEY_EXCH);
    }
    let sign = keys.sign_key(side).unwrap_or_default();
    DatagramMac::new(MacOptions::of(keys.flags), &sign, &keys.seal_key(side), mode.sequence_number)
}

const fn toggled(flags: NegotiateFlags, flag: NegotiateFlags) -> NegotiateFlags {
    NegotiateFlags(flags.0 ^ flag.0)
}

/// The hash function of the cipher suite is told by the length of the signature.
fn tls_verifies(key: &[u8], buffer: &[u8], signature: &[u8]) -> bool {
    match signature.len() {
        16 => hmac_verifies::<Hmac<Md5>>(key, buffer, signature),
        20 => hmac_verifies::<Hmac<Sha1>>(key, buffer, signature),
        32 => hmac_verifies::<Hmac<Sha256>>(key, buffer, signature),
        48 => hmac_verifies::<Hmac<Sha384>>(key, buffer, signature),
        _ => false,
    }
}

fn hmac_verifies<M: Mac + KeyInit>(key: &[u8], buffer: &[u8], signature: &[u8]) -> bool {
    let keyed = <M as KeyInit>::new_from_slice(key);
    keyed.is_ok_and(|mac| mac.chain_update(buffer).verify_slice(signature).is_ok())
}
