//! One step of a script at a time.

use sipae::auth::{AuthParam, AuthWriter, RawParam, Style, Walk};
use sipae::draft::Draft;
use sipae::encoding::encode_base16;
use sipae::endpoint::InstanceId;
use sipae::message::{HeaderName, Limits, Message, MessageStream, Value};
use sipae::sa::SignOptions;
use sipae_events::Direction;
use sipae_gen::{
    AccountRole, Connection, Edit, Field, Label, ParamEdit, Password, Reference, Signing, Step, Template,
    Text, Token,
};

use super::party::{AssociationState, Key, MessageState, Sent};
use super::{Executor, Link};
use crate::observation::ntlm_challenge;
use crate::profile::ProfileUser;

/// Why a step cannot be made.
type Broken = String;

impl Executor<'_, '_> {
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Broken> {
        match step {
            Step::Connect(connection) => self.connect(*connection),
            Step::Compose { message, template } => self.compose(message, template),
            Step::Copy { message, of } => self.copy(message, of),
            Step::Credential { message, association, token } => self.credential(message, association, *token),
            Step::Sign { message, association, signing } => self.sign(message, association, signing),
            Step::Edit { message, edit } => self.edit(message, edit),
            Step::Send { message, connection } => self.send(message, *connection),
            Step::Await { message } => {
                self.wait_for(message);
                Ok(())
            }
            Step::Retry { message } => self.retry(message),
            Step::Adopt { association, message } => self.adopt(association, message),
            Step::Authenticate { association, account, password } => {
                self.authenticate(association, *account, password)
            }
            Step::Fence { connection, association } => self.fence(*connection, association.as_ref()),
        }
    }

    fn connect(&mut self, connection: Connection) -> Result<(), Broken> {
        let opened = self.stage.wire.connect();
        self.is_unreachable |= opened.is_err();
        let id = opened.map_err(|error| format!("cannot {error}"))?;
        let link =
            Link { number: connection.0, stream: MessageStream::new(Limits::DEFAULT), end: None, fenced: 0 };
        if let Some(replaced) = self.connections.insert(connection, id) {
            self.stage.wire.disconnect(replaced);
        }
        self.streams.insert(id, link);
        Ok(())
    }

    fn hex<const N: usize>(&mut self) -> String {
        encode_base16(&self.stage.entropy.octets::<N>())
    }

    fn account(&self, role: AccountRole) -> Result<ProfileUser, Broken> {
        let profile = self.stage.profile;
        match role {
            AccountRole::User => Ok(profile.user.clone()),
            AccountRole::Sacrificial => {
                profile.sacrificial.clone().ok_or_else(|| "the profile has no sacrificial account".to_owned())
            }
        }
    }

    /// REGISTERs share one Call-ID and tag, as clients do; every other request is a dialog of its own.
    fn compose(&mut self, label: &Label, template: &Template) -> Result<(), Broken> {
        let account = self.account(template.account)?;
        self.sent += 1;
        let is_register = template.method == "REGISTER";
        let call_id = if is_register { self.register_call_id.clone() } else { self.hex::<16>() };
        let tag = if is_register { self.from_tag.clone() } else { self.hex::<5>() };
        let branch = self.hex::<8>();
        let (address, epid) = (&account.address, &self.epid);
        let host = address.split_once('@').map_or(address.as_str(), |(_, host)| host);
        // What goes to one's own address may come back from the server.
        let is_to_server = is_register || template.method == "OPTIONS";
        let uri = if is_to_server { format!("sip:{host}") } else { format!("sip:{address}") };
        let instance = InstanceId::from_epid(epid.as_bytes());
        let contact = "sip:127.0.0.1:5060;transport=tcp";
        let draft = Draft::request(&template.method, &uri)
            .with(HeaderName::Via, format!("SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK{branch}"))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, format!("<sip:{address}>;tag={tag};epid={epid}"))
            .with(HeaderName::To, format!("<sip:{address}>"))
            .with(HeaderName::CallId, call_id)
            .with(HeaderName::CSeq, format!("{} {}", self.sent, template.method))
            .with(
                HeaderName::Contact,
                format!("<{contact}>;proxy=replace;+sip.instance=\"<urn:uuid:{instance}>\""),
            );
        let draft = self.add_headers(draft, template)?.with(HeaderName::ContentLength, "0");
        self.insert(label, draft)
    }

    fn add_headers(&self, mut draft: Draft, template: &Template) -> Result<Draft, Broken> {
        for (name, value) in &template.headers {
            draft.push_text(name, self.resolve(value)?);
        }
        Ok(draft)
    }

    fn insert(&mut self, label: &Label, draft: Draft) -> Result<(), Broken> {
        let key = key_of(&draft)?;
        let state = MessageState { draft, key, association: None, sent: None, answer: None };
        self.messages.insert(label.clone(), state);
        Ok(())
    }

    fn copy(&mut self, label: &Label, of: &Label) -> Result<(), Broken> {
        let original = self.message(of)?;
        let (draft, association) = (original.draft.clone(), original.association.clone());
        self.insert(label, draft)?;
        self.message(label)?.association = association;
        Ok(())
    }

    fn message(&mut self, label: &Label) -> Result<&mut MessageState, Broken> {
        self.messages.get_mut(label).ok_or_else(|| format!("the script has no message {label}"))
    }

    fn association(&self, label: &Label) -> Result<&AssociationState, Broken> {
        self.associations.get(label).ok_or_else(|| format!("there is no association {label}"))
    }

    fn resolve(&self, text: &Text) -> Result<Vec<u8>, Broken> {
        text.resolve(|reference| self.lookup(reference)).map_err(|missing| format!("{missing} is not known"))
    }

    fn lookup(&self, reference: &Reference) -> Option<Vec<u8>> {
        let association = self.associations.get(&reference.of);
        match reference.field {
            Field::Opaque => association.map(|state| state.opaque.clone()),
            Field::Realm => association.map(|state| state.parameters.realm.clone()),
            Field::Targetname => association.map(|state| state.parameters.targetname.clone()),
            Field::Token => association.map(|state| state.token.clone().into_bytes()),
            Field::ToTag => {
                let octets = &self.messages.get(&reference.of)?.answer.as_ref()?.octets;
                let answer = Message::parse(octets, &Limits::DEFAULT).ok()?;
                answer.to().ok()?.param("tag").map(<[u8]>::to_vec)
            }
        }
    }

    fn token(state: &AssociationState, token: Token) -> String {
        match token {
            Token::Empty => String::new(),
            Token::Answer => state.token.clone(),
        }
    }

    fn credential(&mut self, message: &Label, association: &Label, token: Token) -> Result<(), Broken> {
        let state = self.association(association)?;
        let opaque = Some(&state.opaque).filter(|opaque| !opaque.is_empty() && token == Token::Answer);
        let credential = state
            .parameters
            .writer()
            .optional(AuthParam::Opaque, opaque)
            .param(AuthParam::GssapiData, Self::token(state, token))
            .optional(AuthParam::Version, state.parameters.version.param())
            .write(&Style::COMMUNICATOR);
        let header = state.kind.credential();
        let target = self.message(message)?;
        target.draft.set(header, credential);
        target.association = Some(association.clone());
        Ok(())
    }

    fn sign(&mut self, message: &Label, association: &Label, signing: &Signing) -> Result<(), Broken> {
        let rand = self.stage.entropy.octets();
        let mut draft = self.message(message)?.draft.clone();
        let state = self
            .associations
            .get_mut(association)
            .ok_or_else(|| format!("there is no association {association}"))?;
        let mut options = SignOptions::new(state.kind.credential());
        options.style = Style::COMMUNICATOR;
        options.number = signing.number;
        options.token = signing.token.map(|token| Self::token(state, token));
        options.with_version = options.token.is_some();
        let sa = state.association.as_mut().ok_or_else(|| format!("{association} has no keys yet"))?;
        sa.sign(&mut draft, rand, &options)
            .map_err(|error| format!("{message} cannot be signed: {error}"))?;
        let target = self.message(message)?;
        target.draft = draft;
        target.association = Some(association.clone());
        Ok(())
    }

    fn edit(&mut self, label: &Label, edit: &Edit) -> Result<(), Broken> {
        let branch = self.hex::<8>();
        let value = match edit {
            Edit::SetHeader(_, text) | Edit::Param(_, ParamEdit::Set(text)) => self.resolve(text)?,
            _ => Vec::new(),
        };
        let state = self.message(label)?;
        match edit {
            Edit::SetHeader(name, _) => state.draft.set(*name, value),
            Edit::ReplaceUser(user) => replace_user(&mut state.draft, user),
            Edit::FromTag(tag) => replace_from_tag(&mut state.draft, tag),
            Edit::Param(param, change) => edit_param(&mut state.draft, *param, change, &value)?,
            Edit::Branch => {
                state
                    .draft
                    .set(HeaderName::Via, format!("SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK{branch}"));
            }
        }
        state.key = key_of(&state.draft)?;
        Ok(())
    }

    fn send(&mut self, label: &Label, connection: Connection) -> Result<(), Broken> {
        let id = *self
            .connections
            .get(&connection)
            .ok_or_else(|| format!("connection {} is not open", connection.0))?;
        self.look();
        self.sent += 1;
        let sent = Sent { connection: id, order: self.sent };
        let state = self.message(label)?;
        let octets = state.draft.to_octets();
        state.sent = Some(sent);
        let method = octets.split(|octet| *octet == b' ').next().unwrap_or_default();
        self.log(Direction::Sent, id, String::from_utf8_lossy(method).into_owned(), &octets);
        if let Err(error) = self.stage.wire.send(id, &octets) {
            // What became of the connection is told by the next arrival; the message counts as sent into it.
            self.look();
            if self.streams.get(&id).is_some_and(|link| link.end.is_none()) {
                return Err(format!("cannot {error}"));
            }
        }
        Ok(())
    }

    fn retry(&mut self, label: &Label) -> Result<(), Broken> {
        let state = self.message(label)?;
        let lost = state.sent.clone().filter(|_| state.answer.is_none());
        let has_ended =
            |sent: &Sent| self.streams.get(&sent.connection).is_some_and(|link| link.end.is_some());
        if lost.is_some_and(|sent| has_ended(&sent)) {
            self.connect(Connection::FIRST)?;
            self.send(label, Connection::FIRST)?;
            self.wait_for(label);
        }
        Ok(())
    }

    fn adopt(&mut self, association: &Label, message: &Label) -> Result<(), Broken> {
        let state = self.message(message)?;
        let answer = state.answer.as_ref().ok_or_else(|| format!("{message} was not answered"))?;
        let octets = answer.octets.clone();
        let reaction = answer.reaction.to_string();
        let parsed = Message::parse(&octets, &Limits::DEFAULT).map_err(|error| error.to_string())?;
        let (kind, line) = ntlm_challenge(&parsed)
            .ok_or_else(|| format!("the answer to {message} has no NTLM challenge: {reaction}"))?;
        let adopted = AssociationState::adopt(kind, &line)
            .map_err(|breach| format!("the challenge in the answer to {message} cannot be used: {breach}"))?;
        match self.associations.get_mut(association) {
            Some(known) => known.continue_with(adopted),
            None => drop(self.associations.insert(association.clone(), adopted)),
        }
        Ok(())
    }

    fn authenticate(
        &mut self,
        association: &Label,
        role: AccountRole,
        password: &Password,
    ) -> Result<(), Broken> {
        let account = self.account(role)?;
        let random = (self.stage.entropy.octets(), self.stage.entropy.octets());
        let time = self.stage.wire.now().filetime();
        let password = match password {
            Password::Right => account.password.clone(),
            Password::Wrong(text) => text.clone(),
        };
        let state = self
            .associations
            .get_mut(association)
            .ok_or_else(|| format!("there is no association {association}"))?;
        state
            .authenticate(&account, &password, random, time)
            .map_err(|breach| format!("the CHALLENGE cannot be answered: {breach}"))
    }

    /// A REGISTER, since the gate has seen that answered: signed, or bare.
    fn fence(&mut self, connection: Connection, association: Option<&Label>) -> Result<(), Broken> {
        let label = Label::new(format!("fence {}", self.sent));
        self.compose(&label, &Template::new("REGISTER"))?;
        if let Some(association) = association {
            self.sign(&label, association, &Signing::default())?;
        } else {
            let call_id = self.hex::<16>();
            let state = self.message(&label)?;
            state.draft.set(HeaderName::CallId, call_id);
            state.key = key_of(&state.draft)?;
        }
        self.send(&label, connection)?;
        self.wait_for(&label);
        let state = self.message(&label)?;
        if let (Some(_), Some(sent)) = (&state.answer, state.sent.clone())
            && let Some(link) = self.streams.get_mut(&sent.connection)
        {
            link.fenced = sent.order;
        }
        Ok(())
    }

    /// Best effort: an association that has gone needs no end.
    pub(super) fn unregister(&mut self, association: &Label) {
        let label = Label::new("clean up");
        let expires = (HeaderName::Expires.name().to_owned(), Text::from("0"));
        let template = Template { headers: vec![expires], ..Template::new("REGISTER") };
        let sent = self
            .compose(&label, &template)
            .and_then(|()| self.sign(&label, association, &Signing::default()))
            .and_then(|()| self.send(&label, Connection::FIRST));
        if sent.is_ok() {
            self.wait_for(&label);
        }
    }
}

fn key_of(draft: &Draft) -> Result<Key, Broken> {
    let octets = draft.to_octets();
    let message = Message::parse(&octets, &Limits::DEFAULT).map_err(|error| error.to_string())?;
    Key::of(&message).ok_or_else(|| "the message has no readable Call-ID and CSeq".to_owned())
}

fn replace_user(draft: &mut Draft, user: &str) {
    let to = draft.get(HeaderName::To).map(|to| String::from_utf8_lossy(to).into_owned()).unwrap_or_default();
    let host = to.rsplit_once('@').map_or("", |(_, host)| host.trim_end_matches('>')).to_owned();
    let line = String::from_utf8_lossy(&draft.start_line).into_owned();
    let method = line.split(' ').next().unwrap_or_default();
    draft.start_line = format!("{method} {user}{host} SIP/2.0").into_bytes();
    draft.set(HeaderName::To, format!("<{user}{host}>"));
}

fn replace_from_tag(draft: &mut Draft, tag: &str) {
    let from = draft
        .get(HeaderName::From)
        .map(|from| String::from_utf8_lossy(from).into_owned())
        .unwrap_or_default();
    let params = from
        .split(';')
        .map(|param| if param.starts_with("tag=") { format!("tag={tag}") } else { param.to_owned() });
    draft.set(HeaderName::From, params.collect::<Vec<_>>().join(";"));
}

/// Rewrites the credential with one parameter changed, all others as they were.
fn edit_param(draft: &mut Draft, param: AuthParam, change: &ParamEdit, value: &[u8]) -> Result<(), Broken> {
    let header = HeaderName::CREDENTIALS.into_iter().find(|name| draft.get(*name).is_some());
    let header = header.ok_or("the message has no credential")?;
    let credential = draft.get(header).unwrap_or_default().to_vec();
    let (scheme, walk) = Walk::new(Value(&credential));
    let mut writer = AuthWriter::with_scheme(&String::from_utf8_lossy(scheme));
    let params = walk.filter_map(|step| match step {
        sipae::auth::Step::Param(param) => Some(param),
        sipae::auth::Step::Problem(..) => None,
    });
    for raw in params {
        if AuthParam::from_octets(raw.name) != Some(param) {
            writer = writer.named(&String::from_utf8_lossy(raw.name), raw.value.raw());
        } else if let Some(changed) = changed(&raw, change, value) {
            writer = writer.param(param, changed);
        }
    }
    draft.set(header, writer.write(&Style::AS_ADDED));
    Ok(())
}

fn changed(raw: &RawParam<'_>, change: &ParamEdit, value: &[u8]) -> Option<Vec<u8>> {
    let mut text = raw.value.raw().to_vec();
    match change {
        ParamEdit::Remove => return None,
        ParamEdit::Set(_) => text = value.to_vec(),
        ParamEdit::UpperCase => text.make_ascii_uppercase(),
        ParamEdit::FlipBit => flip_digit(&mut text, CHECKSUM_DIGIT),
        ParamEdit::ChangeLastDigit => {
            if let Some(last) = text.last_mut() {
                *last = if *last == b'0' { b'1' } else { b'0' };
            }
        }
    }
    Some(text)
}

/// In the ninth octet of an NTLM signature: part of the checksum in both of its forms, behind the pad.
const CHECKSUM_DIGIT: usize = 17;

fn flip_digit(text: &mut [u8], place: usize) {
    let place = place.min(text.len().saturating_sub(1));
    let Some(digit) = text.get_mut(place) else { return };
    let value = char::from(*digit).to_digit(16).unwrap_or(0) ^ 1;
    *digit = char::from_digit(value, 16).map_or(b'0', |flipped| u8::try_from(flipped).unwrap_or(b'0'));
}
