//! Digest: credentials of the anonymous, and of the user at an ordinary registrar.

use sipae::auth::{AuthHeader, ChallengeKind, Scheme};
use sipae::digest::{DigestChallenge, Login};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Limits, Message, StartLine};
use sipae::server::ConnectionId;
use sipae_events::Direction;
use sipae_gen::{AccountRole, DigestChange, Label, Party, Recipient, Template};

use super::Executor;
use super::message::MessageState;
use super::steps::Broken;
use crate::profile::DigestPlace;

/// What has been made of a nonce.
pub(super) struct NonceUse {
    cnonce: String,
    count: u32,
}

/// What requests in a dialog have (RFC 3261 12.2.1.1).
struct Dialog {
    /// Request-URI.
    target: Vec<u8>,
    /// To, with the tag of the other side.
    to: Vec<u8>,
    /// CSeq number of the INVITE.
    number: String,
    /// Header fields that each of them has.
    repeated: Vec<(HeaderName, Vec<u8>)>,
}

impl Executor {
    /// What stands in place of a request of somebody without an account where the target is a registrar: a REGISTER of the
    /// user, or of the account for wrong credentials, and for BYE one that takes the registration away.
    pub(super) fn at_registrar(&self, template: &Template) -> Result<Option<Template>, Broken> {
        let is_registrar = self.stage.profile.digest == Some(DigestPlace::Registrar);
        if !is_registrar || template.from.account != AccountRole::Anonymous {
            return Ok(None);
        }
        let is_wrong = template.from == Party::ANONYMOUS_WRONG;
        let registering =
            Template::new("REGISTER").of(if is_wrong { Party::SACRIFICIAL } else { Party::USER });
        match template.method.as_str() {
            "ACK" | "CANCEL" => Err("a registrar has no dialog".to_owned()),
            "BYE" => Ok(Some(registering.header("Expires", "0"))),
            _ => Ok(Some(registering)),
        }
    }

    /// The GRUU of a conference.
    pub(super) fn conference(&self, which: Recipient) -> Result<String, Broken> {
        let conference = self.stage.profile.conference().ok_or("the profile has no [conference]")?;
        match which {
            Recipient::ClosedConference => {
                conference.closed.clone().ok_or_else(|| "the profile has no closed conference".to_owned())
            }
            Recipient::NoConference => Ok(conference.absent()),
            _ => Ok(conference.uri.clone()),
        }
    }

    /// A request in the dialog that an INVITE has opened.
    pub(super) fn compose_within(
        &mut self,
        label: &Label,
        template: &Template,
        invite: &Label,
    ) -> Result<(), Broken> {
        let dialog = self.dialog(invite)?;
        let via = self.via();
        self.sent += 1;
        let number = if template.method == "ACK" { dialog.number } else { self.sent.to_string() };
        let mut draft = Draft::request(&template.method, &String::from_utf8_lossy(&dialog.target))
            .with(HeaderName::Via, via)
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::To, dialog.to)
            .with(HeaderName::CSeq, format!("{number} {}", template.method));
        for (name, value) in dialog.repeated {
            draft.push(name, value);
        }
        self.insert(label, draft.close(), template.from);
        Ok(())
    }

    /// The dialog that an INVITE has opened.
    fn dialog(&mut self, invite: &Label) -> Result<Dialog, Broken> {
        let state = self.message(invite)?;
        let original = &state.draft;
        let none = || format!("{invite} has opened no dialog");
        let octets = state.answer.as_ref().map(|answer| answer.octets.as_slice()).unwrap_or_default();
        let answer = Message::parse(octets, &Limits::DEFAULT).map_err(|_| none())?;
        if !answer.status().is_some_and(|status| (200..300).contains(&status)) {
            return Err(none());
        }
        let copied = |name| original.get(name).unwrap_or_default().to_vec();
        let names = [HeaderName::From, HeaderName::CallId, HeaderName::Contact];
        let routes: Vec<_> =
            answer.all(HeaderName::RecordRoute).map(|route| route.unfolded().into_owned()).collect();
        let routes = routes.into_iter().rev().map(|route| (HeaderName::Route, route));
        let contact = answer.contact().ok().flatten().map(|contact| contact.uri.to_vec());
        let number = copied(HeaderName::CSeq);
        let number = number.split(|octet| *octet == b' ').next().unwrap_or_default();
        Ok(Dialog {
            target: contact.unwrap_or_else(|| request_line(original).1),
            to: answer.first(HeaderName::To).map(|to| to.unfolded().into_owned()).unwrap_or_default(),
            number: String::from_utf8_lossy(number).into_owned(),
            repeated: names.map(|name| (name, copied(name))).into_iter().chain(routes).collect(),
        })
    }

    /// Adds a Digest credential.
    pub(super) fn digest(
        &mut self,
        message: &Label,
        challenge: &Label,
        change: &DigestChange,
    ) -> Result<(), Broken> {
        let (kind, mut answered) = self.digest_challenge(challenge)?;
        if let Some(realm) = &change.realm {
            answered.realm = realm.clone().into_bytes();
        }
        let draft = &self.message(message)?.draft;
        let (method, uri) = request_line(draft);
        let method = change.method.clone().map_or(method, String::into_bytes);
        let uri = change.uri.clone().map_or(uri, String::into_bytes);
        let (cnonce, count) = self.count(&answered.nonce, change.nc);
        let party = self.message(message)?.party;
        let (username, key) = self.login(party)?;
        let password = change.key.clone().unwrap_or(key);
        let login = Login { username: username.as_bytes(), password: password.as_bytes() };
        let credential = answered.answer(login, &method, &uri, cnonce.as_bytes(), count);
        let credential = credential.map_err(|error| format!("the challenge cannot be answered: {error}"))?;
        let state = self.message(message)?;
        state.challenge = Some(challenge.clone());
        state.draft.set(kind.credential(), credential.write());
        state.has_token = true;
        Ok(())
    }

    /// User name and key.
    fn login(&self, party: Party) -> Result<(String, String), Broken> {
        let profile = &self.stage.profile;
        let user = match (profile.conference(), &profile.sacrificial) {
            (Some(conference), _) => return Ok((conference.username().to_owned(), conference.key.clone())),
            (None, _) if party != Party::ANONYMOUS_WRONG => &profile.user,
            (None, Some(sacrificial)) => sacrificial,
            (None, None) => {
                return Err("the profile has no account for wrong credentials (sacrificial)".to_owned());
            }
        };
        Ok((user.user.clone(), user.password.clone()))
    }

    /// The cnonce of a nonce and its next count.
    fn count(&mut self, nonce: &[u8], chosen: Option<u32>) -> (String, u32) {
        let cnonce = self.hex::<8>();
        let used = self.nonces.entry(nonce.to_vec()).or_insert(NonceUse { cnonce, count: 0 });
        let count = chosen.unwrap_or_else(|| used.count.saturating_add(1));
        used.count = used.count.max(count);
        (used.cnonce.clone(), count)
    }

    /// The strongest challenge in the answer to a message that can be answered; of two as strong the first.
    fn digest_challenge(&self, label: &Label) -> Result<(ChallengeKind, DigestChallenge), Broken> {
        let answer = self.messages.get(label).and_then(|state| state.answer.as_ref());
        let answer = answer.ok_or_else(|| format!("{label} was not answered"))?;
        let message = Message::parse(&answer.octets, &Limits::DEFAULT).map_err(|error| error.to_string())?;
        let missing = || format!("the answer to {label} has no Digest challenge: {}", answer.reaction);
        let kind = message.status().and_then(ChallengeKind::from_status).ok_or_else(missing)?;
        let lines = message.all(kind.challenge()).map(AuthHeader::read);
        let own: Vec<_> = lines.filter(|line| line.scheme() == Some(Scheme::Digest)).collect();
        let read: Vec<_> = own.iter().map(DigestChallenge::of).collect();
        let usable = read.iter().rev().flatten();
        let strongest = usable.max_by_key(|challenge| challenge.algorithm.unwrap_or_default()).cloned();
        let problem = || read.iter().find_map(|read| read.as_ref().err());
        strongest.map(|challenge| (kind, challenge)).ok_or_else(|| match problem() {
            Some(error) => format!("the challenge in the answer to {label} cannot be used: {error}"),
            None => missing(),
        })
    }

    /// ACK of an INVITE that has been accepted: a request of its own, with a credential.
    pub(super) fn acknowledge(&mut self, invite: &Label, connection: ConnectionId) {
        let Some(state) = self.messages.get(invite).filter(|state| is_anonymous_invite(state)) else {
            return;
        };
        let (party, challenge) = (state.party, state.challenge.clone());
        let ack = Label::new(format!("ack of {invite}"));
        let template = Template::new("ACK").of(party);
        let composed = self.compose_within(&ack, &template, invite);
        let composed = composed.and_then(|()| match &challenge {
            Some(challenge) => self.digest(&ack, challenge, &DigestChange::default()),
            None => Ok(()),
        });
        let octets = composed.and_then(|()| self.message(&ack).map(|state| state.draft.to_octets()));
        if let Ok(octets) = octets
            && self.stage.wire.send(connection, &octets).is_ok()
        {
            self.log(Direction::Sent, connection, || "ACK".to_owned(), &octets);
        }
    }

    /// ACK of an INVITE that has failed, which belongs to its transaction (RFC 3261 17.1.1.3).
    pub(super) fn acknowledge_failure(
        &mut self,
        label: &Label,
        connection: ConnectionId,
        answer: &Message<'_>,
    ) {
        let Some(state) = self.messages.get(label).filter(|state| is_anonymous_invite(state)) else { return };
        let (_, uri) = request_line(&state.draft);
        let cseq = state.draft.get(HeaderName::CSeq).map(String::from_utf8_lossy).unwrap_or_default();
        let to = answer.first(HeaderName::To).map(|to| to.unfolded().into_owned()).unwrap_or_default();
        let mut ack = Draft::request("ACK", &String::from_utf8_lossy(&uri));
        for name in [HeaderName::Via, HeaderName::MaxForwards, HeaderName::From, HeaderName::CallId] {
            ack.push(name, state.draft.get(name).unwrap_or_default());
        }
        ack.push(HeaderName::To, to);
        ack.push(HeaderName::CSeq, cseq.replace("INVITE", "ACK"));
        let octets = ack.close().to_octets();
        if self.stage.wire.send(connection, &octets).is_ok() {
            self.log(Direction::Sent, connection, || "ACK".to_owned(), &octets);
        }
    }
}

fn is_anonymous_invite(state: &MessageState) -> bool {
    state.party.account == AccountRole::Anonymous && request_line(&state.draft).0 == b"INVITE"
}

/// Method and Request-URI.
fn request_line(draft: &Draft) -> (Vec<u8>, Vec<u8>) {
    let read = draft.read(|message| match message.start_line() {
        StartLine::Request { method, uri, .. } => Ok((method.to_vec(), uri.to_vec())),
        StartLine::Response { .. } => Ok((Vec::new(), Vec::new())),
    });
    read.unwrap_or_default()
}
