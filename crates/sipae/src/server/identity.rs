//! Who the server vouches for: P-Asserted-Identity (RFC 3325, [MS-SIPAE] 3.3.5.6).

use super::account::Account;
use super::{Scene, Server};
use crate::defects::Defect;
use crate::draft::Draft;
use crate::endpoint::lower_address;
use crate::message::{Addresses, HeaderName, Identities, Message, Value, strip_scheme};

impl Server {
    /// The identity to assert for the user who has signed a message. It is written from the account, never copied from
    /// the message: a P-Preferred-Identity only chooses among what is the user's own (SIPAE-3.3.5.6-01).
    pub(super) fn asserted(&self, message: &Message<'_>, address: &str) -> Option<String> {
        let account = self.config.accounts.by_address(address)?;
        let wish = wish(message);
        let defects = self.config.defects;
        if wish == Identities::default() && defects.has(Defect::AssertsOnlyWishes) {
            return None;
        }
        if !wish.sip.is_empty() && defects.has(Defect::AssertsForeignIdentity) {
            return Some(bracketed(wish.sip));
        }
        if defects.has(Defect::AssertsLastIdentity)
            && let Some(last) = last_sip(message)
        {
            return Some(bracketed(last));
        }
        if defects.has(Defect::AssertsFirstFromUri)
            && let Some(first) = first_in_brackets(message)
        {
            return Some(first);
        }
        let own = own_identity(account, &wish);
        let is_told = !wish.tel.is_empty() && defects.has(Defect::AssertsForeignNumber);
        Some(if is_told { format!("{own}, {}", bracketed(wish.tel)) } else { own })
    }

    /// Forwards a request with several From addresses as that of the last one.
    pub(super) fn forward_last_from(&mut self, scene: &mut Scene<'_>, message: &Message<'_>) {
        let mut draft = Draft::from_message(message);
        let last = message.all(HeaderName::From).last().map(Value::to_text).unwrap_or_default();
        let last = last.rfind('<').and_then(|start| last.get(start..)).unwrap_or_default();
        draft.remove(HeaderName::From);
        draft.push(HeaderName::From, last);
        drop(draft.read(|message| {
            self.pass_on(scene, message, "");
            Ok(())
        }));
    }

    /// Puts the server's word in the place of the client's (SIPAE-3.3.5.6-02, -03).
    pub(super) fn set_identity(&self, draft: &mut Draft, asserted: Option<&str>) {
        let defects = self.config.defects;
        if !defects.has(Defect::PreferredIdentityLeft) {
            draft.remove(HeaderName::PPreferredIdentity);
        }
        if draft.get(HeaderName::PAssertedIdentity).is_some() && defects.has(Defect::AssertedIdentityPassed) {
            return;
        }
        draft.remove(HeaderName::PAssertedIdentity);
        if let Some(asserted) = asserted {
            draft.push(HeaderName::PAssertedIdentity, asserted);
        }
    }
}

/// What a client wishes to be called, as far as its signature covers it: a P-Asserted-Identity of its own hides the
/// P-Preferred-Identity from the signature, and counts for nothing itself (SIPAE-3.3.5.6-07).
fn wish<'m>(message: &Message<'m>) -> Identities<'m> {
    match message.count(HeaderName::PAssertedIdentity) {
        0 => message.identities(),
        _ => Identities::default(),
    }
}

/// What was wished for if all of it is the user's, else all that the user has.
fn own_identity(account: &Account, wish: &Identities<'_>) -> String {
    let sip = format!("<sip:{}>", account.address);
    let tel = account.tel.as_deref().map(|number| format!("<tel:{number}>"));
    let is_chosen = *wish != Identities::default() && owns(account, wish);
    let chosen = [
        Some(sip).filter(|_| !is_chosen || !wish.sip.is_empty()),
        tel.filter(|_| !is_chosen || !wish.tel.is_empty()),
    ];
    chosen.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn owns(account: &Account, wish: &Identities<'_>) -> bool {
    let owns_sip = wish.sip.is_empty()
        || lower_address(wish.sip).is_some_and(|address| address == account.address.to_lowercase());
    let number = strip_scheme(wish.tel, b"tel:");
    owns_sip && (wish.tel.is_empty() || number == account.tel.as_deref().map(str::as_bytes))
}

fn last_sip<'m>(message: &Message<'m>) -> Option<&'m [u8]> {
    let lines = message.all(HeaderName::PPreferredIdentity);
    let uris = lines.flat_map(|value| Addresses::new(value.raw())).flatten().map(|address| address.uri);
    uris.filter(|uri| lower_address(uri).is_some()).last()
}

fn first_in_brackets(message: &Message<'_>) -> Option<String> {
    let from = message.first(HeaderName::From)?.to_text();
    let (start, end) = (from.find('<')?, from.find('>')?);
    from.get(start..=end).map(str::to_owned)
}

fn bracketed(uri: &[u8]) -> String {
    format!("<{}>", String::from_utf8_lossy(uri))
}
