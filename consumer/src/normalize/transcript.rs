//! What was said, one line a turn: `[12.0s] AGENT: text`.

use std::borrow::Cow;

use memchr::{memchr2, memchr3, memmem};
use shared::elevenlabs::Turn;

use super::mask::{MASK, Mask};
use super::token;

/// The transcript as text; turns without text are left out.
pub(super) fn lines(turns: &[Turn], mask: &Mask) -> String {
    let said: Vec<(&Turn, Cow<str>)> =
        turns.iter().filter_map(|turn| Some((turn, in_one_line(turn.message.as_deref()?)))).collect();
    let texts = mask.texts(said.iter().map(|(turn, text)| (text.clone(), speaker(turn.role.as_deref()))));
    let lines = said.iter().zip(texts).filter(|(_, text)| !text.is_empty());
    lines.map(|((turn, _), text)| line(turn, &text, mask)).collect::<Vec<_>>().join("\n")
}

/// A message without line breaks: with them, a caller could say a turn of somebody else.
fn in_one_line(message: &str) -> Cow<'_, str> {
    const BREAKS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let bytes = message.as_bytes();
    // Of those beyond ASCII, the first byte, or both.
    let may_break = memchr3(b'\n', b'\r', 0xE2, bytes).or_else(|| memchr2(0xB, 0xC, bytes));
    if may_break.is_none() && memmem::find(bytes, "\u{85}".as_bytes()).is_none() {
        return message.into();
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

fn line(turn: &Turn, text: &str, mask: &Mask) -> String {
    let mut time = tenths(turn.time_in_call_secs.unwrap_or_default());
    if mask.hides_number(&time) {
        time = MASK.into();
    }
    let role = role(turn.role.as_deref(), mask);
    ["[", &time, "s] ", &role, ": ", text].concat()
}

/// Seconds with one decimal. Most are whole, and an integer is written ten times as fast.
fn tenths(secs: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds"
    )]
    let whole = secs as u32;
    let is_whole = f64::from(whole).to_bits() == secs.to_bits();
    if is_whole { format!("{whole}.0") } else { format!("{secs:.1}") }
}

/// The role in capitals, if it is a word. The two documented ones are what they are, even if a caller's id should spell the
/// same.
fn role(role: Option<&str>, mask: &Mask) -> String {
    match role {
        Some("agent") => "AGENT".into(),
        Some("user") => "USER".into(),
        other => token(other, mask).map_or_else(|| "UNKNOWN".into(), |role| role.to_uppercase()),
    }
}
