//! A limit that finds itself: additive increase for as long as it is what holds us back, multiplicative decrease when the
//! other side says that it was too much. Several workers that do so come to a fair share (Chiu and Jain, 1989).

use std::time::Duration;

use tokio::time::Instant;

/// After so long without a decrease the increase is twice as fast, after twice as long three times, and so on: a limit
/// that was lifted is not crept up to for an hour.
const CONVEXITY: Duration = Duration::from_secs(20);

/// An answer that comes after a long silence counts for no more than this.
const LONGEST_STEP: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub(super) struct Aimd {
    value: f64,
    least: f64,
    most: f64,
    /// What is added in a second, by what it is.
    added_per_sec: fn(f64) -> f64,
    decreased_at: Option<Instant>,
    increased_at: Option<Instant>,
}

impl Aimd {
    /// Begins at the most there may be. What is added in a second must grow more slowly than the limit itself, or workers
    /// do not come to a fair share.
    pub(super) fn new(least: f64, most: f64, added_per_sec: fn(f64) -> f64) -> Self {
        Self { value: most, least, most, added_per_sec, decreased_at: None, increased_at: None }
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// Things went well at `now`, and this limit was in the way of more.
    pub(super) fn increase(&mut self, now: Instant) {
        let step = self.increased_at.map_or(Duration::ZERO, |before| now.saturating_duration_since(before));
        self.increased_at = Some(now);
        let calm = self.decreased_at.map_or(Duration::ZERO, |before| now.saturating_duration_since(before));
        let per_sec = (self.added_per_sec)(self.value) * (1.0 + calm.div_duration_f64(CONVEXITY));
        self.value = (self.value + per_sec * step.min(LONGEST_STEP).as_secs_f64()).min(self.most);
    }

    /// It was too much: `factor` of it is left.
    pub(super) fn decrease(&mut self, factor: f64, now: Instant) {
        self.value = (self.value * factor).max(self.least);
        self.decreased_at = Some(now);
        self.increased_at = Some(now);
    }

    /// It was found to be no more than this.
    pub(super) fn cap(&mut self, value: f64) {
        self.value = self.value.min(value).max(self.least);
    }

    /// Whether it was decreased less than so long before `now`.
    pub(super) fn has_decreased_within(&self, span: Duration, now: Instant) -> bool {
        self.decreased_at.is_some_and(|before| now.saturating_duration_since(before) < span)
    }
}
