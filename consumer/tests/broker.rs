//! What may befall a whole broker: a restart, a death, a need of memory, an answer that it waits for too long. Each test has
//! a broker of its own.

mod support {
    #[expect(dead_code, reason = "other tests look into queues")]
    pub(crate) mod stage;
    pub(crate) mod until;
}

use std::path::PathBuf;
use std::process::Output;
use std::time::SystemTime;

use serde_json::{Value, json};
use shared::testing::{Process, TestBroker};
use simulator::Faults;
use tempfile::TempDir;
use tokio::process::Command;

use support::stage::{ALL_BUT_ONE, Stage};
use support::until::until;

/// A broker of the test's own; ends with it.
struct Node {
    folder: TempDir,
    amqp_url: String,
    management_url: String,
}

impl Node {
    /// Starts one; `None` where RabbitMQ is only to be had in a container.
    async fn start() -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("backend-089-broker-").tempdir().expect("a folder");
        let mut node = Self { folder, amqp_url: String::new(), management_url: String::new() };
        let started = node.dev("start", &[]).await;
        if started.status.code() == Some(69) {
            return None;
        }
        let urls = String::from_utf8(started.stdout).expect("text");
        let (amqp, management) = urls
            .trim()
            .split_once(' ')
            .unwrap_or_else(|| panic!("the broker starts: {}", String::from_utf8_lossy(&started.stderr)));
        (node.amqp_url, node.management_url) = (amqp.to_owned(), management.to_owned());
        Some(node)
    }

    async fn dev(&self, action: &str, more: &[&str]) -> Output {
        let dev = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../dev");
        let mut command = Command::new(dev);
        command.args(["broker", action]).arg(self.folder.path()).args(more);
        command.output().await.expect("bash is there")
    }

    async fn does(&self, action: &str, more: &[&str]) {
        let done = self.dev(action, more).await;
        assert!(done.status.success(), "{action} {more:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// What the management API says of a queue; it learns everything late.
    async fn queue(&self, stage: &Stage, name: &str) -> Value {
        let namespace = &stage.broker.config().namespace;
        let url = format!("{}/api/queues/%2f/{namespace}.{name}", self.management_url);
        let output = Command::new("curl").args(["--silent", &url]).output().await.expect("curl is there");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let dev = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../dev");
        std::process::Command::new(dev).args(["broker", "end"]).arg(self.folder.path()).status().ok();
    }
}

/// A worker, as a process whose temporary folder `health` looks into.
struct Worker {
    process: Process,
    folder: TempDir,
}

impl Worker {
    fn start(stage: &Stage) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut variables = stage.variables();
        variables.push(("TMPDIR", folder.path().to_str().expect("UTF-8").to_owned()));
        Self { process: Process::start("consumer", &[], &variables), folder }
    }

    async fn says(&self, code: i32, words: &str) {
        let folder = self.folder.path().to_str().expect("UTF-8");
        until(words, async || {
            let health = Process::start("consumer", &["health"], &[("TMPDIR", folder)]).finished().await;
            health.code == Some(code) && health.stdout.contains(words)
        })
        .await;
    }

    /// When it last said how it is; it does so every ten seconds.
    fn beat_at(&self) -> Option<SystemTime> {
        let files = std::fs::read_dir(self.folder.path()).expect("a folder");
        files.filter_map(|file| file.ok()?.metadata().ok()?.modified().ok()).max()
    }

    async fn beats(&self, times: u32) {
        for _ in 0..times {
            let before = self.beat_at();
            until("it says how it is", async || self.beat_at() > before).await;
        }
    }

    async fn stop(self) -> String {
        self.process.signal("TERM").await;
        let finished = self.process.finished().await;
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        finished.stderr
    }
}

/// At least so many: one that was lost with its connection is asked for once more while the API still holds it.
async fn are_in_flight(stage: &Stage, count: u32) {
    until("requests wait at the API", async || stage.simulator.served().in_flight >= count).await;
}

/// Every call so far is one row, with the first folios there are, and nobody is dead.
fn assert_once(stage: &Stage) {
    let stored = stage.stored().len().to_string();
    assert_eq!(stage.database.value("SELECT last_value FROM reportes_folio_seq"), stored);
    assert_eq!(stage.database.value("SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL"), "0");
}

#[tokio::test]
async fn a_worker_outlives_the_restart_the_death_and_the_needs_of_its_broker() {
    let Some(node) = Node::start().await else {
        eprintln!("skipped: no RabbitMQ that a test could start");
        return;
    };
    let stage = Stage::at(TestBroker::at(node.amqp_url.clone()), 12, Faults::default()).await;
    let mut ids = stage.simulator.conversation_ids();
    ids.sort();
    let worker = Worker::start(&stage);
    worker.says(0, "consuming").await;

    // Three calls are being fetched, one waits in the queue: restarted, and killed.
    let stored = |count: usize| {
        let (stage, ids) = (&stage, &ids);
        async move { until("the calls are stored", async || stage.stored() == ids[..count]).await }
    };
    for (round, end) in ["stop", "kill"].into_iter().enumerate() {
        let calls = &ids[3 * round..3 * (round + 1)];
        stage.simulator.hold(calls);
        stage.ask(calls, ALL_BUT_ONE).await;
        are_in_flight(&stage, 3).await;
        node.does(end, &[]).await;
        worker.says(1, "connecting").await;
        stage.simulator.hold([]);
        node.does("start", &[]).await;
        worker.says(0, "consuming").await;
        stored(3 * (round + 1)).await;
        assert_once(&stage);
    }

    // In need of memory the broker takes no messages. Calls that are stored are answered all the same; those that must wait
    // for their end wait where they are, also one that comes when the need is known, and for longer than the broker takes
    // for anything else.
    let calls = &ids[6..9];
    let whole = [0, 1].map(|at: usize| stage.simulator.conversation_json(&calls[at]).unwrap());
    for call in &calls[..2] {
        stage.simulator.set_conversation(call, |detail| {
            detail["status"] = "in-progress".into();
            detail["transcript"] = json!([]);
            detail["analysis"] = Value::Null;
        });
    }
    stage.simulator.hold(calls);
    stage.ask(calls, ALL_BUT_ONE).await;
    are_in_flight(&stage, 3).await;
    node.does("ctl", &["set_vm_memory_high_watermark", "absolute", "1"]).await;
    stage.simulator.hold(&calls[1..2]);
    until("the finished one is stored", async || stage.stored().len() == 7).await;
    worker.says(0, "the broker takes no messages").await;
    stage.simulator.hold([]);
    worker.beats(3).await;
    until("and answered", async || node.queue(&stage, "fetch").await["messages_unacknowledged"] == 2).await;
    for (call, whole) in calls.iter().zip(whole) {
        stage.simulator.set_conversation(call, |detail| *detail = whole);
    }
    node.does("ctl", &["set_vm_memory_high_watermark", "0.8"]).await;
    stored(9).await;
    assert_once(&stage);
    let log = worker.stop().await;
    let (_, since) = log.split_once("the broker takes no messages").expect("it says so");
    let costs = ["did not confirm", "no answer in"];
    assert!(costs.iter().all(|cost| !since.contains(cost)), "the need cost nothing: {since}");

    // A job takes longer than the broker waits for its answer: the channel is closed (406), and the worker consumes on.
    let impatient = "application:set_env(rabbit, consumer_timeout, 3000), application:set_env(rabbit, channel_tick_interval, 500).";
    node.does("ctl", &["eval", impatient]).await;
    let calls = &ids[9..];
    stage.simulator.hold(calls);
    let worker = Worker::start(&stage);
    stage.ask(calls, ALL_BUT_ONE).await;
    are_in_flight(&stage, 3).await;
    worker.says(1, "connecting").await;
    stage.simulator.hold([]);
    worker.says(0, "consuming").await;
    stored(12).await;
    assert_once(&stage);
    let log = worker.stop().await;
    assert!(log.contains("406"), "{log}");
}
