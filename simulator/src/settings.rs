//! What a simulator is started with.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::faults::Faults;

/// What a simulator is started with; the defaults suit a test.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// Number of conversations there are at the start.
    pub conversations: u32,
    /// Number of agents, at least 1; with two or more, the last one is deleted: its conversations outlive it.
    pub agents: u32,
    /// Seed of everything invented: the same seed and `newest_start` give the same bodies.
    pub seed: u64,
    /// The key that is accepted in `xi-api-key`.
    pub api_key: String,
    /// Unix time in seconds that counts as now for the calls made at the start; absent: the time of the start.
    pub newest_start: Option<i64>,
    /// How far back calls go.
    pub span: Duration,
    /// Compress answers for clients that accept gzip.
    pub gzip: bool,
    /// Most bytes of details that are kept ready to send once they were made; 0 keeps none.
    pub keep_bytes: usize,
    /// What goes wrong from the start.
    pub faults: Faults,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            conversations: 100,
            agents: 3,
            seed: 1,
            api_key: "sk_simulator".to_owned(),
            newest_start: None,
            span: Duration::from_hours(90 * 24),
            gzip: true,
            keep_bytes: 0,
            faults: Faults::default(),
        }
    }
}
