//! Rows of the requirement catalogue.

use crate::catalogue;
use crate::reaction::LegalReactions;
use crate::words::words;

words! { "profile"
    /// The document a row belongs to.
    pub enum Profile {
        /// The published protocol, [MS-SIPAE] v9.1.
        Sipae = "sipae",
        /// The original design, EP1267548A2, which differs from what was published.
        Patent = "patent",
    }
}

words! { "role"
    /// Who has to keep a row. A case may look at it through another role.
    pub enum Role {
        /// The side that challenges.
        Server = "server",
        /// The side that answers challenges.
        Client = "client",
        /// A pure function: parse, build the buffer, sign, verify.
        Codec = "codec",
        /// Server and client alike.
        Both = "both",
    }
}

words! { "level"
    /// Requirement level, RFC 2119.
    pub enum Level {
        /// An absolute requirement (RFC 2119 section 1).
        Must = "MUST",
        /// An absolute prohibition (RFC 2119 section 2).
        MustNot = "MUST NOT",
        /// Ignored only for a good reason (RFC 2119 section 3).
        Should = "SHOULD",
        /// Done only for a good reason (RFC 2119 section 4).
        ShouldNot = "SHOULD NOT",
        /// Truly optional (RFC 2119 section 5).
        May = "MAY",
    }
}

words! { "confidence"
    /// How sure the catalogue is that the row says what the document says.
    pub enum Confidence {
        /// Well supported by its sources.
        High = "high",
        /// Supported, with a doubt left about a detail.
        Medium = "medium",
        /// A guess; nobody fails on it.
        Low = "low",
    }
}

words! { "weight"
    /// What it means for a target that a row is broken, heaviest first.
    pub enum Weight {
        /// The target fails.
        Fail = "fail",
        /// A remark; the target passes loosely.
        Loose = "loose",
        /// Written down, nothing more.
        Record = "record",
    }
}

/// One row of the requirement catalogue.
///
/// Rows exist only as data of this crate, so a row in hand is always one that [`Requirement::get`] finds.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirement {
    /// Stable id: document, section, number (`SIPAE-3.3.5.1-03`, `PATENT-0007`).
    pub id: &'static str,
    /// The document it belongs to.
    pub profile: Profile,
    /// Section number and title, see [`section_number`](Self::section_number).
    pub section: &'static str,
    /// Who has to keep it.
    pub role: Role,
    /// Requirement level, RFC 2119.
    pub level: Level,
    /// False where the behaviour is likely but the level is a reconstruction.
    pub level_known: bool,
    /// The rule, in our own words.
    pub text: &'static str,
    /// How a tester sees that it is kept.
    pub check: &'static str,
    /// How a tester provokes that it is broken; may be empty.
    pub negative: &'static str,
    /// Where the rule is known from, as bracketed marks (`[mssip][trace]`).
    pub source: &'static str,
    /// How sure the catalogue is.
    pub confidence: Confidence,
}

/// Every requirement, in the order of the catalogue, which is that of the sections.
#[must_use]
pub fn requirements() -> &'static [Requirement] {
    catalogue::REQUIREMENTS
}

impl Requirement {
    /// The requirement with this id, in exactly this spelling.
    #[must_use]
    pub fn get(id: &str) -> Option<&'static Self> {
        catalogue::REQUIREMENTS.get(catalogue::place(id)?)
    }

    /// The number at the beginning of [`section`](Self::section): `3.3.5.1`, `D.2`.
    #[must_use]
    pub fn section_number(&self) -> &'static str {
        self.section.split_once(' ').map_or(self.section, |(number, _)| number)
    }

    /// Every reaction that a correct product may show, for the rows that are about a reaction.
    #[must_use]
    pub fn legal(&self) -> Option<&'static LegalReactions> {
        LegalReactions::get(self.id)
    }

    /// Why the row is not tested where no case names it.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        catalogue::find(catalogue::REASONS, self.id, |(known, _)| known).map(|(_, why)| *why)
    }

    /// What it means that the row is broken, under the ordinary rules.
    ///
    /// Only a MUST or MUST NOT that is not [reconstructed](Self::is_reconstructed) fails a target: failing a
    /// product on a guess would be worse than missing a fault.
    #[must_use]
    pub fn weight_when_broken(&self) -> Weight {
        self.weight(false)
    }

    /// What it means that the row is broken; `strict` makes SHOULD and SHOULD NOT fail like MUST.
    #[must_use]
    pub fn weight(&self, strict: bool) -> Weight {
        match self.level {
            Level::May => Weight::Record,
            _ if self.is_reconstructed() => Weight::Loose,
            Level::Must | Level::MustNot => Weight::Fail,
            Level::Should | Level::ShouldNot if strict => Weight::Fail,
            Level::Should | Level::ShouldNot => Weight::Loose,
        }
    }

    /// Whether the level is not known, or the row as a whole is of low confidence.
    #[must_use]
    pub fn is_reconstructed(&self) -> bool {
        !self.level_known || self.confidence == Confidence::Low
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn row(id: &str) -> &'static Requirement {
        Requirement::get(id).unwrap()
    }

    fn altered(id: &str, level: Level, level_known: bool, confidence: Confidence) -> Requirement {
        let row = row(id);
        Requirement { level, level_known, confidence, ..*row }
    }

    #[test]
    fn the_catalogue_has_393_rows_with_unique_ids() {
        let ids: BTreeSet<_> = requirements().iter().map(|row| row.id).collect();
        assert_eq!(requirements().len(), 393);
        assert_eq!(ids.len(), 393);
    }

    #[test]
    fn every_requirement_is_found_by_its_id_and_no_other() {
        for row in requirements() {
            assert!(core::ptr::eq(Requirement::get(row.id).unwrap(), row));
        }
        for other in ["", "SIPAE-3.3.5.1", "sipae-3.3.5.1-01", "SIPAE-3.3.5.1-99"] {
            assert_eq!(Requirement::get(other), None);
        }
    }

    #[test]
    fn the_id_of_a_published_row_holds_its_section_number() {
        for row in requirements().iter().filter(|row| row.profile == Profile::Sipae) {
            let number = row.section_number();
            assert!(row.id.starts_with(&format!("SIPAE-{number}-")), "{}: {number}", row.id);
        }
        assert_eq!(row("PATENT-0001").section_number(), "D.2");
    }

    #[test]
    fn words_are_read_back_as_written() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(*level));
        }
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(*role));
        }
        assert_eq!(Level::MustNot.to_string(), "MUST NOT");
        assert_eq!("high".parse(), Ok(Confidence::High));
        assert_eq!("patent".parse(), Ok(Profile::Patent));
    }

    #[test]
    fn an_unknown_word_is_named_with_its_vocabulary() {
        let error = "must".parse::<Level>().unwrap_err();
        assert_eq!(error.to_string(), "unknown level `must`");
        assert_eq!(error.value(), "must");
    }

    #[test]
    fn only_a_known_must_of_good_confidence_fails() {
        let weight = |level, known, confidence| {
            altered("SIPAE-3.3.5.1-01", level, known, confidence).weight_when_broken()
        };
        assert_eq!(weight(Level::Must, true, Confidence::High), Weight::Fail);
        assert_eq!(weight(Level::MustNot, true, Confidence::Medium), Weight::Fail);
        assert_eq!(weight(Level::Must, true, Confidence::Low), Weight::Loose);
        assert_eq!(weight(Level::Must, false, Confidence::High), Weight::Loose);
        assert_eq!(weight(Level::Should, true, Confidence::High), Weight::Loose);
        assert_eq!(weight(Level::May, true, Confidence::High), Weight::Record);
    }

    #[test]
    fn strict_makes_a_known_should_fail_and_nothing_that_is_reconstructed() {
        let weight = |level, known| altered("SIPAE-3.3.5.1-01", level, known, Confidence::High).weight(true);
        assert_eq!(weight(Level::Should, true), Weight::Fail);
        assert_eq!(weight(Level::ShouldNot, true), Weight::Fail);
        assert_eq!(weight(Level::Should, false), Weight::Loose);
        assert_eq!(weight(Level::Must, false), Weight::Loose);
        assert_eq!(weight(Level::May, true), Weight::Record);
    }
}
