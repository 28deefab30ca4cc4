//! Where the caller's line stands in texts that belong together: the turns of a call, the values of its items. Each look
//! is linear in the texts, however many digits they have.

mod channel;
mod cues;
mod guard;
mod literal;
mod number;
mod part;
mod parts;

use std::ops::Range;

use super::line::{Line, Literal, Number};
use super::numerals::Token;
use channel::Said;

/// A text, and who says it: the texts of one speaker are also read as one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage<'a> {
    /// What is said.
    pub(super) text: &'a str,
    /// Number of the speaker.
    pub(super) speaker: usize,
}

/// Kind of what was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A whole number.
    Number,
    /// Seven to nine digits of it, or fewer that somebody says are of it.
    Part,
    /// A short number, whole.
    Short,
    /// An address, a name or an id.
    Literal,
}

/// What of the line was found.
#[derive(Clone, Copy)]
pub(super) enum Own<'a> {
    /// One of its numbers.
    Number(&'a Number),
    /// An address, a name or an id.
    Literal(&'a Literal),
}

/// A place of the line in one of several passages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Span {
    /// Which passage.
    pub(super) passage: usize,
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// What stands there.
    pub(super) kind: Kind,
}

/// Places in the passages, in order and apart from each other. What stands in one is handed to `seen`, perhaps several
/// times.
pub(super) fn spans<'a>(line: &'a Line, passages: &[Passage], mut seen: impl FnMut(Own<'a>)) -> Vec<Span> {
    let mut found = Vec::new();
    for (index, passage) in passages.iter().enumerate() {
        literal::find(&line.literals, index, passage.text, &mut found, |literal| seen(Own::Literal(literal)));
    }
    // Most texts have too few digits for any number of it, and are seen through here.
    let fewest = line.numbers.iter().map(Number::min_digits).min();
    if let Some(said) = fewest.and_then(|fewest| Said::new(passages, fewest)) {
        for own in &line.numbers {
            let before = found.len();
            find_number(line, own, passages, &said, &mut found);
            if found.len() > before {
                seen(Own::Number(own));
            }
        }
    }
    merged(found)
}

fn find_number(line: &Line, own: &Number, passages: &[Passage], said: &Said, found: &mut Vec<Span>) {
    let mut covered = Covered::default();
    if !own.is_short() {
        for channel in &said.channels {
            number::find(line, own, channel, passages, &mut covered, found);
        }
    }
    part::find(own, said.speakers(), passages, &covered, found);
}

/// Tokens that whole numbers have taken.
#[derive(Default)]
pub(super) struct Covered {
    tokens: Vec<bool>,
    passages: Vec<bool>,
}

impl Covered {
    fn take(&mut self, token: &Token) {
        mark(&mut self.tokens, token.place as usize);
        mark(&mut self.passages, token.text as usize);
    }

    fn has(&self, token: &Token) -> bool {
        self.tokens.get(token.place as usize) == Some(&true)
    }

    fn has_any(&self, passage: usize) -> bool {
        self.passages.get(passage) == Some(&true)
    }
}

fn mark(marks: &mut Vec<bool>, index: usize) {
    marks.resize(marks.len().max(index + 1), false);
    marks[index] = true;
}

/// Spans in order, overlapping ones made one, of the kind that begins first.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    if spans.len() < 2 {
        return spans;
    }
    spans.sort_by_key(|span| (span.passage, span.range.start, std::cmp::Reverse(span.range.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if last.passage == span.passage && span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
            }
            _ => merged.push(span),
        }
    }
    merged
}
