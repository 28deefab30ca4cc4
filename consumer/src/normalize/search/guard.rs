//! What is longer than a telephone number keeps its digits: an account (CLABE, 18 digits) or a card (15 or 16) that
//! happens to hold those of the line.

use std::ops::Range;

use super::super::line::{Line, Number};
use super::super::numerals::{Token, plain_digits};
use super::channel::Channel;
use super::number::spells;
use super::{Passage, cues};

/// Unbroken runs of so many digits are no telephone number, with any code before it or extension behind it.
const MIN_OTHER_DIGITS: usize = 16;

/// Lengths of cards and of a CLABE.
const OTHER_LENGTHS: [usize; 3] = [15, 16, 18];

/// How far is looked to both sides, in tokens: longer than any of these.
const REACH: usize = 24;

/// Tells whether a number stands inside a longer one of another kind.
pub(super) fn is_part_of_another(
    line: &Line,
    own: &Number,
    channel: &Channel,
    passages: &[Passage],
    range: &Range<usize>,
) -> bool {
    let tokens = &channel.tokens;
    let glued = stretch(tokens, range, |_, later| later.is_glued);
    if is_longer(line, own, tokens, &glued, range, |length| length >= MIN_OTHER_DIGITS) {
        return true;
    }
    let passage = channel.passage(range.start);
    let run = stretch(tokens, range, |before, later| later.is_glued || later.continues(before));
    channel.passage(run.start) == passage
        && is_longer(line, own, tokens, &run, range, |length| OTHER_LENGTHS.contains(&length))
        && cues::precedes(passages, passage, tokens[run.start].start as usize, &cues::ACCOUNT)
}

/// The tokens around a range that hang together with it, each with the one before it.
fn stretch(
    tokens: &[Token],
    range: &Range<usize>,
    hangs_together: impl Fn(&Token, &Token) -> bool,
) -> Range<usize> {
    let mut start = range.start;
    while start > range.start.saturating_sub(REACH) && hangs_together(&tokens[start - 1], &tokens[start]) {
        start -= 1;
    }
    let mut end = range.end;
    while end < tokens.len().min(range.end + REACH) && hangs_together(&tokens[end - 1], &tokens[end]) {
        end += 1;
    }
    start..end
}

/// Tells whether there is more around the number than its code, an extension, or the number once more.
fn is_longer(
    line: &Line,
    own: &Number,
    tokens: &[Token],
    around: &Range<usize>,
    range: &Range<usize>,
    is_other_length: impl Fn(usize) -> bool,
) -> bool {
    let before = plain_digits(&tokens[around.start..range.start]);
    let after = plain_digits(&tokens[range.end..around.end]);
    let is_code = before.is_empty()
        || own.prefixes().any(|prefix| spells(tokens, around.start, range.start, prefix.digits()));
    let is_again = line.numbers.iter().any(|own| before.ends_with(&own.core) || after.starts_with(&own.core));
    is_other_length(plain_digits(&tokens[around.clone()]).len())
        && !(is_code && after.is_empty())
        && !is_again
}
