//! Which reactions are legal, and what is so behind them.

use super::action::{Action, Borrowed, Carrier, Forgery, Number, Passing, Request};
use super::prediction::{Delivery, Expected, Prediction, Rows};
use super::resolve::{Fence, Move};
use super::state::{Again, Association, Disturbed, Life, Registration, Sent, State};
use crate::Party;

/// A move, and the state behind it, whichever way it went.
pub(super) struct Foreseen {
    pub(super) prediction: Prediction,
    pub(super) accepted: State,
    pub(super) refused: State,
}

/// A bare request of somebody who has no association.
const CHALLENGE: Rows = &["SIPAE-3.3.5.1-01"];
/// The same of somebody who has one.
const UNSIGNED: Rows = &["SIPAE-3.1-01"];
const LOGIN: Rows = &["SIPAE-3.3.5.2-24"];
const LOGIN_BY_ANY: Rows = &["SIPAE-3.3.5.2-25"];
const SIGNED: Rows = &["SIPAE-3.3.5.3-01"];
const AFTER_FORGERY: Rows = &["SIPAE-3.3.5.3-04", "SIPAE-3.1.1-09"];
const AFTER_BARE: Rows = &["SIPAE-3.3.5.2-28"];
const AFTER_TOKEN: Rows = &["SIPAE-3.3.5.3-17"];
const AFTER_TIME: Rows = &["SIPAE-3.3.5.3-10"];
const AHEAD: Rows = &["SIPAE-3.1.1-03", "SIPAE-3.1.1-08"];
const FREE_NUMBER: Rows = &["SIPAE-3.1.1-09"];
const SKIPPED: Rows = &["SIPAE-3.1.1-04", "SIPAE-3.3.5.3-06"];
const BELOW: Rows = &["SIPAE-3.1.1-07"];
const BEYOND: Rows = &["SIPAE-3.1.1-12"];
const REPLACED: Rows = &["SIPAE-3.3.1-03"];
const REPLAY: Rows = &["SIPAE-3.1.1-05"];
const FORGED: Rows = &["SIPAE-3.3.5.3-04"];
const ALTERED: Rows = &["SIPAE-3.3.5.3-03"];
const NO_ASSOCIATION: Rows = &["SIPAE-3.3.5.3-02"];
const ANOTHERS_OPAQUE: Rows = &["SIPAE-3.3.1-04"];
const OTHER_ENDPOINT: Rows = &["SIPAE-3.3.5.3-07"];
const OTHER_USER: Rows = &["SIPAE-3.3.5.3-08"];
const EXPIRED: Rows = &["SIPAE-3.3.2-01", "SIPAE-3.3.6-01"];
const IDLE: Rows = &["SIPAE-3.3.2-03", "SIPAE-3.3.6-02"];
/// Whoever is there gets what is for them; who is not, does not.
const REACHED: Rows = &["SIPAE-3.3.1-01"];
const GONE: Rows = &["SIPAE-3.3.6-03"];

/// Percents of the idle timer within which an association goes on, beyond which it is over, and up to which it is far from
/// its expiry: that is no shorter than the idle timer.
const WITHIN: u32 = 70;
const BEYOND_IDLE: u32 = 110;
const FAR_FROM_EXPIRY: u32 = 140;

impl State {
    pub(super) fn foresee(&self, planned: &Move) -> Foreseen {
        let mut foreseen = self.foresee_message(planned);
        foreseen.accepted.fenced(planned.fence);
        foreseen.refused.fenced(planned.fence);
        foreseen
    }

    fn foresee_message(&self, planned: &Move) -> Foreseen {
        let mut before = self.clone();
        if let Some(party) = planned.action.party().filter(|_| planned.connects) {
            before.come_anew(party);
        }
        match planned.action {
            Action::Login { party, over } => before.login(party, over, planned.place),
            Action::Begin { party } => before.bare(party, Request::Refresh, Disturbed::Begun),
            Action::Bare { party, request } => before.bare(party, request, Disturbed::Bare),
            Action::Sign { party, request, number } => before.sign(planned, party, request, number),
            Action::SignOld { party } => before.sign_old(planned, party),
            Action::Replay { party, over, .. } => before.replay(planned, party, over),
            Action::Forge { party, request, forgery } => before.forge(planned, party, request, forgery),
            Action::Borrow { party, of, what, request } => before.borrow(planned, party, of, what, request),
            Action::Reconnect { party } => {
                before.come_anew(party);
                before.settled(Prediction::OPEN)
            }
            Action::Elapse(passing) => {
                before.elapse(passing);
                before.settled(Prediction::OPEN)
            }
        }
    }

    /// Nothing depends on what happens.
    fn settled(self, prediction: Prediction) -> Foreseen {
        Foreseen { prediction, accepted: self.clone(), refused: self }
    }

    /// Associations are those of endpoints, and a target may bind them to connections nevertheless (SIPAE-3.3.5.3-16).
    fn come_anew(&mut self, party: Party) {
        let own = self.endpoint_mut(party);
        if own.is_connected {
            own.associations.iter_mut().for_each(|association| association.life.doubted());
        }
        own.connect();
    }

    fn login(self, party: Party, over: Carrier, place: usize) -> Foreseen {
        let registers = over == Carrier::Register;
        let (expected, rows) =
            if registers { (Expected::Accepted, LOGIN) } else { (Expected::Open, LOGIN_BY_ANY) };
        let (mut accepted, mut refused) = (self.clone(), self);
        let own = accepted.endpoint_mut(party);
        own.associations.iter_mut().for_each(|association| association.life.doubted());
        own.associations.push(Association::new(place, Life::Alive, registers));
        own.registration = if registers { Registration::Yes } else { own.registration.doubted() };
        own.is_here = true;
        let own = refused.endpoint_mut(party);
        own.associations.iter_mut().for_each(|association| association.life.doubted());
        own.associations.push(Association::new(place, Life::Doubtful, registers));
        own.registration = if registers { Registration::Possible } else { own.registration.doubted() };
        own.is_clean = false;
        Foreseen { prediction: Prediction::of(expected, rows), accepted, refused }
    }

    /// Whether a fence was answered is not looked at.
    fn fenced(&mut self, fence: Fence) {
        match fence {
            Fence::None => {}
            Fence::Bare(party) => self.endpoint_mut(party).disturb(Disturbed::Bare),
            Fence::Signed(party) => {
                self.give_next(party);
                self.touch(party);
            }
        }
    }

    fn bare(mut self, party: Party, request: Request, disturbed: Disturbed) -> Foreseen {
        self.endpoint_mut(party).disturb(disturbed);
        let is_stranger = self.newest(party).is_none();
        let (expected, rows) =
            if is_stranger { (Expected::Challenged, CHALLENGE) } else { (Expected::Refused, UNSIGNED) };
        let mut prediction = Prediction::of(expected, rows);
        prediction.delivery = nobody(request, rows);
        self.settled(prediction)
    }

    fn sign(self, planned: &Move, party: Party, request: Request, number: Number) -> Foreseen {
        let Some(newest) = self.newest(party) else { return self.settled(Prediction::OPEN) };
        let mut prediction = foreseen_signed(newest, number, planned.number);
        if request == Request::Message {
            self.address(&mut prediction, party);
        }
        let again = match prediction.expected {
            Expected::Refused => Again::Refused(prediction.rows),
            _ => Again::Open,
        };
        let (mut accepted, mut refused) = (self.clone(), self);
        accepted.remember(planned, party, request, Again::Refused(REPLAY));
        refused.remember(planned, party, request, again);
        accepted.processed(party, request, planned.number);
        refused.given(party, planned.number);
        refused.touch(party);
        for state in [&mut accepted, &mut refused] {
            state.deliveries += prediction.delivery.as_ref().map_or(0, |delivery| delivery.only.len());
        }
        Foreseen { prediction, accepted, refused }
    }

    /// To whom a MESSAGE goes. Endpoints that may be there and may not take their time, and so does the answer; where none
    /// of ours is there, a user may have others still, of which nothing is known.
    fn address(&self, prediction: &mut Prediction, party: Party) {
        let audience = self.audience_of(party.account);
        if prediction.expected == Expected::Refused {
            prediction.delivery = Some(Delivery::to_nobody(prediction.rows));
            return;
        }
        if !audience.is_certain || audience.only.is_empty() {
            prediction.expected = Expected::Open;
        }
        let reaches = prediction.expected == Expected::Accepted && !audience.only.is_empty();
        let rows = if reaches { REACHED } else { GONE };
        prediction.delivery = Some(Delivery { only: audience.only, reaches, rows });
    }

    fn remember(&mut self, planned: &Move, party: Party, request: Request, again: Again) {
        self.sent.push(Sent { by: planned.place, party, request, again });
    }

    /// A signed message was accepted under the newest association of its party.
    fn processed(&mut self, party: Party, request: Request, number: Option<u32>) {
        let own = self.endpoint_mut(party);
        let Some(newest) = own.associations.last_mut() else { return };
        newest.used(number);
        newest.life = Life::Alive;
        match request {
            Request::Refresh => {
                newest.may_last = true;
                own.is_here = true;
                own.registration = Registration::Yes;
            }
            Request::Unregister => {
                // It may end with the registration (SIPAE-3.3.5.3-14).
                newest.life = Life::Doubtful;
                own.registration = Registration::No;
            }
            Request::Message | Request::Options => {}
        }
    }

    /// A message has a number of the newest association, and that is all.
    fn given(&mut self, party: Party, number: Option<u32>) {
        let own = self.endpoint_mut(party);
        own.is_clean = false;
        let Some(newest) = own.associations.last_mut() else { return };
        newest.give(number);
    }

    fn give_next(&mut self, party: Party) {
        if let Some(newest) = self.endpoint_mut(party).associations.last_mut() {
            newest.give(None);
        }
    }

    fn sign_old(self, planned: &Move, party: Party) -> Foreseen {
        let life = self.before(party).map_or(Life::Doubtful, |association| association.life);
        let prediction = match life {
            Life::Over(rows) => Prediction::of(Expected::Refused, rows),
            Life::Alive | Life::Doubtful => Prediction::of(Expected::Open, REPLACED),
        };
        let again = match life {
            Life::Over(rows) => Again::Refused(rows),
            Life::Alive | Life::Doubtful => Again::Open,
        };
        let (mut accepted, mut refused) = (self.clone(), self);
        accepted.remember(planned, party, Request::Refresh, Again::Refused(REPLAY));
        refused.remember(planned, party, Request::Refresh, again);
        accepted.processed_before(party);
        if let Some(old) = refused.old(party) {
            old.give(None);
        }
        refused.touch(party);
        refused.endpoint_mut(party).is_clean = false;
        Foreseen { prediction, accepted, refused }
    }

    fn old(&mut self, party: Party) -> Option<&mut Association> {
        self.endpoint_mut(party).associations.iter_mut().rev().nth(1)
    }

    /// A REGISTER was accepted under the association before the newest one.
    fn processed_before(&mut self, party: Party) {
        if let Some(old) = self.old(party) {
            old.used(None);
            old.may_last = true;
        }
        let own = self.endpoint_mut(party);
        if own.registration == Registration::No {
            own.registration = Registration::Possible;
        }
    }

    fn replay(self, planned: &Move, party: Party, over: Party) -> Foreseen {
        let original = planned.original.unwrap_or(usize::MAX);
        let Some(sent) = self.sent.get(original).cloned() else { return self.settled(Prediction::OPEN) };
        let (expected, rows) = match sent.again {
            Again::Refused(rows) => (Expected::Refused, rows),
            Again::Denied(rows) => (Expected::Denied, rows),
            Again::Open => (Expected::Open, REPLAY),
        };
        let mut prediction = Prediction::of(expected, rows);
        if expected == Expected::Open {
            prediction.delivery = (sent.request == Request::Message).then(|| self.maybe(party));
        } else {
            prediction.delivery = nobody(sent.request, rows);
        }
        let mut refused = self;
        refused.endpoint_mut(over).is_clean = false;
        refused.deliveries += prediction.delivery.as_ref().map_or(0, |delivery| delivery.only.len());
        // Its number shows that it may have been used.
        refused.touch(party);
        let mut accepted = refused.clone();
        if let Some(sent) = accepted.sent.get_mut(original) {
            sent.again = Again::Refused(REPLAY);
        }
        if sent.request == Request::Refresh && expected == Expected::Open {
            let own = accepted.endpoint_mut(party);
            own.registration = Registration::Possible;
            own.associations.iter_mut().for_each(|association| association.may_last = true);
        }
        Foreseen { prediction, accepted, refused }
    }

    /// Any of those who may be there.
    fn maybe(&self, party: Party) -> Delivery {
        Delivery { only: self.audience_of(party.account).only, reaches: false, rows: GONE }
    }

    /// Something with a good signature has come: whether that starts the idle timer again is not said.
    fn touch(&mut self, party: Party) {
        let associations = &mut self.endpoint_mut(party).associations;
        associations.iter_mut().for_each(|association| association.idle.least = 0);
    }

    fn forge(self, planned: &Move, party: Party, request: Request, forgery: Forgery) -> Foreseen {
        let rows = match forgery {
            Forgery::Signature => FORGED,
            Forgery::Opaque => NO_ASSOCIATION,
            _ => ALTERED,
        };
        let mut prediction = Prediction::of(Expected::Refused, rows);
        prediction.delivery = nobody(request, rows);
        let mut state = self;
        state.remember(planned, party, request, Again::Refused(rows));
        state.given(party, None);
        state.endpoint_mut(party).disturb(Disturbed::Forged);
        let number = planned.number.filter(|_| matches!(forgery, Forgery::Number(_)));
        if let (Some(number), Some(newest)) = (number, state.endpoint_mut(party).associations.last_mut()) {
            newest.window.forge(number);
        }
        state.settled(prediction)
    }

    fn borrow(self, planned: &Move, party: Party, of: Party, what: Borrowed, request: Request) -> Foreseen {
        let is_same_user = party.account == of.account;
        let (expected, rows) = match what {
            Borrowed::Opaque if is_same_user => (Expected::Refused, FORGED),
            Borrowed::Opaque => (Expected::Refused, ANOTHERS_OPAQUE),
            Borrowed::Key if is_same_user => (Expected::Denied, OTHER_ENDPOINT),
            Borrowed::Key => (Expected::Denied, OTHER_USER),
        };
        let mut prediction = Prediction::of(expected, rows);
        prediction.delivery = nobody(request, rows);
        let mut state = self;
        let again = if expected == Expected::Denied { Again::Denied(rows) } else { Again::Refused(rows) };
        state.remember(planned, party, request, again);
        let signer = if what == Borrowed::Key { of } else { party };
        state.give_next(signer);
        state.endpoint_mut(party).is_clean = false;
        state.endpoint_mut(of).disturb(Disturbed::Forged);
        if what == Borrowed::Key {
            state.touch(of);
        }
        state.settled(prediction)
    }

    fn elapse(&mut self, passing: Passing) {
        for endpoint in self.endpoints_mut() {
            endpoint.is_here = false;
            endpoint.is_clean = false;
            endpoint.registration = match passing {
                Passing::BeyondExpiry => Registration::No,
                Passing::Idle(_) | Passing::BeyondIdle => endpoint.registration.doubted(),
            };
            endpoint.associations.iter_mut().for_each(|association| association.elapse(passing));
        }
    }
}

impl Association {
    fn used(&mut self, number: Option<u32>) {
        match number {
            Some(number) => self.window.accept_number(number),
            None => self.window.accept(),
        }
        self.idle.most = 0;
        self.idle.least = 0;
        self.disturbed = Disturbed::No;
    }

    fn give(&mut self, number: Option<u32>) {
        match number {
            Some(number) => self.window.give_number(number),
            None => self.window.give(),
        }
    }

    fn elapse(&mut self, passing: Passing) {
        let percent = match passing {
            Passing::BeyondExpiry => return self.life = Life::Over(EXPIRED),
            Passing::BeyondIdle => BEYOND_IDLE,
            Passing::Idle(percent) => percent,
        };
        self.disturbed = Disturbed::Waited;
        let idle = &mut self.idle;
        (idle.most, idle.least, idle.all) = (idle.most + percent, idle.least + percent, idle.all + percent);
        if matches!(self.life, Life::Over(_)) {
            return;
        }
        if self.may_last || idle.least < BEYOND_IDLE && (WITHIN < idle.most || FAR_FROM_EXPIRY < idle.all) {
            self.life = Life::Doubtful;
        } else if BEYOND_IDLE <= idle.least {
            self.life = Life::Over(IDLE);
        }
    }
}

/// A signed message under the newest association of an endpoint.
fn foreseen_signed(newest: &Association, number: Number, chosen: Option<u32>) -> Prediction {
    if let Life::Over(rows) = newest.life {
        return Prediction::of(Expected::Refused, rows);
    }
    let is_near = chosen.map_or(newest.window.takes_next(), |number| newest.window.takes(number));
    let is_certain = newest.life == Life::Alive && is_near;
    let rows = match (newest.disturbed, number) {
        (Disturbed::Waited, _) => AFTER_TIME,
        (Disturbed::Begun, _) => AFTER_TOKEN,
        (Disturbed::Bare, _) => AFTER_BARE,
        (_, Number::Ahead(_)) => AHEAD,
        (_, Number::Forged) => FREE_NUMBER,
        (Disturbed::Forged, _) => AFTER_FORGERY,
        (Disturbed::No, _) => SIGNED,
    };
    match number {
        Number::Next | Number::Ahead(_) | Number::Forged => {
            Prediction::of(if is_certain { Expected::Accepted } else { Expected::Open }, rows)
        }
        Number::Skipped => Prediction::of(Expected::Open, SKIPPED),
        Number::Beyond(_) => Prediction::of(Expected::Open, BEYOND),
        Number::Below => Prediction::of(Expected::Refused, BELOW),
    }
}

/// What is refused reaches nobody.
fn nobody(request: Request, rows: Rows) -> Option<Delivery> {
    (request == Request::Message).then(|| Delivery::to_nobody(rows))
}
