//! How many requests are in flight, and how many a second: as many as `ELEVENLABS_CONCURRENCY` and `ELEVENLABS_RATE_LIMIT`
//! allow, fewer when the API throttles or grows slow.
//!
//! Both limits find themselves by additive increase and multiplicative decrease; a wave of 429 counts once, and nothing is
//! asked until its Retry-After, or else a growing wait, is over. Fresh calls go first, whatever they wait for.

mod aimd;
mod rate;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::database::{DatabaseError, RateBudget};
use tokio::sync::Notify;
use tokio::time::Instant;

use state::{State, Step};

/// The slots of one worker. A job holds one until its answer is handed over, and asks only when it is its turn: when the
/// pace narrows, those that hold a slot already take turns.
#[derive(Debug)]
pub struct Pace {
    state: Mutex<State>,
    freed: Notify,
    most: usize,
    budget: Option<RateBudget>,
    leasing: tokio::sync::Mutex<()>,
    /// Of those that wait for a turn, the first fresh one and the first old one hold these and look; the others queue.
    first: [tokio::sync::Mutex<()>; 2],
}

/// The right of one job to ask, when it is its turn; dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    pace: Arc<Pace>,
    is_old: bool,
}

/// The right to one request; dropping it gives it back.
#[derive(Debug)]
pub struct Turn<'a> {
    slot: &'a Slot,
    began: Instant,
}

/// A job that waits for its turn.
struct Waiting<'a>(&'a Slot);

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

impl Pace {
    /// A pace of at most `most` requests in flight, and of as many in a time as the budget gives.
    #[must_use]
    pub fn new(most: usize, budget: Option<RateBudget>) -> Self {
        Self {
            state: Mutex::new(State::new(most)),
            freed: Notify::new(),
            most,
            budget,
            leasing: tokio::sync::Mutex::default(),
            first: Default::default(),
        }
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
            let freed = self.freed.notified();
            let cool_until = {
                let mut state = self.state();
                let cool_until = state.cool_until(Instant::now());
                if cool_until.is_none() && holds(&mut state) {
                    return;
                }
                cool_until
            };
            match cool_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => freed.await,
            }
        }
    }

    /// Waits for a slot, and for the end of a cool-down.
    pub async fn slot(self: &Arc<Self>) -> Slot {
        self.when(State::hold).await;
        Slot { pace: Arc::clone(self), is_old: false }
    }

    /// Waits until an old call may have a slot.
    pub async fn may_backfill(&self) {
        self.when(|state| state.may_hold_old()).await;
    }

    /// Leases requests for all who wait; one does so for the others.
    async fn lease(&self, budget: &RateBudget) -> Result<(), DatabaseError> {
        let _leasing = self.leasing.lock().await;
        let wanted = self.state().wanted();
        if let Some(wanted) = wanted {
            let grant = budget.lease(wanted).await?;
            self.state().granted(grant);
            self.freed.notify_waiters();
        }
        Ok(())
    }

    /// How much of a cool-down is left at `now`.
    pub fn cool_down(&self, now: Instant) -> Duration {
        self.state().cool_until(now).map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// A probe was answered: what came before is over.
    pub fn recovered(&self) {
        self.state().recovered();
    }

    /// The API answered at `now`, after so long.
    pub fn answered(&self, took: Duration, now: Instant) {
        if self.state().answered(took, now) {
            self.freed.notify_waiters();
        }
    }

    /// A request had no answer in time.
    pub fn timed_out(&self, now: Instant) {
        self.state().slowed(Duration::ZERO, now);
    }

    /// The API throttled at `now`; requests of the same wave shrink the pace once.
    ///
    /// # Errors
    /// [`TooLong`] when this cool-down, or all since the last answer together, is too long to hold deliveries.
    pub fn throttled(
        &self,
        excess: Excess,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> Result<(), TooLong> {
        self.state().throttled(excess, retry_after, now)
    }
}

impl Slot {
    /// It goes to an old call.
    pub fn for_backfill(&mut self) {
        debug_assert!(!self.is_old, "a slot goes to one call");
        self.is_old = true;
        self.pace.state().held_by_old();
    }

    /// Waits until its job may ask.
    ///
    /// # Errors
    /// The database has no share of `ELEVENLABS_RATE_LIMIT` to give.
    pub async fn turn(&self) -> Result<Turn<'_>, DatabaseError> {
        if let Some(turn) = self.turn_at_once() {
            return Ok(turn);
        }
        let _waiting = Waiting::new(self);
        let _first = self.pace.first[usize::from(self.is_old)].lock().await;
        loop {
            let freed = self.pace.freed.notified();
            let step = self.pace.state().ask(self.is_old, self.pace.budget.is_some(), Instant::now());
            match (step, &self.pace.budget) {
                (Step::Asks(began), _) => return Ok(Turn { slot: self, began }),
                (Step::Lease, Some(budget)) => self.pace.lease(budget).await?,
                (Step::At(instant), _) => tokio::select! {
                    () = tokio::time::sleep_until(instant) => {}
                    () = freed => {}
                },
                (Step::Full | Step::Lease, _) => freed.await,
            }
        }
    }

    fn turn_at_once(&self) -> Option<Turn<'_>> {
        match self.pace.state().ask(self.is_old, self.pace.budget.is_some(), Instant::now()) {
            Step::Asks(began) => Some(Turn { slot: self, began }),
            _ => None,
        }
    }
}

impl Turn<'_> {
    /// How long it has lasted at `now`.
    #[must_use]
    pub fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

impl<'a> Waiting<'a> {
    fn new(slot: &'a Slot) -> Self {
        slot.pace.state().waiting.add(slot.is_old);
        Self(slot)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.pace.state().waiting.remove(self.0.is_old);
        self.0.pace.freed.notify_waiters();
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
        let Slot { pace, is_old } = self.slot;
        pace.state().asking.remove(*is_old);
        pace.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
