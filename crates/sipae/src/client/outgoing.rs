//! What the client sends ([MS-SIPAE] 3.2.4.1).

use super::pending::Transaction;
use super::{Client, ClientConfig, ClientEvent, NotSent, Output, Scene, State, careless};
use crate::auth::{AuthParam, ChallengeKind};
use crate::clock::Entropy;
use crate::defects::Defect;
use crate::draft::Draft;
use crate::encoding::{encode_base16, encode_base64};
use crate::endpoint::InstanceId;
use crate::message::HeaderName;
use crate::sa::{Parameters, SecurityAssociation, SignOptions};
use crate::violation::Breach;

impl Client {
    /// Bare at first, signed when there is an association (SIPAE-3.1-06, SIPAE-3.2.4.1-01).
    pub(super) fn register(&mut self, scene: &mut Scene<'_>) {
        let draft = self.next_register(scene.entropy);
        if let State::Established(established) = &mut self.state {
            // A refresh that is out is not sent again: its answer sets the timer.
            established.refresh = None;
            self.send_signed(scene, draft);
            return;
        }
        self.state = State::Bare;
        let mut draft = draft;
        careless::guess(self.config.defects, &mut draft);
        if self.cseq == 1 && self.config.defects.has(Defect::AsksBeforeRegistering) {
            let options = Draft { start_line: b"OPTIONS sip:server SIP/2.0".to_vec(), ..draft.clone() };
            scene.outputs.push(Output::Send(options.to_octets()));
        }
        scene.outputs.push(Output::Send(draft.to_octets()));
    }

    /// A handshake is given up while the server has not seen credentials. Later the server may have registered the
    /// client already: the registration is ended as soon as the association is there.
    pub(super) fn unregister(&mut self, scene: &mut Scene<'_>) {
        self.unregistering = true;
        match self.state {
            State::Established(_) => self.register(scene),
            State::Completing { .. } => {}
            State::Idle | State::Bare | State::Started { .. } => self.forget(),
        }
    }

    pub(super) fn send(&mut self, scene: &mut Scene<'_>, mut draft: Draft) {
        self.pass_edge(&mut draft);
        let transaction = draft.read(|message| Ok(Transaction::of(message).filter(|_| message.is_request())));
        let is_sent = self.send_signed(scene, draft);
        if let Some(transaction) = transaction.ok().flatten().filter(|_| is_sent) {
            self.pending.add(transaction);
        }
    }

    /// Whether the message was sent. Nothing is sent unsigned in its place.
    pub(super) fn send_signed(&mut self, scene: &mut Scene<'_>, draft: Draft) -> bool {
        let sent = self.sign_and_send(scene, draft);
        if let Err(reason) = &sent {
            scene.event(ClientEvent::NotSent(reason.clone()));
        }
        sent.is_ok()
    }

    fn sign_and_send(&mut self, scene: &mut Scene<'_>, mut draft: Draft) -> Result<(), NotSent> {
        let State::Established(established) = &mut self.state else { return Err(NotSent::NotEstablished) };
        let mut options = SignOptions::new(established.kind.credential());
        options.style = self.config.style;
        let next = established.association.next_number();
        if next.is_none_or(|next| self.config.last_number < next) {
            self.renew(scene);
            return Err(NotSent::NumbersUsedUp);
        }
        let defects = self.config.defects;
        careless::adorn(defects, &mut draft, &self.config.address);
        careless::sign(defects, &mut established.association, &mut draft, scene.entropy.octets(), &options)?;
        scene.outputs.push(Output::Send(draft.to_octets()));
        Ok(())
    }

    /// The next REGISTER of the one Call-ID: same tag and epid, higher CSeq, new branch (SIPAE-3.2.5.1-08).
    pub(super) fn next_register(&mut self, entropy: &mut dyn Entropy) -> Draft {
        let defects = self.config.defects;
        if self.cseq == 0 || !defects.has(Defect::CseqStays) {
            self.cseq = self.cseq.saturating_add(1);
        }
        if defects.has(Defect::CallIdChanges) {
            self.call_id = encode_base16(&entropy.octets::<16>());
        }
        if defects.has(Defect::FromTagChanges) {
            self.from_tag = encode_base16(&entropy.octets::<5>());
        }
        if defects.has(Defect::EpidChanges) {
            self.config.epid = encode_base16(&entropy.octets::<5>());
        }
        self.register_is_out = true;
        let mut draft = Draft::request("REGISTER", &format!("sip:{}", self.config.domain_of_address()))
            .with(HeaderName::Via, self.config.via(entropy))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, self.config.own_from(&self.from_tag))
            .with(HeaderName::To, format!("<sip:{}>", self.config.address))
            .with(HeaderName::CallId, self.call_id.as_str())
            .with(HeaderName::CSeq, format!("{} REGISTER", self.cseq))
            .with(HeaderName::Contact, self.config.contact());
        let expires = if self.unregistering { Some(0) } else { self.config.expires };
        if let Some(expires) = expires {
            draft.push(HeaderName::Expires, expires.to_string());
        }
        self.pass_edge(&mut draft);
        draft.with(HeaderName::ContentLength, "0")
    }

    /// A REGISTER with a handshake token and no signature.
    pub(super) fn send_handshake(
        &mut self,
        scene: &mut Scene<'_>,
        parameters: &Parameters,
        kind: ChallengeKind,
        opaque: &[u8],
        token: &[u8],
    ) {
        let defects = self.config.defects;
        let (mut parameters, mut opaque) = (parameters.clone(), opaque.to_vec());
        if defects.has(Defect::EchoesLowerRealm) {
            parameters.realm.make_ascii_lowercase();
        }
        if defects.has(Defect::EchoesUpperOpaque) {
            opaque.insert(0, b'X');
        }
        let credential = parameters
            .writer()
            .optional(AuthParam::Opaque, Some(&opaque).filter(|opaque| !opaque.is_empty()))
            .param(AuthParam::GssapiData, encode_base64(token))
            .optional(AuthParam::Version, parameters.version.param());
        let mut draft = self.next_register(scene.entropy).with(
            careless::field(defects, kind),
            careless::credential(defects, credential.write(&self.config.style)),
        );
        if defects.has(Defect::EpidLeftOut) {
            draft.set(HeaderName::From, format!("<sip:{}>;tag={}", self.config.address, self.from_tag));
        }
        careless::adorn(defects, &mut draft, &self.config.address);
        scene.outputs.push(Output::Send(draft.to_octets()));
    }

    /// The signed REGISTER that completes a handshake, with the token beside its signature if there is one.
    pub(super) fn send_completing(
        &mut self,
        scene: &mut Scene<'_>,
        association: &mut SecurityAssociation,
        kind: ChallengeKind,
        token: Option<String>,
    ) -> Result<(), Breach> {
        let mut draft = self.next_register(scene.entropy);
        let mut options = SignOptions::new(careless::field(self.config.defects, kind));
        options.style = self.config.style;
        options.with_version = true;
        options.token = token;
        let defects = self.config.defects;
        if defects.has(Defect::FirstCnumTwo) {
            association.skip_number();
        }
        if options.token.is_none() && defects.has(Defect::CompletesWithToken) {
            options.token = Some(String::new());
        }
        careless::adorn(defects, &mut draft, &self.config.address);
        careless::sign(defects, association, &mut draft, scene.entropy.octets(), &options)?;
        scene.outputs.push(Output::Send(draft.to_octets()));
        Ok(())
    }
}

/// What every request of an endpoint says of it.
impl ClientConfig {
    /// The part of the address behind the `@`.
    pub(super) fn domain_of_address(&self) -> &str {
        self.address.split_once('@').map_or(self.address.as_str(), |(_, domain)| domain)
    }

    /// Via with a branch that was never used.
    pub(super) fn via(&self, entropy: &mut dyn Entropy) -> String {
        let branch = encode_base16(&entropy.octets::<8>());
        let branch = if self.defects.has(Defect::BranchStays) { "constant".to_owned() } else { branch };
        format!("SIP/2.0/{} {};branch=z9hG4bK{branch}", self.transport, self.host)
    }

    /// From with this tag.
    pub(super) fn own_from(&self, tag: &str) -> String {
        format!("<sip:{}>;tag={tag};epid={}", self.address, self.epid)
    }

    /// Where the endpoint is.
    pub(super) fn contact(&self) -> String {
        let (host, transport) = (&self.host, self.transport.to_lowercase());
        let instance = InstanceId::from_epid(self.epid.as_bytes());
        format!("<sip:{host};transport={transport}>;proxy=replace;+sip.instance=\"<urn:uuid:{instance}>\"")
    }
}
