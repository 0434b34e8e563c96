//! Enums whose values are the words of the data files.

use core::fmt;

/// A word that is not in the vocabulary it was read for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    vocabulary: &'static str,
    value: String,
}

impl UnknownWord {
    pub(crate) fn new(vocabulary: &'static str, value: &str) -> Self {
        Self { vocabulary, value: value.to_owned() }
    }

    /// The word as it was given.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`", self.vocabulary, self.value)
    }
}

impl core::error::Error for UnknownWord {}

/// Declares an enum with one word per variant, read by `FromStr` and written by `Display`.
macro_rules! words {
    (
        $vocabulary:literal
        $(#[$attribute:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word of the data files and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|value| value.name() == word);
                found.ok_or_else(|| $crate::UnknownWord::new($vocabulary, word))
            }
        }
    };
}

pub(crate) use words;
