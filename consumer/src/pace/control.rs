//! The controller: how many requests may be in flight, and when the next may be made. A pure function of what happened
//! and when.
//!
//! Nothing is known of the API's limits at first, and nothing is limited. A refusal begins an episode: all wait until its
//! Retry-After is over. What was accepted until then says what the limit is; just below it the worker stays for a
//! while, then doubles its pace until the next refusal, which finds a limit that was lifted, and else the same again.

use super::limit::Limit;
use super::record::Record;
use super::{Excess, Secs, TooLong};

/// Deliveries are held through a cool-down, or several in a row, of this length; a longer one is a pause. Far below the
/// broker's 30 minutes.
const LONGEST_HOLD: Secs = 60.0;

/// Between a refusal that names no Retry-After and the next request; doubled while nothing is accepted, up to a minute.
const COOL_DOWN: Secs = 0.25;

/// One episode a second is enough.
const EPISODE: Secs = 1.0;

/// As much of what was found is used: a little less than the limit lets a burst grow again.
const USED: f64 = 0.98;

/// What was found is held for so many times what finding it costs …
const HELD: f64 = 7.5;

/// … but between these.
const HELD_LEAST: Secs = 6.0;
const HELD_MOST: Secs = 600.0;

/// As much of what a bucket may have taken in during a cool-down is used at once.
const OWED: f64 = 0.8;

/// The slowest rate: one request in ten seconds.
const LEAST_RATE: f64 = 0.1;

/// A turn may be taken late by as much and the next one be on time all the same: timers are no finer than a millisecond.
const SLACK: Secs = 0.02;

/// An answer is slow that takes longer than this …
const SLOW: Secs = 2.0;

/// … and so many times as long as usual.
const SLOWER_BY: f64 = 4.0;

/// The weight of one answer in what is usual.
const WEIGHT: f64 = 0.1;

/// What a slow answer leaves of the permits.
const LEFT_WHEN_SLOW: f64 = 0.9;

/// A wave of refusals.
#[derive(Clone, Copy, Debug)]
struct Episode {
    /// When the first of the refused was sent.
    at: Secs,
    excess: Excess,
    /// How many were in flight then, and how many of them were refused.
    in_flight: f64,
    refused: f64,
    /// How long nothing is asked.
    costs: Secs,
}

#[derive(Debug)]
pub(super) struct Control {
    most: f64,
    rate: Limit,
    permits: Limit,
    in_flight: f64,
    next_at: Secs,
    /// Somebody waited for the rate since the last request.
    was_late: bool,
    record: Record,
    /// What the API takes at once after a quiet time, by the first refusal.
    burst: f64,
    /// One that has had no consequence yet.
    episode: Option<Episode>,
    /// When the last but that one began.
    before: Secs,
    cool_until: Secs,
    /// Episodes since something was accepted, and since when.
    fruitless: i32,
    throttled_since: Option<Secs>,
    usual: Option<Secs>,
    slowed_at: Secs,
}

impl Control {
    pub(super) fn new(most: u16) -> Self {
        Self {
            most: f64::from(most),
            rate: Limit::new(f64::INFINITY),
            permits: Limit::new(f64::from(most)),
            in_flight: 0.0,
            next_at: 0.0,
            was_late: false,
            record: Record::default(),
            burst: 0.0,
            episode: None,
            before: f64::NEG_INFINITY,
            cool_until: 0.0,
            fruitless: 0,
            throttled_since: None,
            usual: None,
            slowed_at: f64::NEG_INFINITY,
        }
    }

    /// Most requests in flight.
    pub(super) fn width(&self) -> f64 {
        self.permits.value().clamp(1.0, self.most).floor()
    }

    /// When a cool-down ends, if there is one at `now`.
    pub(super) fn cool_until(&self, now: Secs) -> Option<Secs> {
        Some(self.cool_until).filter(|until| *until > now)
    }

    /// Forgets a cool-down: a probe was answered.
    pub(super) fn recovered(&mut self) {
        self.cool_until = 0.0;
        self.throttled_since = None;
    }

    /// From when on the next request may be made: `now`, or later; `None`: when one in flight has ended.
    pub(super) fn next_at(&mut self, now: Secs) -> Option<Secs> {
        if let Some(until) = self.cool_until(now) {
            return Some(until);
        }
        self.conclude(now);
        // What was refused is asked for by one first.
        if self.in_flight >= self.width() || (self.fruitless > 1 && self.in_flight > 0.0) {
            return None;
        }
        self.was_late |= self.next_at > now;
        Some(self.next_at.max(now))
    }

    /// A request is made at `now`.
    pub(super) fn take(&mut self, now: Secs) {
        self.rate.step(std::mem::take(&mut self.was_late), now);
        self.permits.step(self.in_flight + 1.0 >= self.width(), now);
        let spacing = 1.0 / self.rate.value();
        let slack = ((self.burst - 1.0) * spacing).clamp(0.0, SLACK);
        self.next_at = self.next_at.max(now - slack) + spacing;
        self.in_flight += 1.0;
        self.record.add(now);
    }

    /// A request has ended, whatever its answer.
    pub(super) fn ended(&mut self) {
        self.in_flight -= 1.0;
    }

    /// The API took a request.
    pub(super) fn answered(&mut self, took: Secs, now: Secs) {
        self.fruitless = 0;
        self.throttled_since = None;
        let usual = self.usual.unwrap_or(took);
        self.usual = Some(usual * (1.0 - WEIGHT) + took * WEIGHT);
        if took > SLOW.max(usual * SLOWER_BY) {
            self.slowed(took, now);
        }
    }

    /// An answer took so long; those that were made before the last such decrease say nothing new.
    pub(super) fn slowed(&mut self, took: Secs, now: Secs) {
        if now - self.slowed_at >= took.max(SLOW) {
            self.slowed_at = now;
            let left = (self.width() * LEFT_WHEN_SLOW).max(1.0);
            self.permits.set(left, left, HELD_LEAST, now);
        }
    }

    /// The API refused a request that was sent at `sent_at`. `jitter` is between 0 and 1.
    pub(super) fn throttled(
        &mut self,
        excess: Excess,
        retry_after: Option<Secs>,
        sent_at: Secs,
        jitter: f64,
        now: Secs,
    ) -> Result<(), TooLong> {
        self.record.remove(sent_at);
        let since = *self.throttled_since.get_or_insert(now);
        if self.cool_until(now).is_none() {
            self.conclude(now);
            self.fruitless += 1;
            let in_flight = self.in_flight + 1.0;
            self.episode = Some(Episode { at: sent_at, excess, in_flight, refused: 0.0, costs: 0.0 });
        }
        let doubled = COOL_DOWN * f64::exp2(f64::from(self.fruitless - 1));
        let unless_told = doubled.max(EPISODE - (now - self.before)).min(LONGEST_HOLD) * (1.0 + jitter / 4.0);
        // A Retry-After of nothing, or of a date that is past by our clock, is no leave to ask at once.
        let wait = retry_after.filter(|wait| *wait > 0.0).unwrap_or(unless_told);
        self.cool_until = self.cool_until.max(now + wait);
        if let Some(episode) = &mut self.episode {
            episode.at = episode.at.min(sent_at);
            episode.refused += 1.0;
            episode.costs = wait;
        }
        if wait > LONGEST_HOLD || now - since > LONGEST_HOLD { Err(TooLong) } else { Ok(()) }
    }

    /// Draws the consequence of an episode, when those that were in flight have come in.
    fn conclude(&mut self, now: Secs) {
        let Some(Episode { at, excess, in_flight, refused, costs }) = self.episode.take() else { return };
        self.next_at = now;
        let before = std::mem::replace(&mut self.before, at);
        let held_for = (HELD * costs).clamp(HELD_LEAST, HELD_MOST);
        let is_settled = self.rate.value().is_finite() && !self.rate.is_growing();
        let is_at_once = excess == Excess::AtOnce || (excess == Excess::Unknown && is_settled);
        if is_at_once && self.width() > 1.0 {
            let found = (in_flight - refused).max(self.permits.kept()).min(in_flight - 1.0).max(1.0);
            self.permits.set(found, found, held_for, now);
            return;
        }
        if self.rate.value().is_infinite() {
            self.burst = self.record.count(at - 1.0, at).max(1.0);
            let first = (self.burst / 2.0).max(4.0);
            self.rate.set(first, first, 0.0, now);
        } else if self.record.count(before, at) >= 1.0 {
            let found = self.found(before, at).max(LEAST_RATE);
            self.rate.set(found, self.rate.value().min(found * 1.5), held_for, now);
            // What the bucket has taken in meanwhile.
            let owed = (self.burst - 1.0).min(found * (now - at)) * OWED;
            self.next_at = now - owed / found;
        }
    }

    /// What is used of the rate from now on, after a refusal at `at`, and one before.
    fn found(&self, before: Secs, at: Secs) -> f64 {
        let value = self.rate.value();
        let found = USED * self.record.rate(before, at, self.burst).min(value);
        if self.rate.is_growing() {
            return found.max(self.rate.kept());
        }
        // It was held, and is too much all the same: chance, or others, when it went well for a while.
        let least = if self.rate.in_the_way() >= EPISODE { 0.93 * self.rate.found() } else { 0.75 * value };
        let most = if self.rate.in_the_way() >= EPISODE { 0.98 } else { 0.75 };
        found.clamp(least, (most * value).max(least))
    }
}
