//! Variables that a client sends along: whose they are, by their names, and whether a value is a telephone number.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::Value;

use super::caller_line::Source;
use super::number;

/// Longest value, as JSON, that may identify a caller. One variable is a copy of the whole transcript.
const MAX_CALLER_BYTES: usize = 200;

/// Longest value, as JSON, that is looked at for being a telephone number although its name does not say so.
const MAX_NUMBER_BYTES: usize = 44;

/// Fewer digits identify nobody.
const MIN_SHORT_DIGITS: usize = 3;

/// Fewest digits of a telephone number that has neither a name nor a country code.
const MIN_DIGITS: usize = 10;

/// Fewest digits after a `+`, and most of any number (E.164), with an extension after it.
const MIN_INTERNATIONAL_DIGITS: usize = 8;
const MAX_DIGITS: usize = 20;

/// Parts of a name that promise a number of the caller's.
const NUMBER_PARTS: [&str; 9] =
    ["caller", "phone", "telef", "teléf", "celul", "number", "numero", "número", "whatsapp"];

/// The same, but only as whole words: `hotel` is no telephone.
const NUMBER_WORDS: [&str; 5] = ["tel", "cel", "from", "sip", "movil"];

/// Parts of a name that promise who somebody is.
const NAME_PARTS: [&str; 8] = ["email", "correo", "user", "usuario", "name", "nombre", "curp", "initiator"];

/// The same, as whole words.
const NAME_WORDS: [&str; 2] = ["rfc", "mail"];

/// Parts of a name that speak of the line that was called.
const OWN_PARTS: [&str; 2] = ["agent", "called"];

/// Whom a variable speaks of, by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum About {
    /// The caller.
    Caller(Source),
    /// The line that was called, and who answers there.
    OwnLine,
    /// Nobody, by its name.
    Other,
    /// The call, in the platform's own words: never a caller.
    Call,
}

impl About {
    /// Reads a name; upper case, and case within a word, are as good as an underscore.
    pub(super) fn of(name: &str) -> Self {
        // Those that every call has, at once.
        match name {
            "system__caller_id" => return Self::Caller(Source::Line),
            "system__called_number" => return Self::OwnLine,
            _ if is_of_call(name) => return Self::Call,
            _ => {}
        }
        let folded = name.to_lowercase();
        let contains = |parts: &[&str]| contains_any(folded.as_bytes(), parts);
        let has_word = |words: &[&str]| {
            contains_any(folded.as_bytes(), words) && words.iter().any(|word| has_word(name, word))
        };
        if contains(&OWN_PARTS) {
            Self::OwnLine
        } else if contains(&NUMBER_PARTS) || has_word(&NUMBER_WORDS) {
            Self::Caller(Source::Line)
        } else if contains(&NAME_PARTS) || has_word(&NAME_WORDS) {
            Self::Caller(Source::Name)
        } else {
            Self::Other
        }
    }
}

/// Whether a name is one of the platform's own, and says nothing of a caller.
pub(super) fn is_of_call(name: &str) -> bool {
    matches!(
        name,
        "system__agent_id"
            | "system__call_duration_secs"
            | "system__call_sid"
            | "system__conversation_history"
            | "system__conversation_id"
            | "system__is_text_only"
            | "system__time_utc"
            | "system__timezone"
    )
}

/// Whether a text has one of the parts in it. A name is short, and a search for each part would have to be prepared.
fn contains_any(text: &[u8], parts: &[&str]) -> bool {
    (0..text.len()).any(|at| {
        parts.iter().any(|part| part.as_bytes()[0] == text[at] && text[at..].starts_with(part.as_bytes()))
    })
}

/// Whether a word stands in a name by itself: `tel_1`, `miTel`, and not `hotel`.
fn has_word(name: &str, word: &str) -> bool {
    let mut words = Vec::new();
    let mut current = String::new();
    for c in name.chars() {
        if (!c.is_alphabetic() || c.is_uppercase())
            && current.chars().next_back().is_some_and(char::is_lowercase)
        {
            words.push(std::mem::take(&mut current));
        }
        if c.is_alphabetic() {
            current.push(c);
        } else if !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
    }
    words.push(current);
    words.iter().any(|own| own.to_lowercase() == word)
}

/// A variable's name, not copied where it stands in the body as it is.
pub(super) struct Name<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Takes the texts and numbers of a variable, whose value is JSON, if they may be identifiers. What costs little comes
/// first: most variables are neither a caller's nor long nor short enough.
pub(super) fn texts(name: &str, json: &str, are_headers: bool, mut take: impl FnMut(About, String)) {
    if json.len() > MAX_CALLER_BYTES || matches!(json, "null" | "true" | "false" | "\"\"") {
        return;
    }
    let digits = json.bytes().filter(u8::is_ascii_digit).count();
    // A number of so few digits is short, whatever its name.
    if digits < MIN_SHORT_DIGITS && digits == json.len() {
        return;
    }
    let about = if are_headers { About::Caller(Source::Line) } else { About::of(name) };
    let is_caller = matches!(about, About::Caller(_));
    let may_be_number =
        json.len() <= MAX_NUMBER_BYTES && (digits >= MIN_INTERNATIONAL_DIGITS || json.contains(['e', 'E']));
    if about == About::Call || !(is_caller || may_be_number) {
        return;
    }
    let mut take = |text: String| {
        if is_caller || is_telephone_number(&text) {
            take(about, text);
        }
    };
    if let Some(text) = plain(json) {
        return take(text.to_owned());
    }
    let Ok(value) = serde_json::from_str(json) else { return };
    leaves(&value, &mut take);
}

/// The text that JSON is, if it has nothing that is escaped: as most have not.
fn plain(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains(['"', '\\'])).then_some(text)
}

/// Every text and every number in a value, at any depth; not the keys.
pub(super) fn leaves(value: &Value, take: &mut impl FnMut(String)) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => take(number::whole_digits(&number.to_string()).into_owned()),
        Value::String(text) => take(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, take)),
        Value::Object(entries) => entries.values().for_each(|value| leaves(value, take)),
    }
}

/// Whether a text is a telephone number and nothing else: ten digits or more, fewer with a `+`, and what is written between
/// and after them.
pub(super) fn is_telephone_number(text: &str) -> bool {
    let text = number::whole_digits(text.trim());
    let bare = ["tel:", "sip:", "sips:", "whatsapp:"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let number = bare.unwrap_or(&text).split(['@', ';']).next().unwrap_or_default().trim();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let fewest = if number.starts_with('+') { MIN_INTERNATIONAL_DIGITS } else { MIN_DIGITS };
    (fewest..=MAX_DIGITS).contains(&digits)
        && number.chars().all(|c| c.is_ascii_digit() || " +-().,#*/\u{a0}".contains(c))
        && number.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whom_a_variable_speaks_of() {
        let (line, name) = (About::Caller(Source::Line), About::Caller(Source::Name));
        for (key, expected) in [
            ("system__caller_id", line),
            ("customer_phone", line),
            ("callerId", line),
            ("miTel", line),
            ("TEL", line),
            ("cel_2", line),
            ("numero", line),
            ("teléfono", line),
            ("sip_contact_uri", line),
            ("from", line),
            ("correo", name),
            ("userId", name),
            ("nombre_reportante", name),
            ("rfc", name),
            ("system__called_number", About::OwnLine),
            ("agent_number", About::OwnLine),
            ("system__agent_id", About::Call),
            ("agent_id", About::OwnLine),
            ("system__conversation_history", About::Call),
            ("system__time_utc", About::Call),
            ("hotel", About::Other),
            ("cancelado", About::Other),
            ("x", About::Other),
            ("", About::Other),
        ] {
            assert_eq!(About::of(key), expected, "{key}");
        }
    }

    #[test]
    fn a_telephone_number_is_told_by_its_form() {
        for (text, is_number) in [
            ("+525512345678", true),
            ("5512345678", true),
            ("(55) 1234-5678", true),
            ("5512345678.0", true),
            ("5.512345678e9", true),
            ("sip:+525512345678@10.0.0.1", true),
            ("+525512345678,12", true),
            ("2026-11-28", false),
            ("2026-11-28T05:51:00+00:00", false),
            ("192.168.100.100", false),
            ("conv_5512345678", false),
            ("12345678", false),
            ("", false),
            ("123456789012345678901", false),
        ] {
            assert_eq!(is_telephone_number(text), is_number, "{text}");
        }
    }

    #[test]
    fn only_short_values_are_looked_at_and_those_of_a_caller_are_taken_whatever_they_are() {
        let found = |name, json: &str| {
            let mut found = Vec::new();
            texts(name, json, false, |_, text| found.push(text));
            found
        };
        assert_eq!(found("tel", r#"["a", {"b": 5512345678.0}, true, null]"#), ["a", "5512345678"]);
        assert_eq!(found("tel", "5.512345678e9"), ["5512345678"]);
        assert_eq!(found("tel", "12"), [""; 0]);
        assert_eq!(found("tel", &format!("\"{}\"", "5".repeat(300))), [""; 0]);
        assert_eq!(found("x", r#""5512345678""#), ["5512345678"]);
        assert_eq!(found("x", "5512345678"), ["5512345678"]);
        assert_eq!(found("x", "5.512345678e9"), ["5512345678"]);
        assert_eq!(found("x", r#""hola""#), [""; 0]);
        assert_eq!(found("agent", r#""agent_1""#), [""; 0]);
        assert_eq!(found("agent", r#""+525500890089""#), ["+525500890089"]);
        assert_eq!(found("system__time_utc", r#""2026112805""#), [""; 0]);
    }
}
