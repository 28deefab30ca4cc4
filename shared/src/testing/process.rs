//! Binaries as processes.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

/// A process that hangs fails its test after this long.
const LONGEST: Duration = Duration::from_mins(4);

/// Where a binary of this workspace is: beside the tests.
///
/// # Panics
/// When it was not built: `./dev test` builds all of them.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let mut folder = std::env::current_exe().expect("a test knows where it is");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(name);
    assert!(path.exists(), "{} is not there: `cargo build --workspace`", path.display());
    path
}

/// A process that runs; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

/// How a process ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it logged.
    pub stderr: String,
}

impl Process {
    /// Starts a binary with exactly these variables, in an empty folder, so that no `.env` is read.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start<N: AsRef<str>, V: AsRef<str>>(name: &str, arguments: &[&str], variables: &[(N, V)]) -> Self {
        let folder = std::env::temp_dir().join("089-test-folder");
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let child = Command::new(binary(name))
            .args(arguments)
            .env_clear()
            // What one that is killed leaves behind is not mistaken for a real one's.
            .env("TMPDIR", &folder)
            // Where ./dev has unpacked libpq, when it may not install it.
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|folders| ("LD_LIBRARY_PATH", folders)))
            .envs(variables.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a binary of ours starts");
        Self { child }
    }

    /// Its id, for signals.
    ///
    /// # Panics
    /// When it has ended and been waited for.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Sends a signal by its name, as `kill` takes it: `TERM`, `KILL`, `STOP`.
    ///
    /// # Panics
    /// When there is no `kill`.
    pub async fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status().await;
        assert!(status.expect("kill is there").success(), "the process takes signal {name}");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn finished(self) -> Finished {
        let output = tokio::time::timeout(LONGEST, self.child.wait_with_output()).await;
        let Output { status, stdout, stderr } =
            output.expect("the process ends").expect("it can be waited for");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Finished { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}
