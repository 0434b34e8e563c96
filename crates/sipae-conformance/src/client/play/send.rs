//! What is sent to a client: by the script, and by the good server that the script is played beside.

use std::collections::BTreeSet;
use std::time::Instant;

use sipae::auth::AuthParam;
use sipae::client::Stimulus;
use sipae::draft::Draft;
use sipae::message::{Limits, Message};
use sipae::server::ConnectionId;
use sipae_events::Direction;
use sipae_gen::{Edit, Field, Form, Label, Reference, Signing, Text};

use super::super::home::{Class, Read, Under};
use super::super::seen::Sent;
use super::{Outgoing, Player, key_of, name_of};
use crate::edits::{Broken, apply};
use crate::reaction::Signature;

impl Player {
    // What a good server does.

    pub(super) fn serve_kept(&mut self, label: &Label) -> Result<(), Broken> {
        let place = self.place(label)?;
        self.serve(place)
    }

    pub(super) fn place(&self, label: &Label) -> Result<usize, Broken> {
        let place = self.seen.kept.get(label).copied();
        place.ok_or_else(|| format!("{label} has not come"))
    }

    pub(super) fn heard_octets(&self, label: &Label) -> Result<Vec<u8>, Broken> {
        let place = self.place(label)?;
        Ok(self.seen.heard.get(place).map(|heard| heard.octets.clone()).unwrap_or_default())
    }

    /// Answers a request.
    pub(super) fn serve(&mut self, place: usize) -> Result<(), Broken> {
        let Some(heard) = self.seen.heard.get(place) else { return Ok(()) };
        let (octets, read) = (heard.octets.clone(), heard.read.clone());
        let message = Message::parse(&octets, &Limits::NONE).map_err(|error| error.to_string())?;
        if message.method() == Some(b"ACK") {
            return Ok(());
        }
        let now = self.stage.wire.now();
        let status = self.home.kind.status();
        let draft = match read.class {
            Class::Bare | Class::Stray | Class::Failed => {
                self.home.challenge(&message, status, now, &mut self.entropy)
            }
            Class::First | Class::Flight => {
                self.home.continuation(&message, status, now, &mut self.entropy)?
            }
            Class::Completing => self.signed_success(&message, &read)?,
            Class::Signed if matches!(read.signature, Signature::Verified(_)) => {
                self.signed_success(&message, &read)?
            }
            Class::Signed => return Ok(()),
        };
        let connection = self.heard_on.get(place).copied().or(self.current);
        let connection = connection.ok_or("the client has no connection")?;
        self.put(connection, &draft.to_octets())
    }

    fn signed_success(&mut self, message: &Message<'_>, read: &Read) -> Result<Draft, Broken> {
        let status = 200;
        let mut draft = self.home.success(message, status);
        let under = read.association.map_or(Under::Last, Under::Place);
        self.home.sign(&mut draft, &Signing::default(), under, &mut self.entropy)?;
        Ok(draft)
    }

    // What the script sends.

    /// A request of the suite, whose answers are known by it.
    pub(super) fn request(&mut self, label: &Label, draft: Draft) {
        let key = key_of(&draft);
        self.messages.insert(label.clone(), Outgoing { draft, key, ..Outgoing::default() });
    }

    pub(super) fn respond(
        &mut self,
        label: &Label,
        to: &Label,
        status: u16,
        form: Form,
    ) -> Result<(), Broken> {
        let place = self.place(to)?;
        let octets = self.heard_octets(to)?;
        let request = Message::parse(&octets, &Limits::NONE).map_err(|error| error.to_string())?;
        let now = self.stage.wire.now();
        let draft = match form {
            Form::Plain => self.home.plain(&request, status),
            Form::Challenge => self.home.challenge(&request, status, now, &mut self.entropy),
            Form::Continuation => self.home.continuation(&request, status, now, &mut self.entropy)?,
            Form::Success => self.home.success(&request, status),
        };
        let connection = self.heard_on.get(place).copied();
        self.messages.insert(label.clone(), Outgoing { draft, connection, ..Outgoing::default() });
        Ok(())
    }

    pub(super) fn sign(
        &mut self,
        label: &Label,
        signing: &Signing,
        offset: Option<i64>,
        under: Under,
    ) -> Result<(), Broken> {
        let mut signing = signing.clone();
        let sa = self.home.under(under);
        if let Some(offset) = offset {
            self.is_counting = true;
            let sa = sa.ok_or("there is no security association to sign with")?;
            let next = sa.next_number().map_or(i64::from(u32::MAX), i64::from);
            let number = u32::try_from(next.saturating_add(offset));
            signing.number =
                Some(number.map_err(|_| format!("there is no number {offset:+} from the next one"))?);
        }
        let mut draft = std::mem::take(&mut self.message(label)?.draft);
        let signed = self.home.sign(&mut draft, &signing, under, &mut self.entropy);
        self.message(label)?.draft = draft;
        signed.map_err(|error| format!("{label} cannot be signed: {error}"))
    }

    pub(super) fn reflect(&mut self, label: &Label, of: &Label) -> Result<(), Broken> {
        let octets = self.heard_octets(of)?;
        let request = Message::parse(&octets, &Limits::NONE).map_err(|error| error.to_string())?;
        let mut draft = std::mem::take(&mut self.message(label)?.draft);
        let reflected = self.home.reflect(&mut draft, &request);
        self.message(label)?.draft = draft;
        reflected
    }

    pub(super) fn edit(&mut self, label: &Label, edit: &Edit) -> Result<(), Broken> {
        match edit {
            Edit::Branch => return Err("the Via of a server's message is not its own".to_owned()),
            Edit::Octets { from, to } => {
                let patch = (self.resolve(from)?, self.resolve(to)?);
                self.message(label)?.patches.push(patch);
            }
            Edit::Before(octets) => self.message(label)?.before.clone_from(octets),
            edit => {
                let mut draft = std::mem::take(&mut self.message(label)?.draft);
                let changed = apply(&mut draft, edit, &|text| self.resolve(text));
                let outgoing = self.message(label)?;
                outgoing.draft = draft;
                if outgoing.key.is_some() {
                    outgoing.key = key_of(&outgoing.draft).or(outgoing.key.take());
                }
                changed?;
            }
        }
        Ok(())
    }

    fn resolve(&self, text: &Text) -> Result<Vec<u8>, Broken> {
        text.resolve(|reference| self.lookup(reference)).map_err(|missing| format!("{missing} is not known"))
    }

    /// What the server chose, or what the client said in a request that was waited for.
    fn lookup(&self, reference: &Reference) -> Option<Vec<u8>> {
        let parameters = self.home.parameters();
        match reference.field {
            Field::Opaque => self.home.opaque().map(<[u8]>::to_vec),
            Field::Nonce => self.home.nonce().map(<[u8]>::to_vec),
            Field::Scheme => Some(parameters.scheme.name().into()),
            Field::SchemeLower => Some(parameters.scheme.name().to_lowercase().into_bytes()),
            Field::Realm => Some(parameters.realm),
            Field::Targetname => Some(parameters.targetname),
            Field::Server => Some(parameters.server().to_vec()),
            Field::Address => Some(self.home.address().into()),
            Field::Token => {
                let heard = self.seen.heard.get(*self.seen.kept.get(&reference.of)?)?;
                let look = |_, header: &sipae::auth::AuthHeader<'_>| {
                    header.get(AuthParam::GssapiData).map(|value| value.unfolded().into_owned())
                };
                heard.credential(parameters.scheme, look).flatten()
            }
            _ => None,
        }
    }

    pub(super) fn send(&mut self, label: &Label) -> Result<(), Broken> {
        let current = self.current;
        let outgoing = self.message(label)?;
        let connection = outgoing.connection.or(current).ok_or("the client has no connection")?;
        let mut octets = outgoing.before.clone();
        octets.extend(outgoing.draft.to_octets());
        for (from, to) in &outgoing.patches {
            let place = octets.windows(from.len().max(1)).position(|part| part == from.as_slice());
            let place = place.ok_or_else(|| format!("{label} does not hold what is to be replaced"))?;
            drop(octets.splice(place..place + from.len(), to.iter().copied()));
        }
        let place = self.seen.sent.len();
        let number = self.links.get(&connection).map_or(0, |link| link.number);
        let sent = Sent {
            connection: number,
            octets: octets.clone(),
            before: self.seen.heard.len(),
            place,
            ..Sent::default()
        };
        self.seen.sent.insert(label.clone(), sent);
        self.put(connection, &octets)
    }

    /// Sends octets. A client that has gone takes none: what that means is the matter of the judge. One that is there and
    /// takes none is waited for once.
    fn put(&mut self, connection: ConnectionId, octets: &[u8]) -> Result<(), Broken> {
        let name = Message::parse(octets, &Limits::NONE).map(|message| name_of(&message));
        let name = name.unwrap_or_else(|_| "?".to_owned());
        self.log(Direction::Sent, connection, name, octets);
        self.last_sent = Some(Instant::now());
        self.put_at = self.last_sent;
        self.is_quiet = false;
        match self.stage.wire.send(connection, octets) {
            Ok(()) => Ok(()),
            Err(_) => {
                self.stage.wire.disconnect(connection);
                if let Some(link) = self.links.get_mut(&connection).filter(|link| link.is_open) {
                    link.is_open = false;
                    self.seen.connections.closed += 1;
                }
                Ok(())
            }
        }
    }

    pub(super) fn fence(&mut self) -> Result<(), Broken> {
        let method = self.fence_method()?;
        self.fences += 1;
        let label = Label::new(format!("fence {}", self.fences));
        let draft = self.home.request(&method, &mut self.entropy);
        self.request(&label, draft);
        self.sign(&label, &Signing::default(), None, Under::Last)?;
        let unanswered: BTreeSet<Label> = self.seen.sent.keys().cloned().collect();
        self.send(&label)?;
        self.wait_for_answer(&label);
        let fence = self.seen.sent.get_mut(&label);
        let is_answered = fence.is_some_and(|sent| {
            sent.is_fence = true;
            sent.answer().is_some()
        });
        if !is_answered {
            return Err("the client does not answer a request that it answered before".to_owned());
        }
        // A request on another connection proves nothing.
        let on = self.seen.sent.get(&label).map(|sent| sent.connection);
        for (label, sent) in &mut self.seen.sent {
            sent.is_fenced |= unanswered.contains(label) && Some(sent.connection) == on;
        }
        Ok(())
    }

    pub(super) fn fence_method(&self) -> Result<String, Broken> {
        let method = self.stage.fence.clone();
        method.ok_or_else(|| "the client answers no request that could be a fence".to_owned())
    }

    /// The method of a choice among those that the client answers well.
    pub(super) fn answered_method(&self, choice: &str) -> Result<String, Broken> {
        let choice: usize = choice.parse().map_err(|_| format!("{choice} is no choice of a method"))?;
        let methods = &self.stage.methods;
        match methods.get(choice % methods.len().max(1)) {
            Some(method) => Ok(method.clone()),
            None => self.fence_method(),
        }
    }

    pub(super) fn make(&mut self, name: &Label, stimulus: &str) -> Result<(), Broken> {
        let stimulus =
            Stimulus::from_name(stimulus).ok_or_else(|| format!("there is no stimulus {stimulus:?}"))?;
        self.stimuli += 1;
        // What the client is made to do is no disturbance; numbers are counted anew behind it.
        self.is_counting = false;
        self.seen.asked.insert(name.clone(), self.stimuli);
        self.last_sent = Some(Instant::now());
        self.is_quiet = false;
        self.stage.wire.act(self.stimuli, stimulus)
    }

    /// What the client tells its user, behind the time that this client takes for that.
    pub(super) fn standing(&mut self, name: &Label) -> Result<(), Broken> {
        if let Some(at) = self.put_at.filter(|_| !self.has_standing_at_once()) {
            let left = self.stage.pace.telling().saturating_sub(at.elapsed());
            self.listen(left, |_| true);
        }
        self.look();
        let standing = match self.stage.wire.is_told() {
            true => self.stage.wire.standing(),
            false => self.written_standing(),
        };
        self.seen.standings.insert(name.clone(), standing);
        Ok(())
    }
}
