//! What a run of one target came to, read from libFuzzer's output.

use std::fmt;
use std::time::Duration;

/// The figures that libFuzzer tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    /// Inputs tried.
    runs: u64,
    /// Inputs tried in a second, on average.
    per_second: u64,
    /// Edges of the program that some input takes.
    edges: u64,
    /// Inputs that are kept, because each takes an edge of its own.
    corpus: u64,
    /// How much that is, as libFuzzer writes it: `697Kb`.
    size: String,
    /// Inputs that this run has added.
    new: u64,
}

impl Stats {
    /// From lines such as `#186937 DONE cov: 1616 ft: 6457 corp: 1586/697Kb exec/s: 20770` and `stat::...: 186937`.
    pub(super) fn read(log: &str) -> Self {
        let progress =
            |key| log.lines().rev().find_map(|line| number(line.strip_prefix('#')?, key)).unwrap_or(0);
        let stat = |key| log.lines().find_map(|line| number(line, key)).unwrap_or(0);
        Self {
            runs: stat("stat::number_of_executed_units:"),
            per_second: stat("stat::average_exec_per_sec:"),
            edges: progress(" cov:"),
            corpus: progress(" corp:"),
            size: size(log).unwrap_or("0b").to_owned(),
            new: stat("stat::new_units_added:"),
        }
    }
}

/// The number behind `key` in a line.
fn number(line: &str, key: &str) -> Option<u64> {
    let (_, rest) = line.split_once(key)?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What stands behind the number of kept inputs in the last line that tells it.
fn size(log: &str) -> Option<&str> {
    let (_, rest) = log.lines().rev().find_map(|line| line.strip_prefix('#')?.split_once(" corp:"))?;
    rest.split_whitespace().next()?.split_once('/').map(|(_, size)| size)
}

/// One line for one target.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) target: String,
    pub(super) time: Duration,
    pub(super) stats: Stats,
    pub(super) findings: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, time, stats, findings } = self;
        let Stats { runs, per_second, edges, corpus, size, new } = stats;
        let seconds = time.as_secs();
        write!(f, "{target}: {seconds} s, {runs} runs, {per_second} execs/s, {edges} edges, ")?;
        write!(f, "corpus {corpus} of {size} ({new} new), findings {findings}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
INFO: Seed: 3817062451
#2\tINITED cov: 300 ft: 301 corp: 1/1b exec/s: 0 rss: 28Mb
#186937\tDONE   cov: 1616 ft: 6457 corp: 1586/697Kb lim: 1139 exec/s: 20770 rss: 31Mb
Done 186937 runs in 9 second(s)
stat::number_of_executed_units: 186937
stat::average_exec_per_sec:     20770
stat::new_units_added:          12
";

    #[test]
    fn the_line_has_the_figures_of_the_end() {
        let (target, time) = ("message".to_owned(), Duration::from_millis(9400));
        let report = Report { target, time, stats: Stats::read(LOG), findings: 0 };
        let line =
            "message: 9 s, 186937 runs, 20770 execs/s, 1616 edges, corpus 1586 of 697Kb (12 new), findings 0";
        assert_eq!(report.to_string(), line);
    }

    #[test]
    fn a_log_without_figures_reads_as_zeros() {
        let nothing = Stats { size: "0b".to_owned(), ..Stats::default() };
        assert_eq!(Stats::read("INFO: nothing\n"), nothing);
    }
}
