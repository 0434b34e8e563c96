//! The `sipae` command: a module per subcommand. It knows no protocol.

mod args;
mod client;
mod control;
mod decode;
mod exec;
mod expected;
mod explain;
mod filter;
mod fuzz;
mod list;
mod output;
mod probe;
mod profile;
mod provisioning;
mod replay;
mod reports;
mod run;
mod schemes;
mod serve;
mod subject;
mod timers;
mod tls;
mod vectors;

use std::io::Write;
use std::process;

use clap::Parser;
use clap::error::ErrorKind;
use sipae_events::ExitCode;

use args::{Args, Command};

fn main() -> process::ExitCode {
    let code = match Args::try_parse() {
        Ok(args) => dispatch(args.command),
        Err(error) => usage(&error),
    };
    code.into()
}

fn dispatch(command: Command) -> ExitCode {
    let done = match command {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Probe(args) => probe::probe(&args),
        Command::List(args) => list::list(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Decode(args) => decode::decode(&args),
        Command::Profile(args) => profile::profile(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Client(args) => client::client(&args),
        Command::Vectors(args) => vectors::check(&args),
    };
    done.unwrap_or_else(|failure| {
        complain(&failure.to_string());
        failure.exit()
    })
}

/// Help and version are answers; everything else is one line.
fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody is left to read it when this fails.
            let _unread = error.print();
            ExitCode::Passed
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _unread = error.print();
            ExitCode::Usage
        }
        _ => {
            let text = error.to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            let line: Vec<&str> = first.lines().map(str::trim).collect();
            complain(line.join(" ").trim_start_matches("error: "));
            ExitCode::Usage
        }
    }
}

fn complain(problem: &str) {
    // Nobody is left to read it when this fails.
    let _unread = writeln!(std::io::stderr(), "error: {}", problem.replace('\n', " "));
}
