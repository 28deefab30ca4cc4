//! What was said, one line a turn: `[12.0s] AGENT: text`.

use shared::elevenlabs::Turn;

use super::mask::{MASK, Mask};

/// The transcript as text; turns without text are left out.
pub(super) fn lines(turns: &[Turn], mask: &Mask) -> String {
    let lines: Vec<String> = turns.iter().filter_map(|turn| line(turn, mask)).collect();
    lines.join("\n")
}

fn line(turn: &Turn, mask: &Mask) -> Option<String> {
    let text = mask.text(turn.message.as_deref()?);
    if text.is_empty() {
        return None;
    }
    let mut time = tenths(turn.time_in_call_secs.unwrap_or_default());
    if mask.hides_number(&time) {
        time = MASK.into();
    }
    Some(format!("[{time}s] {}: {text}", role(turn.role.as_deref(), mask)))
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

/// The role in capitals. The two documented ones are what they are, even if a caller's id should spell the same.
fn role(role: Option<&str>, mask: &Mask) -> String {
    match role {
        None | Some("") => "UNKNOWN".into(),
        Some("agent") => "AGENT".into(),
        Some("user") => "USER".into(),
        Some(other) => mask.text(&other.to_uppercase()),
    }
}
