//! What a worker's pace is at a moment: who holds, who waits, who asks, and what is in the way of the next request. Time is
//! an argument.

use std::time::Duration;

use shared::backoff::Backoff;
use shared::database::Grant;
use tokio::time::Instant;

use super::aimd::Aimd;
use super::rate::Rate;
use super::{Excess, TooLong};

/// Between two waves of 429 that name no Retry-After. The vendor's own client begins at 1 s and caps at 60 s.
const COOL_DOWN: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(1));

/// The same when there were too many at once: these end by themselves.
const COOL_DOWN_AT_ONCE: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_mins(1));

/// Deliveries are held through a cool-down, or several in a row, of this length; a longer one is a pause. Far below the
/// broker's 30 minutes.
const LONGEST_HOLD: Duration = Duration::from_mins(1);

/// What a wave of 429 leaves of the slots.
const DECREASE: f64 = 0.7;

/// What a slow answer leaves of them.
const DECREASE_WHEN_SLOW: f64 = 0.9;

/// An answer is slow that takes longer than this …
const SLOW: Duration = Duration::from_secs(2);

/// … and so many times as long as usual.
const SLOWER_BY: u32 = 4;

/// The weight of one answer in what is usual.
const WEIGHT: f64 = 0.1;

/// What the next request of a job is waiting for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Nothing: it is made now.
    Asks(Instant),
    /// An instant, or something that is freed before.
    At(Instant),
    /// A share of the common rate.
    Lease,
    /// Others.
    Full,
}

#[derive(Debug)]
pub(super) struct State {
    slots: Aimd,
    rate: Rate,
    grant: Option<Grant>,
    /// Jobs with a slot.
    pub(super) holding: Count,
    /// Jobs that wait for their turn.
    pub(super) waiting: Count,
    /// Requests that are being made.
    pub(super) asking: Count,
    /// All turns were taken at some time since the last answer.
    was_full: bool,
    usual: Option<Duration>,
    waves: u32,
    throttled_since: Option<Instant>,
    cool_until: Option<Instant>,
}

/// How many there are, and how many of them belong to old calls.
#[derive(Debug, Default)]
pub(super) struct Count {
    all: usize,
    old: usize,
}

impl Count {
    pub(super) fn add(&mut self, is_old: bool) {
        self.all += 1;
        self.old += usize::from(is_old);
    }

    pub(super) fn remove(&mut self, is_old: bool) {
        self.all -= 1;
        self.old -= usize::from(is_old);
    }
}

impl State {
    pub(super) fn new(most: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
        let most = most as f64;
        Self {
            slots: Aimd::new(1.0, most, |_| 1.0),
            rate: Rate::default(),
            grant: None,
            holding: Count::default(),
            waiting: Count::default(),
            asking: Count::default(),
            was_full: false,
            usual: None,
            waves: 0,
            throttled_since: None,
            cool_until: None,
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1000")]
    pub(super) fn width(&self) -> usize {
        self.slots.value() as usize
    }

    /// Old calls leave one slot to fresh ones, which else would wait for theirs to be free.
    pub(super) fn width_for_old(&self) -> usize {
        (self.width() - 1).max(1)
    }

    /// When a cool-down ends, if there is one at `now`.
    pub(super) fn cool_until(&self, now: Instant) -> Option<Instant> {
        self.cool_until.filter(|until| *until > now)
    }

    /// Takes a slot, if one is free.
    pub(super) fn hold(&mut self) -> bool {
        let is_free = self.holding.all < self.width();
        if is_free {
            self.holding.add(false);
        }
        is_free
    }

    pub(super) fn held_by_old(&mut self) {
        self.holding.old += 1;
    }

    pub(super) fn may_hold_old(&self) -> bool {
        self.holding.old < self.width_for_old()
    }

    /// Takes a turn, if nothing is in the way of it.
    pub(super) fn ask(&mut self, is_old: bool, has_budget: bool, now: Instant) -> Step {
        if let Some(until) = self.cool_until(now) {
            return Step::At(until);
        }
        let has_fresh_waiting = self.waiting.all > self.waiting.old;
        let yields = is_old && (has_fresh_waiting || self.asking.old >= self.width_for_old());
        if self.asking.all >= self.width() || yields {
            return Step::Full;
        }
        if let Some(instant) = self.rate.next_at(now) {
            return Step::At(instant);
        }
        if has_budget {
            let Some(grant) = &mut self.grant else { return Step::Lease };
            if grant.first_at > now {
                return Step::At(grant.first_at);
            }
            grant.first_at += grant.spacing;
            grant.count -= 1;
            self.grant = self.grant.filter(|grant| grant.count > 0);
        }
        self.rate.take(now);
        self.asking.add(is_old);
        self.was_full |= self.asking.all >= self.width();
        Step::Asks(now)
    }

    /// How many requests those who wait would lease; `None` when some are leased already.
    pub(super) fn wanted(&self) -> Option<u32> {
        let wanted = u32::try_from(self.waiting.all).unwrap_or(u32::MAX);
        self.grant.is_none().then_some(wanted)
    }

    pub(super) fn granted(&mut self, grant: Grant) {
        self.grant = Some(grant);
    }

    pub(super) fn recovered(&mut self) {
        self.cool_until = None;
        self.throttled_since = None;
    }

    /// Whether there are more slots now.
    pub(super) fn answered(&mut self, took: Duration, now: Instant) -> bool {
        self.waves = 0;
        self.throttled_since = None;
        self.rate.answered(now);
        let before = self.width();
        let usual = self.usual.unwrap_or(took);
        self.usual = Some(usual.mul_f64(1.0 - WEIGHT) + took.mul_f64(WEIGHT));
        if took > SLOW.max(usual * SLOWER_BY) {
            self.slowed(took, now);
        } else if std::mem::take(&mut self.was_full) {
            self.slots.increase(now);
        }
        before < self.width()
    }

    /// An answer took so long; those that were made before the last decrease say nothing new.
    pub(super) fn slowed(&mut self, took: Duration, now: Instant) {
        if !self.slots.has_decreased_within(took.max(SLOW), now) {
            self.slots.decrease(DECREASE_WHEN_SLOW, now);
        }
    }

    pub(super) fn throttled(
        &mut self,
        excess: Excess,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> Result<(), TooLong> {
        let since = *self.throttled_since.get_or_insert(now);
        if self.cool_until(now).is_none() {
            self.waves += 1;
            if excess != Excess::PerSecond {
                self.slots.decrease(DECREASE, now);
            }
            if excess != Excess::AtOnce {
                self.rate.throttled(now);
            }
        }
        let cool_down = if excess == Excess::AtOnce { COOL_DOWN_AT_ONCE } else { COOL_DOWN };
        // A Retry-After of nothing, or of a date that is past by our clock, is no leave to ask at once.
        let wait = retry_after
            .filter(|wait| !wait.is_zero())
            .unwrap_or_else(|| cool_down.delay(self.waves, rand::random()));
        let until = now + wait;
        self.cool_until = Some(self.cool_until.map_or(until, |before| before.max(until)));
        if wait > LONGEST_HOLD || now - since > LONGEST_HOLD { Err(TooLong) } else { Ok(()) }
    }
}
