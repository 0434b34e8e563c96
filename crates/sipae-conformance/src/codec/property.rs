//! Properties of codecs: on inputs that nobody has written down, they answer what the reference answers.

mod inputs;

use sipae_gen::conforming::Freedom;
use sipae_gen::{Drawn, Recorded, Source, shrink};
use sipae_net::SeededEntropy;
use sipae_vectors::{Codec, Expected, Operation, Outcome, Refusal};

use super::ReferenceCodec;
use super::asked::{Answered, Asked};
use super::judge::Seen;

/// A kind of generated inputs. Each takes few freedoms, so that a disagreement says which rule is broken.
#[derive(Debug)]
pub(super) struct Property {
    /// Name, unique among properties.
    pub(super) name: &'static str,
    /// What a right codec does, as a statement.
    pub(super) title: &'static str,
    /// The rows that it shows.
    pub(super) rows: &'static [&'static str],
    /// Name of the operation.
    pub(super) op: &'static str,
    /// How many inputs are made.
    pub(super) trials: u64,
    /// How many inputs may be asked to make a counterexample small.
    pub(super) budget: usize,
    make: fn(&mut dyn Source) -> Operation,
}

impl Property {
    const fn new(
        name: &'static str,
        op: &'static str,
        rows: &'static [&'static str],
        title: &'static str,
        make: fn(&mut dyn Source) -> Operation,
    ) -> Self {
        Self { name, title, rows, op, trials: 200, budget: 2000, make }
    }
}

use Freedom::{
    Backslashes, BareQop, Blanks, Body, Expires, Folds, Identities, Names, Octets, Order, Scheme, Separators,
    Tags, Unknown,
};

/// All properties.
pub(super) static PROPERTIES: &[Property] = &[
    Property::new(
        "buffer-layout",
        "sip_buffer",
        &["SIPAE-3.2.4.1-01"],
        "the signature buffer of a plain message has the fields of its version in their order",
        |source| inputs::buffer(source, &[]),
    ),
    Property::new(
        "buffer-names",
        "sip_buffer",
        &["SIPAE-2.2-20"],
        "names of header fields in any letter case, compact ones and folded lines give the same buffer",
        |source| inputs::buffer(source, &[Names, Blanks, Folds, Order]),
    ),
    Property::new(
        "buffer-tags",
        "sip_buffer",
        &["SIPAE-2.2-25"],
        "only the tag parameter of a header field is its tag",
        |source| inputs::buffer(source, &[Tags]),
    ),
    Property::new(
        "buffer-body",
        "sip_buffer",
        &["SIPAE-2.2-22"],
        "a body that looks like header fields has no effect on the buffer",
        |source| inputs::buffer(source, &[Body, Unknown]),
    ),
    Property::new(
        "buffer-octets",
        "sip_buffer",
        &["SIPAE-2.2-24"],
        "octets above 127 and percent-encoded ones go into the buffer as they are",
        |source| inputs::buffer(source, &[Octets]),
    ),
    Property::new(
        "buffer-identities",
        "sip_buffer",
        &["SIPAE-3.2.4.2-04", "SIPAE-3.2.4.2-05"],
        "identities are read out of their header fields, asserted ones before preferred ones",
        |source| inputs::buffer(source, &[Identities]),
    ),
    Property::new(
        "buffer-expires",
        "sip_buffer",
        &["SIPAE-3.2.4.1-12"],
        "the buffer holds the text of Expires, and nothing without one",
        |source| inputs::buffer(source, &[Expires]),
    ),
    Property::new(
        "message-facts",
        "sip_message",
        &["SIPAE-2.2-20", "SIPAE-2.2-25"],
        "the facts of a message are read whatever legal form it has",
        |source| inputs::message(source, &[Names, Blanks, Folds, Order, Tags, Body]),
    ),
    Property::new(
        "header-names",
        "auth_header",
        &["SIPAE-2.2-02"],
        "names of parameters are read in any letter case",
        |source| inputs::header(source, &[Names]),
    ),
    Property::new(
        "header-order",
        "auth_header",
        &["SIPAE-2.2-03"],
        "parameters are read in any order, with any blanks around their commas",
        |source| inputs::header(source, &[Order, Blanks]),
    ),
    Property::new(
        "header-scheme",
        "auth_header",
        &["SIPAE-2.2-01"],
        "the scheme is read in any letter case",
        |source| inputs::header(source, &[Scheme]),
    ),
    Property::new(
        "header-folds",
        "auth_header",
        &["SIPAE-2.2-20"],
        "parameters are read on folded lines",
        |source| inputs::header(source, &[Folds]),
    ),
    Property::new(
        "header-qop",
        "auth_header",
        &["SIPAE-2.2-19"],
        "qop is read in quotation marks and without them",
        |source| inputs::header(source, &[BareQop]),
    ),
    Property::new(
        "header-separators",
        "auth_header",
        &["SIPAE-2.2-05"],
        "separators inside a quoted value are data",
        |source| inputs::header(source, &[Separators]),
    ),
    Property::new(
        "header-backslashes",
        "auth_header",
        &["SIPAE-2.2-04"],
        "backslashes inside a quoted value are data",
        |source| inputs::header(source, &[Backslashes]),
    ),
    Property::new(
        "header-unknown",
        "auth_header",
        &["SIPAE-2.2-15"],
        "parameters that nobody knows have no effect on the others",
        |source| inputs::header(source, &[Unknown, Order]),
    ),
    Property::new(
        "header-written",
        "auth_write",
        &["SIPAE-2.2-01", "SIPAE-2.2-06"],
        "a header field is written with the spelling and the quotation marks of the specification",
        inputs::header_to_write,
    ),
    Property::new(
        "base16",
        "base16",
        &["SIPAE-2.2-11"],
        "hexadecimal digits of either case are read, and nothing else",
        inputs::base16,
    ),
    Property::new(
        "base64",
        "base64",
        &["SIPAE-2.2-08"],
        "canonical Base64 is read, and nothing else",
        inputs::base64,
    ),
    Property::new(
        "mac-extended",
        "mac",
        &["SIPAE-3.2.4.1-26"],
        "an NTLM signature with extended session security is HMAC-MD5 under RC4",
        |source| inputs::mac(source, true),
    ),
    Property::new(
        "mac-legacy",
        "mac",
        &["SIPAE-3.2.4.1-27"],
        "an NTLM signature without extended session security is a CRC-32 under RC4",
        |source| inputs::mac(source, false),
    ),
    Property::new(
        "mac-altered",
        "mac_verify",
        &["SIPAE-5.1-04"],
        "a signature is compared as a whole, with the pad alone left out",
        inputs::mac_to_verify,
    ),
    Property::new(
        "signature",
        "sip_ntlm_sign",
        &["SIPAE-3.2.4.1-25"],
        "a SIP message is signed over its buffer with sequence number 100",
        inputs::to_sign,
    ),
    Property::new(
        "window",
        "replay_window",
        &["SIPAE-3.1.1-03", "SIPAE-3.1.1-04", "SIPAE-3.1.1-05"],
        "each number is accepted once, within the window or above it",
        inputs::window,
    ),
    Property::new(
        "verification",
        "sip_ntlm_verify",
        &["SIPAE-3.1.1-01", "SIPAE-3.1.1-09"],
        "messages are accepted once, if their signature is right, and forged ones move nothing",
        inputs::to_verify,
    ),
];

/// The inputs of one property in one run.
#[derive(Clone, Copy)]
pub(super) struct Trials {
    pub(super) seed: u64,
    pub(super) budget: usize,
}

impl Trials {
    /// Asks all inputs at once; the first disagreement is made small on the live codec.
    pub(super) fn run(self, property: &Property, codec: &mut dyn Asked) -> Seen {
        if !codec.greeting().offers(property.op) {
            return Seen::unsupported(property, "it is not among the operations of the greeting");
        }
        let records: Vec<Vec<u32>> = (0..property.trials).map(|trial| self.record(property, trial)).collect();
        let mut seen = ask(property, codec, &records);
        let broken = seen.iter().position(|seen| !matches!(seen.answered, Answered::Replied(_)));
        if let Some(broken) = broken {
            return seen.swap_remove(broken);
        }
        match seen.iter().position(Seen::is_wrong) {
            Some(place) => {
                let first = seen.swap_remove(place);
                let record = records.get(place).cloned().unwrap_or_default();
                self.smallest(property, codec, record).unwrap_or(first)
            }
            None => Seen::best(seen).unwrap_or_else(|| Seen::unsupported(property, "nothing was asked")),
        }
    }

    fn record(self, property: &Property, trial: u64) -> Vec<u32> {
        let mut source = Drawn::new(SeededEntropy::new(self.seed.wrapping_add(trial)));
        (property.make)(&mut source);
        source.into_choices()
    }

    /// None where the disagreement does not show again.
    fn smallest(self, property: &Property, codec: &mut dyn Asked, record: Vec<u32>) -> Option<Seen> {
        let mut last = None;
        shrink(record, self.budget, &mut |candidates| {
            let mut seen = ask(property, codec, candidates);
            let place = seen.iter().position(Seen::is_wrong)?;
            last = Some(seen.swap_remove(place));
            Some(place)
        });
        last
    }
}

fn ask(property: &Property, codec: &mut dyn Asked, records: &[Vec<u32>]) -> Vec<Seen> {
    let made = |record: &Vec<u32>| (property.make)(&mut Recorded::new(record.clone()));
    let operations: Vec<Operation> = records.iter().map(made).collect();
    let answers = codec.ask(&operations.iter().collect::<Vec<_>>());
    operations.iter().zip(answers).map(|(operation, answered)| Seen::of(operation, answered)).collect()
}

impl Seen {
    fn of(operation: &Operation, answered: Answered) -> Self {
        let outcome = match &answered {
            Answered::Replied(result) => Some(expected(operation).judge(result)),
            _ => None,
        };
        Self { request: serde_json::to_string(operation).unwrap_or_default(), answered, outcome }
    }

    fn unsupported(property: &Property, reason: &str) -> Self {
        let refusal = Refusal::Unsupported(format!("{}: {reason}", property.op));
        let outcome = Some(Outcome::Unsupported(refusal.to_string()));
        Self { request: String::new(), answered: Answered::Replied(Err(refusal)), outcome }
    }

    const fn is_wrong(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Failed(_)))
    }

    /// One that passed, if any did: a codec may refuse some of the inputs and be right about all others.
    fn best(mut seen: Vec<Self>) -> Option<Self> {
        let passed = seen.iter().position(|seen| seen.outcome == Some(Outcome::Passed)).unwrap_or_default();
        (passed < seen.len()).then(|| seen.swap_remove(passed))
    }
}

/// What the reference answers. It refuses nothing that is generated, which a test sees.
fn expected(operation: &Operation) -> Expected {
    ReferenceCodec.answer(operation).map(Expected::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sipae_vectors::{Answer, Cause};

    use super::*;
    use crate::codec::InProcess;

    #[test]
    fn the_reference_answers_everything_that_is_generated() {
        for property in PROPERTIES {
            let trials = Trials { seed: 1, budget: 0 };
            for trial in 0..property.trials {
                let record = trials.record(property, trial);
                let operation = (property.make)(&mut Recorded::new(record));
                assert_eq!(operation.name(), property.op);
                let answer = ReferenceCodec.answer(&operation);
                assert!(answer.is_ok(), "{}: {answer:?}\n{operation:?}", property.name);
            }
        }
    }

    #[test]
    fn inputs_of_a_property_differ_and_a_seed_gives_the_same_ones_again() {
        for property in PROPERTIES {
            let made = |seed| {
                let records =
                    (0..property.trials).map(|trial| Trials { seed, budget: 0 }.record(property, trial));
                records.collect::<BTreeSet<_>>()
            };
            assert!(property.trials / 2 < made(7).len() as u64, "{}", property.name);
            assert_eq!(made(7), made(7));
            assert_ne!(made(7), made(1 << 40));
        }
    }

    /// Takes whatever is called tag for the tag.
    struct FirstTag;

    impl Codec for FirstTag {
        fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
            let Operation::SipBuffer(inputs) = operation else { panic!("only buffers are asked") };
            let mut inputs = inputs.clone();
            inputs.message = inputs.message.replace(";tag=inside", "");
            ReferenceCodec.answer(&Operation::SipBuffer(inputs))
        }
    }

    #[test]
    fn a_disagreement_is_made_small_on_the_live_codec() {
        let property = PROPERTIES.iter().find(|property| property.name == "buffer-tags").expect("a property");
        let mut codec = InProcess::new("first tag", Box::new(FirstTag));
        let seen = Trials { seed: 3, budget: 2000 }.run(property, &mut codec);
        assert!(matches!(seen.outcome, Some(Outcome::Failed(Cause::Differs(_)))));
        assert_eq!(seen.request.matches("tag=inside").count(), 1, "{}", seen.request);
    }
}
