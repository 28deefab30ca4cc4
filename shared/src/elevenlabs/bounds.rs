//! Values that PostgreSQL has room for: numbers of a float64's range and forty digits, and nothing huge.

use serde_json::Value;

use super::number;

/// A collected value that is longer, as JSON, is dropped: what an agent picks out of a call has a few hundred bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Longest number, as it was written, that is kept as a text.
const MAX_NUMBER_BYTES: usize = 64;

/// What stands for a value that was dropped.
pub(super) fn dropped(bytes: usize) -> String {
    format!("[omitido: {bytes} bytes]")
}

/// Makes a value such that a column can hold it; says whether it was none before.
pub(super) fn bound(value: &mut Value) -> bool {
    let mut is_odd = false;
    let bytes = walk(value, &mut is_odd);
    if bytes > MAX_BYTES {
        *value = Value::String(dropped(bytes));
        is_odd = true;
    }
    is_odd
}

/// Turns numbers that are none for PostgreSQL into texts; about how long the value is as JSON.
fn walk(value: &mut Value, is_odd: &mut bool) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::String(text) => text.len() + 2,
        Value::Number(number) => {
            // Most are machine integers, which need no look.
            if number.is_i64() || number.is_u64() {
                return 20;
            }
            let written = number.to_string();
            if !number::fits(&written) {
                let is_short = written.len() <= MAX_NUMBER_BYTES;
                *value = Value::String(if is_short { written } else { dropped(written.len()) });
                *is_odd = true;
            }
            MAX_NUMBER_BYTES
        }
        Value::Array(values) => values.iter_mut().map(|value| walk(value, is_odd) + 1).sum::<usize>() + 2,
        Value::Object(entries) => {
            entries.iter_mut().map(|(key, value)| key.len() + 4 + walk(value, is_odd)).sum::<usize>() + 2
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_postgresql_cannot_hold_is_a_text_or_dropped() {
        let parsed = |json: &str| serde_json::from_str::<Value>(json).expect(json);
        let digits = "7".repeat(100);
        for (json, expected, was_odd) in [
            ("557236406134e62000323100", json!("557236406134e+62000323100"), true),
            ("1e-20000", json!("1e-20000"), true),
            ("1e131071", json!("1e+131071"), true),
            ("[1, {\"a\": 1e400}]", json!([1, {"a": "1e+400"}]), true),
            (&digits, json!("[omitido: 100 bytes]"), true),
            ("15000.50", parsed("15000.50"), false),
            ("18446744073709551616", parsed("18446744073709551616"), false),
        ] {
            let mut value = parsed(json);
            assert_eq!(bound(&mut value), was_odd, "{json}");
            assert_eq!(value, expected, "{json}");
        }
        let mut huge = json!(["x".repeat(300_000)]);
        assert!(bound(&mut huge));
        assert_eq!(huge, json!("[omitido: 300005 bytes]"));
    }
}
