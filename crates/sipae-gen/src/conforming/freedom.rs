//! The freedoms of whoever writes.

macro_rules! freedoms {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One freedom of whoever writes. Without any of them what is made is as plain as it gets; its values are still drawn.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Freedom {
            $($(#[$doc])* $name,)*
        }

        impl Freedom {
            /// Every freedom.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

freedoms! {
    /// Names of header fields and parameters in any letter case, and compact names.
    Names,
    /// Blanks between the parts of a value.
    Blanks,
    /// Folds there.
    Folds,
    /// The scheme in any letter case. Readers have to take it, and writers must not write it: a careful reader remarks
    /// a deviation, `scheme-spelling`. The scheme of a signed field is covered as it is written.
    Scheme,
    /// `qop` without quotation marks. Readers have to take it, and writers do not write it: a careful reader remarks a
    /// deviation, `value-unquoted`.
    BareQop,
    /// Values that hold backslashes.
    Backslashes,
    /// Header fields or parameters in any order.
    Order,
    /// Display names, parameters and URIs that hold what looks like a tag.
    Tags,
    /// Identities: asserted and preferred ones, several of them, in one line or two, with and without brackets.
    Identities,
    /// A body that looks like header fields.
    Body,
    /// Characters beyond ASCII, and percent-encoded ones.
    Octets,
    /// Expires, or a Contact that has one of its own.
    Expires,
    /// Values that hold separators.
    Separators,
    /// Parameters and header fields that nobody knows.
    Unknown,
    /// Blanks around the equals sign of a parameter; some products do not find the value then.
    Equals,
    /// Folds inside quoted values, at their blanks: a fold reads as one blank.
    ValueFolds,
    /// The orders of parameters and the separators of products.
    Products,
    /// Hexadecimal digits in either letter case.
    Digits,
    /// Values at their limits: the least and the greatest numbers, the shortest and very long texts.
    Limits,
    /// Authentication header fields in messages, several of them and in both sets.
    Credentials,
    /// What identifies an endpoint: epid, `+sip.instance`, GRUU.
    Endpoints,
    /// Several lines of header fields that hold lists.
    Lines,
}

/// The freedoms that are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freedoms(u32);

impl Freedoms {
    /// No freedom.
    pub const NONE: Self = Self(0);
    /// Every freedom.
    pub const ALL: Self = Self::of(Freedom::ALL);
    /// Every freedom but those at which a careful reader remarks a deviation.
    pub const STRICT: Self = Self::ALL.without(Freedom::Scheme).without(Freedom::BareQop);

    /// These freedoms.
    #[must_use]
    pub const fn of(mut freedoms: &[Freedom]) -> Self {
        let mut taken = Self::NONE;
        while let [first, rest @ ..] = freedoms {
            taken = taken.with(*first);
            freedoms = rest;
        }
        taken
    }

    /// One more.
    #[must_use]
    pub const fn with(self, freedom: Freedom) -> Self {
        Self(self.0 | 1 << freedom as u32)
    }

    /// One less.
    #[must_use]
    pub const fn without(self, freedom: Freedom) -> Self {
        Self(self.0 & !(1 << freedom as u32))
    }

    /// Whether it is taken.
    #[must_use]
    pub const fn has(self, freedom: Freedom) -> bool {
        self.0 & (1 << freedom as u32) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_freedom_is_taken_and_left_by_itself() {
        for freedom in Freedom::ALL {
            let alone = Freedoms::of(&[*freedom]);
            assert!(Freedom::ALL.iter().all(|other| alone.has(*other) == (other == freedom)));
            assert!(Freedoms::ALL.has(*freedom) && !Freedoms::ALL.without(*freedom).has(*freedom));
        }
    }
}
