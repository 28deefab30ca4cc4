//! Parts of a number, and short numbers: digits that say little by themselves, so that what stands around them decides.

use std::ops::Range;

use super::super::line::{Digits, MAX_CORE_DIGITS, MIN_DIGITS_SAID, Number, Prefix};
use super::super::numerals::{Token, Value, max_digits, plain_digits};
use super::channel::Channel;
use super::number::{MAX_WORDS_BETWEEN, bytes};
use super::parts::{MAX_TOKENS, Parts, can_be_long};
use super::{Covered, Kind, Passage, Span, cues};

/// Fewest digits in a row that are hidden wherever they stand alone.
const MIN_DIGITS_ALONE: usize = 7;

/// Digits of a number without its area code.
const LOCAL_DIGITS: usize = 8;

/// Most digits of a run in which such a number is looked for: fewer than those of a card.
const MAX_LOCAL_RUN: usize = 14;

/// A longer code is one before which an access code was dialled.
const MAX_CODE_DIGITS: usize = 3;

/// How far away, in passages, an echo of the number may be.
const ECHO_PASSAGES: usize = 2;

/// Most words between a number and its beginning or end said once more.
const ECHO_WORDS: u32 = 3;

/// Finds parts of a number, or a short number, in what no whole number has taken. Each speaker's words are looked at by
/// themselves: those of all say nothing of parts that the speakers' own do not say, and mix them.
pub(super) fn find(
    own: &Number,
    speakers: &[Channel],
    passages: &[Passage],
    covered: &Covered,
    found: &mut Vec<Span>,
) {
    for channel in speakers {
        let search = Search { own, channel, passages, covered };
        let runs = channel.runs(|token| !covered.has(token));
        let is_long = |run: &Range<usize>| max_digits(&channel.tokens[run.clone()]) >= own.min_digits();
        for run in runs.filter(is_long) {
            let is_within_one = channel.passage(run.start) == channel.passage(run.end - 1);
            let within = channel.runs_of_passages(run.clone());
            let whole = (!is_within_one).then_some(run);
            for run in whole.into_iter().chain(within) {
                let (kind, run) = match search.kind(&run) {
                    Some(kind) => (kind, run),
                    None => match search.local(&run) {
                        Some(local) => (Kind::Part, local),
                        None => continue,
                    },
                };
                for piece in channel.runs_of_passages(run) {
                    let passage = channel.passage(piece.start);
                    found.push(Span { passage, range: bytes(channel, &piece, passages[passage].text), kind });
                }
            }
        }
    }
}

struct Search<'a> {
    own: &'a Number,
    channel: &'a Channel,
    passages: &'a [Passage<'a>],
    covered: &'a Covered,
}

impl Search<'_> {
    /// Kind of what a run is of the number, if it is to be hidden.
    fn kind(&self, run: &Range<usize>) -> Option<Kind> {
        let tokens = &self.channel.tokens[run.clone()];
        let is_amount = tokens[0].is_amount || tokens[tokens.len() - 1].is_counted;
        if is_amount
            || tokens.len() > MAX_TOKENS
            || max_digits(tokens) < self.own.min_digits()
            || self.touches_letters(run)
        {
            return None;
        }
        let length = self.own.core.len();
        let parts = Parts::new(&self.own.core, tokens);
        if self.own.is_short() {
            return (parts.has(|from, to| (from, to) == (0, length)) && self.is_said_short(run))
                .then_some(Kind::Short);
        }
        let is_part = parts.has(|from, to| to - from >= MIN_DIGITS_ALONE && !self.goes_on(run, from, to))
            || self.has_code_and_beginning(tokens)
            || (parts.has(|from, to| to - from >= MIN_DIGITS_SAID) && self.is_echo(run))
            || (parts.has(|from, to| to - from >= MIN_DIGITS_SAID && (from == 0 || to == length))
                && self.is_said_again(run))
            || self.is_said_piece(run, &parts);
        is_part.then_some(Kind::Part)
    }

    /// The number without its area code at the end or the beginning of a run, after or before digits that are none of a
    /// number's: `a las 10:30 1234 5678`, `01 1234 5678`.
    fn local(&self, run: &Range<usize>) -> Option<Range<usize>> {
        let tokens = &self.channel.tokens;
        let length = self.own.core.len();
        let is_within = run.len() <= MAX_TOKENS
            && (LOCAL_DIGITS + 1..=MAX_LOCAL_RUN).contains(&max_digits(&tokens[run.clone()]));
        if length < MAX_CORE_DIGITS
            || !is_within
            || tokens[run.end - 1].is_counted
            || self.touches_letters(run)
        {
            return None;
        }
        let is_local = |range: &Range<usize>| {
            Parts::new(&self.own.core, &tokens[range.clone()])
                .has(|from, to| to == length && to - from == LOCAL_DIGITS)
        };
        // Two digits before it are another area code, and the number another's.
        let is_other = |start: usize| {
            let before = plain_digits(&tokens[run.start..start]);
            before.len() == length - LOCAL_DIGITS
                && !self.own.prefixes().any(|prefix| prefix.digits().eq(before.iter().copied()))
        };
        let apart = |at: &usize| !tokens[*at].is_glued;
        let mut tails = (run.start + 1..run.end).filter(apart).map(|start| start..run.end);
        let tail = tails.find(|tail| is_local(tail)).filter(|tail| !is_other(tail.start));
        tail.or_else(|| (run.start + 1..run.end).filter(apart).map(|end| run.start..end).find(is_local))
    }

    /// Tells whether the run is a piece of a longer word.
    fn touches_letters(&self, run: &Range<usize>) -> bool {
        let (first, last) = (self.channel.tokens[run.start], self.channel.tokens[run.end - 1]);
        let before =
            self.passages[self.channel.passage(run.start)].text[..first.start as usize].chars().next_back();
        let after = self.passages[self.channel.passage(run.end - 1)].text[last.end as usize..].chars().next();
        [before, after].into_iter().flatten().any(char::is_alphanumeric)
    }

    /// Tells whether the digits go on, after some words, to a number of another ending or beginning.
    fn goes_on(&self, run: &Range<usize>, from: usize, to: usize) -> bool {
        let tokens = &self.channel.tokens;
        let length = self.own.core.len();
        if from == 0 && to < length {
            let mut end = run.end;
            while end < tokens.len().min(run.end + MAX_TOKENS) && self.is_near(end - 1, end) {
                end += 1;
                let is_group = tokens.get(end).is_none_or(|next| !next.continues(&tokens[end - 1]));
                if is_group && can_be_long(&tokens[run.start..end], length) {
                    return true;
                }
            }
        } else if from > 0 && to == length {
            let mut start = run.start;
            while start > run.start.saturating_sub(MAX_TOKENS) && start > 0 && self.is_near(start - 1, start)
            {
                start -= 1;
                let is_group = start == 0 || !tokens[start].continues(&tokens[start - 1]);
                if is_group && can_be_long(&tokens[start..run.end], length) {
                    return true;
                }
            }
        }
        false
    }

    /// Tells whether a number may go on from one token to the next: in one passage, and neither counts anything.
    fn is_near(&self, before: usize, after: usize) -> bool {
        let (first, next) = (&self.channel.tokens[before], &self.channel.tokens[after]);
        self.channel.passage(before) == self.channel.passage(after)
            && !next.is_barred
            && !first.is_counted
            && next.words - first.words <= MAX_WORDS_BETWEEN
    }

    /// Tells whether the run is a country or trunk code with the beginning of the number, and not all of it.
    fn has_code_and_beginning(&self, tokens: &[Token]) -> bool {
        // Most runs are told apart by their first digit.
        let may_begin = |code: &Prefix| match tokens[0].value {
            Value::Digit(digit) => code.digits().next() == Some(digit),
            _ => true,
        };
        max_digits(tokens) > MIN_DIGITS_ALONE
            && self.own.prefixes().filter(may_begin).any(|code| {
                let length = code.digits().count();
                let whole = code.digits().chain(self.own.core.iter().copied()).take(MAX_CORE_DIGITS);
                length <= MAX_CODE_DIGITS
                    && Parts::new(&whole.collect::<Digits>(), tokens)
                        .has(|from, to| from == 0 && to >= length + MIN_DIGITS_ALONE)
            })
    }

    /// Tells whether the other speaker said the number shortly before or after.
    fn is_echo(&self, run: &Range<usize>) -> bool {
        let passage = self.channel.passage(run.start);
        let near =
            passage.saturating_sub(ECHO_PASSAGES)..=(passage + ECHO_PASSAGES).min(self.passages.len() - 1);
        near.into_iter().any(|other| {
            self.covered.has_any(other) && self.passages[other].speaker != self.passages[passage].speaker
        })
    }

    /// Tells whether the number itself stands beside its beginning or end in the same passage: somebody began anew.
    fn is_said_again(&self, run: &Range<usize>) -> bool {
        let passage = self.channel.passage(run.start);
        let is_beside = |one: usize, other: usize| {
            self.channel.passage(other) == passage
                && self.channel.tokens[one].words.abs_diff(self.channel.tokens[other].words) <= ECHO_WORDS
        };
        self.covered.has_any(passage)
            && (run.start.checked_sub(1).is_some_and(|before| is_beside(run.start, before))
                || (run.end < self.channel.tokens.len() && is_beside(run.end - 1, run.end)))
    }

    /// Tells whether somebody says that these are the last or the first digits.
    fn is_said_piece(&self, run: &Range<usize>, parts: &Parts) -> bool {
        let tokens = &self.channel.tokens[run.clone()];
        let is_enough = |parts: &Parts| parts.has(|from, to| to - from >= MIN_DIGITS_SAID);
        // `los últimos cuatro: 5678` begins with how many there are.
        let has_count = tokens.get(1).is_some_and(|second| !second.is_glued);
        let is_piece =
            is_enough(parts) || (has_count && is_enough(&Parts::new(&self.own.core, &tokens[1..])));
        is_piece && self.is_after_piece_cue(run)
    }

    fn is_after_piece_cue(&self, run: &Range<usize>) -> bool {
        let (start, passage) =
            (self.channel.tokens[run.start].start as usize, self.channel.passage(run.start));
        cues::precedes(self.passages, passage, start, &cues::PIECE)
            && !cues::precedes(self.passages, passage, start, &cues::ACCOUNT)
    }

    /// Tells whether a short number stands where a telephone number would.
    fn is_said_short(&self, run: &Range<usize>) -> bool {
        let (passage, start) =
            (self.channel.passage(run.start), self.channel.tokens[run.start].start as usize);
        !cues::is_time(self.passages, passage, start)
            && (self.own.core.len() >= MIN_DIGITS_ALONE
                || cues::precedes(self.passages, passage, start, &cues::TELEPHONE))
    }
}
