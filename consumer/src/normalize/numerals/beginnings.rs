//! Beginnings of words: most words of a text are told apart from numbers by their first four letters.

use super::words::WORDS;

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

/// Index of the first two letters; one that is alone counts with `a`.
pub(super) const fn pair(word: &[u8]) -> usize {
    let second = if word.len() > 1 { (word[1] - b'a') as usize } else { 0 };
    (word[0] - b'a') as usize * 26 + second
}
