//! How many requests a second: without a limit until the API says that it has one, and then about as many as it was seen
//! to accept.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::aimd::Aimd;

/// What a refusal leaves of the rate. Less than TCP's half: the rate at which the API accepted is known, not guessed.
const DECREASE: f64 = 0.9;

/// Requests a second, at least: one in ten seconds.
const LEAST: f64 = 0.1;

/// Accepted requests are counted over this …
const WINDOW: Duration = Duration::from_secs(1);

/// … in so many parts.
const PARTS: u32 = 10;

/// A turn may be taken late by as much and the next one be on time all the same: timers are no finer than a millisecond.
const SLACK: Duration = Duration::from_millis(20);

/// At 100/s one more in a second, at 400/s two; of a small rate a fiftieth, or every few requests one would be refused.
fn added_per_sec(rate: f64) -> f64 {
    (0.1 * rate.sqrt()).min(0.02 * rate)
}

#[derive(Debug, Default)]
pub(super) struct Rate {
    limit: Option<Aimd>,
    /// When it was refused last, as long as that has had no consequence.
    refused_at: Option<Instant>,
    next_at: Option<Instant>,
    /// Somebody had to wait for it since the last answer.
    was_waited_for: bool,
    accepted: Accepted,
}

impl Rate {
    /// From when on the next request may be made; `None`: at once. Not asked for in the cool-down after a refusal.
    pub(super) fn next_at(&mut self, now: Instant) -> Option<Instant> {
        self.decrease(now);
        let next_at = self.limit.and(self.next_at).filter(|next_at| *next_at > now);
        self.was_waited_for |= next_at.is_some();
        next_at
    }

    /// A request is made at `now`.
    pub(super) fn take(&mut self, now: Instant) {
        let Some(limit) = self.limit else { return };
        let from = self.next_at.map_or(now, |next_at| next_at.max(now.checked_sub(SLACK).unwrap_or(now)));
        self.next_at = Some(from + Duration::from_secs_f64(1.0 / limit.value()));
    }

    /// The API took a request.
    pub(super) fn answered(&mut self, now: Instant) {
        self.accepted.count(now);
        if let Some(limit) = &mut self.limit
            && std::mem::take(&mut self.was_waited_for)
        {
            limit.increase(now);
        }
    }

    /// It refused one because there were too many. A refusal is quicker than an answer: what was accepted is known when
    /// those under way have come in, which the cool-down gives time for.
    pub(super) fn throttled(&mut self, now: Instant) {
        self.refused_at = Some(now);
    }

    fn decrease(&mut self, now: Instant) {
        let Some(refused_at) = self.refused_at.take() else { return };
        let found = self.accepted.since(refused_at.checked_sub(WINDOW).unwrap_or(refused_at));
        let limit = self.limit.get_or_insert(Aimd::new(LEAST, f64::MAX, added_per_sec));
        // Nothing accepted says nothing: half of what it was, and so on.
        limit.cap(found.max(if limit.value() < f64::MAX { limit.value() / 2.0 } else { 1.0 }));
        limit.decrease(DECREASE, now);
    }
}

/// Requests that were accepted lately.
#[derive(Debug, Default)]
struct Accepted {
    /// When each part began, and how many it has; the last one is being counted.
    parts: VecDeque<(Instant, u32)>,
}

impl Accepted {
    fn count(&mut self, now: Instant) {
        match self.parts.back_mut() {
            Some((began, count)) if now.saturating_duration_since(*began) < WINDOW / PARTS => *count += 1,
            _ => self.parts.push_back((now, 1)),
        }
        // Twice the window: what is under way when it ends comes later.
        while self.parts.len() > 2 * PARTS as usize {
            self.parts.pop_front();
        }
    }

    /// As many as were accepted from then on: those of the window that began then, and those that were under way.
    fn since(&self, then: Instant) -> f64 {
        f64::from(self.parts.iter().filter(|(began, _)| *began >= then).map(|(_, count)| count).sum::<u32>())
    }
}
