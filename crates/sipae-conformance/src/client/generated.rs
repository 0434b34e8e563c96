//! Generated requests to a client: sequences of numbers that a model foresees, and odd requests with a fault or without.
//!
//! Each is made from a record of choices, which is shrunk on the live client where something is not as it was foreseen.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sipae::client::Stimulus;
use sipae_gen::{Awaited, Choices, Drawn, Label, Mode, Recorded, Service, Source, Turn, shrink};
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
    // Blocks are halves of halves: messages of four or eight choices fit into them.
    let mut choices = choices;
    choices.resize(choices.len().next_power_of_two(), 0);
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
#[derive(Clone, Copy)]
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
    const fn new() -> Self {
        Self { last: -1, used: BTreeSet::new() }
    }

    /// Two choices, whatever the step: the records of all steps have the same length, and whole steps go out of one.
    fn step(&self, source: &mut dyn Source) -> Step {
        let (kind, choice) = (source.below(8), source.below(1024));
        let ahead = |distance: u32| self.last + 1 + i64::from(distance);
        let one_of = |numbers: Vec<i64>| {
            let place = usize::try_from(choice).unwrap_or_default() % numbers.len().max(1);
            numbers.get(place).copied()
        };
        let next = Step::New(ahead(0), "SIPAE-3.2.5.2-10");
        match kind {
            1 => Step::New(ahead(1 + choice % 40), "SIPAE-3.1.1-08"),
            2 => Step::New(ahead(250 + choice % 450), "SIPAE-3.1.1-03"),
            3 => one_of(self.left_out()).map_or(next, |number| Step::New(number, "SIPAE-3.1.1-04")),
            4 => one_of(self.again()).map_or(Step::Unsigned, |number| Step::Old(number, "SIPAE-3.1.1-05")),
            5 => one_of(self.below()).map_or(Step::Unsigned, |number| Step::Old(number, "SIPAE-3.1.1-07")),
            6 => Step::Forged(ahead(choice)),
            7 => Step::Unsigned,
            _ => next,
        }
    }

    /// Numbers inside the window that were left out.
    fn left_out(&self) -> Vec<i64> {
        let bottom = (self.last - WIDTH + 1).max(0);
        (bottom..self.last).filter(|number| !self.used.contains(number)).collect()
    }

    /// Numbers inside the window that were used.
    fn again(&self) -> Vec<i64> {
        self.used.iter().copied().filter(|number| self.last - WIDTH < *number).collect()
    }

    /// Numbers below the window that were left out. Its very bottom is not judged.
    fn below(&self) -> Vec<i64> {
        (0..self.last - WIDTH - 1).filter(|number| !self.used.contains(number)).collect()
    }
}

/// Whether another message follows. The choice stands behind each, so that a message goes out of a record with it.
fn goes_on(source: &mut dyn Source) -> bool {
    source.below(6) != 0
}

/// Adds a message of a sequence, and what is foreseen of it.
fn add(play: &mut Play, name: &str, step: Step, window: &mut Window) {
    add_as(play, name, 0, step, window);
}

/// The same of a method that is chosen.
fn add_as(play: &mut Play, name: &str, method: u32, step: Step, window: &mut Window) {
    let service = std::mem::take(&mut play.service).answered_as(name, method);
    let (service, processed, row) = match step {
        Step::New(number, row) => {
            window.last = window.last.max(number);
            window.used.insert(number);
            (service.sign_at(name, number).ask(name), true, row)
        }
        Step::Old(number, row) => (service.sign_at(name, number).send(name), false, row),
        Step::Forged(number) => {
            let service = requests::flipped(service.sign_at(name, number), name);
            (service.send(name), false, "SIPAE-3.2.5.2-08")
        }
        Step::Unsigned => (service.send(name), false, "SIPAE-3.2.5.2-11"),
    };
    play.service = service;
    play.foresee(name, processed, row);
}

impl Play {
    fn foresee(&mut self, name: &str, processed: bool, row: &str) {
        self.foreseen.push(Foreseen { message: name.into(), processed, requirement: row.to_owned() });
    }

    /// Numbers that were used do not come again, and what was not answered is not going to be.
    fn close(mut self, window: &Window) -> Self {
        let used = u32::try_from(window.last + 1).unwrap_or_default();
        self.service = self.service.skip(used).fence();
        self
    }
}

/// Sequences of numbers, replays and forgeries.
pub(crate) fn sequence(source: &mut dyn Source, _: Mode) -> Play {
    const LONGEST: u32 = 16;
    let mut window = Window::new();
    let mut play = Play::default();
    for place in 1..=LONGEST {
        let step = window.step(source);
        // Four choices for each.
        let method = source.below(4);
        add_as(&mut play, &format!("message {place}"), method, step, &mut window);
        if !goes_on(source) {
            break;
        }
    }
    play.close(&window)
}

/// The same with time that passes in between: it changes nothing of what was used.
pub(crate) fn times(source: &mut dyn Source, _: Mode) -> Play {
    const LONGEST: u32 = 12;
    const PAUSES: [u64; 4] = [0, 1000, 10_000, 60_000];
    let mut window = Window::new();
    let mut play = Play::default();
    for place in 1..=LONGEST {
        let step = window.step(source);
        let pause = source.pick(&PAUSES).copied().unwrap_or_default();
        if pause != 0 {
            play.service = std::mem::take(&mut play.service).elapse(pause);
        }
        add(&mut play, &format!("message {place}"), step, &mut window);
        if !goes_on(source) {
            break;
        }
    }
    play.close(&window)
}

/// The same over several associations, each of which the client makes when its request is challenged: what was signed under
/// the one before proves nothing any more, and numbers begin anew.
pub(crate) fn history(source: &mut dyn Source, _: Mode) -> Play {
    associations(source, false)
}

/// The same with a client that comes back: its connection has gone down with the server, or it has left.
pub(crate) fn returns(source: &mut dyn Source, _: Mode) -> Play {
    associations(source, true)
}

fn associations(source: &mut dyn Source, has_returns: bool) -> Play {
    const LONGEST: u32 = 12;
    let (mut window, mut former, mut is_new) = (Window::new(), None::<Window>, false);
    let mut play = Play::default();
    for place in 1..=LONGEST {
        let name = format!("message {place}");
        let step = window.step(source);
        match (source.below(8), &former) {
            (1, _) => {
                play.service = renewed(std::mem::take(&mut play.service), place);
                former = Some(std::mem::replace(&mut window, Window::new()));
                is_new = true;
            }
            // The server is started anew: nothing can be signed under what it had.
            (4, _) if has_returns => {
                // What was not answered by then is not answered.
                play = play.close(&window);
                // Rarely: the client has to have a moment for it.
                let drops = source.below(16) == 15;
                play.service = returned(std::mem::take(&mut play.service), place, drops);
                (former, window, is_new) = (None, Window::new(), false);
                add(&mut play, &name, Step::New(window.last + 1, "SIPAE-3.1.1-10"), &mut window);
                // It has read what has completed the handshake when it answers that.
                play.service = std::mem::take(&mut play.service).answer(&name);
            }
            (2 | 3, Some(former)) => {
                let service = std::mem::take(&mut play.service).answered(&name);
                let service = service.sign_under_former(&name, former.last + 1 + i64::from(place));
                play.service = service.send(&name);
                play.foresee(&name, false, "SIPAE-3.2.5.2-08");
            }
            // The first number of an association was used under the one before, too.
            _ if std::mem::take(&mut is_new) => {
                add(&mut play, &name, Step::New(window.last + 1, "SIPAE-3.1.1-10"), &mut window);
            }
            _ => add(&mut play, &name, step, &mut window),
        }
        if !goes_on(source) {
            break;
        }
    }
    if is_new || play.foreseen.is_empty() {
        // A new association is good for something.
        add(&mut play, "message", Step::New(window.last + 1, "SIPAE-3.1.1-10"), &mut window);
    }
    play.close(&window)
}

/// The client loses its connection, or leaves; when it comes back the server knows nothing of it.
fn returned(service: Service, place: u32, drops: bool) -> Service {
    let [leave, leaving, again, completing] =
        ["leave", "leaving", "return", "completing"].map(|what| format!("{what} {place}"));
    match drops {
        // Who comes back by itself has a moment for that, and has nothing to complete when it is made to register.
        true => service
            .turn(Turn::Disconnect)
            .forget()
            .settle()
            .make(&again, Stimulus::Register)
            .wait_if_any(&completing, Awaited::Completing)
            .serve_if(&completing),
        false => service
            .make(&leave, Stimulus::Unregister)
            .wait(&leaving, Awaited::Method(Stimulus::Unregister.method().to_owned()))
            .serve(&leaving)
            .forget()
            .make(&again, Stimulus::Register)
            .wait(&completing, Awaited::Completing)
            .serve(&completing),
    }
}

/// A request of the client is challenged, and it authenticates anew. What it then sends again is answered before numbers are
/// counted.
fn renewed(service: Service, place: u32) -> Service {
    let [asked, request, challenge, renewing, again] =
        ["asked", "request", "challenge", "renewing", "again"].map(|what| format!("{what} {place}"));
    let stimulus = Stimulus::Message;
    service
        .make(&asked, stimulus)
        .wait(&request, Awaited::Method(stimulus.method().to_owned()))
        .challenge(&challenge, &request)
        .send(&challenge)
        .wait(&renewing, Awaited::Completing)
        .serve(&renewing)
        .wait_if_any(&again, Awaited::Method(stimulus.method().to_owned()))
        .serve_if(&again)
}

/// Requests that look odd in several ways at once, of which one may be bad.
pub(crate) fn content(source: &mut dyn Source, _: Mode) -> Play {
    const MOST: u32 = 8;
    let mut play = Play::default();
    for place in 1..=MOST {
        let name = format!("message {place}");
        let service = std::mem::take(&mut play.service).answered(&name);
        let service = requests::oddly(service, &name, source);
        let fault = requests::fault(source);
        let (service, requirement) = match fault {
            Some((row, spoil)) => (spoil(service.sign(&name), &name).send(&name), row),
            None => (service.sign(&name).ask(&name), "SIPAE-3.2.5.2-10"),
        };
        play.service = service;
        play.foresee(&name, fault.is_none(), requirement);
        if !goes_on(source) {
            break;
        }
    }
    play.service = std::mem::take(&mut play.service).fence();
    play
}
