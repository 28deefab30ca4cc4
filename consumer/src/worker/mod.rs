//! The worker: one session at the broker after the other, until it is asked to stop or has nothing left to do.
//!
//! Between two of them it waits for what was in the way: the broker, the API, the key, or the database.

mod recovery;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use shared::backoff::{Backoff, Ladder};
use shared::config::{AmqpConfig, DatabaseConfig, ElevenLabsConfig, ReportConfig, WorkerConfig};
use shared::database::{Database, DatabaseError, RateBudget, once_granted, wait_for_schema};
use shared::exit::Exit;
use shared::pulse::Pulse;
use shared::queue::{Broker, QueueError};
use shared::shutdown::Shutdown;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use recovery::Fruitless;

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

/// A session that lasted so long and was given nothing cost nobody anything.
const CALM: Duration = Duration::from_mins(1);

/// Everything that a worker is configured with.
pub type Config = (ElevenLabsConfig, DatabaseConfig, AmqpConfig, WorkerConfig, ReportConfig);

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
        let budget = RateBudget::new(database.clone(), elevenlabs.rate_limit);
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
        if let Err(error) = check_tables(&self.database).await {
            log::error!("{error}");
            let recovery = self.recover(Interruption::Database, &fruitless);
            if let Some(exit) = self.unless_stopped(shutdown, recovery).await {
                return Ok(exit);
            }
        }
        loop {
            let session = tokio::select! {
                biased;
                () = shutdown.soft().cancelled() => return Ok(stopped(self.drain.is_some())),
                session = self.connect(caution) => session,
            };
            let began = Instant::now();
            let (done_before, begun_before) = (self.tally.done(), self.tally.begun());
            let end = match session {
                Ok(session) => session.run(shutdown, self.drain.clone(), &self.tally, &self.pulse).await,
                Err(error @ QueueError::Unreadable) => End::Lost(error),
                Err(error) => return Err(error.into()),
            };
            let was_calm = self.tally.begun() == begun_before && began.elapsed() >= CALM;
            fruitless.count(was_calm || self.tally.done() > done_before, &end);
            let is_known = caution == Caution::Sift && began.elapsed() < CALM;
            caution = match end {
                End::Lost(QueueError::Unreadable) => Caution::Sift,
                End::Lost(_) | End::Paused(_) => Caution::Trial,
                End::Proven | End::Stopped | End::Drained => Caution::Full,
            };
            let exit = match end {
                End::Drained => Some(Exit::Done),
                End::Stopped => Some(stopped(self.drain.is_some())),
                End::Proven => None,
                End::Lost(error) => {
                    self.unless_stopped(shutdown, self.leave(&error, &fruitless, is_known)).await
                }
                End::Paused(why) => self.unless_stopped(shutdown, self.recover(why, &fruitless)).await,
            };
            if let Some(exit) = exit {
                return Ok(exit);
            }
        }
    }

    /// How to end, if a stop comes first or it cannot go on.
    async fn unless_stopped(
        &self,
        shutdown: &Shutdown,
        recovery: impl Future<Output = Result<(), Exit>>,
    ) -> Option<Exit> {
        tokio::select! {
            biased;
            () = shutdown.soft().cancelled() => Some(stopped(self.drain.is_some())),
            recovered = recovery => recovered.err(),
        }
    }

    /// Connects to the broker, and keeps trying for as long as the patience lasts. A message that cannot be read ends a
    /// session, before it has begun too.
    async fn connect(&self, caution: Caution) -> Result<Session, QueueError> {
        self.pulse.beat("connecting", Duration::ZERO);
        let began = Instant::now();
        for failures in 1.. {
            match self.session(caution).await {
                Err(
                    error @ (QueueError::LoginRefused | QueueError::Topology { .. } | QueueError::Unreadable),
                ) => return Err(error),
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
        let (publisher, pausing) = (broker.publisher(), CancellationToken::new());
        let settler =
            Settler::new(publisher, self.database.clone(), Ladder::new(self.amqp.retry_delays.clone()));
        let stations = Stations {
            fetcher: self.fetcher.clone(),
            writer: self.writer.clone(),
            settler,
            caution,
            pausing,
        };
        self.fetcher.resumed();
        Session::open(broker, Arc::new(stations), self.prefetch).await
    }
}

/// What a stop comes to: whoever drains wanted all of it done.
#[must_use]
pub fn stopped(is_drain: bool) -> Exit {
    if is_drain {
        log::error!("stopped before the end; the next one does the rest");
        return Exit::Failed;
    }
    Exit::Done
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

/// And so are tables that take no call, whosever it is.
async fn check_tables(database: &Database) -> Result<(), DatabaseError> {
    match database.try_call().await {
        Err(error @ DatabaseError::Unfit { .. }) => Err(error),
        _ => Ok(()),
    }
}
