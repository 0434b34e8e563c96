//! What the marks of a row's sources stand for.

use crate::requirement::{Profile, Requirement};

/// One of the sources of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The mark as the row has it, without brackets: `learn`, `RFC 3261 7.5`.
    pub mark: &'static str,
    /// What it stands for.
    pub meaning: &'static str,
}

/// First word of a mark and what it stands for. Longer words stand before their beginnings.
const MEANINGS: &[(&str, &str)] = &[
    ("learn*", "a published page of [MS-SIPAE] that was seen, carried over to a section that was not"),
    ("learn", "a published page of [MS-SIPAE] or of a named sister document, read at least in part"),
    ("mssip", "MS-SIP section 3.1, the older twin of the scheme, full text"),
    ("sipe", "the source of the pidgin-sipe client"),
    ("officesip", "the source of the OfficeSIP server"),
    ("trueconf", "the source of TrueConf, a client of NTLM version 4"),
    ("trace", "messages of real Microsoft servers and clients"),
    ("computed", "recomputed and checked against another source"),
    ("copy", "text of the document, second hand"),
    ("patent", "EP1267548A2, paragraph or claim"),
    ("recalled", "own knowledge or inference; no text was seen"),
    ("gss-ntlmssp", "the issues of the gss-ntlmssp library"),
    ("RFC", "the RFC of that number"),
    ("KB", "a knowledge base article of Microsoft"),
    ("MS", "documentation of Microsoft: open specifications and support articles"),
];

impl Requirement {
    /// Where the row is known from, mark by mark.
    pub fn sources(&self) -> impl Iterator<Item = Source> + use<> {
        let whole = (self.profile == Profile::Patent).then_some(self.source);
        let patent = whole.map(|mark| Source { mark, meaning: meaning("patent") });
        let source = if patent.is_some() { "" } else { self.source };
        let marks = source.split('[').filter_map(|part| part.split_once(']')).map(|(mark, _)| mark);
        patent.into_iter().chain(marks.map(|mark| Source { mark, meaning: meaning(mark) }))
    }
}

fn meaning(mark: &str) -> &'static str {
    let is_meant =
        |word: &str| mark.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    let found = MEANINGS.iter().find(|(word, _)| is_meant(word));
    found.map_or("", |(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::requirements;

    #[test]
    fn every_row_has_sources_and_every_mark_a_meaning() {
        for row in requirements() {
            assert_ne!(row.sources().count(), 0, "{}", row.id);
            for source in row.sources() {
                assert!(!source.meaning.is_empty(), "{}: {}", row.id, source.mark);
            }
        }
    }

    #[test]
    fn marks_are_told_apart() {
        let marks =
            |id: &str| Requirement::get(id).unwrap().sources().map(|source| source.mark).collect::<Vec<_>>();
        assert_eq!(marks("SIPAE-2.2-01"), ["learn*", "officesip", "recalled"]);
        assert_eq!(marks("PATENT-0001"), ["¶17, 42; claims 1, 16"]);
        assert!(meaning("learn*").contains("carried over") && meaning("learn 4.1").contains("read at least"));
        assert!(meaning("MS-NLMP 3.4").starts_with("documentation"));
    }
}
