//! What a case is.

use std::fmt;

use sipae::auth::Scheme;
use sipae::version::Version;
use sipae_events::CaseId;
use sipae_gen::{Check, Mode, Script, Timer};
use sipae_spec::Role;

use crate::generated::{self, Property};
use crate::judge::Judge;

/// What must be there before anything of a case is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The target answers at all: the case is about what comes before or during a handshake, with any scheme.
    Reachable,
    /// The target offers the scheme: the case is about a challenge of it, or the beginning of a handshake.
    Offered,
    /// A good handshake works.
    Handshake,
    /// A request reaches another user.
    Delivery,
}

/// Where Digest is asked for, besides everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A conference, which the anonymous join.
    Conference,
    /// A second conference, which they must not join.
    ClosedConference,
}

/// What a case needs. It is decided before anything is sent: what the profile does not claim makes the case
/// unsupported, what is missing makes it blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// How far the ordinary exchange must work.
    pub gate: Gate,
    /// The schemes with which the case has a meaning.
    pub schemes: Vec<Scheme>,
    /// The versions in which it has one.
    pub versions: Vec<Version>,
    /// A second user.
    pub peer: bool,
    /// What must be there to be asked by Digest.
    pub place: Option<Place>,
    /// Failed logons of the sacrificial account.
    pub failed_logons: u32,
    /// Timers of the target that have to end.
    pub timers: Vec<Timer>,
    /// Whether time passes by a set clock alone: it is about the lifetimes of credentials, which nobody waits for.
    pub set_clock: bool,
    /// Credentials that only whoever has the key of a service or of an authority can make.
    pub minting: bool,
    /// Floods, or oversized input.
    pub rough: bool,
}

impl Needs {
    /// Whether the case has a meaning in this mode.
    #[must_use]
    pub fn has_meaning(&self, mode: Mode) -> bool {
        self.schemes.contains(&mode.scheme) && self.versions.contains(&mode.version)
    }
}

/// As a sentence for people.
impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.gate {
            Gate::Reachable => "a server that answers",
            Gate::Offered => "a server that offers the scheme",
            Gate::Handshake => "a good handshake",
            Gate::Delivery => "a second user, whom a request reaches",
        })?;
        if self.peer && self.gate != Gate::Delivery {
            f.write_str(", a second user")?;
        }
        match self.place {
            Some(Place::Conference) => f.write_str(", a conference")?,
            Some(Place::ClosedConference) => f.write_str(", a conference closed to the anonymous")?,
            None => {}
        }
        if self.failed_logons != 0 {
            write!(f, ", {} failed logons of the sacrificial account", self.failed_logons)?;
        }
        for timer in &self.timers {
            write!(f, ", a known {timer} timer")?;
        }
        if self.set_clock {
            f.write_str(", a clock that can be set")?;
        }
        if self.minting {
            f.write_str(", the key of the service or of the users' authority")?;
        }
        if self.rough {
            f.write_str(", --rough where the target is not on this machine")?;
        }
        if self.schemes == [Scheme::Digest] {
            // It has no versions.
            return Ok(());
        }
        let versions: Vec<String> =
            self.versions.iter().map(|version| version.number().to_string()).collect();
        write!(f, "; versions {}", versions.join(", "))
    }
}

/// How much a case takes of the target and of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Some exchanges.
    #[default]
    Light,
    /// It waits for a timer.
    Slow,
    /// It loads the target so much that nothing else can be judged meanwhile.
    Alone,
}

type Plan = dyn Fn(Mode) -> Script + Send + Sync;
type Judgment = dyn Fn(&mut Judge<'_>) + Send + Sync;

/// One check of a server, tied to the requirements that it shows.
pub struct Case {
    id: CaseId,
    title: String,
    requirements: Vec<&'static str>,
    needs: Needs,
    form: Form,
}

/// How a case comes by its conversation, and who judges it.
enum Form {
    /// It is written down.
    Written(Box<Plan>, Box<Judgment>),
    /// It is generated, many times.
    Generated(Property),
    /// Sequences of actions that a model foresees.
    Sequences,
    /// It was stored.
    Stored(Stored),
}

/// A conversation that was stored, and who judges it: checks that were stored with it, or else the case that it is of.
pub(crate) struct Stored {
    pub(crate) script: Script,
    pub(crate) checks: Vec<Check>,
    pub(crate) case: Option<&'static Case>,
}

impl Case {
    /// A case that needs a good handshake, and decides nothing yet. `id` is a stable name, the section first; `title`
    /// says what a right target does, as a statement; `requirements` are the ids of the rows that it judges: the judge
    /// may name no other.
    ///
    /// # Panics
    /// When `id` is no [`CaseId`]: cases are written in this crate, and a test looks at all of them.
    #[must_use]
    #[expect(clippy::panic, reason = "a fault of this crate that its tests show, not of any input")]
    pub fn new(id: &str, title: &str, requirements: &[&'static str]) -> Self {
        let id = CaseId::new(id).unwrap_or_else(|error| panic!("{error}"));
        Self::called(id, title, requirements)
    }

    /// The same with a name that is one.
    pub(crate) fn called(id: CaseId, title: &str, requirements: &[&'static str]) -> Self {
        let needs = Needs {
            gate: Gate::Handshake,
            schemes: Scheme::SIGNING.to_vec(),
            versions: Version::ALL.to_vec(),
            peer: false,
            place: None,
            failed_logons: 0,
            timers: Vec::new(),
            set_clock: false,
            minting: false,
            rough: false,
        };
        let form = Form::Written(Box::new(|_| Script::default()), Box::new(|_: &mut Judge<'_>| {}));
        Self { id, title: title.to_owned(), requirements: requirements.to_vec(), needs, form }
    }

    /// It needs no more than this gate.
    #[must_use]
    pub const fn behind(mut self, gate: Gate) -> Self {
        self.needs.gate = gate;
        self
    }

    /// It needs a second user, and requests that reach them.
    #[must_use]
    pub const fn with_peer(mut self) -> Self {
        self.needs.peer = true;
        self.needs.gate = Gate::Delivery;
        self
    }

    /// It needs a second user who authenticates; nothing has to reach them.
    #[must_use]
    pub const fn with_second_account(mut self) -> Self {
        self.needs.peer = true;
        self
    }

    /// It has a meaning with these schemes only.
    #[must_use]
    pub fn with(mut self, schemes: &[Scheme]) -> Self {
        self.needs.schemes = schemes.to_vec();
        self
    }

    /// It is about the continuation of a handshake, which Kerberos has none of.
    #[must_use]
    pub fn with_continuation(self) -> Self {
        self.with(&[Scheme::Ntlm, Scheme::TlsDsk])
    }

    /// It is about a handshake whose last request has a token.
    #[must_use]
    pub fn with_last_token(self) -> Self {
        self.with(&[Scheme::Ntlm, Scheme::Kerberos])
    }

    /// It is about the tokens of NTLM, or what only NTLM has.
    #[must_use]
    pub fn with_ntlm(self) -> Self {
        self.with(&[Scheme::Ntlm])
    }

    /// It is about Digest: at a conference, or at an ordinary registrar.
    #[must_use]
    pub fn with_digest(self) -> Self {
        self.with(&[Scheme::Digest])
    }

    /// It needs more than a registrar.
    #[must_use]
    pub const fn in_place(mut self, place: Place) -> Self {
        self.needs.place = Some(place);
        self
    }

    /// It has a meaning in these versions only.
    #[must_use]
    pub fn at(mut self, versions: &[Version]) -> Self {
        self.needs.versions = versions.to_vec();
        self
    }

    /// It costs the sacrificial account failed logons.
    #[must_use]
    pub const fn failing_logons(mut self, count: u32) -> Self {
        self.needs.failed_logons = count;
        self
    }

    /// It waits for a timer of the target.
    #[must_use]
    pub fn over(mut self, timer: Timer) -> Self {
        self.needs.timers.push(timer);
        self
    }

    /// Time has to pass by a clock that is set.
    #[must_use]
    pub const fn by_a_set_clock(mut self) -> Self {
        self.needs.set_clock = true;
        self
    }

    /// It shows credentials that are made for it: faulty tickets, or certificates.
    #[must_use]
    pub const fn minting(mut self) -> Self {
        self.needs.minting = true;
        self
    }

    /// It floods the target, or sends oversized input.
    #[must_use]
    pub const fn rough(mut self) -> Self {
        self.needs.rough = true;
        self
    }

    /// The conversation in a mode.
    #[must_use]
    pub fn plan(mut self, plan: impl Fn(Mode) -> Script + Send + Sync + 'static) -> Self {
        if let Form::Written(written, _) = &mut self.form {
            *written = Box::new(plan);
        }
        self
    }

    /// What reads the observation.
    #[must_use]
    pub fn judge(mut self, judge: impl Fn(&mut Judge<'_>) + Send + Sync + 'static) -> Self {
        if let Form::Written(_, written) = &mut self.form {
            *written = Box::new(judge);
        }
        self
    }

    /// Its conversations are generated.
    #[must_use]
    pub(crate) fn generated(mut self, property: Property) -> Self {
        self.form = Form::Generated(property);
        self
    }

    /// Its conversations are sequences of actions that a model foresees.
    #[must_use]
    pub(crate) fn of_sequences(mut self) -> Self {
        self.form = Form::Sequences;
        self
    }

    /// Its conversation was stored.
    #[must_use]
    pub(crate) fn stored(mut self, stored: Stored) -> Self {
        match stored.case {
            Some(case) => self.needs = case.needs.clone(),
            None => self.needs.timers = stored.script.timers().into_iter().collect(),
        }
        self.form = Form::Stored(stored);
        self
    }

    /// What judges its conversation by data alone, where something does.
    pub(crate) fn checks(&self) -> &[Check] {
        match &self.form {
            Form::Stored(stored) => &stored.checks,
            Form::Written(..) | Form::Generated(_) | Form::Sequences => &[],
        }
    }

    /// Whether its conversations are sequences of actions.
    pub(crate) const fn has_sequences(&self) -> bool {
        matches!(self.form, Form::Sequences)
    }

    /// What generates its conversations, if they are.
    pub(crate) const fn property(&self) -> Option<&Property> {
        match &self.form {
            Form::Generated(property) => Some(property),
            Form::Written(..) | Form::Sequences | Form::Stored(_) => None,
        }
    }

    /// Whether its conversations are generated.
    #[must_use]
    pub const fn is_generated(&self) -> bool {
        matches!(self.form, Form::Generated(_) | Form::Sequences)
    }

    /// Stable name: the section first.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// The name as events carry it.
    #[must_use]
    pub const fn case_id(&self) -> &CaseId {
        &self.id
    }

    /// What a right target does, as a statement.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Ids of the rows that it judges.
    #[must_use]
    pub fn requirements(&self) -> &[&'static str] {
        &self.requirements
    }

    /// The role of the target, whatever the role of the rows.
    #[must_use]
    pub const fn role(&self) -> Role {
        Role::Server
    }

    /// What must be there.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// How much it takes.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        if self.needs.rough {
            Cost::Alone
        } else if self.needs.timers.is_empty() {
            Cost::Light
        } else {
            Cost::Slow
        }
    }

    /// The conversation in a mode; the plainest one of a generated case.
    #[must_use]
    pub fn script(&self, mode: Mode) -> Script {
        match &self.form {
            Form::Written(plan, _) => plan(mode),
            Form::Generated(property) => property.whole(&property.plainest(mode), mode),
            Form::Sequences => generated::sequence::plainest(mode),
            Form::Stored(stored) => stored.script.clone(),
        }
    }

    /// The steps of the conversation in words, with the first scheme and at the newest version that the case has a
    /// meaning for.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let newest = self.needs.versions.iter().max().copied().unwrap_or(Version::V4);
        let scheme = self.needs.schemes.first().copied().unwrap_or(Scheme::Ntlm);
        self.script(Mode { scheme, version: newest }).steps.iter().map(ToString::to_string).collect()
    }

    /// Reads an observation.
    pub fn read(&self, judge: &mut Judge<'_>) {
        match &self.form {
            Form::Written(_, read) => read(judge),
            Form::Generated(property) => property.read(&property.plainest(judge.mode()), judge),
            Form::Sequences => {}
            Form::Stored(Stored { case: Some(case), .. }) => case.read(judge),
            Form::Stored(stored) => judge.all(&stored.checks),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({})", self.id)
    }
}
