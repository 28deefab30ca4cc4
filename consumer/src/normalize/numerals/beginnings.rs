//! Beginnings of numbers that are run together: most words of a text are told apart from them by their first four letters.

use super::words::WORDS;

/// Bits by the hash of four letters: set for how numbers begin, also when others follow.
static BEGINNINGS: [u64; SLOTS / 64] = beginnings();

/// Many more than beginnings, so that few other words have one's.
const SLOTS: usize = 4096;

/// Tells from its first four letters, in either case, that a word of ASCII is not run together of numbers.
pub(super) fn is_other(word: &[u8]) -> bool {
    let Some(first) = word.first_chunk::<4>() else { return true };
    let slot = slot(first.map(|byte| byte | 0x20));
    BEGINNINGS[slot / 64] & (1 << (slot % 64)) == 0
}

const fn beginnings() -> [u64; SLOTS / 64] {
    // Where a number begins that only stands before another.
    let mut found = with([0; SLOTS / 64], *b"vent");
    found = with(with(found, *b"diec"), *b"dies");
    let mut at = 0;
    while at < WORDS.len() {
        let (word, value) = (WORDS[at].0.as_bytes(), WORDS[at].1);
        at += 1;
        if !value.is_number() {
            continue;
        }
        if word.len() > 3 {
            found = with(found, [word[0], word[1], word[2], word[3]]);
        } else {
            // With the first letter of the number that follows.
            let mut next = 0;
            while next < WORDS.len() {
                if WORDS[next].1.is_number() {
                    found = with(found, [word[0], word[1], word[2], WORDS[next].0.as_bytes()[0]]);
                }
                next += 1;
            }
        }
    }
    found
}

const fn with(mut found: [u64; SLOTS / 64], letters: [u8; 4]) -> [u64; SLOTS / 64] {
    let slot = slot(letters);
    found[slot / 64] |= 1 << (slot % 64);
    found
}

/// Twelve bits of four letters in lower case.
const fn slot(letters: [u8; 4]) -> usize {
    (u32::from_le_bytes(letters).wrapping_mul(0x9E37_79B1) >> 20) as usize
}
