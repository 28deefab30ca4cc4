//! Bodies: received in pieces up to a limit, then unpacked, and parsed into what they should be.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use flate2::bufread::GzDecoder;
use libdeflater::Decompressor;
use memchr::memmem;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{ApiError, Phase};
use super::lenient;
use super::transport;

/// How much room a body gets at first, in bytes, at most: most are shorter, packed or not.
const INITIAL_CAPACITY: usize = 16 * 1024;

/// How long a body may be, in bytes, and be received beside any number of others.
pub(super) const SHORT: usize = 1024 * 1024;

/// A body as it came: unpacking takes half as long as parsing, so it is for who reads it.
pub(super) struct Body {
    bytes: Vec<u8>,
    is_gzip: bool,
    /// The longest that it may be, in bytes, packed and unpacked.
    limit: usize,
    /// Given back when it has been read.
    _turn: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// Receives a body of at most `limit` bytes. One that turns out not to be short waits for its turn among those: a few
    /// of the longest at once would take more memory than a worker should.
    pub(super) async fn receive(
        mut response: Response,
        limit: usize,
        long: &Arc<Semaphore>,
    ) -> Result<Self, ApiError> {
        let mut turn = None;
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut bytes = Vec::with_capacity(length.unwrap_or(limit).min(INITIAL_CAPACITY));
        while let Some(piece) = chunk(&mut response).await? {
            if bytes.len() + piece.as_ref().len() > limit {
                return Err(ApiError::TooLarge { limit });
            }
            if turn.is_none() && bytes.len() + piece.as_ref().len() > SHORT {
                turn = Arc::clone(long).acquire_owned().await.ok();
                // Room for all of it: grown by doubling, it would take up to three times as much.
                let rest = length.unwrap_or_default().min(limit).saturating_sub(bytes.len());
                bytes.reserve_exact(rest);
            }
            bytes.extend_from_slice(piece.as_ref());
        }
        Ok(Self { bytes, is_gzip: is_gzip(&response), limit, _turn: turn })
    }

    /// Its length, in bytes, as it came.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What is in it.
    pub(super) fn unpacked(&self) -> Result<Cow<'_, [u8]>, ApiError> {
        if !self.is_gzip {
            return Ok(Cow::Borrowed(&self.bytes));
        }
        let limit = self.limit;
        if let Some(unpacked) = unpack_at_once(&self.bytes, limit) {
            return Ok(Cow::Owned(unpacked));
        }
        let mut unpacked = Vec::new();
        match unpack(&self.bytes, limit + 1, &mut unpacked) {
            Ok(()) if unpacked.len() > limit => Err(ApiError::TooLarge { limit }),
            Ok(()) => Ok(Cow::Owned(unpacked)),
            Err(error) => Err(ApiError::Connection { phase: Phase::Body, kind: Some(error.kind()) }),
        }
    }
}

/// Receives the beginning of a body, as far as it comes: the status has already said what matters.
pub(super) async fn beginning(mut response: Response, limit: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = chunk(&mut response).await {
        let room = limit - bytes.len();
        bytes.extend_from_slice(&piece.as_ref()[..piece.as_ref().len().min(room)]);
        if bytes.len() == limit {
            break;
        }
    }
    if !is_gzip(&response) {
        return bytes;
    }
    let mut unpacked = Vec::new();
    // What was unpacked before it breaks off is a beginning too.
    unpack(&bytes, limit, &mut unpacked).ok();
    unpacked
}

/// A body without a secret that it repeats; what stands there instead is no token of a machine.
pub(super) fn without<'a>(body: &'a [u8], secret: &[u8]) -> Cow<'a, [u8]> {
    /// A shorter one would be found in any word.
    const SHORTEST: usize = 8;
    if secret.len() < SHORTEST || memmem::find(body, secret).is_none() {
        return Cow::Borrowed(body);
    }
    let (mut rest, mut scrubbed) = (body, Vec::new());
    while let Some(at) = memmem::find(rest, secret) {
        scrubbed.extend_from_slice(&rest[..at]);
        scrubbed.extend_from_slice(b"[KEY]");
        rest = &rest[at + secret.len()..];
    }
    scrubbed.extend_from_slice(rest);
    Cow::Owned(scrubbed)
}

fn is_gzip(response: &Response) -> bool {
    let encoding = response.headers().get(CONTENT_ENCODING);
    let names = ["gzip", "x-gzip"];
    let encoding = encoding.and_then(|encoding| encoding.to_str().ok()).map(str::trim);
    encoding.is_some_and(|encoding| names.iter().any(|name| encoding.eq_ignore_ascii_case(name)))
}

/// Unpacks at most `limit` bytes, as far as it goes: one member after the other, until nothing follows but the zeros that
/// some servers fill up with.
fn unpack(gzip: &[u8], limit: usize, unpacked: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = gzip;
    loop {
        let room = limit.saturating_sub(unpacked.len());
        let mut member = GzDecoder::new(rest).take(u64::try_from(room).unwrap_or(u64::MAX));
        member.read_to_end(unpacked)?;
        rest = member.into_inner().into_inner();
        if unpacked.len() >= limit || rest.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
    }
}

/// How each member of a gzip file begins (RFC 1952, ID1, ID2, CM).
const MEMBER: [u8; 3] = [0x1f, 0x8b, 8];

/// Unpacks a single member, which says in its last four bytes (ISIZE) how long it is, if that is no longer than `limit`.
/// `None`: whatever is the matter with it, [`unpack`] tells. Of several members libdeflate would take the first only.
fn unpack_at_once(gzip: &[u8], limit: usize) -> Option<Vec<u8>> {
    let length = u32::from_le_bytes(*gzip.last_chunk()?) as usize;
    if length > limit || memmem::find(&gzip[1..], &MEMBER).is_some() {
        return None;
    }
    let mut unpacked = vec![0; length];
    let unpacked_length = Decompressor::new().gzip_decompress(gzip, &mut unpacked).ok()?;
    (unpacked_length == length).then_some(unpacked)
}

async fn chunk(response: &mut Response) -> Result<Option<impl AsRef<[u8]>>, ApiError> {
    response.chunk().await.map_err(|error| transport::classify(&error, Phase::Body))
}

/// When the server says it is.
pub(super) fn served_at(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok().map(DateTime::from)
}

/// Parses a body that has the form that is documented; `None` if it has not, for whatever reason.
pub(super) fn as_documented<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Option<T> {
    // Once for the whole of it, or the parser looks at each text by itself.
    serde_json::from_str(simdutf8::basic::from_utf8(body).ok()?).ok()
}

/// Parses a body, which may be almost JSON.
///
/// # Errors
/// [`ApiError::NotJson`] when it is none, [`ApiError::Malformed`] when it is of another shape. The parser's own
/// message quotes values, so only the place survives.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    match as_documented(body) {
        Some(parsed) => Ok(parsed),
        None => of_shape(&lenient::json(body)?),
    }
}

/// Parses JSON.
///
/// # Errors
/// [`ApiError::Malformed`] when it is of another shape.
pub(super) fn of_shape<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, ApiError> {
    serde_json::from_str(json)
        .map_err(|error| ApiError::Malformed { line: error.line(), column: error.column() })
}
