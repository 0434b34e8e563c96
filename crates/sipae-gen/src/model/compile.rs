//! From actions to the steps of a script, and from what was seen to what was wrong.

use std::collections::BTreeSet;

use sipae::auth::{AuthParam, Scheme};
use sipae::message::HeaderName;

use super::action::{Action, Borrowed, Carrier, Forgery, Number, Passing, Request, other};
use super::prediction::{Broken, Expected, Outcome, Prediction};
use super::resolve::{Fence, Move};
use super::state::{Association, State};
use super::{Model, PARTIES};
use crate::{
    Connection, Edit, Handshake, Label, Mode, ParamEdit, Party, Recipient, Script, Template, Text, Timer,
};

/// What must become of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The message.
    pub message: Label,
    /// What is legal, as far as it is certain without having seen what was open before.
    pub prediction: Prediction,
    /// The place of its action.
    pub action: usize,
    /// Over which connection it goes.
    pub connection: Connection,
    /// The message that it repeats.
    pub original: Option<Label>,
}

/// A sequence of actions as a script.
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    /// What is sent.
    pub script: Script,
    /// What must become of it, in the order in which it is sent.
    pub expectations: Vec<Expectation>,
    pub(super) moves: Vec<Move>,
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// The place of its action.
    pub action: usize,
    /// The message.
    pub message: Label,
    /// What was legal, by what was seen before.
    pub prediction: Prediction,
    /// What was wrong.
    pub broken: Broken,
}

/// Compiles actions; those that have no meaning when their turn comes are left out. Associations of Digest are not those
/// that are modelled: its script is empty.
#[must_use]
pub fn script(actions: &[Action], mode: Mode) -> Scripted {
    let mut scripted = Scripted::default();
    if mode.scheme == Scheme::Digest {
        return scripted;
    }
    let mut model = Model::new();
    for action in actions {
        let before = model.state.clone();
        if let Some((planned, prediction)) = model.advance(action) {
            scripted.add(&before, planned, prediction, mode);
        }
    }
    scripted.script = with_end(scripted.script, &model.state);
    scripted
}

impl Scripted {
    fn add(&mut self, before: &State, planned: Move, prediction: Prediction, mode: Mode) {
        let part = Part { before, planned: &planned, mode };
        self.script = part.write(std::mem::take(&mut self.script));
        if let Some(message) = part.message() {
            let original = part.original();
            let (action, connection) = (planned.place, part.connection());
            self.expectations.push(Expectation { message, prediction, action, connection, original });
        }
        self.moves.push(planned);
    }

    /// Compares what was seen, step by step: what was open is known then, and what follows is judged by that. `outcome`
    /// tells what became of a message, `closed` are the connections that the target has ended. Where the script ended
    /// early, judging does.
    pub fn judge(
        &self,
        outcome: &dyn Fn(&Label) -> Option<Outcome>,
        closed: &BTreeSet<Connection>,
    ) -> Vec<Surprise> {
        let (mut model, mut surprises) = (Model::new(), Vec::new());
        let mut expectations = self.expectations.iter();
        for planned in &self.moves {
            let prediction = model.follow(planned);
            if !planned.sends() {
                continue;
            }
            let Some(expectation) = expectations.next() else { break };
            let Some(seen) = outcome(&expectation.message) else { break };
            let checked = prediction.check(&seen, expectation.connection, closed);
            let once = expectation.delivered_once(outcome, &prediction, closed);
            surprises.extend(checked.and(once).err().map(|broken| expectation.surprise(prediction, broken)));
            model.saw(planned.is_accepted(&model.state, &seen));
        }
        surprises
    }
}

impl Expectation {
    fn surprise(&self, prediction: Prediction, broken: Broken) -> Surprise {
        Surprise { action: self.action, message: self.message.clone(), prediction, broken }
    }

    /// A target that hides the Via lines of clients makes a message and its copy look the same where they arrive.
    fn delivered_once(
        &self,
        outcome: &dyn Fn(&Label) -> Option<Outcome>,
        prediction: &Prediction,
        closed: &BTreeSet<Connection>,
    ) -> Result<(), Broken> {
        let original = self.original.as_ref().filter(|_| closed.is_empty()).and_then(outcome);
        let deliveries = original.map(|original| original.deliveries).unwrap_or_default();
        let parties: BTreeSet<Party> = deliveries.iter().copied().collect();
        if parties.len() == deliveries.len() || prediction.expected == Expected::Open {
            return Ok(());
        }
        Err(Broken {
            rows: prediction.rows,
            expected: "delivered once".to_owned(),
            seen: format!("delivered {} times", deliveries.len()),
        })
    }
}

impl Move {
    pub(super) const fn sends(&self) -> bool {
        !matches!(self.action, Action::Reconnect { .. } | Action::Elapse(_))
    }

    /// A REGISTER that is answered with a failure has changed nothing.
    pub(super) fn is_accepted(&self, state: &State, outcome: &Outcome) -> bool {
        let request = match self.action {
            Action::Login { .. } | Action::SignOld { .. } => Request::Refresh,
            Action::Sign { request, .. } => request,
            Action::Replay { .. } => {
                let sent = self.original.and_then(|original| state.sent.get(original));
                sent.map_or(Request::Refresh, |sent| sent.request)
            }
            _ => return false,
        };
        match request {
            Request::Refresh | Request::Unregister => outcome.is_granted(),
            Request::Message | Request::Options => outcome.is_processed(),
        }
    }
}

fn association(made_by: usize) -> String {
    format!("sa{made_by:03}")
}

fn message(place: usize) -> String {
    format!("message {place:03}")
}

fn template(party: Party, request: Request) -> Template {
    let template = Template::new(request.method()).of(party);
    match request {
        Request::Refresh | Request::Options => template,
        Request::Message => template.to(Recipient::Account(other(party))),
        Request::Unregister => template.header("Expires", "0"),
    }
}

/// The steps of one action.
struct Part<'p> {
    before: &'p State,
    planned: &'p Move,
    mode: Mode,
}

impl Part<'_> {
    fn name(&self) -> String {
        message(self.planned.place)
    }

    fn message(&self) -> Option<Label> {
        let handshake = |party| Handshake::of(party, &association(self.planned.place));
        match self.planned.action {
            Action::Login { party, .. } => Some(handshake(party).last().into()),
            Action::Begin { party } => Some(handshake(party).requests()[0].into()),
            _ => self.planned.sends().then(|| Label::new(self.name())),
        }
    }

    fn original(&self) -> Option<Label> {
        let sent = self.before.sent.get(self.planned.original?)?;
        Some(Label::new(message(sent.by)))
    }

    fn connection(&self) -> Connection {
        match self.planned.action {
            Action::Replay { over, .. } => over.connection(),
            action => action.party().map_or(Connection::FIRST, Party::connection),
        }
    }

    fn write(&self, script: Script) -> Script {
        let script = if self.planned.connects { script.connect(self.connection()) } else { script };
        match self.planned.action {
            Action::Login { party, over } => self.login(script, party, over),
            Action::Begin { party } => self.begin(script, party),
            Action::Bare { party, request } => {
                self.send(script.compose(&self.name(), template(party, request)))
            }
            Action::Sign { party, request, number } => {
                let signed =
                    self.sign(script, party, request, self.before.newest(party), self.planned.number);
                if matches!(number, Number::Beyond(_)) { self.settle(signed) } else { self.send(signed) }
            }
            Action::SignOld { party } => {
                self.send(self.sign(script, party, Request::Refresh, self.before.before(party), None))
            }
            Action::Replay { .. } => {
                let original = self.original().map_or_else(String::new, |label| label.to_string());
                self.send(script.replay(&self.name(), &original))
            }
            Action::Forge { party, request, forgery } => {
                let signed = self.sign(script, party, request, self.before.newest(party), None);
                self.send(signed.edit(&self.name(), self.change(party, request, forgery)))
            }
            Action::Borrow { party, of, what, request } => self.borrow(script, party, of, what, request),
            Action::Reconnect { .. } => script.disconnect(self.connection()).connect(self.connection()),
            Action::Elapse(passing) => elapse(script, passing),
        }
    }

    fn login(&self, script: Script, party: Party, over: Carrier) -> Script {
        let handshake = Handshake::of(party, &association(self.planned.place));
        match over {
            Carrier::Register => handshake.play(script, self.mode),
            Carrier::Options => handshake.over("OPTIONS", Recipient::Own).play(script, self.mode),
        }
    }

    /// The client's second flight of TLS-DSK may already establish something: no handshake is begun further than needed.
    fn begin(&self, script: Script, party: Party) -> Script {
        let name = association(self.planned.place);
        let handshake = Handshake::of(party, &name);
        let [bare, first, ..] = handshake.requests();
        let has_continuation = self.mode.scheme != Scheme::Kerberos;
        script.attempt(|script| {
            let script = handshake.only_bare(script).adopt(&name, bare);
            let opened = |script| handshake.ask(handshake.opening(script, first, self.mode), first);
            if has_continuation { opened(script) } else { script }
        })
    }

    fn sign(
        &self,
        script: Script,
        party: Party,
        request: Request,
        by: Option<&Association>,
        number: Option<u32>,
    ) -> Script {
        let by = by.map(|by| association(by.made_by)).unwrap_or_default();
        let script = script.compose(&self.name(), template(party, request));
        match number {
            Some(number) => script.sign_number(&self.name(), &by, number),
            None => script.sign(&self.name(), &by),
        }
    }

    fn change(&self, party: Party, request: Request, forgery: Forgery) -> Edit {
        let number = || ParamEdit::Set(Text::from(self.planned.number.unwrap_or_default().to_string()));
        match forgery {
            Forgery::Signature => Edit::Param(AuthParam::Response, ParamEdit::FlipBit),
            Forgery::Opaque => Edit::Param(AuthParam::Opaque, ParamEdit::ChangeLastDigit),
            Forgery::CallId => {
                let altered = format!("{{{party}.epid}}-altered");
                Edit::SetHeader(HeaderName::CallId, Text::of(&altered))
            }
            Forgery::CSeq => {
                let altered = format!("4242424 {}", request.method());
                Edit::SetHeader(HeaderName::CSeq, Text::from(altered))
            }
            Forgery::FromTag => Edit::FromTag("altered1".to_owned()),
            Forgery::Expires => Edit::SetHeader(HeaderName::Expires, "61".into()),
            Forgery::Number(_) | Forgery::FarNumber => Edit::Param(AuthParam::Cnum, number()),
        }
    }

    fn borrow(&self, script: Script, party: Party, of: Party, what: Borrowed, request: Request) -> Script {
        let (own, others) = (self.before.newest(party), self.before.newest(of));
        let signed = match what {
            Borrowed::Key => self.sign(script, party, request, others, None),
            Borrowed::Opaque => {
                let opaque = others.map(|others| format!("{{{}.opaque}}", association(others.made_by)));
                let opaque = ParamEdit::Set(Text::of(&opaque.unwrap_or_default()));
                self.sign(script, party, request, own, None)
                    .edit(&self.name(), Edit::Param(AuthParam::Opaque, opaque))
            }
        };
        self.send(signed)
    }

    fn send(&self, script: Script) -> Script {
        let (name, connection) = (self.name(), self.connection());
        let script = script.send_on(&name, connection);
        match self.planned.fence {
            // A target may have closed the connection after something that it refused.
            Fence::None => script.wait(&name).retry(&name),
            Fence::Bare(_) => script.fence_on(connection),
            Fence::Signed(party) => {
                let by = self.before.newest(party).map(|by| association(by.made_by)).unwrap_or_default();
                script.signed_fence_on(&by, connection)
            }
        }
    }

    /// The next number depends on the answer.
    fn settle(&self, script: Script) -> Script {
        let (name, connection) = (self.name(), self.connection());
        script.send_on(&name, connection).wait(&name).fence_on(connection)
    }
}

fn elapse(script: Script, passing: Passing) -> Script {
    match passing {
        Passing::Idle(percent) => script.elapse(Timer::Idle, percent),
        Passing::BeyondIdle => script.elapse(Timer::Idle, 115),
        Passing::BeyondExpiry => script.elapse(Timer::Expiry, 110),
    }
}

/// A good MESSAGE to each user who is there for certain: what was sent to them before has been delivered, or never will.
fn with_end(script: Script, state: &State) -> Script {
    let receivers = [Party::USER, Party::PEER];
    let ends = receivers.into_iter().filter_map(|to| {
        let audience = state.audience_of(other(to).account);
        let mut senders = PARTIES.into_iter().filter(|from| from.account != to.account);
        let sender = senders.find(|from| state.is_alive(*from) && state.is_connected(*from))?;
        (audience.is_certain && !audience.only.is_empty()).then_some((sender, to))
    });
    script.each(ends, |script, (sender, to)| {
        let name = format!("end at {to}");
        let by = state.newest(sender).map(|by| association(by.made_by)).unwrap_or_default();
        script.compose(&name, template(sender, Request::Message)).sign(&name, &by).ask(&name)
    })
}
