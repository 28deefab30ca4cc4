//! Addresses, names and ids, as whole words in either case, with or without accents, and as they are said: `punto`,
//! `arroba`, `guion bajo`.

use memchr::memchr2_iter;

use super::super::line::Literal;
use super::super::numerals::{folded, words};
use super::{Kind, Span};

/// Finds literals in a text; each that stands in it is handed to `seen`.
pub(super) fn find<'a>(
    literals: &'a [Literal],
    passage: usize,
    text: &str,
    found: &mut Vec<Span>,
    mut seen: impl FnMut(&'a Literal),
) {
    for literal in literals.iter().filter(|literal| may_have(literal, text)) {
        let starts = words(text).filter(|(_, word)| folded(word).eq(literal.words[0].chars()));
        let ranges =
            starts.filter_map(|(start, word)| Some(start..literal_end(literal, text, start + word.len())?));
        let before = found.len();
        found.extend(ranges.map(|range| Span { passage, range, kind: Kind::Literal }));
        if found.len() > before {
            seen(literal);
        }
    }
}

/// Tells cheaply that a text has no such literal: its longest word, by one of its letters.
pub(super) fn may_have(literal: &Literal, text: &str) -> bool {
    if text.len() < literal.min_bytes {
        return false;
    }
    let Some((byte, next)) = literal.anchor else { return true };
    let bytes = text.as_bytes();
    memchr2_iter(byte, byte.to_ascii_uppercase(), bytes).any(|place| {
        // Accents take the word apart here, and it is looked at letter by letter.
        let after = bytes.get(place + 1);
        next.zip(after).is_none_or(|(next, after)| after.eq_ignore_ascii_case(&next) || !after.is_ascii())
    })
}

/// Where the literal ends whose first word ends here.
fn literal_end(literal: &Literal, text: &str, first_end: usize) -> Option<usize> {
    let mut end = first_end;
    for (separator, word) in literal.separators.iter().zip(&literal.words[1..]) {
        let rest = after_separator(&text[end..], separator)?;
        let (start, next) = words(rest).next()?;
        if start != 0 || !folded(next).eq(word.chars()) {
            return None;
        }
        end = text.len() - rest.len() + next.len();
    }
    Some(end)
}

/// The rest of a text behind a separator, written or said.
fn after_separator<'a>(text: &'a str, separator: &str) -> Option<&'a str> {
    let mut rest = text;
    for sign in separator.chars() {
        let trimmed = rest.trim_start_matches(|c: char| c != sign && is_pause(c));
        rest = if sign.is_whitespace() {
            let space = rest.trim_start_matches(is_pause);
            (space.len() < rest.len() || space.is_empty()).then_some(space)?
        } else {
            trimmed
                .strip_prefix(sign)
                .or_else(|| said(sign).iter().find_map(|name| after_words(trimmed, name)))?
        };
    }
    Some(rest.trim_start_matches(is_pause))
}

/// Tells what speech recognition writes where somebody pauses.
fn is_pause(c: char) -> bool {
    c.is_whitespace() || ",;:…".contains(c)
}

/// How a sign is said.
fn said(sign: char) -> &'static [&'static str] {
    match sign {
        '@' => &["arroba", "at"],
        '.' => &["punto", "dot"],
        '-' => &["guion", "dash", "menos"],
        '_' => &["guion bajo", "underscore", "bajo"],
        _ => &[],
    }
}

/// The rest of a text that begins with these words.
fn after_words<'a>(text: &'a str, expected: &str) -> Option<&'a str> {
    let mut rest = text;
    for word in expected.split(' ') {
        rest = rest.trim_start();
        let (start, found) = words(rest).next()?;
        if start != 0 || !folded(found).eq(word.chars()) {
            return None;
        }
        rest = &rest[found.len()..];
    }
    Some(rest)
}
