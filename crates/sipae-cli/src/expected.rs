//! The file of expected failures.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sipae_conformance::profile::{one_line, read_text};
use sipae_report::{Comparison, ExpectedFailures};

use crate::output::Failure;

/// A file that a run is compared with.
pub(crate) struct ExpectedFile {
    path: PathBuf,
    text: String,
    pub(crate) list: ExpectedFailures,
}

impl ExpectedFile {
    /// Reads the file; where it is to be written it need not be there yet.
    pub(crate) fn load(path: &Path, may_be_absent: bool) -> Result<Self, Failure> {
        let text = match read_text(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_be_absent => String::new(),
            other => other.map_err(|source| Failure::File { file: path.to_owned(), source })?,
        };
        let wrong = |problem| Failure::Usage(format!("{}: {problem}", path.display()));
        let list: ExpectedFailures = toml::from_str(&text).map_err(|error| wrong(one_line(&text, &error)))?;
        list.check().map_err(wrong)?;
        Ok(Self { path: path.to_owned(), text, list })
    }

    /// Writes what the comparison makes of it, and says so on the standard error.
    pub(crate) fn fix(&self, comparison: &Comparison) -> Result<(), Failure> {
        let file = self.path.display();
        let fixed =
            comparison.fixed(&self.text).map_err(|problem| Failure::Usage(format!("{file}: {problem}")))?;
        let told = if fixed == self.text {
            format!("{file} is right as it is")
        } else {
            fs::write(&self.path, fixed)
                .map_err(|source| Failure::File { file: self.path.clone(), source })?;
            format!("{file} is rewritten")
        };
        // Nobody is left to read it when this fails.
        let _unread = writeln!(io::stderr(), "{told}");
        Ok(())
    }
}
