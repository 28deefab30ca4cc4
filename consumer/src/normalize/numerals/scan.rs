//! Scanning: one pass over a text that takes its digits and number words out.

use std::mem::take;

use super::beginnings::is_other;
use super::digits::{digit, is_ignorable, lookalike, pair};
use super::lookup::{Folded, Words};
use super::table::{STEP, has_beginning, letters, short};
use super::words::Word;
use super::{Token, Value, is_separator};

/// Words between a number and the unit it counts: `mil de pesos`.
const MAX_WORDS_TO_UNIT: u32 = 1;

/// No shorter word is made of others: `venti`, which only begins one.
const MIN_RUN_TOGETHER: usize = 5;

/// Digits and number words of one text or of several.
#[derive(Debug, Default)]
pub(in super::super) struct Numerals {
    /// They, in order.
    pub(in super::super) tokens: Vec<Token>,
    /// Words of the texts that are neither numbers nor fillers.
    pub(in super::super) words: u32,
    /// How many texts there were.
    pub(in super::super) texts: u32,
}

/// Most digits that tokens can be read as.
pub(in super::super) fn max_digits(tokens: &[Token]) -> usize {
    tokens.iter().map(|token| token.value.max_digits()).sum()
}

/// Takes the digits and number words out of a text.
pub(in super::super) fn scan(text: &str) -> Numerals {
    let mut found = Numerals::default();
    found.add(text);
    found
}

impl Numerals {
    /// None, with room for so many.
    pub(in super::super) fn with_capacity(tokens: usize) -> Self {
        Self { tokens: Vec::with_capacity(tokens), ..Self::default() }
    }

    /// Takes the digits and number words out of a text that follows those before.
    pub(in super::super) fn add(&mut self, text: &str) {
        let first = self.tokens.len();
        let mut scanner =
            Scanner { text, found: self, first, is_barred: false, is_corrected: false, has_currency: false };
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | 0xC3 => scanner.word(at),
                b'0'..=b'9' => scanner.digits(at),
                b'$' => scanner.currency(at + 1),
                0x80.. => scanner.foreign(at),
                _ => at + 1,
            };
        }
        self.texts += 1;
    }
}

struct Scanner<'a> {
    text: &'a str,
    found: &'a mut Numerals,
    /// First token of this text.
    first: usize,
    is_barred: bool,
    is_corrected: bool,
    has_currency: bool,
}

impl Scanner<'_> {
    /// A word that begins with a letter of ASCII or Latin-1; returns where it ends.
    fn word(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let (key, length) = letters(&bytes[start..]);
        let mut end = start + length;
        // Most words are shorter than what is looked at in one step.
        if length < STEP && !matches!(bytes.get(end), Some(b'0'..=b'9' | 0x80..)) {
            match short(key) {
                Some(word) => self.found((start, end), word),
                None if length < MIN_RUN_TOGETHER || is_other(&bytes[start..end]) => self.other(),
                None => self.lookup(start, end),
            }
            return end;
        }
        let mut has_accents = false;
        loop {
            match bytes.get(end) {
                Some(b'a'..=b'z' | b'A'..=b'Z') => end += 1,
                // À to ÿ in two bytes, without × and ÷: most of what is not ASCII in Spanish.
                Some(0xC3) if !matches!(bytes[end + 1], 0x97 | 0xB7) => {
                    has_accents = true;
                    end += 2;
                }
                Some(0xC3) if end == start => return start + 2,
                Some(0xC3) => break,
                Some(b'0'..=b'9' | 0x80..) => return self.any_run(start),
                _ => break,
            }
        }
        // With accents, it is shorter than it looks.
        let is_other = !has_accents && !has_beginning(key) && is_other(&bytes[start..end]);
        if is_other {
            self.other();
        } else {
            self.lookup(start, end);
        }
        end
    }

    /// A run that begins with a digit of ASCII, and has mostly no other characters; returns where it ends.
    fn digits(&mut self, start: usize) -> usize {
        let run = &self.text.as_bytes()[start..];
        let length = run.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if matches!(run.get(length), Some(b'a'..=b'z' | b'A'..=b'Z' | 0x80..)) {
            return self.any_run(start);
        }
        for (at, byte) in run[..length].iter().enumerate() {
            self.push((start + at, start + at + 1), Value::Digit(byte - b'0'), at > 0);
        }
        start + length
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
        match Folded::new(&self.text[start..end]).and_then(|word| word.words()) {
            Some(Words::One(word)) => self.found((start, end), word),
            Some(Words::Several(parts)) => {
                let parts = parts.into_iter().enumerate();
                parts.for_each(|(index, part)| self.number((start, end), part, index > 0));
            }
            None => self.other(),
        }
    }

    fn found(&mut self, (start, end): (usize, usize), word: Word) {
        match word {
            Word::Join | Word::Filler => {}
            // `treinta i cuatro`; a capital may be meant for a one.
            Word::Article(1) if &self.text.as_bytes()[start..end] == b"i" => {}
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
        let place = u32::try_from(self.found.tokens.len()).unwrap_or(u32::MAX);
        let token = Token {
            start,
            end,
            value,
            words: self.found.words,
            text: self.found.texts,
            place,
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
        if let Some(last) = self.found.tokens[self.first..].last_mut()
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
