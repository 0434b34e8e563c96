//! What a case is.

use sipae::version::Version;
use sipae_events::CaseId;
use sipae_gen::Script;
use sipae_spec::Role;

use crate::judge::Judge;

/// What must be there before anything of a case is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The target answers at all: the case is about what comes before or during a handshake.
    Reachable,
    /// A good handshake works.
    Handshake,
}

/// What a case needs. It is decided before anything is sent: what the profile does not claim makes the case
/// unsupported, what is missing makes it blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// How far the ordinary exchange must work.
    pub gate: Gate,
    /// The versions in which the case has a meaning.
    pub versions: &'static [Version],
    /// Failed logons of the sacrificial account.
    pub failed_logons: u32,
}

impl Needs {
    /// An answer to a bare request, any version.
    pub const REACHABLE: Self = Self { gate: Gate::Reachable, versions: &Version::ALL, failed_logons: 0 };
    /// A good handshake, any version.
    pub const HANDSHAKE: Self = Self { gate: Gate::Handshake, ..Self::REACHABLE };
}

/// One check, tied to the requirements that it shows.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Stable name: the section first.
    pub id: &'static str,
    /// What a right target does, as a statement.
    pub title: &'static str,
    /// Ids of the rows it judges. The judge may name no other.
    pub requirements: &'static [&'static str],
    /// The role of the target, whatever the role of the rows.
    pub role: Role,
    /// What must be there.
    pub needs: Needs,
    /// The conversation at a version.
    pub plan: fn(Version) -> Script,
    /// Reads what was seen.
    pub judge: fn(&mut Judge<'_>),
}

impl Case {
    /// The id as reports carry it.
    #[must_use]
    pub fn case_id(&self) -> Option<CaseId> {
        CaseId::new(self.id).ok()
    }
}
