//! Between two sessions: leaves alone what was in the way, and looks whether it is over.

use std::time::Duration;

use anyhow::Context;
use shared::backoff::Backoff;
use shared::exit::Exit;
use shared::queue::QueueError;
use tokio::time::Instant;

use super::{AGAIN, PATIENCE, Worker, check_rights, check_tables};
use crate::session::End;
use crate::verdict::Interruption;

/// Before the first probe of a pause. From the second one on without a good answer each spends attempts: an API that answers
/// every probe and fails every job must not use up a ladder within minutes.
const PAUSE: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_mins(5));

/// Between two deliveries of a message that cannot be read, of which there are not many.
const SIFTING: Duration = Duration::from_millis(100);

/// Sessions in a row that ended before anything was done in them. Each costs what it held a delivery count.
#[derive(Debug)]
pub(super) struct Fruitless {
    pub(super) sessions: u32,
    since: Instant,
    /// What paused the last of them …
    why: Option<Interruption>,
    /// … and since when it has been nothing else.
    paused_since: Instant,
}

impl Default for Fruitless {
    fn default() -> Self {
        let now = Instant::now();
        Self { sessions: 0, since: now, why: None, paused_since: now }
    }
}

impl Fruitless {
    /// A session has ended; the first of a row, and each in which something was done, begins the row anew.
    pub(super) fn count(&mut self, was_fruitful: bool, end: &End) {
        if was_fruitful || self.sessions == 0 {
            *self = Self::default();
        }
        self.sessions += 1;
        let why = if let End::Paused(why) = end { Some(*why) } else { None };
        if why != self.why {
            (self.why, self.paused_since) = (why, Instant::now());
        }
    }
}

impl Worker {
    /// Leaves the broker alone for a while. A drain gives up one that lets nothing be done for longer than it was told to.
    /// `is_known`: it has just been said that a message cannot be read.
    pub(super) async fn leave(
        &self,
        error: &QueueError,
        fruitless: &Fruitless,
        is_known: bool,
    ) -> Result<(), Exit> {
        let is_unreadable = matches!(error, QueueError::Unreadable);
        match (is_unreadable, is_known) {
            (false, _) => log::warn!("{error}; what was held will be delivered again"),
            (true, false) => {
                log::warn!("{error}; RabbitMQ sets it aside when it has been delivered 20 times");
            }
            (true, true) => log::debug!("{error}"),
        }
        let wait = if is_unreadable { SIFTING } else { PAUSE.delay(fruitless.sessions, rand::random()) };
        if self.drain.as_ref().is_some_and(|drain| fruitless.since.elapsed() + wait > drain.wait()) {
            log::error!("giving up: nothing gets done");
            return Err(Exit::Unavailable);
        }
        self.pulse.beat("connecting", Duration::ZERO);
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Probes until what was in the way is gone: never with a job. A drain does not wait longer than it was told to, and a
    /// database is given up after five minutes.
    pub(super) async fn recover(&self, why: Interruption, fruitless: &Fruitless) -> Result<(), Exit> {
        log::warn!("pausing: {}", because(why));
        self.pulse.beat(&format!("pausing: {}", because(why)), Duration::ZERO);
        // A worker that stays gives up the database alone, and counts no time in which something else was in the way.
        let (longest, before) = match (why, &self.drain) {
            (_, Some(drain)) => (Some(drain.wait()), fruitless.since),
            (Interruption::Database, None) => (Some(PATIENCE), fruitless.paused_since),
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
                check_tables(&self.database).await?;
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
        let paused_since = fruitless.paused_since;
        assert!(paused_since > since);
        fruitless.count(false, &End::Paused(Interruption::Database));
        assert_eq!((fruitless.paused_since, fruitless.since), (paused_since, since));
        fruitless.count(true, &End::Paused(Interruption::Database));
        assert!(fruitless.since > since);
        assert_eq!(fruitless.sessions, 1);
    }
}
