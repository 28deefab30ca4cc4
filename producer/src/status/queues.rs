//! What the broker says of the queues, by their own counts.

use std::collections::HashMap;

use serde::Serialize;
use shared::config::AmqpConfig;
use shared::process;
use shared::queue::{Broker, Destination, Look, Management, ManagementError, QueueError};

/// All queues, in the order in which a job may come by them.
#[derive(Debug, Serialize)]
pub(super) struct Queues {
    pub(super) queues: Vec<Queue>,
    /// Why it is not known what consumers hold.
    pub(super) held_unknown: Option<String>,
}

/// What a queue is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Lane,
    Retry,
    Unfinished,
    /// Its jobs are given up, and not on their way.
    Dead,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// `None`: there is no such queue yet.
    pub(super) waiting: Option<u32>,
    /// `None`: unknown.
    pub(super) held: Option<u64>,
    pub(super) consumers: u32,
}

impl Queues {
    /// Jobs that are on their way: they wait, or a consumer holds them. While a lane has a backlog, jobs change hands between
    /// one count and the next, so that a consumer counts as holding all that it may.
    pub(super) fn on_their_way(&self, prefetch: u16) -> u64 {
        let of_queue = |queue: &Queue| {
            let waiting = u64::from(queue.waiting.unwrap_or(0));
            let may_hold = u64::from(queue.consumers) * u64::from(prefetch);
            waiting + queue.held.unwrap_or(0).max(if waiting > 0 { may_hold } else { 0 })
        };
        self.queues.iter().filter(|queue| queue.kind != Kind::Dead).map(of_queue).sum()
    }
}

/// Looks at every queue. Nothing is declared, and nothing is taken.
pub(super) async fn look(config: &AmqpConfig) -> Result<Queues, QueueError> {
    let broker = Broker::open(config, &process::name("producer")).await?;
    let (held, held_unknown) = match held(config).await {
        Ok(held) => (held, None),
        Err(reason) => (HashMap::new(), Some(reason)),
    };
    let mut queues = Vec::new();
    for destination in broker.topology().destinations() {
        let name = broker.topology().queue(destination);
        let look = broker.look(&name).await?;
        queues.push(Queue {
            kind: match destination {
                Destination::Work(_) => Kind::Lane,
                Destination::Retry(..) => Kind::Retry,
                Destination::Unfinished(..) => Kind::Unfinished,
                Destination::Dead => Kind::Dead,
            },
            waiting: look.map(|look: Look| look.messages),
            held: held.get(&name).copied(),
            consumers: look.map_or(0, |look| look.consumers),
            name,
        });
    }
    broker.close().await;
    Ok(Queues { queues, held_unknown })
}

/// How many jobs of each queue consumers hold, or why that is unknown.
async fn held(config: &AmqpConfig) -> Result<HashMap<String, u64>, String> {
    let Some(management) = Management::new(config).map_err(said)? else {
        return Err("AMQP_MANAGEMENT_URL is not set".to_owned());
    };
    let queues = management.queues(&config.namespace).await.map_err(said)?;
    Ok(queues.into_iter().filter_map(|queue| Some((queue.name, queue.held?))).collect())
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of an error")]
fn said(error: ManagementError) -> String {
    error.to_string()
}
