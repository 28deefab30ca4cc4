#![doc = include_str!("../README.md")]

pub mod backoff;
pub mod config;
pub mod database;
pub mod elevenlabs;
pub mod exit;
pub mod ids;
pub mod job;
pub mod logging;
pub mod process;
pub mod progress;
pub mod pulse;
pub mod queue;
pub mod rate;
pub mod shutdown;
#[cfg(feature = "testing")]
pub mod testing;

/// Makes ring the cryptography of every TLS connection of this process. A second call finds the first one's there, and
/// changes nothing.
pub(crate) fn install_tls_provider() {
    rustls::crypto::ring::default_provider().install_default().ok();
}
