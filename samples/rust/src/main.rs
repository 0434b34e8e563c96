//! A codec on the crate `sipae-vectors` alone: that crate reads requests and writes answers, everything else is here.
//!
//! It reads header fields, builds signature buffers and keeps a replay window. It has no cryptography, and says so.

mod encoding;
mod header;
mod message;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;

use sipae_vectors::protocol::{Greeting, serve};
use sipae_vectors::{Answer, Codec, Operation, Refusal, inputs};

const OPERATIONS: &[&str] = &["auth_header", "auth_write", "base16", "base64", "replay_window", "sip_buffer"];

struct Sample;

impl Codec for Sample {
    fn answer(&mut self, operation: &Operation) -> Result<Answer, Refusal> {
        match operation {
            Operation::AuthHeader(inputs) => header::read(&inputs.header),
            Operation::AuthWrite(inputs) => header::write(inputs),
            Operation::Base16(inputs) => Ok(encoding::base16(&inputs.text)),
            Operation::Base64(inputs) => Ok(encoding::base64(&inputs.text)),
            Operation::ReplayWindow(inputs) => Ok(replay_window(inputs)),
            Operation::SipBuffer(inputs) => message::buffers(inputs),
            other => Err(Refusal::Unsupported(other.name().to_owned())),
        }
    }
}

/// The window of [MS-SIPAE] 3.1.1 with a set in place of a bitmap.
fn replay_window(inputs: &inputs::ReplayWindow) -> Answer {
    let mut seen = BTreeSet::new();
    let accepted: Vec<bool> = inputs
        .numbers
        .iter()
        .map(|number| {
            let last: u32 = seen.last().copied().unwrap_or_default();
            *number != 0 && last.saturating_sub(256) <= *number && seen.insert(*number)
        })
        .collect();
    Answer::new().value("accepted", accepted)
}

fn main() -> ExitCode {
    let greeting = Greeting::new(concat!("sample codec ", env!("CARGO_PKG_VERSION")), Some(OPERATIONS));
    match serve(&mut Sample, &greeting, io::stdin(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to read it when this fails.
            let _unread = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
