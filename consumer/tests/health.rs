//! `consumer health`: what it says of a worker that consumes, pauses, has lost its broker, or is gone.

mod support {
    #[expect(dead_code, reason = "other tests look into queues")]
    pub(crate) mod stage;
    pub(crate) mod until;
}

use shared::testing::{Finished, Forwarder, Network, Process};
use simulator::Faults;
use support::stage::Stage;
use support::until::until;
use tempfile::TempDir;

/// A pipeline whose processes have a temporary folder of their own: `health` finds those of this test only.
struct World {
    stage: Stage,
    folder: TempDir,
    network: Forwarder,
}

impl World {
    async fn with(calls: u32, faults: Faults) -> Self {
        let stage = Stage::with(calls, faults).await;
        let variables = stage.variables();
        let (_, broker) = variables.iter().find(|(name, _)| *name == "AMQP_URL").expect("it is set");
        let network = Forwarder::before(broker).await;
        Self { network, stage, folder: tempfile::tempdir().expect("a folder") }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.stage.variables();
        variables.push(("AMQP_URL", self.network.url().to_owned()));
        variables.push(("TMPDIR", self.folder.path().to_str().expect("UTF-8").to_owned()));
        variables
    }

    fn worker(&self) -> Process {
        Process::start("consumer", &[], &self.variables())
    }

    /// A worker that consumes.
    async fn consuming(&self) -> Process {
        let worker = self.worker();
        self.says(0, "consuming").await;
        worker
    }

    /// What `health` says; nothing but the folder is known to it.
    async fn health(&self) -> Finished {
        let folder = self.folder.path().to_str().expect("UTF-8");
        Process::start("consumer", &["health"], &[("TMPDIR", folder)]).finished().await
    }

    async fn says(&self, code: i32, words: &str) {
        until(words, async || {
            let health = self.health().await;
            health.code == Some(code) && health.stdout.contains(words)
        })
        .await;
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path()).expect("a folder").count()
    }
}

#[tokio::test]
async fn a_worker_is_well_while_it_consumes() {
    let world = World::with(5, Faults::default()).await;
    let nobody = world.health().await;
    assert_eq!((nobody.code, nobody.stdout.lines().count()), (Some(1), 1), "{nobody:?}");
    let worker = world.consuming().await;
    let health = world.health().await;
    assert!(health.stdout.starts_with(&format!("consumer {}, ", worker.id())), "{health:?}");
    worker.signal("TERM").await;
    assert_eq!(worker.finished().await.code, Some(0));
    assert_eq!((world.health().await.code, world.files()), (Some(1), 0));
}

#[tokio::test]
async fn a_worker_that_pauses_is_not_well_until_it_goes_on() {
    let world = World::with(12, Faults { outage: true, ..Faults::default() }).await;
    let _worker = world.consuming().await;
    world.stage.ask_for_all(0).await;
    world.says(1, "pausing: the API does not answer").await;
    world.stage.simulator.set_faults(Faults::default());
    world.says(0, "consuming").await;
    until("the calls are stored", async || world.stage.stored().len() == 12).await;
}

#[tokio::test]
async fn a_worker_without_its_broker_is_not_well() {
    let world = World::with(5, Faults::default()).await;
    let _worker = world.consuming().await;
    for network in [Network::Cut, Network::Stalled] {
        world.network.set(network);
        world.says(1, "connecting").await;
        world.network.set(Network::Up);
        world.says(0, "consuming").await;
    }
}

#[tokio::test]
async fn a_worker_that_hangs_is_not_well() {
    let world = World::with(5, Faults::default()).await;
    let worker = world.consuming().await;
    worker.signal("STOP").await;
    world.says(1, "not well: consumer").await;
    worker.signal("CONT").await;
    world.says(0, "consuming").await;
}

#[tokio::test]
async fn what_a_killed_worker_leaves_behind_counts_for_nothing() {
    let world = World::with(5, Faults::default()).await;
    let worker = world.consuming().await;
    worker.signal("KILL").await;
    assert_eq!(worker.finished().await.code, None);
    assert_eq!(world.files(), 1);
    assert_eq!(world.health().await.code, Some(1));
    let _worker = world.consuming().await;
}
