//! The parties of a script: who they are, and the associations that they have with the target.

use memchr::memmem::Finder;
use sipae::auth::ChallengeKind;
use sipae::auth::{AuthHeader, AuthParam, Scheme};
use sipae::clock::{Entropy, Time};
use sipae::encoding::{encode_base16, encode_base64};
use sipae::endpoint::InstanceId;
use sipae::message::Message;
use sipae::ntlm::{Answer, Authenticate, Challenge, NegotiateFlags, ResponseKind, SessionKeys};
use sipae::sa::{Context, Parameters, SecurityAssociation};
use sipae::side::Side;
use sipae::tlsdsk::{TlsDskError, TlsHandshake, TlsProvider};
use sipae::violation::{Breach, Violation};
use sipae_events::SignatureSeen;
use sipae_gen::{Party, Password};

use crate::buffers;
use crate::credentials::{Certificates, Tickets, Unproven};
use crate::edits::signatures;
use crate::profile::ProfileUser;
use crate::reaction::Signature;

/// What an endpoint of the suite is for the length of a script.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) user: ProfileUser,
    pub(super) epid: String,
    /// One Call-ID and From tag for all REGISTERs.
    pub(super) register_call_id: String,
    pub(super) tag: String,
    /// The GRUU that the target gave, or the one that follows from the epid.
    pub(super) gruu: Gruu,
    /// Where it is reached, with its instance: the Contact of what it sends.
    pub(super) contact: String,
    /// Address and epid, without the tag: the beginning and the end of From.
    pub(super) from: [String; 2],
}

/// A GRUU that is looked for in every answer.
#[derive(Clone, Debug)]
pub(super) struct Gruu {
    text: String,
    finder: Finder<'static>,
}

impl Gruu {
    pub(super) fn new(text: String) -> Self {
        Self { finder: Finder::new(&text).into_owned(), text }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn is_in(&self, octets: &[u8]) -> bool {
        !self.text.is_empty() && self.finder.find(octets).is_some()
    }
}

const CONTACT: &str = "sip:127.0.0.1:5060;transport=tcp";

impl Identity {
    /// Somebody without an account, at an address made up for this script (SIPAE-3.2.4.3-02, -03).
    pub(super) fn anonymous(entropy: &mut dyn Entropy) -> Self {
        let name = encode_base16(&entropy.octets::<16>());
        Self::new(ProfileUser::new(&name, "", "", &format!("{name}@anonymous.invalid")), entropy)
    }

    pub(super) fn new(user: ProfileUser, entropy: &mut dyn Entropy) -> Self {
        let mut hex = |octets: usize| {
            let random: [u8; 16] = entropy.octets();
            encode_base16(random.get(..octets).unwrap_or_default())
        };
        let (epid, register_call_id, tag) = (hex(5), hex(16), hex(5));
        let instance = InstanceId::from_epid(epid.as_bytes());
        let gruu = Gruu::new(instance.gruu(&user.address));
        // One without an account repeats its address there (SIPAE-3.2.4.3-04).
        let is_anonymous = user.address.ends_with("@anonymous.invalid");
        let own = if is_anonymous { format!("sip:{}", user.address) } else { CONTACT.to_owned() };
        let contact = format!("<{own}>;proxy=replace;+sip.instance=\"<urn:uuid:{instance}>\"");
        let from = [format!("<sip:{}>;tag=", user.address), format!(";epid={epid}")];
        Self { user, epid, register_call_id, tag, gruu, contact, from }
    }

    pub(super) fn address(&self) -> &str {
        &self.user.address
    }

    pub(super) fn host(&self) -> &str {
        self.address().split_once('@').map_or(self.address(), |(_, host)| host)
    }

    pub(super) fn instance(&self) -> InstanceId {
        InstanceId::from_epid(self.epid.as_bytes())
    }
}

/// An association of the script: what the target chose, and the keys once there are any.
#[derive(Debug)]
pub(super) struct AssociationState {
    pub(super) parameters: Parameters,
    pub(super) kind: ChallengeKind,
    pub(super) opaque: Vec<u8>,
    /// The CHALLENGE as received.
    pub(super) challenge: Vec<u8>,
    /// `gssapi-data` of the next message of the suite: AUTHENTICATE, AP-REQ or flight.
    pub(super) token: String,
    /// A TLS handshake under way.
    pub(super) handshake: Option<TlsHandshake>,
    pub(super) party: Option<Party>,
    pub(super) association: Option<SecurityAssociation>,
}

/// Who authenticates, with what, when.
pub(super) struct Applicant<'a> {
    pub(super) user: &'a ProfileUser,
    pub(super) password: &'a Password,
    pub(super) tickets: Option<&'a Tickets>,
    pub(super) certificates: Option<&'a Certificates>,
    pub(super) now: Time,
}

/// The randomness of an AUTHENTICATE, and its time stamp.
pub(super) struct Moment {
    pub(super) client_challenge: [u8; 8],
    pub(super) session_key: [u8; 16],
    pub(super) time: [u8; 8],
}

impl AssociationState {
    /// What a challenge says. Later challenges of the same handshake bring opaque and token along.
    pub(super) fn adopt(kind: ChallengeKind, line: &AuthHeader<'_>) -> Result<Self, Breach> {
        let text = |param| line.get(param).map(|value| value.unfolded().into_owned()).unwrap_or_default();
        let token =
            line.token().map_err(|diagnostic| Breach::Header { header: kind.challenge(), diagnostic })?;
        Ok(Self {
            parameters: Parameters::of(line)?,
            kind,
            opaque: text(AuthParam::Opaque),
            challenge: token.unwrap_or_default(),
            token: String::new(),
            handshake: None,
            party: None,
            association: None,
        })
    }

    /// Takes opaque and CHALLENGE, or flight, of a continuation; realm, targetname and version stay those of the challenge
    /// that created the association (SIPAE-3.2.4.1-04).
    pub(super) fn continue_with(&mut self, continuation: Self) -> Result<(), Breach> {
        self.opaque = continuation.opaque;
        self.challenge = continuation.challenge;
        match self.handshake.take() {
            Some(handshake) => {
                let flight = self.challenge.clone();
                self.flight(handshake, &flight)
            }
            None => Ok(()),
        }
    }

    /// Authenticates: answers the CHALLENGE, makes a ticket, or begins a TLS handshake.
    pub(super) fn authenticate(
        &mut self,
        by: &Applicant<'_>,
        moment: &Moment,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Unproven> {
        match self.parameters.scheme {
            Scheme::Kerberos => self.present_ticket(by, entropy)?,
            Scheme::TlsDsk => self.begin_tls_dsk(by)?,
            _ => self.answer_challenge(by, moment)?,
        }
        Ok(())
    }

    fn present_ticket(&mut self, by: &Applicant<'_>, entropy: &mut dyn Entropy) -> Result<(), Unproven> {
        let tickets = by.tickets.ok_or(Unproven::Missing("no keytab"))?;
        let targetname = String::from_utf8_lossy(&self.parameters.targetname).into_owned();
        let initiated = tickets.initiate(by.user, by.password, &targetname, by.now, entropy)?;
        self.token = encode_base64(&initiated.token);
        self.establish(Context::Kerberos(initiated.mac()));
        Ok(())
    }

    fn answer_challenge(&mut self, by: &Applicant<'_>, moment: &Moment) -> Result<(), Breach> {
        let (challenge, user) = (Challenge::read(&self.challenge)?, by.user);
        let (authenticate, keys) = match by.password {
            Password::Wrong(text) => answer(&challenge, user, &user.user, text, moment)?,
            Password::UnknownUser(name) => answer(&challenge, user, name, &user.password, moment)?,
            Password::Anonymous => anonymous(&challenge, user, moment)?,
            _ => answer(&challenge, user, &user.user, &user.password, moment)?,
        };
        let context = Context::ntlm(&keys).ok_or(sipae::ntlm::NtlmError::FlagClear { flag: "SIGN" })?;
        self.token = encode_base64(&authenticate.write(&Authenticate::PAYLOAD));
        self.establish(context);
        Ok(())
    }

    fn begin_tls_dsk(&mut self, by: &Applicant<'_>) -> Result<(), Breach> {
        let certificates = by.certificates.ok_or(TlsDskError::NotBuilt("tls"))?;
        let provider = certificates.provider(by.user, by.password, by.now)?;
        let handshake = TlsHandshake::new(provider.engine(Side::Client, by.now)?, Side::Client);
        self.flight(handshake, &[])
    }

    /// Feeds a flight of the server, which gives the next one of the suite, or the keys.
    fn flight(&mut self, mut handshake: TlsHandshake, flight: &[u8]) -> Result<(), Breach> {
        self.token = encode_base64(&handshake.step(flight)?);
        match handshake.outcome() {
            Some(outcome) => self.establish(Context::tls_dsk(outcome)),
            None => self.handshake = Some(handshake),
        }
        Ok(())
    }

    fn establish(&mut self, context: Context) {
        let (parameters, opaque) = (self.parameters.clone(), self.opaque.clone());
        self.association = Some(SecurityAssociation::new(parameters, opaque, Side::Client, context));
    }

    /// With Kerberos the server chooses the opaque in its only answer (SIPAE-3.3.5.2-10).
    pub(super) fn learn_opaque(&mut self, message: &Message<'_>) {
        let Some(sa) = self.association.as_mut().filter(|sa| sa.opaque.is_empty()) else { return };
        let named = signatures(message).find(|header| sa.parameters.fit(header));
        if let Some(opaque) = named.and_then(|header| header.get(AuthParam::Opaque)) {
            self.opaque = opaque.unfolded().into_owned();
            sa.opaque.clone_from(&self.opaque);
        }
    }

    /// Whether this is the association of a message that came to `party`: its opaque says so.
    pub(super) fn is_of(&self, party: Party, header: &AuthHeader<'_>) -> bool {
        let opaque = header.get(AuthParam::Opaque).map(|opaque| opaque.unfolded().into_owned());
        self.party == Some(party) && opaque.as_ref() == Some(&self.opaque)
    }

    /// Whether a signature verifies, whatever its number: the window stays as it is.
    pub(super) fn verifies(&self, message: &Message<'_>, header: &AuthHeader<'_>) -> bool {
        self.association.as_ref().is_some_and(|sa| sa.verify_signature(message, header).is_ok())
    }
}

fn answer(
    challenge: &Challenge,
    user: &ProfileUser,
    name: &str,
    password: &str,
    moment: &Moment,
) -> Result<(Authenticate, SessionKeys), Breach> {
    let answer = Answer {
        user: name,
        domain: &user.domain,
        password,
        workstation: "SIPAE",
        flags: NegotiateFlags::CLIENT & challenge.flags,
        client_challenge: moment.client_challenge,
        random_session_key: moment.session_key,
        time: moment.time,
        response: ResponseKind::NtlmV2,
        with_mic: false,
    };
    Ok(Authenticate::answer(challenge, &answer)?)
}

/// An AUTHENTICATE without user and responses: its key exchange key is all zero ([MS-NLMP] 3.2.5.1.2).
fn anonymous(
    challenge: &Challenge,
    user: &ProfileUser,
    moment: &Moment,
) -> Result<(Authenticate, SessionKeys), Breach> {
    let (mut authenticate, _) = answer(challenge, user, "", "", moment)?;
    authenticate.flags = authenticate.flags | NegotiateFlags::ANONYMOUS;
    (authenticate.domain, authenticate.nt_response) = (Vec::new(), Vec::new());
    authenticate.lm_response = vec![0];
    authenticate.session_key = sipae::ntlm::rc4(&[0; 16], &moment.session_key);
    let keys = SessionKeys::new(authenticate.flags, moment.session_key, authenticate.revision());
    Ok((authenticate, keys))
}

/// How a message of the target is signed, as this association tells.
pub(super) fn signature(association: Option<&mut AssociationState>, message: &Message<'_>) -> Signature {
    let mut headers = signatures(message).peekable();
    if headers.peek().is_none() {
        return Signature::Unsigned;
    }
    let Some(association) = association.and_then(|state| state.association.as_mut()) else {
        return Signature::Bad("no security association of ours fits".to_owned());
    };
    let Some(header) = headers.find(|header| association.parameters.fit(header)) else {
        return Signature::Bad("realm or targetname are not those of the challenge".to_owned());
    };
    match association.verify(message, &header) {
        Ok(number) => Signature::Verified(number),
        Err(Violation { breach: Breach::Replayed { number } | Breach::TooOld { number }, .. }) => {
            Signature::Replayed(number)
        }
        Err(violation) => Signature::Bad(violation.to_string()),
    }
}

/// The buffer that the suite verified a bad signature over, for the report.
pub(super) fn signature_seen(
    label: &str,
    association: &AssociationState,
    message: &Message<'_>,
    why: &str,
) -> Option<SignatureSeen> {
    let header = signatures(message).next()?;
    buffers::seen(label, Side::Server, association.parameters.version, &header, message, why)
}
