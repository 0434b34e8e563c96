//! Folders of bundles: their names, and files that are replaced one by one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use sipae_events::{CaseId, Subject};

/// Names of folders, each given once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// `3.3.5.1-bare-ack-ntlm-v4`: a part of a path that no case or scheme leads out of. Two cases may read alike
    /// without their slashes.
    pub(super) fn give(&mut self, case: &CaseId, subject: &Subject) -> String {
        let name = name(case, subject);
        let others = (2..).map(|number: u32| format!("{name}-{number}"));
        let is_new = |name: &String| !self.0.contains(name);
        let given = std::iter::once(name.clone()).chain(others).find(is_new).unwrap_or(name);
        self.0.insert(given.clone());
        given
    }
}

fn name(case: &CaseId, subject: &Subject) -> String {
    /// Leaves room for a number below the 255 octets that a file system allows.
    const LONGEST: usize = 200;
    let version = if subject.version == 0 { String::new() } else { format!("-v{}", subject.version) };
    let kind = subject.kind.map(|kind| format!("-{kind}")).unwrap_or_default();
    let name = format!("{case}-{}{version}{kind}", subject.scheme);
    let harmless = |shown: char| {
        let is_plain = shown.is_ascii_alphanumeric() || matches!(shown, '.' | '-');
        if is_plain { shown.to_ascii_lowercase() } else { '-' }
    };
    name.chars().take(LONGEST).map(harmless).collect()
}

/// Makes a folder, or takes the one that is there. A link in its place may lead anywhere, and is an error.
pub(super) fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_folder = fs::symlink_metadata(path).is_ok_and(|known| known.is_dir());
            if is_folder { Ok(()) } else { Err(error) }
        }
        made => made,
    }
}

/// Puts a file in the place of one from an earlier run, or takes that away where there is nothing to write. The file is
/// made anew: through a link, something else would be overwritten.
pub(super) fn replace(path: &Path, content: Option<&[u8]>) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    content.map_or(Ok(()), |content| File::create_new(path)?.write_all(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(names: &mut Names, case: &str, subject: &Subject) -> String {
        names.give(&CaseId::new(case).unwrap(), subject)
    }

    #[test]
    fn a_name_says_case_scheme_version_and_kind() {
        let mut names = Names::default();
        let subject = Subject::new("TLS-DSK", 4);
        assert_eq!(given(&mut names, "3.3.5.3/replay/other", &subject), "3.3.5.3-replay-other-tls-dsk-v4");
        let proxy = subject.with_kind(407);
        assert_eq!(given(&mut names, "3.3.5.3/replay/other", &proxy), "3.3.5.3-replay-other-tls-dsk-v4-407");
        assert_eq!(given(&mut names, "codec/parse", &Subject::of_codec("NTLM")), "codec-parse-ntlm");
    }

    #[test]
    fn names_that_read_alike_are_told_apart() {
        let (mut names, subject) = (Names::default(), Subject::new("NTLM", 4));
        let cases = ["a/b/c", "a/b-c", "a-b-c"];
        let given = cases.map(|case| given(&mut names, case, &subject));
        assert_eq!(given, ["a-b-c-ntlm-v4", "a-b-c-ntlm-v4-2", "a-b-c-ntlm-v4-3"]);
    }

    #[test]
    fn no_name_leads_out_of_its_folder_or_is_too_long() {
        let mut names = Names::default();
        for scheme in ["../../etc", "/", "..\\x", "\u{0}", "\u{202E}é", &"x".repeat(1000)] {
            let name = given(&mut names, "a", &Subject::new(scheme, 4));
            assert!(name.starts_with("a-") && name.len() < 220, "{name}");
            assert!(
                name.chars().all(|shown| shown.is_ascii_alphanumeric() || ".-".contains(shown)),
                "{name}"
            );
        }
    }
}
