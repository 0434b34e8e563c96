//! What the judges of several groups look at.

use std::collections::BTreeSet;

use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::message::{HeaderName, Limits, Message};

use super::super::home::credentials;
use super::super::seen::{Conversation, Heard};
use crate::reaction::Signature;

/// A parameter as text, without folds.
pub(super) fn text(header: &AuthHeader<'_>, param: AuthParam) -> Option<String> {
    header.get(param).map(|value| String::from_utf8_lossy(&value.unfolded()).into_owned())
}

/// Parameters of which a credential must have each, or none.
pub(super) fn has(header: &AuthHeader<'_>, params: &[AuthParam]) -> Result<(), String> {
    match params.iter().find(|param| header.get(**param).is_none()) {
        Some(missing) => Err(format!("no {missing}")),
        None => Ok(()),
    }
}

/// The same the other way round.
pub(super) fn lacks(header: &AuthHeader<'_>, params: &[AuthParam]) -> Result<(), String> {
    match params.iter().find(|param| header.get(**param).is_some()) {
        Some(found) => Err(format!("{found} is there")),
        None => Ok(()),
    }
}

/// Whether a text is what it should be.
pub(super) fn is(found: Option<&str>, expected: &str) -> Result<(), String> {
    match found {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(format!("{found:?}")),
        None => Err("nothing".to_owned()),
    }
}

/// Whether all results hold; the first that does not tells.
pub(super) fn all(results: impl IntoIterator<Item = Result<(), String>>) -> Result<(), String> {
    results.into_iter().collect()
}

/// The messages of the client that are signed, requests and responses, in no order: their octets and signatures.
pub(super) fn signed(seen: &Conversation) -> Vec<(Vec<u8>, Signature)> {
    let requests = seen.heard.iter().map(|heard| (heard.octets.clone(), heard.read.signature.clone()));
    let replies = seen.sent.values().flat_map(|sent| &sent.replies);
    let replies = replies.map(|reply| (reply.octets.clone(), reply.signature.clone()));
    let all = requests.chain(replies);
    all.filter(|(_, signature)| *signature != Signature::Unsigned).collect()
}

/// Looks at the credential of a message of the client.
pub(super) fn credential<T>(
    octets: &[u8],
    scheme: Scheme,
    look: impl FnOnce(&AuthHeader<'_>) -> T,
) -> Option<T> {
    let message = Message::parse(octets, &Limits::NONE).ok()?;
    let own = credentials(&message).find(|header| header.scheme() == Some(scheme));
    own.map(|header| look(&header))
}

/// Whether every signature is that of its message.
pub(super) fn verify(seen: &Conversation) -> Result<(), String> {
    let bad = signed(seen).into_iter().find_map(|(_, signature)| match signature {
        Signature::Bad(why) => Some(why),
        _ => None,
    });
    bad.map_or(Ok(()), Err)
}

/// Whether no number is used twice, by messages that differ.
pub(super) fn numbers_differ(seen: &Conversation) -> Result<(), String> {
    let mut known: BTreeSet<Vec<u8>> = BTreeSet::new();
    for (octets, signature) in signed(seen) {
        if let Signature::Replayed(number) = signature
            && !known.contains(&octets)
        {
            return Err(format!("cnum {number} again"));
        }
        known.insert(octets);
    }
    Ok(())
}

/// Every crand of signed messages: eight hexadecimal digits, and never the same.
pub(super) fn crands(seen: &Conversation) -> Result<(), String> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut messages: BTreeSet<Vec<u8>> = BTreeSet::new();
    for (octets, _) in signed(seen) {
        if !messages.insert(octets.clone()) {
            continue;
        }
        let crand = credential(&octets, seen.mode.scheme, |header| text(header, AuthParam::Crand)).flatten();
        let crand = crand.ok_or("no crand")?;
        if crand.len() != 8 || !crand.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(format!("crand {crand:?}"));
        }
        if !known.insert(crand.to_lowercase()) {
            return Err(format!("crand {crand} again"));
        }
    }
    Ok(())
}

/// A parameter of From.
pub(super) fn from_param(heard: &Heard, name: &str) -> Option<Vec<u8>> {
    heard.look(|message| message.from().ok().and_then(|from| from.param(name).map(<[u8]>::to_vec))).flatten()
}

/// The number in CSeq.
pub(super) fn cseq(heard: &Heard) -> Option<u32> {
    heard.look(|message| message.cseq().ok().and_then(|cseq| cseq.value())).flatten()
}

/// The value of a header field.
pub(super) fn field(heard: &Heard, name: HeaderName) -> Option<Vec<u8>> {
    heard.look(|message| message.first(name).map(|value| value.unfolded().into_owned())).flatten()
}
