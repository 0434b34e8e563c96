//! What the server does with a message that it has verified: a registrar, and an echo for everything else.

use std::time::Duration;

use super::{Scene, Server, is_silent};
use crate::endpoint::{EndpointId, lower_address};
use crate::message::{Address, HeaderName, Message, MessageError};
use crate::octets::decimal;
use crate::violation::Breach;

impl Server {
    pub(super) fn application(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, opaque: &[u8]) {
        let method = message.method().unwrap_or_default();
        match method {
            b"REGISTER" => self.register(scene, message, opaque),
            method if is_silent(method) => {}
            method => {
                let status = self.status_for(method, message);
                self.answer_signed(scene, message, opaque, status, &[]);
            }
        }
    }

    fn status_for(&self, method: &[u8], message: &Message<'_>) -> u16 {
        let to = message.to().ok().and_then(|to| lower_address(to.uri));
        let is_known = to.is_some_and(|address| self.config.accounts.has_address(&address));
        match method {
            b"OPTIONS" => 200,
            b"BYE" | b"PRACK" | b"UPDATE" => 481,
            b"INVITE" if is_known => 480,
            b"MESSAGE" | b"SUBSCRIBE" | b"SERVICE" | b"NOTIFY" | b"INFO" | b"PUBLISH" | b"REFER"
                if is_known =>
            {
                200
            }
            b"INVITE" | b"MESSAGE" | b"SUBSCRIBE" | b"SERVICE" | b"NOTIFY" | b"INFO" | b"PUBLISH"
            | b"REFER" => 404,
            _ => 501,
        }
    }

    /// REGISTER: the address must be the user's own (SIPAE-3.3.5.3-20). The answer carries Expires, and its
    /// signature covers it.
    fn register(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, opaque: &[u8]) {
        let Some(association) = self.associations.get_mut(opaque) else { return };
        let endpoint = association.endpoint.clone();
        let to = message.to().ok().and_then(|to| lower_address(to.uri));
        if to.as_deref() != Some(&endpoint.address) {
            scene.refused(Breach::Identity { header: HeaderName::To });
            return self.answer_signed(scene, message, opaque, 403, &[]);
        }
        let granted = self.granted(message);
        let headers = match registered_headers(message, &endpoint, granted) {
            Ok(headers) => headers,
            Err(error) => {
                scene.refused(error);
                return self.answer_signed(scene, message, opaque, 400, &[]);
            }
        };
        self.answer_signed(scene, message, opaque, 200, &headers);
        self.after_register(opaque, granted);
    }

    /// A registration extends the idle timer; its end ends the association (SIPAE-3.3.2-04, SIPAE-3.3.5.3-14).
    fn after_register(&mut self, opaque: &[u8], granted: u32) {
        if granted == 0 {
            return self.associations.remove(opaque);
        }
        let durations = self.config.durations;
        if let Some(association) = self.associations.get_mut(opaque) {
            association.lifetime.registered(Duration::from_secs(u64::from(granted)), &durations);
            let end = association.lifetime.end();
            self.associations.ends_at(end);
        }
    }

    fn granted(&self, message: &Message<'_>) -> u32 {
        let header = message.expires().ok().flatten().and_then(|value| decimal(value.raw()));
        let in_contact = || {
            let contact = message.contact().ok().flatten()?;
            contact.param("expires").and_then(decimal)
        };
        header.or_else(in_contact).unwrap_or(self.config.expires).min(self.config.expires)
    }
}

fn registered_headers(
    message: &Message<'_>,
    endpoint: &EndpointId,
    granted: u32,
) -> Result<Vec<(HeaderName, String)>, MessageError> {
    let mut headers = vec![(HeaderName::Expires, granted.to_string())];
    let contact = message.contact()?;
    if contact.is_some_and(|contact| contact.uri == b"*") && granted != 0 {
        // RFC 3261 10.3: all bindings can be removed, not made.
        let diagnostic = sipae_spec::Diagnostic::NameAddrMalformed;
        return Err(MessageError::Header { header: HeaderName::Contact, diagnostic });
    }
    if let Some(contact) = contact.filter(|_| granted != 0) {
        headers.insert(0, (HeaderName::Contact, registered_contact(&contact, endpoint, granted)));
    }
    Ok(headers)
}

fn registered_contact(contact: &Address<'_>, endpoint: &EndpointId, granted: u32) -> String {
    let mut text = format!("<{}>;expires={granted}", String::from_utf8_lossy(contact.uri));
    let (instance, gruu) = (endpoint.instance, endpoint.instance.gruu(&endpoint.address));
    text.push_str(&format!(";+sip.instance=\"<urn:uuid:{instance}>\";gruu=\"{gruu}\""));
    text
}
