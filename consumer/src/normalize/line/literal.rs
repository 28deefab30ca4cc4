//! Literals: addresses, names and ids, which cannot be mistaken for an ordinary word.

use super::super::numerals::{digit, folded, is_separator};
use super::nobody::NOBODY;

/// Fewer characters would be found among ordinary words.
const MIN_LITERAL_CHARS: usize = 6;

/// No person's address or name is longer; what is may be a text that only mentions one.
const MAX_LITERAL_CHARS: usize = 200;

/// Words with what separates them.
#[derive(Debug, Eq, PartialEq)]
pub(in super::super) struct Literal {
    /// Words, folded.
    pub(in super::super) words: Vec<String>,
    /// Separators, one between each two words.
    pub(in super::super) separators: Vec<String>,
    /// Fewest bytes of a text that has it: those of its words, without their accents.
    pub(in super::super) min_bytes: usize,
    /// Letter or digit that a text without the literal rarely has, and the one behind it in its word.
    pub(in super::super) anchor: Option<(u8, Option<u8>)>,
}

/// Letters that are rare in speech, and carry no accents.
const RARE: &[u8] = b"0123456789wxzqjyfhgvbpmcltdrs";

impl Literal {
    /// Takes a text that cannot be mistaken for an ordinary word: long enough, and with a digit, a sign or a second word.
    pub(super) fn new(text: &str) -> Option<Self> {
        // Most are numbers.
        if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic()) {
            return None;
        }
        let text = text.trim_matches(is_separator);
        let length = text.chars().count();
        let is_marked = text.chars().any(|c| digit(c).is_some() || "@_.-".contains(c) || c.is_whitespace());
        let is_number = !text.chars().any(char::is_alphabetic);
        if !(MIN_LITERAL_CHARS..=MAX_LITERAL_CHARS).contains(&length) || !is_marked || is_number {
            return None;
        }
        let mut literal = Self { words: Vec::new(), separators: Vec::new(), min_bytes: 0, anchor: None };
        let mut rest = text;
        loop {
            let (word, after) = rest.split_at(rest.find(is_separator).unwrap_or(rest.len()));
            literal.words.push(if word.is_ascii() {
                word.to_ascii_lowercase()
            } else {
                folded(word).collect()
            });
            let Some(length) = after.find(|c| !is_separator(c)) else { break };
            let (separator, after) = after.split_at(length);
            literal.separators.push(separator.into());
            rest = after;
        }
        literal.min_bytes = literal.words.iter().map(String::len).sum();
        literal.anchor = literal.rarest();
        let is_nobody = |word: &String| {
            NOBODY.binary_search(&word.as_str()).is_ok() || word.chars().all(|c| digit(c).is_some())
        };
        (!literal.words.iter().all(is_nobody)).then_some(literal)
    }

    /// The rarest letter of the longest word.
    fn rarest(&self) -> Option<(u8, Option<u8>)> {
        let longest = self.words.iter().map(String::as_bytes).max_by_key(|word| word.len())?;
        let anchor = RARE.iter().find_map(|rare| longest.iter().position(|byte| byte == rare))?;
        longest.is_ascii().then(|| (longest[anchor], longest.get(anchor + 1).copied()))
    }
}
