//! From an answer that is not a 200 to an [`ApiError`].
//!
//! The body comes in four shapes, older and newer (`detail` an object, an array, a string, or absent), and may be no
//! JSON at all; whatever it is, only short machine tokens are taken out of it.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::error::{ApiError, Detail};

/// The most of an error body that is read, in bytes.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The longest wait that is believed: a day. It also keeps instant arithmetic far from its bounds.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The longest token taken out of an error body, in bytes; the longest documented has 29.
const MAX_TOKEN_BYTES: usize = 64;

/// The most digits in such a token: a status and a version have fewer, a telephone number and a key more.
const MAX_TOKEN_DIGITS: usize = 4;

/// What a 404 says when the thing asked for does not exist. Anything else is a route that does not exist.
const NOT_FOUND_TOKENS: [&str; 4] =
    ["not_found", "conversation_not_found", "conversation_history_not_found", "agent_not_found"];

/// Says what an answer other than 200 means; `now` turns instants in headers into waits.
pub(super) fn classify(status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) -> ApiError {
    let detail = detail(body);
    let status = status.as_u16();
    match status {
        429 => ApiError::Throttled { retry_after: retry_after(headers, now), detail },
        401 | 403 => ApiError::KeyRefused { status, detail },
        404 if NOT_FOUND_TOKENS.iter().any(|token| detail.says(token)) => ApiError::NotFound { detail },
        404 => ApiError::RouteNotFound { detail },
        400 | 422 => ApiError::Refused { status, detail },
        500..=599 => ApiError::ServerError { status, detail },
        _ => ApiError::Service { status, detail },
    }
}

/// The tokens of an error body.
fn detail(body: &[u8]) -> Detail {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Detail::default() };
    let detail = match body.get("detail") {
        Some(Value::Array(errors)) => errors.first(),
        other => other,
    };
    let token = |name| detail.and_then(|detail| detail.get(name)).and_then(Value::as_str).and_then(token);
    Detail { tokens: [token("type"), token("code"), token("status")] }
}

/// A text, if it is a short machine token: what is longer or has other characters may quote the request.
fn token(text: &str) -> Option<Box<str>> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_token_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_token = (1..=MAX_TOKEN_BYTES).contains(&text.len()) && text.bytes().all(is_token_byte);
    (is_token && digits <= MAX_TOKEN_DIGITS).then(|| text.into())
}

/// How long to wait: `Retry-After`, seconds or a date, else `X-RateLimit-Reset`, an instant in unix seconds.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let from_now = |instant: SystemTime| instant.duration_since(now).unwrap_or_default();
    let wait = |text| seconds(text).or_else(|| httpdate::parse_http_date(text).ok().map(from_now));
    // Others send seconds from now under this name; no instant of ours is that small.
    let reset = |text| match seconds(text)? {
        wait if wait < MAX_RETRY_AFTER => Some(wait),
        instant => SystemTime::UNIX_EPOCH.checked_add(instant).map(from_now),
    };
    let wait =
        text(RETRY_AFTER.as_str()).and_then(wait).or_else(|| text("x-ratelimit-reset").and_then(reset))?;
    Some(wait.min(MAX_RETRY_AFTER))
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

#[cfg(test)]
#[path = "tests/refusal.rs"]
mod tests;
