//! Numbers as they are written and said: a text becomes tokens, each a digit or a number word with its place, and tokens
//! are read as digits in every way that they allow.
//!
//! Nothing here knows whose number it is. A token costs one look at each of its characters; an ordinary word, a look at
//! its first two.

mod beginnings;
mod digits;
mod lookup;
mod readings;
mod scan;
mod table;
mod words;

pub(super) use digits::is_ignorable;
pub(super) use readings::{Edge, Edges, edges};
pub(super) use scan::{Numerals, max_digits, scan};

/// One digit or number word of one of several texts.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each tells something else of what stands before it")]
pub(super) struct Token {
    /// First byte of it in its text.
    pub(super) start: u32,
    /// First byte after it.
    pub(super) end: u32,
    /// Number that it writes, or its part in one.
    pub(super) value: Value,
    /// Words before it, also in the texts before, that are neither numbers nor fillers.
    pub(super) words: u32,
    /// Which text it is of.
    pub(super) text: u32,
    /// Its place among the tokens of all texts.
    pub(super) place: u32,
    /// Set when no separator is between it and the token before.
    pub(super) is_glued: bool,
    /// Set when a unit of money, time or length stands between it and the token before.
    pub(super) is_barred: bool,
    /// Set when somebody takes back what was said before it: `no, perdón`.
    pub(super) is_correction: bool,
    /// Set when a currency sign precedes it.
    pub(super) is_amount: bool,
    /// Set when a unit follows it: it counts something.
    pub(super) is_counted: bool,
}

/// Number that a token writes, or its part in one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value {
    /// A digit, in any script.
    Digit(u8),
    /// A letter inside a run of digits that may be meant for one, or a word that may be a number: read or skipped.
    Maybe(u8),
    /// A number word below ten.
    Unit(u8),
    /// A number of two digits that is one word.
    Pair(u8, u8),
    /// `treinta` to `noventa`, by the first digit.
    Tens(u8),
    /// `cien` to `novecientos`, by the first digit.
    Hundreds(u8),
    /// `mil`.
    Thousand,
    /// `doble`, `triple`: how often the next number is said.
    Repeat(u8),
    /// `cincos`: which unit there are several of.
    Plural(u8),
}

impl Value {
    /// Most digits that it adds to a number.
    fn max_digits(self) -> usize {
        match self {
            Self::Digit(_) | Self::Unit(_) => 1,
            Self::Maybe(_) | Self::Pair(..) | Self::Tens(_) => 2,
            Self::Hundreds(_) => 3,
            // With what follows: `mil`, `doble cincuenta y cinco`, `tres ceros`.
            Self::Thousand | Self::Repeat(_) | Self::Plural(_) => 6,
        }
    }
}

impl Token {
    /// Tells that it may be skipped.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.value, Value::Maybe(_))
    }

    /// Tells that nothing but separators and fillers is between it and the token before it.
    pub(super) fn continues(&self, before: &Self) -> bool {
        !self.is_barred && !before.is_counted && self.words == before.words
    }
}

/// Reads a character as a decimal digit of any script.
pub(super) fn digit(c: char) -> Option<u8> {
    digits::digit(c)
}

/// Folds a text for comparison, character by character: lower case, without accents and what shows nothing.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !digits::is_ignorable(*c)).flat_map(fold)
}

fn fold(c: char) -> impl Iterator<Item = char> {
    let lower = if c.is_ascii() { Lower::One(c.to_ascii_lowercase()) } else { Lower::Many(c.to_lowercase()) };
    let bare = |c| match c {
        'á' | 'à' | 'ä' | 'â' | 'ã' => 'a',
        'é' | 'è' | 'ë' | 'ê' => 'e',
        'í' | 'ì' | 'ï' | 'î' => 'i',
        'ó' | 'ò' | 'ö' | 'ô' | 'õ' => 'o',
        'ú' | 'ù' | 'ü' | 'û' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    };
    lower.filter(|c| !digits::is_ignorable(*c)).map(bare)
}

/// Lower case of a character.
enum Lower {
    One(char),
    Many(std::char::ToLowercase),
    Done,
}

impl Iterator for Lower {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match std::mem::replace(self, Self::Done) {
            Self::One(c) => Some(c),
            Self::Many(mut rest) => {
                let next = rest.next();
                *self = Self::Many(rest);
                next
            }
            Self::Done => None,
        }
    }
}

/// Words of a text, runs of letters and digits, with where they begin.
pub(super) fn words(text: &str) -> impl DoubleEndedIterator<Item = (usize, &str)> {
    text.split(is_separator)
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// Tells what stands between two words.
pub(super) fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && !digits::is_ignorable(c)
}

/// Digits of a text in its plainest reading: number words one by one, composed where that is the only sense.
pub(super) fn plain_digits(tokens: &[Token]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut read = Edges::new();
    while at < tokens.len() {
        edges(tokens, at, &mut read);
        let longest = read.iter().max_by_key(|edge| edge.end);
        at = longest.map_or(at + 1, |edge| {
            found.extend_from_slice(edge.digits());
            edge.end
        });
    }
    found
}
