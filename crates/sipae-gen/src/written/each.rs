//! Lists whose errors say which element is wrong.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Check, Got, ScriptFile, Step};

pub(crate) fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
    each(deserializer, "step")
}

pub(crate) fn checks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Check>, D::Error> {
    each(deserializer, "check")
}

pub(crate) fn got<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Got>, D::Error> {
    each(deserializer, "got")
}

fn each<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    what: &'static str,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(Each { what, of: PhantomData })
}

/// A list that is bounded while it is read, so that a file cannot fill memory.
struct Each<T> {
    what: &'static str,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list, each element of it a {}", self.what)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut read = Vec::new();
        let place =
            |at: usize, error: A::Error| A::Error::custom(format!("{} {}: {error}", self.what, at + 1));
        while let Some(element) = list.next_element().map_err(|error| place(read.len(), error))? {
            if ScriptFile::MAX_STEPS <= read.len() {
                return Err(place(read.len(), A::Error::custom("too many of them")));
            }
            read.push(element);
        }
        Ok(read)
    }
}
