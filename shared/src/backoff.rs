//! How long to wait: the retry ladder of a job, and the growing wait between two looks at something that is down. Pure:
//! attempts and jitter are arguments.

use std::time::Duration;

/// The waits of a job that failed: attempt n waits on the n-th rung, after the last it is dead.
///
/// With the default rungs, 15 s, 1 min, 5 min, 15 min, 1 h, a job is tried 6 times over 1 h 21 min 15 s.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ladder(Vec<Duration>);

impl Ladder {
    /// A ladder of these rungs, first to last; none at all means that a failed job is dead.
    #[must_use]
    pub fn new(rungs: Vec<Duration>) -> Self {
        Self(rungs)
    }

    /// Where the failed attempt number `attempt` (from 1) waits; `None` when it was the last.
    #[must_use]
    pub fn rung(&self, attempt: u32) -> Option<Duration> {
        self.0.get(usize::try_from(attempt).ok()?.checked_sub(1)?).copied()
    }

    /// All rungs.
    #[must_use]
    pub fn rungs(&self) -> &[Duration] {
        &self.0
    }
}

/// An exponential wait between two bounds.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
}

impl Backoff {
    /// Waits from `min`, doubled each time, to `max`.
    #[must_use]
    pub const fn new(min: Duration, max: Duration) -> Self {
        Self { min, max }
    }

    /// The wait after `failures` (from 1) in a row: with 1 s and 60 s it is 1, 2, 4, 8, 16, 32, 60, 60, … s, less up to
    /// half of it by `jitter` (0 to 1), so that those who failed together do not come back together.
    #[must_use]
    pub fn delay(&self, failures: u32, jitter: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.min.saturating_mul(1 << doublings).min(self.max);
        full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn attempt_n_waits_on_the_nth_rung_and_the_last_one_is_dead() {
        let ladder = Ladder::new([15, 60, 300, 900, 3600].map(Duration::from_secs).to_vec());
        let waits: Vec<_> = (0..=6).map(|attempt| ladder.rung(attempt).map(|rung| rung.as_secs())).collect();
        assert_eq!(waits, [None, Some(15), Some(60), Some(300), Some(900), Some(3600), None]);
        assert_eq!(ladder.rungs().iter().sum::<Duration>(), Duration::from_secs(3600 + 21 * 60 + 15));
    }

    #[test]
    fn the_wait_doubles_up_to_its_bound() {
        let backoff = Backoff::new(SECOND, 60 * SECOND);
        let waits: Vec<_> = (1..=8).map(|failures| backoff.delay(failures, 0.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.delay(3, 1.0), 2 * SECOND);
        assert_eq!(backoff.delay(u32::MAX, 0.0), 60 * SECOND);
    }
}
