//! Programs that are measured, from their start to their end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::stat::{Stat, peak_kib};

/// How often memory is looked at, and an end waited for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A program that has not ended so long after it was to hangs.
const LONGEST: Duration = Duration::from_mins(10);

/// What a process took, from its start to its end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// CPU time of all its threads, user and system, seconds.
    pub(crate) cpu_secs: f64,
    /// `VmHWM`, MiB.
    pub(crate) peak_mib: f64,
}

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
    peak_kib: Arc<AtomicU64>,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Starts a program with exactly these variables, in a folder where no `.env` is, and which keeps what it prints.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        variables: &[(String, String)],
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = |suffix: &str| -> anyhow::Result<(PathBuf, File)> {
            let (file, path) =
                tempfile::Builder::new().prefix(&name).suffix(suffix).tempfile_in(folder)?.keep()?;
            Ok((path, file))
        };
        let ((stdout, out), (stderr, err)) = (file(".out")?, file(".log")?);
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("TMPDIR", folder)
            // Where ./dev has unpacked libpq, when it may not install it.
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|folders| ("LD_LIBRARY_PATH", folders)))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let peak = Arc::new(AtomicU64::new(0));
        let (pid, seen) = (child.id(), Arc::clone(&peak));
        // It only grows, and is gone with the process: whoever looks often enough misses little of it.
        std::thread::spawn(move || {
            while let Some(kib) = peak_kib(pid) {
                seen.fetch_max(kib, Ordering::Relaxed);
                std::thread::sleep(LOOK_EVERY);
            }
        });
        Ok(Self { child, name, peak_kib: peak, stdout, stderr })
    }

    /// CPU time so far, seconds.
    pub(crate) fn cpu_secs(&self) -> f64 {
        Stat::read(self.child.id()).map_or(0.0, |stat| stat.cpu_secs)
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    /// What it has logged so far.
    pub(crate) fn logged(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        Stat::read(self.child.id()).is_none_or(|stat| stat.is_zombie)
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) -> anyhow::Result<()> {
        let status = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        anyhow::ensure!(status.success() || self.has_ended(), "{} takes no signal", self.name);
        Ok(())
    }

    /// Waits for its end, and says what it took.
    ///
    /// # Errors
    /// It failed, or does not end.
    pub(crate) fn finished(self) -> anyhow::Result<Usage> {
        Ok(self.finished_with_output()?.1)
    }

    /// The same, with what it has printed.
    ///
    /// # Errors
    /// It failed, or does not end.
    pub(crate) fn finished_with_output(mut self) -> anyhow::Result<(String, Usage)> {
        let began = Instant::now();
        while !self.has_ended() {
            if began.elapsed() > LONGEST {
                bail!("{} does not end: {}", self.name, last_lines(&self.logged()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        // Before it is waited for: then its times are gone.
        let cpu_secs = self.cpu_secs();
        let status = self.child.wait()?;
        if !status.success() {
            bail!("{} failed ({status}): {}", self.name, last_lines(&self.logged()));
        }
        #[expect(clippy::cast_precision_loss, reason = "no process has 2^52 KiB")]
        let peak_mib = self.peak_kib.load(Ordering::Relaxed) as f64 / 1024.0;
        Ok((self.printed(), Usage { cpu_secs, peak_mib }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
