//! Failure bundles: a folder for each case that failed, with what one needs to understand, repeat and report it.

mod buffer;
mod capture;
mod finding;
mod folder;
mod paste;
mod pcapng;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sipae_events::{CaseFinished, Event, RunStarted, Verdict};

use crate::Writer;
use crate::text::{counted, escaped, printable};

const INDEX: &str = "README.md";
const FINDING: &str = "finding.md";
const SCRIPT: &str = "script.json";
const BUFFER: &str = "buffer.txt";
const CAPTURE: &str = "exchange.pcapng";
const TEST: &str = "test.rs";

/// The first line of an index, by which one is known.
const HEADING: &str = "# Failures of a run of sipae\n";

/// Writes a folder for each case that fails, at once, and an index of them at the end of the run.
///
/// A bundle that cannot be written keeps no other one from it: the first error is told at the end of the run.
#[derive(Debug)]
pub struct Bundles {
    folder: PathBuf,
    has_loose: bool,
    run: Option<RunStarted>,
    names: folder::Names,
    written: Vec<Entry>,
    more: usize,
    octets: usize,
    broken: Option<io::Error>,
}

/// A line of the index.
#[derive(Debug)]
struct Entry {
    folder: String,
    title: String,
    line: String,
}

impl Bundles {
    /// How many bundles a run writes: whoever fails more has one cause for many.
    pub const MOST: usize = 200;

    /// Octets after which no further bundle is begun: a target that floods fills no disk.
    pub const MOST_OCTETS: usize = 256 << 20;

    /// Bundles in this folder, which is made if it is not there. What earlier runs left is replaced file by file.
    ///
    /// # Errors
    /// When the folder cannot be made, or has an index that is none of ours.
    pub fn create(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        check_index(&folder.join(INDEX))?;
        Ok(Self {
            folder,
            has_loose: false,
            run: None,
            names: folder::Names::default(),
            written: Vec::new(),
            more: 0,
            octets: 0,
            broken: None,
        })
    }

    /// Whether loose cases have bundles, too.
    #[must_use]
    pub fn with_loose(self, has_loose: bool) -> Self {
        Self { has_loose, ..self }
    }

    /// Whether a case that ended so has a bundle.
    #[must_use]
    pub fn wants(&self, verdict: Verdict) -> bool {
        verdict.is_fail() || self.has_loose && verdict == Verdict::Loose
    }

    /// The file in which the bundles are listed.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.folder.join(INDEX)
    }

    fn finished(&mut self, case: &CaseFinished) {
        let Some(run) = self.run.clone().filter(|_| self.wants(case.verdict)) else { return };
        if Self::MOST <= self.written.len() || Self::MOST_OCTETS <= self.octets {
            self.more += 1;
            return;
        }
        let name = self.names.give(&case.case, &case.subject);
        match write(&run, case, &self.folder.join(&name)) {
            Ok(octets) => self.octets += octets,
            Err(error) => {
                self.broken.get_or_insert(error);
            }
        }
        self.written.push(Entry::new(name, case));
    }

    fn ended(&mut self) -> io::Result<()> {
        let text = self.run.as_ref().map(|run| self.list(run)).unwrap_or_default();
        replace(&self.index(), Some(text.as_bytes()))?;
        self.broken.take().map_or(Ok(()), Err)
    }

    fn list(&self, run: &RunStarted) -> String {
        let RunStarted { program, version, target, seed, .. } = run;
        let target = printable(target).replace('`', "'");
        let mut text = format!("{HEADING}\n{program} {version}, target `{target}`, seed {seed}.\n\n");
        text.extend(self.written.iter().map(Entry::text));
        match (self.written.len(), self.more) {
            (0, _) => text += "No case failed.\n",
            (_, 0) => {}
            (most, more) => {
                let more = counted(more, "more case");
                text += &format!("\nThese are the first {most}: {more} failed, without a bundle.\n");
            }
        }
        text + "\nFolders that are not listed here are from earlier runs.\n"
    }
}

impl Entry {
    fn new(folder: String, case: &CaseFinished) -> Self {
        let broken = broken_rows(case);
        let tested = || case.requirements.iter().map(String::as_str).collect();
        let rows = if broken.is_empty() { tested() } else { broken };
        let title = format!("{}, {}", case.case, escaped(&case.subject.to_string()));
        let line = format!("{}; {}: {}", case.verdict, rows.join(", "), printable(&case.title));
        Self { folder, title, line }
    }

    fn text(&self) -> String {
        let Self { folder, title, line } = self;
        format!("- [{title}]({folder}/{FINDING}): {line}\n")
    }
}

/// The rows that were broken, each once.
fn broken_rows(case: &CaseFinished) -> Vec<&str> {
    let mut rows: Vec<&str> = Vec::new();
    for finding in &case.findings {
        if !rows.contains(&finding.requirement.as_str()) {
            rows.push(&finding.requirement);
        }
    }
    rows
}

/// Nobody's own file is overwritten for naming the folder that it is in.
fn check_index(index: &Path) -> io::Result<()> {
    let mut read = String::new();
    let length = u64::try_from(HEADING.len()).unwrap_or(u64::MAX);
    match File::open(index).and_then(|file| file.take(length).read_to_string(&mut read)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) if read == HEADING => Ok(()),
        _ => {
            let problem = format!("its {INDEX} is no list of failures, and is not overwritten");
            Err(io::Error::new(io::ErrorKind::AlreadyExists, problem))
        }
    }
}

/// Writes the bundle of one case into a folder, which is made if it is not there; the one above it must be there.
///
/// # Errors
/// When a file cannot be written.
pub fn write_bundle(run: &RunStarted, case: &CaseFinished, folder: &Path) -> io::Result<()> {
    write(run, case, folder).map(drop)
}

/// Writes the files of a bundle, and gives how many octets they have; those that do not apply are taken away.
fn write(run: &RunStarted, case: &CaseFinished, folder: &Path) -> io::Result<usize> {
    folder::make(folder).map_err(|error| named(folder, &error))?;
    let program = format!("{} {}", run.program, run.version);
    let script = case.script.as_ref().map(serde_json::to_string_pretty).transpose()?;
    let files = [
        (FINDING, Some(finding::finding(run, case, folder).into_bytes())),
        (TEST, script.as_ref().map(|_| paste::test(run, case).into_bytes())),
        (SCRIPT, script.map(|script| (script + "\n").into_bytes())),
        (BUFFER, buffer::buffers(&case.signatures).map(String::into_bytes)),
        (CAPTURE, capture::capture(&program, case)?),
    ];
    for (name, content) in &files {
        replace(&folder.join(name), content.as_deref())?;
    }
    Ok(files.iter().filter_map(|(_, content)| content.as_ref()).map(Vec::len).sum())
}

fn replace(path: &Path, content: Option<&[u8]>) -> io::Result<()> {
    folder::replace(path, content).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Writer for Bundles {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted(run) => self.run = Some(run.clone()),
            Event::CaseFinished(case) => self.finished(case),
            Event::RunFinished(_) => return self.ended(),
            Event::GateFinished(_) | Event::CaseStarted(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sipae_events::{CaseId, Subject};
    use tempfile::TempDir;

    use super::*;
    use crate::sample::{self, FAIL};

    fn bundled(folder: &Path, cases: Vec<CaseFinished>, has_loose: bool) -> io::Result<()> {
        let mut bundles = Bundles::create(folder)?.with_loose(has_loose);
        let events = sample::run(cases.into_iter().map(Event::CaseFinished).collect());
        events.iter().try_for_each(|event| bundles.event(event))
    }

    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn read(folder: &TempDir, path: &str) -> String {
        fs::read_to_string(folder.path().join(path)).unwrap()
    }

    fn everything() -> Vec<CaseFinished> {
        vec![
            sample::whole_case(),
            sample::case(3, Verdict::Pass),
            sample::case(3, Verdict::Loose),
            CaseFinished { subject: Subject::new("NTLM", 4).with_kind(407), ..sample::case(4, FAIL) },
        ]
    }

    #[test]
    fn a_failure_has_a_folder_with_all_its_files() {
        let folder = TempDir::new().unwrap();
        bundled(folder.path(), everything(), false).unwrap();
        let expected = ["3.3.5.1-bare-ack-ntlm-v4", "3.3.5.1-bare-ack-ntlm-v4-407", INDEX];
        assert_eq!(names(folder.path()), expected.map(str::to_owned).into());
        let whole = folder.path().join("3.3.5.1-bare-ack-ntlm-v4");
        let all = [BUFFER, CAPTURE, FINDING, SCRIPT, TEST];
        assert_eq!(names(&whole), all.map(str::to_owned).into());
        let script: serde_json::Value =
            serde_json::from_str(&read(&folder, "3.3.5.1-bare-ack-ntlm-v4/script.json")).unwrap();
        assert_eq!(Some(script), sample::whole_case().script);
        let short = folder.path().join("3.3.5.1-bare-ack-ntlm-v4-407");
        assert_eq!(names(&short), [CAPTURE, FINDING].map(str::to_owned).into());
    }

    #[test]
    fn the_index_has_a_line_for_each_bundle() {
        let folder = TempDir::new().unwrap();
        bundled(folder.path(), everything(), true).unwrap();
        insta::assert_snapshot!(read(&folder, INDEX));
    }

    #[test]
    fn what_an_earlier_run_left_is_replaced_file_by_file() {
        let folder = TempDir::new().unwrap();
        bundled(folder.path(), vec![sample::whole_case()], false).unwrap();
        let bundle = folder.path().join("3.3.5.1-bare-ack-ntlm-v4");
        fs::write(bundle.join("notes.txt"), "mine").unwrap();
        bundled(folder.path(), vec![sample::case(4, FAIL)], false).unwrap();
        assert_eq!(names(&bundle), [CAPTURE, FINDING, "notes.txt"].map(str::to_owned).into());
        bundled(folder.path(), Vec::new(), false).unwrap();
        assert!(bundle.exists() && read(&folder, INDEX).contains("No case failed."));
    }

    #[test]
    fn an_index_that_is_not_ours_is_not_overwritten() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(INDEX), "# My project\n").unwrap();
        assert_eq!(Bundles::create(folder.path()).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&folder, INDEX), "# My project\n");
    }

    #[test]
    fn more_bundles_than_are_useful_are_counted() {
        let folder = TempDir::new().unwrap();
        let case = |number: usize| CaseFinished {
            case: CaseId::new(format!("a/{number}")).unwrap(),
            exchange: Vec::new(),
            ..sample::case(4, FAIL)
        };
        bundled(folder.path(), (0..Bundles::MOST + 3).map(case).collect(), false).unwrap();
        assert_eq!(names(folder.path()).len(), Bundles::MOST + 1);
        let told = "\nThese are the first 200: 3 more cases failed, without a bundle.\n";
        assert!(read(&folder, INDEX).contains(told));
    }

    #[test]
    fn a_flood_of_octets_ends_the_bundles() {
        let folder = TempDir::new().unwrap();
        let mut bundles = Bundles::create(folder.path()).unwrap();
        let [start, failure] =
            [Event::RunStarted(sample::started()), Event::CaseFinished(sample::whole_case())];
        [start, failure].iter().for_each(|event| bundles.event(event).unwrap());
        let files = fs::read_dir(folder.path().join("3.3.5.1-bare-ack-ntlm-v4")).unwrap();
        let sizes = files.map(|file| usize::try_from(file.unwrap().metadata().unwrap().len()).unwrap());
        assert_eq!(bundles.octets, sizes.sum::<usize>());
        bundles.octets = Bundles::MOST_OCTETS;
        bundles.event(&Event::CaseFinished(sample::case(3, FAIL))).unwrap();
        assert_eq!((bundles.written.len(), bundles.more), (1, 1));
    }

    #[test]
    fn a_bundle_that_cannot_be_written_keeps_no_other_one_from_it() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("3.3.5.1-bare-ack-ntlm-v4"), "in the way").unwrap();
        let cases = vec![sample::case(4, FAIL), sample::case(3, FAIL)];
        let error = bundled(folder.path(), cases, false).unwrap_err().to_string();
        assert!(error.contains("3.3.5.1-bare-ack-ntlm-v4: "), "{error}");
        assert!(folder.path().join("3.3.5.1-bare-ack-ntlm-v3").join(FINDING).exists());
        assert!(folder.path().join(INDEX).exists());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        use std::os::unix::fs::symlink;

        let (folder, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let bundle = folder.path().join("3.3.5.1-bare-ack-ntlm-v4");
        fs::create_dir(&bundle).unwrap();
        let victim = outside.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        symlink(&victim, bundle.join(FINDING)).unwrap();
        symlink(outside.path(), folder.path().join("3.3.5.1-bare-ack-ntlm-v3")).unwrap();
        let cases = vec![sample::case(4, FAIL), sample::case(3, FAIL)];
        bundled(folder.path(), cases, false).unwrap_err();
        assert_eq!(names(outside.path()), ["victim".to_owned()].into());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert!(fs::read_to_string(bundle.join(FINDING)).unwrap().starts_with("# 3.3.5.1/bare-ack"));
    }
}
