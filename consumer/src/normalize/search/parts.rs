//! What a run can be read as of a number: digits in a row of it, or so many digits.

use super::super::line::MAX_CORE_DIGITS;
use super::super::numerals::{Edges, Token, edges};

/// Longest run that can be a part, in tokens: each digit is one, some may be skipped.
pub(super) const MAX_TOKENS: usize = 24;

/// Readings of tokens as digits in a row of a number: bit `from × 11 + to` of a set.
pub(super) struct Parts(u128);

impl Parts {
    const WIDTH: usize = MAX_CORE_DIGITS + 1;

    pub(super) fn new(core: &[u8], tokens: &[Token]) -> Self {
        let mut reached = [0_u128; MAX_TOKENS + 1];
        reached[0] = (0..core.len()).fold(0, |all, from| all | Self::bit(from, from));
        let mut read = Edges::new();
        for at in 0..tokens.len() {
            if reached[at] == 0 {
                continue;
            }
            edges(tokens, at, &mut read);
            for edge in &read {
                let digits = edge.digits();
                let begins = |position: &usize| core[*position] == digits[0];
                let fits = |position: &usize| digits.len() == 1 || core[*position..].starts_with(digits);
                let moved = (0..core.len())
                    .filter(|position| begins(position) && fits(position))
                    .fold(0, |all, position| all | (reached[at] & Self::reaching(position)) << digits.len());
                reached[edge.end] |= moved;
            }
            if tokens[at].is_optional() {
                reached[at + 1] |= reached[at];
            }
        }
        Self(reached[tokens.len()])
    }

    /// Bits of everything that reaches a position.
    fn reaching(to: usize) -> u128 {
        const FIRST: u128 = {
            let (mut all, mut from) = (0, 0);
            while from < Parts::WIDTH {
                all |= 1 << (from * Parts::WIDTH);
                from += 1;
            }
            all
        };
        FIRST << to
    }

    fn bit(from: usize, to: usize) -> u128 {
        1 << (from * Self::WIDTH + to)
    }

    pub(super) fn has(&self, is_wanted: impl Fn(usize, usize) -> bool) -> bool {
        let mut left = self.0;
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            if is_wanted(place / Self::WIDTH, place % Self::WIDTH) {
                return true;
            }
            left &= left - 1;
        }
        false
    }
}

/// Tells whether tokens can be read as so many digits.
pub(super) fn can_be_long(tokens: &[Token], length: usize) -> bool {
    let mut reached = vec![0_u64; tokens.len() + 1];
    reached[0] = 1;
    let mut read = Edges::new();
    for at in 0..tokens.len() {
        edges(tokens, at, &mut read);
        for edge in &read {
            reached[edge.end] |= reached[at] << edge.digits().len();
        }
        if tokens[at].is_optional() {
            reached[at + 1] |= reached[at];
        }
    }
    reached[tokens.len()] & (1 << length) != 0
}
