//! When `--drain` is done: two looks, a tenth of a second apart, find the lanes and the short rungs empty, and nothing is held.

use std::time::Duration;

use shared::queue::{Broker, QueueError};

/// So many looks in a row must find nothing: between two of them a message may be on its way from a rung to a lane.
const LOOKS: u32 = 2;

/// How often an idle worker looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

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
        Ok(self.looked(is_empty))
    }

    /// Whether a look that found nothing, or something, is the last.
    fn looked(&mut self, is_empty: bool) -> bool {
        self.empty_looks = if is_empty { self.empty_looks + 1 } else { 0 };
        self.empty_looks >= LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_ends_with_the_second_look_in_a_row_that_finds_nothing_soon_after_the_first() {
        let mut drain = Drain::new(Duration::from_mins(1));
        let found = [false, true, false, true, true];
        assert_eq!(found.map(|is_empty| drain.looked(is_empty)), [false, false, false, false, true]);
        assert!(LOOK_EVERY * LOOKS < Duration::from_secs(1), "a run from cron does not wait for it");
    }
}
