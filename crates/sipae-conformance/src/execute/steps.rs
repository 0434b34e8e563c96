//! One step of a script at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sipae::auth::{AuthHeader, AuthParam, Scheme, Style};
use sipae::buffer::{SignatureBuffer, SignatureParams};
use sipae::draft::Draft;
use sipae::encoding::encode_base16;
use sipae::message::{HeaderName, Limits, Message, MessageStream};
use sipae::sa::{SecurityAssociation, SignOptions};
use sipae::side::Side;
use sipae_events::Direction;
use sipae_gen::{Connection, Label, ParamEdit, Party, Password, Signing, Span, Step, Template, Text, Token};
use sipae_net::WireError;

use super::compose::unknown_message;
use super::message::Sent;
use super::party::{Applicant, AssociationState, Moment};
use super::{Executor, LIMITS, Link};
use crate::observation::challenge_of;
use crate::pace::StepClass;

/// What a target does when its clock is set has happened when it says so. It takes the threads of this process a moment to
/// hear of it, and nothing else tells when they have.
const AFTERMATH: Duration = Duration::from_millis(20);

pub(super) use crate::edits::Broken;

impl Executor {
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Broken> {
        match step {
            Step::Connect(connection) => self.connect(*connection),
            Step::Disconnect(connection) => self.disconnect(*connection),
            Step::Compose { message, template } => self.compose(message, template),
            Step::Copy { message, of } => self.copy(message, of),
            Step::CopyDelivered { message, of, party } => self.copy_delivered(message, of, *party),
            Step::Credential { message, association, token } => self.credential(message, association, token),
            Step::Sign { message, association, signing } => self.sign(message, association, signing),
            Step::Resign { message, association } => self.resign(message, association),
            Step::Digest { message, challenge, change } => self.digest(message, challenge, change),
            Step::Edit { message, edit } => self.edit(message, edit),
            Step::Send { message, connection } => self.send(message, *connection),
            Step::Await { message } => {
                self.wait_for(message);
                Ok(())
            }
            Step::Retry { message } => self.retry(message),
            Step::Expect { message, party } => {
                self.wait_for_delivery(message, *party);
                Ok(())
            }
            Step::Respond { message, to, party, status } => self.respond(message, to, *party, *status),
            Step::Adopt { association, message } => self.adopt(association, message),
            Step::Authenticate { association, party, password } => {
                self.authenticate(association, *party, password)
            }
            Step::Fence { connection, association } => {
                self.fence(*connection, association.as_ref()).map(drop)
            }
            Step::Elapse(span) => self.elapse(*span),
            Step::Attempt(part) => {
                // How far it came shows in what was sent.
                part.steps.iter().try_for_each(|step| self.step(step)).or(Ok(()))
            }
        }
    }

    fn connect(&mut self, connection: Connection) -> Result<(), Broken> {
        let opened = self.stage.wire.connect();
        self.is_unreachable |= opened.is_err();
        self.is_absent |= opened.as_ref().is_err_and(WireError::is_absence);
        let id = opened.map_err(|error| format!("cannot {error}"))?;
        let link = Link {
            number: connection.0,
            stream: MessageStream::new(LIMITS),
            end: None,
            is_own_end: false,
            fenced: 0,
            delivered: BTreeMap::new(),
            is_overtaken: false,
        };
        if let Some(replaced) = self.connections.insert(connection, id) {
            self.leave(replaced);
        }
        self.streams.insert(id, link);
        Ok(())
    }

    fn disconnect(&mut self, connection: Connection) -> Result<(), Broken> {
        let id = self.connections.remove(&connection);
        let id = id.ok_or_else(|| format!("connection {} is not open", connection.0))?;
        self.look();
        self.leave(id);
        Ok(())
    }

    fn association(&self, label: &Label) -> Result<&AssociationState, Broken> {
        self.associations.get(label).ok_or_else(|| format!("there is no association {label}"))
    }

    fn association_mut(&mut self, label: &Label) -> Result<&mut AssociationState, Broken> {
        self.associations.get_mut(label).ok_or_else(|| format!("there is no association {label}"))
    }

    fn token(&self, association: &Label, token: &Token) -> Result<String, Broken> {
        Ok(match token {
            Token::Empty => String::new(),
            Token::Answer => self.association(association)?.token.clone(),
            Token::Text(text) => String::from_utf8_lossy(&self.resolve(text)?).into_owned(),
        })
    }

    fn credential(&mut self, message: &Label, association: &Label, token: &Token) -> Result<(), Broken> {
        let text = self.token(association, token)?;
        let state = self.association(association)?;
        let opaque = Some(&state.opaque).filter(|opaque| !opaque.is_empty() && *token != Token::Empty);
        let credential = state
            .parameters
            .writer()
            .optional(AuthParam::Opaque, opaque)
            .param(AuthParam::GssapiData, text)
            .optional(AuthParam::Version, state.parameters.version.param())
            .write(&Style::COMMUNICATOR);
        let header = state.kind.credential();
        let target = self.message(message)?;
        target.has_token = *token == Token::Answer;
        target.draft.set(header, credential);
        target.association = Some(association.clone());
        Ok(())
    }

    fn sign(&mut self, message: &Label, association: &Label, signing: &Signing) -> Result<(), Broken> {
        let rand = self.random();
        let token = signing.token.as_ref().map(|token| self.token(association, token)).transpose()?;
        let mut draft = self.take_draft(message)?;
        let signed = self.sign_draft(&mut draft, association, signing, (rand, token));
        let target = self.message(message)?;
        target.draft = draft;
        signed.map_err(|error| format!("{message} cannot be signed: {error}"))?;
        target.has_token = signing.token == Some(Token::Answer);
        target.number = signing.number;
        target.association = Some(association.clone());
        Ok(())
    }

    fn sign_draft(
        &mut self,
        draft: &mut Draft,
        association: &Label,
        signing: &Signing,
        (rand, token): ([u8; 4], Option<String>),
    ) -> Result<(), Broken> {
        let state = self.association_mut(association)?;
        let mut options = SignOptions::new(state.kind.credential());
        options.style = Style::COMMUNICATOR;
        options.number = signing.number;
        options.number_text.clone_from(&signing.number_text);
        options.rand_text.clone_from(&signing.rand_text);
        options.with_version = token.is_some();
        options.token = token;
        let sa = state.association.as_mut().ok_or_else(|| format!("{association} has no keys yet"))?;
        let version = sa.parameters.version;
        sa.parameters.version = signing.layout.unwrap_or(version);
        let start_line = signing.without_status.then(|| {
            // A request is signed without the status code that responses have.
            std::mem::replace(&mut draft.start_line, b"REGISTER sip:x SIP/2.0".to_vec())
        });
        let signed = sa.sign(draft, rand, &options);
        sa.parameters.version = version;
        if let Some(start_line) = start_line {
            draft.start_line = start_line;
        }
        signed.map_err(|error| error.to_string())
    }

    /// What stands in the credential is what is signed: a script may have written it in any way.
    fn resign(&mut self, message: &Label, association: &Label) -> Result<(), Broken> {
        let unsigned = self.messages.get(message).ok_or_else(|| unknown_message(message))?;
        let state = self.association(association)?;
        let sa = state.association.as_ref().ok_or_else(|| format!("{association} has no keys yet"))?;
        let signature = credential_signature(sa, &unsigned.draft)?;
        let edit = ParamEdit::Set(Text::from(signature));
        self.edit(message, &sipae_gen::Edit::Param(AuthParam::Response, edit))
    }

    fn send(&mut self, label: &Label, connection: Option<Connection>) -> Result<(), Broken> {
        let connection = connection.unwrap_or(self.message(label)?.party.connection());
        let id = *self
            .connections
            .get(&connection)
            .ok_or_else(|| format!("connection {} is not open", connection.0))?;
        self.look();
        self.sent += 1;
        let sent = Sent { connection: id, order: self.sent, at: Instant::now() };
        let state = self.message(label)?;
        let octets = state
            .octets()
            .map_err(|missing| format!("{label} does not hold {}", String::from_utf8_lossy(&missing)))?;
        state.sent = Some(sent);
        let name = arrow_label(&state.draft.start_line);
        self.log(Direction::Sent, id, || name, &octets);
        if let Err(error) = self.stage.wire.send(id, &octets) {
            // What became of the connection is told by a later arrival; the message counts as sent into it.
            let is_open = |executor: &Self| executor.streams.get(&id).is_some_and(|link| link.end.is_none());
            self.wait_while(self.stage.pace.patience(StepClass::Request), is_open);
            if self.streams.get(&id).is_some_and(|link| link.end.is_none()) {
                return Err(format!("cannot {error}"));
            }
        }
        Ok(())
    }

    fn retry(&mut self, label: &Label) -> Result<(), Broken> {
        let state = self.message(label)?;
        let lost = state.sent.clone().filter(|_| state.answer.is_none());
        let link = lost.and_then(|sent| self.streams.get(&sent.connection));
        let ended = link.filter(|link| link.end.is_some() && !link.is_own_end);
        if let Some(number) = ended.map(|link| link.number) {
            self.connect(Connection(number))?;
            self.send(label, Some(Connection(number)))?;
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
        let scheme = self.stage.mode.scheme;
        let (kind, line) = challenge_of(scheme, &parsed)
            .ok_or_else(|| format!("the answer to {message} has no {scheme} challenge: {reaction}"))?;
        let adopted = AssociationState::adopt(kind, &line)
            .map_err(|breach| format!("the challenge in the answer to {message} cannot be used: {breach}"))?;
        match self.associations.get_mut(association) {
            Some(known) => known
                .continue_with(adopted)
                .map_err(|breach| format!("the answer to {message} cannot be continued: {breach}")),
            None => {
                self.associations.insert(association.clone(), adopted);
                Ok(())
            }
        }
    }

    fn authenticate(&mut self, association: &Label, party: Party, password: &Password) -> Result<(), Broken> {
        let user = self.identity(party)?.user.clone();
        let now = self.stage.now();
        let (client_challenge, session_key) = (self.random(), self.random());
        let moment = Moment { client_challenge, session_key, time: now.filetime() };
        let profile = Arc::clone(&self.stage.profile);
        let certificates = profile.certificates.as_ref();
        let applicant =
            Applicant { user: &user, password, tickets: profile.tickets.as_ref(), certificates, now };
        let unknown = || format!("there is no association {association}");
        let state = self.associations.get_mut(association).ok_or_else(unknown)?;
        state.party = Some(party);
        let proved = state.authenticate(&applicant, &moment, &mut self.stage.entropy);
        proved.map_err(|error| format!("cannot authenticate: {error}"))
    }

    /// Sends a fence and waits for its answer. What it is called.
    pub(super) fn fence(
        &mut self,
        connection: Connection,
        association: Option<&Label>,
    ) -> Result<Label, Broken> {
        let label = self.send_fence(connection, association)?;
        self.wait_for(&label);
        let state = self.message(&label)?;
        if let (Some(_), Some(sent)) = (&state.answer, state.sent.clone())
            && let Some(link) = self.streams.get_mut(&sent.connection)
        {
            link.fenced = sent.order;
        }
        Ok(label)
    }

    /// A REGISTER, since the gate has seen that answered: signed, or bare. What it is called.
    pub(super) fn send_fence(
        &mut self,
        connection: Connection,
        association: Option<&Label>,
    ) -> Result<Label, Broken> {
        let label = Label::new(format!("fence {}", self.sent));
        let party = association.and_then(|by| self.associations.get(by)).and_then(|state| state.party);
        let party = party.or_else(|| self.speaker(connection)).unwrap_or(Party::USER);
        let template = match self.stage.mode.scheme {
            Scheme::Digest => crate::cases::anonymous::anonymous_invite(),
            _ => Template::new("REGISTER").of(party),
        };
        self.compose(&label, &template)?;
        if let Some(association) = association {
            self.sign(&label, association, &Signing::default())?;
        } else {
            let call_id = self.hex::<16>();
            self.edit(&label, &sipae_gen::Edit::SetHeader(HeaderName::CallId, Text::from(call_id)))?;
        }
        self.send(&label, Some(connection))?;
        Ok(label)
    }

    fn elapse(&mut self, span: Span) -> Result<(), Broken> {
        let durations = self.stage.durations.ok_or("the timers of the target are not known")?;
        let timer = durations.of(span.timer);
        let time = timer.ok_or_else(|| format!("the {} timer of the target is not known", span.timer))?;
        let time = time * span.percent / 100;
        if !self.stage.wire.advance(time) {
            match self.stage.control.clone().filter(|control| control.can_advance()) {
                Some(control) => {
                    control.advance(time).map_err(|problem| self.lose_clock(problem))?;
                    self.listen_until(Instant::now() + AFTERMATH);
                }
                None => self.listen_until(Instant::now() + time),
            }
        }
        self.look();
        Ok(())
    }

    /// A target that does not set its clock may be none any more.
    fn lose_clock(&mut self, problem: String) -> Broken {
        self.is_unreachable = true;
        self.clock_lost = Some(problem.clone());
        problem
    }

    /// Best effort: an association that has gone needs no end. The message, if it was sent.
    pub(super) fn unregister(&mut self, association: &Label) -> Option<Label> {
        let party = self.associations.get(association)?.party?;
        let label = Label::new(format!("clean up {association}"));
        let template = Template::new("REGISTER").of(party).header("Expires", "0");
        let connection = self.connections.get(&party.connection());
        let link = connection.and_then(|connection| self.streams.get(connection));
        if link.is_none_or(|link| link.end.is_some()) {
            // A target that closes connections keeps what was registered over them.
            self.connect(party.connection()).ok()?;
        }
        self.compose(&label, &template)
            .and_then(|()| self.sign(&label, association, &Signing::default()))
            .and_then(|()| self.send(&label, None))
            .ok()
            .map(|()| label)
    }
}

/// The right signature of a message with the credential that it has.
fn credential_signature(sa: &SecurityAssociation, draft: &Draft) -> Result<String, Broken> {
    let buffer = draft.read(|message| {
        let mut lines = HeaderName::CREDENTIALS.into_iter().flat_map(|name| message.all(name));
        let credential = AuthHeader::read(lines.next().unwrap_or_default());
        let params = SignatureParams::of(&credential, Side::Client);
        SignatureBuffer::new(message, &params, sa.parameters.version).map(|buffer| buffer.to_vec())
    });
    let buffer = buffer.map_err(|error| format!("the message cannot be signed again: {error}"))?;
    Ok(encode_base16(&sa.context.sign(Side::Client, &buffer)))
}

/// What a ladder writes on the arrow: the method, or the status code.
fn arrow_label(start_line: &[u8]) -> String {
    let mut words = start_line.split(|octet| *octet == b' ');
    let first = words.next().unwrap_or_default();
    let word = if first == b"SIP/2.0" { words.next().unwrap_or_default() } else { first };
    String::from_utf8_lossy(word).into_owned()
}
