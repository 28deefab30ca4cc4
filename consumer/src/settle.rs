//! The last verb, and the only place where a job is answered.
//!
//! Publish before ack, confirm before both, and the book's row before either: a crash between two of these steps leaves
//! the delivery unanswered, so it comes again, and every step bears being done twice.

use chrono::{DateTime, TimeDelta, Utc};
use shared::backoff::Ladder;
use shared::database::book::{self, Death};
use shared::database::{Database, DatabaseError};
use shared::queue::{Delivery, Destination, Lane, Message, Publisher, QueueError};

use crate::verdict::{Cause, Verdict};

/// A call that has not finished so long after its start never will.
const LONGEST_CALL: TimeDelta = TimeDelta::hours(24);

/// What an answer came to; the count of each is what a worker reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    /// Acked: stored.
    Stored,
    /// Waits for its call to be finished.
    Snoozed,
    /// Waits on a rung of the ladder.
    Retried,
    /// Set aside.
    Dead,
}

/// An answer that could not be given: the delivery stays unanswered, and comes again.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// The broker did not take it.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The book could not be written.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Answers jobs.
#[derive(Clone, Debug)]
pub struct Settler {
    publisher: Publisher,
    database: Database,
    ladder: Ladder,
}

impl Settler {
    /// A settler that publishes here and books there.
    #[must_use]
    pub fn new(publisher: Publisher, database: Database, ladder: Ladder) -> Self {
        Self { publisher, database, ladder }
    }

    /// Carries out the verdict on a delivery.
    ///
    /// # Errors
    /// [`Unsettled`]; the delivery is unanswered then.
    pub async fn settle(
        &self,
        delivery: &Delivery,
        verdict: Verdict,
        now: DateTime<Utc>,
    ) -> Result<Settled, Unsettled> {
        let message = &delivery.message;
        let lane = delivery.lane.unwrap_or(Lane::Fetch);
        let settled = match verdict {
            Verdict::Stored => Settled::Stored,
            Verdict::Snooze { started_at } => self.snooze(message, lane, started_at, now).await?,
            Verdict::Retry(cause) => self.retry(message, lane, cause, now).await?,
            Verdict::Dead(cause) => {
                let failed = message.clone().failed(cause.class, cause.http_status, false, now);
                self.bury(&failed, lane, cause).await?
            }
        };
        acknowledge(delivery).await?;
        Ok(settled)
    }

    /// Puts a job that was not done at the end of its lane, as it is. Given back, it would cost a delivery count, and pauses
    /// one after the other would use them up.
    ///
    /// # Errors
    /// [`QueueError`]; the delivery is unanswered then.
    pub async fn put_back(&self, delivery: &Delivery) -> Result<(), QueueError> {
        let lane = delivery.lane.unwrap_or(Lane::Fetch);
        self.publisher.publish(&delivery.message, Destination::Work(lane)).await?;
        acknowledge(delivery).await
    }

    async fn snooze(
        &self,
        message: &Message,
        lane: Lane,
        started_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Settled, Unsettled> {
        let snoozed = message.clone().failed(Cause::UNFINISHED.class, None, false, now);
        // A call that does not say when it started, or says a time to come, is as old as our first look at it.
        let first_seen_at = snoozed.failure.as_ref().and_then(|failure| failure.first_failed_at.parse().ok());
        let age = now - [started_at, first_seen_at].into_iter().flatten().min().unwrap_or(now);
        if age >= LONGEST_CALL {
            return self.bury(&snoozed, lane, Cause::UNFINISHED).await;
        }
        let delay = self.publisher.topology().unfinished_delay(age);
        self.publisher.publish(&snoozed, Destination::Unfinished(delay, lane)).await?;
        Ok(Settled::Snoozed)
    }

    async fn retry(
        &self,
        message: &Message,
        lane: Lane,
        cause: Cause,
        now: DateTime<Utc>,
    ) -> Result<Settled, Unsettled> {
        let failed = message.clone().failed(cause.class, cause.http_status, true, now);
        match self.ladder.rung(failed.attempt) {
            Some(delay) => {
                self.publisher.publish(&failed, Destination::Retry(delay, lane)).await?;
                Ok(Settled::Retried)
            }
            None => self.bury(&failed, lane, cause).await,
        }
    }

    /// The book first: what it says is dead and lies in no queue can be replayed from it; the reverse would be unknown.
    async fn bury(&self, message: &Message, lane: Lane, cause: Cause) -> Result<Settled, Unsettled> {
        let death = death(message, lane, cause);
        let conversation_id = death.conversation_id.clone();
        if !self.database.transaction(move |connection| book::record_death(connection, &death)).await? {
            log::info!(conversation_id, class = cause.class; "{conversation_id} failed ({}), but is settled already", cause.class);
            return Ok(Settled::Stored);
        }
        self.publisher.publish(message, Destination::Dead).await?;
        log::warn!(
            conversation_id, class = cause.class, attempt = message.attempt;
            "{conversation_id} is set aside: {} after {} spent attempts", cause.class, message.attempt
        );
        Ok(Settled::Dead)
    }
}

async fn acknowledge(delivery: &Delivery) -> Result<(), QueueError> {
    if !delivery.ack().await? {
        log::debug!("an answer came too late for its channel; the job will be delivered again");
    }
    Ok(())
}

/// What the book says of it.
fn death(message: &Message, lane: Lane, cause: Cause) -> Death {
    let job = message.job().ok();
    Death {
        conversation_id: message.book_id(),
        agent_id: job.as_ref().and_then(|job| job.agent_id.as_ref()).map(ToString::to_string),
        run_id: job.and_then(|job| job.run_id),
        lane: lane.as_str(),
        class: cause.class.to_owned(),
        http_status: cause.http_status,
        attempts: message.attempt,
        replays: message.replays,
    }
}
