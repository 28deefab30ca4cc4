//! Bodies: read in pieces up to a limit, then parsed into what they should be.

use chrono::{DateTime, Utc};
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ApiError, Phase};
use super::transport;

/// How much room a body gets before its length is known, in bytes: most conversations fit.
const INITIAL_CAPACITY: usize = 16 * 1024;

/// Reads a body of at most `limit` bytes, counted after decompression.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::with_capacity(INITIAL_CAPACITY.min(limit));
    while let Some(piece) = chunk(&mut response).await? {
        if body.len() + piece.as_ref().len() > limit {
            return Err(ApiError::TooLarge { limit });
        }
        body.extend_from_slice(piece.as_ref());
    }
    Ok(body)
}

/// Reads the beginning of a body, as far as it comes: the status has already said what matters.
pub(super) async fn read_beginning(mut response: Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = chunk(&mut response).await {
        let room = limit - body.len();
        body.extend_from_slice(&piece.as_ref()[..piece.as_ref().len().min(room)]);
        if body.len() == limit {
            break;
        }
    }
    body
}

async fn chunk(response: &mut Response) -> Result<Option<impl AsRef<[u8]>>, ApiError> {
    response.chunk().await.map_err(|error| transport::classify(&error, Phase::Body))
}

/// When the server says it is.
pub(super) fn served_at(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok().map(DateTime::from)
}

/// Parses a body.
///
/// # Errors
/// [`ApiError::NotJson`] when it is none, [`ApiError::Malformed`] when it is of another shape. The parser's own
/// message quotes values, so only the place survives.
pub(super) fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, ApiError> {
    // Once for the whole of it, or the parser looks at each text by itself.
    let parsed = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    parsed.map_err(|error| {
        // A second look, since the first one stops at whatever comes first: a wrong type, or broken grammar.
        let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
        if is_json {
            ApiError::Malformed { line: error.line(), column: error.column() }
        } else {
            ApiError::NotJson { bytes: body.len() }
        }
    })
}
