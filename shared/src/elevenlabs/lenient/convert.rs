//! Values of another form, converted where that is plain.

use serde_json::{Map, Number, Value};

use super::super::bounds;
use super::super::caller_line::BETWEEN;
use super::super::variable::leaves;
use super::{mend, shape};

/// Whether a value stands for one that was not JSON, or too deep.
pub(super) fn is_mark(value: &Value) -> bool {
    unmarked(value).is_some()
}

/// What a mark means among values: nothing, or that something was left out, and how long it was.
pub(super) fn unmarked(value: &Value) -> Option<Value> {
    let key = value.as_object()?.keys().next()?;
    if key == mend::NOT_A_NUMBER {
        return Some(Value::Null);
    }
    let bytes = key.strip_prefix(mend::DEEP)?.parse().ok()?;
    Some(bounds::dropped(bytes).into())
}

/// All texts and numbers of a value, at any depth.
fn texts(value: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    leaves(value, &mut |text| texts.push(text));
    texts
}

/// A word stays one only if it is the only thing there.
pub(super) fn word(value: &Value) -> Option<Value> {
    let only = match value {
        Value::Array(values) if values.len() == 1 => &values[0],
        Value::Object(entries) if entries.len() == 1 => entries.values().next()?,
        _ => return None,
    };
    only.is_string().then(|| only.clone())
}

pub(super) fn prose(value: &Value) -> Option<Value> {
    let texts = texts(value);
    (!texts.is_empty()).then(|| texts.join(" ").into())
}

pub(super) fn is_seconds(value: &Value) -> bool {
    value.as_number().and_then(Number::as_f64).is_some_and(f64::is_finite)
}

pub(super) fn seconds(value: &Value) -> Option<Value> {
    let texts = texts(value);
    let [text] = texts.as_slice() else { return None };
    let seconds: f64 = text.trim().parse().ok()?;
    Number::from_f64(seconds).map(Value::Number)
}

pub(super) fn identifier(value: &Value) -> Option<Value> {
    let texts = texts(value);
    (!texts.is_empty()).then(|| texts.join(&BETWEEN.to_string()).into())
}

/// Deeper lists of turns have no turn in them.
const MAX_TURNS_DEPTH: usize = 4;

pub(super) fn flatten_turns(value: Value, depth: usize, turns: &mut Vec<Value>, is_odd: &mut bool) {
    match value {
        Value::Null => {}
        Value::Array(values) if depth == 0 => {
            for value in values {
                flatten_turns(value, depth + 1, turns, is_odd);
            }
        }
        Value::Object(turn) if shape::TURN_KEYS.iter().any(|key| turn.contains_key(*key)) => {
            turns.push(turn.into());
        }
        // A turn of which nothing is known but that it was.
        Value::Object(turn)
            if depth == 1 && turn.values().all(|value| !value.is_object() && !value.is_array()) =>
        {
            turns.push(turn.into());
        }
        Value::String(text) => {
            *is_odd = true;
            let fields = ["message", "text"].map(|key| (key.to_owned(), Value::String(text.clone())));
            turns.push(Value::Object(fields.into_iter().collect()));
        }
        Value::Array(_) | Value::Object(_) if depth < MAX_TURNS_DEPTH => {
            *is_odd = true;
            let inside: Vec<Value> = match value {
                Value::Array(values) => values,
                Value::Object(entries) => entries.into_iter().map(|(_, value)| value).collect(),
                _ => Vec::new(),
            };
            for value in inside {
                flatten_turns(value, depth + 1, turns, is_odd);
            }
        }
        _ => *is_odd = true,
    }
}

/// The id that an item says, a text or a number.
pub(super) fn id(item: &Value) -> Option<String> {
    shape::ID_KEYS.iter().find_map(|key| match item.get(*key)? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    })
}

/// The items of an object as a list; one that does not say its id has its key for one.
pub(super) fn by_key(items: &mut Map<String, Value>) -> Value {
    let with_id = |(key, item): (String, Value)| match item {
        Value::Object(mut item) if !shape::ID_KEYS.iter().any(|id| item.contains_key(*id)) => {
            item.insert("data_collection_id".to_owned(), key.clone().into());
            item.insert("criteria_id".to_owned(), key.into());
            Value::Object(item)
        }
        item => item,
    };
    std::mem::take(items).into_iter().map(with_id).collect()
}
