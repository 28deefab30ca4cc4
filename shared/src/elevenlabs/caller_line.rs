//! Who called: read only to be masked, never to be kept.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::number;
use super::variable::{self, About, Name};

/// Between the texts of a field that had several: no identifier has it.
pub(super) const BETWEEN: char = '\u{1e}';

/// Where an identifier was found, which says what it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// A field of the telephone call, or a variable that speaks of a number.
    Line,
    /// A variable of any other name, whose value is a telephone number.
    Variable,
    /// What says who somebody is: a user's id, a name, an e-mail address.
    Name,
}

/// Everything in a record that identifies the caller's line: numbers, user ids, SIP addresses, as they were written. It
/// prints nothing and cannot be serialized.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct CallerLine {
    identifiers: Vec<(Source, String)>,
    own_lines: Vec<String>,
}

impl CallerLine {
    /// The identifiers, for whoever masks them, each once.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        self.identifiers.iter().map(|(_, text)| text.as_str())
    }

    /// The identifiers, each with where it was found first.
    pub fn sourced(&self) -> impl Iterator<Item = (Source, &str)> {
        self.identifiers.iter().map(|(source, text)| (*source, text.as_str()))
    }

    /// The numbers of the line that was called, which are nobody's secret: not to be masked.
    pub fn own_lines(&self) -> impl Iterator<Item = &str> {
        self.own_lines.iter().map(String::as_str)
    }

    /// Whether nothing is known of the line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identifiers.is_empty()
    }

    /// Adds the texts of a field.
    pub(super) fn add(&mut self, source: Source, identifier: &Identifier) {
        for text in identifier.texts() {
            if !self.identifiers().any(|known| known == text) {
                self.identifiers.push((source, text.into_owned()));
            }
        }
    }

    /// Adds a number of the line that was called.
    pub(super) fn add_own(&mut self, identifier: &Identifier) {
        for text in identifier.texts() {
            if !self.own_lines().any(|known| known == text) {
                self.own_lines.push(text.into_owned());
            }
        }
    }

    /// Adds what variables say: of a caller, of the line that was called, or a number that nobody names.
    pub(super) fn add_variables(&mut self, variables: Variables) {
        for (about, text) in variables.0 {
            let identifier = Identifier(Some(text));
            match about {
                About::Caller(source) => self.add(source, &identifier),
                About::OwnLine => self.add_own(&identifier),
                About::Other | About::Call => self.add(Source::Variable, &identifier),
            }
        }
    }
}

impl fmt::Debug for CallerLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CallerLine(..)")
    }
}

/// One field that may identify the line: a text or a number. Any other type is for who reads leniently, where it is made
/// one text of all that is in it.
#[derive(Default)]
pub(super) struct Identifier(Option<String>);

impl Identifier {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(Some(text.into()))
    }

    fn texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let parts = self.0.as_deref().unwrap_or_default().split(BETWEEN);
        parts.filter(|text| !text.is_empty()).map(|text| number::whole_digits(text.trim()))
    }
}

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

/// Of `dynamic_variables`: what may say who called. One of them holds a copy of the whole transcript, so only short values
/// are looked at; they may be anything, and an odd one is nothing.
#[derive(Default)]
pub(super) struct Variables(Vec<(About, String)>);

/// The headers of a SIP call as variables: whatever their names, they say who called.
#[derive(Default)]
pub(super) struct Headers(pub(super) Variables);

impl<'de> Deserialize<'de> for Variables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VariablesVisitor { are_headers: false })
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VariablesVisitor { are_headers: true }).map(Self)
    }
}

struct VariablesVisitor {
    are_headers: bool,
}

impl<'de> Visitor<'de> for VariablesVisitor {
    type Value = Variables;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("variables by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables, A::Error> {
        let mut found = Vec::new();
        while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
            if !self.are_headers && variable::is_of_call(&name) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &RawValue = map.next_value()?;
            variable::texts(&name, value.get(), self.are_headers, |about, text| found.push((about, text)));
        }
        Ok(Variables(found))
    }
}
