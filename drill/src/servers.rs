//! The drill's own PostgreSQL and RabbitMQ, which nobody else uses: it stops and kills them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tokio::process::Command;

/// What `./dev` says when there is no server that could be started outside a container.
const UNAVAILABLE: i32 = 69;

/// Both servers, in one folder.
#[derive(Clone, Debug)]
pub struct Servers {
    folder: PathBuf,
    /// A small file system of its own for the database's tables, where there is one.
    small_disk: Option<PathBuf>,
    database_url: String,
    amqp_url: String,
}

/// There are none to be had here.
#[derive(Debug, thiserror::Error)]
#[error("no PostgreSQL and RabbitMQ that a drill could start, only containers")]
pub struct Unavailable;

impl Servers {
    /// Starts both.
    ///
    /// # Errors
    /// One does not start, or is not installed.
    pub async fn start(folder: &Path, small_disk: Option<&Path>) -> anyhow::Result<Self> {
        let (folder, small_disk) = (folder.to_owned(), small_disk.map(Path::to_owned));
        let mut servers = Self { folder, small_disk, database_url: String::new(), amqp_url: String::new() };
        let (database_url, amqp_urls) =
            tokio::try_join!(servers.dev("database", "start", &[]), servers.dev("broker", "start", &[]))?;
        let (amqp_url, _) = amqp_urls.split_once(' ').context("the broker says its URLs")?;
        (servers.database_url, servers.amqp_url) = (database_url, amqp_url.to_owned());
        Ok(servers)
    }

    /// PostgreSQL's URL, of the database `postgres`.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// RabbitMQ's URL.
    #[must_use]
    pub fn amqp_url(&self) -> &str {
        &self.amqp_url
    }

    /// Where the tables lie, when it is a small file system.
    #[must_use]
    pub fn small_disk(&self) -> Option<&Path> {
        self.small_disk.as_deref()
    }

    /// Where both keep their logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Does something to RabbitMQ: `start`, `stop`, `kill`, `ctl`.
    ///
    /// # Errors
    /// It cannot be done.
    pub async fn broker(&self, action: &str, more: &[&str]) -> anyhow::Result<String> {
        self.dev("broker", action, more).await
    }

    /// Restarts PostgreSQL: `fast` or `immediate`.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn restart_database(&self, mode: &str) -> anyhow::Result<()> {
        self.dev("database", "restart", &[mode]).await.map(drop)
    }

    /// Leaves no space on the small disk, or enough again.
    ///
    /// # Errors
    /// There is none, or it cannot be resized.
    pub async fn fill_disk(&self, is_full: bool) -> anyhow::Result<()> {
        let disk = self.small_disk.as_ref().context("a small disk")?;
        // A tmpfs takes any size that is not less than what lies on it: 0 would be none at all.
        let action = if is_full { "fill" } else { "free" };
        self.dev("database", action, &[disk.to_str().context("UTF-8")?]).await.map(drop)
    }

    async fn dev(&self, server: &str, action: &str, more: &[&str]) -> anyhow::Result<String> {
        let dev = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev");
        let mut command = Command::new(dev);
        command.args([server, action]).arg(&self.folder).args(more);
        let output = command.output().await.context("./dev cannot be run")?;
        if output.status.code() == Some(UNAVAILABLE) {
            return Err(Unavailable.into());
        }
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        if !output.status.success() {
            bail!("./dev {server} {action}: {}", text(&output.stderr));
        }
        Ok(text(&output.stdout))
    }
}
