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

/// The slots of one worker.
#[derive(Debug)]
pub struct Pace {
    state: Mutex<State>,
    freed: Notify,
    most: usize,
}

#[derive(Debug)]
struct State {
    slots: f64,
    in_flight: usize,
    waves: u32,
    throttled_since: Option<Instant>,
    cool_until: Option<Instant>,
}

/// The right to one request at a time; dropping it gives it back.
#[derive(Debug)]
pub struct Slot(Arc<Pace>);

/// The API throttles for longer than deliveries should be held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLong;

impl Pace {
    /// A pace of at most `most` requests in flight.
    #[must_use]
    pub fn new(most: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
        let slots = most as f64;
        let state = State { slots, in_flight: 0, waves: 0, throttled_since: None, cool_until: None };
        Self { state: Mutex::new(state), freed: Notify::new(), most }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot, and for the end of a cool-down.
    pub async fn slot(self: &Arc<Self>) -> Slot {
        loop {
            self.cooled().await;
            let freed = self.freed.notified();
            {
                let mut state = self.state();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 1 and 1000"
                )]
                let slots = state.slots as usize;
                if state.in_flight < slots {
                    state.in_flight += 1;
                    return Slot(Arc::clone(self));
                }
            }
            freed.await;
        }
    }

    /// Waits for the end of a cool-down.
    pub async fn cooled(&self) {
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
            self.freed.notify_one();
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

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_wave_of_429_shrinks_the_pace_once_and_answers_widen_it_again() {
        let pace = Pace::new(8);
        let now = Instant::now();
        for _ in 0..8 {
            assert_eq!(pace.throttled(Some(2 * SECOND), now), Ok(()));
        }
        assert!((pace.state().slots - 5.6).abs() < 0.01);
        assert_eq!(pace.state().cool_until, Some(now + 2 * SECOND), "Retry-After is honoured");
        assert_eq!(pace.throttled(None, now + 3 * SECOND), Ok(()));
        assert!((pace.state().slots - 3.92).abs() < 0.01, "the next wave");
        for _ in 0..100 {
            pace.answered();
        }
        assert!((pace.state().slots - 8.0).abs() < 0.01);
    }

    #[tokio::test]
    async fn slots_are_bounded_and_given_back() {
        let pace = Arc::new(Pace::new(1));
        let slot = pace.slot().await;
        let mut second = std::pin::pin!(pace.slot());
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(slot);
        second.await;
    }

    #[tokio::test]
    async fn nothing_is_asked_during_a_cool_down() {
        let pace = Arc::new(Pace::new(8));
        pace.throttled(Some(60 * SECOND), Instant::now()).expect("short enough to hold");
        let mut slot = std::pin::pin!(pace.slot());
        assert!(futures_util::poll!(&mut slot).is_pending());
    }

    #[test]
    fn throttling_without_end_is_a_pause() {
        let now = Instant::now();
        assert_eq!(Pace::new(8).throttled(Some(61 * SECOND), now), Err(TooLong));
        let pace = Pace::new(8);
        let outcomes = [0, 30, 60, 61].map(|secs| pace.throttled(None, now + secs * SECOND));
        assert_eq!(outcomes, [Ok(()), Ok(()), Ok(()), Err(TooLong)]);
        pace.answered();
        assert_eq!(pace.throttled(None, now + 62 * SECOND), Ok(()), "an answer begins it anew");
    }
}
