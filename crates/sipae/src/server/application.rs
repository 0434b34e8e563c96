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
            return self.answer_signed(scene, message, opaque, 403, []);
        }
        let registration = match Registration::read(message, self.config.expires) {
            Ok(registration) => registration,
            Err(error) => {
                scene.refused(error);
                return self.answer_signed(scene, message, opaque, 400, []);
            }
        };
        if registration.granted == 0 && self.config.defects.has(Defect::UnregistersUnsigned) {
            self.answer_unsigned(scene, message, 200);
        } else {
            self.answer_signed(scene, message, opaque, 200, registration.headers(&endpoint));
        }
        self.after_register(scene, message, opaque, &registration);
    }

    /// A registration extends the idle timer; its end ends the association (SIPAE-3.3.2-04, SIPAE-3.3.5.3-14).
    fn after_register(
        &mut self,
        scene: &Scene<'_>,
        message: &Message<'_>,
        opaque: &[u8],
        registration: &Registration<'_>,
    ) {
        if registration.granted == 0 {
            if !self.config.defects.has(Defect::DeliversToUnregistered) {
                self.associations.remove(opaque);
            }
            return;
        }
        let durations = self.config.durations;
        let granted = Duration::from_secs(u64::from(registration.granted));
        if let Some(association) = self.associations.get_mut(opaque) {
            if !self.config.defects.has(Defect::RegistrationExtendsNothing) {
                association.lifetime.registered(granted, &durations);
            }
            association.bind(registration, message, scene.now.plus(granted));
            let end = association.lifetime.end();
            self.associations.ends_at(end);
        }
    }
}

impl Association {
    /// What the client registers; a REGISTER without Contact only asks (RFC 3261 10.2.3).
    fn bind(&mut self, registration: &Registration<'_>, message: &Message<'_>, end: Time) {
        if let Some(contact) = &registration.contact {
            self.binding = Some(Binding::new(contact.uri, end));
        }
        let epid = message.from().ok().and_then(|from| from.epid);
        if epid.is_some() && epid != self.epid.as_deref() {
            self.epid = epid.map(<[u8]>::to_vec);
        }
    }
}

/// What a REGISTER asks for.
struct Registration<'m> {
    contact: Option<Address<'m>>,
    /// Seconds; 0 ends it.
    granted: u32,
}

impl<'m> Registration<'m> {
    /// `most` is how many seconds are granted at most, and where the request names none.
    fn read(message: &Message<'m>, most: u32) -> Result<Self, MessageError> {
        let contact = message.contact()?;
        let header = message.expires().ok().flatten().and_then(|value| decimal(value.raw()));
        let in_contact = || contact.and_then(|contact| contact.param("expires")).and_then(decimal);
        let granted = header.or_else(in_contact).unwrap_or(most).min(most);
        if contact.is_some_and(|contact| contact.uri == b"*") && granted != 0 {
            // RFC 3261 10.3: all bindings can be removed, not made.
            let diagnostic = sipae_spec::Diagnostic::NameAddrMalformed;
            return Err(MessageError::Header { header: HeaderName::Contact, diagnostic });
        }
        Ok(Self { contact, granted })
    }

    /// What the answer says of it.
    fn headers(&self, endpoint: &EndpointId) -> impl Iterator<Item = (HeaderName, String)> {
        let granted = self.granted.to_string();
        let bound = self.contact.filter(|_| self.granted != 0);
        let contact = bound.map(|contact| (HeaderName::Contact, registered(contact.uri, endpoint, &granted)));
        contact.into_iter().chain([(HeaderName::Expires, granted)])
    }
}

/// The Contact of an endpoint: where it is, for how long, and its identifiers.
fn registered(uri: &[u8], endpoint: &EndpointId, granted: &str) -> String {
    let (uri, instance) = (String::from_utf8_lossy(uri), endpoint.instance.to_string());
    let gruu = endpoint.instance.gruu(&endpoint.address);
    let instance_param = ";+sip.instance=\"<urn:uuid:";
    ["<", &uri, ">;expires=", granted, instance_param, &instance, ">\";gruu=\"", &gruu, "\""].concat()
}
