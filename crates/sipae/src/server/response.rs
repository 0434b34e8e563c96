//! What a server writes: challenges, refusals, signed answers.

use super::{ChallengeKind, Output, Scene, Server, is_silent};
use crate::auth::{AuthParam, AuthWriter, Scheme};
use crate::clock::{Entropy, Time};
use crate::defects::{Defect, Defects};
use crate::draft::Draft;
use crate::encoding::{encode_base16_upper, encode_base64};
use crate::message::{HeaderName, Message};
use crate::sa::{Parameters, SignOptions};
use crate::violation::Breach;

/// What leaves the enterprise; `ms-diagnostics` is for those who have authenticated.
const PUBLIC_DIAGNOSTICS: &str = "ms-diagnostics-public";

impl Server {
    pub(super) fn respond_to(scene: &mut Scene<'_>, message: &Message<'_>, status: u16) -> Draft {
        let tag = encode_base16_upper(&scene.entropy.octets::<16>());
        Draft::response_to(message, status, &tag)
    }

    /// A fresh challenge: one line for the scheme, Date, no opaque, no token, and no state ([MS-SIPAE] 3.3.5.1).
    pub(super) fn challenge(&self, scene: &mut Scene<'_>, message: &Message<'_>) {
        self.challenge_because(scene, message, None);
    }

    /// A fresh challenge that tells why.
    pub(super) fn challenge_because(
        &self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        diagnostic: Option<(u16, &str)>,
    ) {
        let lines: Vec<AuthWriter> =
            self.offers.iter().map(|offer| self.offer_line(message, offer)).collect();
        self.send_challenge(scene, message, self.config.kind, &lines, diagnostic);
    }

    fn offer_line(&self, message: &Message<'_>, offer: &Parameters) -> AuthWriter {
        let defects = self.config.defects;
        AuthWriter::new(offer.scheme)
            .param(AuthParam::Realm, &offer.realm)
            .optional(AuthParam::Targetname, self.challenge_targetname(message, offer))
            .optional(AuthParam::StsUri, self.sts_uri(offer.scheme))
            .optional(AuthParam::Qop, defects.has(Defect::ChallengeWithQop).then_some("auth"))
            .optional(
                AuthParam::GssapiData,
                defects.has(Defect::ChallengeWithToken).then_some("TlRMTVNTUAA="),
            )
            .optional(AuthParam::Version, self.challenge_version())
    }

    /// Where clients get their certificates, for TLS-DSK alone (SIPAE-2.2-18, SIPAE-3.3.5.1-08).
    fn sts_uri(&self, scheme: Scheme) -> Option<&str> {
        let lacks = self.config.defects.has(Defect::TlsDskWithoutStsUri);
        let service = self.config.tls_dsk.as_ref().filter(|_| scheme == Scheme::TlsDsk && !lacks);
        let is_everywhere = self.config.defects.has(Defect::StsUriForNtlm);
        service
            .map(|service| service.sts_uri.as_str())
            .or_else(|| is_everywhere.then_some("https://contoso.com/cert"))
    }

    fn challenge_targetname(&self, message: &Message<'_>, offer: &Parameters) -> Option<Vec<u8>> {
        let defects = self.config.defects;
        let mut targetname = offer.targetname.clone();
        // A handshake goes on with the same one: only OPTIONS sees the difference.
        let is_odd = || {
            let number = message.cseq().ok().and_then(|cseq| cseq.value());
            message.method() == Some(b"OPTIONS") && number.is_some_and(|number| number % 4 == 1)
        };
        if defects.has(Defect::TargetnameAlternates) && is_odd() {
            targetname.make_ascii_uppercase();
        }
        Some(targetname).filter(|_| !defects.has(Defect::ChallengeWithoutTargetname))
    }

    fn challenge_version(&self) -> Option<&'static str> {
        let version = self.config.version.param();
        version.filter(|_| !self.config.defects.has(Defect::ChallengeWithoutVersion))
    }

    /// The continuation of a handshake: the scheme's line alone, with opaque and token (SIPAE-3.3.5.2-07).
    pub(super) fn continuation(
        &self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        parameters: &Parameters,
        opaque: &[u8],
        token: &[u8],
    ) {
        let mut realm = parameters.realm.clone();
        if self.config.defects.has(Defect::ContinuationChangesRealm) {
            realm.make_ascii_lowercase();
        }
        let opaque = Some(opaque).filter(|_| !self.config.defects.has(Defect::ContinuationWithoutOpaque));
        let writer = AuthWriter::new(parameters.scheme)
            .optional(AuthParam::Opaque, opaque)
            .param(AuthParam::GssapiData, encode_base64(token))
            .param(AuthParam::Targetname, &parameters.targetname)
            .param(AuthParam::Realm, realm)
            .optional(AuthParam::Version, parameters.version.param());
        let kind = if self.config.defects.has(Defect::ContinuationChangesStatus) {
            self.config.kind.other()
        } else {
            self.config.kind
        };
        self.send_challenge(scene, message, kind, &[writer], None);
    }

    fn send_challenge(
        &self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        kind: ChallengeKind,
        lines: &[AuthWriter],
        diagnostic: Option<(u16, &str)>,
    ) {
        let defects = self.config.defects;
        if message.method().is_some_and(is_silent) && !defects.has(Defect::ChallengesAck) {
            return;
        }
        let mut draft = Self::respond_to(scene, message, kind.status());
        if defects.has(Defect::ChallengeWithoutToTag)
            && let Some(to) = message.first(HeaderName::To)
        {
            draft.set(HeaderName::To, to.unfolded());
        }
        if !defects.has(Defect::ChallengeWithoutDate) {
            draft.push(HeaderName::Date, scene.now.date());
        }
        if !defects.has(Defect::ChallengeWithoutLine) {
            let field = if defects.has(Defect::ChallengeInOtherField) { kind.other() } else { kind };
            for line in lines {
                draft.push(field.challenge(), line.write(&self.config.style));
            }
        }
        if defects.has(Defect::DigestForAnonymous) && is_anonymous(message) {
            draft.push(kind.challenge(), "Digest realm=\"anonymous\", nonce=\"0\", qop=\"auth\"");
        }
        if defects.has(Defect::SignsChallenges) {
            draft.push(kind.signature(), self.baseless_signature());
        }
        if defects.has(Defect::ContinuationWithOthers) {
            let other = AuthWriter::with_scheme("Kerberos").param(AuthParam::Realm, &self.config.realm);
            draft.push(kind.challenge(), other.write(&self.config.style));
        }
        if let Some(diagnostic) = diagnostic {
            draft.push_text(PUBLIC_DIAGNOSTICS, self.diagnostic(diagnostic));
        }
        scene.send(draft.close().to_octets());
    }

    /// What no right server does: an answer to an ACK.
    pub(super) fn answer_ack(scene: &mut Scene<'_>, message: &Message<'_>) {
        if message.method() == Some(b"ACK") {
            let answer = Self::respond_to(scene, message, 400).close();
            scene.send(answer.to_octets());
        }
    }

    /// A farewell under each association that has ended.
    pub(super) fn tell_of_expiry(&mut self, now: Time, entropy: &mut dyn Entropy, outputs: &mut Vec<Output>) {
        for opaque in self.associations.over(now) {
            let Some(association) = self.associations.get(&opaque) else { continue };
            let (flow, to) = (association.flow, association.endpoint.address.clone());
            let mut scene =
                Scene { flow, now, entropy: &mut *entropy, outputs: &mut *outputs, has_authenticated: false };
            let mut draft = Draft::request("NOTIFY", &format!("sip:{to}"))
                .with(HeaderName::Via, "SIP/2.0/TCP server;branch=z9hG4bKend")
                .with(HeaderName::From, format!("<sip:{to}>;tag=end"))
                .with(HeaderName::To, format!("<sip:{to}>"))
                .with(HeaderName::CallId, "end")
                .with(HeaderName::CSeq, "1 NOTIFY")
                .close();
            if self.sign(&mut scene, &mut draft, &opaque) {
                scene.send(draft.to_octets());
            }
        }
    }

    /// What looks like the signature of an association that there is not.
    fn baseless_signature(&self) -> Vec<u8> {
        let writer = self.config.parameters(Scheme::Ntlm).writer();
        let writer = writer.param(AuthParam::Srand, "0A1B2C3D").param(AuthParam::Snum, "1");
        writer.param(AuthParam::Rspauth, "0".repeat(32)).write(&self.config.style)
    }

    /// A message that cannot be tied to anything: 400, unsigned, and nothing for ACK and CANCEL.
    pub(super) fn bad_request(&self, scene: &mut Scene<'_>, message: &Message<'_>, breach: Breach) {
        scene.refused(breach);
        let is_answered = self.config.defects.has(Defect::AnswersUnreadable);
        self.answer_unsigned(scene, message, if is_answered { 200 } else { 400 });
    }

    /// A refusal that tells why, in the form for strangers ([MS-OCER]).
    pub(super) fn refuse(
        &self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        status: u16,
        diagnostic: (u16, &str),
    ) {
        if message.method().is_some_and(is_silent) {
            return;
        }
        let mut draft = Self::respond_to(scene, message, status);
        draft.push_text(PUBLIC_DIAGNOSTICS, self.diagnostic(diagnostic));
        scene.send(draft.close().to_octets());
    }

    fn diagnostic(&self, (id, reason): (u16, &str)) -> String {
        format!("{id};reason=\"{reason}\";source=\"{}\"", self.config.host)
    }

    pub(super) fn answer_unsigned(&self, scene: &mut Scene<'_>, message: &Message<'_>, status: u16) {
        if !message.method().is_some_and(is_silent) {
            let answer = Self::respond_to(scene, message, status).close();
            scene.send(answer.to_octets());
        }
    }

    /// An answer signed with the association of this opaque, over the message as it is finally sent
    /// (SIPAE-3.3.4.1-11). `headers` are added before it is signed.
    pub(super) fn answer_signed(
        &mut self,
        scene: &mut Scene<'_>,
        message: &Message<'_>,
        opaque: &[u8],
        status: u16,
        headers: impl IntoIterator<Item = (HeaderName, String)>,
    ) {
        let mut draft = Self::respond_to(scene, message, status);
        for (name, value) in headers {
            draft.push(name, value);
        }
        let mut draft = draft.close();
        let tagged = self.without_new_tag(&mut draft, message);
        let other = self.other_endpoint(opaque, Defect::AnswersForOtherEndpoint);
        let signer = other.as_deref().unwrap_or(opaque);
        let is_refresh = self.is_refresh(message);
        if is_refresh || self.leaves_unsigned(status, opaque) || self.sign(scene, &mut draft, signer) {
            if let Some(tagged) = tagged {
                draft.set(HeaderName::To, tagged);
            }
            scene.send(draft.to_octets());
        } else {
            // Nothing leaves an association unsigned: its numbers are used up, and a new handshake is due.
            self.associations.remove(opaque);
            self.challenge(scene, message);
        }
    }

    /// A defective server adds its To tag after it has signed; the To that is sent then.
    fn without_new_tag(&self, draft: &mut Draft, message: &Message<'_>) -> Option<Vec<u8>> {
        let is_late = self.config.defects.has(Defect::SignsBeforeToTag);
        let tagged = draft.get(HeaderName::To).filter(|_| is_late)?.to_vec();
        draft.set(HeaderName::To, message.first(HeaderName::To)?.unfolded());
        Some(tagged)
    }

    /// The association of another registered endpoint of the same user: only a defective server asks for it.
    pub(super) fn other_endpoint(&self, opaque: &[u8], defect: Defect) -> Option<Vec<u8>> {
        if !self.config.defects.has(defect) {
            return None;
        }
        let own = &self.associations.get(opaque)?.endpoint;
        let mut others = self.associations.registered(&own.address);
        others.find(|other| other.endpoint != *own).map(|other| other.sa.opaque.clone())
    }

    /// A REGISTER whose answer a defective server does not sign.
    fn is_refresh(&self, message: &Message<'_>) -> bool {
        self.config.defects.has(Defect::RefreshUnsigned)
            && matches!(message.expires(), Ok(Some(value)) if value.raw().iter().any(|digit| *digit != b'0'))
    }

    fn leaves_unsigned(&mut self, status: u16, opaque: &[u8]) -> bool {
        let defects = self.config.defects;
        let association = self.associations.get_mut(opaque);
        let is_first = association.is_some_and(|found| found.sa.next_number() == Some(1));
        is_first && defects.has(Defect::FinalAnswerUnsigned)
            || !is_first && defects.has(Defect::AnswersUnsigned)
            || 400 <= status && defects.has(Defect::FailureUnsigned)
    }

    pub(super) fn sign(&mut self, scene: &mut Scene<'_>, draft: &mut Draft, opaque: &[u8]) -> bool {
        let mut options = self.sign_options();
        let Some(association) = self.associations.get_mut(opaque) else { return false };
        options.token = association.reply.take().map(|reply| encode_base64(&reply));
        let (defects, scheme) = (self.config.defects, association.sa.parameters.scheme);
        let rand = if defects.has(Defect::SrandRepeats) { [0xAB; 4] } else { scene.entropy.octets::<4>() };
        let signed = match signed_instead(draft, defects) {
            Some(other) => sign_other(association, draft, other, rand, &options),
            None => association.sa.sign(draft, rand, &options),
        };
        if defects.has(Defect::SignatureWithoutOpaque) {
            remove_opaque(draft, options.header, opaque);
        }
        if scheme == Scheme::Kerberos && defects.has(Defect::KerberosAnswerWithoutOpaque) {
            remove_opaque(draft, options.header, opaque);
        }
        if scheme == Scheme::Kerberos && defects.has(Defect::SignsWithWrapToken) {
            map_rspauth(draft, options.header, |text| text.replacen("0404", "0504", 1));
        }
        if scheme == Scheme::TlsDsk && defects.has(Defect::CutsHmac) {
            map_rspauth(draft, options.header, |text| text.chars().take(24).collect());
        }
        if defects.has(Defect::SrandWithoutZeros) {
            trim_srand(draft, options.header);
        }
        signed.map_err(|breach| scene.refused(breach)).is_ok()
    }

    fn sign_options(&self) -> SignOptions {
        let defects = self.config.defects;
        let kind = self.config.kind;
        let in_credential = defects.has(Defect::SignatureInCredentialField);
        let mut options = SignOptions::new(if in_credential { kind.credential() } else { kind.signature() });
        options.style = self.config.style;
        options.with_version = self.config.with_version;
        if defects.has(Defect::SnumRepeats) {
            options.number = Some(1);
        }
        options
    }

    /// An unused opaque: eight upper-case hexadecimal digits, as products show (SIPAE-3.3.1-04, -05). `None` if the
    /// randomness gives the same ones again and again.
    pub(super) fn fresh_opaque(&self, scene: &mut Scene<'_>) -> Option<Vec<u8>> {
        const TRIES: usize = 64;
        (0..TRIES)
            .map(|_| encode_base16_upper(&scene.entropy.octets::<4>()).into_bytes())
            .find(|opaque| !self.negotiations.contains(opaque) && !self.associations.contains(opaque))
    }
}

fn is_anonymous(message: &Message<'_>) -> bool {
    message.from().is_ok_and(|from| from.uri.ends_with(b"@anonymous.invalid"))
}

/// What a defective server signs in place of the message that it sends.
fn signed_instead(draft: &Draft, defects: Defects) -> Option<Draft> {
    if defects.has(Defect::SignsWithoutStatus) {
        Some(Draft { start_line: b"REGISTER sip:x SIP/2.0".to_vec(), ..draft.clone() })
    } else if defects.has(Defect::SignsWithoutExpires) {
        let mut other = draft.clone();
        other.remove(HeaderName::Expires);
        Some(other)
    } else {
        None
    }
}

/// Puts the signature of another message into this one.
fn sign_other(
    association: &mut super::Association,
    draft: &mut Draft,
    mut other: Draft,
    rand: [u8; 4],
    options: &SignOptions,
) -> Result<(), Breach> {
    association.sa.sign(&mut other, rand, options)?;
    draft.headers.extend(other.headers.pop());
    Ok(())
}

fn trim_srand(draft: &mut Draft, header: HeaderName) {
    let mut written = draft.get(header).map(|value| String::from_utf8_lossy(value).into_owned());
    while let Some(text) = written.as_mut().filter(|text| text.contains("srand=\"0")) {
        *text = text.replace("srand=\"0", "srand=\"");
    }
    draft.set(header, written.unwrap_or_default());
}

fn remove_opaque(draft: &mut Draft, header: HeaderName, opaque: &[u8]) {
    let written =
        draft.get(header).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
    let param = format!("opaque=\"{}\", ", String::from_utf8_lossy(opaque));
    draft.set(header, written.replace(&param, ""));
}

/// Writes another signature than the right one.
fn map_rspauth(draft: &mut Draft, header: HeaderName, change: impl Fn(&str) -> String) {
    const BEFORE: &str = "rspauth=\"";
    let written =
        draft.get(header).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
    let Some((before, rest)) = written.split_once(BEFORE) else { return };
    let Some((rspauth, after)) = rest.split_once('"') else { return };
    draft.set(header, format!("{before}{BEFORE}{}\"{after}", change(rspauth)));
}
