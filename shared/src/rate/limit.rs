//! A limit that is searched for: what was found is kept for a while, then it rises, slowly at first, until the next refusal.

use serde::{Deserialize, Serialize};

use super::Secs;

/// A limit that grows is doubled in this time …
const DOUBLED_IN: Secs = 1.0;

/// … and in this one before anything was found.
const DOUBLED_AT_FIRST_IN: Secs = 0.5;

/// An interval between two requests counts for no more than this.
const LONGEST_STEP: Secs = 1.0;

/// What is used of something that has a limit which nobody told.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Limit {
    found: f64,
    held_for: Secs,
    /// How long it has been in the way of more; only that counts.
    in_the_way: Secs,
    stepped_at: Secs,
}

impl Limit {
    /// So much was found at `now`; it is held for so long, or not at all as long as it is but a guess.
    #[must_use]
    pub fn new(found: f64, held_for: Secs, now: Secs) -> Self {
        Self { found, held_for, in_the_way: 0.0, stepped_at: now }
    }

    /// What is used now.
    #[must_use]
    pub fn value(&self) -> f64 {
        let doubled_in = if self.held_for > 0.0 { DOUBLED_IN } else { DOUBLED_AT_FIRST_IN };
        let beyond = (self.in_the_way - self.held_for).max(0.0) / doubled_in;
        // Where it most likely is, close to what was found, it grows in steps that are smaller than a doubling.
        let doublings = if beyond < 0.5 { beyond.powi(2) } else { beyond - 0.25 };
        self.found * doublings.exp2()
    }

    /// What was found before it grew far and wide again; nothing before the first refusal was concluded from.
    #[must_use]
    pub fn kept(&self) -> f64 {
        if self.held_for > 0.0 && self.is_growing() { self.found } else { 0.0 }
    }

    /// Where it began.
    #[must_use]
    pub fn found(&self) -> f64 {
        self.found
    }

    /// Whether it is searched for far and wide.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        self.in_the_way >= self.held_for
    }

    /// How long it has been in the way since it was found.
    #[must_use]
    pub fn in_the_way(&self) -> Secs {
        self.in_the_way
    }

    /// A request goes out at `now`, for which this was in the way or not.
    pub fn step(&mut self, was_in_the_way: bool, now: Secs) {
        if was_in_the_way {
            self.in_the_way += (now - self.stepped_at).clamp(0.0, LONGEST_STEP);
        }
        self.stepped_at = now;
    }
}
