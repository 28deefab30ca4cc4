//! What a verb prints: for a person, or as JSON for a program.

use std::io::Write;

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
