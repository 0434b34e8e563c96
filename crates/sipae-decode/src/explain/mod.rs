//! Explanations, made of messages.

mod auth;
mod buffer;
mod der;
mod findings;
mod header;
mod kerberos;
mod meaning;
mod ntlm;
mod part;
mod signature;
mod tls;
mod token;

use sipae::message::{Limits, Message, MessageError};

use crate::conversation::{Conversation, Signed};
use crate::input::Captured;
use crate::material::Material;
use crate::model::{Explanation, Kind, Rule, Unreadable};
use crate::octets::{shown, slice};

pub(crate) use buffer::{buffer as signature_buffer, signer};

/// Explains the messages of one input in order, and remembers what they say for those that follow.
pub struct Explainer<'m> {
    material: &'m Material,
    conversation: Conversation,
    signatures: Vec<Signed>,
    /// Messages so far, those that are only noted apart.
    explained: usize,
    noted: usize,
}

impl std::fmt::Debug for Explainer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Explainer({} messages)", self.explained)
    }
}

impl<'m> Explainer<'m> {
    /// Before the first message.
    #[must_use]
    pub fn new(material: &'m Material) -> Self {
        Self {
            material,
            conversation: Conversation::default(),
            signatures: Vec::new(),
            explained: 0,
            noted: 0,
        }
    }

    /// Takes the signatures of a message into account that will be explained later: one may stand in another message.
    pub fn note(&mut self, captured: &Captured) {
        self.noted += 1;
        if self.material.is_empty() {
            return;
        }
        if let Ok(message) = Message::parse(&captured.octets, &Limits::DEFAULT) {
            self.signatures.extend(Signed::all(&message, self.noted));
        }
    }

    /// Explains the next message.
    #[must_use]
    pub fn explain(&mut self, captured: &Captured) -> Explanation {
        self.explained += 1;
        let explanation = Explanation {
            number: self.explained,
            offset: captured.offset,
            length: captured.octets.len(),
            framing: captured.framing,
            origin: captured.origin.clone(),
            remarks: captured.remarks.clone(),
            start_line: shown(first_line(&captured.octets)),
            unreadable: None,
            kind: None,
            fields: Vec::new(),
            findings: Vec::new(),
            authentication: Vec::new(),
        };
        match Message::parse(&captured.octets, &Limits::DEFAULT) {
            Ok(message) => self.fill(explanation, &message),
            Err(error) => Explanation { unreadable: Some(unreadable(&error)), ..explanation },
        }
    }

    fn fill(&mut self, explanation: Explanation, message: &Message<'_>) -> Explanation {
        self.conversation.learn(message, self.explained, self.material);
        let context = auth::Context {
            message,
            number: self.explained,
            material: self.material,
            conversation: &self.conversation,
            signatures: &self.signatures,
        };
        let left_out = context.left_out();
        let mut explanation = explanation;
        if left_out != 0 {
            explanation
                .remarks
                .push(format!("{left_out} more authentication header fields are not explained"));
        }
        Explanation {
            kind: Some(if message.is_request() { Kind::Request } else { Kind::Response }),
            fields: header::fields(message),
            findings: findings::of_message(message),
            authentication: context.fields(),
            ..explanation
        }
    }
}

fn first_line(octets: &[u8]) -> &[u8] {
    /// A start line above this is shown in part.
    const SHOWN: usize = 1024;
    let end = octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len());
    let line = slice(octets, 0, end.min(SHOWN));
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn unreadable(error: &MessageError) -> Unreadable {
    Unreadable { problem: error.to_string(), rule: rule(error.rule()) }
}

/// A rule with what the catalogue says of it.
pub(crate) fn rule(id: &str) -> Rule {
    let row = sipae_spec::Requirement::get(id);
    Rule {
        id: id.to_owned(),
        section: row.map(|row| row.section.to_owned()),
        text: row.map(|row| row.text.to_owned()),
    }
}
