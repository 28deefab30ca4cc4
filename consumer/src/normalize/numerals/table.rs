//! Short words: looked up at once, as numbers of eight bytes. Most words of a text are short.

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

/// The word of the table that is just these letters, as [`letters`] gives them.
pub(super) fn short(letters: u64) -> Option<Word> {
    let mut slot = SHORT.slot(letters);
    loop {
        match SHORT.words[slot] {
            0 => return None,
            index if SHORT.keys[slot] == letters => return Some(WORDS[usize::from(index) - 1].1),
            _ => slot = (slot + 1) % SLOTS,
        }
    }
}

/// Slots of [`SHORT`]: over twice as many as words, so that most have a slot of their own.
const SLOTS: usize = 512;

/// Words of at most eight letters by a hash of them, each in the first free slot from there on.
struct Short {
    keys: [u64; SLOTS],
    /// Index of the word in the table, and one; zero where the slot is free.
    words: [u8; SLOTS],
}

static SHORT: Short = Short::new();

impl Short {
    const fn new() -> Self {
        assert!(WORDS.len() <= u8::MAX as usize, "an index and one has to fit");
        let mut all = Self { keys: [0; SLOTS], words: [0; SLOTS] };
        let mut at = 0;
        while at < WORDS.len() {
            let word = WORDS[at].0.as_bytes();
            at += 1;
            if word.len() <= STEP {
                let mut letters = [0; STEP];
                letters.split_at_mut(word.len()).0.copy_from_slice(word);
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
    fn short_words_of_the_table_are_found_and_no_others() {
        for (text, found) in WORDS {
            if text.len() <= STEP {
                assert_eq!(short(letters(text.as_bytes()).0), Some(found), "{text}");
            }
        }
        for text in ["xa", "h", "casa", "de", "sea", "", "`{@[", "dosde"] {
            assert_eq!(short(letters(text.as_bytes()).0), None, "{text}");
        }
    }
}
