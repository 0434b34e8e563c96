//! Making a record of choices smaller while what it makes still fails.

/// The smallest record that was found, beginning with one that fails. `still_fails` looks at candidates, in order, and
/// names the first that fails too; at most `budget` candidates are looked at, so that a slow target costs a bounded time.
pub fn shrink(
    mut choices: Vec<u32>,
    budget: usize,
    still_fails: &mut dyn FnMut(&[Vec<u32>]) -> Option<usize>,
) -> Vec<u32> {
    let mut trial = Trial { budget, still_fails };
    loop {
        let before = choices.clone();
        let mut size = choices.len();
        while 0 < size {
            // What was found at a size is looked at again at this size, and not at all larger ones.
            while let Some(smaller) = trial.first(&blocks(&choices, size)) {
                choices = smaller;
            }
            size = (size / 2).min(choices.len());
        }
        for place in 0..choices.len() {
            while let Some(smaller) = trial.first(&lesser(&choices, place)) {
                choices = smaller;
            }
        }
        if choices == before {
            return choices;
        }
    }
}

/// Candidates are put in batches: a target behind a pipe answers many as fast as one.
const BATCH: usize = 64;

struct Trial<'t> {
    budget: usize,
    still_fails: &'t mut dyn FnMut(&[Vec<u32>]) -> Option<usize>,
}

impl Trial<'_> {
    /// The first candidate that fails.
    fn first(&mut self, candidates: &[Vec<u32>]) -> Option<Vec<u32>> {
        for batch in candidates.chunks(BATCH) {
            let batch = batch.get(..batch.len().min(self.budget)).unwrap_or_default();
            self.budget -= batch.len();
            if batch.is_empty() {
                return None;
            }
            if let Some(smaller) = (self.still_fails)(batch).and_then(|place| batch.get(place)) {
                return Some(smaller.clone());
            }
        }
        None
    }
}

/// Without a block of this size, or with the plainest choices in it.
fn blocks(choices: &[u32], size: usize) -> Vec<Vec<u32>> {
    let starts = (0..choices.len()).step_by(size);
    let blocks = starts.flat_map(|start| {
        let end = choices.len().min(start + size);
        [without(choices, start, end), plain(choices, start, end)]
    });
    blocks.filter(|candidate| candidate.as_slice() != choices).collect()
}

/// With a smaller choice at a place.
fn lesser(choices: &[u32], place: usize) -> Vec<Vec<u32>> {
    let choice = choices.get(place).copied().unwrap_or_default();
    let lesser = [0, choice / 2, choice.saturating_sub(1)].map(|smaller| with(choices, place, smaller));
    lesser.into_iter().filter(|candidate| candidate.as_slice() != choices).collect()
}

fn without(choices: &[u32], start: usize, end: usize) -> Vec<u32> {
    let kept = choices.iter().enumerate().filter(|(place, _)| !(start..end).contains(place));
    kept.map(|(_, choice)| *choice).collect()
}

fn plain(choices: &[u32], start: usize, end: usize) -> Vec<u32> {
    let choice = |(place, choice): (usize, &u32)| if (start..end).contains(&place) { 0 } else { *choice };
    choices.iter().enumerate().map(choice).collect()
}

fn with(choices: &[u32], place: usize, choice: u32) -> Vec<u32> {
    let mut choices = choices.to_vec();
    choices.iter_mut().skip(place).take(1).for_each(|old| *old = choice);
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(choices: &[u32], budget: usize, fails: impl Fn(&[u32]) -> bool) -> (Vec<u32>, usize) {
        let mut looked_at = 0;
        let smallest = shrink(choices.to_vec(), budget, &mut |batch| {
            looked_at += batch.len();
            batch.iter().position(|candidate| fails(candidate))
        });
        (smallest, looked_at)
    }

    #[test]
    fn only_the_choices_that_matter_are_left() {
        let fails = |choices: &[u32]| choices.iter().any(|choice| 5 <= *choice);
        assert_eq!(shrunk(&[0, 3, 9, 1, 7, 2, 2], 10_000, fails).0, [5]);
        let two = |choices: &[u32]| choices.first() == Some(&1) && choices.contains(&4);
        assert_eq!(shrunk(&[1, 8, 8, 8, 4, 3], 10_000, two).0, [1, 4]);
    }

    #[test]
    fn the_budget_bounds_how_many_candidates_are_looked_at() {
        let (smallest, looked_at) = shrunk(&[9; 100], 150, |choices| !choices.is_empty());
        assert!(looked_at <= 150 && !smallest.is_empty());
        assert_eq!(shrunk(&[9; 3], 0, |_| true), (vec![9; 3], 0));
    }

    #[test]
    fn shrinking_ends_where_everything_fails() {
        assert_eq!(shrunk(&[7; 40], usize::MAX, |_| true).0, [0; 0]);
    }
}
