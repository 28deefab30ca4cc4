//! Where the caller's line stands in a text. Each look is linear in the text, however many digits it has.

use std::ops::Range;

use memchr::{memchr2_iter, memmem};

use super::line::{Line, LineNumber, digit};

/// The widest gap, in bytes, across which a country code still belongs to its number, as in `+52 (55)`.
const MAX_PREFIX_GAP: usize = 4;

/// The first byte that begins a digit of another script than ASCII.
const FIRST_FOREIGN_DIGIT_BYTE: u8 = 0xD9;

/// The places, in order and apart from each other.
pub(super) fn spans(line: &Line, text: &str) -> Vec<Range<usize>> {
    let mut spans = number_spans(line, text);
    spans.extend(short_number_spans(line, text));
    spans.extend(literal_spans(line, text));
    merged(spans)
}

/// The places of the line's numbers of six and more digits.
pub(super) fn number_spans(line: &Line, text: &str) -> Vec<Range<usize>> {
    let Some(fewest) = line.numbers.iter().map(|number| number.core.len()).min() else { return Vec::new() };
    // Most texts have too few digits to hold any number, and are seen through here.
    let may_be_digit = |byte: &u8| byte.is_ascii_digit() || *byte >= FIRST_FOREIGN_DIGIT_BYTE;
    if text.bytes().filter(|byte| may_be_digit(byte)).count() < fewest {
        return Vec::new();
    }
    let digits = Digits::new(text);
    line.numbers.iter().flat_map(|number| digits.spans(number)).collect()
}

/// The digits of a text without what separates them; what is no separator, a letter, stands as one `|`.
struct Digits<'a> {
    text: &'a str,
    signs: String,
    places: Vec<Range<usize>>,
}

impl<'a> Digits<'a> {
    fn new(text: &'a str) -> Self {
        let mut signs = String::new();
        let mut places = Vec::new();
        for (start, c) in text.char_indices() {
            let sign = match digit(c) {
                Some(digit) => digit,
                None if c.is_alphanumeric() && !signs.ends_with('|') => '|',
                None => continue,
            };
            signs.push(sign);
            places.push(start..start + c.len_utf8());
        }
        Self { text, signs, places }
    }

    fn spans(&self, number: &LineNumber) -> impl Iterator<Item = Range<usize>> {
        self.signs.match_indices(&number.core).map(|(core, _)| {
            let matched = number.prefixes.iter().map(|prefix| self.matched(core, prefix)).max();
            let variant =
                number.variants.iter().filter(|variant| self.matched(core, variant) == variant.len());
            let country_code = matched.max(variant.map(|variant| variant.len()).max()).unwrap_or_default();
            let start = self.places[core - country_code].start;
            self.with_leading_signs(start, self.places[core + number.core.len() - 1].end)
        })
    }

    /// How many digits before the core are the last ones of a prefix.
    fn matched(&self, core: usize, prefix: &str) -> usize {
        let before = self.signs.as_bytes()[..core].iter().zip(&self.places[..core]).rev();
        let mut end = self.places[core].start;
        let mut matched = 0;
        for (expected, (sign, place)) in prefix.bytes().rev().zip(before) {
            if *sign != expected || end - place.end > MAX_PREFIX_GAP {
                break;
            }
            end = place.start;
            matched += 1;
        }
        matched
    }

    /// The place with what introduces a number: `00`, `+`, and a parenthesis that is closed inside of it.
    fn with_leading_signs(&self, mut start: usize, end: usize) -> Range<usize> {
        let before = |start: usize| self.text[..start].chars().next_back();
        if self.text[..start].ends_with("00") && !before(start - 2).is_some_and(char::is_alphanumeric) {
            start -= 2;
        }
        while let Some(sign @ ('+' | '(')) = before(start) {
            if sign == '(' && !is_closed_later(&self.text[start..end]) {
                break;
            }
            start -= 1;
        }
        start..end
    }
}

/// Whether a parenthesis is closed that was not opened here.
fn is_closed_later(text: &str) -> bool {
    text.matches(')').count() > text.matches('(').count()
}

fn short_number_spans(line: &Line, text: &str) -> Vec<Range<usize>> {
    if line.short_numbers.is_empty() {
        return Vec::new();
    }
    let words = text.split(|c: char| !c.is_alphanumeric());
    let found = words.filter(|word| line.short_numbers.iter().any(|number| number == word));
    found.map(|word| offset(text, word)..offset(text, word) + word.len()).collect()
}

/// Where a piece of a text begins in it.
fn offset(text: &str, piece: &str) -> usize {
    piece.as_ptr() as usize - text.as_ptr() as usize
}

fn literal_spans(line: &Line, text: &str) -> Vec<Range<usize>> {
    if line.literals.is_empty() {
        return Vec::new();
    }
    let has_foreign_capital = FOREIGN_CAPITALS.iter().any(|c| memmem::find(text.as_bytes(), c).is_some());
    if has_foreign_capital || line.literals.iter().any(|literal| !literal.is_ascii()) {
        return folded_spans(&line.literals, text);
    }
    line.literals.iter().flat_map(|literal| ascii_spans(literal.as_bytes(), text.as_bytes())).collect()
}

/// The two characters beyond ASCII that have an ASCII letter in lower case: the Kelvin sign, and the I with a dot.
const FOREIGN_CAPITALS: [&[u8]; 2] = ["\u{212A}".as_bytes(), "\u{130}".as_bytes()];

/// Where an ASCII text in lower case stands, in either case.
fn ascii_spans(literal: &[u8], text: &[u8]) -> Vec<Range<usize>> {
    // Looked for by a byte that is rare in speech, a digit or a sign, if it has one.
    let anchor = literal.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or_default();
    let Some(byte) = literal.get(anchor) else { return Vec::new() };
    let mut spans: Vec<Range<usize>> = Vec::new();
    for place in memchr2_iter(*byte, byte.to_ascii_uppercase(), text) {
        let Some(start) = place.checked_sub(anchor) else { continue };
        let end = start + literal.len();
        let is_apart = spans.last().is_none_or(|last| last.end <= start);
        if is_apart && text.get(start..end).is_some_and(|found| found.eq_ignore_ascii_case(literal)) {
            spans.push(start..end);
        }
    }
    spans
}

/// The same for any text, folded character by character.
fn folded_spans(literals: &[String], text: &str) -> Vec<Range<usize>> {
    let mut folded = String::with_capacity(text.len());
    // For each byte of the folded text, the character of the text that it comes from.
    let mut places: Vec<Range<usize>> = Vec::with_capacity(text.len());
    for (start, c) in text.char_indices() {
        folded.extend(c.to_lowercase());
        places.resize(folded.len(), start..start + c.len_utf8());
    }
    let found = literals.iter().flat_map(|literal| {
        folded.match_indices(literal).map(|(start, literal)| start..start + literal.len())
    });
    found.map(|span| places[span.start].start..places[span.end - 1].end).collect()
}

/// The places in order, overlapping ones made one.
fn merged(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_by_key(|span| span.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quick_way_finds_what_the_thorough_one_does(
            literal in "[a-c_1]{1,4}",
            text in "[a-cA-C_1ñÑ ]{0,40}",
        ) {
            let thorough = folded_spans(std::slice::from_ref(&literal), &text);
            prop_assert_eq!(ascii_spans(literal.as_bytes(), text.as_bytes()), thorough);
        }
    }

    #[test]
    fn a_foreign_capital_is_seen_through() {
        let line = Line { literals: vec!["kilo_1".to_owned()], ..Line::default() };
        assert_eq!(spans(&line, "su clave: \u{212A}ILO_1.").first(), Some(&(10..18)));
    }
}
