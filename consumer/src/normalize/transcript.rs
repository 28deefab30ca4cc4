//! What was said, one line a turn: `[12.0s] AGENT: text`.

use std::borrow::Cow;
use std::fmt::Write;

use memchr::{memchr_iter, memchr2, memchr3};
use shared::elevenlabs::Turn;

use super::mask::{MASK, Mask, without_nul};
use super::search::Passage;
use super::token;

/// Most bytes that usually stand before a turn's text: `[1234.0s] UNKNOWN: `, and the line break.
const MAX_PREFIX_BYTES: usize = 20;

/// The transcript as text; turns without text are left out.
pub(super) fn lines(turns: &[Turn], mask: &Mask) -> String {
    let said: Vec<(&Turn, Cow<str>)> =
        turns.iter().filter_map(|turn| Some((turn, in_one_line(turn.message.as_deref()?)))).collect();
    let passages: Vec<Passage> =
        said.iter().map(|(turn, text)| Passage { text, speaker: speaker(turn.role.as_deref()) }).collect();
    let masked = mask.texts(&passages);
    let mut lines = String::with_capacity(said.iter().map(|(_, text)| text.len() + MAX_PREFIX_BYTES).sum());
    for ((turn, text), masked) in said.iter().zip(&masked) {
        let text = masked.as_deref().unwrap_or(text);
        if !text.is_empty() {
            add_line(&mut lines, turn, text, mask);
        }
    }
    lines
}

/// A message without U+0000 and without line breaks: with them, a caller could say a turn of somebody else.
fn in_one_line(message: &str) -> Cow<'_, str> {
    const BREAKS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let message = without_nul(message.into());
    let bytes = message.as_bytes();
    // Of those beyond ASCII, the first byte, or both.
    let next_line = || memchr_iter(0xC2, bytes).any(|first| bytes[first + 1] == 0x85);
    let may_break = memchr3(b'\n', b'\r', 0xE2, bytes).or_else(|| memchr2(0xB, 0xC, bytes));
    if may_break.is_none() && !next_line() {
        return message;
    }
    message.replace("\r\n", " ").replace(BREAKS, " ").into()
}

/// Number of the speaker, whose turns are also read as one text.
fn speaker(role: Option<&str>) -> usize {
    match role {
        Some("user") => 0,
        Some("agent") => 1,
        _ => 2,
    }
}

fn add_line(lines: &mut String, turn: &Turn, text: &str, mask: &Mask) {
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines.push('[');
    let start = lines.len();
    add_tenths(lines, turn.time_in_call_secs.unwrap_or_default());
    if mask.hides_number(&lines[start..]) {
        lines.replace_range(start.., MASK);
    }
    let role = role(turn.role.as_deref(), mask);
    for part in ["s] ", &role, ": ", text] {
        lines.push_str(part);
    }
}

/// Adds seconds with one decimal. Most are whole, and an integer is written ten times as fast.
fn add_tenths(lines: &mut String, secs: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds"
    )]
    let whole = secs as u32;
    if f64::from(whole).to_bits() == secs.to_bits() {
        lines.push_str(itoa::Buffer::new().format(whole));
        lines.push_str(".0");
    } else {
        write!(lines, "{secs:.1}").expect("a String takes any text");
    }
}

/// The role in capitals, if it is a word. The two documented ones are what they are, even if a caller's id should spell the
/// same.
fn role(role: Option<&str>, mask: &Mask) -> Cow<'static, str> {
    match role {
        Some("agent") => "AGENT".into(),
        Some("user") => "USER".into(),
        other => token(other, mask).map_or("UNKNOWN".into(), |role| role.to_uppercase().into()),
    }
}
