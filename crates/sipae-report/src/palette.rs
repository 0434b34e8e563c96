//! Colours of the console, or none of them.

use std::fmt;

use anstyle::{AnsiColor, Style};
use sipae_events::Verdict;

/// The styles of a report. Where there is no colour all of them are plain.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Palette {
    is_coloured: bool,
}

impl Palette {
    pub(crate) const fn new(is_coloured: bool) -> Self {
        Self { is_coloured }
    }

    /// The word of a verdict.
    pub(crate) fn verdict<T: fmt::Display>(self, verdict: Verdict, text: T) -> Painted<T> {
        let colour = match verdict {
            Verdict::Pass => AnsiColor::Green,
            Verdict::Loose | Verdict::Inconclusive => AnsiColor::Yellow,
            Verdict::Fail(_) => AnsiColor::Red,
            Verdict::Blocked | Verdict::Unsupported | Verdict::Cancelled => AnsiColor::Cyan,
        };
        self.painted(colour.on_default().bold(), text)
    }

    /// What a reader looks for: a case, a total.
    pub(crate) fn strong<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.painted(Style::new().bold(), text)
    }

    /// What stands beside: ladders and commands.
    pub(crate) fn faint<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.painted(Style::new().dimmed(), text)
    }

    fn painted<T>(self, style: Style, text: T) -> Painted<T> {
        Painted { style: if self.is_coloured { style } else { Style::new() }, text }
    }
}

/// A text with a style.
#[derive(Debug)]
pub(crate) struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { style, text } = self;
        write!(f, "{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_a_text_is_itself() {
        assert_eq!(Palette::new(false).strong("x").to_string(), "x");
        assert_eq!(Palette::new(true).strong("x").to_string(), "\u{1b}[1mx\u{1b}[0m");
    }
}
