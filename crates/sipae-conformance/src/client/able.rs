//! What is known of a client before it has been started.

use sipae::client::Stimulus;
use sipae_gen::Mode;

use super::case::ClientNeeds;
use crate::profile::Profile;
use crate::target::Target;

/// What a client can do, as far as that is known beforehand.
pub(crate) struct Able {
    /// Why there is nothing of it in this mode.
    lack: Option<&'static str>,
    /// What it can be made to do; `None` where only the client can tell.
    stimuli: Option<Vec<Stimulus>>,
    /// Whether its clock can be set, or nobody knows.
    clock: bool,
}

impl Able {
    pub(crate) fn of(target: &Target, profile: &Profile, mode: Mode) -> Self {
        let (stimuli, clock) = match target {
            Target::Client(objects) => (Some(objects.make(mode).stimuli().to_vec()), true),
            Target::ReferenceClient { .. } => (None, true),
            Target::Listen { exec: Some(_), .. } if profile.client.control => (None, true),
            _ => (Some(Vec::new()), false),
        };
        Self { lack: profile.home().lacks(mode.scheme), stimuli, clock }
    }

    /// Whether the client may turn out to have what a case needs.
    pub(crate) fn may_have(&self, needs: &ClientNeeds) -> bool {
        let can_be_made =
            |stimulus: &Stimulus| self.stimuli.as_ref().is_none_or(|stimuli| stimuli.contains(stimulus));
        self.lack.is_none() && (self.clock || !needs.clock) && needs.stimuli.iter().all(can_be_made)
    }
}
