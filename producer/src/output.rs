//! What a verb prints: for a person, or as JSON for a program.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Prints one line to standard output.
///
/// # Errors
/// When it is closed.
pub fn line(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

/// Prints a value as JSON on one line.
///
/// # Errors
/// When standard output is closed.
pub fn json(value: &impl Serialize) -> std::io::Result<()> {
    line(&serde_json::to_string(value)?)
}

/// A line on standard error that shows how far a long verb is; hidden when that is no terminal.
#[must_use]
pub fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A bar on standard error for so many steps; hidden when that is no terminal.
#[must_use]
pub fn bar(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style)
}
