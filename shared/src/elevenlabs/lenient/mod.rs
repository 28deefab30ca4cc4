//! A body that has not the documented form, read as far as it goes: mended where it is almost JSON, then given that form
//! field by field, then read like any other. What is odd is counted by the field's name.
//!
//! This is the one place where leniency is. A body that is as documented never comes here, so that it costs nothing.

mod convert;
mod mend;
mod shape;
mod tree;

use serde_json::{Map, Value};

use super::caller_line::{CallerLine, Identifier, Source};
use super::conversation::Conversation;
use super::error::ApiError;
use super::oddities::Oddities;
use super::variable::{is_telephone_number, leaves};
use super::wire::Wire;
use convert::{by_key, flatten_turns, id, identifier, is_mark, is_seconds, prose, seconds, unmarked, word};
use mend::mend;
use shape::{Caller, Field, Shape};

/// Stands among the odd fields for a field that came more than once.
const REPEATED: &str = "(repetido)";

/// Longer texts identify nobody.
const MAX_IDENTIFIER_BYTES: usize = 200;

/// Reads a record of one conversation.
///
/// # Errors
/// [`ApiError::NotJson`] or, without an id, [`ApiError::Malformed`].
pub(super) fn conversation(body: &[u8]) -> Result<Conversation, ApiError> {
    let not_json = |_| ApiError::NotJson { bytes: body.len() };
    let (mut tree, replaced) = tree::parse(&mend(body)).map_err(not_json)?;
    let Value::Object(record) = &mut tree else { return Err(ApiError::MALFORMED) };
    let mut fitting = Fitting::default();
    fitting.fields(shape::CONVERSATION, record, "");
    for (key, value) in replaced {
        if shape::is_read(&key) {
            fitting.oddities.note(REPEATED);
        }
        fitting.replaced(&key, &value);
    }
    // Written again, and read by the same reader as any other: the two cannot disagree.
    let json = tree.to_string();
    let wire: Wire<'_> = serde_json::from_str(&json).map_err(|_| ApiError::MALFORMED)?;
    wire.conversation(fitting.oddities, fitting.line).map_err(|_| ApiError::MALFORMED)
}

/// A body as JSON that any reader takes: mended, of each key once, and without marks.
///
/// # Errors
/// [`ApiError::NotJson`].
pub(super) fn json(body: &[u8]) -> Result<String, ApiError> {
    let (mut tree, _) = tree::parse(&mend(body)).map_err(|_| ApiError::NotJson { bytes: body.len() })?;
    Fitting::default().unmark(&mut tree, "");
    Ok(tree.to_string())
}

/// Gives a record the documented form.
#[derive(Default)]
struct Fitting {
    oddities: Oddities,
    /// What may identify the caller, and stands where no identifier should.
    line: CallerLine,
}

impl Fitting {
    fn fields(&mut self, fields: &[Field], object: &mut Map<String, Value>, path: &str) {
        for (name, shape) in fields {
            if let Some(value) = object.get_mut(*name).filter(|value| !value.is_null()) {
                let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
                self.fit(*shape, value, &path);
            }
        }
    }

    fn fit(&mut self, shape: Shape, value: &mut Value, path: &str) {
        match shape {
            Shape::Id => {}
            Shape::Word => self.scalar(value, path, Value::is_string, word),
            Shape::Prose => {
                if value.as_str().is_some_and(|text| text.contains('\u{fffd}')) {
                    self.oddities.note(path);
                }
                self.scalar(value, path, Value::is_string, prose);
            }
            Shape::Seconds => self.scalar(value, path, is_seconds, seconds),
            Shape::Identifier => {
                self.scalar(value, path, |value| value.is_string() || value.is_number(), identifier);
            }
            Shape::Object(fields, caller) => self.object(fields, caller, value, path),
            Shape::Variables => {
                if !value.is_object() {
                    self.oddities.note(path);
                    self.stray(value, Caller::Any);
                    *value = Value::Null;
                }
            }
            Shape::Turns(fields) => self.turns(fields, value, path),
            Shape::Items => self.items(value, path),
            Shape::ItemList => self.item_list(value, path),
            Shape::List(fields) => self.list(fields, value, path),
        }
    }

    /// Converts a value that is not as it should be.
    fn scalar(
        &mut self,
        value: &mut Value,
        path: &str,
        is_documented: impl Fn(&Value) -> bool,
        convert: impl Fn(&Value) -> Option<Value>,
    ) {
        if !is_documented(value) {
            self.oddities.note(path);
            *value = convert(value).unwrap_or_default();
        }
    }

    fn object(&mut self, fields: &[Field], caller: Caller, value: &mut Value, path: &str) {
        if !value.is_object() || is_mark(value) {
            self.oddities.note(path);
            // A list of one is that one.
            match value.as_array_mut() {
                Some(values) if values.len() == 1 && values[0].is_object() => *value = values.remove(0),
                _ => {
                    self.stray(value, caller);
                    *value = Value::Null;
                }
            }
        }
        if let Some(object) = value.as_object_mut() {
            self.fields(fields, object, path);
        }
    }

    /// Adds what may identify a caller, out of a value that should be something else.
    fn stray(&mut self, value: &Value, caller: Caller) {
        leaves(value, &mut |text| {
            let counts = caller == Caller::Any || is_telephone_number(&text);
            if caller != Caller::No && counts && text.len() <= MAX_IDENTIFIER_BYTES {
                self.line.add(Source::Line, &Identifier::new(text));
            }
        });
    }

    /// Turns as a list of objects: a text is a turn, and so is what a single turn consists of.
    fn turns(&mut self, fields: &[Field], value: &mut Value, path: &str) {
        let is_list = value.is_array();
        let mut turns = Vec::new();
        let mut is_odd = !is_list;
        flatten_turns(std::mem::take(value), 0, &mut turns, &mut is_odd);
        if is_odd {
            self.oddities.note(path);
        }
        for turn in &mut turns {
            if let Some(turn) = turn.as_object_mut() {
                self.fields(fields, turn, path);
            }
        }
        *value = turns.into();
    }

    /// Items by id: also out of a list in which each says its id.
    fn items(&mut self, value: &mut Value, path: &str) {
        if is_mark(value) || !value.is_object() {
            self.oddities.note(path);
            let listed = if let Value::Array(values) = std::mem::take(value) { values } else { Vec::new() };
            let by_id = listed.into_iter().filter_map(|item| Some((id(&item)?, item)));
            *value = Value::Object(by_id.collect());
        }
        if let Some(items) = value.as_object_mut() {
            items.values_mut().for_each(|item| self.unmark(item, path));
        }
    }

    fn item_list(&mut self, value: &mut Value, path: &str) {
        if !value.is_array() {
            self.oddities.note(path);
            *value =
                if is_mark(value) { Value::Null } else { value.as_object_mut().map_or(Value::Null, by_key) };
        }
        if let Some(items) = value.as_array_mut() {
            for item in items {
                self.unmark(item, path);
            }
        }
    }

    fn list(&mut self, fields: &[Field], value: &mut Value, path: &str) {
        if value.is_object() && !is_mark(value) {
            self.oddities.note(path);
            *value = Value::Array(vec![std::mem::take(value)]);
        } else if !value.is_array() {
            self.oddities.note(path);
            *value = Value::Null;
        }
        for object in value.as_array_mut().into_iter().flatten().filter(|object| !object.is_null()) {
            self.object(fields, Caller::No, object, path);
        }
    }

    /// Puts values in place of marks, at any depth, and takes the number's own key for what it is.
    fn unmark(&mut self, value: &mut Value, path: &str) {
        if let Some(instead) = unmarked(value) {
            self.oddities.note(path);
            *value = instead;
        }
        match value {
            Value::String(text) if text.contains('\u{fffd}') => self.oddities.note(path),
            Value::Array(values) => values.iter_mut().for_each(|value| self.unmark(value, path)),
            Value::Object(entries) => entries.values_mut().for_each(|value| self.unmark(value, path)),
            _ => {}
        }
    }

    /// What a later value of the same key has replaced may be the one that says who called.
    fn replaced(&mut self, key: &str, value: &Value) {
        if shape::is_content(key) {
            return;
        }
        if shape::identifies(key) {
            return self.stray(value, Caller::Any);
        }
        match value {
            Value::Object(entries) => entries.iter().for_each(|(key, value)| self.replaced(key, value)),
            Value::Array(values) => values.iter().for_each(|value| self.replaced("", value)),
            value => self.stray(value, Caller::Number),
        }
    }
}
