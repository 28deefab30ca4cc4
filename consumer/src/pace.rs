//! How many requests are in flight: as many as `ELEVENLABS_CONCURRENCY` allows, fewer while the API throttles.
//!
//! Additive increase, multiplicative decrease: each answer adds a fraction of a slot, a wave of 429 takes three of ten,
//! and nothing is asked until its Retry-After, or else a growing wait, is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::backoff::Backoff;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Between two waves of 429 that name no Retry-After. The vendor's own client begins at 1 s and caps at 60 s.
const COOL_DOWN: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(1));

/// Deliveries are held through a cool-down, or several in a row, of this length; a longer one is a pause. Far below the
/// broker's 30 minutes.
const LONGEST_HOLD: Duration = Duration::from_mins(1);

/// What a wave of 429 leaves of the slots.
const DECREASE: f64 = 0.7;

/// The slots of one worker. A job holds one until its conversation is here, and asks only when it is its turn: when the
/// pace narrows, those that hold a slot already take turns.
#[derive(Debug)]
pub struct Pace {
    state: Mutex<State>,
    freed: Notify,
    most: usize,
}

#[derive(Debug)]
struct State {
    slots: f64,
    /// Jobs with a slot.
    holding: Count,
    /// Requests that are being made.
    asking: Count,
    waves: u32,
    throttled_since: Option<Instant>,
    cool_until: Option<Instant>,
}

/// How many there are, and how many of them belong to old calls.
#[derive(Debug, Default)]
struct Count {
    all: usize,
    old: usize,
}

impl Count {
    fn add(&mut self, is_old: bool) {
        self.all += 1;
        self.old += usize::from(is_old);
    }

    fn remove(&mut self, is_old: bool) {
        self.all -= 1;
        self.old -= usize::from(is_old);
    }
}

impl State {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1000")]
    fn width(&self) -> usize {
        self.slots as usize
    }

    /// Old calls leave one slot to fresh ones, which else would wait for theirs to be free.
    fn width_for_old(&self) -> usize {
        (self.width() - 1).max(1)
    }
}

/// The right of one job to ask, when it is its turn; dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    pace: Arc<Pace>,
    is_old: bool,
}

/// The right to one request; dropping it gives it back.
#[derive(Debug)]
pub struct Turn<'a>(&'a Slot);

/// The API throttles for longer than deliveries should be held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLong;

impl Pace {
    /// A pace of at most `most` requests in flight.
    #[must_use]
    pub fn new(most: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
        let slots = most as f64;
        let state = State {
            slots,
            holding: Count::default(),
            asking: Count::default(),
            waves: 0,
            throttled_since: None,
            cool_until: None,
        };
        Self { state: Mutex::new(state), freed: Notify::new(), most }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Most requests in flight.
    pub fn most(&self) -> u16 {
        u16::try_from(self.most).unwrap_or(u16::MAX)
    }

    /// Waits until this holds, outside of a cool-down.
    async fn when(&self, mut holds: impl FnMut(&mut State) -> bool) {
        loop {
            self.cooled().await;
            let freed = self.freed.notified();
            if holds(&mut self.state()) {
                return;
            }
            freed.await;
        }
    }

    /// Waits for a slot, and for the end of a cool-down.
    pub async fn slot(self: &Arc<Self>) -> Slot {
        self.when(|state| {
            let is_free = state.holding.all < state.width();
            if is_free {
                state.holding.add(false);
            }
            is_free
        })
        .await;
        Slot { pace: Arc::clone(self), is_old: false }
    }

    /// Waits until an old call may have a slot.
    pub async fn may_backfill(&self) {
        self.when(|state| state.holding.old < state.width_for_old()).await;
    }

    /// Waits for the end of a cool-down.
    async fn cooled(&self) {
        loop {
            let until = self.state().cool_until.filter(|until| *until > Instant::now());
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => return,
            }
        }
    }

    /// How much of a cool-down is left at `now`.
    pub fn cool_down(&self, now: Instant) -> Duration {
        self.state().cool_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// A probe was answered: what came before is over.
    pub fn recovered(&self) {
        let mut state = self.state();
        state.cool_until = None;
        state.throttled_since = None;
    }

    /// The API answered.
    pub fn answered(&self) {
        let mut state = self.state();
        state.waves = 0;
        state.throttled_since = None;
        let before = state.slots;
        #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
        let most = self.most as f64;
        state.slots = (state.slots + 1.0 / state.slots).min(most);
        if before.floor() < state.slots.floor() {
            self.freed.notify_waiters();
        }
    }

    /// The API throttled at `now`; requests of the same wave shrink the pace once.
    ///
    /// # Errors
    /// [`TooLong`] when this cool-down, or all since the last answer together, is too long to hold deliveries.
    pub fn throttled(&self, retry_after: Option<Duration>, now: Instant) -> Result<(), TooLong> {
        let mut state = self.state();
        let since = *state.throttled_since.get_or_insert(now);
        if state.cool_until.is_none_or(|until| until <= now) {
            state.waves += 1;
            state.slots = (state.slots * DECREASE).max(1.0);
        }
        // A Retry-After of nothing, or of a date that is past by our clock, is no leave to ask at once.
        let wait = retry_after
            .filter(|wait| !wait.is_zero())
            .unwrap_or_else(|| COOL_DOWN.delay(state.waves, rand::random()));
        let until = now + wait;
        state.cool_until = Some(state.cool_until.map_or(until, |before| before.max(until)));
        if wait > LONGEST_HOLD || now - since > LONGEST_HOLD { Err(TooLong) } else { Ok(()) }
    }
}

impl Slot {
    /// It goes to an old call.
    pub fn for_backfill(&mut self) {
        debug_assert!(!self.is_old, "a slot goes to one call");
        self.is_old = true;
        self.pace.state().holding.old += 1;
    }

    /// Waits until its job may ask.
    pub async fn turn(&self) -> Turn<'_> {
        self.pace
            .when(|state| {
                let is_free = state.asking.all < state.width()
                    && (!self.is_old || state.asking.old < state.width_for_old());
                if is_free {
                    state.asking.add(self.is_old);
                }
                is_free
            })
            .await;
        Turn(self)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pace.state().holding.remove(self.is_old);
        self.pace.freed.notify_waiters();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.pace.state().asking.remove(self.0.is_old);
        self.0.pace.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
