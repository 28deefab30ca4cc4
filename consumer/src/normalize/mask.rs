//! Masking: wherever the caller's line stands in a text or in JSON, a fixed phrase stands instead.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Number, Value};
use shared::elevenlabs::CallerLine;

use super::line::Line;
use super::search;

/// What stands in place of the caller's line. It holds letters and no digits: masked text on both sides of it can
/// never join into the number again.
pub const MASK: &str = "[línea de quien llama]";

/// The mask of one conversation.
pub(super) struct Mask(Line);

impl Mask {
    pub(super) fn new(caller_line: &CallerLine) -> Self {
        Self(Line::new(caller_line))
    }

    /// The text without U+0000, which PostgreSQL cannot hold, and without the line.
    pub(super) fn text(&self, text: &str) -> String {
        let text = without_nul(text);
        let spans = search::spans(&self.0, &text);
        if spans.is_empty() {
            return text.into_owned();
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for span in spans {
            masked.push_str(&text[end..span.start]);
            masked.push_str(MASK);
            end = span.end;
        }
        masked.push_str(&text[end..]);
        masked
    }

    /// Whether the line stands in the text.
    pub(super) fn hides(&self, text: &str) -> bool {
        !search::spans(&self.0, text).is_empty()
    }

    /// Whether the line's number stands in the text; short numbers, which any duration may equal, do not count.
    pub(super) fn hides_number(&self, text: &str) -> bool {
        !search::number_spans(&self.0, text).is_empty()
    }

    /// The JSON value without U+0000 and without the line, in texts, numbers and keys at any depth; its objects are
    /// sorted by key.
    pub(super) fn value(&self, value: &Value) -> Value {
        let masked = self.parts(value);
        // A number told digit by digit, as `["5","5",…]`, shows only in the whole.
        let is_whole = matches!(masked, Value::Array(_) | Value::Object(_));
        if is_whole && self.hides_number(&masked.to_string()) { Value::String(MASK.into()) } else { masked }
    }

    fn parts(&self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(number) => self.number(number),
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(values) => values.iter().map(|value| self.parts(value)).collect(),
            Value::Object(entries) => {
                let sorted: BTreeMap<String, Value> =
                    entries.iter().map(|(key, value)| (self.text(key), self.parts(value))).collect();
                Value::Object(sorted.into_iter().collect())
            }
        }
    }

    fn number(&self, number: &Number) -> Value {
        let written = number.to_string();
        let is_hidden = self.hides(&written) || (written.contains(['e', 'E']) && self.hides(&plain(number)));
        if is_hidden { Value::String(MASK.into()) } else { Value::Number(number.clone()) }
    }
}

/// A number written with an exponent, without it.
fn plain(number: &Number) -> String {
    number.as_f64().filter(|value| value.abs() < 1e18).map(|value| format!("{value}")).unwrap_or_default()
}

fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "").into() } else { text.into() }
}
