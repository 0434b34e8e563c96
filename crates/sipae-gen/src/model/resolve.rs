//! What an action means now. Whatever a script depends on is decided here, from what is certain without having seen
//! anything.

use super::action::{Action, Forgery, Number, Request};
use super::prediction::Expected;
use super::state::{Again, Association, Endpoint, Life, State};
use super::window::{FAR, Window};
use crate::Party;

/// Deliveries of one script: whoever plays it answers no more than a certain number of requests.
const DELIVERIES: usize = 24;

/// An action and what it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Its place among all actions, which gives names.
    pub(super) place: usize,
    pub(super) action: Action,
    /// Its party has a new connection before.
    pub(super) connects: bool,
    /// The number of its message, where that is not the next one.
    pub(super) number: Option<u32>,
    /// The message that comes again, by its place among those that were sent.
    pub(super) original: Option<usize>,
    pub(super) fence: Fence,
}

/// What proves that a message gets no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fence {
    /// Nothing: it is answered.
    #[default]
    None,
    /// A bare request over the connection of this party.
    Bare(Party),
    /// A signed one.
    Signed(Party),
}

impl State {
    /// `None` where the action has no meaning now.
    pub(super) fn resolve(&self, action: &Action, place: usize) -> Option<Move> {
        let connects = action.party().is_some_and(|party| self.connects(party, action));
        let planned =
            Move { place, action: *action, connects, number: None, original: None, fence: Fence::None };
        match *action {
            Action::Login { .. } | Action::Begin { .. } | Action::Bare { .. } => Some(planned),
            Action::Sign { party, request, number } => self.signed(planned, party, request, number),
            Action::SignOld { party } => self.before(party).map(|_| planned),
            Action::Replay { party, back, over } => self.replayed(planned, party, back, over),
            Action::Forge { party, forgery, .. } => {
                let window = &self.newest(party)?.window;
                Some(Move { number: forged_number(window, forgery), ..planned })
            }
            Action::Borrow { party, of, .. } => {
                let are_there = party != of && self.newest(party).is_some() && self.newest(of).is_some();
                are_there.then_some(planned)
            }
            Action::Reconnect { party } => self.is_connected(party).then_some(planned),
            Action::Elapse(_) => self.has_associations().then_some(planned),
        }
    }

    /// What must be answered is waited for. Where the number behind that of the message is not known nothing is signed.
    pub(super) fn fence(&self, action: &Action, expected: Expected) -> Fence {
        let party = match *action {
            Action::Replay { over, .. } => over,
            Action::Bare { party, .. }
            | Action::Sign { party, .. }
            | Action::SignOld { party }
            | Action::Forge { party, .. }
            | Action::Borrow { party, .. } => party,
            _ => return Fence::None,
        };
        let is_beyond = matches!(action, Action::Sign { number: Number::Beyond(_), .. });
        match expected {
            Expected::Challenged | Expected::Accepted => Fence::None,
            _ if !is_beyond && self.endpoint(party).is_some_and(Endpoint::is_steady) => Fence::Signed(party),
            _ => Fence::Bare(party),
        }
    }

    /// The first time; and where something was refused a target may close, which must not be taken for an answer to a
    /// handshake.
    fn connects(&self, party: Party, action: &Action) -> bool {
        let is_login = matches!(action, Action::Login { .. });
        self.endpoint(party).is_none_or(|own| !own.is_connected || is_login && !own.is_clean)
    }

    pub(super) fn newest(&self, party: Party) -> Option<&Association> {
        self.associations(party).last()
    }

    /// The association before the newest one.
    pub(super) fn before(&self, party: Party) -> Option<&Association> {
        self.associations(party).iter().rev().nth(1)
    }

    fn has_associations(&self) -> bool {
        super::PARTIES.into_iter().any(|party| self.newest(party).is_some())
    }

    /// Only what the server answers itself may have a chosen number: those who play a script go on behind that when it
    /// has been answered.
    fn signed(&self, planned: Move, party: Party, request: Request, number: Number) -> Option<Move> {
        let window = &self.newest(party)?.window;
        let is_long = request == Request::Message && !self.has_room(party);
        if is_long || number != Number::Next && !matches!(request, Request::Refresh | Request::Options) {
            return None;
        }
        let number = match number {
            Number::Next => return Some(planned),
            Number::Ahead(left_out) => Some(window.ahead(left_out)).filter(|number| window.takes(*number)),
            Number::Skipped => window.skipped(),
            Number::Forged => window.forged(),
            Number::Below => window.below(),
            Number::Beyond(by) => Some(window.beyond(by)),
        };
        number.map(|number| Move { number: Some(number), ..planned })
    }

    fn has_room(&self, party: Party) -> bool {
        self.deliveries + self.audience_of(party.account).only.len() <= DELIVERIES
    }

    /// What may be accepted the second time moves no endpoint to another connection, and takes no registration away.
    fn replayed(&self, planned: Move, party: Party, back: u32, over: Party) -> Option<Move> {
        let own = self.sent.iter().enumerate().filter(|(_, sent)| sent.party == party);
        let (original, sent) = own.rev().nth(usize::try_from(back).ok()?)?;
        let is_quiet = sent.again != Again::Open
            || over == party && sent.request != Request::Unregister && self.has_room(party);
        let may_be = is_quiet && self.is_connected(over);
        may_be.then_some(Move { original: Some(original), ..planned })
    }

    /// An association that will do for a last message.
    pub(super) fn is_alive(&self, party: Party) -> bool {
        let is_alive = |newest: &Association| newest.life == Life::Alive && newest.window.takes_next();
        self.newest(party).is_some_and(is_alive)
    }
}

fn forged_number(window: &Window, forgery: Forgery) -> Option<u32> {
    match forgery {
        Forgery::Number(ahead) => Some(window.ahead(ahead)),
        Forgery::FarNumber => Some(FAR),
        _ => None,
    }
}
