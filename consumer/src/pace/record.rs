//! Which requests went out and were not refused: what an API that was driven to its limit has shown of it.

use std::collections::VecDeque;

use super::Secs;

/// So many are remembered.
const MOST: usize = 4096;

/// Over less than this nothing is estimated.
const SHORTEST: Secs = 0.02;

/// When each went out, in order.
#[derive(Debug, Default)]
pub(super) struct Record(VecDeque<Secs>);

impl Record {
    pub(super) fn add(&mut self, sent_at: Secs) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(sent_at);
    }

    /// That one was refused.
    pub(super) fn remove(&mut self, sent_at: Secs) {
        if let Some(index) = self.0.iter().rposition(|it| *it <= sent_at) {
            self.0.remove(index);
        }
    }

    /// How many went out after `from`, until `to`.
    pub(super) fn count(&self, from: Secs, to: Secs) -> f64 {
        let count = self.0.partition_point(|it| *it <= to) - self.0.partition_point(|it| *it <= from);
        u32::try_from(count).map_or(f64::MAX, f64::from)
    }

    /// The least rate that explains what was accepted until a refusal at `to`: a bucket that was empty at the refusal
    /// before, at `from`, and at no time held more than `burst`.
    pub(super) fn rate(&self, from: Secs, to: Secs, burst: f64) -> f64 {
        let mut rate = self.count(from, to) / (to - from).max(SHORTEST);
        let (first, last) =
            (self.0.partition_point(|it| *it <= from), self.0.partition_point(|it| *it <= to));
        let mut accepted = 0.0;
        let newest = self.0.get(last.wrapping_sub(1)).copied().unwrap_or(to);
        for sent_at in self.0.range(first..last).rev() {
            accepted += 1.0;
            if newest - sent_at >= SHORTEST {
                rate = rate.max((accepted - burst) / (newest - sent_at));
            }
        }
        rate
    }
}
