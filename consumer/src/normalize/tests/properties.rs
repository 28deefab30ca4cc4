use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use shared::config::ReportConfig;
use shared::elevenlabs::{ApiError, Conversation};

use super::super::normalize;
use super::rows;
use super::schema::{any_json, body};

/// A change at a random place of a JSON value.
#[derive(Clone, Debug)]
enum Mutation {
    Replace(Value),
    Delete,
    Insert(String, Value),
}

fn mutation() -> impl Strategy<Value = (Vec<Index>, Mutation)> {
    let change = prop_oneof![
        any_json().prop_map(Mutation::Replace),
        Just(Mutation::Delete),
        ("[a-z_]{1,8}", any_json()).prop_map(|(key, value)| Mutation::Insert(key, value)),
    ];
    (vec(any::<Index>(), 1..8), change)
}

fn children(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(values) => values.iter_mut().collect(),
        Value::Object(entries) => entries.values_mut().collect(),
        _ => Vec::new(),
    }
}

fn apply(value: &mut Value, path: &[Index], mutation: Mutation) {
    let Some((step, rest)) = path.split_first() else { return change(value, mutation) };
    let mut inside = children(value);
    // One more than there are children: the path may also end here.
    let chosen = step.index(inside.len() + 1);
    if chosen < inside.len() {
        return apply(inside.swap_remove(chosen), rest, mutation);
    }
    change(value, mutation);
}

fn change(value: &mut Value, mutation: Mutation) {
    match (mutation, value) {
        (Mutation::Replace(new), value) => *value = new,
        (Mutation::Insert(key, new), Value::Object(entries)) => {
            entries.insert(key, new);
        }
        (Mutation::Insert(_, new), Value::Array(values)) => values.insert(0, new),
        (Mutation::Delete, Value::Object(entries)) => {
            let first = entries.keys().next().cloned();
            first.and_then(|key| entries.remove(&key));
        }
        (Mutation::Delete, Value::Array(values)) => {
            values.pop();
        }
        (Mutation::Delete | Mutation::Insert(..), value) => *value = Value::Null,
    }
}

/// Gives rows that the tables can hold, or an error that is counted as malformed.
fn gives_rows_or_a_typed_error(body: &[u8]) {
    match Conversation::parse(body) {
        Ok(conversation) => {
            let rows = normalize(&conversation, &ReportConfig::default());
            let text = serde_json::to_string(&(&rows.conversation, &rows.report)).expect("rows serialize");
            assert!(!text.contains("\\u0000"), "{text}");
            assert_eq!(rows, normalize(&conversation, &ReportConfig::default()));
        }
        Err(ApiError::Malformed { .. } | ApiError::NotJson { .. }) => {}
        Err(other) => panic!("{other:?}"),
    }
}

/// A number, the way it is written in the record, and the way somebody writes it with separators.
fn number() -> impl Strategy<Value = (String, String, String)> {
    let separator = r"[ .,\-()/_\n\u{a0}+:;*#|'\u{2013}\u{200b}\u{20e3}]{0,3}";
    ("[1-9][0-9]{9,12}", prop::sample::select(vec!["", "+", "00", "sip:", "tel:+"]), vec(separator, 14))
        .prop_map(|(digits, lead, separators)| {
            let spoken = digits
                .chars()
                .zip(separators)
                .flat_map(|(digit, after)| [digit.to_string(), after])
                .collect();
            (format!("{lead}{digits}"), digits, spoken)
        })
}

/// Digits without their separators; anything else alphanumeric stands between them.
fn digits_of(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| if c.is_ascii_digit() { c } else { '|' }).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null | Value::Bool(_) => Vec::new(),
        Value::Number(number) => vec![number.to_string()],
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(entries) => {
            entries.iter().flat_map(|(key, value)| texts(value).into_iter().chain([key.clone()])).collect()
        }
    }
}

proptest! {
    #[test]
    fn any_documented_body_gives_rows(body in body()) {
        prop_assert_eq!(rows(&body).huella.len(), 32);
    }

    #[test]
    fn any_mutated_body_gives_rows_or_a_typed_error(mut body in body(), changes in vec(mutation(), 1..4)) {
        for (path, mutation) in changes {
            apply(&mut body, &path, mutation);
        }
        gives_rows_or_a_typed_error(body.to_string().as_bytes());
    }

    #[test]
    fn any_damaged_body_gives_rows_or_a_typed_error(body in body(), cut in any::<Index>(), byte in any::<(Index, u8)>()) {
        let mut bytes = body.to_string().into_bytes();
        let place = byte.0.index(bytes.len());
        bytes[place] = byte.1;
        gives_rows_or_a_typed_error(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        gives_rows_or_a_typed_error(&bytes);
    }

    #[test]
    fn the_callers_digits_are_gone_from_every_column(
        (line, digits, spoken) in number(),
        before in "\\PC{0,20}",
        after in "\\PC{0,20}",
        as_number in any::<bool>(),
    ) {
        let text = format!("{before}{spoken}{after}");
        let value = if as_number { json!(digits.parse::<u64>().expect("a number")) } else { json!(text) };
        let rows = rows(&json!({"conversation_id": "conv_x", "status": "done", "metadata": {"phone_call": {"external_number": line}},
            "transcript": [{"role": "user", "message": text, "time_in_call_secs": 1}, {"role": "agent", "message": text}],
            "analysis": {"transcript_summary": text, "data_collection_results": {
                "lugar": {"value": value}, "modo": {"value": [{text.as_str(): value}]}, text.as_str(): value, "tiempo": text}}}));
        let core = &digits[digits.len().saturating_sub(10)..];
        let rows = serde_json::to_value((&rows.conversation, &rows.report)).expect("rows serialize");
        for text in texts(&rows) {
            prop_assert!(!digits_of(&text).contains(core), "{core} in {text:?}");
        }
    }

    #[test]
    fn a_text_without_the_number_stays_as_it_is(text in "[^0-9\\x00]{0,80}") {
        let rows = rows(&json!({"conversation_id": "conv_x", "user_id": "+525512345678",
            "analysis": {"transcript_summary": text}}));
        prop_assert_eq!(rows.conversation.resumen.unwrap_or_default(), text);
    }
}
