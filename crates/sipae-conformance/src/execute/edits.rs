//! Changes that a script makes to a message of a client.

use sipae::draft::Draft;
use sipae::message::HeaderName;
use sipae_gen::{Edit, Label};

use super::Executor;
use super::message::Key;
use super::steps::Broken;
use crate::edits::apply;

impl Executor {
    pub(super) fn edit(&mut self, label: &Label, edit: &Edit) -> Result<(), Broken> {
        let mut draft = self.take_draft(label)?;
        let changed = self.change(label, &mut draft, edit);
        let state = self.message(label)?;
        state.draft = draft;
        changed?;
        // What can no longer be read is answered, if at all, as what it was.
        if !touches_credential_alone(edit)
            && let Ok(key) = state.draft.read(|message| Ok(Key::of(message).into_owned()))
        {
            state.key = key;
        }
        Ok(())
    }

    /// The draft of a message, to be put back when it has been changed.
    pub(super) fn take_draft(&mut self, label: &Label) -> Result<Draft, Broken> {
        Ok(std::mem::take(&mut self.message(label)?.draft))
    }

    fn change(&mut self, label: &Label, draft: &mut Draft, edit: &Edit) -> Result<(), Broken> {
        match edit {
            Edit::Branch => {
                let via = self.via();
                draft.set(HeaderName::Via, via);
            }
            Edit::Octets { from, to } => {
                let patch = (self.resolve(from)?, self.resolve(to)?);
                self.message(label)?.patches.push(patch);
            }
            Edit::Before(octets) => self.message(label)?.before.clone_from(octets),
            edit => apply(draft, edit, &|text| self.resolve(text))?,
        }
        Ok(())
    }
}

/// Whether what ties an answer to the message stays as it is.
const fn touches_credential_alone(edit: &Edit) -> bool {
    matches!(
        edit,
        Edit::Param(..)
            | Edit::AddParam { .. }
            | Edit::Credential { .. }
            | Edit::OrderParams(_)
            | Edit::ReshapeCredential
            | Edit::Scheme(_)
            | Edit::CredentialHeader(_)
            | Edit::CrowdCredential { .. }
            | Edit::Before(_)
            | Edit::Octets { .. }
    )
}
