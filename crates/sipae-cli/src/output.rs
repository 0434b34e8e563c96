//! Failures of the program, and writing to a terminal that may have gone.

use std::io::{self, Write};
use std::path::PathBuf;

use sipae_conformance::campaign::StateError;
use sipae_conformance::control::ControlError;
use sipae_conformance::profile::ProfileError;
use sipae_decode::input::InputError;
use sipae_events::ExitCode;
use sipae_net::TlsError;
use sipae_vectors::LoadError;

/// Why a command could not be carried out. One line each.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Vectors(#[from] LoadError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{file}: {source}")]
    Input { file: String, source: InputError },
    #[error("{}: {source}", file.display())]
    File { file: PathBuf, source: io::Error },
    #[error("--exec: {0}")]
    Command(ControlError),
    #[error("--exec: {0} (docs/control-channel.md)")]
    Control(ControlError),
    #[error("--exec: {0} (docs/control-channel.md), so that cases about timers were blocked")]
    ClockLost(String),
    #[error("{}: {source}", file.display())]
    Campaign { file: PathBuf, source: StateError },
    #[error("{0}")]
    Usage(String),
    #[error("cannot listen at {address}: {source}")]
    Listen { address: String, source: io::Error },
    #[error("cannot write the report: {0}")]
    Report(io::Error),
    #[error("the server ended: {0}")]
    Served(io::Error),
    #[error("the client ended: {0}")]
    Client(io::Error),
}

impl Failure {
    pub(crate) const fn exit(&self) -> ExitCode {
        match self {
            Self::Control(_) | Self::ClockLost(_) => ExitCode::Blocked,
            Self::Report(_) | Self::Served(_) | Self::Client(_) => ExitCode::Internal,
            _ => ExitCode::Usage,
        }
    }
}

/// What cannot be started is wrong usage; what is started and does not speak is no target to be tested.
impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        if error.is_wrong_command() { Self::Command(error) } else { Self::Control(error) }
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
pub(crate) fn forgive_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes the answer of a command to the standard output.
pub(crate) fn tell(text: &str) -> Result<ExitCode, Failure> {
    forgive_closed_pipe(io::stdout().write_all(text.as_bytes())).map_err(Failure::Report)?;
    Ok(ExitCode::Passed)
}

/// As one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    // Fails for NUL alone, which no argument has.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}
