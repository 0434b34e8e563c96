//! What the judges of several sections look at: signatures, numbers, header fields of answers and deliveries.

use sipae::auth::{AuthHeader, AuthParam};
use sipae::message::{HeaderName, Message, Value};
use sipae_gen::Party;

use crate::judge::Judge;
use crate::observation::Delivery;
use crate::reaction::{Reaction, Signature};

/// Whether a signature is that of its message. A number that comes again is a breach of another row.
pub(super) fn verified(signature: &Signature) -> Result<(), String> {
    match signature {
        Signature::Verified(_) | Signature::Replayed(_) => Ok(()),
        Signature::Unsigned => Err("not signed".to_owned()),
        Signature::Bad(why) => Err(format!("a signature that proves nothing: {why}")),
    }
}

/// The number of a signature that is right.
pub(super) const fn number(signature: &Signature) -> Option<u32> {
    match signature {
        Signature::Verified(number) | Signature::Replayed(number) => Some(*number),
        _ => None,
    }
}

/// The signature of the final answer to a message, unless that is a challenge.
pub(super) fn answer_signature<'o>(judge: &Judge<'o>, message: &str) -> Option<&'o Signature> {
    match judge.observation().reaction(message) {
        Some(Reaction::Final { signature, .. }) => Some(signature),
        _ => None,
    }
}

/// A message whose answer must be signed well before something else can be told from a bad signature.
pub(super) fn is_verified(judge: &mut Judge<'_>, message: &str) -> bool {
    let holds = match (answer_signature(judge, message), judge.observation().reaction(message)) {
        (Some(signature), _) => verified(signature),
        (None, Some(reaction)) => Err(reaction.to_string()),
        (None, None) => Err("not sent".to_owned()),
    };
    if let Err(why) = &holds {
        judge.undecide(format!("{message}: {why}"));
    }
    holds.is_ok()
}

/// The final answer to a message is signed. What is wrong with a signature that is there is judged by `right`, if the
/// case has such a row.
pub(super) fn signed_answer(
    judge: &mut Judge<'_>,
    signed: &'static str,
    right: Option<&'static str>,
    message: &str,
) {
    match answer_signature(judge, message) {
        Some(signature) => signed_and_right(judge, signed, right, message, signature),
        None => judge.undecide(format!("{message} has no final answer")),
    }
}

/// A message as it reached a party is signed; the same.
pub(super) fn signed_delivery(
    judge: &mut Judge<'_>,
    signed: &'static str,
    right: Option<&'static str>,
    message: &str,
    party: Party,
) {
    let Some(delivery) = delivered(judge, message, party) else {
        return judge.undecide(format!("{message} did not reach {party}"));
    };
    let what = format!("{message}, delivered to {party}");
    signed_and_right(judge, signed, right, &what, &delivery.signature);
}

fn signed_and_right(
    judge: &mut Judge<'_>,
    signed: &'static str,
    right: Option<&'static str>,
    what: &str,
    signature: &Signature,
) {
    let is_signed = if *signature == Signature::Unsigned { verified(signature) } else { Ok(()) };
    let is_there = is_signed.is_ok();
    judge.check(signed, &format!("{what}: signed"), is_signed);
    match (right, verified(signature)) {
        (Some(right), holds) if is_there => {
            judge.check(right, &format!("{what}: the signature of the message as sent"), holds);
        }
        (None, Err(why)) if is_there => judge.undecide(format!("{what}: {why}")),
        _ => {}
    }
}

/// The first time that a message reached a party.
pub(super) fn delivered<'o>(judge: &Judge<'o>, message: &str, party: Party) -> Option<&'o Delivery> {
    judge.observation().deliveries(message).iter().find(|delivery| delivery.to == party)
}

/// A header field of a delivery, all its lines.
pub(super) fn lines(delivery: &Delivery, name: HeaderName) -> Vec<String> {
    delivery.look(|message| lines_of(message, name)).unwrap_or_default()
}

/// A header field of a message, all its lines.
pub(super) fn lines_of(message: &Message<'_>, name: HeaderName) -> Vec<String> {
    message.all(name).map(Value::to_text).collect()
}

/// The signature header fields of a message.
pub(super) fn signatures<'m>(message: &Message<'m>) -> impl Iterator<Item = AuthHeader<'m>> {
    HeaderName::SIGNATURES.into_iter().flat_map(|name| message.all(name)).map(AuthHeader::read)
}

/// A parameter of the signature of a message.
pub(super) fn signature_param(message: &Message<'_>, param: AuthParam) -> Option<String> {
    signatures(message).find_map(|header| header.get(param).map(Value::to_text))
}

/// All parameters of a signature are there.
pub(super) fn has_all_params(message: &Message<'_>) -> Result<(), String> {
    use AuthParam::{Opaque, Qop, Realm, Rspauth, Snum, Srand, Targetname};
    let header = signatures(message).next().ok_or("no signature header field")?;
    let all = [Qop, Opaque, Srand, Snum, Rspauth, Targetname, Realm];
    let missing = all.into_iter().find(|param| header.get(*param).is_none());
    missing.map_or(Ok(()), |param| Err(format!("no {param} in {}", header.value().to_text())))
}

/// Whether what was seen is free of a text, such as the address of somebody else.
pub(super) fn free_of(what: HeaderName, lines: &[String], foreign: &str) -> Result<(), String> {
    let found = lines.iter().find(|line| line.to_lowercase().contains(&foreign.to_lowercase()));
    found.map_or(Ok(()), |line| Err(format!("{what}: {line}")))
}

/// The address in the From of a message that a script has sent: that of a user whom the judge does not know.
pub(super) fn sender(judge: &Judge<'_>, message: &str) -> Option<String> {
    let address = |sent: &Message<'_>| {
        let from = sent.from().ok()?;
        from.address_of_record().map(|address| String::from_utf8_lossy(address).into_owned())
    };
    judge.observation().sent(message, address).flatten()
}

/// The epid in the From of a message that a script has sent.
pub(super) fn sender_epid(judge: &Judge<'_>, message: &str) -> Option<String> {
    let epid =
        |sent: &Message<'_>| sent.from().ok()?.epid.map(|epid| String::from_utf8_lossy(epid).into_owned());
    judge.observation().sent(message, epid).flatten()
}
