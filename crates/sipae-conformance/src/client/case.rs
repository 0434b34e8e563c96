//! What a case of clients is.

use std::fmt;

use sipae::auth::Scheme;
use sipae::client::Stimulus;
use sipae::version::Version;
use sipae_events::CaseId;
use sipae_gen::{Mode, Recorded, Service};
use sipae_spec::Role;

use super::generated::Generator;
use super::judge::ClientJudge;

/// What must be there before a case is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientNeeds {
    /// The schemes with which the case has a meaning.
    pub schemes: Vec<Scheme>,
    /// The versions in which it has one.
    pub versions: Vec<Version>,
    /// Whether the client answers requests, so that what it does not answer is known.
    pub answers: bool,
    /// What the client can be made to do.
    pub stimuli: Vec<Stimulus>,
    /// Whether it can be known what the client would tell its user.
    pub standing: bool,
    /// Whether the clock of the client can be set.
    pub clock: bool,
}

impl ClientNeeds {
    /// Whether the case has a meaning in this mode.
    #[must_use]
    pub fn has_meaning(&self, mode: Mode) -> bool {
        self.schemes.contains(&mode.scheme) && self.versions.contains(&mode.version)
    }
}

/// As a sentence for people.
impl fmt::Display for ClientNeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client that authenticates")?;
        if self.answers {
            f.write_str(", and answers requests")?;
        }
        for stimulus in &self.stimuli {
            write!(f, ", that can be made to {stimulus}")?;
        }
        if self.standing {
            f.write_str(", what it tells its user")?;
        }
        if self.clock {
            f.write_str(", a clock that can be set")?;
        }
        let versions: Vec<String> =
            self.versions.iter().map(|version| version.number().to_string()).collect();
        write!(f, "; versions {}", versions.join(", "))
    }
}

/// How a case is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It looks at the good conversation that every run begins with.
    Good,
    /// It harms nobody: it is played inside a conversation that others share, under an association that is there.
    Shared,
    /// It has a conversation, and a client, of its own.
    Whole,
}

type Plan = dyn Fn(Mode) -> Service + Send + Sync;
type Judgment = dyn Fn(&mut ClientJudge<'_>) + Send + Sync;

/// One check of a client, tied to the requirements that it shows.
pub struct ClientCase {
    id: CaseId,
    title: String,
    requirements: Vec<&'static str>,
    needs: ClientNeeds,
    part: Part,
    plan: Box<Plan>,
    /// A conversation that serves others too, tried first.
    together: Option<Box<Plan>>,
    read: Box<Judgment>,
    generator: Option<Generator>,
    is_patient: bool,
}

impl ClientCase {
    /// A case with a conversation of its own that decides nothing yet. `id` is a stable name, the section first; `title`
    /// says what a right client does, as a statement; `requirements` are the ids of the rows that it judges.
    ///
    /// # Panics
    /// When `id` is no [`CaseId`]: cases are written in this crate, and a test looks at all of them.
    #[must_use]
    #[expect(clippy::panic, reason = "a fault of this crate that its tests show, not of any input")]
    pub fn new(id: &str, title: &str, requirements: &[&'static str]) -> Self {
        let id = CaseId::new(id).unwrap_or_else(|error| panic!("{error}"));
        let needs = ClientNeeds {
            schemes: Scheme::SIGNING.to_vec(),
            versions: Version::ALL.to_vec(),
            answers: false,
            stimuli: Vec::new(),
            standing: false,
            clock: false,
        };
        Self {
            id,
            title: title.to_owned(),
            requirements: requirements.to_vec(),
            needs,
            part: Part::Whole,
            plan: Box::new(|_| Service::new()),
            together: None,
            generator: None,
            is_patient: false,
            read: Box::new(|_| {}),
        }
    }

    /// It looks at the good conversation.
    #[must_use]
    pub const fn of_the_good(mut self) -> Self {
        self.part = Part::Good;
        self
    }

    /// It is played inside a conversation that others share.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.part = Part::Shared;
        self
    }

    /// It has a meaning with these schemes only.
    #[must_use]
    pub fn with(mut self, schemes: &[Scheme]) -> Self {
        self.needs.schemes = schemes.to_vec();
        self
    }

    /// It has a meaning in these versions only.
    #[must_use]
    pub fn at(mut self, versions: &[Version]) -> Self {
        self.needs.versions = versions.to_vec();
        self
    }

    /// Silence is what it wants to see: it is not believed soon.
    #[must_use]
    pub const fn patient(mut self) -> Self {
        self.is_patient = true;
        self
    }

    /// It needs a client that answers requests.
    #[must_use]
    pub const fn answering(mut self) -> Self {
        self.needs.answers = true;
        self
    }

    /// It needs a client that can be made to do this.
    #[must_use]
    pub fn made_to(mut self, stimuli: &[Stimulus]) -> Self {
        self.needs.stimuli.extend_from_slice(stimuli);
        self
    }

    /// It needs to know what the client would tell its user.
    #[must_use]
    pub const fn telling(mut self) -> Self {
        self.needs.standing = true;
        self
    }

    /// Time has to pass by a clock that is set.
    #[must_use]
    pub const fn by_a_set_clock(mut self) -> Self {
        self.needs.clock = true;
        self
    }

    /// The conversation in a mode.
    #[must_use]
    pub fn plan(mut self, plan: impl Fn(Mode) -> Service + Send + Sync + 'static) -> Self {
        self.plan = Box::new(plan);
        self
    }

    /// A conversation that several cases have in common. Where one of them does not pass in it, its own is played.
    #[must_use]
    pub fn together(mut self, plan: impl Fn(Mode) -> Service + Send + Sync + 'static) -> Self {
        self.together = Some(Box::new(plan));
        self
    }

    /// Its conversations are generated.
    #[must_use]
    pub(crate) fn generated(mut self, generator: Generator) -> Self {
        self.generator = Some(generator);
        self.plan(move |mode| generator(&mut Recorded::default(), mode).service)
    }

    /// What reads what was seen.
    #[must_use]
    pub fn judge(mut self, read: impl Fn(&mut ClientJudge<'_>) + Send + Sync + 'static) -> Self {
        self.read = Box::new(read);
        self
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

    /// What a right client does, as a statement.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Ids of the rows that it judges.
    #[must_use]
    pub fn requirements(&self) -> &[&'static str] {
        &self.requirements
    }

    /// The role of the target.
    #[must_use]
    pub const fn role(&self) -> Role {
        Role::Client
    }

    /// What must be there.
    #[must_use]
    pub const fn needs(&self) -> &ClientNeeds {
        &self.needs
    }

    /// How it is played.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// What the suite does in a mode.
    #[must_use]
    pub fn service(&self, mode: Mode) -> Service {
        (self.plan)(mode)
    }

    /// The conversation that it has in common with others.
    #[must_use]
    pub fn service_together(&self, mode: Mode) -> Option<Service> {
        self.together.as_ref().map(|plan| plan(mode))
    }

    /// Whether silence is not believed soon.
    pub(crate) const fn is_patient(&self) -> bool {
        self.is_patient
    }

    /// What generates its conversations, if they are.
    pub(crate) const fn generator(&self) -> Option<Generator> {
        self.generator
    }

    /// Whether its conversations are generated.
    #[must_use]
    pub const fn is_generated(&self) -> bool {
        self.generator.is_some()
    }

    /// What the suite does when the case is played alone: the association that a shared one needs is made first.
    #[must_use]
    pub fn alone(&self, mode: Mode) -> Service {
        match self.part {
            Part::Shared => Service::new().establish().settle().then(self.service(mode)),
            Part::Good => Service::good(),
            Part::Whole => self.service(mode),
        }
    }

    /// The turns in words, with the first scheme and at the newest version that the case has a meaning for.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let newest = self.needs.versions.iter().max().copied().unwrap_or(Version::V4);
        let scheme = self.needs.schemes.first().copied().unwrap_or(Scheme::Ntlm);
        self.alone(Mode { scheme, version: newest }).turns.iter().map(ToString::to_string).collect()
    }

    /// Reads what was seen.
    pub fn read(&self, judge: &mut ClientJudge<'_>) {
        (self.read)(judge);
    }
}

impl fmt::Debug for ClientCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCase({})", self.id)
    }
}
