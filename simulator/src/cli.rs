//! The command line of the binary.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use simulator::{Faults, Settings};

/// A stand-in for the ElevenLabs `ConvAI` HTTP API.
///
/// Prints its base URL on one line when it listens; stops on SIGTERM or SIGINT. What goes wrong is set by the flags
/// below, and while it runs by PATCH /control/faults with the same names (`error_5xx`, ...) as JSON.
#[derive(Debug, Parser)]
#[command(name = "simulator", version)]
pub(crate) struct Cli {
    /// Address to listen on; what it serves is invented, but its switches are open to all who reach it.
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    host: IpAddr,
    /// Port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Number of conversations at the start.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    conversations: u32,
    /// Number of agents; with two or more, the last one is deleted and its conversations outlive it.
    #[arg(long, value_name = "M", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    agents: u32,
    /// Seed of everything invented.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The key that is accepted in the header xi-api-key.
    #[arg(long, value_name = "KEY", default_value = "sk_simulator")]
    api_key: String,
    /// The file that holds the key, instead.
    #[arg(long, value_name = "FILE", conflicts_with = "api_key")]
    api_key_file: Option<PathBuf>,
    /// Instant that counts as now for the calls made at the start, as unix seconds or 2026-11-22T12:00:00Z; without
    /// it, the time of the start. The same seed and instant give the same bodies.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    newest_start: Option<i64>,
    /// How far back calls go.
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = duration)]
    span: Duration,
    /// Never compress answers.
    #[arg(long)]
    no_gzip: bool,
    /// Most MiB of details that are kept ready to send once they were made, so that asking again costs little.
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    keep_mib: u32,
    #[command(flatten, next_help_heading = "Faults")]
    faults: Faults,
}

impl Cli {
    pub(crate) fn try_parse_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(args)
    }

    /// # Errors
    /// The file of the key cannot be read.
    pub(crate) fn into_settings(self) -> anyhow::Result<Settings> {
        let api_key = match &self.api_key_file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("--api-key-file {}", file.display()))?
                .trim()
                .to_owned(),
            None => self.api_key,
        };
        Ok(Settings {
            host: self.host,
            port: self.port,
            conversations: self.conversations,
            agents: self.agents,
            seed: self.seed,
            api_key,
            newest_start: self.newest_start,
            span: self.span,
            gzip: !self.no_gzip,
            keep_bytes: (self.keep_mib as usize) << 20,
            faults: self.faults,
        })
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{text:?} is not a duration such as 12h or 90d: {error}"))
}

fn instant(text: &str) -> Result<i64, String> {
    text.parse::<i64>()
        .or_else(|_| chrono::DateTime::parse_from_rfc3339(text).map(|instant| instant.timestamp()))
        .map_err(|_| format!("{text:?} is neither unix seconds nor an instant such as 2026-11-22T12:00:00Z"))
}
