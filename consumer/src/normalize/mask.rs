//! Masking: wherever the caller's line stands in a text or in JSON, a fixed phrase stands instead.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value, json};
use shared::elevenlabs::CallerLine;

use super::hidden::Hidden;
use super::line::Line;
use super::search::{self, Kind, Passage, Span};

/// What stands in place of the caller's line. It holds letters and no digits: masked text on both sides of it can
/// never join into the number again.
pub const MASK: &str = "[línea de quien llama]";

/// No number is written in fewer.
const MIN_NUMBER_BYTES: usize = 7;

/// The mask of one conversation.
pub(super) struct Mask {
    line: Line,
    counts: [Cell<u32>; 4],
    hidden: RefCell<Hidden>,
    changed_keys: RefCell<BTreeSet<String>>,
}

impl Mask {
    pub(super) fn new(caller_line: &CallerLine) -> Self {
        Self {
            line: Line::new(caller_line),
            counts: Default::default(),
            hidden: RefCell::default(),
            changed_keys: RefCell::default(),
        }
    }

    /// Hides the line in a text that stands by itself.
    pub(super) fn text(&self, text: &str) -> String {
        let text = without_nul(text.into());
        let spans = self.spans(&[Passage { text: &text, speaker: 0 }]);
        if spans.is_empty() { text.into_owned() } else { self.masked(&text, &spans) }
    }

    /// Hides the line in texts that belong together; `None` in the place of each that is without it.
    pub(super) fn texts(&self, passages: &[Passage]) -> Vec<Option<String>> {
        let mut masked = vec![None; passages.len()];
        for spans in self.spans(passages).chunk_by(|one, other| one.passage == other.passage) {
            let passage = spans[0].passage;
            masked[passage] = Some(self.masked(passages[passage].text, spans));
        }
        masked
    }

    fn spans(&self, passages: &[Passage]) -> Vec<Span> {
        search::spans(&self.line, passages, |own| self.hidden.borrow_mut().add(own))
    }

    fn masked(&self, text: &str, spans: &[Span]) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for span in spans {
            let count = &self.counts[span.kind as usize];
            count.set(count.get() + 1);
            masked.push_str(&text[end..span.range.start]);
            masked.push_str(MASK);
            end = span.range.end;
        }
        masked.push_str(&text[end..]);
        masked
    }

    /// Tells whether the line stands in a text.
    pub(super) fn hides(&self, text: &str) -> bool {
        !search::spans(&self.line, &[Passage { text, speaker: 0 }], |_| ()).is_empty()
    }

    /// Tells whether a whole number of the line stands in a text; short numbers, which any duration may equal, do not
    /// count.
    pub(super) fn hides_number(&self, text: &str) -> bool {
        let spans = || search::spans(&self.line, &[Passage { text, speaker: 0 }], |_| ());
        text.len() >= MIN_NUMBER_BYTES && spans().iter().any(|span| span.kind == Kind::Number)
    }

    /// Hides the line in values by id, read as one text: in texts, numbers and keys at any depth. Objects are sorted by
    /// key.
    pub(super) fn values<'a>(
        &self,
        values: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
    ) -> BTreeMap<&'a str, Value> {
        let mut texts = Vec::new();
        for (id, value) in values.clone() {
            texts.push((id.into(), KEY));
            gather(value, &mut texts);
        }
        let passages: Vec<Passage> =
            texts.iter().map(|(text, speaker)| Passage { text, speaker: *speaker }).collect();
        let leaves = self.texts(&passages).into_iter().zip(&passages);
        let mut masked = leaves.filter(|(_, leaf)| leaf.speaker == VALUE).map(|(masked, _)| masked);
        values.map(|(id, value)| (id, self.whole(self.rebuilt(value, &mut masked)))).collect()
    }

    /// A value, or the mask where a number still shows in the whole: told in keys, or in keys and values.
    fn whole(&self, value: Value) -> Value {
        let is_whole = matches!(value, Value::Array(_) | Value::Object(_));
        if is_whole && self.hides_number(&value.to_string()) { Value::String(MASK.into()) } else { value }
    }

    /// A value with its leaves replaced by those that are masked, in the order in which they were gathered.
    fn rebuilt(&self, value: &Value, masked: &mut impl Iterator<Item = Option<String>>) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(_) => match masked.next().flatten() {
                Some(_) => Value::String(MASK.into()),
                None => value.clone(),
            },
            Value::String(text) => {
                let masked = masked.next().flatten();
                Value::String(masked.unwrap_or_else(|| without_nul(text.into()).into_owned()))
            }
            Value::Array(values) => {
                let values: Vec<Value> = values.iter().map(|value| self.rebuilt(value, masked)).collect();
                // Digits that were told one by one are one number.
                let is_line = !values.is_empty() && values.iter().all(|value| value.as_str() == Some(MASK));
                if is_line { Value::String(MASK.into()) } else { Value::Array(values) }
            }
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.as_str(), self.rebuilt(value, masked)));
                Value::Object(self.keys(entries))
            }
        }
    }

    /// Hides the line in keys. Of two that become the same, the later one is numbered, so that no value is lost.
    pub(super) fn keys<'a>(&self, entries: impl Iterator<Item = (&'a str, Value)>) -> Map<String, Value> {
        let mut hidden = Map::new();
        for (key, value) in entries {
            let mut masked = self.text(key);
            if masked != key {
                self.changed_keys.borrow_mut().insert(key.to_owned());
            }
            if hidden.contains_key(&masked) {
                let numbered = (2..).map(|number| format!("{masked} ({number})"));
                masked = numbered.into_iter().find(|key| !hidden.contains_key(key)).unwrap_or_default();
            }
            hidden.insert(masked, value);
        }
        hidden
    }

    /// Keys that were hidden or numbered so far, as they were.
    pub(super) fn changed_keys(&self) -> BTreeSet<String> {
        self.changed_keys.borrow().clone()
    }

    /// The identifiers that were hidden.
    pub(super) fn into_hidden(self) -> Hidden {
        self.hidden.into_inner()
    }

    /// What was hidden so far, by kind, and how many identifiers there were to look for.
    pub(super) fn counts(&self) -> Value {
        let [numbers, parts, short, literals] = self.counts.each_ref().map(Cell::get);
        let identifiers = self.line.numbers.len() + self.line.literals.len();
        json!({"identificadores": identifiers, "numero": numbers, "parte": parts, "corto": short, "texto": literals})
    }
}

/// Speakers of what is collected: the values, which belong together, and their keys, which say what they are.
const VALUE: usize = 0;
const KEY: usize = 1;

/// Texts and numbers of a value, in order, each after its key.
fn gather<'a>(value: &'a Value, texts: &mut Vec<(Cow<'a, str>, usize)>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => texts.push((plain(number).into(), VALUE)),
        Value::String(text) => texts.push((without_nul(text.into()), VALUE)),
        Value::Array(values) => values.iter().for_each(|value| gather(value, texts)),
        Value::Object(entries) => {
            for (key, value) in entries {
                texts.push((key.into(), KEY));
                gather(value, texts);
            }
        }
    }
}

/// A number as it is written, without an exponent.
fn plain(number: &Number) -> String {
    let written = number.to_string();
    let value = number.as_f64().filter(|value| value.abs() < 1e18 && written.contains(['e', 'E']));
    value.map_or(written, |value| format!("{value}"))
}

/// A text without U+0000, for which PostgreSQL has no room.
pub(super) fn without_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "").into() } else { text }
}
