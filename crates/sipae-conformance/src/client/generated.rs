//! Generated requests to a client: sequences of numbers that a model foresees, and odd requests with a fault or without.
//!
//! Each is made from a record of choices, which is shrunk on the live client where something is not as it was foreseen.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sipae_gen::{Drawn, Label, Mode, Recorded, Service, Source, shrink};
use sipae_net::SeededEntropy;

use super::cases::requests;

/// What is foreseen of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Foreseen {
    /// The message.
    pub message: Label,
    /// Whether the client acts upon it.
    pub processed: bool,
    /// The row that says so.
    pub requirement: String,
}

/// A conversation, and what is foreseen of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Play {
    /// What the suite does.
    pub service: Service,
    /// What the client makes of it.
    pub foreseen: Vec<Foreseen>,
}

/// What generates conversations.
pub(crate) type Generator = fn(&mut dyn Source, Mode) -> Play;

/// Candidates that are looked at while a record is made smaller: in memory, and where each is a program that is started.
const BUDGET: usize = 400;
const BUDGET_OF_PROGRAMS: usize = 24;

/// The conversation of a seed, and the record of its choices.
pub(crate) fn drawn(generator: Generator, mode: Mode, seed: u64) -> (Play, Vec<u32>) {
    let mut source = Drawn::new(SeededEntropy::new(seed));
    let play = generator(&mut source, mode);
    (play, source.into_choices())
}

/// The smallest conversation that still fails.
pub(crate) fn smallest(
    generator: Generator,
    mode: Mode,
    choices: Vec<u32>,
    is_exact: bool,
    fails: &mut dyn FnMut(&Play) -> bool,
) -> Play {
    let again = |choices: &[u32]| generator(&mut Recorded::new(choices.to_vec()), mode);
    let budget = if is_exact { BUDGET } else { BUDGET_OF_PROGRAMS };
    let choices = shrink(choices, budget, &mut |candidates| {
        candidates.iter().position(|candidate| fails(&again(candidate)))
    });
    again(&choices)
}

/// The window of the client as a model has it: numbers relative to the next one of the suite.
struct Window {
    last: i64,
    used: BTreeSet<i64>,
}

/// What is done in one step of a sequence.
enum Step {
    /// A number that is new, and the row that says that it is accepted.
    New(i64, &'static str),
    /// A number that must not be accepted, and the row.
    Old(i64, &'static str),
    /// A forgery with this number.
    Forged(i64),
    /// No signature.
    Unsigned,
}

const WIDTH: i64 = 256;

impl Window {
    fn step(&self, source: &mut dyn Source) -> Step {
        let ahead = |distance: u32| self.last + 1 + i64::from(distance);
        match source.below(8) {
            1 => Step::New(ahead(source.between(1, 40)), "SIPAE-3.1.1-08"),
            2 => Step::New(ahead(source.between(250, 700)), "SIPAE-3.1.1-03"),
            3 => self.lower(source).map_or(Step::New(ahead(0), "SIPAE-3.2.5.2-10"), |number| {
                Step::New(number, "SIPAE-3.1.1-04")
            }),
            4 => self.again(source).map_or(Step::Unsigned, |number| Step::Old(number, "SIPAE-3.1.1-05")),
            5 => self.below(source).map_or(Step::Unsigned, |number| Step::Old(number, "SIPAE-3.1.1-07")),
            6 => Step::Forged(ahead(source.between(0, 1000))),
            7 => Step::Unsigned,
            _ => Step::New(ahead(0), "SIPAE-3.2.5.2-10"),
        }
    }

    /// A number inside the window that was left out.
    fn lower(&self, source: &mut dyn Source) -> Option<i64> {
        let bottom = (self.last - WIDTH + 1).max(0);
        let open: Vec<i64> = (bottom..self.last).filter(|number| !self.used.contains(number)).collect();
        source.pick(&open).copied()
    }

    fn again(&self, source: &mut dyn Source) -> Option<i64> {
        let used: Vec<i64> = self.used.iter().copied().filter(|number| self.last - WIDTH < *number).collect();
        source.pick(&used).copied()
    }

    /// A number below the window that was left out. Its very bottom is not judged.
    fn below(&self, source: &mut dyn Source) -> Option<i64> {
        let top = self.last - WIDTH - 1;
        let open: Vec<i64> = (0..top).filter(|number| !self.used.contains(number)).collect();
        source.pick(&open).copied()
    }
}

/// Sequences of numbers, replays and forgeries.
pub(crate) fn sequence(source: &mut dyn Source, _: Mode) -> Play {
    const LONGEST: u32 = 12;
    let mut window = Window { last: -1, used: BTreeSet::new() };
    let mut play = Play::default();
    let count = source.between(1, LONGEST);
    for place in 1..=count {
        let step = window.step(source);
        let name = format!("message {place}");
        let service = std::mem::take(&mut play.service).answered(&name);
        let (service, processed, requirement) = match step {
            Step::New(number, row) => {
                window.last = window.last.max(number);
                window.used.insert(number);
                (service.sign_at(&name, number).ask(&name), true, row)
            }
            Step::Old(number, row) => (service.sign_at(&name, number).send(&name), false, row),
            Step::Forged(number) => {
                let service = requests::flipped(service.sign_at(&name, number), &name);
                (service.send(&name), false, "SIPAE-3.2.5.2-08")
            }
            Step::Unsigned => (service.send(&name), false, "SIPAE-3.2.5.2-11"),
        };
        play.service = service;
        play.foreseen.push(Foreseen {
            message: name.as_str().into(),
            processed,
            requirement: requirement.to_owned(),
        });
    }
    let used = u32::try_from(window.last + 1).unwrap_or_default();
    play.service = std::mem::take(&mut play.service).skip(used).fence();
    play
}

/// Requests that look odd in several ways at once, of which one may be bad.
pub(crate) fn content(source: &mut dyn Source, _: Mode) -> Play {
    const MOST: u32 = 6;
    let mut play = Play::default();
    for place in 1..=source.between(1, MOST) {
        let name = format!("message {place}");
        let service = std::mem::take(&mut play.service).answered(&name);
        let service = requests::oddly(service, &name, source);
        let fault = if source.one_in(2) { requests::fault(source) } else { None };
        let (service, requirement) = match fault {
            Some((row, spoil)) => (spoil(service.sign(&name), &name).send(&name), row),
            None => (service.sign(&name).ask(&name), "SIPAE-3.2.5.2-10"),
        };
        play.service = service;
        play.foreseen.push(Foreseen {
            message: name.as_str().into(),
            processed: fault.is_none(),
            requirement: requirement.to_owned(),
        });
    }
    play.service = std::mem::take(&mut play.service).fence();
    play
}
