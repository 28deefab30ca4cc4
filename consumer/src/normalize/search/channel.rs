//! Channels: the numerals of all passages, or of one speaker's, as one sequence.

use std::ops::Range;

use super::super::numerals::{Numerals, Token};
use super::Passage;

/// Numerals of several passages in the order in which they were said.
pub(super) struct Channel {
    /// Tokens; their words count from the beginning of the channel.
    pub(super) tokens: Vec<Token>,
    /// For each token its passage, and its place among the tokens of that.
    pub(super) places: Vec<(usize, usize)>,
}

impl Channel {
    /// Every speaker's own channel, and the one of all when several speakers say numbers.
    pub(super) fn all(passages: &[Passage], numerals: &[Numerals]) -> Vec<Self> {
        let speaking = passages.iter().zip(numerals).filter(|(_, numerals)| !numerals.tokens.is_empty());
        let mut speakers: Vec<usize> = speaking.map(|(passage, _)| passage.speaker).collect();
        speakers.sort_unstable();
        speakers.dedup();
        let own = speakers.iter().map(|speaker| {
            Self::new(numerals.iter().enumerate().filter(|(index, _)| passages[*index].speaker == *speaker))
        });
        let mut channels: Vec<Self> = own.collect();
        if speakers.len() > 1 {
            channels.push(Self::of_all(numerals));
        }
        channels
    }

    /// One channel of all passages.
    pub(super) fn of_all(numerals: &[Numerals]) -> Self {
        Self::new(numerals.iter().enumerate())
    }

    fn new<'a>(numerals: impl Iterator<Item = (usize, &'a Numerals)>) -> Self {
        let mut channel = Self { tokens: Vec::new(), places: Vec::new() };
        let mut words = 0;
        for (passage, numerals) in numerals {
            for (place, token) in numerals.tokens.iter().enumerate() {
                channel.tokens.push(Token { words: words + token.words, ..*token });
                channel.places.push((passage, place));
            }
            words += numerals.words;
        }
        channel
    }

    /// Passage of a token.
    pub(super) fn passage(&self, token: usize) -> usize {
        self.places[token].0
    }

    /// Runs of tokens with nothing but separators and fillers between them, also across passages.
    pub(super) fn runs(&self) -> Vec<Range<usize>> {
        pieces(&self.tokens, 0..self.tokens.len(), |_| true)
    }

    /// The same within single passages.
    pub(super) fn runs_of_passages(&self, range: Range<usize>) -> Vec<Range<usize>> {
        pieces(&self.tokens, range, |at| self.passage(at) == self.passage(at - 1))
    }
}

/// Cuts a range of tokens where words or a unit stand between two, or `is_one` says no of the second of them.
fn pieces(tokens: &[Token], range: Range<usize>, is_one: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for at in range {
        match pieces.last_mut() {
            Some(last) if last.end == at && tokens[at].continues(&tokens[at - 1]) && is_one(at) => {
                last.end = at + 1;
            }
            _ => pieces.push(at..at + 1),
        }
    }
    pieces
}
