//! Lines on standard error that show how far a long verb is. Hidden when that is no terminal; logs are printed above them.

use std::sync::LazyLock;
use std::time::Duration;

pub use indicatif::ProgressBar;
use indicatif::{MultiProgress, ProgressStyle};

static LINES: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// How often a line moves while nothing else happens: it shows that the process is alive.
const TICK: Duration = Duration::from_millis(200);

fn shown(bar: ProgressBar, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = LINES.add(bar).with_style(style);
    bar.enable_steady_tick(TICK);
    bar
}

/// A line with a message, for work whose end is not known.
#[must_use]
pub fn line() -> ProgressBar {
    shown(ProgressBar::new_spinner(), "{spinner} {elapsed} {msg}")
}

/// A bar for so many steps.
#[must_use]
pub fn bar(steps: u64) -> ProgressBar {
    shown(ProgressBar::new(steps), "{wide_bar} {pos}/{len} {elapsed}")
}

/// Does something that writes to the terminal, with the lines out of its way.
pub(crate) fn suspended(write: impl FnOnce()) {
    LINES.suspend(write);
}
