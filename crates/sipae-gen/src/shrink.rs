//! Making a record of choices smaller while what it makes still fails.

/// The smallest record that was found, beginning with one that fails. `still_fails` looks at candidates, in order, and
/// names the first that fails too; at most `budget` candidates are looked at, so that a slow target costs a bounded time.
pub fn shrink(
    mut choices: Vec<u32>,
    mut budget: usize,
    still_fails: &mut dyn FnMut(&[Vec<u32>]) -> Option<usize>,
) -> Vec<u32> {
    while let Some(smaller) = step(&choices, &mut budget, still_fails) {
        choices = smaller;
    }
    choices
}

/// Candidates are put in batches: a target behind a pipe answers many as fast as one.
const BATCH: usize = 64;

fn step(
    choices: &[u32],
    budget: &mut usize,
    still_fails: &mut dyn FnMut(&[Vec<u32>]) -> Option<usize>,
) -> Option<Vec<u32>> {
    for batch in candidates(choices).chunks(BATCH) {
        let batch = batch.get(..batch.len().min(*budget)).unwrap_or_default();
        *budget -= batch.len();
        if batch.is_empty() {
            return None;
        }
        if let Some(smaller) = still_fails(batch).and_then(|place| batch.get(place)) {
            return Some(smaller.clone());
        }
    }
    None
}

/// Simpler records, the boldest first: without a block, with a block of plainest choices, with one smaller choice.
fn candidates(choices: &[u32]) -> Vec<Vec<u32>> {
    let mut candidates = Vec::new();
    let mut size = choices.len();
    while 0 < size {
        let blocks = (0..choices.len()).step_by(size);
        for start in blocks {
            let end = choices.len().min(start + size);
            candidates.push(without(choices, start, end));
            candidates.push(plain(choices, start, end));
        }
        size /= 2;
    }
    for (place, choice) in choices.iter().enumerate() {
        candidates
            .extend([choice / 2, choice.saturating_sub(1)].map(|smaller| with(choices, place, smaller)));
    }
    candidates.retain(|candidate| candidate.as_slice() != choices);
    candidates
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
