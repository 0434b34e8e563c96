//! The statics as text. Long strings defeat the formatter, so each static is exempt from it.

use super::data::{Catalogue, LegalRow, PRODUCTS, ProductRow, REACTIONS, REQUIREMENTS, RequirementRow};

pub(super) fn requirements(catalogue: &Catalogue) -> String {
    let mut out = head(REQUIREMENTS);
    out += "use crate::requirement::{Confidence, Level, Profile, Requirement, Role};\n";
    table(&mut out, "REQUIREMENTS", "Requirement", "In the order of the catalogue.", || {
        catalogue.requirements.iter().map(requirement)
    });
    out
}

pub(super) fn reactions(catalogue: &Catalogue) -> String {
    let mut rows: Vec<_> = catalogue.reactions.iter().collect();
    rows.sort_by_key(|row| &row.id);
    let mut out = head(REACTIONS);
    out += "use crate::reaction::{LegalReactions, ReactionClass};\n";
    table(&mut out, "REACTIONS", "LegalReactions", "Sorted by id.", || rows.into_iter().map(legal));
    out
}

pub(super) fn coverage(catalogue: &Catalogue) -> String {
    let mut out = head(super::data::COVERAGE);
    table(&mut out, "REASONS", "(&str, &str)", "Id and reason, sorted by id.", || {
        by_id(catalogue).into_iter().map(|row| format!("    ({:?}, {:?}),\n", row.id, row.reason))
    });
    out
}

pub(super) fn products(catalogue: &Catalogue) -> String {
    let mut out = head(PRODUCTS);
    out += "use crate::product::Product;\n";
    table(&mut out, "PRODUCTS", "Product", "In the order of the table.", || {
        catalogue.products.iter().map(product)
    });
    out
}

fn by_id(catalogue: &Catalogue) -> Vec<&RequirementRow> {
    let mut rows: Vec<_> = catalogue.requirements.iter().collect();
    rows.sort_by_key(|row| &row.id);
    rows
}

fn head(table: &str) -> String {
    format!("//! Written by `cargo xtask catalogue` from `data/{table}`; edit that.\n\n")
}

/// Appends a static slice; `rows` gives each row as complete lines.
fn table<I: Iterator<Item = String>>(
    out: &mut String,
    name: &str,
    of: &str,
    doc: &str,
    rows: impl FnOnce() -> I,
) {
    let gap = if out.ends_with("\n\n") { "" } else { "\n" };
    let open = format!("{gap}/// {doc}\n#[rustfmt::skip]\npub(crate) static {name}: &[{of}] = &[\n");
    out.push_str(&open);
    out.extend(rows());
    out.push_str("];\n");
}

fn requirement(row: &RequirementRow) -> String {
    let mut out = String::from("    Requirement {\n");
    let values = [
        ("profile", format!("Profile::{:?}", row.profile)),
        ("section", format!("{:?}", row.section)),
        ("role", format!("Role::{:?}", row.role)),
        ("level", format!("Level::{:?}", row.level)),
        ("level_known", row.level_known.to_string()),
        ("text", format!("{:?}", row.text)),
        ("check", format!("{:?}", row.check)),
        ("negative", format!("{:?}", row.negative)),
        ("source", format!("{:?}", row.source)),
        ("confidence", format!("Confidence::{:?}", row.confidence)),
    ];
    fields(&mut out, &row.id, &values);
    out
}

fn legal(row: &LegalRow) -> String {
    let mut out = String::from("    LegalReactions {\n");
    let legal: Vec<_> = row.legal.iter().map(|reaction| format!("ReactionClass::{reaction:?}")).collect();
    let values = [
        ("legal", format!("&[{}]", legal.join(", "))),
        ("preferred", format!("ReactionClass::{:?}", row.preferred)),
        ("note", format!("{:?}", row.note)),
    ];
    fields(&mut out, &row.id, &values);
    out
}

fn product(row: &ProductRow) -> String {
    let ProductRow { id, products, text } = row;
    format!(
        "    Product {{\n        ids: &{id:?},\n        products: {products:?},\n        text: {text:?},\n    }},\n"
    )
}

fn fields(out: &mut String, id: &str, values: &[(&str, String)]) {
    out.push_str(&format!("        id: {id:?},\n"));
    for (name, value) in values {
        out.push_str(&format!("        {name}: {value},\n"));
    }
    out.push_str("    },\n");
}
