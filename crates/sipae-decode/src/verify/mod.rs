//! Whether a signature verifies, and which single change of what is signed, or of the key, would make it verify.

mod attempt;
mod changes;
mod keys;

use std::collections::BTreeSet;

use sipae::auth::{AuthHeader, Finding, Scheme};
use sipae::draft::Draft;
use sipae::message::{HeaderName, Message, MessageError};
use sipae::side::Side;
use sipae::version::Version;
use sipae_spec::{Diagnostic, Severity};

pub(crate) use keys::keys;

use crate::conversation::Signed;
use crate::explain::signature_buffer;
use crate::model::{ChangeFound, Outcome, Verification};
use attempt::Attempt;
use changes::{CHANGES, Variant};
use keys::Keys;

/// Signatures of other messages that are tried.
const SIBLINGS: usize = 256;

/// The change that is tried where a header field stands twice.
const HEADER_COPY: &str = "header-copy";

/// A signature and all that may belong to it.
pub(crate) struct Case<'c> {
    pub(crate) message: &'c Message<'c>,
    pub(crate) number: usize,
    pub(crate) header: &'c AuthHeader<'c>,
    pub(crate) signer: Side,
    /// `None` where nothing says it: then all layouts are good.
    pub(crate) version: Option<Version>,
    pub(crate) others: &'c [Signed],
}

impl Case<'_> {
    pub(crate) fn verify(&self, keys: &Result<Keys, String>) -> Verification {
        let signature = match self.header.signature(self.signer.signature()) {
            Ok(Some(signature)) => signature,
            Ok(None) => return not_tried("there is no signature"),
            Err(diagnostic) => return not_tried(diagnostic.text()),
        };
        if self.header.scheme() == Some(Scheme::Kerberos) {
            return not_tried("signatures of Kerberos are not verified: not built yet");
        }
        match keys {
            Err(reason) => not_tried(reason),
            Ok(keys) if keys.of(self.signer).is_none() => {
                let reason = keys.missing.as_deref().unwrap_or("there is no key of the side that signed");
                // Only those of others are known: what none of them explains is not judged.
                let found = self.verify_with(keys, &signature);
                if found.changes.is_empty() { not_tried(reason) } else { found }
            }
            Ok(keys) => self.verify_with(keys, &signature),
        }
    }

    fn verify_with(&self, keys: &Keys, signature: &[u8]) -> Verification {
        let found = Verification { key: Some(keys.from.clone()), ..not_tried("") };
        let bases = match self.bases(signature) {
            Ok(bases) => bases,
            Err(error) => return self.unfit(keys, signature, &error, found),
        };
        match bases.iter().find(|base| base.verifies(keys)) {
            Some(base) => Verification {
                outcome: Outcome::Verifies,
                version: Some(self.version.unwrap_or(base.version).number()),
                reason: self.refusal(base.version),
                ..found
            },
            None => self.search(keys, &bases, found),
        }
    }

    /// Why a verifier does not accept the message, although its signature is good.
    fn refusal(&self, version: Version) -> Option<String> {
        let is_malformed = |found: &Finding<'_>| found.diagnostic.severity() == Severity::Malformed;
        let malformed = self.header.findings().into_iter().find(is_malformed);
        let malformed = malformed.map(|found| format!("{} ({})", found.diagnostic, found.diagnostic.rule()));
        malformed.or_else(|| {
            let buffer = signature_buffer(self.message, self.header, self.signer, version).ok()?;
            let field = buffer.ambiguous()?;
            Some(format!(
                "{} holds ><, which makes the signature buffer ambiguous (SIPAE-2.2-27)",
                field.name()
            ))
        })
    }

    fn versions(&self) -> Vec<Version> {
        self.version.map_or(vec![Version::V2, Version::V4], |version| vec![version])
    }

    fn bases(&self, signature: &[u8]) -> Result<Vec<Attempt>, MessageError> {
        let base = |version| Attempt::new(self.message, self.header, self.signer, version, signature);
        self.versions().into_iter().map(base).collect()
    }

    fn search(&self, keys: &Keys, bases: &[Attempt], found: Verification) -> Verification {
        let mut tried: BTreeSet<Attempt> = bases.iter().cloned().collect();
        let mut changes = Vec::new();
        for base in bases {
            for change in CHANGES {
                for Variant { attempt, text } in (change.alter)(self, base, keys) {
                    if tried.insert(attempt.clone()) && attempt.verifies(keys) {
                        let text = format!("{text}{}", self.layout(base));
                        changes.push(ChangeFound { name: change.name.to_owned(), text });
                    }
                }
            }
        }
        let tried = tried.len() - bases.len();
        Verification { outcome: Outcome::DoesNotVerify, reason: None, changes, tried, ..found }
    }

    /// Names the layout that was altered, where it is not the only one.
    const fn layout(&self, base: &Attempt) -> &'static str {
        match (self.version, base.version) {
            (Some(_), _) => "",
            (None, Version::V2) => ", in the layout of version 2",
            (None, _) => ", in the layout of version 3 or 4",
        }
    }

    /// A message that no verifier accepts: a field that is signed stands in it twice, or cannot be read. Where it stands
    /// twice, each copy is tried as if it were the only one.
    fn unfit(
        &self,
        keys: &Keys,
        signature: &[u8],
        error: &MessageError,
        found: Verification,
    ) -> Verification {
        let mut changes = Vec::new();
        let mut tried = 0;
        if let MessageError::Header { header, diagnostic: Diagnostic::HeaderDuplicate } = error {
            for copy in 0..self.message.count(*header).min(SIBLINGS) {
                tried += 1;
                if self.copy_verifies(keys, signature, *header, copy) {
                    let text =
                        format!("the signer takes copy {} of {header} and leaves the others out", copy + 1);
                    changes.push(ChangeFound { name: HEADER_COPY.to_owned(), text });
                }
            }
        }
        let reason = Some(format!("the message is unfit for verification: {error} ({})", error.rule()));
        Verification { outcome: Outcome::DoesNotVerify, reason, changes, tried, ..found }
    }

    fn copy_verifies(&self, keys: &Keys, signature: &[u8], header: HeaderName, copy: usize) -> bool {
        let mut draft = Draft::from_message(self.message);
        let mut index = 0;
        draft.headers.retain(|field| {
            let is_copy = field.is(header);
            index += usize::from(is_copy);
            !is_copy || index == copy + 1
        });
        let verifies = |message: &Message<'_>| {
            let case = Case { message, ..*self };
            case.bases(signature).map(|bases| bases.iter().any(|base| base.verifies(keys)))
        };
        draft.read(verifies).unwrap_or(false)
    }

    /// Signatures of the same side and association in other messages.
    fn siblings(&self) -> impl Iterator<Item = &Signed> {
        Signed::siblings(self.others, self.header, self.signer, self.number).take(SIBLINGS)
    }
}

fn not_tried(reason: &str) -> Verification {
    Verification {
        outcome: Outcome::NotTried,
        version: None,
        key: None,
        reason: Some(reason.to_owned()),
        changes: Vec::new(),
        tried: 0,
    }
}

/// The names of all changes that are tried where a signature does not verify.
#[must_use]
pub fn change_names() -> Vec<&'static str> {
    CHANGES.iter().map(|change| change.name).chain([HEADER_COPY]).collect()
}
