//! What this process has done so far, and the line that shows it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::progress::{self, ProgressBar};

use crate::settle::Settled;

/// Counts of answers, by what they came to.
#[derive(Debug)]
pub struct Tally {
    begun: AtomicU64,
    stored: AtomicU64,
    snoozed: AtomicU64,
    retried: AtomicU64,
    dead: AtomicU64,
    line: ProgressBar,
}

impl Tally {
    /// Counts from zero; with `is_shown`, and on a terminal, a line shows them.
    #[must_use]
    pub fn new(is_shown: bool) -> Self {
        let line = if is_shown { progress::line() } else { ProgressBar::hidden() };
        let zero = AtomicU64::default;
        Self { begun: zero(), stored: zero(), snoozed: zero(), retried: zero(), dead: zero(), line }
    }

    /// Counts one job that was begun.
    pub fn count_begun(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Jobs that were begun.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Counts one answer.
    pub fn count(&self, settled: Settled) {
        let counter = match settled {
            Settled::Stored => &self.stored,
            Settled::Snoozed => &self.snoozed,
            Settled::Retried => &self.retried,
            Settled::Dead => &self.dead,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if !self.line.is_hidden() {
            self.line.set_message(self.to_string());
        }
    }

    /// Jobs that are done with, for good or until their call is finished; a retry is none.
    #[must_use]
    pub fn done(&self) -> u64 {
        [&self.stored, &self.snoozed, &self.dead]
            .into_iter()
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.line.finish_and_clear();
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            formatter,
            "{} stored, {} not finished yet, {} to be retried, {} set aside",
            read(&self.stored),
            read(&self.snoozed),
            read(&self.retried),
            read(&self.dead)
        )
    }
}
