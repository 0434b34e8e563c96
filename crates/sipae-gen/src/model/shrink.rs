//! Smaller sequences.

use std::collections::BTreeMap;
use std::ops::Range;

use super::action::{Action, Borrowed, Carrier, Forgery, Number, Passing, Request};
use super::{Model, PARTIES};
use crate::Party;

/// Smaller sequences, the boldest first: without a block, without one action, without a second endpoint, with one action that
/// is plainer. Each of them is a sequence like any other, without what has no meaning in it any more.
pub fn shrink_candidates(actions: &[Action]) -> impl Iterator<Item = Vec<Action>> {
    let mut changes = Vec::new();
    let mut size = actions.len();
    while 0 < size {
        let starts = (0..actions.len()).step_by(size);
        changes.extend(starts.map(|start| Change::Without(start..start + size)));
        size /= 2;
    }
    let moves =
        |party: &Party| actions.iter().any(|action| by_the_first(*action, |one| one == *party) != *action);
    changes.extend(PARTIES.into_iter().filter(moves).map(Change::First));
    for (place, action) in actions.iter().enumerate() {
        changes.extend(plainer(*action).into_iter().map(|plain| Change::Plainer(place, plain)));
    }
    let originals = originals(actions);
    changes.into_iter().map(move |change| after(&change, actions, &originals))
}

enum Change {
    Without(Range<usize>),
    /// What this endpoint does is done by the first one of its user.
    First(Party),
    Plainer(usize, Action),
}

/// Of each action that sends a message again: the place of the action that sent it first.
fn originals(actions: &[Action]) -> Vec<Option<usize>> {
    let mut model = Model::new();
    let mut original = |action| {
        let (planned, _) = model.advance(action)?;
        // Sending it again adds nothing to what was sent, so that its place is the same as before.
        model.state.sent.get(planned.original?).map(|sent| sent.by)
    };
    actions.iter().map(&mut original).collect()
}

/// What is left has its meaning still: what comes again is the same message, whoever sends it now and however many went
/// between.
fn after(change: &Change, actions: &[Action], originals: &[Option<usize>]) -> Vec<Action> {
    let (mut model, mut left, mut places) = (Model::new(), Vec::new(), BTreeMap::new());
    for (place, (action, original)) in actions.iter().zip(originals).enumerate() {
        let same = |action: Action| {
            let original = original.and_then(|original| places.get(&original));
            original.and_then(|original| again(action, &model, *original)).unwrap_or(action)
        };
        let action = match change {
            Change::Without(block) if block.contains(&place) => continue,
            Change::First(party) => same(by_the_first(*action, |one| one == *party)),
            Change::Plainer(changed, plain) if *changed == place => *plain,
            Change::Without(_) | Change::Plainer(..) => same(*action),
        };
        places.insert(place, model.steps);
        left.extend(model.step(&action).map(|_| action));
    }
    left
}

/// The action that sends again what was sent at that place.
fn again(action: Action, model: &Model, place: usize) -> Option<Action> {
    let Action::Replay { over, .. } = action else { return None };
    let sent = model.state.sent.iter().rev();
    let party = sent.clone().find(|sent| sent.by == place)?.party;
    let back = sent.filter(|sent| sent.party == party).position(|sent| sent.by == place)?;
    Some(Action::Replay { party, back: back.try_into().ok()?, over })
}

/// Each of them is less than the action itself, so that nothing is made plainer for ever.
fn plainer(action: Action) -> Vec<Action> {
    let simple = match action {
        Action::Login { party, over: Carrier::Options } => {
            vec![Action::Login { party, over: Carrier::Register }]
        }
        Action::Bare { party, request } => {
            requests(request).map(|request| Action::Bare { party, request }).collect()
        }
        Action::Sign { party, request, number } => plainer_signed(party, request, number),
        Action::Replay { party, back, over } => plainer_replay(party, back, over),
        Action::Forge { party, request, forgery } => plainer_forged(party, request, forgery),
        Action::Borrow { party, of, what, request } => plainer_borrowed(party, of, what, request),
        Action::Elapse(Passing::Idle(30)) => vec![],
        Action::Elapse(_) => vec![Action::Elapse(Passing::Idle(30))],
        _ => vec![],
    };
    let by_the_first = by_the_first(action, |_| true);
    simple.into_iter().chain((by_the_first != action).then_some(by_the_first)).collect()
}

/// REGISTER, unless it is that.
fn requests(request: Request) -> impl Iterator<Item = Request> {
    (request != Request::Refresh).then_some(Request::Refresh).into_iter()
}

fn plainer_signed(party: Party, request: Request, number: Number) -> Vec<Action> {
    let numbers = match number {
        Number::Next => vec![],
        Number::Ahead(0) | Number::Skipped | Number::Forged | Number::Below => vec![Number::Next],
        Number::Ahead(by) => vec![Number::Next, Number::Ahead(by / 2)],
        Number::Beyond(0) => vec![Number::Next],
        Number::Beyond(by) => vec![Number::Next, Number::Beyond(by / 2)],
    };
    let numbers = numbers.into_iter().map(|number| Action::Sign { party, request, number });
    numbers.chain(requests(request).map(|request| Action::Sign { party, request, number })).collect()
}

fn plainer_replay(party: Party, back: u32, over: Party) -> Vec<Action> {
    let backs = (0 < back).then_some(Action::Replay { party, back: back / 2, over });
    let own = (over != party).then_some(Action::Replay { party, back, over: party });
    backs.into_iter().chain(own).collect()
}

fn plainer_forged(party: Party, request: Request, forgery: Forgery) -> Vec<Action> {
    let forgeries = match forgery {
        Forgery::Signature => vec![],
        Forgery::Number(by) if 0 < by => vec![Forgery::Signature, Forgery::Number(by / 2)],
        _ => vec![Forgery::Signature],
    };
    let forgeries = forgeries.into_iter().map(|forgery| Action::Forge { party, request, forgery });
    forgeries.chain(requests(request).map(|request| Action::Forge { party, request, forgery })).collect()
}

fn plainer_borrowed(party: Party, of: Party, what: Borrowed, request: Request) -> Vec<Action> {
    let opaque =
        (what == Borrowed::Key).then_some(Action::Borrow { party, of, what: Borrowed::Opaque, request });
    let requests = requests(request).map(|request| Action::Borrow { party, of, what, request });
    opaque.into_iter().chain(requests).collect()
}

const fn first(party: Party) -> Party {
    Party { endpoint: 1, ..party }
}

/// The same action, with the first endpoint of its user in the place of an endpoint that is meant.
fn by_the_first(mut action: Action, is_meant: impl Fn(Party) -> bool) -> Action {
    let moved = |party: Party| if is_meant(party) { first(party) } else { party };
    match &mut action {
        Action::Login { party, .. }
        | Action::Begin { party }
        | Action::Bare { party, .. }
        | Action::Sign { party, .. }
        | Action::SignOld { party }
        | Action::Forge { party, .. }
        | Action::Reconnect { party } => *party = moved(*party),
        Action::Borrow { party, of, .. } => (*party, *of) = (moved(*party), moved(*of)),
        Action::Replay { party, over, .. } => (*party, *over) = (moved(*party), moved(*over)),
        Action::Elapse(_) => {}
    }
    action
}
