//! The rate that all processes share, in a row of `cuotas`: whoever wants to ask leases a few requests, by moving one
//! instant in it forward. What one has leased nobody else has, so more workers never make more requests. How fast it may
//! be is what `ELEVENLABS_RATE_LIMIT` says, and what was found where the API refused: [`Rate`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::pg::PgConnection;
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Double, Text};
use diesel::{QueryableByName, RunQueryDsl};
use tokio::time::Instant;

use super::pool::blocking;
use super::{Database, DatabaseError, Statement};
use crate::rate::{Rate, Refused, Secs, Step, Turns};

/// Whom the requests are for; the key in `cuotas`.
const SCOPE: &str = "elevenlabs";

/// A database that does not answer for this long is no reason not to ask, unless a limit was set.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tokio's clock is no finer than this.
const COARSE: Duration = Duration::from_millis(1);

/// A process's share of the rate; clones have the same.
#[derive(Clone, Debug)]
pub struct RateBudget {
    database: Database,
    /// Between two requests, as it was set.
    ceiling: Option<Secs>,
    share: Arc<Mutex<Share>>,
}

#[derive(Debug)]
struct Share {
    turns: Turns,
    /// The same moment by our clock and by the database's.
    moment: (Instant, Secs),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    estado: String,
    #[diesel(sql_type = Double)]
    now: Secs,
}

impl Share {
    fn secs(&self, at: Instant) -> Secs {
        let (ours, theirs) = self.moment;
        theirs + at.saturating_duration_since(ours).as_secs_f64()
            - ours.saturating_duration_since(at).as_secs_f64()
    }

    fn instant(&self, at: Secs) -> Instant {
        let (ours, theirs) = self.moment;
        ours + Duration::try_from_secs_f64(at - theirs).unwrap_or_default()
    }
}

impl RateBudget {
    /// A share in what is kept in this database; never more than one request every `spacing`, if that is set.
    #[must_use]
    pub fn new(database: Database, spacing: Option<Duration>) -> Self {
        let share = Share { turns: Turns::default(), moment: (Instant::now(), 0.0) };
        let ceiling = spacing.map(|spacing| spacing.as_secs_f64());
        Self { database, ceiling, share: Arc::new(Mutex::new(share)) }
    }

    fn share(&self) -> MutexGuard<'_, Share> {
        // Nothing that holds the lock can panic half-way.
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more request may be made, by one who could make so many at once. Without a limit that was set, a
    /// database that is away is no reason to wait.
    ///
    /// # Errors
    /// What the database says.
    pub async fn turn(&self, at_once: u32) -> Result<(), DatabaseError> {
        loop {
            let (step, until) = {
                let mut share = self.share();
                let now = share.secs(Instant::now());
                let step = share.turns.next(at_once, now);
                (step, if let Step::Wait(until) = step { share.instant(until) } else { Instant::now() })
            };
            match step {
                Step::Ask => return Ok(()),
                Step::Wait(_) => sleep_until(until).await?,
                Step::Lease(wanted) => {
                    let ceiling = self.ceiling;
                    let slots = self.with_rate(move |rate, now| rate.lease(wanted, ceiling, now)).await?;
                    let mut share = self.share();
                    let now = share.secs(Instant::now());
                    share.turns.leased(slots.flatten(), now);
                }
                Step::Check(slots) => {
                    let holds = self.with_rate(move |rate, _| rate.holds(&slots)).await?;
                    self.share().turns.checked(holds.unwrap_or(true));
                }
            }
        }
    }

    /// Takes note that the API refused a request that was sent then, and wants to be left alone for so long; `is_sure`:
    /// because of how often it was asked. `false`: that cannot be the reason.
    pub async fn throttled(&self, sent_at: Instant, wait: Duration, is_sure: bool) -> bool {
        let refused = {
            let mut share = self.share();
            let now = share.secs(Instant::now());
            let (sent_at, free) = (share.secs(sent_at), share.turns.refused(now));
            Refused { sent_at, wait: wait.as_secs_f64(), is_sure, free }
        };
        let was_it = self.with_rate(move |rate, now| rate.throttled(refused, now)).await;
        was_it.ok().flatten().unwrap_or(true)
    }

    /// Does something with the rate as all see it; `None`: the database is away, and no limit was set.
    async fn with_rate<T: Send + 'static>(
        &self,
        act: impl Fn(&mut Rate, Secs) -> T + Send + 'static,
    ) -> Result<Option<T>, DatabaseError> {
        let act = self.database.run(move |connection| with_rate(connection, act));
        let outcome = match self.ceiling {
            Some(_) => act.await,
            None => tokio::time::timeout(PATIENCE, act).await.unwrap_or(Err(DatabaseError::Lost)),
        };
        match outcome {
            Ok((moment, done)) => {
                self.share().moment = moment;
                Ok(Some(done))
            }
            Err(error) if self.ceiling.is_none() => {
                log::debug!("asking without knowing of the others: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Does something with the rate, and keeps what becomes of it, unless somebody else was quicker: then once more. Returns
/// the moment, too, by our clock and by the database's.
fn with_rate<T>(
    connection: &mut PgConnection,
    act: impl Fn(&mut Rate, Secs) -> T,
) -> QueryResult<((Instant, Secs), T)> {
    loop {
        let row: Row = Statement::new(
            "SELECT coalesce((SELECT estado FROM cuotas WHERE ambito = $1), '') AS estado, \
                 extract(epoch FROM clock_timestamp())::double precision AS now",
        )
        .bind::<Text, _>(SCOPE)
        .get_result(connection)?;
        let moment = (Instant::now(), row.now);
        // None yet, or another release's.
        let mut rate: Rate = serde_json::from_str(&row.estado).unwrap_or_default();
        let done = act(&mut rate, row.now);
        let state = serde_json::to_string(&rate).map_err(|error| Error::SerializationError(error.into()))?;
        if state == row.estado || (row.estado.is_empty() && rate.is_unknown()) {
            return Ok((moment, done));
        }
        let kept = Statement::new(
            "INSERT INTO cuotas AS kept (ambito, estado, libre_desde) VALUES ($1, $2, to_timestamp($3)) \
             ON CONFLICT (ambito) DO UPDATE SET estado = excluded.estado, libre_desde = excluded.libre_desde \
             WHERE kept.estado = $4",
        )
        .bind::<Text, _>(SCOPE)
        .bind::<Text, _>(&state)
        .bind::<Double, _>(rate.next_at())
        .bind::<Text, _>(&row.estado)
        .execute(connection)?;
        if kept > 0 {
            return Ok((moment, done));
        }
    }
}

/// Sleeps as exactly as threads can: a request may have to be made within fractions of a millisecond.
async fn sleep_until(at: Instant) -> Result<(), DatabaseError> {
    if let Some(early) = at.checked_sub(COARSE)
        && early > Instant::now()
    {
        tokio::time::sleep_until(early).await;
    }
    let left = at.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Ok(());
    }
    blocking(move || {
        std::thread::sleep(left);
        Ok(())
    })
    .await
}
