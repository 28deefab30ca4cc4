//! What a job holds: a permit, and while its request is made a turn.

use std::sync::Arc;
use std::time::Duration;

use shared::database::DatabaseError;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Pace;
use super::control::Control;

/// The right of one job to have a request in flight; dropping it gives it back.
#[derive(Debug)]
pub struct Permit {
    pace: Arc<Pace>,
    place: Option<OwnedSemaphorePermit>,
    old: Option<OwnedSemaphorePermit>,
    is_old: bool,
}

/// The right of one old call to a permit.
#[derive(Debug)]
pub struct Backfill(OwnedSemaphorePermit);

/// A request that is being made; dropping it says that it has ended.
#[derive(Debug)]
pub struct Turn<'a> {
    pace: &'a Pace,
    /// When it was made.
    pub began: Instant,
}

impl Backfill {
    pub(super) fn new(place: OwnedSemaphorePermit) -> Self {
        Self(place)
    }
}

impl Permit {
    pub(super) fn new(pace: Arc<Pace>, granted: OwnedSemaphorePermit) -> Self {
        Self { pace, place: Some(granted), old: None, is_old: false }
    }

    /// It goes to an old call.
    pub fn for_backfill(&mut self, right: Backfill) {
        self.is_old = true;
        self.old = Some(right.0);
    }

    /// Waits until its job may ask.
    ///
    /// # Errors
    /// The database has no share of `ELEVENLABS_RATE_LIMIT` to give.
    pub async fn turn(&mut self) -> Result<Turn<'_>, DatabaseError> {
        self.renew().await;
        let pace = &*self.pace;
        let _gate = pace.gate.lock().await;
        let mut is_granted = pace.budget.is_none();
        loop {
            let changed = pace.changed.notified();
            let began = Instant::now();
            match pace.next(began) {
                Some(Duration::ZERO) if is_granted => {
                    pace.tell(|control| control.take(pace.secs(began)));
                    return Ok(Turn { pace, began });
                }
                Some(Duration::ZERO) => {
                    if let Some(budget) = &pace.budget {
                        let free = pace.state().control.free();
                        budget.turn(free).await?;
                    }
                    is_granted = true;
                }
                Some(left) => {
                    // What was granted before a refusal does not hold.
                    is_granted = pace.budget.is_none();
                    tokio::select! { () = tokio::time::sleep(left) => {}, () = changed => {} }
                }
                None => changed.await,
            }
        }
    }

    /// Waits for another permit when there are fewer of them now.
    async fn renew(&mut self) {
        self.narrow();
        if self.is_old && self.old.is_none() {
            self.old = Some(self.pace.place(|state| &state.old).await);
        }
        if self.place.is_none() {
            self.place = Some(self.pace.place(|state| &state.all).await);
        }
    }

    fn narrow(&mut self) {
        let mut state = self.pace.state();
        let (width, width_for_old) = (state.width(), state.width_for_old());
        state.all.narrow(width, &mut self.place);
        state.old.narrow(width_for_old, &mut self.old);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.narrow();
    }
}

impl Turn<'_> {
    /// How long it has lasted at `now`.
    #[must_use]
    pub fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.tell(Control::ended);
    }
}
