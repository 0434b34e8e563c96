//! Whether a requirement is tested, and if not, why not.

use crate::requirement::Requirement;

/// What stands for a requirement: cases, or the reason that there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage<'a> {
    /// The cases that name it, at least one.
    Cases(Vec<&'a str>),
    /// No case names it, for this reason.
    Reason(&'static str),
    /// Neither a case nor a reason: a hole in the catalogue.
    Open,
}

/// What stands for `requirement`, given the ids of the cases that name it.
#[must_use]
pub fn coverage<'a>(requirement: &Requirement, cases: impl Iterator<Item = &'a str>) -> Coverage<'a> {
    let cases: Vec<_> = cases.collect();
    if !cases.is_empty() {
        return Coverage::Cases(cases);
    }
    requirement.reason().map_or(Coverage::Open, Coverage::Reason)
}

#[cfg(test)]
mod tests {
    use core::iter;

    use super::*;
    use crate::requirement::requirements;

    #[test]
    fn every_row_without_a_case_has_a_reason() {
        for row in requirements() {
            assert!(
                matches!(coverage(row, iter::empty()), Coverage::Reason(why) if !why.is_empty()),
                "{}",
                row.id
            );
        }
    }

    #[test]
    fn a_case_replaces_the_reason() {
        let row = Requirement::get("SIPAE-3.3.5.1-03").unwrap();
        let cases = ["3.3.5.1/bare-ack", "3.3.5.1/bare-cancel"];
        assert_eq!(coverage(row, cases.into_iter()), Coverage::Cases(cases.to_vec()));
    }
}
