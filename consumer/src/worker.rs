//! The worker: one session at the broker after the other, until it is asked to stop or has nothing left to do.
//!
//! Between two of them it waits for what was in the way: the broker, the API, the key, or the database.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use shared::backoff::{Backoff, Ladder};
use shared::config::{AmqpConfig, DatabaseConfig, ElevenLabsConfig, ReportConfig, WorkerConfig};
use shared::database::{Database, DatabaseError, RateBudget, once_granted, wait_for_schema};
use shared::exit::Exit;
use shared::pulse::Pulse;
use shared::queue::{Broker, QueueError};
use shared::shutdown::Shutdown;
use tokio::time::Instant;

use crate::drain::Drain;
use crate::fetch::Fetcher;
use crate::job::{Caution, Stations};
use crate::persist::{Writer, try_rights};
use crate::read::Reader;
use crate::session::{End, Session};
use crate::settle::Settler;
use crate::tally::Tally;
use crate::verdict::Interruption;

/// A dependency that cannot be reached is given up after this long, for the supervisor to act.
const PATIENCE: Duration = Duration::from_mins(5);

/// Between two attempts to reach something that is away.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(15));

/// Before the first probe of a pause. From the second one on without a good answer each spends attempts: an API that answers
/// every probe and fails every job must not use up a ladder within minutes.
const PAUSE: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_mins(5));

/// A session that lasted so long and was given nothing cost nobody anything.
const CALM: Duration = Duration::from_mins(1);

/// Everything that a worker is configured with.
pub type Config = (ElevenLabsConfig, DatabaseConfig, AmqpConfig, WorkerConfig, ReportConfig);

/// Sessions in a row that ended before anything was done in them. Each costs what it held a delivery count.
#[derive(Debug)]
struct Fruitless {
    sessions: u32,
    since: Instant,
    /// What paused the last of them, and since when it has been nothing else.
    why: Option<(Interruption, Instant)>,
}

impl Default for Fruitless {
    fn default() -> Self {
        Self { sessions: 0, since: Instant::now(), why: None }
    }
}

impl Fruitless {
    /// A session has ended; the first of a row, and each in which something was done, begins the row anew.
    fn count(&mut self, was_fruitful: bool, end: &End) {
        if was_fruitful || self.sessions == 0 {
            *self = Self::default();
        }
        self.sessions += 1;
        self.why = match (end, self.why) {
            (&End::Paused(why), Some((before, since))) if why == before => Some((why, since)),
            (&End::Paused(why), _) => Some((why, Instant::now())),
            _ => None,
        };
    }

    /// Since when nothing else has been in the way.
    fn paused_since(&self) -> Instant {
        self.why.map_or_else(Instant::now, |(_, since)| since)
    }
}

/// A worker.
#[derive(Debug)]
pub struct Worker {
    amqp: AmqpConfig,
    prefetch: u16,
    database: Database,
    fetcher: Fetcher,
    writer: Writer,
    name: String,
    drain: Option<Drain>,
    tally: Tally,
    pulse: Pulse,
}

impl Worker {
    /// Opens the database and checks its schema; with `drain`, this worker ends when there is nothing left to do.
    ///
    /// # Errors
    /// The client cannot be made, the database cannot be reached, its schema is not this release's, or the login may not
    /// write what a worker writes.
    pub async fn open(config: Config, drain: Option<Drain>) -> anyhow::Result<Self> {
        let (elevenlabs, database_config, amqp, worker, report) = config;
        let name = shared::process::name("consumer");
        let pulse = Pulse::begin("consumer");
        pulse.beat("connecting", Duration::ZERO);
        let client = elevenlabs.client()?;
        let database = Database::open(&database_config, &name, patience(drain.as_ref())).await?;
        wait_for_schema(&database).await?;
        check_rights(&database).await?;
        // One connection stays free for the book.
        let writer = Writer::start(database.clone(), &worker, (database_config.pool_size - 1).max(1));
        let tally = Tally::new(drain.is_some());
        let budget = elevenlabs.rate_limit.map(|spacing| RateBudget::new(database.clone(), spacing));
        let reader = Reader::start(report, elevenlabs.concurrency)?;
        let fetcher = Fetcher::new(client, reader, elevenlabs.concurrency, budget);
        let prefetch = worker.prefetch;
        Ok(Self { amqp, prefetch, database, fetcher, writer, name, drain, tally, pulse })
    }

    /// Works until it is asked to stop, or has nothing left to do.
    ///
    /// # Errors
    /// The broker refuses us, or cannot be reached for five minutes.
    pub async fn run(&self, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let exit = self.sessions(shutdown).await;
        self.tally.finish();
        if self.drain.is_some() {
            writeln!(std::io::stdout(), "{}", self.tally)?;
        } else {
            log::info!("{}", self.tally);
        }
        exit
    }

    async fn sessions(&self, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let mut fruitless = Fruitless::default();
        // The worker before this one may have died of its jobs.
        let mut caution = Caution::Alone;
        loop {
            let session = tokio::select! {
                biased;
                () = shutdown.soft().cancelled() => return Ok(self.stopped()),
                session = self.connect(caution) => session?,
            };
            let began = Instant::now();
            let (done_before, begun_before) = (self.tally.done(), self.tally.begun());
            let end = session.run(shutdown, self.drain.clone(), &self.tally, &self.pulse).await;
            let was_calm = self.tally.begun() == begun_before && began.elapsed() >= CALM;
            fruitless.count(was_calm || self.tally.done() > done_before, &end);
            caution = match end {
                End::Lost(_) | End::Paused(_) => Caution::Trial,
                End::Proven | End::Stopped | End::Drained => Caution::Full,
            };
            let recovery = async {
                match end {
                    End::Stopped => Some(self.stopped()),
                    End::Drained => Some(Exit::Done),
                    End::Proven => None,
                    End::Lost(error) => {
                        log::warn!("{error}; what was held will be delivered again");
                        if self.drain.as_ref().is_some_and(|drain| fruitless.since.elapsed() > drain.wait()) {
                            log::error!("giving up: nothing gets done");
                            return Some(Exit::Unavailable);
                        }
                        self.pulse.beat("connecting", Duration::ZERO);
                        tokio::time::sleep(PAUSE.delay(fruitless.sessions, rand::random())).await;
                        None
                    }
                    End::Paused(why) => self.recover(why, &fruitless).await.err(),
                }
            };
            let exit = tokio::select! {
                biased;
                () = shutdown.soft().cancelled() => Some(self.stopped()),
                exit = recovery => exit,
            };
            if let Some(exit) = exit {
                return Ok(exit);
            }
        }
    }

    /// What a stop comes to: whoever drains wanted all of it done.
    fn stopped(&self) -> Exit {
        if self.drain.is_some() {
            log::error!("stopped before the end; the next one does the rest");
            return Exit::Failed;
        }
        Exit::Done
    }

    /// Connects to the broker, and keeps trying for as long as the patience lasts.
    async fn connect(&self, caution: Caution) -> Result<Session, QueueError> {
        self.pulse.beat("connecting", Duration::ZERO);
        let began = Instant::now();
        for failures in 1.. {
            match self.session(caution).await {
                Err(error @ (QueueError::LoginRefused | QueueError::Topology { .. })) => return Err(error),
                Err(error) if began.elapsed() >= patience(self.drain.as_ref()) => return Err(error),
                Err(error) => log::warn!("{error}; trying again"),
                Ok(session) => {
                    log::info!("consuming as {}{}", self.name, session.beginning());
                    return Ok(session);
                }
            }
            tokio::time::sleep(AGAIN.delay(failures, rand::random())).await;
        }
        unreachable!("the range has no end")
    }

    async fn session(&self, caution: Caution) -> Result<Session, QueueError> {
        let broker = Broker::connect(&self.amqp, &self.name).await?;
        let publisher = broker.publisher();
        let settler =
            Settler::new(publisher, self.database.clone(), Ladder::new(self.amqp.retry_delays.clone()));
        let stations =
            Stations { fetcher: self.fetcher.clone(), writer: self.writer.clone(), settler, caution };
        self.fetcher.resumed();
        Session::open(broker, Arc::new(stations), self.prefetch).await
    }

    /// Probes until what was in the way is gone: never with a job. A drain does not wait longer than it was told to, and a
    /// database is given up after five minutes.
    async fn recover(&self, why: Interruption, fruitless: &Fruitless) -> Result<(), Exit> {
        log::warn!("pausing: {}", because(why));
        self.pulse.beat(&format!("pausing: {}", because(why)), Duration::ZERO);
        // A worker that stays gives up the database alone, and counts no time in which something else was in the way.
        let (longest, before) = match (why, &self.drain) {
            (_, Some(drain)) => (Some(drain.wait()), fruitless.since),
            (Interruption::Database, None) => (Some(PATIENCE), fruitless.paused_since()),
            _ => (None, Instant::now()),
        };
        for failures in 1.. {
            let wait = match failures {
                1 => PAUSE.delay(fruitless.sessions.max(self.fetcher.pauses()), rand::random()),
                _ => AGAIN.delay(failures, rand::random()),
            };
            let wait = if why == Interruption::Throttled { wait.max(self.fetcher.cool_down()) } else { wait };
            if longest.is_some_and(|longest| before.elapsed() + wait > longest) {
                log::error!("giving up: {}", because(why));
                return Err(exit_of(why));
            }
            tokio::time::sleep(wait).await;
            match self.is_well(why).await {
                Ok(()) => break,
                Err(error) if Exit::of(error.as_ref()) == Exit::Usage => {
                    log::error!("giving up: {error:#}");
                    return Err(Exit::Usage);
                }
                Err(error) => log::warn!("still pausing: {error:#}"),
            }
        }
        self.fetcher.recovered();
        log::info!("going on");
        Ok(())
    }

    async fn is_well(&self, why: Interruption) -> anyhow::Result<()> {
        match why {
            Interruption::Database => {
                self.database.probe().await?;
                check_rights(&self.database).await?;
            }
            Interruption::Key | Interruption::Api | Interruption::Throttled => {
                let client = self.fetcher.client();
                if why == Interruption::Key {
                    client.reload_key().context("ELEVENLABS_API_KEY_FILE")?;
                }
                client.probe().await?;
            }
            Interruption::Stopping => {}
        }
        Ok(())
    }
}

/// How long something that is away is waited for: a drain waits no longer than it was told to.
fn patience(drain: Option<&Drain>) -> Duration {
    drain.map_or(PATIENCE, |drain| drain.wait().min(PATIENCE))
}

/// A login that may not write what we write is found out before a job is taken for it: each would cost a delivery count.
async fn check_rights(database: &Database) -> Result<(), DatabaseError> {
    match once_granted(database, try_rights).await {
        Err(error @ DatabaseError::Forbidden { .. }) => Err(error),
        // Whatever else is the matter, a session meets it too, and waits until it is over.
        _ => Ok(()),
    }
}

fn because(why: Interruption) -> &'static str {
    match why {
        Interruption::Api => "the API does not answer as it should",
        Interruption::Throttled => "the API keeps throttling (429)",
        Interruption::Key => "the API refuses the key: check ELEVENLABS_API_KEY and its scope convai_read",
        Interruption::Database => "PostgreSQL cannot be reached or written",
        Interruption::Stopping => "stopping",
    }
}

fn exit_of(why: Interruption) -> Exit {
    match why {
        Interruption::Api | Interruption::Database => Exit::Unavailable,
        Interruption::Throttled => Exit::TryLater,
        Interruption::Key => Exit::KeyRefused,
        Interruption::Stopping => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_the_way_without_a_break_is_given_up() {
        let mut fruitless = Fruitless::default();
        fruitless.count(false, &End::Paused(Interruption::Api));
        let since = fruitless.since;
        fruitless.count(false, &End::Paused(Interruption::Database));
        let paused_since = fruitless.paused_since();
        assert!(paused_since > since);
        fruitless.count(false, &End::Paused(Interruption::Database));
        assert_eq!((fruitless.paused_since(), fruitless.since), (paused_since, since));
        fruitless.count(true, &End::Paused(Interruption::Database));
        assert!(fruitless.since > since);
        assert_eq!(fruitless.sessions, 1);
    }
}
