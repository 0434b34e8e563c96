//! `sipae replay`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use sipae_conformance::replay::File;
use sipae_events::ExitCode;
use sipae_spec::Role;

use crate::args::ReplayArgs;
use crate::output::Failure;
use crate::reports::{self, Reports};
use crate::{exec, subject};

pub(crate) fn replay(args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let file = read(&args.file)?;
    let target = &args.subject.target;
    if target.role() != file.role() {
        let problem = match file.role() {
            Role::Client => "it is a conversation with a client, such as at listen:tcp://host:port",
            _ => "it is a script for servers",
        };
        return Err(Failure::Usage(format!("{target}: {problem}")));
    }
    reports::check_files(&args.reports, subject::files(&args.subject).chain([&args.file]))?;
    let options = subject::options(&args.subject)?;
    let mut reports = Reports::create(&args.reports, 1, None)?;
    let exit = file.run(&options, &mut |event| reports.tell(event));
    reports.end()?;
    exec::settled(options.control.as_deref(), exit)
}

fn read(path: &Path) -> Result<File, Failure> {
    let is_input = path == Path::new("-");
    let text = if is_input { text(io::stdin()) } else { fs::File::open(path).and_then(text) };
    let text = text.map_err(|source| Failure::File { file: path.to_owned(), source })?;
    let name = if is_input { "the standard input".to_owned() } else { path.display().to_string() };
    let file = File::read(&text).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    Ok(file.named(path.display().to_string()))
}

/// No more is read of a file than shows that it is too long.
fn text(from: impl Read) -> io::Result<String> {
    let most = u64::try_from(File::MAX_OCTETS).unwrap_or(u64::MAX);
    let mut text = String::new();
    from.take(most.saturating_add(1)).read_to_string(&mut text)?;
    Ok(text)
}
