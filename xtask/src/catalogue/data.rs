//! The tables as read, and what must hold between them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use sipae_spec::{Confidence, Level, Profile, ReactionClass, Role};
use toml::{Table, Value};

pub(super) const REQUIREMENTS: &str = "requirements.toml";
pub(super) const REACTIONS: &str = "legal-reactions.toml";
pub(super) const COVERAGE: &str = "coverage.toml";
pub(super) const PRODUCTS: &str = "products.toml";

/// A table that does not make sense; one line that names file, row and value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadData {
    file: &'static str,
    row: String,
    problem: String,
}

impl BadData {
    fn new(file: &'static str, row: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { file, row: row.into(), problem: problem.into() }
    }
}

impl fmt::Display for BadData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.problem.replace('\n', " ");
        write!(f, "{}: {}: {problem}", self.file, self.row)
    }
}

impl std::error::Error for BadData {}

type Result<T> = std::result::Result<T, BadData>;

/// The tables together, consistent and every requirement with its reason.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) requirements: Vec<RequirementRow>,
    pub(super) reactions: Vec<LegalRow>,
    pub(super) products: Vec<ProductRow>,
}

/// The text of each table.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) requirements: &'a str,
    pub(super) reactions: &'a str,
    pub(super) coverage: &'a str,
    pub(super) products: &'a str,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequirementRow {
    pub(super) id: String,
    #[serde(deserialize_with = "word")]
    pub(super) profile: Profile,
    pub(super) section: String,
    #[serde(deserialize_with = "word")]
    pub(super) role: Role,
    #[serde(deserialize_with = "word")]
    pub(super) level: Level,
    pub(super) level_known: bool,
    pub(super) text: String,
    pub(super) check: String,
    pub(super) negative: String,
    pub(super) source: String,
    #[serde(deserialize_with = "word")]
    pub(super) confidence: Confidence,
    /// Why no case tests it; from the table of reasons.
    #[serde(skip)]
    pub(super) reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LegalRow {
    pub(super) id: String,
    #[serde(deserialize_with = "words")]
    pub(super) legal: Vec<ReactionClass>,
    #[serde(deserialize_with = "word")]
    pub(super) preferred: ReactionClass,
    pub(super) note: String,
}

/// What products do about some rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductRow {
    pub(super) id: Vec<String>,
    pub(super) products: String,
    pub(super) text: String,
}

/// A reason and the rows it is for; a selector that is absent selects everything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonRow {
    id: Option<OneOrMany>,
    section: Option<OneOrMany>,
    #[serde(default, deserialize_with = "optional_word")]
    role: Option<Role>,
    #[serde(default, deserialize_with = "optional_word")]
    profile: Option<Profile>,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Catalogue {
    pub(super) fn from_tables(tables: Tables<'_>) -> Result<Self> {
        let mut requirements: Vec<RequirementRow> = rows(REQUIREMENTS, "requirement", tables.requirements)?;
        let reactions: Vec<LegalRow> = rows(REACTIONS, "reaction", tables.reactions)?;
        let ids = unique(REQUIREMENTS, requirements.iter().map(|row| row.id.as_str()))?;
        unique(REACTIONS, reactions.iter().map(|row| row.id.as_str()))?;
        reactions.iter().try_for_each(|row| row.check(&ids))?;
        let reasons: Vec<ReasonRow> = rows(COVERAGE, "reason", tables.coverage)?;
        for (reason, number) in reasons.iter().zip(1..) {
            let row = format!("reason {number}");
            reason.check(&ids).map_err(|problem| BadData::new(COVERAGE, &row, problem))?;
            reason.give(&mut requirements).map_err(|problem| BadData::new(COVERAGE, &row, problem))?;
        }
        all_have_reasons(&requirements)?;
        let products: Vec<ProductRow> = rows(PRODUCTS, "product", tables.products)?;
        for (product, number) in products.iter().zip(1..) {
            let problem = |problem| BadData::new(PRODUCTS, format!("product {number}"), problem);
            product.check(&ids).map_err(problem)?;
        }
        Ok(Self { requirements, reactions, products })
    }
}

impl RequirementRow {
    fn section_number(&self) -> &str {
        self.section.split(' ').next().unwrap_or_default()
    }
}

impl LegalRow {
    fn check(&self, ids: &BTreeSet<String>) -> Result<()> {
        let bad = |problem: String| Err(BadData::new(REACTIONS, &self.id, problem));
        if !ids.contains(&self.id) {
            return bad("no such requirement".to_owned());
        }
        if !self.legal.contains(&self.preferred) {
            return bad(format!("preferred `{}` is not in legal", self.preferred));
        }
        Ok(())
    }
}

impl ProductRow {
    fn check(&self, ids: &BTreeSet<String>) -> std::result::Result<(), String> {
        let texts = [("products", &self.products), ("text", &self.text)];
        if let Some((key, _)) = texts.into_iter().find(|(_, text)| text.is_empty()) {
            return Err(format!("{key} is empty"));
        }
        match self.id.iter().find(|id| !ids.contains(*id)) {
            Some(id) => Err(format!("no such requirement `{id}`")),
            None if self.id.is_empty() => Err("id is empty".to_owned()),
            None => Ok(()),
        }
    }
}

impl ReasonRow {
    fn check(&self, ids: &BTreeSet<String>) -> std::result::Result<(), String> {
        if self.why.is_empty() {
            return Err("why is empty".to_owned());
        }
        let named = self.id.iter().flat_map(OneOrMany::values);
        match named.into_iter().find(|id| !ids.contains(*id)) {
            Some(id) => Err(format!("no such requirement `{id}`")),
            None => Ok(()),
        }
    }

    /// Gives the reason to every row that matches and has none yet.
    fn give(&self, requirements: &mut [RequirementRow]) -> std::result::Result<(), String> {
        let mut given = false;
        for row in requirements.iter_mut().filter(|row| row.reason.is_empty() && self.selects(row)) {
            row.reason.clone_from(&self.why);
            given = true;
        }
        if given { Ok(()) } else { Err(format!("selects no row that is without a reason: `{}`", self.why)) }
    }

    fn selects(&self, row: &RequirementRow) -> bool {
        self.id.as_ref().is_none_or(|id| id.holds(&row.id))
            && self.section.as_ref().is_none_or(|section| section.holds(row.section_number()))
            && self.role.is_none_or(|role| role == row.role)
            && self.profile.is_none_or(|profile| profile == row.profile)
    }
}

impl OneOrMany {
    fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    fn holds(&self, wanted: &str) -> bool {
        self.values().iter().any(|value| value == wanted)
    }
}

/// Reads the rows of `[[key]]`, the only key that the file may have.
fn rows<T: DeserializeOwned>(file: &'static str, key: &str, text: &str) -> Result<Vec<T>> {
    let table: Table = text.parse().map_err(|error| syntax(file, text, &error))?;
    if let Some(other) = table.keys().find(|present| *present != key) {
        return Err(BadData::new(file, format!("key `{other}`"), format!("expected `[[{key}]]`")));
    }
    let Some(Value::Array(rows)) = table.get(key) else {
        return Err(BadData::new(file, format!("key `{key}`"), "no rows"));
    };
    rows.iter().zip(1..).map(|(row, number)| one_row(file, key, number, row)).collect()
}

fn one_row<T: DeserializeOwned>(file: &'static str, key: &str, number: usize, row: &Value) -> Result<T> {
    let id = row.get("id").and_then(Value::as_str);
    let name = id.map_or_else(|| format!("{key} {number}"), str::to_owned);
    row.clone().try_into().map_err(|error: toml::de::Error| BadData::new(file, name, in_key(&error)))
}

/// The message of the library and the key it is about, which only its several lines of text name.
fn in_key(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let key = text.lines().find_map(|line| line.strip_prefix("in ")).unwrap_or_default();
    if key.is_empty() { error.message().to_owned() } else { format!("{key}: {}", error.message()) }
}

fn syntax(file: &'static str, text: &str, error: &toml::de::Error) -> BadData {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|octet| *octet == b'\n').count() + 1;
    BadData::new(file, format!("line {line}"), error.message())
}

fn unique<'a>(file: &'static str, ids: impl Iterator<Item = &'a str>) -> Result<BTreeSet<String>> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id.to_owned()) {
            return Err(BadData::new(file, id, "id occurs twice"));
        }
    }
    Ok(seen)
}

fn all_have_reasons(requirements: &[RequirementRow]) -> Result<()> {
    match requirements.iter().find(|row| row.reason.is_empty()) {
        Some(row) => Err(BadData::new(COVERAGE, &row.id, "no reason selects this requirement")),
        None => Ok(()),
    }
}

fn word<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    from: D,
) -> std::result::Result<T, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

fn optional_word<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    from: D,
) -> std::result::Result<Option<T>, D::Error> {
    word(from).map(Some)
}

fn words<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    from: D,
) -> std::result::Result<Vec<T>, D::Error> {
    let words = Vec::<String>::deserialize(from)?;
    words.iter().map(|word| word.parse().map_err(D::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"
        [[requirement]]
        id = "SIPAE-1-01"
        profile = "sipae"
        section = "1 Introduction"
        role = "server"
        level = "MUST NOT"
        level_known = true
        text = "Do not."
        check = ""
        negative = ""
        source = ""
        confidence = "high"
    "#;
    const LEGAL: &str = r#"
        [[reaction]]
        id = "SIPAE-1-01"
        legal = ["drop", "status-4xx"]
        preferred = "drop"
        note = ""
    "#;
    const REASON: &str = "[[reason]]\nwhy = \"planned\"";

    const PRODUCT: &str = "[[product]]\nid = ['SIPAE-1-01']\nproducts = 'p'\ntext = 't'";

    fn catalogue(requirements: &str, reactions: &str, coverage: &str, products: &str) -> Result<Catalogue> {
        Catalogue::from_tables(Tables { requirements, reactions, coverage, products })
    }

    fn problem(requirements: &str, reactions: &str, coverage: &str) -> String {
        catalogue(requirements, reactions, coverage, PRODUCT).unwrap_err().to_string()
    }

    #[test]
    fn consistent_tables_are_read() {
        let catalogue = catalogue(ROW, LEGAL, REASON, PRODUCT).unwrap();
        assert_eq!(catalogue.requirements[0].level, Level::MustNot);
        assert_eq!(catalogue.requirements[0].reason, "planned");
        assert_eq!(catalogue.reactions[0].legal[1], ReactionClass::StatusClass(4));
    }

    #[test]
    fn a_bad_requirement_is_named_with_its_value() {
        let bad = |from, to| problem(&ROW.replace(from, to), LEGAL, REASON);
        let expect = |text| format!("requirements.toml: SIPAE-1-01: {text}");
        assert_eq!(bad("MUST NOT", "MUSTNT"), expect("`level`: unknown level `MUSTNT`"));
        assert_eq!(bad("server", "proxy"), expect("`role`: unknown role `proxy`"));
        assert!(bad("negative", "negativ").starts_with(&expect("unknown field `negativ`")));
        assert_eq!(
            bad("[[requirement]]", "[[req]]"),
            "requirements.toml: key `req`: expected `[[requirement]]`"
        );
        assert_eq!(problem(&ROW.repeat(2), LEGAL, REASON), expect("id occurs twice"));
    }

    #[test]
    fn a_bad_reaction_is_named_with_its_value() {
        let bad = |from, to| problem(ROW, &LEGAL.replace(from, to), REASON);
        let expect = |text| format!("legal-reactions.toml: SIPAE-1-01: {text}");
        assert_eq!(bad("status-4xx", "status-9xx"), expect("`legal`: unknown reaction `status-9xx`"));
        assert_eq!(bad("red = \"drop\"", "red = \"close\""), expect("preferred `close` is not in legal"));
        assert_eq!(bad("1-01", "1-02"), "legal-reactions.toml: SIPAE-1-02: no such requirement");
    }

    #[test]
    fn a_reason_must_select_something_and_leave_nothing_over() {
        let bad = |coverage| problem(ROW, LEGAL, coverage);
        let missing = "coverage.toml: reason 1: selects no row that is without a reason: `w`";
        assert_eq!(bad("[[reason]]\nsection = '1.2'\nwhy = 'w'"), missing);
        let unknown = "coverage.toml: reason 1: no such requirement `X`";
        assert_eq!(bad("[[reason]]\nid = ['SIPAE-1-01', 'X']\nwhy = 'w'"), unknown);
        assert_eq!(bad("reason = []"), "coverage.toml: SIPAE-1-01: no reason selects this requirement");
    }

    #[test]
    fn an_entry_about_products_must_be_about_rows_and_say_something() {
        let bad =
            |from, to| catalogue(ROW, LEGAL, REASON, &PRODUCT.replace(from, to)).unwrap_err().to_string();
        assert_eq!(bad("1-01", "1-02"), "products.toml: product 1: no such requirement `SIPAE-1-02`");
        assert_eq!(bad("['SIPAE-1-01']", "[]"), "products.toml: product 1: id is empty");
        assert_eq!(bad("'t'", "''"), "products.toml: product 1: text is empty");
    }

    #[test]
    fn broken_syntax_is_named_by_line() {
        let error = problem("\n[[requirement]]\nid = SIPAE", LEGAL, REASON);
        assert!(error.starts_with("requirements.toml: line 3: "), "{error}");
        assert!(!error.contains('\n'));
    }
}
