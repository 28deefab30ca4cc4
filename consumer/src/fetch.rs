//! The first verb: asks the API for a conversation, has it read, and decides at the failing line what a failure means.

use std::sync::Arc;
use std::time::Duration;

use shared::database::RateBudget;
use shared::elevenlabs::{ApiError, Client, Detail};
use shared::ids::ConversationId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::outage::{Fault, Outage};
use crate::pace::{Backfill, Excess, Pace, Permit};
use crate::read::{Reader, Reading, Rows};
use crate::verdict::{Cause, Interruption, Unstored, Verdict};

/// Asks for conversations, at the pace that the API allows.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    reader: Reader,
    pace: Arc<Pace>,
    outage: Arc<Outage>,
}

impl Fetcher {
    /// A fetcher of at most `concurrency` requests at a time, and as many in a time as the budget gives.
    #[must_use]
    pub fn new(client: Client, reader: Reader, concurrency: usize, budget: RateBudget) -> Self {
        Self { client, reader, pace: Arc::new(Pace::new(concurrency, Some(budget))), outage: Arc::default() }
    }

    /// The client it asks with.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A session begins, with nothing under way.
    pub fn resumed(&self) {
        self.outage.resumed();
    }

    /// Pauses of the API since it last answered a job as it should.
    #[must_use]
    pub fn pauses(&self) -> u32 {
        self.outage.pauses()
    }

    /// How much of a cool-down that the API asked for is left.
    #[must_use]
    pub fn cool_down(&self) -> Duration {
        self.pace.cool_down(Instant::now())
    }

    /// Forgets a cool-down: a probe was answered.
    pub fn recovered(&self) {
        self.pace.recovered();
    }

    /// Most jobs that ask at a time.
    #[must_use]
    pub fn most(&self) -> u16 {
        self.pace.most()
    }

    /// Waits until another job may be begun.
    pub async fn permit(&self) -> Permit {
        self.pace.permit().await
    }

    /// Waits until that job may be an old call.
    pub async fn backfill(&self) -> Backfill {
        self.pace.backfill().await
    }

    /// Fetches a finished conversation, and has it read into rows; the permit is given back when its answer is handed over. A
    /// 429 is waited out. `ending` cancelled means that nothing new is begun.
    ///
    /// # Errors
    /// The verdict on the job, or an interruption that is not its fault.
    pub async fn fetch(
        &self,
        conversation_id: &ConversationId,
        mut permit: Permit,
        ending: &CancellationToken,
    ) -> Result<Rows, Unstored> {
        loop {
            let turn = tokio::select! {
                biased;
                () = ending.cancelled() => return Err(Interruption::Stopping.into()),
                turn = permit.turn() => turn,
            };
            let turn = turn.map_err(|error| {
                log::warn!("no share of ELEVENLABS_RATE_LIMIT: {error}");
                Interruption::Database
            })?;
            let answer = self.client.conversation_body(conversation_id).await;
            let now = Instant::now();
            let (began, took) = (turn.began, turn.took(now));
            drop(turn);
            match answer {
                Ok(body) => {
                    let reading = self.reader.take(body).await;
                    // The next request may go out while this answer is read; not while too many lie there unread.
                    drop(permit);
                    let reading = match reading.await {
                        Ok(reading) => reading,
                        Err(error) => return Err(self.refused(conversation_id, &error, took).await),
                    };
                    self.answered(took, now);
                    return match reading {
                        Reading::Rows(rows) => Ok(*rows),
                        Reading::Unfinished { started_at } => Err(Verdict::Snooze { started_at }.into()),
                    };
                }
                Err(ApiError::Throttled { retry_after, detail }) => {
                    let wave = self.pace.throttled(excess(&detail), retry_after, began, now).await;
                    wave.map_err(|_| Interruption::Throttled)?;
                }
                Err(error) => return Err(self.refused(conversation_id, &error, took).await),
            }
        }
    }

    fn answered(&self, took: Duration, now: Instant) {
        self.pace.answered(took, now);
        self.outage.answered();
    }

    async fn refused(&self, conversation_id: &ConversationId, error: &ApiError, took: Duration) -> Unstored {
        let now = Instant::now();
        log::debug!(conversation_id:%; "fetching {conversation_id} failed: {error}");
        match error {
            // A list that takes the key shows that the refusal is about this one conversation.
            ApiError::KeyRefused { .. } => match self.client.probe().await {
                Ok(()) => Verdict::Retry(error.into()).into(),
                Err(_) => Interruption::Key.into(),
            },
            ApiError::NotFound { .. } | ApiError::Refused { .. } => {
                self.answered(took, now);
                Verdict::Dead(error.into()).into()
            }
            error if error.is_service_level() => {
                if *error == ApiError::Timeout {
                    self.pace.timed_out(now);
                }
                let fault = self.outage.failed(conversation_id, &self.client).await;
                Unstored {
                    verdict: (fault != Fault::Api).then(|| Verdict::Retry(error.into())),
                    interruption: (fault != Fault::Job).then_some(Interruption::Api),
                }
            }
            error => {
                self.answered(took, now);
                Verdict::Retry(Cause::from(error)).into()
            }
        }
    }
}

/// Of what there was too much. The same fact has a name of today and an older one.
fn excess(detail: &Detail) -> Excess {
    const AT_ONCE: [&str; 3] = ["concurrent_limit_exceeded", "too_many_concurrent_requests", "system_busy"];
    if AT_ONCE.iter().any(|token| detail.says(token)) {
        Excess::AtOnce
    } else if detail.says("rate_limit_exceeded") {
        Excess::PerSecond
    } else {
        Excess::Unknown
    }
}
