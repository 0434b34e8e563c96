//! The argument `--exec` of `sipae run`.

use std::sync::Arc;

use sipae_conformance::control::Control;
use sipae_conformance::target::Target;
use sipae_events::ExitCode;

use crate::output::Failure;

/// The command that starts a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exec {
    words: Vec<String>,
    text: String,
}

impl Exec {
    /// The program and its arguments.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// As one word of a shell, for the command that repeats a run.
    pub(crate) fn quoted(&self) -> String {
        crate::output::quoted(&self.text)
    }
}

/// Splits a command into words as a shell does: blanks, quotes and backslashes, nothing else.
pub(crate) fn command(text: &str) -> Result<Exec, String> {
    let words = shlex::split(text)
        .ok_or_else(|| "a quote is not closed, or nothing follows a backslash".to_owned())?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(Exec { words, text: text.to_owned() }),
        _ => Err("no program is named".to_owned()),
    }
}

/// Only a server on TCP or TLS can be started, or a client that connects to the suite, and only a server that is started
/// may lack its port.
pub(crate) fn check_target(exec: Option<&Exec>, target: &Target) -> Result<(), Failure> {
    match exec {
        Some(_) if !target.has_address() && !target.listens() => Err(Failure::Usage(format!(
            "--exec: {target} is not of the form tcp://host:port, tls://host:port, listen:tcp://host:port or listen:tls://host:port"
        ))),
        None if target.lacks_port() => Err(Failure::Usage(format!("{target}: port 0 needs --exec"))),
        _ => Ok(()),
    }
}

/// Starts the target; it ends with what is returned.
pub(crate) fn start(exec: Option<&Exec>, target: &Target) -> Result<Option<Arc<Control>>, Failure> {
    let Some(exec) = exec.filter(|_| !target.listens()) else { return Ok(None) };
    let control = Control::start(&exec.words)?;
    control.check_address(target.lacks_port())?;
    Ok(Some(Arc::new(control)))
}

/// How a run ends that could not make time pass as it was told to: blocked, unless something worse has come out.
pub(crate) fn settled(control: Option<&Control>, exit: ExitCode) -> Result<ExitCode, Failure> {
    match control.and_then(Control::broken) {
        Some(reason) if exit.or(ExitCode::Blocked) == ExitCode::Blocked => Err(Failure::ClockLost(reason)),
        _ => Ok(exit),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("server --port 0", &["server", "--port", "0"])]
    #[case("'/opt/my server' \"a b\" c\\ d", &["/opt/my server", "a b", "c d"])]
    #[case("server ''", &["server", ""])]
    #[case("server $HOME | tee", &["server", "$HOME", "|", "tee"])]
    fn a_command_is_split_and_nothing_in_it_is_expanded(#[case] text: &str, #[case] words: &[&str]) {
        assert_eq!(command(text).map(|exec| exec.words), Ok(words.iter().map(ToString::to_string).collect()));
    }

    #[test]
    fn a_command_is_quoted_as_one_word() {
        let exec = command("server 'a b'").expect("a command");
        assert_eq!(shlex::split(&exec.quoted()), Some(vec!["server 'a b'".to_owned()]));
    }

    #[rstest]
    #[case("", "no program is named")]
    #[case("  ", "no program is named")]
    #[case("'' x", "no program is named")]
    #[case("server 'a", "a quote is not closed, or nothing follows a backslash")]
    fn what_is_no_command_says_why(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(command(text), Err(expected.to_owned()));
    }
}
