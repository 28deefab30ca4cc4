//! One run of the job from an empty database: by our programs, or by the reference.

use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use shared::queue::{Destination, Lane};
use shared::testing::{TestBroker, TestDatabase};

use crate::bare::{KEY, Queue, Share};
use crate::control::Served;
use crate::machine::{Machine, Simulator, variable};
use crate::measure::{Running, ServerCpu, Usage};
use crate::report::Sample;
use crate::tables::Tables;

/// How often the tables are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long workers may take to connect.
const READY: Duration = Duration::from_mins(1);

/// What the clock starts with. It stops when the last row is committed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Since {
    /// The first request for a page: the whole job.
    FirstList,
    /// The first request for a conversation: the workers' part of it.
    FirstDetail,
}

/// How our programs do the job.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    /// Calls that there are.
    pub(crate) calls: u32,
    /// Workers at once.
    pub(crate) workers: usize,
    /// The producer's verb with its arguments.
    pub(crate) verb: Vec<String>,
    /// All jobs are in the queue before the first worker starts; else the workers wait before the first job is.
    pub(crate) is_filled: bool,
    pub(crate) since: Since,
    /// Variables of both programs, beside where everything is.
    pub(crate) settings: Vec<(&'a str, String)>,
}

/// A place where the job is done once: a database and a broker namespace of its own.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) simulator: &'a Simulator,
    pub(crate) database: TestDatabase,
    pub(crate) broker: TestBroker,
}

impl<'a> Place<'a> {
    /// A new one.
    pub(crate) fn new(machine: &'a Machine, simulator: &'a Simulator) -> Self {
        Self { machine, simulator, database: TestDatabase::migrated(), broker: TestBroker::new() }
    }

    /// Starts one of our programs here.
    pub(crate) fn start(
        &self,
        program: &str,
        arguments: &[&str],
        settings: &[(&str, String)],
    ) -> anyhow::Result<Running> {
        let mut variables = self.broker.variables();
        variables.extend([
            ("DATABASE_URL", self.database.url()),
            ("ELEVENLABS_BASE_URL", self.simulator.base_url.clone()),
            ("ELEVENLABS_API_KEY", KEY.to_owned()),
            // What a worker says at its end, and what goes wrong.
            ("RUST_LOG", "warn,consumer::worker=info".to_owned()),
        ]);
        variables.extend(settings.iter().map(|(name, value)| (*name, value.clone())));
        let variables: Vec<_> = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.machine.start(program, arguments, &variables)
    }

    /// Starts workers, and waits until they consume.
    pub(crate) async fn workers(
        &self,
        count: usize,
        settings: &[(&str, String)],
    ) -> anyhow::Result<Vec<Running>> {
        let workers: Vec<Running> =
            (0..count).map(|_| self.start("consumer", &[], settings)).collect::<anyhow::Result<_>>()?;
        let broker = self.broker.connect().await;
        let queue = broker.topology().queue(Destination::Work(Lane::Backfill));
        let consuming = async {
            while broker.look(&queue).await?.is_none_or(|look| (look.consumers as usize) < count) {
                if let Some(ended) = workers.iter().find(|worker| worker.has_ended()) {
                    anyhow::bail!("a worker has ended: {}", ended.logged());
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(READY, consuming).await.context("the workers do not consume")??;
        broker.close().await;
        Ok(workers)
    }
}

impl Job<'_> {
    /// `producer sync` of so many calls with workers that wait.
    pub(crate) fn sync(calls: u32, workers: usize, concurrency: usize) -> Self {
        Self {
            calls,
            workers,
            verb: vec!["sync".to_owned()],
            is_filled: false,
            since: Since::FirstList,
            settings: vec![("ELEVENLABS_CONCURRENCY", concurrency.to_string())],
        }
    }

    /// Does it once.
    ///
    /// # Errors
    /// A program failed, or not all calls were stored.
    pub(crate) async fn run(&self, machine: &Machine, simulator: &Simulator) -> anyhow::Result<Sample> {
        self.run_at(&Place::new(machine, simulator)).await
    }

    /// Does it once, in this place.
    ///
    /// # Errors
    /// A program failed, or not all calls were stored.
    pub(crate) async fn run_at(&self, place: &Place<'_>) -> anyhow::Result<Sample> {
        let begun = self.begin(place).await?;
        Ok(finish(begun, place, self.calls, self.since).await?.0)
    }

    /// Starts all that it takes.
    ///
    /// # Errors
    /// A program failed.
    pub(crate) async fn begin(&self, place: &Place<'_>) -> anyhow::Result<Begun> {
        let Place { machine, simulator, .. } = place;
        let verb: Vec<&str> = self.verb.iter().map(String::as_str).collect();
        simulator.control.reset().await?;
        let producer = || place.start("producer", &verb, &self.settings);
        if self.is_filled {
            producer()?.finished()?;
            let before = machine.server_cpu(simulator);
            let workers = (0..self.workers).map(|_| place.start("consumer", &[], &self.settings));
            return Ok(Begun { producer: None, workers: workers.collect::<anyhow::Result<_>>()?, before });
        }
        let workers = place.workers(self.workers, &self.settings).await?;
        Ok(Begun { before: machine.server_cpu(simulator), producer: Some(producer()?), workers })
    }
}

/// A job that is being done.
#[derive(Debug)]
pub(crate) struct Begun {
    producer: Option<Running>,
    workers: Vec<Running>,
    /// What the servers had taken before.
    before: ServerCpu,
}

/// Waits for the last row, and ends the workers; returns also what the simulator has served.
///
/// # Errors
/// A program failed, or not all calls were stored.
pub(crate) async fn finish(
    begun: Begun,
    place: &Place<'_>,
    calls: u32,
    since: Since,
) -> anyhow::Result<(Sample, Served)> {
    let Place { machine, simulator, .. } = place;
    let Begun { producer, workers, before } = begun;
    let ended_at = Tables::of(&place.database).reached(calls.into(), LOOK_EVERY).await;
    let ended_at = ended_at.with_context(|| workers.iter().map(Running::logged).collect::<String>())?;
    let servers = machine.server_cpu(simulator).since(before);
    let producer = producer.map(Running::finished).transpose()?;
    let served = simulator.control.served().await?;
    let (workers, spent_attempts) = stop(workers)?;
    let mut sample = Sample::new(calls, secs(&served, since, ended_at)?);
    sample.programs(producer, &workers);
    sample.servers(servers);
    sample.fact("attempts_spent", spent_attempts);
    sample.fact("requests_429", served.status_429);
    Ok((sample, served))
}

/// Ends workers; returns what they took, and how many attempts they spent, by their own account.
pub(crate) fn stop(workers: Vec<Running>) -> anyhow::Result<(Vec<Usage>, u64)> {
    workers.iter().try_for_each(Running::terminate)?;
    let mut spent_attempts = 0;
    let mut usages = Vec::new();
    for worker in workers {
        while !worker.has_ended() {
            std::thread::sleep(LOOK_EVERY);
        }
        spent_attempts += retried(&worker.logged()).context("a worker says what it has done")?;
        usages.push(worker.finished()?);
    }
    Ok((usages, spent_attempts))
}

/// Of "5000 stored, 0 not finished yet, 0 to be retried, 0 set aside": those that are to be retried, and set aside.
fn retried(log: &str) -> Option<u64> {
    let line = log.lines().rev().find(|line| line.contains(" stored, ") && line.contains(" set aside"))?;
    let count = |words: &str| line.split(words).next()?.rsplit([' ', ',']).next()?.parse::<u64>().ok();
    Some(count(" to be retried")? + count(" set aside")?)
}

/// From the clock's start to this instant.
fn secs(served: &Served, since: Since, ended_at_us: u64) -> anyhow::Result<f64> {
    let began_at = match since {
        Since::FirstList => served.first_list_unix_us,
        Since::FirstDetail => served.first_detail_unix_us,
    };
    Ok(Duration::from_micros(ended_at_us.saturating_sub(began_at.context("something was asked for")?))
        .as_secs_f64())
}

/// Has the reference do it once.
///
/// # Errors
/// It failed.
pub(crate) async fn reference(
    machine: &Machine,
    simulator: &Simulator,
    share: Share,
    calls: u32,
    concurrency: usize,
) -> anyhow::Result<Sample> {
    let (database, broker) = (TestDatabase::migrated(), TestBroker::new());
    let queue = format!("{}.bare", broker.config().namespace);
    let (amqp, count) = (broker.config().url.expose_secret().to_owned(), calls.to_string());
    let start = |share: &str| {
        let (database, concurrency) = (database.url(), concurrency.to_string());
        let options =
            ["--api", &simulator.base_url, "--amqp", &amqp, "--queue", &queue, "--database", &database];
        let words = ["bare", "--share", share, "--calls", &count, "--concurrency", &concurrency];
        machine.start_self(&words.iter().chain(&options).map(|&word| word.to_owned()).collect::<Vec<_>>())
    };
    let mut tables = Tables::of(&database);
    simulator.control.reset().await?;
    let (name, since) = match share {
        Share::Whole => ("whole", Since::FirstList),
        Share::NoQueue => ("no-queue", Since::FirstList),
        Share::Consume | Share::Publish => {
            start("publish")?.finished()?;
            ("consume", Since::FirstDetail)
        }
    };
    let before = machine.server_cpu(simulator);
    let process = start(name)?;
    let ended_at = tables.reached(calls.into(), LOOK_EVERY).await;
    let ended_at = ended_at.with_context(|| format!("the reference: {}", process.logged()))?;
    let servers = machine.server_cpu(simulator).since(before);
    let usage = process.finished()?;
    let served = simulator.control.served().await?;
    if share != Share::NoQueue {
        Queue::open(&variable("TEST_AMQP_URL")?, &queue).await?.delete().await?;
    }
    let mut sample = Sample::new(calls, secs(&served, since, ended_at)?);
    sample.programs(None, &[usage]);
    sample.servers(servers);
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::retried;

    #[test]
    fn a_worker_is_taken_at_its_word() {
        let log = "[2026-11-25T18:00:00Z INFO  consumer::worker] 5000 stored, 7 not finished yet, 30 to be retried, 2 set aside";
        assert_eq!(retried(log), Some(32));
        assert_eq!(retried("nothing of that kind"), None);
    }
}
