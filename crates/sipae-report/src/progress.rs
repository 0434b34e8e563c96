//! How far a run is, on a terminal.

use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sipae_events::{CaseFinished, Event, VerdictCounts};

use crate::Writer;

/// A bar on the standard error around another report, which it gives way to. Where the standard error is no terminal
/// there is no bar.
#[derive(Debug)]
pub struct Progress<R> {
    inner: R,
    bar: ProgressBar,
    counts: VerdictCounts,
}

impl<R> Progress<R> {
    /// A bar for a run in which `cases` cases run with each scheme and version.
    #[must_use]
    pub fn around(inner: R, cases: usize) -> Self {
        Self::to(ProgressDrawTarget::stderr(), inner, cases)
    }

    fn to(target: ProgressDrawTarget, inner: R, cases: usize) -> Self {
        let cases = cases.try_into().unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(cases), target);
        // A template that cannot be read leaves the bar of the library.
        if let Ok(style) = ProgressStyle::with_template("{prefix:12} {bar:24} {pos}/{len}  {wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { inner, bar, counts: VerdictCounts::default() }
    }

    fn finished(&mut self, case: &CaseFinished) {
        self.counts.add(case.verdict);
        self.bar.inc(1);
        self.bar.set_message(format!("{}  {}", told(&self.counts), case.case));
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::GateFinished(gate) => {
                self.bar.set_position(0);
                self.bar.set_prefix(gate.subject.to_string());
            }
            Event::CaseFinished(case) => self.finished(case),
            // The summary is what stays.
            Event::RunFinished(_) => self.bar.finish_and_clear(),
            Event::RunStarted(_) | Event::CaseStarted(_) => {}
        }
    }
}

fn told(counts: &VerdictCounts) -> String {
    let VerdictCounts { pass, loose, fail, .. } = counts;
    format!("{pass} pass, {loose} loose, {fail} fail")
}

impl<R: Writer> Writer for Progress<R> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.show(event);
        let Self { inner, bar, .. } = self;
        // Cases are told at the end only; the bar need not give way to them.
        if matches!(event, Event::CaseStarted(_) | Event::CaseFinished(_)) {
            return inner.event(event);
        }
        bar.suspend(|| inner.event(event))
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, TermLike};
    use sipae_events::Verdict;

    use super::*;
    use crate::sample::{self, FAIL};

    struct Seen(Vec<Event>);

    impl Writer for Seen {
        fn event(&mut self, event: &Event) -> io::Result<()> {
            self.0.push(event.clone());
            Ok(())
        }
    }

    fn middle() -> Vec<Event> {
        let cases = [FAIL, Verdict::Pass].map(|verdict| Event::CaseFinished(sample::case(4, verdict)));
        [Event::GateFinished(sample::gate(4))].into_iter().chain(cases).collect()
    }

    #[test]
    fn the_bar_counts_and_is_gone_in_the_end() {
        let term = InMemoryTerm::new(5, 100);
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()) as Box<dyn TermLike>);
        let mut progress = Progress::to(target, Seen(Vec::new()), 3);
        let events = sample::run(middle());
        let (last, others) = events.split_last().unwrap();
        others.iter().for_each(|event| progress.event(event).unwrap());
        progress.bar.force_draw();
        let shown = term.contents();
        assert!(
            shown.starts_with("NTLM v4") && shown.contains("2/3  1 pass, 0 loose, 1 fail  3.3.5.1/bare-ack"),
            "{shown}"
        );
        progress.event(last).unwrap();
        assert_eq!(term.contents(), "");
        assert_eq!(progress.inner.0, events);
    }
}
