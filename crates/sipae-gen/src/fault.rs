//! Named faults: one deviation each, with the row that it breaks, where it is made, and what is legal then.
//!
//! A fault above the signature is signed over, so that it does not die at the signature; a fault of the signature is the
//! only one. A careful reader has exactly one remark on a message with a fault, which a test looks at.

mod credential;
mod framing;
mod message;
mod signature;
mod token;

use sipae::auth::{AuthParam, Scheme};

use crate::source::Source;
use crate::{CertificateFault, Edit, Expect, ParamEdit, Signing, Text, TicketFault};

/// Where a deviation is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Before the message is signed: the signature is right.
    Before,
    /// In what is signed: the signature is right over texts that are wrong.
    At,
    /// After it is signed.
    After,
    /// After it is signed, and signed again as it stands: the signature is right.
    Resigned,
    /// In the octets as they go out; what comes behind them on the connection may be lost.
    Framing,
    /// In the credential of the first request of a handshake.
    Opening,
    /// In the credential that proves who the user is.
    Proof,
    /// In the ticket or certificate that is shown.
    Shown,
}

/// What is done.
#[derive(Clone, Copy)]
pub enum Deviation {
    /// Changes to the message.
    Edits(fn(&mut dyn Source) -> Vec<Edit>),
    /// Another way of signing.
    Signing(fn(&mut dyn Source) -> Signing),
    /// A ticket or authenticator.
    Ticket(TicketFault),
    /// A certificate.
    Certificate(CertificateFault),
}

/// One deviation in what the suite sends.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Stable name, unique among faults.
    pub name: &'static str,
    /// Id of the row that it breaks.
    pub requirement: &'static str,
    /// The remark of a careful reader: a diagnostic, or a rule.
    pub remark: &'static str,
    /// Where it is made.
    pub stage: Stage,
    /// What has to become of the message; none where everything but harm is legal.
    pub expect: Option<Expect>,
    /// The schemes that have it.
    pub schemes: &'static [Scheme],
    /// What is done.
    pub deviation: Deviation,
}

impl Fault {
    /// Every fault.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [message::FAULTS, framing::FAULTS, credential::FAULTS, signature::FAULTS, token::FAULTS]
            .into_iter()
            .flatten()
    }

    /// The faults that a scheme has, of one row or of all.
    pub fn of(scheme: Scheme, requirement: Option<&str>) -> impl Iterator<Item = &'static Self> {
        Self::all().filter(move |fault| {
            fault.schemes.contains(&scheme) && requirement.is_none_or(|row| fault.requirement == row)
        })
    }

    /// The fault of a name.
    #[must_use]
    pub fn get(name: &str) -> Option<&'static Self> {
        Self::all().find(|fault| fault.name == name)
    }

    const fn new(
        name: &'static str,
        requirement: &'static str,
        remark: &'static str,
        stage: Stage,
        edits: fn(&mut dyn Source) -> Vec<Edit>,
    ) -> Self {
        Self {
            name,
            requirement,
            remark,
            stage,
            expect: Some(Expect::Refused),
            schemes: &Scheme::SIGNING,
            deviation: Deviation::Edits(edits),
        }
    }

    /// Made in what is signed.
    const fn signing(
        name: &'static str,
        requirement: &'static str,
        remark: &'static str,
        signing: fn(&mut dyn Source) -> Signing,
    ) -> Self {
        Self {
            deviation: Deviation::Signing(signing),
            ..Self::new(name, requirement, remark, Stage::At, |_| Vec::new())
        }
    }

    /// Readers may take it, or refuse it.
    const fn open(self) -> Self {
        Self { expect: None, ..self }
    }

    const fn expecting(self, expect: Expect) -> Self {
        Self { expect: Some(expect), ..self }
    }

    /// With another remark than its kind.
    const fn remarked(self, remark: &'static str) -> Self {
        Self { remark, ..self }
    }

    const fn with(self, schemes: &'static [Scheme]) -> Self {
        Self { schemes, ..self }
    }
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fault({})", self.name)
    }
}

const NTLM: &[Scheme] = &[Scheme::Ntlm];
const KERBEROS: &[Scheme] = &[Scheme::Kerberos];
const TLS_DSK: &[Scheme] = &[Scheme::TlsDsk];

fn param(param: AuthParam, change: ParamEdit) -> Vec<Edit> {
    vec![Edit::Param(param, change)]
}

fn set(name: AuthParam, value: &str) -> Vec<Edit> {
    param(name, ParamEdit::Set(Text::from(value)))
}

/// A text of the credential becomes another one.
fn credential(from: &str, to: &str) -> Vec<Edit> {
    vec![Edit::Credential { from: Text::of(from), to: Text::of(to) }]
}

/// A parameter that nobody knows, at the end, and what becomes of its text.
fn appended(from: &str, to: &str) -> Vec<Edit> {
    let added = Edit::AddParam { name: "x".to_owned(), value: Text::from("y"), first: false };
    [vec![added], credential(from, to)].concat()
}

fn field(name: &str, value: &str, first: bool) -> Vec<Edit> {
    vec![Edit::AddHeader { name: name.to_owned(), value: Text::of(value), first }]
}

fn octets(from: &str, to: &str) -> Vec<Edit> {
    vec![Edit::Octets { from: Text::of(from), to: Text::of(to) }]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_many_and_each_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Fault::all().map(|fault| fault.name).collect();
        assert_eq!(names.len(), Fault::all().count());
        assert!(150 <= names.len(), "{}", names.len());
        assert!(names.iter().all(|name| Fault::get(name).is_some()));
    }
}
