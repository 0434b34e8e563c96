//! The reference as a codec behind a pipe, to try the protocol with.

use std::io::{self, Write};
use std::process::ExitCode;

use sipae_conformance::codec::ReferenceCodec;
use sipae_vectors::protocol::{Greeting, serve};

fn main() -> ExitCode {
    let greeting = Greeting::new(concat!("sipae reference ", env!("CARGO_PKG_VERSION")), None);
    match serve(&mut ReferenceCodec, &greeting, io::stdin(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to read it when this fails.
            let _unread = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
