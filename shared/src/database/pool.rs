//! The pool, and the one bridge from asynchronous code to diesel.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, NopErrorHandler, Pool};
use diesel::result::Error;
use diesel::sql_types::Bool;
use diesel::{Connection, RunQueryDsl, r2d2};
use secrecy::ExposeSecret;
use url::Url;

use super::{DatabaseError, book, fitness};
use crate::backoff::Backoff;
use crate::config::DatabaseConfig;

/// How long a batch may wait for a free connection, or for a lost server to answer, before the database counts as away.
const GET_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a transaction is tried when a statement fails for a reason that may pass: a deadlock, a lock timeout.
const TRANSACTION_TRIES: u32 = 3;

/// How long the database may take on our side. The server ends what takes long by itself; this is for one that
/// hangs, or for a network that carries nothing and breaks nothing.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(75);

/// Between two tries, or two looks at a server that does not answer yet.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// A pool of connections; clones share it.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool<ConnectionManager<PgConnection>>,
}

/// What every connection of ours is set to: no statement and no open transaction lasts for ever.
const SESSION: &str = "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'; \
                       SET timezone = 'UTC'; SET client_min_messages = 'warning'";

#[derive(Debug)]
struct Session;

impl CustomizeConnection<PgConnection, r2d2::Error> for Session {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), r2d2::Error> {
        connection.batch_execute(SESSION).map_err(r2d2::Error::QueryError)
    }
}

impl Database {
    /// Opens a pool when the server answers; one that is away is waited for as long as `patience`.
    ///
    /// # Errors
    /// [`DatabaseError::LoginRefused`] at once, [`DatabaseError::Unreachable`] when patience is over.
    pub async fn open(
        config: &DatabaseConfig,
        name: &str,
        patience: Duration,
    ) -> Result<Self, DatabaseError> {
        let url = url_of(config, name);
        let began = Instant::now();
        for failures in 1.. {
            let attempt = url.clone();
            match blocking(move || PgConnection::establish(&attempt).map(drop))
                .await
                .map_err(DatabaseError::from)
            {
                Ok(()) => break,
                Err(error @ DatabaseError::Unreachable { .. }) if began.elapsed() < patience => {
                    log::warn!("{error}; trying again");
                    tokio::time::sleep(AGAIN.delay(failures, rand::random())).await;
                }
                Err(error) => return Err(error),
            }
        }
        let pool = Pool::builder()
            .max_size(config.pool_size)
            // None are opened ahead: a process that ends while libpq connects on another thread dies in the clean-up
            // of libpq's own libraries.
            .min_idle(Some(0))
            .connection_timeout(GET_TIMEOUT)
            .connection_customizer(Box::new(Session))
            // Failures reach whoever asked for the connection; r2d2's own log would repeat them.
            .error_handler(Box::new(NopErrorHandler))
            .build_unchecked(ConnectionManager::new(url));
        Ok(Self { pool })
    }

    /// Runs diesel code on a connection of the pool, on a thread where it may block.
    ///
    /// # Errors
    /// What the code returns, [`DatabaseError::Unreachable`] when there is no connection to be had, or
    /// [`DatabaseError::Lost`] when there is no answer in time. The thread that waits for it is left to itself then, and its
    /// connection with it, until the system gives it up.
    pub async fn run<T, F>(&self, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, Error> + Send + 'static,
    {
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.run_for_long(work));
        answer.await.unwrap_or(Err(DatabaseError::Lost))
    }

    /// The same, for as long as it takes.
    pub(super) async fn run_for_long<T, F>(&self, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, Error> + Send + 'static,
    {
        let pool = self.pool.clone();
        blocking(move || {
            let mut connection = pool.get().map_err(|error| DatabaseError::connecting(&error.to_string()))?;
            Ok(work(&mut connection)?)
        })
        .await
    }

    /// Runs diesel code in a transaction; when a statement fails for a reason that may pass, the whole of it again.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn transaction<T, F>(&self, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection) -> Result<T, Error> + Clone + Send + 'static,
    {
        let mut tries = 1;
        loop {
            let work = work.clone();
            let transaction =
                self.run(move |connection| connection.transaction(|connection| work(connection)));
            match transaction.await {
                Err(DatabaseError::Statement { kind }) if tries < TRANSACTION_TRIES => {
                    log::debug!("transaction failed ({kind}), try {tries}");
                    tokio::time::sleep(AGAIN.delay(tries, rand::random())).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether the tables take a call: one of no value is written and taken back. `false`: this login may not try.
    ///
    /// # Errors
    /// As [`Database::run`], or [`DatabaseError::Unfit`].
    pub async fn try_call(&self) -> Result<bool, DatabaseError> {
        self.run(fitness::try_call).await?
    }

    /// Whether the server answers, and takes writes: a row is written and taken back.
    ///
    /// # Errors
    /// As [`Database::run`], or [`DatabaseError::Unwritable`].
    pub async fn probe(&self) -> Result<(), DatabaseError> {
        let is_read_only = diesel::dsl::sql::<Bool>("current_setting('transaction_read_only')::boolean");
        if self.run(move |connection| diesel::select(is_read_only).get_result(connection)).await? {
            return Err(DatabaseError::Unwritable { reason: "it is read-only".to_owned() });
        }
        match self.run(book::try_write).await {
            Err(DatabaseError::Statement { kind }) => Err(DatabaseError::Unwritable { reason: kind }),
            outcome => outcome,
        }
    }
}

/// The URL, with a name for `pg_stat_activity` and a bound for connecting, unless it sets them itself.
fn url_of(config: &DatabaseConfig, name: &str) -> String {
    let text = config.url.expose_secret();
    let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
    for (parameter, value) in [("application_name", name), ("connect_timeout", "10")] {
        if url.query_pairs().all(|(set, _)| set != parameter) {
            url.query_pairs_mut().append_pair(parameter, value);
        }
    }
    url.into()
}

/// The one place that leaves the asynchronous threads.
pub(super) async fn blocking<T, E, F>(work: F) -> Result<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce() -> Result<T, E> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let task = tokio::task::spawn_blocking(work);
    match task.await {
        Ok(outcome) => outcome,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
