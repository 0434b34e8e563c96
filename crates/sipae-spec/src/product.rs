//! What real products do about the rows of the catalogue.

use crate::catalogue;
use crate::requirement::Requirement;

/// Something that was seen of products, or that their documentation says.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Product {
    /// The requirements that it belongs to.
    pub ids: &'static [&'static str],
    /// Which products.
    pub products: &'static str,
    /// What they do.
    pub text: &'static str,
}

/// Everything that is known, in the order of the table.
#[must_use]
pub fn products() -> &'static [Product] {
    catalogue::PRODUCTS
}

impl Requirement {
    /// What products do about this row.
    pub fn products(&self) -> impl Iterator<Item = &'static Product> + use<> {
        let id = self.id;
        products().iter().filter(move |product| product.ids.contains(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_products_do_is_found_by_each_of_its_rows() {
        assert!(40 <= products().len());
        for product in products() {
            for id in product.ids {
                let row = Requirement::get(id).unwrap();
                assert!(row.products().any(|found| found == product), "{id}");
            }
        }
    }

    #[test]
    fn a_row_has_only_what_is_about_it() {
        let row = Requirement::get("SIPAE-3.3.5.3-04").unwrap();
        assert!(row.products().any(|product| product.products.contains("OfficeSIP")));
        assert_eq!(Requirement::get("SIPAE-3.3.5.1-03").unwrap().products().count(), 0);
    }
}
