//! Looking words up in the table, also when several are run together.

use super::beginnings::is_other;
use super::table::whole;
use super::words::WORDS;
use super::words::Word::{self, Pair, Tens};

/// A word in lower case and without accents, as bytes.
pub(super) struct Folded {
    bytes: [u8; Self::MAX],
    length: usize,
}

impl Folded {
    /// Longest word that is looked up: a whole number may be run together.
    const MAX: usize = 80;

    /// Folds a word; `None` when it is too long, or has a letter that no number word has.
    pub(super) fn new(word: &str) -> Option<Self> {
        let mut folded = Self { bytes: [0; Self::MAX], length: 0 };
        let mut bytes = word.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                0..0x80 => folded.push(byte.to_ascii_lowercase())?,
                0xC3 => folded.push(without_accent(bytes.next()?)?)?,
                _ => return Self::any(word),
            }
        }
        Some(folded)
    }

    /// Folds a word of any letters.
    fn any(word: &str) -> Option<Self> {
        let mut folded = Self { bytes: [0; Self::MAX], length: 0 };
        for c in super::folded(word) {
            folded.push(u8::try_from(c).ok().filter(u8::is_ascii)?)?;
        }
        Some(folded)
    }

    fn push(&mut self, letter: u8) -> Option<()> {
        *self.bytes.get_mut(self.length)? = letter;
        self.length += 1;
        Some(())
    }

    /// Reads the word as a number, or as numbers that are run together, such as `cincuentaicinco`, `dieciseis` or
    /// `cincodos`; `None` when it is none of the table, and not made of them.
    pub(super) fn words(&self) -> Option<Words> {
        let word = &self.bytes[..self.length];
        if let Some(found) = whole(word) {
            return Some(Words::One(found));
        }
        if is_other(word) {
            return None;
        }
        match part(word) {
            Some((found, length)) if length == word.len() => Some(Words::One(found)),
            Some(_) => run_together(word).map(Words::Several),
            None => None,
        }
    }
}

/// Letter of Latin-1 without its accent, by the second of its two bytes, in lower case; the same letters as
/// [`folded`](super::folded) has.
fn without_accent(second: u8) -> Option<u8> {
    match second | 0x20 {
        0xA0..=0xA4 => Some(b'a'),
        0xA7 => Some(b'c'),
        0xA8..=0xAB => Some(b'e'),
        0xAC..=0xAF => Some(b'i'),
        0xB1 => Some(b'n'),
        0xB2..=0xB6 => Some(b'o'),
        0xB9..=0xBC => Some(b'u'),
        _ => None,
    }
}

/// What a word writes.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Words {
    /// A word of the table.
    One(Word),
    /// Numbers without a space between them.
    Several(Vec<Word>),
}

fn run_together(word: &[u8]) -> Option<Vec<Word>> {
    let mut rest = word;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (number, length) = part(rest).filter(|(word, _)| word.is_number())?;
        found.push(number);
        rest = &rest[length..];
        if let (Tens(_), [b'i' | b'y', after @ ..]) = (number, rest) {
            rest = after;
        }
    }
    Some(found)
}

/// Tens that run into their units, by the first digit.
const CONTRACTED: [(&str, u8); 8] = [
    ("cincuenti", 5),
    ("cuarenti", 4),
    ("noventi", 9),
    ("ochenti", 8),
    ("sesenti", 6),
    ("setenti", 7),
    ("treinti", 3),
    ("trenti", 3),
];

/// The longest word that a text begins with, and its length.
fn part(text: &[u8]) -> Option<(Word, usize)> {
    Table::begins(text).or(match text {
        [b'd', b'i', b'e', b'c' | b's', b'i', ..] => Some((Pair(1, 0), 5)),
        [b'v', b'e', b'n', b't', b'i', ..] => Some((Tens(2), 5)),
        // `cincuenticinco`: the last letter of the tens is the one that joins.
        _ => CONTRACTED
            .iter()
            .find(|(stem, _)| text.starts_with(stem.as_bytes()))
            .map(|(stem, tens)| (Tens(*tens), stem.len())),
    })
}

/// The table as it is searched: by the first two letters, and words as numbers of sixteen bytes.
struct Table {
    keys: [u128; WORDS.len()],
    /// For each pair of letters where its words begin, and for the one behind the last.
    starts: [usize; 26 * 26 + 1],
}

static TABLE: Table = Table::new();

impl Table {
    const fn new() -> Self {
        let mut table = Self { keys: [0; WORDS.len()], starts: [0; 26 * 26 + 1] };
        let mut at = 0;
        while at < WORDS.len() {
            table.keys[at] = key(WORDS[at].0.as_bytes());
            at += 1;
        }
        let (mut at, mut begins) = (0, 0);
        while begins < table.starts.len() {
            while at < WORDS.len() && pair(WORDS[at].0.as_bytes()) < begins {
                at += 1;
            }
            table.starts[begins] = at;
            begins += 1;
        }
        table
    }

    /// The longest word of the table that a text begins with, and its length; plurals and joined `s` only as a whole.
    fn begins(text: &[u8]) -> Option<(Word, usize)> {
        if text.is_empty() || !text.iter().take(2).all(u8::is_ascii_lowercase) {
            return None;
        }
        let (start, end) = (TABLE.starts[pair(text)], TABLE.starts[pair(text) + 1]);
        let whole = key(text);
        let mut found = None;
        for ((word, value), own) in WORDS[start..end].iter().zip(&TABLE.keys[start..end]) {
            let length = word.len();
            if whole & (u128::MAX >> (128 - 8 * length)) != *own {
                continue;
            }
            let is_whole = length == text.len();
            if is_whole || value.is_number() {
                // Sorted, so a longer one comes later.
                found = Some((*value, length));
            }
        }
        found
    }
}

/// Index of the first two letters; one that is alone counts with `a`.
const fn pair(word: &[u8]) -> usize {
    let second = if word.len() > 1 { (word[1] - b'a') as usize } else { 0 };
    (word[0] - b'a') as usize * 26 + second
}

/// The first bytes of a word as a number.
const fn key(word: &[u8]) -> u128 {
    let mut key = 0;
    let mut at = if word.len() < 16 { word.len() } else { 16 };
    while at > 0 {
        at -= 1;
        key = key << 8 | word[at] as u128;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::super::words::Word::Unit;
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(WORDS.is_sorted_by(|one, other| one.0 < other.0));
        for (text, found) in WORDS {
            assert!(text.len() <= 16, "{text}");
            let read = Folded::new(&text.to_uppercase()).and_then(|word| word.words());
            assert_eq!(read, Some(Words::One(found)), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_run_together_are_read() {
        for (text, expected) in [
            ("cincuentaicinco", Some(vec![Tens(5), Unit(5)])),
            ("treintaydos", Some(vec![Tens(3), Unit(2)])),
            ("dieciseis", Some(vec![Pair(1, 0), Unit(6)])),
            ("veintiocho", Some(vec![Tens(2), Unit(8)])),
            ("ventidos", Some(vec![Tens(2), Unit(2)])),
            ("cincodosuno", Some(vec![Unit(5), Unit(2), Unit(1)])),
            ("cincoseis", Some(vec![Unit(5), Unit(6)])),
            ("cincuenticinco", Some(vec![Tens(5), Unit(5)])),
            ("trenticuatro", Some(vec![Tens(3), Unit(4)])),
            ("todos", None),
            ("cincomentarios", None),
            ("milagro", None),
        ] {
            let read = Folded::new(text).and_then(|word| word.words());
            let several = read.map(|words| match words {
                Words::Several(several) => several,
                Words::One(one) => vec![one],
            });
            assert_eq!(several, expected, "{text}");
        }
    }
}
