//! Our own processes, and their supervisor: whoever ends is started again, as systemd or a container runtime would.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Between an end and the next start.
const RESTARTED_AFTER: Duration = Duration::from_millis(300);

/// A stop takes no longer than the programs' own 25 s, and a moment.
const STOPS_WITHIN: Duration = Duration::from_secs(40);

/// How processes are started: where from, where their logs go, and with which variables.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The folder of the binaries.
    pub binaries: PathBuf,
    /// The folder of the logs.
    pub logs: PathBuf,
    /// Exactly these variables.
    pub variables: Vec<(&'static str, String)>,
}

impl Recipe {
    /// Starts a binary under a name, which its log and its temporary folder have too.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, name: &str, binary: &str, arguments: &[String]) -> anyhow::Result<Child> {
        let folder = self.logs.join(format!("{name}.tmp"));
        std::fs::create_dir_all(&folder)?;
        let log = open_log(&self.logs.join(format!("{name}.log")))?;
        Command::new(self.binaries.join(binary))
            .args(arguments)
            .env_clear()
            .env("TMPDIR", &folder)
            // Where ./dev has unpacked libpq, when it may not install it.
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|folders| ("LD_LIBRARY_PATH", folders)))
            .envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())))
            // An empty one: no `.env` is read.
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{binary} does not start"))
    }
}

fn open_log(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("{} cannot be written", path.display()))
}

/// Sends a signal by its name, as `kill` takes it.
///
/// # Errors
/// There is no such process any more, or no `kill`.
pub async fn signal(process: u32, name: &str) -> anyhow::Result<()> {
    let sent = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .stderr(Stdio::null())
        .status()
        .await?;
    anyhow::ensure!(sent.success(), "no process {process}");
    Ok(())
}

/// How a process ended, in a word: `code 0`, `signal 9`.
#[must_use]
pub fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("code {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or(0)),
    }
}

/// A process that is started again whenever it ends.
#[derive(Debug)]
pub struct Member {
    name: String,
    current: watch::Receiver<Option<u32>>,
    endings: Arc<Mutex<BTreeMap<String, u32>>>,
    retired: CancellationToken,
    supervision: JoinHandle<anyhow::Result<()>>,
}

impl Member {
    /// Begins.
    #[must_use]
    pub fn start(recipe: Recipe, name: &str, binary: &'static str, arguments: Vec<String>) -> Self {
        let (tell, current) = watch::channel(None);
        let endings = Arc::new(Mutex::new(BTreeMap::new()));
        let retired = CancellationToken::new();
        let supervision = tokio::spawn({
            let (name, endings, retired) = (name.to_owned(), Arc::clone(&endings), retired.clone());
            async move {
                while !retired.is_cancelled() {
                    let mut child = recipe.start(&name, binary, &arguments)?;
                    tell.send_replace(child.id());
                    let status = child.wait().await?;
                    tell.send_replace(None);
                    *lock(&endings).entry(ending(status)).or_default() += 1;
                    tokio::time::timeout(RESTARTED_AFTER, retired.cancelled()).await.ok();
                }
                Ok(())
            }
        });
        Self { name: name.to_owned(), current, endings, retired, supervision }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often it ended, and how.
    #[must_use]
    pub fn endings(&self) -> BTreeMap<String, u32> {
        lock(&self.endings).clone()
    }

    /// Sends a signal to the process that there is now; `None` when there is none.
    pub async fn signal(&self, name: &str) -> Option<u32> {
        let process = (*self.current.borrow())?;
        signal(process, name).await.ok().map(|()| process)
    }

    /// SIGTERM; `false` when it did not end in time, and had to be killed.
    pub async fn stop(&self) -> bool {
        let Some(process) = self.signal("TERM").await else { return true };
        let mut current = self.current.clone();
        let ended = current.wait_for(|current| *current != Some(process));
        if tokio::time::timeout(STOPS_WITHIN, ended).await.is_ok() {
            return true;
        }
        self.signal("KILL").await;
        false
    }

    /// Stops it for good; says what is wrong with that.
    pub async fn retire(self) -> Option<String> {
        self.retired.cancel();
        let before = self.endings();
        if !self.stop().await {
            return Some(format!("{} did not stop within {} s", self.name, STOPS_WITHIN.as_secs()));
        }
        match self.supervision.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Some(format!("{}: {error:#}", self.name)),
            Err(error) => return Some(format!("{}: {error}", self.name)),
        }
        let mut last = lock(&self.endings).clone();
        last.retain(|ending, count| before.get(ending) != Some(count) && ending != "code 0");
        (!last.is_empty()).then(|| format!("{} ended badly when it was stopped: {last:?}", self.name))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing that holds it can panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
