//! Channels: the numerals of all passages, or of one speaker's, as one sequence.

use std::ops::Range;

use smallvec::SmallVec;

use super::super::numerals::{Numerals, Token, max_digits};
use super::Passage;

/// Numerals of several passages in the order in which they were said.
pub(super) struct Channel {
    /// Tokens; their words count from the beginning of the channel.
    pub(super) tokens: Vec<Token>,
}

/// What is said in several passages.
pub(super) struct Said {
    /// Every speaker's own channel, and the one of all when several speakers say numbers.
    pub(super) channels: Vec<Channel>,
    /// How many of the channels are a speaker's.
    speakers: usize,
}

impl Said {
    /// Reads passages; `None` when they have fewer digits than these.
    pub(super) fn new(passages: &[Passage], fewest: usize) -> Option<Self> {
        // A text that stands by itself has usually none.
        let mut numerals = Numerals::with_capacity(8 * passages.len().saturating_sub(1));
        // Words before each passage, and in all.
        let mut words = SmallVec::<[u32; 32]>::with_capacity(passages.len() + 1);
        for passage in passages {
            words.push(numerals.words);
            numerals.add(passage.text);
        }
        words.push(numerals.words);
        if max_digits(&numerals.tokens) < fewest {
            return None;
        }
        let all = Channel { tokens: numerals.tokens };
        let speaker = |token: &Token| passages[token.text as usize].speaker;
        let mut speakers: SmallVec<[usize; 4]> = all.tokens.iter().map(speaker).collect();
        speakers.sort_unstable();
        speakers.dedup();
        let own = speakers.iter().map(|speaker| all.of_speaker(*speaker, passages, &words));
        let mut channels: Vec<Channel> = own.collect();
        if speakers.len() > 1 {
            channels.push(all);
        }
        Some(Self { channels, speakers: speakers.len() })
    }

    /// The channels in which each speaker's words are by themselves.
    pub(super) fn speakers(&self) -> &[Channel] {
        &self.channels[..self.speakers]
    }
}

impl Channel {
    /// The tokens of one speaker, between which only the speaker's own words count.
    fn of_speaker(&self, speaker: usize, passages: &[Passage], words: &[u32]) -> Self {
        let mut tokens = Vec::with_capacity(self.tokens.len());
        // Words of other speakers before the passage.
        let (mut passage, mut others) = (0, 0);
        for token in &self.tokens {
            while passage < token.text as usize {
                if passages[passage].speaker != speaker {
                    others += words[passage + 1] - words[passage];
                }
                passage += 1;
            }
            if passages[passage].speaker == speaker {
                tokens.push(Token { words: token.words - others, ..*token });
            }
        }
        Self { tokens }
    }

    /// Passage of a token.
    pub(super) fn passage(&self, token: usize) -> usize {
        self.tokens[token].text as usize
    }

    /// Runs of tokens with nothing but separators and fillers between them, also across passages; only of tokens that are
    /// free.
    pub(super) fn runs(&self, is_free: impl Fn(&Token) -> bool) -> impl Iterator<Item = Range<usize>> {
        pieces(&self.tokens, 0..self.tokens.len(), is_free, |_, _| true)
    }

    /// Runs within single passages.
    pub(super) fn runs_of_passages(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        pieces(&self.tokens, range, |_| true, |one, next| one.text == next.text)
    }
}

/// Cuts a range of tokens where words or a unit stand between two, or two do not belong together, or one is not wanted.
fn pieces(
    tokens: &[Token],
    mut range: Range<usize>,
    is_wanted: impl Fn(&Token) -> bool,
    belong_together: impl Fn(&Token, &Token) -> bool,
) -> impl Iterator<Item = Range<usize>> {
    std::iter::from_fn(move || {
        let start = range.find(|at| is_wanted(&tokens[*at]))?;
        while let [one, next] = &tokens[range.start - 1..range.end.min(range.start + 1)]
            && next.continues(one)
            && is_wanted(next)
            && belong_together(one, next)
        {
            range.start += 1;
        }
        Some(start..range.start)
    })
}
