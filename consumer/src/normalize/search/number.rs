//! A whole number among numerals: a walk through all readings at once, as a finite automaton whose states are how many of
//! its digits were read.

use std::mem::take;
use std::ops::Range;

use super::super::line::{Digits, Line, MAX_CORE_DIGITS, Number};
use super::super::numerals::{Edge, Edges, Token, Value, edges, is_ignorable, max_digits, plain_digits};
use super::channel::Channel;
use super::{Covered, Kind, Passage, Span, guard};

/// Most words between two groups of digits of one number.
pub(super) const MAX_WORDS_BETWEEN: u32 = 6;

/// Most tokens of a country or trunk code.
const MAX_PREFIX_TOKENS: usize = 6;

/// Places that a reading may reach from one token, and itself.
const ROWS: usize = Edge::MAX_TOKENS + 1;

/// Most digits of a group that is said twice.
const MAX_GROUP_DIGITS: usize = 4;

/// Ways in which the tokens up to some place were read: for each number of digits read the best walk.
#[derive(Clone, Copy, Default)]
struct Row {
    /// Bit for each number of digits that has a walk.
    live: u16,
    walks: [Walk; MAX_CORE_DIGITS + 1],
}

/// One way in which the first digits were read.
#[derive(Clone, Copy, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Walk {
    /// Words before its last token, from which the next one must not be far.
    words: u32,
    /// First token of it.
    start: u32,
}

impl Row {
    fn get(&self, digits: usize) -> Option<Walk> {
        (self.live & 1 << digits != 0).then(|| self.walks[digits])
    }

    /// Keeps the walk that read its digits last, and of two the shorter one.
    fn keep(&mut self, digits: usize, walk: Walk) {
        if self.get(digits).is_none_or(|kept| kept < walk) {
            self.live |= 1 << digits;
            self.walks[digits] = walk;
        }
    }

    /// Lets the last group be said once more: whatever was read may begin again up to four digits before.
    fn reread(&mut self) {
        if self.live >> 2 == 0 {
            return;
        }
        for digits in 2..=MAX_CORE_DIGITS {
            let Some(walk) = self.get(digits) else { continue };
            for back in digits.saturating_sub(MAX_GROUP_DIGITS).max(1)..digits {
                if self.get(back).is_none() {
                    self.keep(back, walk);
                }
            }
        }
    }
}

/// Places of a number, as ranges of tokens, apart from each other.
pub(super) fn matches(core: &[u8], tokens: &[Token]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    if max_digits(tokens) < core.len() {
        return found;
    }
    let mut rows = [Row::default(); ROWS];
    let mut read = Edges::new();
    for at in 0..=tokens.len() {
        let here = &mut rows[at % ROWS];
        // Most tokens are neither reached nor begin the number.
        if here.live == 0 && first_digit(tokens, at).is_some_and(|first| first != core[0]) {
            continue;
        }
        let mut row = take(here);
        if let Some(walk) = row.get(core.len())
            && found.last().is_none_or(|last| last.end <= walk.start as usize)
        {
            found.push(walk.start as usize..at);
        }
        let Some(token) = tokens.get(at) else { break };
        // A body of 4 Gi tokens does not come.
        row.keep(0, Walk { start: u32::try_from(at).unwrap_or(u32::MAX), words: token.words });
        if !token.is_glued {
            row.reread();
        }
        edges(tokens, at, &mut read);
        step(core, tokens, at, &row, &read, &mut rows);
    }
    found
}

/// The digit that all readings of a token begin with.
fn first_digit(tokens: &[Token], at: usize) -> Option<u8> {
    match tokens.get(at)?.value {
        // `dos cincos` begins with the fives.
        Value::Unit(2..=4) if matches!(tokens.get(at + 1)?.value, Value::Plural(_)) => None,
        Value::Digit(first)
        | Value::Unit(first)
        | Value::Pair(first, _)
        | Value::Tens(first)
        | Value::Hundreds(first) => Some(first),
        Value::Maybe(_) | Value::Thousand | Value::Repeat(_) | Value::Plural(_) => None,
    }
}

/// Takes every walk that has come to a token one reading further.
fn step(core: &[u8], tokens: &[Token], at: usize, row: &Row, read: &[Edge], rows: &mut [Row; ROWS]) {
    let token = &tokens[at];
    let mut live = row.live & ((1 << core.len()) - 1);
    while live != 0 {
        let digits = live.trailing_zeros() as usize;
        live &= live - 1;
        let walk = row.walks[digits];
        if digits > 0 {
            let is_counted = token.is_barred || tokens[at - 1].is_counted;
            if is_counted || token.words - walk.words > MAX_WORDS_BETWEEN {
                continue;
            }
            // A group that is taken back is passed over.
            if let Some(again) = corrected(tokens, at) {
                rows[again % ROWS].keep(digits, Walk { words: tokens[again - 1].words, ..walk });
            }
            if token.is_optional() {
                rows[(at + 1) % ROWS].keep(digits, walk);
            }
        }
        let fits = |edge: &&Edge| match edge.digits() {
            [digit] => core[digits] == *digit,
            several => core[digits..].starts_with(several),
        };
        for edge in read.iter().filter(fits) {
            let words = tokens[edge.end - 1].words;
            rows[edge.end % ROWS].keep(digits + edge.digits().len(), Walk { words, ..walk });
        }
    }
}

/// Place behind a group that is taken back: where somebody corrects it.
fn corrected(tokens: &[Token], at: usize) -> Option<usize> {
    let last = (at + Edge::MAX_TOKENS).min(tokens.len().saturating_sub(1));
    (at + 1..=last).find(|again| tokens[*again].is_correction)
}

/// Finds a number in a channel, and notes which tokens are taken.
pub(super) fn find(
    line: &Line,
    own: &Number,
    channel: &Channel,
    passages: &[Passage],
    covered: &mut Covered,
    found: &mut Vec<Span>,
) {
    for range in matches(&own.core, &channel.tokens) {
        if guard::is_part_of_another(line, own, channel, passages, &range) {
            continue;
        }
        let start = with_prefix(own, channel, range.start);
        if begins_in_another(channel, start, range.end) {
            continue;
        }
        for piece in channel.runs_of_passages(start..range.end) {
            piece.clone().for_each(|token| covered.take(&channel.tokens[token]));
            let passage = channel.passage(piece.start);
            found.push(Span {
                passage,
                range: bytes(channel, &piece, passages[passage].text),
                kind: Kind::Number,
            });
        }
    }
}

/// Tells whether the first one or two digits are the end of a longer number in an earlier passage, as another's that ends
/// like an area code. What follows is found as a part.
fn begins_in_another(channel: &Channel, start: usize, end: usize) -> bool {
    let (tokens, passage) = (&channel.tokens, channel.passage(start));
    let first = (start..end).take_while(|at| channel.passage(*at) == passage).count();
    let is_behind =
        start > 0 && channel.passage(start - 1) == passage && tokens[start].continues(&tokens[start - 1]);
    is_behind && first < end - start && plain_digits(&tokens[start..start + first]).len() <= 2
}

/// Bytes of tokens of one passage, with what introduces a number: `+`, and a parenthesis that is closed inside of it.
pub(super) fn bytes(channel: &Channel, tokens: &Range<usize>, text: &str) -> Range<usize> {
    let mut start = channel.tokens[tokens.start].start as usize;
    let last = channel.tokens[tokens.end - 1].end as usize;
    // What belongs to the last digit, such as the frame of a keycap.
    let end = last + text[last..].find(|c| !is_ignorable(c)).unwrap_or(text.len() - last);
    while let Some(sign @ ('+' | '(')) = text[..start].chars().next_back() {
        let inside = &text[start..end];
        if sign == '(' && inside.matches(')').count() <= inside.matches('(').count() {
            break;
        }
        start -= 1;
    }
    start..end
}

/// First token of the number's country or trunk code, or of the number.
fn with_prefix(own: &Number, channel: &Channel, start: usize) -> usize {
    let tokens = &channel.tokens;
    let mut first = start;
    for at in (start.saturating_sub(MAX_PREFIX_TOKENS)..start).rev() {
        if channel.passage(at) != channel.passage(start) || !tokens[at + 1].continues(&tokens[at]) {
            break;
        }
        if !tokens[at].is_optional()
            && own.prefixes().any(|prefix| spells(tokens, at, start, prefix.digits()))
        {
            first = at;
        }
    }
    first
}

/// Tells whether tokens can be read as just these digits.
pub(super) fn spells(tokens: &[Token], at: usize, end: usize, digits: impl Iterator<Item = u8>) -> bool {
    reads(&tokens[..end], at, &digits.collect::<Digits>())
}

fn reads(tokens: &[Token], at: usize, digits: &[u8]) -> bool {
    if at == tokens.len() {
        return digits.is_empty();
    }
    let mut read = Edges::new();
    edges(tokens, at, &mut read);
    read.iter().any(|edge| {
        digits.starts_with(edge.digits()) && reads(tokens, edge.end, &digits[edge.digits().len()..])
    }) || (tokens[at].is_optional() && reads(tokens, at + 1, digits))
}
