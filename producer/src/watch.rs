//! `producer watch`: `sync` on a schedule, until it is stopped. It survives whatever is away, and leaves to its supervisor
//! what only a person can mend, or a restart.

use std::time::Duration;

use shared::backoff::Backoff;
use shared::config::{
    AmqpConfig, DatabaseConfig, ElevenLabsConfig, Environment, ReconcileConfig, SyncConfig,
};
use shared::database::{Database, wait_for_schema};
use shared::elevenlabs::ApiError;
use shared::exit::Exit;
use shared::process;
use shared::pulse::Pulse;
use shared::shutdown::Shutdown;
use tokio::time::Instant;

use crate::lease::AnotherPass;
use crate::sync::{Passes, Summary};

/// A database or a broker that cannot be reached is given up after this long, for the supervisor to act.
const PATIENCE: Duration = Duration::from_mins(5);

/// Between two attempts to reach them, whatever the schedule says.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(15));

/// Before the next pass, at least, when others before it failed.
const LATER: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_mins(1));

/// So many intervals after a good pass, a watch without another is not well …
const WELL_FOR: u32 = 3;

/// … but not sooner than this, however short the interval is.
const WELL_AT_LEAST: Duration = Duration::from_secs(30);

/// A turn is up to this much of the interval early or late, so that several watches do not beat together.
const JITTER: f64 = 0.1;

/// When passes are made.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// From the beginning of one pass to that of the next
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = interval)]
    every: Duration,
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let is_sane = (Duration::from_millis(100)..=Duration::from_hours(24)).contains(&interval);
    if is_sane { Ok(interval) } else { Err("expected between 100ms and 1day".to_owned()) }
}

impl Options {
    /// Makes passes until it is stopped.
    ///
    /// # Errors
    /// What no later pass would mend, and a database or a broker that stays away.
    pub async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let pulse = Pulse::begin("producer");
        let well_for = (self.every * WELL_FOR).max(WELL_AT_LEAST);
        pulse.beat("beginning", well_for);
        let Some(passes) = shutdown.soft().run_until_cancelled(open(environment)).await else {
            return Ok(Exit::Done);
        };
        Watch { every: self.every, passes: passes?, pulse, well_for }.run(shutdown).await
    }
}

async fn open(environment: &Environment) -> anyhow::Result<Passes> {
    let (elevenlabs, database, amqp, config, reconcile) =
        environment.read::<(ElevenLabsConfig, DatabaseConfig, AmqpConfig, SyncConfig, ReconcileConfig)>()?;
    let client = elevenlabs.client()?;
    let database = Database::open(&database, &process::name("producer"), PATIENCE).await?;
    wait_for_schema(&database).await?;
    let client = crate::open::budgeted(client, elevenlabs.rate_limit, &database);
    Ok(Passes { client, database, amqp, elevenlabs, config, reconcile })
}

/// What a turn came to.
#[derive(Debug)]
enum Turn {
    /// A pass of which nothing failed, or another one's pass.
    Well(String),
    /// Some calls could not be asked for, the API was in the way, or a statement failed: the schedule goes on, though not
    /// before the API wants to be asked again.
    Failed { why: String, not_before: Duration },
    /// The database or the broker cannot be reached.
    Away(anyhow::Error),
}

impl Turn {
    /// What a pass, or the want of one, means for the next.
    ///
    /// # Errors
    /// What no later pass would mend: a refused login, a wrong setting.
    fn of(outcome: anyhow::Result<Result<Summary, AnotherPass>>) -> anyhow::Result<Self> {
        let error = match outcome {
            Ok(Ok(summary)) if summary.exit() == Exit::Done => return Ok(Self::Well(summary.to_string())),
            Ok(Ok(summary)) => return Ok(Self::failed(summary.to_string(), Duration::ZERO)),
            Ok(Err(another)) => return Ok(Self::Well(format!("none, {another}"))),
            Err(error) => error,
        };
        let why = format!("{error:#}");
        match (error.downcast_ref::<ApiError>(), Exit::of(error.as_ref())) {
            (Some(ApiError::Throttled { retry_after, .. }), _) => {
                Ok(Self::failed(why, retry_after.unwrap_or_default()))
            }
            (Some(ApiError::KeyRefused { .. }), _) => Ok(Self::failed(
                format!("{why}: check ELEVENLABS_API_KEY and its scope convai_read"),
                Duration::ZERO,
            )),
            (None, Exit::Usage) => Err(error),
            (None, Exit::Unavailable) => Ok(Self::Away(error)),
            _ => Ok(Self::failed(why, Duration::ZERO)),
        }
    }

    fn failed(why: String, not_before: Duration) -> Self {
        Self::Failed { why, not_before }
    }

    fn log(&self) {
        match self {
            Self::Well(outcome) => log::info!("pass: {outcome}"),
            Self::Failed { why, .. } => log::error!("the pass failed: {why}; the next one asks again"),
            Self::Away(error) => log::warn!("{error:#}; trying again"),
        }
    }

    /// When the next pass begins, after so many failed ones; `scheduled` is its turn.
    fn next(&self, scheduled: Instant, ended: Instant, failures: u32) -> Instant {
        match self {
            Self::Well(_) => scheduled,
            Self::Failed { not_before, .. } => {
                scheduled.max(ended + LATER.delay(failures, rand::random()).max(*not_before))
            }
            Self::Away(_) => ended + AGAIN.delay(failures, rand::random()),
        }
    }
}

impl std::fmt::Display for Turn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Well(outcome) => formatter.write_str(outcome),
            Self::Failed { why, .. } => write!(formatter, "failed, {why}"),
            Self::Away(error) => write!(formatter, "failed, {error:#}"),
        }
    }
}

struct Watch {
    every: Duration,
    passes: Passes,
    pulse: Pulse,
    well_for: Duration,
}

impl Watch {
    async fn run(self, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let mut well_until = Instant::now() + self.well_for;
        let (mut failures, mut away_since) = (0, None);
        let mut last_pass = "none yet".to_owned();
        loop {
            let began = Instant::now();
            let passing = format!("passing; last pass: {last_pass}");
            self.pulse.beat(&passing, well_until - began);
            // A pass over the whole history may last longer than a good one holds for.
            let outcome = self.pass(shutdown, &|| self.pulse.beat(&passing, self.well_for)).await;
            let ended = Instant::now();
            if shutdown.soft().is_cancelled() {
                if let Err(error) = outcome {
                    log::info!("{error:#}");
                }
                return Ok(Exit::Done);
            }
            let turn = Turn::of(outcome)?;
            turn.log();
            (failures, well_until) = match turn {
                Turn::Well(_) => (0, ended + self.well_for),
                _ => (failures + 1, ended),
            };
            last_pass = turn.to_string();
            self.pulse.beat(&format!("waiting; last pass: {last_pass}"), well_until - ended);
            let next = turn.next(began + jittered(self.every, rand::random()), ended, failures);
            away_since = match turn {
                Turn::Away(error) if next - away_since.unwrap_or(began) > PATIENCE => return Err(error),
                Turn::Away(_) => away_since.or(Some(began)),
                _ => None,
            };
            if shutdown.soft().run_until_cancelled(tokio::time::sleep_until(next)).await.is_none() {
                return Ok(Exit::Done);
            }
        }
    }

    async fn pass(
        &self,
        shutdown: &Shutdown,
        beat: &(dyn Fn() + Sync),
    ) -> anyhow::Result<Result<Summary, AnotherPass>> {
        // Keys are rotated in their file.
        match self.passes.client.reload_key() {
            Ok(true) => log::info!("ELEVENLABS_API_KEY_FILE holds another key now"),
            Ok(false) => {}
            Err(error) => log::error!("ELEVENLABS_API_KEY_FILE: {error}; going on with the key of before"),
        }
        self.passes.make_one(shutdown, beat).await
    }
}

/// An interval, up to [`JITTER`] shorter or longer by `jitter` (0 to 1).
fn jittered(interval: Duration, jitter: f64) -> Duration {
    interval.mul_f64(1.0 - JITTER + 2.0 * JITTER * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use shared::database::DatabaseError;
    use shared::elevenlabs::Detail;
    use shared::queue::QueueError;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn the_interval_varies_by_a_tenth_either_way() {
        let secs = [0.0, 0.5, 1.0, 7.0].map(|jitter| jittered(MINUTE, jitter).as_secs_f64().round());
        assert_eq!(secs.map(|secs| format!("{secs}")), ["54", "60", "66", "66"]);
    }

    #[test]
    fn an_interval_is_sane() {
        assert_eq!(interval("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(interval("60s"), Ok(MINUTE));
        for text in ["0s", "99ms", "2days", "soon", ""] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_api_that_fails_is_asked_again_on_schedule_and_not_before_it_wants_to() {
        let ended = Instant::now();
        let scheduled = ended + MINUTE / 2;
        let throttled =
            |retry_after| ApiError::Throttled { retry_after: Some(retry_after), detail: Detail::default() };
        let next = |error: ApiError, failures| {
            let turn = Turn::of(Err(error.into())).expect("the API is no reason to end");
            turn.next(scheduled, ended, failures)
        };
        assert_eq!(next(ApiError::Timeout, 1), scheduled);
        assert_eq!(next(throttled(MINUTE / 10), 1), scheduled);
        assert_eq!(next(throttled(MINUTE * 10), 1), ended + MINUTE * 10);
        assert!(next(ApiError::Timeout, 100) <= ended + MINUTE, "and once a minute at least");
    }

    #[test]
    fn what_is_away_is_tried_again_soon_and_what_is_wrong_is_not() {
        let ended = Instant::now();
        let away = [
            anyhow::Error::from(DatabaseError::Lost),
            QueueError::Unreachable { reason: "gone".into() }.into(),
        ];
        for error in away {
            let turn = Turn::of(Err(error)).expect("it may come back");
            assert!(matches!(turn, Turn::Away(_)));
            assert!(turn.next(ended + MINUTE, ended, 100) <= ended + MINUTE / 4);
        }
        assert!(Turn::of(Err(QueueError::LoginRefused.into())).is_err());
        assert!(Turn::of(Err(DatabaseError::LoginRefused { reason: "password".into() }.into())).is_err());
    }
}
