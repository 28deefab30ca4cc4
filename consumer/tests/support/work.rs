//! Workers inside the test's own process.

use std::time::Duration;

use consumer::drain::Drain;
use consumer::worker::{Config, Worker};
use shared::config::Environment;
use shared::exit::Exit;
use shared::shutdown::Shutdown;
use tokio::task::JoinHandle;

use super::stage::Stage;
use super::until::LONGEST;

/// How long a drain waits for what is in its way: a busy machine's hiccup is not.
const WAIT: Duration = Duration::from_secs(30);

async fn worker(stage: &Stage, more: &[(&'static str, &str)], drain: Option<Drain>) -> Worker {
    let variables = stage.variables();
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    let environment = Environment::from_pairs(variables.chain(more.iter().copied()));
    let config: Config = environment.read().expect("a test's configuration");
    Worker::open(config, drain).await.expect("the test's database answers")
}

/// Works until there is nothing left to do, or a pause lasts too long.
pub(crate) async fn drain(stage: &Stage, more: &[(&'static str, &str)]) -> Exit {
    drain_waiting(WAIT, stage, more).await
}

/// The same, with a shorter patience: something is in its way.
pub(crate) async fn drain_in_vain(stage: &Stage) -> Exit {
    drain_waiting(Duration::from_secs(1), stage, &[]).await
}

async fn drain_waiting(wait: Duration, stage: &Stage, more: &[(&'static str, &str)]) -> Exit {
    let worker = worker(stage, more, Some(Drain::new(wait))).await;
    let exit = tokio::time::timeout(LONGEST, worker.run(&Shutdown::default())).await;
    exit.expect("a drain ends").expect("the test's broker answers")
}

/// A worker that works until it is stopped.
pub(crate) struct Working {
    shutdown: Shutdown,
    task: JoinHandle<anyhow::Result<Exit>>,
}

impl Working {
    /// Begins.
    pub(crate) async fn on(stage: &Stage) -> Self {
        Self::with(stage, &[]).await
    }

    /// Begins, with more variables.
    pub(crate) async fn with(stage: &Stage, more: &[(&'static str, &str)]) -> Self {
        let worker = worker(stage, more, None).await;
        let shutdown = Shutdown::default();
        let asked = shutdown.clone();
        Self { shutdown, task: tokio::spawn(async move { worker.run(&asked).await }) }
    }

    /// Has it finish what it holds.
    pub(crate) async fn stop(self) {
        self.shutdown.soft().cancel();
        let exit = self.task.await.expect("a worker does not panic").expect("the test's broker answers");
        assert_eq!(exit, Exit::Done);
    }
}
