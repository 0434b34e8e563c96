//! Reading a typed value from JSON with errors that say where.
//!
//! serde names the key only for unknown and missing fields. Reading through [`Located`] adds the path of every
//! other error on its way out, so that the inputs can stay plain derived structs.

use core::iter::Enumerate;
use core::slice;

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value, map};

use crate::InputError;

/// Reads `T` from a JSON value; the path of the error begins inside the value.
pub(crate) fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, InputError> {
    T::deserialize(Located(value))
}

struct Located<'de>(&'de Value);

impl<'de> Deserializer<'de> for Located<'de> {
    type Error = InputError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(value) => value.deserialize_any(visitor).map_err(InputError::custom),
            Value::String(value) => visitor.visit_borrowed_str(value),
            Value::Array(items) => visit_items(items, visitor),
            Value::Object(members) => visitor.visit_map(Members::new(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// Only from an object, although a derived struct would take an array as well.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InputError> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::new(members)),
            other => Err(InputError::custom(format_args!("expected an object, got {other}"))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, InputError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InputError> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            Value::Object(members) if members.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Members::new(members)))
            }
            other => Err(InputError::custom(format_args!(
                "expected a name or an object with one key, got {other}"
            ))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

fn visit_items<'de, V: Visitor<'de>>(items: &'de [Value], visitor: V) -> Result<V::Value, InputError> {
    let mut access = Items(items.iter().enumerate());
    let value = visitor.visit_seq(&mut access)?;
    match access.0.next() {
        None => Ok(value),
        Some((index, _)) => Err(InputError::new(&format!("[{index}]"), "one item too many")),
    }
}

struct Items<'de>(Enumerate<slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = InputError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, InputError> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Located(item)).map(Some).map_err(|error| error.under(&format!("[{index}]")))
    }
}

struct Members<'de> {
    rest: map::Iter<'de>,
    current: Option<(&'de str, &'de Value)>,
}

impl<'de> Members<'de> {
    fn new(members: &'de Map<String, Value>) -> Self {
        Self { rest: members.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = InputError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, InputError> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.current = Some((name, value));
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, InputError> {
        let (name, value) =
            self.current.take().ok_or_else(|| InputError::custom("value asked for before its key"))?;
        seed.deserialize(Located(value)).map_err(|error| error.under(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Hex;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Sample {
        keys: Option<Vec<Hex>>,
        pair: Option<(String, String)>,
        choice: Option<Choice>,
        number: Option<u8>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only the errors are looked at")]
    enum Choice {
        Plain,
        Octets(Hex),
    }

    fn error(value: &Value) -> String {
        read::<Sample>(value).expect_err("something is wrong").to_string()
    }

    #[test]
    fn an_error_in_an_item_names_key_and_index() {
        assert_eq!(error(&json!({"keys": ["00", "0g"]})), "keys[1]: invalid hex \"0g\"");
    }

    #[test]
    fn an_error_in_a_choice_names_the_choice() {
        assert_eq!(error(&json!({"choice": {"octets": "0"}})), "choice.octets: invalid hex \"0\"");
        assert!(
            error(&json!({"choice": {"octets": "00", "plain": 1}})).starts_with("choice: expected a name or")
        );
        assert!(error(&json!({"choice": "fancy"})).starts_with("choice: unknown variant `fancy`"));
    }

    #[test]
    fn a_number_out_of_range_is_quoted() {
        assert_eq!(error(&json!({"number": 256})), "number: invalid value: integer `256`, expected u8");
    }

    #[test]
    fn an_unknown_key_is_named() {
        assert!(error(&json!({"kyes": []})).starts_with("unknown field `kyes`, expected one of"));
    }

    #[test]
    fn a_pair_of_three_is_refused() {
        assert_eq!(error(&json!({"pair": ["a", "b", "c"]})), "pair[2]: one item too many");
    }
}
