//! How many requests are in flight, and how many a second: as many as `ELEVENLABS_CONCURRENCY` and `ELEVENLABS_RATE_LIMIT`
//! allow, fewer when the API throttles or grows slow.
//!
//! Two semaphores hold the permits, one of them those of old calls; the controller says how many there are. When the next
//! request may be made is found together with all other programs: [`RateBudget`]. One job at a time waits for that, and no
//! other is begun meanwhile, so that a fresh call is the next one.

mod control;
mod permit;
mod places;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::database::RateBudget;
use shared::rate::Secs;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;

use control::Control;
use places::Places;

pub use permit::{Backfill, Permit, Turn};

/// The pace of one worker.
#[derive(Debug)]
pub struct Pace {
    state: Mutex<State>,
    began: Instant,
    most: u16,
    budget: Option<RateBudget>,
    /// Whoever asks next holds it.
    gate: tokio::sync::Mutex<()>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    control: Control,
    all: Places,
    old: Places,
}

/// Of what there was too much, as far as a 429 says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Excess {
    /// Too many requests at once.
    AtOnce,
    /// Too many in a time.
    PerSecond,
    /// It does not say.
    Unknown,
}

/// The API throttles for longer than deliveries should be held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLong;

impl State {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1000")]
    fn width(&self) -> usize {
        self.control.width() as usize
    }

    /// Old calls leave one permit to fresh ones, which else would wait for theirs to be free.
    fn width_for_old(&self) -> usize {
        (self.width() - 1).max(1)
    }
}

impl Pace {
    /// A pace of at most `most` requests in flight, and of as many in a time as the budget gives.
    #[must_use]
    pub fn new(most: usize, budget: Option<RateBudget>) -> Self {
        let most = u16::try_from(most).unwrap_or(u16::MAX).max(1);
        let control = Control::new(most);
        let (all, old) = (Places::new(most.into()), Places::new(usize::from(most - 1).max(1)));
        let state = Mutex::new(State { control, all, old });
        Self {
            state,
            began: Instant::now(),
            most,
            budget,
            gate: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secs(&self, now: Instant) -> Secs {
        now.saturating_duration_since(self.began).as_secs_f64()
    }

    /// Tells the controller, and has as many permits as it says then.
    fn tell<T>(&self, event: impl FnOnce(&mut Control) -> T) -> T {
        let mut state = self.state();
        let outcome = event(&mut state.control);
        let (width, width_for_old) = (state.width(), state.width_for_old());
        state.all.resize(width);
        state.old.resize(width_for_old);
        drop(state);
        self.changed.notify_waiters();
        outcome
    }

    /// Most requests in flight.
    pub fn most(&self) -> u16 {
        self.most
    }

    /// Waits for a permit, until nobody waits for a turn, and for the end of a cool-down.
    pub async fn permit(self: &Arc<Self>) -> Permit {
        let place = self.place(|state| &state.all).await;
        let gate = self.gate.lock().await;
        loop {
            let changed = self.changed.notified();
            match self.cool_down(Instant::now()) {
                Duration::ZERO => break,
                left => tokio::select! { () = tokio::time::sleep(left) => {}, () = changed => {} },
            }
        }
        drop(gate);
        Permit::new(Arc::clone(self), place)
    }

    /// Waits until an old call may have a permit.
    pub async fn backfill(&self) -> Backfill {
        Backfill::new(self.place(|state| &state.old).await)
    }

    async fn place(&self, of: impl FnOnce(&State) -> &Places) -> OwnedSemaphorePermit {
        let next = of(&self.state()).next();
        next.await.expect("nobody closes it")
    }

    /// How much of a cool-down is left at `now`.
    pub fn cool_down(&self, now: Instant) -> Duration {
        let now = self.secs(now);
        let until = self.state().control.cool_until(now);
        until.map_or(Duration::ZERO, |until| Duration::from_secs_f64(until - now))
    }

    /// A probe was answered: what came before is over.
    pub fn recovered(&self) {
        self.tell(Control::recovered);
    }

    /// The API answered at `now`, after so long.
    pub fn answered(&self, took: Duration, now: Instant) {
        let now = self.secs(now);
        self.tell(|control| control.answered(took.as_secs_f64(), now));
    }

    /// A request had no answer in time.
    pub fn timed_out(&self, now: Instant) {
        let now = self.secs(now);
        self.tell(|control| control.slowed(0.0, now));
    }

    /// The API refused at `now` a request that was sent then; requests of the same wave count once.
    ///
    /// # Errors
    /// [`TooLong`] when this cool-down, or all since the last answer together, is too long to hold deliveries.
    pub async fn throttled(
        &self,
        excess: Excess,
        retry_after: Option<Duration>,
        sent_at: Instant,
        now: Instant,
    ) -> Result<(), TooLong> {
        let (now, told) = (self.secs(now), retry_after.map(|wait| wait.as_secs_f64()));
        let (wait, outcome) = self.tell(|control| control.throttled(told, rand::random(), now));
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX);
        let is_sure = excess == Excess::PerSecond;
        let is_rate = match &self.budget {
            _ if excess == Excess::AtOnce => false,
            Some(budget) => budget.throttled(sent_at, wait, is_sure).await,
            None => is_sure,
        };
        if !is_rate {
            self.tell(Control::were_at_once);
        }
        outcome
    }

    /// When the next request may be made as far as this worker goes; `None`: when one has ended.
    fn next(&self, now: Instant) -> Option<Duration> {
        let now = self.secs(now);
        let at = self.state().control.next_at(now)?;
        Some(Duration::from_secs_f64((at - now).max(0.0)))
    }
}

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
