//! Smaller sequences that fail by the same row, on the live target.

use std::collections::BTreeSet;
use std::time::Instant;

use sipae_events::Verdict;
use sipae_gen::model::{Action, Surprise, shrink_candidates};

use super::{Late, Look, Search};
use crate::generated::search::{Budget, Kind, Shown};

/// A sequence that fails, and what it has shown.
#[derive(Clone, Debug)]
pub(super) struct Failing {
    pub(super) sequence: Vec<Action>,
    pub(super) shown: Shown,
    /// What was otherwise than foreseen, up to what it fails by.
    pub(super) surprises: Vec<Surprise>,
}

impl Failing {
    pub(super) fn new(sequence: Vec<Action>, look: Look, kind: &Kind) -> Self {
        let Look { judgement, mut surprises } = look;
        let decisive = surprises.iter().position(|surprise| kind.is_by(surprise.broken.rows));
        surprises.truncate(decisive.map_or(usize::MAX, |place| place + 1));
        Self { sequence, shown: Shown::of(&judgement), surprises }
    }

    /// Without what comes behind that by which it fails, if anything does.
    fn cut(&self) -> Option<Vec<Action>> {
        let end = self.surprises.last()?.action + 1;
        self.sequence.get(..end).filter(|cut| cut.len() < self.sequence.len()).map(<[Action]>::to_vec)
    }

    /// Smaller ones. The cut goes first: each answer that is missing behind it costs time over a network.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Vec<Action>> {
        self.cut().into_iter().chain(shrink_candidates(&self.sequence))
    }
}

impl Search<'_, '_> {
    /// The smallest that fails by the same row. Where that shows at once, what comes late is waited for only behind the
    /// result; a target that crashes may need a moment for it.
    pub(super) fn smallest(&mut self, failing: Failing) -> Failing {
        let budget = Budget { begun: Instant::now(), plays: self.plays + self.effort.shrink_plays };
        let kind = failing.shown.kind();
        if !kind.is_crash()
            && let Some(shown) = self.shown_at_once(&failing, &kind, &budget)
        {
            let smallest = self.shrunk(shown, &kind, Late::Doubts, &budget);
            if self.is_exact || self.is_like(&smallest.sequence, Late::Awaited, &kind) {
                return smallest;
            }
        }
        self.shrunk(failing, &kind, Late::Awaited, &budget)
    }

    /// What fails like it without waiting for what comes late: cut, or as it is.
    fn shown_at_once(&mut self, failing: &Failing, kind: &Kind, budget: &Budget) -> Option<Failing> {
        failing.cut().into_iter().chain([failing.sequence.clone()]).find_map(|sequence| {
            let may_go_on = budget.allows(self.plays, self.effort);
            let look = may_go_on.then(|| self.played(&sequence, Late::Doubts))?;
            Kind::of(&look.judgement).is_like(kind).then(|| Failing::new(sequence, look, kind))
        })
    }

    fn is_like(&mut self, sequence: &[Action], late: Late, kind: &Kind) -> bool {
        Kind::of(&self.played(sequence, late).judgement).is_like(kind)
    }

    fn shrunk(&mut self, failing: Failing, kind: &Kind, late: Late, budget: &Budget) -> Failing {
        let mut shrinking = Shrinking { search: self, kind, late, budget, passing: BTreeSet::new() };
        descend(failing, |failing| failing.sequence.len(), |failing, tried| shrinking.smaller(failing, tried))
    }
}

/// One way from a sequence to a smaller one that fails by the same row.
struct Shrinking<'r, 's, 'c> {
    search: &'r mut Search<'s, 'c>,
    kind: &'r Kind,
    late: Late,
    budget: &'r Budget,
    /// What passed is not played twice: without one action, others have no meaning any more, so that many ways lead to the
    /// same sequence. What decided nothing may be.
    passing: BTreeSet<Vec<Action>>,
}

impl Shrinking<'_, '_, '_> {
    /// The first smaller one behind those that have been tried, and its place among all.
    fn smaller(&mut self, failing: &Failing, tried: usize) -> Option<(usize, Failing)> {
        for (place, sequence) in failing.candidates().enumerate().skip(tried) {
            if sequence.is_empty() || self.passing.contains(&sequence) {
                continue;
            }
            let Search { plays, effort, .. } = &*self.search;
            let look =
                self.budget.allows(*plays, effort).then(|| self.search.played(&sequence, self.late))?;
            if Kind::of(&look.judgement).is_like(self.kind) {
                return Some((place, Failing::new(sequence, look, self.kind)));
            }
            if look.judgement.verdict != Verdict::Inconclusive {
                self.passing.insert(sequence);
            }
        }
        None
    }
}

/// Down to what has nothing smaller. After a shorter one the boldest changes have their turn again. After a plainer one of the
/// same length they will hardly help where they did not before: what is left of the changes goes first.
fn descend<T>(
    mut current: T,
    length: impl Fn(&T) -> usize,
    mut smaller: impl FnMut(&T, usize) -> Option<(usize, T)>,
) -> T {
    let mut tried = 0;
    loop {
        match smaller(&current, tried) {
            Some((place, next)) => {
                tried = if length(&next) < length(&current) { 0 } else { place + 1 };
                current = next;
            }
            None if tried == 0 => return current,
            None => tried = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Without one number, or with one that is less.
    fn candidates(numbers: &[u32]) -> Vec<Vec<u32>> {
        let without = |place: usize| [&numbers[..place], &numbers[place + 1..]].concat();
        let less = |place: usize| {
            let mut less = numbers.to_vec();
            less[place] = less[place].checked_sub(1)?;
            Some(less)
        };
        (0..numbers.len()).map(without).chain((0..numbers.len()).filter_map(less)).collect()
    }

    fn fails(numbers: &[u32], odd: usize, sum: u32) -> bool {
        odd <= numbers.iter().filter(|number| *number % 2 == 1).count() && sum <= numbers.iter().sum()
    }

    proptest! {
        #[test]
        fn what_is_left_fails_and_nothing_smaller_does(
            numbers in vec(0..20_u32, 1..8),
            (odd, sum) in (0..4_usize, 0..40_u32),
        ) {
            prop_assume!(fails(&numbers, odd, sum));
            let left = descend(numbers, Vec::len, |current, tried| {
                let smaller = candidates(current).into_iter().enumerate().skip(tried);
                smaller.into_iter().find(|(_, numbers)| fails(numbers, odd, sum))
            });
            prop_assert!(fails(&left, odd, sum));
            prop_assert!(!candidates(&left).iter().any(|smaller| fails(smaller, odd, sum)), "{left:?}");
        }
    }
}
