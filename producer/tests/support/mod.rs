//! What the end-to-end tests stand on: a world for each test, with servers that are real and an API that is simulated, and
//! our binaries as processes in it. Whoever waits, waits for a condition.
#![expect(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod lock;
pub(crate) mod management;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::Value;
use shared::testing::{Finished, Process, TestBroker, TestDatabase};
use simulator::{Settings, Simulator};

use management::Management;

/// The key that the simulated API takes.
pub(crate) const KEY: &str = "sk_e2e_7d1f0c";

/// What never comes fails its test after this long.
const PATIENCE: Duration = Duration::from_mins(2);

/// A database, a broker namespace and an API of one test's own.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) database: TestDatabase,
    pub(crate) broker: TestBroker,
    variables: BTreeMap<String, String>,
}

/// What `producer sync --json` says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub(crate) struct Summary {
    pub(crate) listed: usize,
    pub(crate) published: usize,
    pub(crate) known: usize,
    pub(crate) failed: usize,
}

/// A dead letter, as `producer dead list --json` says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub(crate) struct Letter {
    pub(crate) conversation_id: String,
    pub(crate) class: String,
    pub(crate) http_status: Option<u16>,
    pub(crate) attempts: u32,
    pub(crate) replays: u32,
    pub(crate) reason: Option<String>,
}

/// What a test of ordinary calls begins with.
pub(crate) fn calls(count: u32) -> Settings {
    Settings { conversations: count, api_key: KEY.to_owned(), ..Settings::default() }
}

impl World {
    /// A world whose database has this release's schema.
    pub(crate) async fn new(settings: Settings) -> Self {
        Self::on(TestDatabase::migrated(), settings).await
    }

    /// A world on a database that was made before.
    pub(crate) async fn on(database: TestDatabase, settings: Settings) -> Self {
        let simulator = Simulator::start(Settings { api_key: KEY.to_owned(), ..settings }).await;
        let (simulator, broker) = (simulator.expect("a port is free"), TestBroker::new());
        let mut variables = BTreeMap::from([
            ("ELEVENLABS_API_KEY".to_owned(), KEY.to_owned()),
            ("ELEVENLABS_BASE_URL".to_owned(), simulator.base_url().to_owned()),
            ("DATABASE_URL".to_owned(), database.url()),
            ("RUST_LOG".to_owned(), "info".to_owned()),
            // What the API holds, or a busy machine, is waited for.
            ("ELEVENLABS_TIMEOUT".to_owned(), "5m".to_owned()),
        ]);
        variables.extend(broker.variables().into_iter().map(|(name, value)| (name.to_owned(), value)));
        Self { simulator, database, broker, variables }
    }

    /// Sets a variable of the processes that start from now on.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Takes a variable away.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// The variables of a process.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Starts a binary.
    pub(crate) fn start(&self, binary: &str, arguments: &[&str]) -> Process {
        Process::start(binary, arguments, &self.variables())
    }

    /// Runs a binary to its end, whatever that is.
    pub(crate) async fn run(&self, binary: &str, arguments: &[&str]) -> Finished {
        self.start(binary, arguments).finished().await
    }

    /// `producer migrate`.
    pub(crate) async fn migrate(&self) -> Finished {
        exits(self.run("producer", &["migrate"]).await, 0)
    }

    /// `producer sync` that succeeds.
    pub(crate) async fn sync(&self) -> Summary {
        summary(&exits(self.run("producer", &["sync", "--json"]).await, 0))
    }

    /// So many `consumer --drain` at once, all of which succeed.
    pub(crate) async fn drain(&self, count: usize) -> Vec<Finished> {
        let workers: Vec<Process> = (0..count).map(|_| self.start("consumer", &["--drain"])).collect();
        let ended = join_all(workers.into_iter().map(Process::finished)).await;
        ended.into_iter().map(|finished| exits(finished, 0)).collect()
    }

    /// `producer dead …` that succeeds; returns what it printed.
    pub(crate) async fn dead(&self, arguments: &[&str]) -> String {
        let arguments: Vec<&str> = ["dead"].into_iter().chain(arguments.iter().copied()).collect();
        exits(self.run("producer", &arguments).await, 0).stdout
    }

    /// All dead letters, by conversation.
    pub(crate) async fn letters(&self) -> BTreeMap<String, Letter> {
        let listing: Value =
            serde_json::from_str(&self.dead(&["list", "--json"]).await).expect("JSON was asked for");
        let letters: Vec<Letter> =
            serde_json::from_value(listing["letters"].clone()).expect("letters are listed");
        letters.into_iter().map(|letter| (letter.conversation_id.clone(), letter)).collect()
    }

    /// The text values of a query's one column.
    pub(crate) fn texts(&self, sql: &str) -> BTreeSet<String> {
        self.database.column(sql).into_iter().collect()
    }

    /// How many rows there are of what follows FROM.
    pub(crate) fn count(&self, from: &str) -> usize {
        self.database.value(&format!("SELECT count(*) FROM {from}")).parse().expect("a count is a number")
    }

    /// The ids that are stored.
    pub(crate) fn stored(&self) -> BTreeSet<String> {
        self.texts("SELECT id_eleven FROM conversaciones")
    }

    /// The ids in the book.
    pub(crate) fn booked(&self) -> BTreeSet<String> {
        self.texts("SELECT id_eleven FROM trabajos")
    }

    /// The ids that the API lists.
    pub(crate) fn listed(&self) -> BTreeSet<String> {
        self.simulator.conversation_ids().into_iter().collect()
    }

    /// How many messages lie in the queues of these last names: `fetch`, `retry.100ms` …
    pub(crate) async fn depth(&self, queues: &[&str]) -> usize {
        let broker = self.broker.connect().await;
        let mut sum = 0;
        for queue in queues {
            let depth = broker.depth(&self.queue(queue)).await.expect("the queue is there");
            sum += usize::try_from(depth).expect("few messages");
        }
        broker.close().await;
        sum
    }

    /// The full name of a queue.
    pub(crate) fn queue(&self, name: &str) -> String {
        format!("{}.{name}", self.broker.config().namespace)
    }

    /// The broker's management API, in this namespace.
    pub(crate) fn management(&self) -> Management {
        Management::new(&self.broker.config().namespace)
    }

    /// Lets the turns of processes that were killed come to an end.
    pub(crate) fn expire_leases(&self) {
        self.database
            .execute("UPDATE cursores SET vence_en = now() - interval '1 second' WHERE titular IS NOT NULL");
    }

    /// Every stored call has its one report, and what is nobody's call has none.
    pub(crate) fn assert_one_report_each(&self) {
        let reported = "SELECT id_eleven FROM conversaciones JOIN reportes USING (id_conversacion)";
        assert_eq!(self.texts(reported), self.somebodys());
        assert_eq!(self.count("reportes"), self.somebodys().len());
    }

    /// The stored calls that are somebody's, as the simulator made them.
    pub(crate) fn somebodys(&self) -> BTreeSet<String> {
        let nobodys: BTreeSet<String> = self.simulator.ids_of_nobody().into_iter().collect();
        self.stored().difference(&nobodys).cloned().collect()
    }
}

/// What a sync printed.
pub(crate) fn summary(finished: &Finished) -> Summary {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// A process that ended with this code.
#[track_caller]
pub(crate) fn exits(finished: Finished, code: i32) -> Finished {
    let Finished { stdout, stderr, .. } = &finished;
    assert_eq!(finished.code, Some(code), "\nstandard output:\n{stdout}\nstandard error:\n{stderr}");
    finished
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain: {what}");
}
