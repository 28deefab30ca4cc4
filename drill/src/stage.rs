//! Everything that a drill is played on: servers, networks, the API, and what our processes are told of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use shared::config::{AmqpConfig, Environment};
use shared::queue::Broker;
use shared::testing::{Forwarder, Network};
use simulator::{Faults, Settings, Simulator};

use crate::crew::{Member, Recipe};
use crate::fault::{Link, Verb};
use crate::ledger::Ledger;
use crate::servers::Servers;

/// The key that the API takes; it must be in no log either.
pub const KEY: &str = "sk_drill_5e0b7c91d2";

/// Calls that there are at the start, of the last month.
const CALLS: u32 = 2500;
const SPAN: Duration = Duration::from_hours(30 * 24);

/// The first pass begins so long ago; what is older is for a backfill.
const SINCE: TimeDelta = TimeDelta::days(20);

/// Everything that a drill is played on. Ends with it.
#[derive(Debug)]
pub struct Stage {
    /// PostgreSQL and RabbitMQ.
    pub servers: Servers,
    /// The API.
    pub simulator: Simulator,
    /// The database.
    pub ledger: Ledger,
    /// How our processes are started.
    pub recipe: Recipe,
    api: Forwarder,
    amqp: Forwarder,
    postgres: Forwarder,
    broker: AmqpConfig,
    began_at: DateTime<Utc>,
}

/// What fails a little all the time, and what is wrong with some calls for good.
#[must_use]
pub fn weather() -> Faults {
    Faults {
        error_5xx: 0.01,
        dropped: 0.01,
        missing: 0.01,
        malformed: 0.004,
        endless: 0.001,
        in_progress: 0.03,
        finish_after: Some(Duration::from_secs(12)),
        late: 0.02,
        late_after: Some(Duration::from_secs(12)),
        repeat: 0.05,
        off_document: 0.1,
        emptied: 0.01,
        latency: Duration::from_millis(40),
        latency_jitter: Duration::from_millis(160),
        ..Faults::default()
    }
}

impl Stage {
    /// Builds it; `now` is where the calls of before end.
    ///
    /// # Errors
    /// A server that does not start, or is not installed.
    pub async fn build(
        folder: &Path,
        small_disk: Option<&Path>,
        seed: u64,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let servers = Servers::start(folder, small_disk).await?;
        let settings = Settings {
            conversations: CALLS,
            agents: 4,
            seed,
            span: SPAN,
            api_key: KEY.to_owned(),
            faults: weather(),
            ..Settings::default()
        };
        let simulator = Simulator::start(settings).await?;
        let ledger = Ledger::create(servers.database_url(), servers.small_disk()).await?;
        let api = Forwarder::before(simulator.base_url()).await;
        let amqp = Forwarder::before(servers.amqp_url()).await;
        let postgres = Forwarder::before(ledger.url()).await;
        let mut variables = settings_of_processes(now);
        variables.extend([
            ("ELEVENLABS_BASE_URL", api.url().trim_end_matches('/').to_owned()),
            ("AMQP_URL", amqp.url().to_owned()),
            ("DATABASE_URL", postgres.url().to_owned()),
        ]);
        let broker = broker_config(&variables, servers.amqp_url())?;
        let logs = servers.logs();
        let recipe = Recipe { binaries: binaries()?, logs, variables };
        Ok(Self { servers, simulator, ledger, recipe, api, amqp, postgres, broker, began_at: now })
    }

    /// The network between our processes and one of the three.
    pub fn set_network(&self, link: Link, network: Network) {
        match link {
            Link::Api => &self.api,
            Link::Broker => &self.amqp,
            Link::Database => &self.postgres,
        }
        .set(network);
    }

    /// A connection to the broker that does not lead through the network that fails.
    ///
    /// # Errors
    /// It is not there.
    pub async fn broker(&self) -> anyhow::Result<Broker> {
        Ok(Broker::open(&self.broker, "drill").await?)
    }

    /// The command line of a verb.
    #[must_use]
    pub fn arguments(&self, verb: Verb) -> Vec<String> {
        let to = self.began_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let from = |ago: TimeDelta| (self.began_at - ago).to_rfc3339_opts(SecondsFormat::Secs, true);
        let (history, days) = (from(TimeDelta::days(31)), from(TimeDelta::days(5)));
        let words: &[&str] = match verb {
            Verb::Backfill => &["backfill", "--from", &history, "--to", &to],
            Verb::Reconcile => &["reconcile"],
            Verb::Refetch => &["reconcile", "--refetch", "--from", &days, "--to", &to],
            Verb::Replay => &["dead", "replay", "--limit", "30"],
            Verb::Discard => &["dead", "discard", "--limit", "4", "--reason", "simulacro"],
            Verb::Undo => &["dead", "discard", "--undo", "--limit", "2"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// Puts workers and a `watch` to work.
    #[must_use]
    pub fn crew(&self, workers: usize) -> (Vec<Member>, Member) {
        let worker = |number| {
            Member::start(self.recipe.clone(), &format!("consumer-{number}"), "consumer", Vec::new())
        };
        let watch = ["watch", "--every", "2s"].map(str::to_owned).into();
        let producer = Member::start(self.recipe.clone(), "producer-watch", "producer", watch);
        ((1..=workers).map(worker).collect(), producer)
    }
}

/// The binaries lie beside this one.
fn binaries() -> anyhow::Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    Ok(folder)
}

/// Real values where time allows, and seconds instead of minutes and hours where a drill would only wait.
fn settings_of_processes(now: DateTime<Utc>) -> Vec<(&'static str, String)> {
    [
        ("ELEVENLABS_API_KEY", KEY),
        ("ELEVENLABS_TIMEOUT", "3s"),
        ("ELEVENLABS_MAX_BODY", "2MiB"),
        ("AMQP_NAMESPACE", "drill"),
        ("AMQP_RETRY_DELAYS", "500ms,1s,2s,4s,8s"),
        ("AMQP_UNFINISHED_DELAYS", "2s,4s"),
        ("SYNC_OVERLAP", "2m"),
        ("RECONCILE_EVERY", "30s"),
        ("RECONCILE_WINDOW", "20h"),
        ("RUST_LOG", "debug"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .chain([("SYNC_SINCE", (now - SINCE).to_rfc3339_opts(SecondsFormat::Secs, true))])
    .collect()
}

fn broker_config(variables: &[(&'static str, String)], url: &str) -> anyhow::Result<AmqpConfig> {
    let direct = variables.iter().map(|(name, value)| (*name, if *name == "AMQP_URL" { url } else { value }));
    Environment::from_pairs(direct).read().context("the settings of the drill")
}
