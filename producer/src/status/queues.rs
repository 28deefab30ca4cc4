//! What the broker says of the queues, by their own counts.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use shared::config::AmqpConfig;
use shared::process;
use shared::queue::{Broker, Destination, Look, ManagedConsumer, Management, ManagementError, QueueError};

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
    /// How many consume it. Those of one channel, by which a worker holds more than in the beginning, count once; where the
    /// management API does not tell, each counts.
    pub(super) consumers: u32,
    /// What these hold together at most.
    #[serde(skip)]
    may_hold: u64,
}

impl Queues {
    /// Jobs that are on their way: they wait, or a consumer holds them. While a lane has a backlog, jobs change hands between
    /// one count and the next, so that consumers count as holding all that they may.
    pub(super) fn on_their_way(&self) -> u64 {
        let of_queue = |queue: &Queue| {
            let waiting = u64::from(queue.waiting.unwrap_or(0));
            let held = queue.held.unwrap_or(0);
            waiting + if waiting > 0 { held.max(queue.may_hold) } else { held }
        };
        self.queues.iter().filter(|queue| queue.kind != Kind::Dead).map(of_queue).sum()
    }
}

/// Looks at every queue; a consumer of which nothing else is known holds at most `prefetch`. Nothing is declared, and
/// nothing is taken.
pub(super) async fn look(config: &AmqpConfig, prefetch: u16) -> Result<Queues, QueueError> {
    let broker = Broker::open(config, &process::name("producer")).await?;
    let (managed, held_unknown) = match Managed::look(config).await {
        Ok(managed) => (managed, None),
        Err(reason) => (Managed::default(), Some(reason)),
    };
    let mut queues = Vec::new();
    for destination in broker.topology().destinations() {
        let name = broker.topology().queue(destination);
        let look = broker.look(&name).await?;
        let consumers = look.map_or(0, |look| look.consumers);
        let (consumers, may_hold) = managed.consumers(&name, consumers, prefetch);
        queues.push(Queue {
            kind: match destination {
                Destination::Work(_) => Kind::Lane,
                Destination::Retry(..) => Kind::Retry,
                Destination::Unfinished(..) => Kind::Unfinished,
                Destination::Dead => Kind::Dead,
            },
            waiting: look.map(|look: Look| look.messages),
            held: managed.held.get(&name).copied(),
            consumers,
            may_hold,
            name,
        });
    }
    broker.close().await;
    Ok(Queues { queues, held_unknown })
}

/// What only the management API tells.
#[derive(Debug, Default)]
struct Managed {
    held: HashMap<String, u64>,
    consumers: Vec<ManagedConsumer>,
}

impl Managed {
    /// Looks, or says why it is unknown.
    async fn look(config: &AmqpConfig) -> Result<Self, String> {
        let Some(management) = Management::new(config).map_err(said)? else {
            return Err("AMQP_MANAGEMENT_URL is not set".to_owned());
        };
        let queues = management.queues(&config.namespace).await.map_err(said)?;
        let held = queues.into_iter().filter_map(|queue| Some((queue.name, queue.held?))).collect();
        // It may be that its user sees the queues alone.
        let consumers = management.consumers(&config.namespace).await.unwrap_or_default();
        Ok(Self { held, consumers })
    }

    /// Of a queue that has so many consumers: how many channels those are, and what they hold at most.
    fn consumers(&self, queue: &str, count: u32, prefetch: u16) -> (u32, u64) {
        let told: Vec<_> = self.consumers.iter().filter(|consumer| consumer.queue == queue).collect();
        // The management API is seconds behind.
        if u32::try_from(told.len()) != Ok(count) {
            return (count, u64::from(count) * u64::from(prefetch));
        }
        let channels: HashSet<_> = told.iter().map(|consumer| &consumer.channel).collect();
        let may_hold = told.iter().map(|consumer| consumer.prefetch).sum();
        (u32::try_from(channels.len()).unwrap_or(count), may_hold)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of an error")]
fn said(error: ManagementError) -> String {
    error.to_string()
}
