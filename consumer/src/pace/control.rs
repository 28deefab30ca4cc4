//! The controller of one worker: how many requests may be in flight, and until when it cools down. A pure function of what
//! happened and when.

use shared::rate::{HELD_LEAST, HELD_MOST, Limit, Secs};

use super::TooLong;

/// Deliveries are held through a cool-down, or several in a row, of this length; a longer one is a pause. Far below the
/// broker's 30 minutes.
const LONGEST_HOLD: Secs = 60.0;

/// Between a refusal that names no Retry-After and the next request; doubled while nothing is accepted, up to a minute.
const COOL_DOWN: Secs = 0.25;

/// One wave of refusals a second is enough.
const APART: Secs = 1.0;

/// Permits that were found are held for so many times what finding them costs.
const HELD: f64 = 7.0;

/// An answer is slow that takes longer than this …
const SLOW: Secs = 2.0;

/// … and so many times as long as usual.
const SLOWER_BY: f64 = 4.0;

/// The weight of one answer in what is usual.
const WEIGHT: f64 = 0.1;

/// What a slow answer leaves of the permits.
const LEFT_WHEN_SLOW: f64 = 0.9;

/// A wave of refusals that has had no consequence yet.
#[derive(Clone, Copy, Debug)]
struct Wave {
    /// How many were in flight, and how many of them were refused.
    in_flight: f64,
    refused: f64,
    /// Of whom there were too many at once.
    is_at_once: bool,
    /// How long nothing is asked.
    costs: Secs,
}

#[derive(Debug)]
pub(super) struct Control {
    most: f64,
    permits: Limit,
    in_flight: f64,
    wave: Option<Wave>,
    /// When the last wave began.
    began_at: Secs,
    cool_until: Secs,
    /// Waves since something was accepted, and since when.
    fruitless: i32,
    throttled_since: Option<Secs>,
    usual: Option<Secs>,
    slowed_at: Secs,
}

impl Control {
    pub(super) fn new(most: u16) -> Self {
        let most = f64::from(most);
        Self {
            most,
            permits: Limit::new(most, 0.0, 0.0),
            in_flight: 0.0,
            wave: None,
            began_at: f64::NEG_INFINITY,
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

    /// How many more requests there may be in flight.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    pub(super) fn free(&self) -> u32 {
        (self.width() - self.in_flight).max(0.0) as u32
    }

    /// When a cool-down ends, if there is one at `now`.
    pub(super) fn cool_until(&self, now: Secs) -> Option<Secs> {
        Some(self.cool_until).filter(|until| *until > now)
    }

    /// Forgets a cool-down: a probe was answered.
    pub(super) fn recovered(&mut self) {
        (self.cool_until, self.throttled_since) = (0.0, None);
    }

    /// From when on the next request may be made: `now`, or later; `None`: when one in flight has ended.
    pub(super) fn next_at(&mut self, now: Secs) -> Option<Secs> {
        if let Some(until) = self.cool_until(now) {
            return Some(until);
        }
        self.conclude(now);
        // What was refused is asked for by one first.
        let is_full = self.in_flight >= self.width() || (self.fruitless > 1 && self.in_flight > 0.0);
        (!is_full).then_some(now)
    }

    /// A request is made at `now`.
    pub(super) fn take(&mut self, now: Secs) {
        self.permits.step(self.in_flight + 1.0 >= self.width(), now);
        self.in_flight += 1.0;
    }

    /// A request has ended, whatever its answer.
    pub(super) fn ended(&mut self) {
        self.in_flight -= 1.0;
    }

    /// The API took a request.
    pub(super) fn answered(&mut self, took: Secs, now: Secs) {
        (self.fruitless, self.throttled_since) = (0, None);
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
            self.permits = Limit::new(left, HELD_LEAST, now);
        }
    }

    /// The API refused a request; how long nothing is asked now, and whether that is too long to hold deliveries. `jitter`
    /// is between 0 and 1.
    pub(super) fn throttled(
        &mut self,
        retry_after: Option<Secs>,
        jitter: f64,
        now: Secs,
    ) -> (Secs, Result<(), TooLong>) {
        let since = *self.throttled_since.get_or_insert(now);
        if self.cool_until(now).is_none() {
            self.conclude(now);
            self.fruitless += 1;
            let doubled = COOL_DOWN * f64::exp2(f64::from(self.fruitless - 1));
            let costs = doubled.max(APART - (now - self.began_at)).min(LONGEST_HOLD) * (1.0 + jitter / 4.0);
            self.began_at = now;
            self.wave =
                Some(Wave { in_flight: self.in_flight + 1.0, refused: 0.0, is_at_once: false, costs });
        }
        // A Retry-After of nothing, or of a date that is past by our clock, is no leave to ask at once.
        let told = retry_after.filter(|wait| *wait > 0.0);
        let wait = told.or(self.wave.map(|wave| wave.costs)).unwrap_or(COOL_DOWN);
        self.cool_until = self.cool_until.max(now + wait);
        if let Some(wave) = &mut self.wave {
            wave.refused += 1.0;
            wave.costs = wait;
        }
        let is_long = wait > LONGEST_HOLD || now - since > LONGEST_HOLD;
        (wait, if is_long { Err(TooLong) } else { Ok(()) })
    }

    /// It was refused since there were too many at once.
    pub(super) fn were_at_once(&mut self) {
        if let Some(wave) = &mut self.wave {
            wave.is_at_once = true;
        }
    }

    /// Draws the consequence of a wave, when those that were in flight have come in.
    fn conclude(&mut self, now: Secs) {
        let Some(Wave { in_flight, refused, is_at_once, costs }) = self.wave.take() else { return };
        if is_at_once && self.width() > 1.0 {
            let found = (in_flight - refused).max(self.permits.kept()).min(in_flight - 1.0).max(1.0);
            let held_for = (HELD * costs).clamp(HELD_LEAST, HELD_MOST);
            self.permits = Limit::new(found, held_for, now);
        }
    }
}
