//! Sequences of actions from choices.

use super::action::{Action, Borrowed, Carrier, Forgery, Number, PARTIES, Passing, Request};
use crate::{Party, Source};

/// So many actions. Each is made of the same number of choices, so that a record without those of some actions makes the
/// other actions still. Time passes only where `may_elapse`.
pub fn actions(source: &mut dyn Source, length: usize, may_elapse: bool) -> Vec<Action> {
    (0..length).map(|_| Choices::draw(source).action(may_elapse)).collect()
}

/// The choices of one action.
struct Choices {
    kind: u32,
    party: Party,
    other: Party,
    /// For a few among several, by weight.
    detail: u32,
    /// For how much.
    amount: u32,
}

/// Weights of the kinds of actions, in their order.
const KINDS: u32 = 100;

impl Choices {
    fn draw(source: &mut dyn Source) -> Self {
        Self {
            kind: source.below(KINDS),
            party: party(source.below(10)),
            other: party(source.below(10)),
            detail: source.below(24),
            amount: source.below(120),
        }
    }

    fn action(&self, may_elapse: bool) -> Action {
        let Self { party, other, detail, .. } = *self;
        match self.kind {
            0..14 => self.login(),
            14..52 => self.sign(),
            52..66 => Action::Forge { party, request: self.request(), forgery: self.forgery() },
            66..80 => self.replay(),
            80..86 => self.borrow(other),
            86..90 => Action::Bare { party, request: self.request() },
            90..92 => Action::Begin { party },
            92..94 => Action::SignOld { party },
            94..96 => Action::Reconnect { party },
            96..98 if may_elapse => Action::Elapse(passing(detail)),
            _ => Action::Sign { party, request: Request::Message, number: Number::Next },
        }
    }

    const fn login(&self) -> Action {
        let over = if self.detail < 22 { Carrier::Register } else { Carrier::Options };
        Action::Login { party: self.party, over }
    }

    const fn request(&self) -> Request {
        match self.amount % 8 {
            0..3 => Request::Refresh,
            3..6 => Request::Message,
            6 => Request::Options,
            _ => Request::Unregister,
        }
    }

    fn sign(&self) -> Action {
        let (party, number) = (self.party, self.number());
        let is_next = number == Number::Next;
        let request = match self.amount % 24 {
            7..20 if is_next => Request::Message,
            23 if is_next => Request::Unregister,
            20..23 => Request::Options,
            _ => Request::Refresh,
        };
        Action::Sign { party, request, number }
    }

    const fn number(&self) -> Number {
        match self.detail {
            0..11 => Number::Next,
            11..16 => Number::Ahead(self.amount),
            16..18 => Number::Skipped,
            18..20 => Number::Forged,
            20..23 => Number::Below,
            _ => Number::Beyond(self.amount),
        }
    }

    const fn forgery(&self) -> Forgery {
        match self.detail {
            0..6 => Forgery::Signature,
            6..9 => Forgery::Opaque,
            9..11 => Forgery::CallId,
            11..13 => Forgery::CSeq,
            13..15 => Forgery::FromTag,
            15..17 => Forgery::Expires,
            17..22 => Forgery::Number(self.amount),
            _ => Forgery::FarNumber,
        }
    }

    fn replay(&self) -> Action {
        let over = if self.amount < 90 { self.party } else { self.other };
        Action::Replay { party: self.party, back: self.detail / 4, over }
    }

    fn borrow(&self, of: Party) -> Action {
        let what = if self.detail < 12 { Borrowed::Opaque } else { Borrowed::Key };
        Action::Borrow { party: self.party, of, what, request: self.request() }
    }
}

/// The first endpoints of both users more often than the others.
fn party(choice: u32) -> Party {
    let [user, peer, second, peer_second] = PARTIES;
    match choice {
        0..5 => user,
        5..8 => peer,
        8 => second,
        _ => peer_second,
    }
}

const fn passing(detail: u32) -> Passing {
    match detail {
        0..10 => Passing::Idle(30),
        10..17 => Passing::Idle(60),
        17..21 => Passing::BeyondIdle,
        _ => Passing::BeyondExpiry,
    }
}
