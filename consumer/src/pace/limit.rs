//! A limit that is searched for: from what was found it rises slowly to where it was refused last, and is doubled every
//! so often after that, until the next refusal.

use super::Secs;

/// A limit that grows is doubled in this time.
const DOUBLED_IN: Secs = 0.5;

/// An interval between two requests counts for no more than this.
const LONGEST_STEP: Secs = 1.0;

#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    found: f64,
    refused: f64,
    held_for: Secs,
    /// How long it has been in the way of more; only that counts.
    in_the_way: Secs,
    stepped_at: Secs,
}

impl Limit {
    /// No limit as yet, or one of these many.
    pub(super) fn new(found: f64) -> Self {
        Self { found, refused: found, held_for: 0.0, in_the_way: 0.0, stepped_at: 0.0 }
    }

    pub(super) fn value(&self) -> f64 {
        let beyond = self.in_the_way - self.held_for;
        if beyond < 0.0 {
            return self.found + (self.refused - self.found) * (self.in_the_way / self.held_for);
        }
        self.refused * (beyond / DOUBLED_IN).exp2()
    }

    /// What was found before it grew far and wide again; nothing before the first refusal was concluded from.
    pub(super) fn kept(&self) -> f64 {
        if self.held_for > 0.0 && self.is_growing() { self.found } else { 0.0 }
    }

    /// Where it began.
    pub(super) fn found(&self) -> f64 {
        self.found
    }

    /// Whether it is searched for far and wide.
    pub(super) fn is_growing(&self) -> bool {
        self.in_the_way > self.held_for
    }

    /// How long it has been in the way since it was found.
    pub(super) fn in_the_way(&self) -> Secs {
        self.in_the_way
    }

    /// A request went out at `now`, for which this was in the way or not.
    pub(super) fn step(&mut self, was_in_the_way: bool, now: Secs) {
        if was_in_the_way {
            self.in_the_way += (now - self.stepped_at).clamp(0.0, LONGEST_STEP);
        }
        self.stepped_at = now;
    }

    /// This much was found at `now`, where more than that was refused; it is held for so long.
    pub(super) fn set(&mut self, found: f64, refused: f64, held_for: Secs, now: Secs) {
        *self = Self { found, refused: refused.max(found), held_for, in_the_way: 0.0, stepped_at: now };
    }
}
