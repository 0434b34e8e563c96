//! What the server of the suite says: challenges, steps of a handshake, answers and requests of its own.

use sipae::auth::{AuthParam, AuthWriter, ChallengeKind, Scheme, Style};
use sipae::clock::{Entropy, Time};
use sipae::draft::Draft;
use sipae::encoding::{encode_base16, encode_base64};
use sipae::message::{HeaderName, Message};
use sipae::ntlm::{Challenge, NegotiateFlags};
use sipae::sa::{Parameters, SecurityAssociation, SignOptions};
use sipae::side::Side;
use sipae::tlsdsk::TlsHandshake;
use sipae_gen::Signing;

use super::{Home, Negotiation, Under, credentials, is_client_hello, opaque_of};
use crate::edits::Broken;

impl Home {
    fn answer_to(&self, request: &Message<'_>, status: u16) -> Draft {
        Draft::response_to(request, status, &format!("home{}", self.associations.len()))
    }

    /// A response with nothing but what every response has.
    pub(in super::super) fn plain(&self, request: &Message<'_>, status: u16) -> Draft {
        self.answer_to(request, status).close()
    }

    /// A fresh challenge: the line of the scheme under test.
    pub(in super::super) fn challenge(
        &mut self,
        request: &Message<'_>,
        status: u16,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Draft {
        let kind = ChallengeKind::from_status(status).unwrap_or(self.kind);
        let mut draft = self.answer_to(request, status);
        draft.push(HeaderName::Date, now.date());
        let conference = self.config.joined(self.mode);
        let line = match conference {
            Some(conference) => self.focus.challenge(conference, self.chosen.as_deref(), entropy),
            None => self.challenge_line().write(&Style::AS_ADDED),
        };
        draft.push(kind.challenge(), line);
        draft.close()
    }

    fn challenge_line(&self) -> AuthWriter {
        let Parameters { scheme, realm, targetname, version } = self.parameters();
        let sts_uri = self.config.tls_dsk.as_ref().filter(|_| scheme == Scheme::TlsDsk);
        AuthWriter::new(scheme)
            .param(AuthParam::Realm, realm)
            .param(AuthParam::Targetname, targetname)
            .optional(AuthParam::StsUri, sts_uri.map(|service| service.sts_uri.as_str()))
            .optional(AuthParam::Version, version.param())
    }

    /// The next step of the handshake that a request goes on with.
    pub(in super::super) fn continuation(
        &mut self,
        request: &Message<'_>,
        status: u16,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Draft, Broken> {
        let (opaque, token) = match self.mode.scheme {
            Scheme::Ntlm => self.ntlm_challenge(entropy),
            Scheme::TlsDsk => self.flight(request, now, entropy)?,
            scheme => return Err(format!("{scheme} has no continuation")),
        };
        let kind = ChallengeKind::from_status(status).unwrap_or(self.kind);
        let parameters = self.parameters();
        let line = AuthWriter::new(parameters.scheme)
            .param(AuthParam::Opaque, &opaque)
            .param(AuthParam::GssapiData, encode_base64(&token))
            .param(AuthParam::Targetname, &parameters.targetname)
            .param(AuthParam::Realm, &parameters.realm)
            .optional(AuthParam::Version, parameters.version.param());
        let mut draft = self.answer_to(request, status);
        draft.push(HeaderName::Date, now.date());
        draft.push(kind.challenge(), line.write(&Style::AS_ADDED));
        Ok(draft.close())
    }

    fn ntlm_challenge(&mut self, entropy: &mut dyn Entropy) -> (Vec<u8>, Vec<u8>) {
        let user = &self.config.user;
        let domain = if user.domain.is_empty() { "CONTOSO" } else { user.domain.as_str() };
        let nonce = entropy.octets();
        let challenge = Challenge::for_server(NegotiateFlags::SERVER, nonce, domain, &self.config.host);
        let token = challenge.write(&Challenge::PAYLOAD);
        let opaque = self.fresh_opaque(entropy);
        self.begin(Negotiation::Ntlm { opaque: opaque.clone(), challenge, token: token.clone() });
        (opaque, token)
    }

    fn flight(
        &mut self,
        request: &Message<'_>,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<(Vec<u8>, Vec<u8>), Broken> {
        let token = token_of(request).ok_or("the request has no flight")?;
        let named = opaque_of_request(request);
        let known = (!is_client_hello(&token)).then(|| self.take_negotiation(&named)).flatten();
        let (opaque, mut handshake) = match known {
            Some(Negotiation::TlsDsk { opaque: own, handshake }) => (own, handshake),
            _ => {
                let service = self.config.tls_dsk.as_ref().ok_or("there is no certificate of the server")?;
                let engine = service.provider.engine(Side::Server, now);
                let engine = engine.map_err(|error| error.to_string())?;
                let opaque = self.fresh_opaque(entropy);
                (opaque, Box::new(TlsHandshake::new(engine, Side::Server)))
            }
        };
        let answer = handshake.step(&token).map_err(|error| error.to_string())?;
        self.begin(Negotiation::TlsDsk { opaque: opaque.clone(), handshake });
        Ok((opaque, answer))
    }

    /// What a success has, by the method of the request.
    pub(in super::super) fn success(&self, request: &Message<'_>, status: u16) -> Draft {
        let mut draft = self.answer_to(request, status);
        match request.method() {
            Some(b"REGISTER") => {
                let asked = request.expires().ok().flatten().map(|value| value.unfolded().into_owned());
                let is_leaving = asked.as_deref() == Some(b"0");
                let granted = if is_leaving { 0 } else { self.config.expires };
                if let Some(contact) = request.first(HeaderName::Contact).filter(|_| !is_leaving) {
                    draft.push(HeaderName::Contact, contact.unfolded());
                }
                draft.push(HeaderName::Expires, granted.to_string());
            }
            Some(b"SUBSCRIBE") => draft.push(HeaderName::Expires, "3600"),
            Some(b"INVITE") => {
                let conference = self.config.joined(self.mode);
                let contact = match conference {
                    Some(conference) => format!("<{}>;isfocus", conference.uri),
                    None => format!("<sip:callee@{}>", self.config.host),
                };
                draft.push(HeaderName::Contact, contact);
                draft.set_body("application/sdp", SDP);
            }
            _ => {}
        }
        draft.close()
    }

    /// A request to the client, as if another user had sent it.
    pub(in super::super) fn request(&mut self, method: &str, entropy: &mut dyn Entropy) -> Draft {
        self.requests += 1;
        let own = self.address().to_owned();
        let hex = |octets: [u8; 8]| encode_base16(&octets);
        let branch = hex(entropy.octets());
        let (call_id, tag) = (hex(entropy.octets()), hex(entropy.octets()));
        let peer = format!("peer@{}", own.split_once('@').map_or("", |(_, host)| host));
        let mut draft = Draft::request(method, &format!("sip:{own}"))
            .with(HeaderName::Via, format!("SIP/2.0/TCP {}:5061;branch=z9hG4bK{branch}", self.config.host))
            .with(HeaderName::MaxForwards, "69")
            .with(HeaderName::From, format!("<sip:{peer}>;tag={tag};epid=0A0B0C0D"))
            .with(HeaderName::To, format!("<sip:{own}>"))
            .with(HeaderName::CallId, call_id)
            .with(HeaderName::CSeq, format!("{} {method}", self.requests))
            .with(HeaderName::Contact, format!("<sip:{peer}:5061;transport=tcp>"));
        match method {
            "MESSAGE" => draft.set_body("text/plain;charset=UTF-8", b"hello"),
            "INVITE" => draft.set_body("application/sdp", SDP),
            "NOTIFY" => {
                draft.push_text("Event", "presence");
                draft.push_text("Subscription-State", "active");
            }
            _ => {}
        }
        draft.close()
    }

    /// Signs a draft under the association at hand. Nothing is signed to the anonymous.
    pub(in super::super) fn sign(
        &mut self,
        draft: &mut Draft,
        signing: &Signing,
        under: Under,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Broken> {
        if !self.mode.scheme.signs() {
            return Ok(());
        }
        let header = self.kind.signature();
        let rand = entropy.octets();
        let sa = self.under(under).ok_or("there is no security association to sign with")?;
        let mut options = SignOptions::new(header);
        options.with_version = true;
        options.number = signing.number;
        options.number_text.clone_from(&signing.number_text);
        options.rand_text.clone_from(&signing.rand_text);
        if signing.without_status {
            return sign_as_request(sa, draft, rand, &options);
        }
        let own = sa.parameters.version;
        sa.parameters.version = signing.layout.unwrap_or(own);
        let signed = sa.sign(draft, rand, &options).map_err(|error| error.to_string());
        sa.parameters.version = own;
        signed
    }

    /// The client's own signature of a request, written as if the server had made it.
    pub(in super::super) fn reflect(&self, draft: &mut Draft, request: &Message<'_>) -> Result<(), Broken> {
        let header = credentials(request).find(|header| header.get(AuthParam::Response).is_some());
        let header = header.ok_or("the request of the client is not signed")?;
        let get = |param| header.get(param).map(|value| value.unfolded().into_owned());
        let (server, client) = (Side::Server, Side::Client);
        let value = AuthWriter::with_scheme(&String::from_utf8_lossy(header.scheme_text()))
            .param(AuthParam::Qop, "auth")
            .optional(AuthParam::Opaque, get(AuthParam::Opaque))
            .optional(server.rand(), get(client.rand()))
            .optional(server.number(), get(client.number()))
            .optional(server.signature(), get(client.signature()))
            .optional(AuthParam::Targetname, get(AuthParam::Targetname))
            .optional(AuthParam::Realm, get(AuthParam::Realm))
            .write(&Style::CANONICAL);
        draft.push(self.kind.signature(), value);
        Ok(())
    }
}

/// A response signed with the layout of a request: without the status code.
fn sign_as_request(
    sa: &mut SecurityAssociation,
    draft: &mut Draft,
    rand: [u8; 4],
    options: &SignOptions,
) -> Result<(), Broken> {
    let status_line = std::mem::replace(&mut draft.start_line, b"MESSAGE sip:x SIP/2.0".to_vec());
    let signed = sa.sign(draft, rand, options).map_err(|error| error.to_string());
    draft.start_line = status_line;
    signed
}

const SDP: &[u8] =
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

/// The opaque of a request.
fn opaque_of_request(request: &Message<'_>) -> Vec<u8> {
    let header = credentials(request).find(|header| header.get(AuthParam::Opaque).is_some());
    header.map(|header| opaque_of(&header).into_owned()).unwrap_or_default()
}

/// The token of a request.
fn token_of(request: &Message<'_>) -> Option<Vec<u8>> {
    credentials(request).find_map(|header| header.token().ok().flatten())
}
