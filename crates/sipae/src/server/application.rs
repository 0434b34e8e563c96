//! What the server does with a request that it has verified: a registrar, and a proxy for everything else.

use std::time::Duration;

use super::location::Binding;
use super::{Association, Scene, Server};
use crate::clock::Time;
use crate::defects::Defect;
use crate::endpoint::{EndpointId, lower_address};
use crate::message::{Address, HeaderName, Message, MessageError};
use crate::octets::decimal;
use crate::violation::Breach;

impl Server {
    pub(super) fn application(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, opaque: &[u8]) {
        match message.method().unwrap_or_default() {
            b"REGISTER" => self.register(scene, message, opaque),
            b"ACK" => {
                if let Some(association) = self.associations.get(opaque) {
                    let caller = association.endpoint.clone();
                    self.acknowledged(scene, message, &caller);
                }
            }
            b"CANCEL" => self.cancel(scene, message, opaque),
            _ => self.forward(scene, message, opaque),
        }
    }

    /// REGISTER: the address must be the user's own (SIPAE-3.3.5.3-20). The answer carries Expires, and its
    /// signature covers it.
    fn register(&mut self, scene: &mut Scene<'_>, message: &Message<'_>, opaque: &[u8]) {
        let Some(association) = self.associations.get(opaque) else { return };
        let endpoint = association.endpoint.clone();
        let to = message.to().ok().and_then(|to| lower_address(to.uri));
        let is_own = to.as_deref() == Some(&endpoint.address);
        if !is_own && !self.config.defects.has(Defect::RegistersForOthers) {
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
        if granted == 0 && self.config.defects.has(Defect::UnregistersUnsigned) {
            self.answer_unsigned(scene, message, 200);
        } else {
            self.answer_signed(scene, message, opaque, 200, &headers);
        }
        self.after_register(scene, message, opaque, granted);
    }

    /// A registration extends the idle timer; its end ends the association (SIPAE-3.3.2-04, SIPAE-3.3.5.3-14).
    fn after_register(&mut self, scene: &Scene<'_>, message: &Message<'_>, opaque: &[u8], granted: u32) {
        if granted == 0 {
            if !self.config.defects.has(Defect::DeliversToUnregistered) {
                self.associations.remove(opaque);
            }
            return;
        }
        let durations = self.config.durations;
        let granted = Duration::from_secs(u64::from(granted));
        if let Some(association) = self.associations.get_mut(opaque) {
            if !self.config.defects.has(Defect::RegistrationExtendsNothing) {
                association.lifetime.registered(granted, &durations);
            }
            association.bind(message, scene.now.plus(granted));
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

impl Association {
    /// What the client registers; a REGISTER without Contact only asks (RFC 3261 10.2.3).
    fn bind(&mut self, message: &Message<'_>, end: Time) {
        if let Ok(Some(contact)) = message.contact() {
            self.binding = Some(Binding::new(contact.uri, end));
        }
        if let Some(epid) = message.from().ok().and_then(|from| from.epid) {
            self.epid = Some(epid.to_vec());
        }
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
