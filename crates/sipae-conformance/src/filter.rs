//! Which cases run, and with which schemes.

use std::collections::BTreeSet;
use std::sync::Arc;

use sipae_spec::{Level, Requirement, Role};

/// A choice of cases. Several values of one kind are alternatives; all kinds that are given must hold; the default
/// chooses everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Parts of the id of a case.
    pub ids: Vec<String>,
    /// Sections of the specification with what is below them: `3.3.5` covers `3.3.5.1`, and not `3.3.51`.
    pub sections: Vec<String>,
    /// Levels that a row of the case has.
    pub levels: Vec<Level>,
    /// Roles that the case or a row of it has.
    pub roles: Vec<Role>,
    /// Schemes, in whatever letter case.
    pub schemes: Vec<String>,
    /// Whole ids of cases: only these.
    pub exactly: Option<Arc<BTreeSet<String>>>,
}

impl Filter {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a case with this id, these rows and this role is chosen.
    #[must_use]
    pub fn selects(&self, id: &str, requirements: &[&'static str], role: Role) -> bool {
        self.selects_of(&[id], requirements, role)
    }

    /// The same for a case that goes by several names, the id first: parts of any of them choose it.
    #[must_use]
    pub fn selects_of(&self, names: &[&str], requirements: &[&'static str], role: Role) -> bool {
        let rows = || requirements.iter().filter_map(|id| Requirement::get(id));
        let is_exact = |ids: &Arc<BTreeSet<String>>| names.first().is_some_and(|id| ids.contains(*id));
        self.exactly.as_ref().is_none_or(is_exact)
            && holds(&self.ids, |part| names.iter().any(|name| name.contains(part.as_str())))
            && holds(&self.sections, |section| rows().any(|row| is_within(row.section_number(), section)))
            && holds(&self.levels, |level| rows().any(|row| row.level == *level))
            && holds(&self.roles, |wanted| role == *wanted || rows().any(|row| row.role == *wanted))
    }

    /// Whether cases run with this scheme.
    #[must_use]
    pub fn selects_scheme(&self, scheme: &str) -> bool {
        holds(&self.schemes, |wanted| wanted.eq_ignore_ascii_case(scheme))
    }
}

/// Whether one of the values holds; no value asks for nothing.
fn holds<T>(values: &[T], is_met: impl FnMut(&T) -> bool) -> bool {
    values.is_empty() || values.iter().any(is_met)
}

fn is_within(number: &str, section: &str) -> bool {
    number.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Its row is a MUST of servers.
    fn selects(filter: &Filter) -> bool {
        filter.selects("3.3.5.1/bare-ack", &["SIPAE-3.3.5.1-03"], Role::Server)
    }

    fn ids(ids: &[&str]) -> Filter {
        Filter { ids: ids.iter().map(ToString::to_string).collect(), ..Filter::default() }
    }

    fn section(section: &str) -> Filter {
        Filter { sections: vec![section.to_owned()], ..Filter::default() }
    }

    #[test]
    fn the_empty_filter_chooses_everything() {
        assert!(Filter::default().is_empty() && selects(&Filter::default()));
        assert!(Filter::default().selects_scheme("NTLM"));
    }

    #[rstest]
    #[case(&["bare"], true)]
    #[case(&["no-such", "ack"], true)]
    #[case(&["no-such"], false)]
    fn one_of_the_parts_must_be_in_the_id(#[case] parts: &[&str], #[case] chosen: bool) {
        assert_eq!(selects(&ids(parts)), chosen);
    }

    #[rstest]
    #[case("3.3.5.1", true)]
    #[case("3.3.5", true)]
    #[case("3", true)]
    #[case("3.3.5.", false)]
    #[case("3.3.5.1.1", false)]
    #[case("3.3.5.11", false)]
    #[case("3.3.5.2", false)]
    #[case(".3", false)]
    fn a_section_covers_itself_and_what_is_below(#[case] number: &str, #[case] chosen: bool) {
        assert_eq!(selects(&section(number)), chosen, "{number}");
    }

    #[test]
    fn a_section_number_is_no_text_that_another_begins_with() {
        assert!(!section("3.3.5.1").selects("x", &["SIPAE-3.3.5.2-01"], Role::Server));
        assert!(!is_within("3.3.51", "3.3.5") && is_within("D.2", "D"));
    }

    #[test]
    fn all_kinds_must_hold_and_values_of_one_kind_are_alternatives() {
        let levels = |levels: &[Level]| Filter { levels: levels.to_vec(), ..ids(&["bare-ack"]) };
        assert!(selects(&levels(&[Level::May, Level::Must])));
        assert!(!selects(&levels(&[Level::May])));
        assert!(!selects(&Filter { ids: vec!["x".to_owned()], ..levels(&[Level::Must]) }));
    }

    #[test]
    fn the_role_is_that_of_the_case_or_of_a_row() {
        let roles = |role| Filter { roles: vec![role], ..Filter::default() };
        assert!(selects(&roles(Role::Server)) && !selects(&roles(Role::Client)));
        let row_of_both = "SIPAE-3.1.1-01";
        let role = Requirement::get(row_of_both).expect("a row").role;
        assert!(roles(role).selects("x", &[row_of_both], Role::Server));
        assert!(roles(Role::Server).selects("x", &[row_of_both], Role::Server));
    }

    #[test]
    fn schemes_are_chosen_in_whatever_letter_case() {
        let filter = Filter { schemes: vec!["ntlm".to_owned()], ..Filter::default() };
        assert!(filter.selects_scheme("NTLM") && !filter.selects_scheme("TLS-DSK"));
    }
}
