//! Carries the plan out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::testing::Network;
use simulator::Faults;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::crew::{Member, ending};
use crate::fault::{Fault, Link, Storm, Verb};
use crate::journal::Journal;
use crate::plan::{Act, Plan};
use crate::stage::{Stage, weather};

/// How long a verb may take while everything fails.
const VERB_PATIENCE: Duration = Duration::from_mins(5);

/// What was played.
#[derive(Debug, Default)]
pub struct Played {
    /// How often, by kind.
    pub kinds: BTreeMap<String, u32>,
    /// What the drill itself could not do, and what did not behave while it was done.
    pub complaints: Vec<String>,
}

/// Plays.
#[derive(Debug)]
pub struct Player {
    stage: Arc<Stage>,
    journal: Arc<Journal>,
    workers: Arc<Vec<Member>>,
    producer: Arc<Member>,
    played: Mutex<Played>,
}

impl Player {
    /// A player of these.
    #[must_use]
    pub fn new(
        stage: Arc<Stage>,
        journal: Arc<Journal>,
        workers: Arc<Vec<Member>>,
        producer: Arc<Member>,
    ) -> Self {
        Self { stage, journal, workers, producer, played: Mutex::default() }
    }

    /// Plays the whole plan; when this returns, no fault is in force any more.
    pub async fn play(self: Arc<Self>, plan: &Plan) -> Played {
        let began = Instant::now();
        let ends = began + plan.lasts;
        let mut lanes: Vec<_> = plan
            .lanes
            .iter()
            .map(|(_, acts)| {
                let (player, acts) = (Arc::clone(&self), acts.clone());
                tokio::spawn(async move { player.lane(&acts, began, ends).await })
            })
            .collect();
        let (stage, waves) = (Arc::clone(&self.stage), plan.waves.clone());
        lanes.push(tokio::spawn(async move {
            for wave in waves {
                sleep_until(began + wave.at).await;
                stage.simulator.add_conversations(wave.calls);
            }
        }));
        for lane in lanes {
            if let Err(error) = lane.await {
                self.complain(format!("a lane of the drill ended: {error}"));
            }
        }
        std::mem::take(&mut *self.played.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn lane(&self, acts: &[Act], began: Instant, ends: Instant) {
        let (mut planned, mut free) = (Duration::ZERO, began);
        for act in acts {
            // One that takes longer than planned, on a machine with other things to do, delays all that follow: the time to
            // work between two of them stays what it is. The last ones may have no time left.
            sleep_until(free + act.at.saturating_sub(planned)).await;
            planned = act.at + act.lasts;
            if Instant::now() > ends {
                return;
            }
            self.journal.note(&format!("{} …", act.fault));
            if let Err(error) = self.act(act).await {
                self.complain(format!("{}: {error:#}", act.fault));
            }
            let mut played = self.played.lock().unwrap_or_else(PoisonError::into_inner);
            *played.kinds.entry(act.fault.kind()).or_default() += 1;
            free = Instant::now();
        }
    }

    fn complain(&self, complaint: String) {
        self.journal.note(&complaint);
        self.played.lock().unwrap_or_else(PoisonError::into_inner).complaints.push(complaint);
    }

    async fn act(&self, act: &Act) -> anyhow::Result<()> {
        let (stage, lasts) = (&self.stage, act.lasts);
        match act.fault {
            Fault::WorkerKilled(number) => {
                sleep(lasts).await;
                self.workers[number].signal("KILL").await;
            }
            Fault::WorkerStopped(number) => self.stop(&self.workers[number]).await,
            Fault::WorkerFrozen(number) => {
                self.workers[number].signal("STOP").await;
                sleep(lasts).await;
                self.workers[number].signal("CONT").await;
            }
            Fault::ProducerKilled => {
                sleep(lasts).await;
                self.producer.signal("KILL").await;
            }
            Fault::ProducerStopped => self.stop(&self.producer).await,
            Fault::BrokerStopped => self.broker("stop", lasts).await?,
            Fault::BrokerKilled => self.broker("kill", lasts).await?,
            Fault::DatabaseRestarted => stage.servers.restart_database("fast").await?,
            Fault::DatabaseCrashed => stage.servers.restart_database("immediate").await?,
            Fault::SessionsTerminated => stage.ledger.terminate_sessions().await?,
            Fault::DiskFull => self.fill_disk(lasts).await?,
            Fault::Cut(link) => self.fail_network(link, Network::Cut, lasts).await,
            Fault::Stalled(link) => self.fail_network(link, Network::Stalled, lasts).await,
            Fault::Storm(storm) => {
                stage.simulator.set_faults(during(storm));
                sleep(lasts).await;
                stage.simulator.set_faults(weather());
            }
            Fault::Verb(verb) => self.run(verb, None).await?,
            Fault::VerbKilled(verb) => self.run(verb, Some(lasts)).await?,
        }
        Ok(())
    }

    async fn stop(&self, member: &Member) {
        if !member.stop().await {
            self.complain(format!("{} did not stop when it was told to", member.name()));
        }
    }

    async fn broker(&self, end: &str, lasts: Duration) -> anyhow::Result<()> {
        self.stage.servers.broker(end, &[]).await?;
        sleep(lasts).await;
        self.stage.servers.broker("start", &[]).await.map(drop)
    }

    async fn fill_disk(&self, lasts: Duration) -> anyhow::Result<()> {
        let (servers, ledger) = (&self.stage.servers, &self.stage.ledger);
        if servers.small_disk().is_none() {
            ledger.refuse_writes(true).await?;
            sleep(lasts).await;
            return Ok(ledger.refuse_writes(false).await?);
        }
        servers.fill_disk(true).await?;
        sleep(lasts).await;
        servers.fill_disk(false).await
    }

    async fn fail_network(&self, link: Link, network: Network, lasts: Duration) {
        self.stage.set_network(link, network);
        sleep(lasts).await;
        self.stage.set_network(link, Network::Up);
    }

    /// A verb beside everything else: it may fail, as its surroundings do, and must end.
    async fn run(&self, verb: Verb, killed_after: Option<Duration>) -> anyhow::Result<()> {
        let name = format!("producer-{}", verb.to_string().replace([' ', '-'], ""));
        let mut child = self.stage.recipe.start(&name, "producer", &self.stage.arguments(verb))?;
        if let Some(after) = killed_after
            && timeout(after, child.wait()).await.is_err()
        {
            child.kill().await?;
            return Ok(());
        }
        match timeout(VERB_PATIENCE, child.wait()).await {
            Ok(status) => self.journal.note(&format!("producer {verb}: {}", ending(status?))),
            Err(_) => {
                self.complain(format!("producer {verb} did not end within {} s", VERB_PATIENCE.as_secs()));
            }
        }
        Ok(())
    }
}

/// How the API is in a storm.
fn during(storm: Storm) -> Faults {
    let weather = weather();
    match storm {
        Storm::Throttled => {
            Faults { rate_limit: Some(5.0), retry_after: Some(Duration::from_secs(1)), ..weather }
        }
        Storm::Failing => Faults { error_5xx: 0.6, ..weather },
        Storm::Outage => Faults { outage: true, ..weather },
        Storm::Html => Faults { html: 0.5, ..weather },
        Storm::Dropped => Faults { dropped: 0.5, ..weather },
        Storm::Malformed => Faults { malformed: 0.33, ..weather },
        Storm::Slow => Faults { slow_body: 0.5, slow_body_for: Duration::from_secs(2), ..weather },
        Storm::Silent => Faults { latency: Duration::from_secs(20), ..weather },
        Storm::KeyRefused => Faults { refuse_key: true, ..weather },
    }
}
