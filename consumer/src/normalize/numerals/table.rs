//! The table of words, searched by their first eight letters as one number. Most words of a text have fewer.

use super::words::{WORDS, Word};

/// Bytes that [`letters`] looks at.
pub(super) const STEP: usize = size_of::<u64>();

/// Letters of ASCII that a text begins with, of its first eight bytes: in lower case as one number, and how many.
pub(super) fn letters(text: &[u8]) -> (u64, usize) {
    const EACH: u64 = u64::MAX / 0xFF;
    let mut first = [0; STEP];
    match text.first_chunk() {
        Some(chunk) => first = *chunk,
        None => first[..text.len()].copy_from_slice(text),
    }
    let bytes = u64::from_le_bytes(first);
    // All eight at once, each in its byte: the highest bit says whether it is a letter.
    let lower = bytes | (EACH * 0x20);
    let low = lower & (EACH * 0x7F);
    let from_a = low + EACH * u64::from(0x80 - b'a');
    let past_z = low + EACH * u64::from(0x7F - b'z');
    let others = !(from_a & !past_z & !bytes) & (EACH * 0x80);
    let length = others.trailing_zeros() / 8;
    (lower & !u64::MAX.checked_shl(8 * length).unwrap_or(0), length as usize)
}

/// The word of fewer than eight letters that is just these, as [`letters`] gives them.
pub(super) fn short(letters: u64) -> Option<Word> {
    beginning(letters).next().map(|(_, found)| found)
}

/// A word of the table, in lower case and without accents.
pub(super) fn whole(word: &[u8]) -> Option<Word> {
    beginning(letters(word).0).find(|(text, _)| text.as_bytes() == word).map(|(_, found)| found)
}

/// Tells whether a word of the table has these first eight letters, as [`letters`] gives them.
pub(super) fn has_beginning(letters: u64) -> bool {
    beginning(letters).next().is_some()
}

fn beginning(letters: u64) -> impl Iterator<Item = (&'static str, Word)> {
    let slots = (TABLE.slot(letters)..).map(|slot| slot % SLOTS);
    let taken = slots.map_while(|slot| Some((slot, TABLE.words[slot].checked_sub(1)?)));
    taken.filter(move |(slot, _)| TABLE.keys[*slot] == letters).map(|(_, index)| WORDS[usize::from(index)])
}

/// Slots of [`TABLE`]: over twice as many as words, so that most have a slot of their own.
const SLOTS: usize = 512;

/// Words by a hash of their first eight letters, each in the first free slot from there on.
struct Table {
    keys: [u64; SLOTS],
    /// Index of the word, and one; zero where the slot is free.
    words: [u8; SLOTS],
}

static TABLE: Table = Table::new();

impl Table {
    const fn new() -> Self {
        assert!(WORDS.len() <= u8::MAX as usize, "an index and one has to fit");
        let mut all = Self { keys: [0; SLOTS], words: [0; SLOTS] };
        let mut at = 0;
        while at < WORDS.len() {
            let word = WORDS[at].0.as_bytes();
            at += 1;
            let mut letters = [0; STEP];
            let length = if word.len() < STEP { word.len() } else { STEP };
            letters.split_at_mut(length).0.copy_from_slice(word.split_at(length).0);
            let key = u64::from_le_bytes(letters);
            let mut slot = all.slot(key);
            while all.words[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            all.keys[slot] = key;
            #[expect(clippy::cast_possible_truncation, reason = "it is asserted")]
            let index = at as u8;
            all.words[slot] = index;
        }
        all
    }

    const fn slot(&self, letters: u64) -> usize {
        (letters.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize % self.keys.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_ascii() {
        for byte in 0..=u8::MAX {
            let length = usize::from(byte.is_ascii_alphabetic());
            let key = u64::from(if length == 1 { byte.to_ascii_lowercase() } else { 0 });
            assert_eq!(letters(&[byte]), (key, length), "{byte}");
            assert_eq!(letters(&[byte, b' ']), (key, length), "{byte}");
        }
        assert_eq!(letters(b"Dos Bocas"), (u64::from_le_bytes(*b"dos\0\0\0\0\0"), 3));
        assert_eq!(letters(b"Cuatrocientos"), (u64::from_le_bytes(*b"cuatroci"), 8));
        assert_eq!(letters("año".as_bytes()).1, 1);
    }

    #[test]
    fn words_of_the_table_are_found_and_no_others() {
        for (text, found) in WORDS {
            assert_eq!(whole(text.as_bytes()), Some(found), "{text}");
            let (key, length) = letters(text.as_bytes());
            assert!(has_beginning(key), "{text}");
            if length < STEP {
                assert_eq!(short(key), Some(found), "{text}");
            }
        }
        for text in ["xa", "h", "casa", "de", "sea", "", "`{@[", "dosde", "cuatrocientxs", "veintiunx"] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
    }
}
