//! How answers are written: headers, trace id, gzip.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::Frame;

use super::problem::Problem;

/// Smaller bodies are not worth compressing; the API's own middleware draws the line here too.
const LEAST_GZIP_BYTES: usize = 500;

/// No answer begins so, unless it is compressed.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// An answer before it is written.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    content_type: &'static str,
    body: Bytes,
    retry_after: Option<Duration>,
    is_endless: bool,
}

/// A body of blanks, which are no end of a JSON document, as fast as they are taken.
#[derive(Debug)]
struct Endless(Bytes);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(self.0.clone()))))
    }
}

impl Reply {
    /// An answer of this body, which may have been compressed already by [`encode`].
    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { status: 200, content_type: "application/json", body, retry_after: None, is_endless: false }
    }

    pub(crate) fn problem(problem: &Problem, trace_id: &str, is_legacy: bool) -> Self {
        let body =
            serde_json::to_vec(&problem.body(trace_id, is_legacy)).expect("a JSON value can be written");
        Self { status: problem.status(), retry_after: problem.retry_after(), ..Self::json(body) }
    }

    /// The same, with a body that never ends.
    pub(crate) fn without_end(self) -> Self {
        Self { is_endless: true, ..self }
    }

    /// What a proxy in front of the API shows when it is unwell.
    pub(crate) fn html(status: u16) -> Self {
        let body = format!(
            "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\n<body><h1>Error</h1>\
             <p>The server encountered a temporary error and could not complete your request.</p></body></html>\n"
        );
        Self { status, content_type: "text/html; charset=UTF-8", ..Self::json(body.into_bytes()) }
    }

    /// The answer with its headers, compressed if `has_gzip` and worth it; its clock is ahead by so many seconds.
    pub(crate) fn write(mut self, trace_id: &str, has_gzip: bool, date_shift_secs: i64) -> Response<Body> {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::SERVER, HeaderValue::from_static("uvicorn"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert("x-region", HeaderValue::from_static("us-central1"));
        headers.insert("x-trace-id", HeaderValue::from_str(trace_id).expect("a trace id is hexadecimal"));
        let date = httpdate::fmt_http_date(shifted(SystemTime::now(), date_shift_secs));
        headers.insert(header::DATE, HeaderValue::from_str(&date).expect("an HTTP date is ASCII"));
        if let Some(retry_after) = self.retry_after {
            let secs = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, secs.into());
        }
        if self.is_endless {
            let mut response = Response::new(Body::new(Endless(Bytes::from(vec![b' '; 16 * 1024]))));
            *response.headers_mut() = headers;
            return response;
        }
        if has_gzip && !self.body.starts_with(GZIP_MAGIC) {
            self.body = encode(self.body, has_gzip);
        }
        if self.body.starts_with(GZIP_MAGIC) {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("only real status codes are used");
        *response.headers_mut() = headers;
        response
    }
}

fn shifted(now: SystemTime, secs: i64) -> SystemTime {
    let shift = Duration::from_secs(secs.unsigned_abs());
    if secs < 0 { now - shift } else { now + shift }
}

/// Does the client take gzip?
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().starts_with("gzip") && !coding.replace(' ', "").ends_with(";q=0"))
}

/// A body as it is sent: compressed, if `has_gzip` and worth it.
pub(crate) fn encode(body: Bytes, has_gzip: bool) -> Bytes {
    if !has_gzip || body.len() < LEAST_GZIP_BYTES {
        return body;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::fast());
    encoder.write_all(&body).expect("writing to memory cannot fail");
    encoder.finish().expect("writing to memory cannot fail").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_only_when_offered() {
        let takes = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            takes_gzip(&headers)
        };
        assert!(takes("gzip"));
        assert!(takes("br, gzip;q=0.5"));
        assert!(!takes("gzip; q=0"));
        assert!(!takes("identity"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
