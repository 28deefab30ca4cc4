//! JSON as a tree, in which of a repeated key the last value counts that says most, and the others are kept aside.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::ids;

/// With `arbitrary_precision`, `serde_json` hands a number over as a map with this one key.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Values that a later one of the same key has replaced, each with its key.
pub(super) type Replaced = Vec<(String, Value)>;

/// Parses a tree.
pub(super) fn parse(json: &str) -> Result<(Value, Replaced), serde_json::Error> {
    let replaced = RefCell::new(Vec::new());
    let mut parser = serde_json::Deserializer::from_str(json);
    let tree = Node(&replaced).deserialize(&mut parser)?;
    parser.end()?;
    Ok((tree, replaced.into_inner()))
}

#[derive(Clone, Copy)]
struct Node<'a>(&'a RefCell<Replaced>);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self)?;
            if key == NUMBER_TOKEN {
                let digits = value.as_str().unwrap_or_default();
                return Ok(Value::Number(digits.parse::<Number>().map_err(A::Error::custom)?));
            }
            let says_less = entries.get(&key).is_some_and(|before| says(&key, &value) < says(&key, before));
            let replaced = if says_less { Some(value) } else { entries.insert(key.clone(), value) };
            if let Some(replaced) = replaced {
                self.0.borrow_mut().push((key, replaced));
            }
        }
        Ok(entries.into())
    }
}

/// How much a value says, to be compared with another of the same key: nothing, less than a text, a text, more than one and
/// how many. A key that is an id's says most with what can be one.
fn says(key: &str, value: &Value) -> (u8, usize) {
    if key.ends_with("_id") && value.as_str().is_some_and(ids::is_id) {
        return (4, 0);
    }
    match value {
        Value::Null => (0, 0),
        Value::String(text) if text.is_empty() => (0, 0),
        Value::Array(_) | Value::Object(_) => match leaves(value) {
            0 => (0, 0),
            count => (3, count),
        },
        Value::Bool(_) | Value::Number(_) => (1, 0),
        Value::String(_) => (2, 0),
    }
}

/// How many values that hold no other are in one.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Object(entries) => entries.values().map(leaves).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_repeated_key_the_last_value_that_says_most_counts() {
        let (tree, replaced) = parse(r#"{"a":1,"b":{"c":[1.50,1e400]},"a":"x","a":null}"#).expect("JSON");
        let numbers: Value = serde_json::from_str("[1.50,1e400]").expect("JSON");
        assert_eq!(tree, json!({"a": "x", "b": {"c": numbers}}));
        assert_eq!(replaced, [("a".to_owned(), json!(1)), ("a".to_owned(), Value::Null)]);
        for (twice, expected) in [
            (r#"{"a_id":"conv_1","a_id":5}"#, json!("conv_1")),
            (r#"{"a_id":"conv_1","a_id":{"a_id":[5]}}"#, json!("conv_1")),
            (r#"{"a_id":"conv_1","a_id":"no id"}"#, json!("conv_1")),
            (r#"{"a_id":true,"a_id":"conv_1"}"#, json!("conv_1")),
            (r#"{"a_id":"conv_1","a_id":"conv_2"}"#, json!("conv_2")),
            (r#"{"a":["x"],"a":"y"}"#, json!(["x"])),
            (r#"{"a":"x","a":""}"#, json!("x")),
            (r#"{"a":"x","a":false}"#, json!("x")),
            (r#"{"a":[],"a":{}}"#, json!({})),
            (r#"{"a":["x",["y"]],"a":["z"]}"#, json!(["x", ["y"]])),
            (r#"{"a":["x"],"a":{"b":"z"}}"#, json!({"b": "z"})),
        ] {
            let (tree, replaced) = parse(twice).expect("JSON");
            assert_eq!(tree.as_object().and_then(|tree| tree.values().next()), Some(&expected), "{twice}");
            assert_eq!(replaced.len(), 1, "{twice}");
        }
        for json in ["", "{", "{} {}", r#"{"$serde_json::private::Number":"no"}"#] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
