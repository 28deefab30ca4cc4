//! Who called: read only to be masked, never to be kept.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

/// Everything in a record that identifies the caller's line: numbers, user ids, SIP addresses, as they were written.
/// It prints nothing and cannot be serialized.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct CallerLine(Vec<String>);

impl CallerLine {
    /// The identifiers, for whoever masks them.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether nothing is known of the line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for CallerLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CallerLine(..)")
    }
}

impl FromIterator<Identifier> for CallerLine {
    /// Keeps each identifier once.
    fn from_iter<I: IntoIterator<Item = Identifier>>(identifiers: I) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for text in identifiers.into_iter().filter_map(|identifier| identifier.0) {
            if !text.is_empty() && !kept.contains(&text) {
                kept.push(text);
            }
        }
        Self(kept)
    }
}

/// One field that may identify the line: a text or a number. Any other type fails the whole record, since what
/// cannot be read cannot be masked either.
#[derive(Default)]
pub(super) struct Identifier(Option<String>);

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self(None)),
            Value::String(text) => Ok(Self(Some(text))),
            Value::Number(number) => Ok(Self(Some(number.to_string()))),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(D::Error::custom("no identifier")),
        }
    }
}
