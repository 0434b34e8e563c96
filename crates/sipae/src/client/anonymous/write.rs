//! What an anonymous client sends ([MS-SIPAE] 3.2.4.3, 3.2.5.6).

use super::{AnonymousClient, AnonymousName, Attempt, Outstanding, Scene, careless};
use crate::clock::Entropy;
use crate::conference::ConferenceUri;
use crate::defects::Defect;
use crate::digest::Login;
use crate::draft::Draft;
use crate::encoding::encode_base16;
use crate::endpoint::InstanceId;
use crate::message::HeaderName;

/// Requests that are remembered until they are answered; more are not sent.
const CAPACITY: usize = 64;

impl AnonymousClient {
    /// A request with the next CSeq, and with a credential as soon as there is a nonce to use.
    pub(super) fn request(&mut self, scene: &mut Scene<'_>, method: &str, body: Option<(&str, &[u8])>) {
        if CAPACITY <= self.outstanding.len() {
            return scene.event(super::AnonymousEvent::NotSent);
        }
        let target = self.dialog.as_ref().map_or(&self.config.conference, |dialog| &dialog.target).clone();
        let mut draft = self.draft(scene.entropy, method, &target);
        if let Some((content_type, octets)) = body {
            draft = draft.with_body(content_type, octets);
        }
        let attempt = if self.association.is_some() { Attempt::Ahead } else { Attempt::Bare };
        self.send_with(scene, method, draft, attempt);
    }

    /// Gives the request its CSeq and its credential, and remembers it.
    pub(super) fn send_with(
        &mut self,
        scene: &mut Scene<'_>,
        method: &str,
        mut draft: Draft,
        attempt: Attempt,
    ) {
        self.cseq = self.cseq.saturating_add(1);
        draft.set(HeaderName::CSeq, format!("{} {method}", self.cseq));
        draft.set(HeaderName::Via, self.via(scene.entropy));
        self.authorize(&mut draft);
        scene.send(&draft);
        let outstanding = Outstanding { method: method.to_owned(), draft, attempt };
        self.outstanding.insert(self.cseq, outstanding);
    }

    /// ACK of a success is a request of its own: its credential is for ACK, under the next count (SIPAE-3.2.5.6-01).
    pub(super) fn acknowledge(&mut self, scene: &mut Scene<'_>, cseq: u32) {
        let Some(dialog) = &self.dialog else { return };
        let target = dialog.target.clone();
        let mut draft = self.draft(scene.entropy, "ACK", &target);
        draft.set(HeaderName::CSeq, format!("{cseq} ACK"));
        self.authorize(&mut draft);
        scene.send(&draft);
    }

    /// ACK of a failure ends at the next hop, in the transaction of the INVITE (RFC 3261 17.1.1.3).
    pub(super) fn acknowledge_failure(scene: &mut Scene<'_>, invite: &Draft, to: &[u8], cseq: u32) {
        let (_, uri) = invite.request_line().unwrap_or_default();
        let mut ack = Draft::request("ACK", &String::from_utf8_lossy(&uri));
        for name in [HeaderName::Via, HeaderName::MaxForwards, HeaderName::From, HeaderName::CallId] {
            if let Some(value) = invite.get(name) {
                ack.push(name, value);
            }
        }
        ack.push(HeaderName::To, to);
        ack.push(HeaderName::CSeq, format!("{cseq} ACK"));
        scene.send(&ack.close());
    }

    fn draft(&self, entropy: &mut dyn Entropy, method: &str, target: &str) -> Draft {
        let config = &self.config;
        let address = self.address();
        let instance = InstanceId::from_epid(config.epid.as_bytes());
        let to = self
            .dialog
            .as_ref()
            .map_or(format!("<{}>", config.conference).into_bytes(), |dialog| dialog.to.clone());
        Draft::request(method, target)
            .with(HeaderName::Via, self.via(entropy))
            .with(HeaderName::MaxForwards, "70")
            .with(
                HeaderName::From,
                format!("\"{}\" <sip:{address}>;tag={};epid={}", config.display, self.from_tag, config.epid),
            )
            .with(HeaderName::To, to)
            .with(HeaderName::CallId, self.call_id.as_str())
            .with(HeaderName::CSeq, format!("{} {method}", self.cseq))
            .with(
                HeaderName::Contact,
                match config.defects.has(Defect::ContactOfHost) {
                    true => format!("<sip:{}>", config.host),
                    false => format!("<sip:{address}>;proxy=replace;+sip.instance=\"<urn:uuid:{instance}>\""),
                },
            )
            .close()
    }

    fn via(&self, entropy: &mut dyn Entropy) -> String {
        let branch = encode_base16(&entropy.octets::<8>());
        format!("SIP/2.0/{} {};branch=z9hG4bK{branch}", self.config.transport, self.config.host)
    }

    /// Puts a credential for the request into it, if there is a nonce to use; the count goes up with each
    /// (SIPAE-3.2.5.5-04). digest-uri is the Request-URI (SIPAE-3.2.5.5-07).
    fn authorize(&mut self, draft: &mut Draft) {
        for name in HeaderName::CREDENTIALS {
            draft.remove(name);
        }
        let Some((method, uri)) = draft.request_line() else { return };
        let username = self.username();
        let Some(association) = &mut self.association else { return };
        let defects = self.config.defects;
        let is_later = 0 < association.nc && method != b"INVITE";
        if is_later && defects.has(Defect::BareInConference) {
            return;
        }
        association.nc = careless::next_count(defects, association.nc);
        let login = Login { username: username.as_bytes(), password: self.config.key.as_bytes() };
        let (cnonce, nc) = (association.cnonce.as_bytes(), association.nc);
        let challenge = careless::answered(defects, &association.challenge, is_later);
        let (method, uri) = careless::request_line(defects, &method, &uri);
        if let Ok(credential) = challenge.answer(login, method, uri, cnonce, nc) {
            draft.push(association.kind.credential(), credential.write());
        }
    }

    fn username(&self) -> String {
        let conference = ConferenceUri::read(self.config.conference.as_bytes());
        match (self.config.name, conference) {
            (AnonymousName::Conference, Some(conference)) => {
                String::from_utf8_lossy(conference.id).into_owned()
            }
            (AnonymousName::Address, _) => self.address(),
            _ => self.user.clone(),
        }
    }
}
