//! When `--drain` is done: two looks, one second apart, find the lanes and the short rungs empty, and nothing is held.

use std::time::Duration;

use shared::queue::{Broker, QueueError};

/// So many looks in a row must find nothing.
const LOOKS: u32 = 2;

/// The looks of one session.
#[derive(Clone, Debug)]
pub struct Drain {
    wait: Duration,
    empty_looks: u32,
}

impl Drain {
    /// Rungs shorter than `wait` are waited for.
    #[must_use]
    pub fn new(wait: Duration) -> Self {
        Self { wait, empty_looks: 0 }
    }

    /// Rungs shorter than this are waited for, and pauses no longer.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// One look; `is_idle` says that this worker holds nothing, and would take something if there were any.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn is_done(&mut self, broker: &Broker, is_idle: bool) -> Result<bool, QueueError> {
        let mut is_empty = is_idle;
        for queue in broker.topology().drained_queues(self.wait) {
            is_empty = is_empty && broker.depth(&queue).await? == 0;
        }
        self.empty_looks = if is_empty { self.empty_looks + 1 } else { 0 };
        Ok(self.empty_looks >= LOOKS)
    }
}
