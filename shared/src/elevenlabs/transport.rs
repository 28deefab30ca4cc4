//! The HTTP client under [`super::Client`]: what it may do on the wire, and what its failures are called.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::client::ClientSettings;
use super::error::{ApiError, Phase};

/// The longest that connecting may take; a smaller timeout of the whole request wins.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an idle connection is probed, so that a dead peer is noticed before the next request.
const KEEPALIVE: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("backend-089/", env!("CARGO_PKG_VERSION"));

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The base URL is not one that paths can be added to.
    #[error("the base URL is not an http or https URL")]
    BaseUrl,
    /// TLS could not be set up, as when the system has no certificates.
    #[error("TLS cannot be set up")]
    Tls(#[source] reqwest::Error),
}

/// Builds the HTTP client: no redirect (it would carry the key elsewhere), no cookies. Bodies come packed, and stay so.
pub(super) fn build(settings: &ClientSettings) -> Result<reqwest::Client, ClientError> {
    if !matches!(settings.base_url.scheme(), "http" | "https") {
        return Err(ClientError::BaseUrl);
    }
    crate::install_tls_provider();
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]))
        .no_gzip()
        .redirect(Policy::none())
        .timeout(settings.timeout)
        .connect_timeout(settings.timeout.min(CONNECT_TIMEOUT))
        .tcp_keepalive(KEEPALIVE)
        .pool_max_idle_per_host(settings.concurrency);
    if settings.base_url.scheme() == "http" {
        // Without TLS a missing certificate store is no reason to fail.
        builder = builder.tls_certs_only([]);
    }
    if is_loopback(&settings.base_url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(ClientError::Tls)
}

/// Whether a URL stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Names a failure of the transport; `phase` is where it happened, unless the failure itself knows better.
pub(super) fn classify(error: &reqwest::Error, phase: Phase) -> ApiError {
    if error.is_timeout() {
        return ApiError::Timeout;
    }
    let phase = if is_tls(error) {
        Phase::Tls
    } else if error.is_connect() {
        Phase::Connect
    } else {
        phase
    };
    let kind = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    ApiError::Connection { phase, kind: kind.filter(|kind| *kind != io::ErrorKind::Other) }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Whether TLS is the cause; an `io::Error` is looked into as deep as it goes, since it is its cause's envelope.
fn is_tls(error: &reqwest::Error) -> bool {
    fn holds(error: &(dyn Error + 'static)) -> bool {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error.is::<rustls::Error>() || inner.is_some_and(|inner| causes(inner).any(holds))
    }
    causes(error).any(holds)
}
