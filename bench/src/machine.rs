//! The machine that is measured: its servers, its programs, and a simulated API.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use shared::testing::{TestDatabase, binary};
use tempfile::TempDir;

use crate::bare::KEY;
use crate::control::{self, Control};
use crate::measure::{Running, ServerCpu, Servers};
use crate::tables::{Tables, unix_us};

/// How far back the simulated calls of most scenarios go: all are fresh enough for the lane `fetch`.
pub(crate) const SPAN: &str = "20h";

/// Most MiB of bodies that the simulator keeps ready.
const KEEP_MIB: &str = "1024";

/// What was measured on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Description {
    /// Processors that the benchmark could use.
    pub(crate) cores: usize,
    /// What they call themselves.
    pub(crate) processor: String,
    /// The kernel's release.
    pub(crate) linux: String,
    /// PostgreSQL's version.
    pub(crate) postgres: String,
    /// RabbitMQ's version.
    pub(crate) rabbitmq: String,
    /// `release`, or `debug`, whose figures mean nothing.
    pub(crate) build: String,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: TempDir,
    servers: Servers,
    /// What it is.
    pub(crate) description: Description,
    /// The instant that the simulator takes for now, the same in all runs: so all bodies are the same.
    newest_start: u64,
}

impl Machine {
    /// Looks at the servers that `./dev bench` has started.
    ///
    /// # Errors
    /// They do not answer.
    pub(crate) async fn look() -> anyhow::Result<Self> {
        let database = TestDatabase::empty();
        let mut tables = Tables::of(&database);
        let (broker, rabbitmq) = control::rabbitmq(&variable("TEST_AMQP_MANAGEMENT_URL")?).await?;
        let backend = u32::try_from(tables.number("pg_backend_pid()")?).ok();
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let linux = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Ok(Self {
            folder: TempDir::with_prefix("089-bench-")?,
            servers: Servers::new(backend, broker),
            description: Description {
                cores: std::thread::available_parallelism()?.get(),
                processor: model.map_or("unknown", |(_, model)| model).to_owned(),
                linux: linux.trim().to_owned(),
                postgres: tables.text("current_setting('server_version')")?,
                rabbitmq,
                build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            },
            newest_start: unix_us(SystemTime::now()) / 1_000_000,
        })
    }

    /// Starts one of our programs.
    pub(crate) fn start(
        &self,
        program: &str,
        arguments: &[&str],
        variables: &[(String, String)],
    ) -> anyhow::Result<Running> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Running::start(&binary(program), &arguments, variables, self.folder.path())
    }

    /// Starts this program as another of its shares: the reference, or a part alone.
    pub(crate) fn start_self(&self, arguments: &[String]) -> anyhow::Result<Running> {
        let program: PathBuf = std::env::current_exe()?;
        let variables = [
            ("TEST_DATABASE_URL", variable("TEST_DATABASE_URL")?),
            ("TEST_AMQP_URL", variable("TEST_AMQP_URL")?),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Running::start(&program, arguments, &variables, self.folder())
    }

    /// Starts a simulator of so many calls, which began within this time.
    ///
    /// # Errors
    /// It does not listen.
    pub(crate) fn simulator(&self, conversations: u32, span: &str) -> anyhow::Result<Simulator> {
        let (conversations, newest_start) = (conversations.to_string(), self.newest_start.to_string());
        let mut arguments = vec!["--api-key", KEY, "--conversations", &conversations];
        arguments.extend(["--newest-start", &newest_start, "--span", span, "--keep-mib", KEEP_MIB]);
        let running = self.start("simulator", &arguments, &[])?;
        let began = Instant::now();
        let base_url = loop {
            if let Some(url) = running.printed().lines().next().filter(|line| line.starts_with("http")) {
                break url.to_owned();
            }
            anyhow::ensure!(began.elapsed() < Duration::from_secs(30), "the simulator does not listen");
            std::thread::sleep(Duration::from_millis(5));
        };
        let control = Control::new(&base_url)?;
        Ok(Simulator { running, base_url, control })
    }

    /// `--from` and `--to` around all simulated calls.
    pub(crate) fn period(&self) -> [String; 4] {
        let instant = |unix_secs: u64| {
            let instant = DateTime::<Utc>::from(SystemTime::UNIX_EPOCH + Duration::from_secs(unix_secs));
            instant.to_rfc3339_opts(SecondsFormat::Secs, true)
        };
        let day = 24 * 3600;
        ["--from".to_owned(), instant(self.newest_start - day), "--to".to_owned(), instant(self.newest_start)]
    }

    /// CPU time of the servers and of this simulator so far.
    pub(crate) fn server_cpu(&self, simulator: &Simulator) -> ServerCpu {
        ServerCpu {
            simulator: simulator.running.cpu_secs(),
            postgres: self.servers.postgres_secs(),
            rabbitmq: self.servers.rabbitmq_secs(),
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A simulated API that runs.
#[derive(Debug)]
pub(crate) struct Simulator {
    running: Running,
    /// Where it listens.
    pub(crate) base_url: String,
    /// Its switches.
    pub(crate) control: Control,
}

/// A variable that `./dev bench` sets.
///
/// # Errors
/// It is not set.
pub(crate) fn variable(name: &str) -> anyhow::Result<String> {
    #[expect(clippy::disallowed_methods, reason = "where the servers are is told as it is to tests")]
    let value = std::env::var(name);
    value.with_context(|| format!("{name} is not set: run `./dev bench`, which starts the servers"))
}
