//! Scanning: one pass over a text that takes its digits and number words out.

use std::mem::take;

use super::beginnings::is_other;
use super::digits::{digit, is_ignorable, lookalike, pair};
use super::lookup::{Folded, Words};
use super::words::Word;
use super::{Token, Value, is_separator};

/// Words between a number and the unit it counts: `mil de pesos`.
const MAX_WORDS_TO_UNIT: u32 = 1;

/// Digits and number words of a text.
#[derive(Debug, Default)]
pub(in super::super) struct Numerals {
    /// They, in order.
    pub(in super::super) tokens: Vec<Token>,
    /// Words of the text that are neither numbers nor fillers.
    pub(in super::super) words: u32,
}

impl Numerals {
    /// Most digits that they can be read as.
    pub(in super::super) fn max_digits(&self) -> usize {
        max_digits(&self.tokens)
    }
}

/// Most digits that tokens can be read as.
pub(in super::super) fn max_digits(tokens: &[Token]) -> usize {
    tokens.iter().map(|token| token.value.max_digits()).sum()
}

/// Takes the digits and number words out of a text.
pub(in super::super) fn scan(text: &str) -> Numerals {
    let mut scanner = Scanner {
        text,
        found: Numerals::default(),
        is_barred: false,
        is_corrected: false,
        has_currency: false,
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | 0xC3 => scanner.word(at),
            b'0'..=b'9' => scanner.any_run(at),
            b'$' => scanner.currency(at + 1),
            0x80.. => scanner.foreign(at),
            _ => at + 1,
        };
    }
    scanner.found
}

struct Scanner<'a> {
    text: &'a str,
    found: Numerals,
    is_barred: bool,
    is_corrected: bool,
    has_currency: bool,
}

impl Scanner<'_> {
    /// A word that begins with a letter of ASCII or Latin-1; returns where it ends.
    fn word(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = start;
        loop {
            match bytes.get(end) {
                Some(b'a'..=b'z' | b'A'..=b'Z') => end += 1,
                // À to ÿ in two bytes, without × and ÷: most of what is not ASCII in Spanish.
                Some(0xC3) if !matches!(bytes[end + 1], 0x97 | 0xB7) => end += 2,
                Some(0xC3) if end == start => return start + 2,
                Some(0xC3) => break,
                Some(b'0'..=b'9' | 0x80..) => return self.any_run(start),
                _ => break,
            }
        }
        match &bytes[start..end] {
            // The shortest and most frequent ones: joins, and what may take something back.
            b"y" | b"e" => {}
            b"no" | b"No" => self.is_corrected = true,
            word if is_other(word) => self.other(),
            _ => self.lookup(start, end),
        }
        end
    }

    /// Something that begins beyond ASCII: a word, a digit, a separator, a currency sign.
    fn foreign(&mut self, start: usize) -> usize {
        match self.text[start..].chars().next().unwrap_or_default() {
            c @ ('€' | '£' | '¢') => self.currency(start + c.len_utf8()),
            c if is_separator(c) => start + c.len_utf8(),
            _ => self.any_run(start),
        }
    }

    /// A run of letters and digits of any script.
    fn any_run(&mut self, start: usize) -> usize {
        let run = &self.text[start..];
        let run = &run[..run.find(is_separator).unwrap_or(run.len())];
        let end = start + run.len();
        if run.chars().any(|c| digit(c).is_some() || pair(c).is_some()) {
            return self.mixed(start, end);
        }
        if run.chars().any(char::is_alphanumeric) {
            self.lookup(start, end);
        }
        end
    }

    /// A run of digits and letters: its digits, the letters that are taken for one between two of them, and the others as
    /// words.
    fn mixed(&mut self, start: usize, end: usize) -> usize {
        let mut is_glued = false;
        let mut was_letter = false;
        for (offset, c) in self.text[start..end].char_indices() {
            let place = (start + offset, start + offset + c.len_utf8());
            let value = match (digit(c), pair(c), lookalike(c)) {
                (Some(digit), ..) => Value::Digit(digit),
                (_, Some(pair), _) => Value::Pair(pair / 10, pair % 10),
                (_, _, Some(digit)) => Value::Maybe(digit),
                _ if is_ignorable(c) => continue,
                _ => {
                    if !was_letter {
                        self.other();
                    }
                    was_letter = true;
                    is_glued = false;
                    continue;
                }
            };
            was_letter = false;
            self.push(place, value, is_glued);
            is_glued = true;
        }
        end
    }

    fn lookup(&mut self, start: usize, end: usize) {
        let found = match Folded::new(&self.text[start..end]).and_then(|word| word.words()) {
            Some(Words::One(found)) => found,
            Some(Words::Several(parts)) => {
                let parts = parts.into_iter().enumerate();
                return parts.for_each(|(index, part)| self.number((start, end), part, index > 0));
            }
            None => return self.other(),
        };
        match found {
            Word::Join | Word::Filler => {}
            // `treinta i cuatro`; a capital may be meant for a one.
            Word::Article(1) if &self.text[start..end] == "i" => {}
            Word::Correction => self.is_corrected = true,
            Word::Barrier => self.barrier(),
            number => self.number((start, end), number, false),
        }
    }

    fn number(&mut self, place: (usize, usize), word: Word, is_glued: bool) {
        let value = match word {
            Word::Unit(digit) => Value::Unit(digit),
            Word::Article(digit) => Value::Maybe(digit),
            Word::Pair(tens, unit) => Value::Pair(tens, unit),
            Word::Tens(tens) => Value::Tens(tens),
            Word::Hundreds(hundreds) => Value::Hundreds(hundreds),
            Word::Thousand => Value::Thousand,
            Word::Repeat(times) => Value::Repeat(times),
            Word::Plural(unit) => Value::Plural(unit),
            Word::Join | Word::Filler | Word::Correction | Word::Barrier => return,
        };
        self.push(place, value, is_glued);
    }

    fn push(&mut self, (start, end): (usize, usize), value: Value, is_glued: bool) {
        // A text of 4 GiB does not come: bodies are bounded.
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else { return };
        let token = Token {
            start,
            end,
            value,
            words: self.found.words,
            is_glued,
            is_barred: take(&mut self.is_barred),
            is_correction: take(&mut self.is_corrected),
            is_amount: take(&mut self.has_currency),
            is_counted: false,
        };
        self.found.tokens.push(token);
    }

    fn other(&mut self) {
        self.found.words += 1;
        self.has_currency = false;
    }

    fn barrier(&mut self) {
        self.is_barred = true;
        let words = self.found.words;
        if let Some(last) = self.found.tokens.last_mut()
            && words - last.words <= MAX_WORDS_TO_UNIT
        {
            last.is_counted = true;
        }
    }

    fn currency(&mut self, end: usize) -> usize {
        self.barrier();
        self.has_currency = true;
        end
    }
}
