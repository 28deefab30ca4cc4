//! Query parameters: read and checked as `FastAPI` does; unknown ones are ignored.

use axum::extract::Query;
use axum::http::Uri;
use serde_json::{Value, json};

/// The parameters of a request, and what was found wrong with them.
#[derive(Debug)]
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
    pub(crate) problems: Vec<Value>,
}

impl Parameters {
    pub(crate) fn read(uri: &Uri) -> Self {
        let given =
            Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
        Self { given, problems: vec![] }
    }

    /// The last value given: `FastAPI` takes that one when a single value is repeated.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.given.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let text = self.text(name)?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" | "t" | "y" => Some(true),
            "false" | "0" | "off" | "no" | "f" | "n" => Some(false),
            _ => {
                let msg = "Input should be a valid boolean, unable to interpret input";
                self.problems.push(
                    json!({ "type": "bool_parsing", "loc": ["query", name], "msg": msg, "input": text }),
                );
                None
            }
        }
    }

    pub(crate) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let text = self.text(name)?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            let msg = "Input should be a valid integer, unable to parse string as an integer";
            self.problems
                .push(json!({ "type": "int_parsing", "loc": ["query", name], "msg": msg, "input": text }));
        }
        number
    }

    pub(crate) fn integer_within(&mut self, name: &'static str, least: i64, most: i64) -> Option<i64> {
        let number = self.integer(name)?;
        let (kind, words, key, bound) = if number < least {
            ("greater_than_equal", "greater than or equal to", "ge", least)
        } else if number > most {
            ("less_than_equal", "less than or equal to", "le", most)
        } else {
            return Some(number);
        };
        self.problems.push(json!({
            "type": kind, "loc": ["query", name], "msg": format!("Input should be {words} {bound}"),
            "input": number.to_string(), "ctx": { key: bound },
        }));
        None
    }

    /// The values of a repeated parameter.
    pub(crate) fn choices(&mut self, name: &'static str, allowed: &[&str]) -> Vec<String> {
        let given: Vec<_> =
            self.given.iter().filter(|(given, _)| given == name).map(|(_, value)| value.clone()).collect();
        for (position, value) in given.iter().enumerate() {
            if !allowed.contains(&value.as_str()) {
                self.problems.push(not_allowed(json!(["query", name, position]), value, allowed));
            }
        }
        given
    }

    pub(crate) fn choice(&mut self, name: &'static str, allowed: &[&str]) -> Option<String> {
        let text = self.text(name)?;
        if allowed.contains(&text.as_str()) {
            return Some(text);
        }
        self.problems.push(not_allowed(json!(["query", name]), &text, allowed));
        None
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the place is made for this call")]
fn not_allowed(loc: Value, input: &str, allowed: &[&str]) -> Value {
    let (last, others) = allowed.split_last().expect("every choice has its values");
    let expected = format!("'{}' or '{last}'", others.join("', '"));
    json!({
        "type": "literal_error", "loc": loc, "msg": format!("Input should be {expected}"), "input": input,
        "ctx": { "expected": expected },
    })
}
