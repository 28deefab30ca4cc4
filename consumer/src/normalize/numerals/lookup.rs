//! Looking words up: most are told apart from numbers by their first three letters.

use super::words::WORDS;
use super::words::Word::{self, Pair, Tens};

/// Beginnings of the words in the table, by which most words of a text are told apart: for each pair of letters which
/// third ones follow, and whether the pair is a word by itself.
static BEGINNINGS: [u32; 26 * 26] = beginnings();

/// Letters that are words by themselves.
static LETTERS: u32 = letters();

/// Marks a pair of letters that is a word.
const IS_WORD: u32 = 1 << 31;

const fn beginnings() -> [u32; 26 * 26] {
    let mut found = [0; 26 * 26];
    // `venti` and `dieci`, which only begin a word.
    found[pair(b"ve")] |= 1 << (b'n' - b'a');
    found[pair(b"di")] |= 1 << (b'e' - b'a');
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].0.as_bytes();
        if word.len() > 1 {
            found[pair(word)] |= if word.len() == 2 { IS_WORD } else { 1 << (word[2] - b'a') };
        }
        at += 1;
    }
    found
}

/// Index of the first two letters; one that is alone counts with `a`.
const fn pair(word: &[u8]) -> usize {
    let second = if word.len() > 1 { (word[1] - b'a') as usize } else { 0 };
    (word[0] - b'a') as usize * 26 + second
}

const fn letters() -> u32 {
    let mut found = 0;
    let mut at = 0;
    while at < WORDS.len() {
        if WORDS[at].0.len() == 1 {
            found |= 1 << (WORDS[at].0.as_bytes()[0] - b'a');
        }
        at += 1;
    }
    found
}

/// Tells from its first three bytes that a word of letters is none of the table, and none that
/// is run together.
pub(super) fn is_other(word: &[u8]) -> bool {
    let letter = |byte: u8| (byte | 0x20).wrapping_sub(b'a');
    match *word {
        [] | [0xC3, ..] => true,
        [one] => LETTERS & (1 << letter(one)) == 0,
        // Beyond ASCII, an accent may be on any letter.
        [_, second, ..] if !second.is_ascii() => false,
        [first, second, ref rest @ ..] => {
            let found = BEGINNINGS[usize::from(letter(first)) * 26 + usize::from(letter(second))];
            match rest.first() {
                None => found & IS_WORD == 0,
                Some(third) if third.is_ascii() && found & (1 << letter(*third)) == 0 => true,
                Some(_) => !may_begin(word),
            }
        }
    }
}

/// Hashes of the first four letters of the words, and of all that begin with a number of three.
static FOURS: [u64; 16] = fours();

const fn fours() -> [u64; 16] {
    let mut found = [0; 16];
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].0.as_bytes();
        if word.len() >= 4 {
            let hash = hash([word[0], word[1], word[2], word[3]]);
            found[hash / 64] |= 1 << (hash % 64);
        } else if word.len() == 3 {
            // With any letter behind it, for numbers that are run together.
            let mut fourth = b'a';
            while fourth <= b'z' {
                let hash = hash([word[0], word[1], word[2], fourth]);
                found[hash / 64] |= 1 << (hash % 64);
                fourth += 1;
            }
        }
        at += 1;
    }
    let stems = [*b"vent", *b"diec", *b"dies"];
    let mut at = 0;
    while at < stems.len() {
        let hash = hash(stems[at]);
        found[hash / 64] |= 1 << (hash % 64);
        at += 1;
    }
    found
}

/// Ten bits of four letters in lower case.
const fn hash(letters: [u8; 4]) -> usize {
    (u32::from_le_bytes(letters).wrapping_mul(0x9E37_79B1) >> 22) as usize
}

/// Tells from its first four letters, if it has as many and all are ASCII, that a word may be of the table.
fn may_begin(word: &[u8]) -> bool {
    let Some(first) = word.first_chunk::<4>() else { return true };
    let hash = hash(first.map(|byte| byte | 0x20));
    !first.is_ascii() || FOURS[hash / 64] & (1 << (hash % 64)) != 0
}

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
        if word.is_ascii() {
            let bytes = folded.bytes.get_mut(..word.len())?;
            bytes.copy_from_slice(word.as_bytes());
            bytes.make_ascii_lowercase();
            folded.length = word.len();
            return Some(folded);
        }
        for c in super::folded(word) {
            *folded.bytes.get_mut(folded.length)? = u8::try_from(c).ok().filter(u8::is_ascii)?;
            folded.length += 1;
        }
        Some(folded)
    }

    /// Reads the word as a number, or as numbers that are run together, such as `cincuentaicinco`, `dieciseis` or
    /// `cincodos`; `None` when it is none of the table, and not made of them.
    pub(super) fn words(&self) -> Option<Words> {
        let word = &self.bytes[..self.length];
        match part(word) {
            Some((found, length)) if length == word.len() => Some(Words::One(found)),
            Some(_) => run_together(word).map(Words::Several),
            None => None,
        }
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

/// The longest word that a text begins with, and its length.
fn part(text: &[u8]) -> Option<(Word, usize)> {
    Table::begins(text).or(match text {
        [b'd', b'i', b'e', b'c' | b's', b'i', ..] => Some((Pair(1, 0), 5)),
        [b'v', b'e', b'n', b't', b'i', ..] => Some((Tens(2), 5)),
        _ => None,
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
            let bytes = text.as_bytes();
            assert!(!is_other(bytes) && text.len() <= 16, "{text}");
            assert_eq!(
                Folded::new(&text.to_uppercase()).and_then(|word| word.words()),
                Some(Words::One(found)),
                "{text}"
            );
        }
        assert!(["xa", "h", "casa", "de", "sea"].iter().all(|word| is_other(word.as_bytes())));
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
            ("todos", None),
            ("cincomentarios", None),
            ("milagro", None),
        ] {
            assert_eq!(run_together(text.as_bytes()), expected, "{text}");
        }
    }
}
