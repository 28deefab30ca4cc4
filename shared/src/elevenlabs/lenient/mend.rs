//! What is almost JSON, made JSON: lone surrogates become U+FFFD, `NaN` and infinities a mark, control characters in texts
//! are escaped, and what is nested too deep becomes a mark that holds its texts and numbers. Whether it is JSON then is for
//! the parser to say.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Deeper values are flattened: the parser has an end at 128 levels, and a mark adds two.
const MAX_DEPTH: usize = 120;

/// The one key of a mark; U+0000 is in no key of the source.
pub(super) const NOT_A_NUMBER: &str = "\0nan";
/// How the same begins for what was nested too deep: its length follows, and under it stand its texts and numbers.
pub(super) const DEEP: &str = "\0deep ";

/// Mends a body. It takes one pass, and no more stack for a deep body than for a flat one.
pub(super) fn mend(body: &[u8]) -> String {
    let text = match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
        Cow::Owned(text) => Cow::Owned(text.trim_start_matches('\u{feff}').to_owned()),
    };
    let mut mender = Mender { rest: &text, mended: String::with_capacity(text.len()) };
    let mut depth = 0;
    while let Some(first) = mender.rest.bytes().next() {
        match first {
            b'{' | b'[' if depth == MAX_DEPTH => mender.deep(),
            b'{' | b'[' => {
                depth += 1;
                mender.copy(1);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                mender.copy(1);
            }
            _ => mender.token(first),
        }
    }
    mender.mended
}

struct Mender<'a> {
    rest: &'a str,
    mended: String,
}

impl<'a> Mender<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn copy(&mut self, length: usize) {
        let taken = self.take(length);
        self.mended.push_str(taken);
    }

    /// How far the rest is of such bytes, which are ASCII.
    fn length(&self, is_part: impl Fn(u8) -> bool) -> usize {
        self.rest.bytes().take_while(|byte| is_part(*byte)).count()
    }

    /// A text, a number, a word, or whatever stands between them.
    fn token(&mut self, first: u8) {
        match first {
            b'"' => self.string(),
            b'-' | b'N' | b'I' => {
                let word =
                    self.take(self.length(|byte| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte)));
                if matches!(word, "NaN" | "Infinity" | "-Infinity" | "-NaN") {
                    self.mended.push_str(r#"{"\u0000nan":null}"#);
                } else {
                    self.mended.push_str(word);
                }
            }
            _ => {
                let other = |byte: u8| !b"\"{}[]-NI".contains(&byte);
                let length = self.length(|byte| byte.is_ascii() && other(byte));
                let length =
                    if length > 0 { length } else { self.rest.chars().next().map_or(0, char::len_utf8) };
                self.copy(length);
            }
        }
    }

    fn string(&mut self) {
        self.copy(1);
        loop {
            let plain = self.rest.find(|c: char| c == '"' || c == '\\' || c.is_ascii_control());
            self.copy(plain.unwrap_or(self.rest.len()));
            match self.rest.bytes().next() {
                None => return,
                Some(b'"') => return self.copy(1),
                Some(b'\\') => self.escape(),
                Some(control) => {
                    self.take(1);
                    write!(self.mended, "\\u{control:04x}").expect("memory");
                }
            }
        }
    }

    fn escape(&mut self) {
        match unit(self.rest) {
            Some(0xD800..=0xDBFF) if matches!(self.rest.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => {
                self.copy(12);
            }
            Some(0xD800..=0xDFFF) => {
                self.take(6);
                self.mended.push('\u{fffd}');
            }
            Some(_) => self.copy(6),
            // The backslash and what it escapes; whether it may, the parser says.
            None => {
                let length: usize = self.rest.chars().take(2).map(char::len_utf8).sum();
                self.copy(length);
            }
        }
    }

    /// Flattens the value at which the rest begins.
    fn deep(&mut self) {
        let (before, mut depth) = (self.rest.len(), 0_usize);
        let outer = std::mem::take(&mut self.mended);
        let mut leaves = String::new();
        while let Some(first) = self.rest.bytes().next() {
            match first {
                b'{' | b'[' => {
                    depth += 1;
                    self.take(1);
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.take(1);
                    if depth == 0 {
                        break;
                    }
                }
                b'"' => {
                    self.string();
                    let text = std::mem::take(&mut self.mended);
                    // Keys say nothing that is not the document's own.
                    if !self.rest.trim_start().starts_with(':') {
                        leaves.push_str(&text);
                        leaves.push(',');
                    }
                }
                b'-' | b'0'..=b'9' => {
                    let number =
                        self.take(self.length(|byte| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte)));
                    leaves.push_str(if serde_json::from_str::<serde_json::Number>(number).is_ok() {
                        number
                    } else {
                        "0"
                    });
                    leaves.push(',');
                }
                _ => _ = self.take(self.rest.chars().next().map_or(0, char::len_utf8)),
            }
        }
        self.mended = outer;
        // One that has no end leaves the body without one as well.
        if depth == 0 {
            let bytes = before - self.rest.len();
            leaves.pop();
            write!(self.mended, r#"{{"\u0000deep {bytes}":[{leaves}]}}"#).expect("memory");
        }
    }
}

/// The UTF-16 unit in an escape, `\ud83d`.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u16::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_almost_json_is_json_then() {
        for (body, expected) in [
            ("\u{feff}{\"a\": 1}", r#"{"a": 1}"#),
            (
                r#"{"a": NaN, "b": [-Infinity, Infinity]}"#,
                "{\"a\": {\"\\u0000nan\":null}, \"b\": [{\"\\u0000nan\":null}, {\"\\u0000nan\":null}]}",
            ),
            (r#""NaN \" Infinity""#, r#""NaN \" Infinity""#),
            (r#""x\ud83d""#, "\"x\u{fffd}\""),
            (r#""\ude00y""#, "\"\u{fffd}y\""),
            (r#""\ud83d\ud83d\ude00\\ud83d""#, "\"\u{fffd}\\ud83d\\ude00\\\\ud83d\""),
            (r#""\ud83d\u0041""#, "\"\u{fffd}\\u0041\""),
            ("\"a\nb\"", r#""a\u000ab""#),
            (r#"{"a":-1.5e3,"b":null}"#, r#"{"a":-1.5e3,"b":null}"#),
            ("\"", "\""),
            ("\"\\", "\"\\"),
            ("\"\\u12", "\"\\u12"),
            ("ñ", "ñ"),
            ("", ""),
        ] {
            assert_eq!(mend(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(mend(b"\"\xff\""), "\"\u{fffd}\"");
    }

    #[test]
    fn what_is_too_deep_keeps_its_texts_and_its_length() {
        let deep = format!("{}[{{\"k\":\"t\"}},5,null,-0x]{}", "[".repeat(20_000), "]".repeat(20_000));
        let mended = mend(format!("[{deep},1]").as_bytes());
        assert!(mended.contains(r#"{"\u0000deep 39784":["t",5,0]}"#), "{mended}");
        assert!(mended.ends_with(",1]") && mended.len() < 300);
        serde_json::from_str::<serde_json::Value>(&mended).expect("JSON");
        let endless = mend("[".repeat(1_000_000).as_bytes());
        assert!(endless.len() < 200);
    }
}
