//! How long to wait.

use std::time::Duration;

/// Answer times, smoothed as RFC 6298 2 smooths round trips.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    initial: Duration,
    smoothed: Option<(Duration, Duration)>,
}

impl Pace {
    /// Below this nothing is called overdue: a busy machine delays answers by whole seconds.
    const FLOOR: Duration = Duration::from_secs(2);

    /// Nothing measured yet: an answer may take `initial`.
    #[must_use]
    pub const fn new(initial: Duration) -> Self {
        Self { initial, smoothed: None }
    }

    /// An answer took this long.
    pub fn measured(&mut self, took: Duration) {
        self.smoothed = Some(match self.smoothed {
            None => (took, took / 2),
            Some((mean, deviation)) => ((mean * 7 + took) / 8, (deviation * 3 + mean.abs_diff(took)) / 4),
        });
    }

    /// How long an answer may take: at most the initial patience, and a target that was quick is given
    /// two seconds all the same.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let Some((mean, deviation)) = self.smoothed else { return self.initial };
        (mean + deviation * 4).max(Self::FLOOR).min(self.initial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_the_answers_between_its_bounds() {
        let mut pace = Pace::new(Duration::from_secs(5));
        assert_eq!(pace.patience(), Duration::from_secs(5));
        for _ in 0..20 {
            pace.measured(Duration::from_millis(1));
        }
        assert_eq!(pace.patience(), Duration::from_secs(2));
        for _ in 0..20 {
            pace.measured(Duration::from_secs(4));
        }
        assert_eq!(pace.patience(), Duration::from_secs(5));
    }
}
