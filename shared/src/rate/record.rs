//! Which requests were given out and not refused: what an API that was driven to its limit has shown of it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Secs;

/// So many leases are remembered.
const MOST: usize = 48;

/// Over less than this nothing is estimated.
const SHORTEST: Secs = 0.1;

/// The clocks of programs and database agree no better.
const INEXACT: Secs = 0.001;

/// When a lease began, how many requests it had, and the time between two of them.
type Entry = (Secs, u32, Secs);

/// The leases since the last refusal but one, in order.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Record(VecDeque<Entry>);

impl Record {
    pub(super) fn add(&mut self, first_at: Secs, count: u32, spacing: Secs) {
        if self.0.len() == MOST
            && let (Some(oldest), Some(next)) = (self.0.pop_front(), self.0.front_mut())
        {
            let count = oldest.1 + next.1;
            let length = last(next) - oldest.0;
            *next = (oldest.0, count, length / f64::from(count - 1));
        }
        self.0.push_back((first_at, count, spacing));
    }

    /// Forgets what was given out for after `at`, where one was refused, and that one.
    pub(super) fn end(&mut self, at: Secs) {
        while let Some((first_at, count, spacing)) = self.0.pop_back() {
            let at = at + INEXACT;
            let kept = (0..count).take_while(|&nth| first_at + f64::from(nth) * spacing <= at).count();
            if let Some(kept) = u32::try_from(kept).ok().and_then(|kept| kept.checked_sub(1)) {
                if kept > 0 {
                    self.0.push_back((first_at, kept, spacing));
                }
                break;
            }
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many there were.
    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|(_, count, _)| count).sum()
    }

    /// The least rate that explains what was accepted until a refusal at `to`: a bucket that was empty at the refusal
    /// before, at `from`, and at no time held more than `burst`.
    pub(super) fn rate(&self, from: Secs, to: Secs, burst: f64) -> f64 {
        let mut rate = f64::from(self.count()) / (to - from).max(SHORTEST);
        let Some(newest) = self.0.back().map(last) else { return rate };
        let mut accepted = 0.0;
        for &(first_at, count, spacing) in self.0.iter().rev() {
            // A lease says by itself what it is: its beginning and its middle are enough.
            for first in [count / 2, 0] {
                let span = newest - (first_at + f64::from(first) * spacing);
                if span >= SHORTEST {
                    rate = rate.max((accepted + f64::from(count - first) - burst) / span);
                }
            }
            accepted += f64::from(count);
        }
        rate
    }
}

/// When its last request was due.
fn last(&(first_at, count, spacing): &Entry) -> Secs {
    first_at + f64::from(count.saturating_sub(1)) * spacing
}
