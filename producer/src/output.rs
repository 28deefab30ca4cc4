//! What a verb prints: for a person, or as JSON for a program.

use std::io::{IsTerminal, Write};

use serde::Serialize;

/// Prints one line to standard output.
///
/// # Errors
/// When it is closed.
pub fn line(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

/// Columns of a terminal that everybody has.
const WIDTH: usize = 80;

/// Prints words after a prefix. On a terminal they are wrapped, and what follows is indented as far; elsewhere one line
/// stays one line, for `grep`.
///
/// # Errors
/// When standard output is closed.
pub fn words(prefix: &str, text: &str) -> std::io::Result<()> {
    let width = if std::io::stdout().is_terminal() { WIDTH } else { usize::MAX };
    wrapped(prefix, text, width).iter().try_for_each(|text| line(text))
}

fn wrapped(prefix: &str, text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![prefix.to_owned()];
    let indent = " ".repeat(prefix.chars().count());
    let mut is_empty = true;
    for word in text.split(' ') {
        let so_far = lines.last().map_or(0, |line| line.chars().count());
        if !is_empty && so_far + 1 + word.chars().count() > width {
            lines.push(indent.clone());
            is_empty = true;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if is_empty { "" } else { " " });
            line.push_str(word);
        }
        is_empty = false;
    }
    lines
}

/// Prints a value as JSON on one line.
///
/// # Errors
/// When standard output is closed.
pub fn json(value: &impl Serialize) -> std::io::Result<()> {
    line(&serde_json::to_string(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_below_themselves() {
        assert_eq!(wrapped("✗ a  ", "two of them", 12), ["✗ a  two of", "     them"]);
        assert_eq!(wrapped("> ", "averyveryverylongword x", 12), ["> averyveryverylongword", "  x"]);
        assert_eq!(wrapped("> ", "two of them", usize::MAX), ["> two of them"]);
    }
}
