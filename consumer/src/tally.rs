//! What this process has done so far, and the bar that shows it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::settle::Settled;

/// Counts of answers, by what they came to.
#[derive(Debug)]
pub struct Tally {
    stored: AtomicU64,
    snoozed: AtomicU64,
    retried: AtomicU64,
    dead: AtomicU64,
    bar: ProgressBar,
}

impl Tally {
    /// Counts from zero; with `is_shown`, and on a terminal, a line shows them.
    #[must_use]
    pub fn new(is_shown: bool) -> Self {
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        let zero = AtomicU64::default;
        Self { stored: zero(), snoozed: zero(), retried: zero(), dead: zero(), bar }
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
        if !self.bar.is_hidden() {
            self.bar.set_message(self.to_string());
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
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
