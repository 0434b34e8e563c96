//! What a campaign keeps from one night to the next.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sipae_events::{CaseFinished, Subject};
use sipae_spec::Weight;

use super::key::{Key, Known};

/// When something was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The round, counted from 1 over all nights; 0 where it was played again before the first one.
    pub round: u64,
    /// The date, as whoever runs the campaign writes it.
    pub date: String,
}

/// A finding that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// What makes it this one.
    #[serde(flatten)]
    pub key: Key,
    /// The name of its folder.
    pub name: String,
    /// What the case shows, as a statement.
    pub title: String,
    /// Every requirement that was broken in the conversation.
    pub requirements: Vec<String>,
    /// What is legal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// What the target did, or how it ended.
    pub got: String,
    /// When it was seen first.
    pub first: Sighting,
    /// When it was seen last.
    pub last: Sighting,
    /// How often it was seen.
    pub count: u64,
    /// How many conversations had been generated for the case in the round in which it was found.
    pub generated: u64,
    /// Whether it was no longer seen when it was played last.
    #[serde(default)]
    pub is_gone: bool,
    /// The smallest conversation that shows it (docs/scripts.md).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<serde_json::Value>,
}

impl Found {
    fn new(key: Key, name: String, case: &CaseFinished, at: &Sighting) -> Self {
        let mut requirements: Vec<String> = Vec::new();
        let grave = || case.findings.iter().filter(|finding| finding.weight == Weight::Fail);
        for finding in grave() {
            if !requirements.contains(&finding.requirement) {
                requirements.push(finding.requirement.clone());
            }
        }
        let broken = grave().next().filter(|_| !key.is_end());
        let ended = || case.reason.clone().unwrap_or_else(|| key.reaction.clone());
        Self {
            expected: broken.map(|finding| finding.expected.clone()).unwrap_or_default(),
            got: broken.map_or_else(ended, |finding| finding.got.clone()),
            key,
            name,
            title: case.title.clone(),
            requirements,
            first: at.clone(),
            last: at.clone(),
            count: 1,
            generated: case.generated,
            is_gone: false,
            script: case.script.clone(),
        }
    }

    /// How many steps its script has.
    fn steps(script: Option<&serde_json::Value>) -> Option<usize> {
        script?.get("steps")?.as_array().map(Vec::len)
    }

    fn is_made_smaller_by(&self, case: &CaseFinished) -> bool {
        match (Self::steps(case.script.as_ref()), Self::steps(self.script.as_ref())) {
            (Some(steps), Some(known)) => steps < known,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    fn seen(&mut self, times: u64, at: &Sighting) {
        self.count = self.count.saturating_add(times);
        self.last = at.clone();
        self.is_gone = false;
    }
}

/// What a failure was to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// Where the finding stands among those that are kept.
    pub place: usize,
    /// Whether it was not known.
    pub is_new: bool,
    /// Whether its script was not known, or is smaller now.
    pub has_new_script: bool,
}

/// All that is kept of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", rename = "sipae-campaign/1")]
pub struct State {
    /// The seed from which those of all rounds follow; text, since JSON readers round large numbers.
    #[serde(with = "decimal")]
    pub seed: u64,
    /// The target of the last night.
    #[serde(default)]
    pub target: String,
    /// Nights that were begun.
    #[serde(default)]
    pub nights: u64,
    /// Rounds that were begun: the next one goes on behind them.
    pub rounds: u64,
    /// Conversations that were played, but for those to make a finding smaller.
    pub conversations: u64,
    /// The findings, in the order in which they were found.
    pub findings: Vec<Found>,
}

#[derive(Deserialize)]
struct Head {
    format: String,
}

/// Why a file holds no state of a campaign.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// Its content is none.
    #[error("no state of a campaign: {0}")]
    Content(#[from] serde_json::Error),
    /// The format of another program, or of a later version of this one.
    #[error("unknown format {0:?}: this program reads {read:?}", read = State::FORMAT)]
    Format(String),
    /// A finding whose folder would not be among the others.
    #[error("a finding called {0:?}: that is no name of a folder")]
    Name(String),
}

impl State {
    /// The format that is written and read.
    pub const FORMAT: &'static str = "sipae-campaign/1";

    /// Octets of the largest file that is read, and written.
    pub const LARGEST: u64 = 256 * 1024 * 1024;

    /// A campaign that has not begun.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, target: String::new(), nights: 0, rounds: 0, conversations: 0, findings: Vec::new() }
    }

    /// Reads a file; none where there is no such file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn load(file: &Path) -> Result<Option<Self>, StateError> {
        match read_regular(file, Self::LARGEST) {
            Ok(text) => Self::read(&text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, StateError> {
        let Head { format } = serde_json::from_str(text)?;
        if format != Self::FORMAT {
            return Err(StateError::Format(format.chars().take(100).collect()));
        }
        let state: Self = serde_json::from_str(text)?;
        match state.findings.iter().find(|found| !is_folder(&found.name)) {
            Some(found) => Err(StateError::Name(found.name.chars().take(100).collect())),
            None => Ok(state),
        }
    }

    /// Writes a file in the place of the one before: at each moment there is a whole one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, file: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        within(Self::LARGEST, text.len())?;
        let new = file.with_extension("json.new");
        let mut written = fs::File::create(&new)?;
        written.write_all((text + "\n").as_bytes())?;
        // Else a power cut may leave the new name with nothing behind it.
        written.sync_all()?;
        fs::rename(&new, file)
    }

    /// The seed of a round: all that is random in it follows from that.
    #[must_use]
    pub fn seed_of(&self, round: u64) -> u64 {
        let digest = sipae::ntlm::md5(&[&self.seed.to_be_bytes(), &round.to_be_bytes()]);
        digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    /// Takes a case in; none where it did not fail.
    pub fn add(&mut self, case: &CaseFinished, at: &Sighting) -> Option<Added> {
        let key = Key::of(case)?;
        let known = self.findings.iter_mut().enumerate().find(|(_, found)| found.key == key);
        let Some((place, found)) = known else {
            let found = Found::new(key, self.name(case), case, at);
            self.findings.push(found);
            let place = self.findings.len() - 1;
            return Some(Added { place, is_new: true, has_new_script: true });
        };
        found.seen(1, at);
        let is_smaller = found.is_made_smaller_by(case);
        if is_smaller {
            found.script.clone_from(&case.script);
        }
        Some(Added { place, is_new: false, has_new_script: is_smaller })
    }

    /// Known findings were met so often.
    pub(super) fn meet(&mut self, key: &Key, times: u64, at: &Sighting) {
        if let Some(found) = self.findings.iter_mut().find(|found| found.key == *key) {
            found.seen(times, at);
        }
    }

    /// A finding was not seen any more.
    pub(super) fn forget(&mut self, key: &Key) {
        if let Some(found) = self.findings.iter_mut().find(|found| found.key == *key) {
            found.is_gone = true;
        }
    }

    /// What need not be found again.
    pub(super) fn known(&self) -> Known {
        Known::new(self.findings.iter().filter(|found| !found.is_gone).map(|found| found.key.clone()))
    }

    /// A name for a folder that no other finding has.
    fn name(&self, case: &CaseFinished) -> String {
        let name = folder(case.case.as_str(), &case.subject);
        let is_free = |name: &String| self.findings.iter().all(|found| found.name != *name);
        let others = (2_u32..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.clone()).chain(others).find(is_free).unwrap_or(name)
    }
}

/// The text of a file. What is none, such as a pipe that nobody writes to, is not waited for.
fn read_regular(file: &Path, largest: u64) -> io::Result<String> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut text = String::new();
    fs::File::open(file)?.take(largest + 1).read_to_string(&mut text)?;
    within(largest, text.len())?;
    Ok(text)
}

fn within(largest: u64, length: usize) -> io::Result<()> {
    let is_within = u64::try_from(length).is_ok_and(|length| length <= largest);
    is_within.then_some(()).ok_or_else(|| io::Error::other(format!("larger than {largest} octets")))
}

fn folder(case: &str, subject: &Subject) -> String {
    const LONGEST: usize = 200;
    let harmless = |shown: char| if is_plain(shown) { shown.to_ascii_lowercase() } else { '-' };
    format!("{case} {subject}").chars().take(LONGEST).map(harmless).collect()
}

const fn is_plain(shown: char) -> bool {
    shown.is_ascii_alphanumeric() || matches!(shown, '.' | '-')
}

/// Whether a name is that of a folder in another one, and of none elsewhere.
fn is_folder(name: &str) -> bool {
    name.chars().all(is_plain) && name.contains(|shown| shown != '.')
}

/// A number as text.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use sipae_events::{CaseId, Cause, Finding, Verdict};
    use sipae_spec::Level;

    use super::*;

    const ROW: &str = "SIPAE-3.3.5.3-04";

    fn at(round: u64) -> Sighting {
        Sighting { round, date: format!("day {round}") }
    }

    fn failed(version: u32, fault: &str, got: &str, steps: usize) -> CaseFinished {
        let id = CaseId::new("3.3.5.3/any-alteration").unwrap();
        let verdict = Verdict::Fail(Cause::Reaction);
        let finding = Finding {
            requirement: ROW.to_owned(),
            level: Level::MustNot,
            reconstructed: false,
            expected: "m: refused".to_owned(),
            got: got.to_owned(),
            weight: Weight::Fail,
        };
        CaseFinished {
            findings: vec![finding],
            fault: fault.to_owned(),
            generated: 7,
            script: Some(json!({ "steps": vec![0; steps] })),
            ..CaseFinished::new(id, Subject::new("NTLM", version), "not processed", &[ROW], verdict)
        }
    }

    #[test]
    fn failures_of_one_requirement_fault_and_reaction_are_one_finding() {
        let mut state = State::new(1);
        let first = state.add(&failed(4, "other-digit", "200, signed with snum 3", 9), &at(1)).unwrap();
        assert_eq!(first, Added { place: 0, is_new: true, has_new_script: true });
        let again = state.add(&failed(4, "other-digit", "200, signed with snum 12", 9), &at(5)).unwrap();
        assert_eq!(again, Added { place: 0, is_new: false, has_new_script: false });
        let [found] = state.findings.as_slice() else { panic!("{state:?}") };
        assert_eq!((found.count, &found.first, &found.last), (2, &at(1), &at(5)));
        assert_eq!(found.requirements, [ROW]);
    }

    #[test]
    fn another_fault_reaction_or_version_is_another_finding_with_a_folder_of_its_own() {
        let mut state = State::new(1);
        let cases = [
            failed(4, "a", "200, signed", 9),
            failed(4, "b", "200, signed", 9),
            failed(4, "a", "403, signed", 9),
            failed(3, "a", "200, signed", 9),
        ];
        for case in &cases {
            assert!(state.add(case, &at(1)).unwrap().is_new);
        }
        let names: BTreeSet<&str> = state.findings.iter().map(|found| found.name.as_str()).collect();
        let prefix = "3.3.5.3-any-alteration-ntlm";
        let expected = ["v3", "v4", "v4-2", "v4-3"].map(|end| format!("{prefix}-{end}"));
        assert_eq!(names, expected.iter().map(String::as_str).collect());
    }

    #[test]
    fn an_end_of_the_target_is_one_finding_whatever_was_broken_with_it() {
        let mut state = State::new(1);
        let crash = |got| CaseFinished { verdict: Verdict::Fail(Cause::Crash), ..failed(4, "a", got, 9) };
        state.add(&crash("200, signed"), &at(1));
        assert!(!state.add(&crash("connection closed"), &at(2)).unwrap().is_new);
        assert!(state.findings[0].key.is_crash() && state.findings[0].expected.is_empty());
    }

    #[test]
    fn a_smaller_script_takes_the_place_of_a_larger_one() {
        let mut state = State::new(1);
        for (steps, is_kept) in [(9, true), (12, false), (4, true), (4, false)] {
            let added = state.add(&failed(4, "a", "200, signed", steps), &at(1)).unwrap();
            assert_eq!(added.has_new_script, is_kept, "{steps}");
        }
        assert_eq!(Found::steps(state.findings[0].script.as_ref()), Some(4));
    }

    #[test]
    fn what_did_not_fail_is_no_finding() {
        let mut state = State::new(1);
        let case = CaseFinished { verdict: Verdict::Loose, ..failed(4, "a", "200, signed", 9) };
        assert_eq!(state.add(&case, &at(1)), None);
        assert!(state.findings.is_empty());
    }

    #[test]
    fn a_finding_that_is_gone_is_looked_for_again() {
        let mut state = State::new(1);
        let case = failed(4, "a", "200, signed", 9);
        let key = Key::of(&case).unwrap();
        state.add(&case, &at(1));
        assert!(state.known().meets(&key));
        state.findings[0].is_gone = true;
        assert!(!state.known().meets(&key));
        state.meet(&key, 3, &at(2));
        assert_eq!((state.findings[0].count, state.findings[0].is_gone), (4, false));
    }

    #[test]
    fn each_round_has_a_seed_of_its_own_and_the_next_night_goes_on() {
        let state = State::new(7);
        let seeds: BTreeSet<u64> = (1..1000).map(|round| state.seed_of(round)).collect();
        assert_eq!(seeds.len(), 999);
        assert_eq!(state.seed_of(5), State { rounds: 4, ..State::new(7) }.seed_of(5));
        assert_ne!(state.seed_of(5), State::new(8).seed_of(5));
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("state.json");
        assert!(State::load(&file).unwrap().is_none());
        let mut state = State::new(u64::MAX);
        state.add(&failed(4, "a", "200, signed", 9), &at(1));
        state.save(&file).unwrap();
        state.add(&failed(3, "", "200, signed", 9), &at(2));
        state.save(&file).unwrap();
        assert_eq!(State::load(&file).unwrap(), Some(state));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_too_large_or_no_file_is_not_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("state.json");
        fs::write(&file, "12345").unwrap();
        assert_eq!(read_regular(&file, 5).unwrap(), "12345");
        assert_eq!(read_regular(&file, 4).unwrap_err().to_string(), "larger than 4 octets");
        assert_eq!(State::load(folder.path()).unwrap_err().to_string(), "not a file");
    }

    #[test]
    fn numbers_at_their_end_stay_there() {
        let mut state = State::new(1);
        state.add(&failed(4, "a", "200, signed", 9), &at(1));
        state.findings[0].count = u64::MAX;
        state.add(&failed(4, "a", "200, signed", 9), &at(2));
        assert_eq!(state.findings[0].count, u64::MAX);
    }

    fn with_name(name: &str) -> String {
        let mut state = State::new(1);
        state.add(&failed(4, "a", "200, signed", 9), &at(1));
        state.findings[0].name = name.to_owned();
        serde_json::to_string(&state).unwrap()
    }

    #[rstest::rstest]
    #[case("", "no state of a campaign: EOF while parsing a value at line 1 column 0")]
    #[case("{}", "no state of a campaign: missing field `format` at line 1 column 2")]
    #[case(
        "{\"format\": \"sipae-campaign/2\"}",
        "unknown format \"sipae-campaign/2\": this program reads \"sipae-campaign/1\""
    )]
    #[case(
        "{\"format\": \"sipae-campaign/1\"}",
        "no state of a campaign: missing field `seed` at line 1 column 30"
    )]
    #[case(&with_name("../elsewhere"), "a finding called \"../elsewhere\": that is no name of a folder")]
    #[case(&with_name(".."), "a finding called \"..\": that is no name of a folder")]
    #[case(&with_name(""), "a finding called \"\": that is no name of a folder")]
    fn another_file_says_why_it_is_none(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(State::read(text).unwrap_err().to_string(), expected);
    }
}
