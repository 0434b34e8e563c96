//! Making messages: what every request of an endpoint has, and what a script adds.

use std::borrow::Cow;
use std::sync::Arc;

use sipae::clock::Entropy;
use sipae::draft::Draft;
use sipae::encoding::encode_base16;
use sipae::message::{HeaderName, Limits, Message};
use sipae_gen::{AccountRole, Field, Label, Party, Recipient, Reference, Template, Text};

use super::Executor;
use super::message::MessageState;
use super::party::Identity;
use super::steps::Broken;

impl Executor {
    pub(super) fn random<const N: usize>(&mut self) -> [u8; N] {
        (&mut self.stage.entropy as &mut dyn Entropy).octets()
    }

    pub(super) fn hex<const N: usize>(&mut self) -> String {
        encode_base16(&self.random::<N>())
    }

    pub(super) fn via(&mut self) -> String {
        ["SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK", &self.hex::<8>()].concat()
    }

    pub(super) fn compose(&mut self, label: &Label, template: &Template) -> Result<(), Broken> {
        match self.at_registrar(template)? {
            Some(registering) => {
                self.compose_as_it_is(label, &registering)?;
                // It goes where the anonymous one would have gone.
                self.message(label)?.party = template.from;
                Ok(())
            }
            None => self.compose_as_it_is(label, template),
        }
    }

    fn compose_as_it_is(&mut self, label: &Label, template: &Template) -> Result<(), Broken> {
        if let Some(invite) = &template.within {
            return self.compose_within(label, template, invite);
        }
        let sender = Arc::clone(self.identity(template.from)?);
        let is_register = template.method == "REGISTER";
        // An INVITE with a credential repeats the one without (RFC 3261 22.2).
        let is_one = is_register || template.from.account == AccountRole::Anonymous;
        let call_id = if is_one { sender.register_call_id.clone() } else { self.hex::<16>() };
        let tag = if is_one { Cow::Borrowed(&*sender.tag) } else { Cow::Owned(self.hex::<5>()) };
        let via = self.via();
        self.sent += 1;
        let (uri, to) = self.recipient(template, &sender)?;
        let [address, epid] = &sender.from;
        let draft = Draft::request(&template.method, &uri)
            .with(HeaderName::Via, via)
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, [address, &*tag, epid].concat())
            .with(HeaderName::To, ["<sip:", &to, ">"].concat())
            .with(HeaderName::CallId, call_id)
            .with(HeaderName::CSeq, [&self.sent.to_string(), " ", &template.method].concat())
            .with(HeaderName::Contact, sender.contact.as_str());
        let draft = self.add_headers(draft, template)?.with(HeaderName::ContentLength, "0");
        let is_delivery =
            matches!(template.to, Recipient::Account(_) | Recipient::Endpoint(_) | Recipient::Nobody);
        let recipient = match template.to {
            Recipient::Account(to) | Recipient::Endpoint(to) => Some(to.account),
            _ => None,
        };
        let composed = self.insert(label, draft, template.from);
        (composed.is_delivery, composed.recipient) = (is_delivery, recipient);
        Ok(())
    }

    /// Request-URI, and the address in To.
    fn recipient<'s>(
        &'s self,
        template: &Template,
        sender: &'s Identity,
    ) -> Result<(String, Cow<'s, str>), Broken> {
        let at = |address: &str| ["sip:", address].concat();
        // RFC 3261 10.2: the Request-URI of a REGISTER has no user.
        let is_register = template.method == "REGISTER";
        let is_to_server = is_register || template.method == "OPTIONS";
        let (uri, to) = match template.to {
            Recipient::Own if is_to_server => (at(sender.host()), sender.address().into()),
            Recipient::Own => (at(sender.address()), sender.address().into()),
            Recipient::Nobody => {
                let nobody = format!("nobody-with-this-name@{}", sender.host());
                (at(&nobody), nobody.into())
            }
            Recipient::Conference | Recipient::NoConference | Recipient::ClosedConference => {
                let uri = self.conference(template.to)?;
                let to = uri.trim_start_matches("sip:").to_owned();
                (uri, to.into())
            }
            Recipient::Account(party) => {
                let address = self.identity(party)?.address();
                (at(address), address.into())
            }
            Recipient::Endpoint(party) => {
                let identity = self.identity(party)?;
                (identity.gruu.as_str().to_owned(), identity.address().into())
            }
        };
        Ok((if is_register { at(sender.host()) } else { uri }, to))
    }

    fn add_headers(&self, mut draft: Draft, template: &Template) -> Result<Draft, Broken> {
        for (name, value) in &template.headers {
            draft.push_text(name, self.resolve(value)?);
        }
        Ok(draft)
    }

    pub(super) fn insert(&mut self, label: &Label, draft: Draft, party: Party) -> &mut MessageState {
        let entry = self.messages.entry(label.clone());
        entry.insert_entry(Box::new(MessageState::new(draft, party))).into_mut()
    }

    pub(super) fn copy(&mut self, label: &Label, of: &Label) -> Result<(), Broken> {
        let original = self.message(of)?.clone();
        let copy = self.insert(label, original.draft, original.party);
        copy.association = original.association;
        (copy.is_delivery, copy.recipient) = (original.is_delivery, original.recipient);
        Ok(())
    }

    pub(super) fn copy_delivered(&mut self, label: &Label, of: &Label, party: Party) -> Result<(), Broken> {
        let octets = self.delivery_octets(of, party)?;
        let message = Message::parse(&octets, &Limits::DEFAULT).map_err(|error| error.to_string())?;
        let mut draft = Draft::from_message(&message);
        draft.remove(HeaderName::Via);
        let via = self.via();
        draft.push_first(HeaderName::Via, via);
        self.insert(label, draft, party);
        Ok(())
    }

    fn delivery_octets(&self, of: &Label, party: Party) -> Result<Vec<u8>, Broken> {
        let delivery = self.delivered(of, party);
        delivery
            .map(|delivery| delivery.octets.clone())
            .ok_or_else(|| format!("{of} has not reached {party}"))
    }

    /// The response of a client: its To is its own address, with a tag of its dialog.
    pub(super) fn respond(
        &mut self,
        label: &Label,
        to: &Label,
        party: Party,
        status: u16,
    ) -> Result<(), Broken> {
        let octets = self.delivery_octets(to, party)?;
        let request = Message::parse(&octets, &Limits::DEFAULT).map_err(|error| error.to_string())?;
        // All responses to one request have one tag, as those of one dialog do.
        let tag = format!("{}-{to}", self.identity(party)?.tag).replace(' ', "-");
        let contact = self.identity(party)?.contact.clone();
        let draft = Draft::response_to(&request, status, &tag).with(HeaderName::Contact, contact).close();
        self.insert(label, draft, party);
        Ok(())
    }

    pub(super) fn message(&mut self, label: &Label) -> Result<&mut MessageState, Broken> {
        self.messages.get_mut(label).map(Box::as_mut).ok_or_else(|| unknown_message(label))
    }

    pub(super) fn resolve(&self, text: &Text) -> Result<Vec<u8>, Broken> {
        text.resolve(|reference| self.lookup(reference)).map_err(|missing| format!("{missing} is not known"))
    }

    fn lookup(&self, reference: &Reference) -> Option<Vec<u8>> {
        let association = self.associations.get(&reference.of);
        let text = |text: String| Some(text.into_bytes());
        let identity = || {
            let party = Party::all().find(|party| party.name() == reference.of.as_str())?;
            self.identities.get(&party)
        };
        match reference.field {
            Field::Opaque => association.map(|state| state.opaque.clone()),
            Field::Nonce => None,
            Field::Scheme => text(association?.parameters.scheme.name().to_owned()),
            Field::SchemeLower => text(association?.parameters.scheme.name().to_lowercase()),
            Field::SchemeCapitalised => text(capitalised(association?.parameters.scheme.name())),
            Field::Realm => association.map(|state| state.parameters.realm.clone()),
            Field::Targetname => association.map(|state| state.parameters.targetname.clone()),
            Field::Server => association.map(|state| state.parameters.server().to_vec()),
            Field::Token => association.map(|state| state.token.clone().into_bytes()),
            Field::ToTag => {
                let octets = &self.messages.get(&reference.of)?.answer.as_ref()?.octets;
                let answer = Message::parse(octets, &Limits::DEFAULT).ok()?;
                answer.to().ok()?.param("tag").map(<[u8]>::to_vec)
            }
            Field::Address => text(identity()?.address().to_owned()),
            Field::Host => text(identity()?.host().to_owned()),
            Field::Epid => text(identity()?.epid.clone()),
            Field::Instance => text(identity()?.instance().to_string()),
            Field::Gruu => text(identity()?.gruu.as_str().to_owned()),
            Field::Tag => text(identity()?.tag.clone()),
            Field::CallId => text(identity()?.register_call_id.clone()),
        }
    }
}

pub(super) fn unknown_message(label: &Label) -> Broken {
    format!("the script has no message {label}")
}

/// `Tls-dsk`.
fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at_checked(1).unwrap_or_default();
    first.to_uppercase() + &rest.to_lowercase()
}
