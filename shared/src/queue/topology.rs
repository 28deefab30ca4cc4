//! Every name and argument at the broker. Arguments are frozen once a queue exists (a change is a 406), so a new value is
//! a new queue name.

use std::time::Duration;

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::{Lane, QueueError};
use crate::config::AmqpConfig;

/// A job that killed its worker this often is dead-lettered by the broker itself. Set always: none means 20 on RabbitMQ 4
/// and no limit on 3.10, where −1 is destructive.
const WORK_DELIVERY_LIMIT: i64 = 20;

/// Queues that nothing is worked from never lose a message for being looked at often.
const STORE_DELIVERY_LIMIT: i64 = 1_000_000;

/// A call younger than this waits on the shorter of the two unfinished queues.
const YOUNG: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// The routing key of `….dead`.
const DEAD: &str = "dead";

/// Where a message can go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Destination {
    /// To be worked: `089.fetch` or `089.backfill`.
    Work(Lane),
    /// To wait after a failure, `089.retry.<delay>`, and come back to its lane.
    Retry(Duration, Lane),
    /// To wait for its call to be finished, `089.unfinished.<delay>`, and come back to its lane.
    Unfinished(Duration, Lane),
    /// Given up: `089.dead`.
    Dead,
}

/// The names of one namespace.
#[derive(Clone, Debug)]
pub struct Topology {
    namespace: String,
    retry_delays: Vec<Duration>,
    unfinished_delays: [Duration; 2],
}

impl Topology {
    /// The names that the configuration gives.
    #[must_use]
    pub fn new(config: &AmqpConfig) -> Self {
        Self {
            namespace: config.namespace.clone(),
            retry_delays: config.retry_delays.clone(),
            unfinished_delays: config.unfinished_delays,
        }
    }

    /// The queue where a message for this destination comes to lie.
    #[must_use]
    pub fn queue(&self, destination: Destination) -> String {
        let namespace = &self.namespace;
        match destination {
            Destination::Work(lane) => format!("{namespace}.{lane}"),
            Destination::Retry(delay, _) => format!("{namespace}.retry.{}", compact(delay)),
            Destination::Unfinished(delay, _) => format!("{namespace}.unfinished.{}", compact(delay)),
            Destination::Dead => format!("{namespace}.{DEAD}"),
        }
    }

    /// Exchange and routing key for this destination. A waiting queue has a fanout exchange of its own name, so that the
    /// lane survives as the routing key.
    pub(super) fn address(&self, destination: Destination) -> (String, &'static str) {
        match destination {
            Destination::Work(lane) => (self.namespace.clone(), lane.as_str()),
            Destination::Retry(_, lane) | Destination::Unfinished(_, lane) => {
                (self.queue(destination), lane.as_str())
            }
            Destination::Dead => (self.namespace.clone(), DEAD),
        }
    }

    /// The queue at such an address.
    pub(super) fn queue_at(&self, exchange: &str, routing_key: &str) -> String {
        if exchange == self.namespace { format!("{exchange}.{routing_key}") } else { exchange.to_owned() }
    }

    /// How long a call that is not finished waits, `age` after its start.
    #[must_use]
    pub fn unfinished_delay(&self, age: chrono::TimeDelta) -> Duration {
        self.unfinished_delays[usize::from(age >= YOUNG)]
    }

    /// The queues that `consumer --drain` waits to find empty: the rungs shorter than `wait`, and then the lanes, in the
    /// direction in which messages move.
    #[must_use]
    pub fn drained_queues(&self, wait: Duration) -> Vec<String> {
        let lanes = Lane::ALL.into_iter().map(Destination::Work);
        let rungs = self.retry_delays.iter().filter(|&&delay| delay < wait);
        rungs
            .map(|&delay| Destination::Retry(delay, Lane::Fetch))
            .chain(lanes)
            .map(|to| self.queue(to))
            .collect()
    }

    /// The queues where a job waits to come back to its lane.
    #[must_use]
    pub fn waiting_queues(&self) -> Vec<String> {
        self.waiting().map(|(_, destination)| self.queue(destination)).collect()
    }

    /// How long a job waits that climbs the whole ladder.
    #[must_use]
    pub fn ladder_span(&self) -> Duration {
        self.retry_delays.iter().sum()
    }

    fn waiting(&self) -> impl Iterator<Item = (Duration, Destination)> {
        let retries = self.retry_delays.iter().map(|&delay| (delay, Destination::Retry(delay, Lane::Fetch)));
        let unfinished =
            self.unfinished_delays.iter().map(|&delay| (delay, Destination::Unfinished(delay, Lane::Fetch)));
        retries.chain(unfinished)
    }

    /// Every queue, in the order in which a job may come by them.
    #[must_use]
    pub fn destinations(&self) -> Vec<Destination> {
        let lanes = Lane::ALL.into_iter().map(Destination::Work);
        lanes.chain(self.waiting().map(|(_, destination)| destination)).chain([Destination::Dead]).collect()
    }

    /// The exchange that the lanes and the dead letters are bound to.
    pub(super) fn exchange(&self) -> &str {
        &self.namespace
    }

    /// Everything that is declared, the dead letters' queue first: others lead there.
    pub(super) fn declarations(&self) -> Vec<Declaration> {
        let lanes = Lane::ALL.map(Destination::Work);
        let bound = [Destination::Dead].into_iter().chain(lanes).map(|destination| {
            let arguments = match destination {
                Destination::Dead => quorum(STORE_DELIVERY_LIMIT),
                _ => dead_lettering(quorum(WORK_DELIVERY_LIMIT), &self.namespace, Some(DEAD)),
            };
            let (exchange, routing_key) = self.address(destination);
            let kind = ExchangeKind::Direct;
            Declaration { queue: self.queue(destination), arguments, exchange, kind, routing_key }
        });
        let waiting = self.waiting().map(|(delay, destination)| {
            let mut arguments = dead_lettering(quorum(STORE_DELIVERY_LIMIT), &self.namespace, None);
            let millis = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
            arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(millis));
            let (queue, kind) = (self.queue(destination), ExchangeKind::Fanout);
            Declaration { exchange: queue.clone(), queue, arguments, kind, routing_key: "" }
        });
        bound.chain(waiting).collect()
    }

    /// Declares everything; what is there already is left as it is.
    pub(super) async fn declare(&self, channel: &lapin::Channel) -> Result<(), QueueError> {
        for declaration in self.declarations() {
            declaration.declare(channel).await?;
        }
        Ok(())
    }

    /// Deletes everything of this namespace, with all messages. For tests.
    ///
    /// # Errors
    /// [`QueueError`] when the broker is lost.
    #[cfg(feature = "testing")]
    pub async fn delete(&self, broker: &super::Broker) -> Result<(), QueueError> {
        use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
        let channel = broker.channel().await?;
        for destination in self.destinations() {
            let queue = self.queue(destination);
            channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
            channel.exchange_delete(queue.as_str().into(), ExchangeDeleteOptions::default()).await?;
        }
        channel.exchange_delete(self.namespace.as_str().into(), ExchangeDeleteOptions::default()).await?;
        Ok(())
    }
}

fn quorum(delivery_limit: i64) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(delivery_limit));
    arguments
}

/// At-least-once: a message leaves only when its target has confirmed it. It needs `reject-publish`, or the broker falls
/// back to at-most-once without a word.
fn dead_lettering(mut arguments: FieldTable, exchange: &str, routing_key: Option<&str>) -> FieldTable {
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString(exchange.into()));
    if let Some(routing_key) = routing_key {
        arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(routing_key.into()));
    }
    arguments.insert("x-dead-letter-strategy".into(), AMQPValue::LongString("at-least-once".into()));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    arguments
}

/// A queue, and the exchange that it is bound to.
#[derive(Debug)]
pub(super) struct Declaration {
    queue: String,
    arguments: FieldTable,
    exchange: String,
    kind: ExchangeKind,
    routing_key: &'static str,
}

impl Declaration {
    pub(super) async fn declare(&self, channel: &lapin::Channel) -> Result<(), QueueError> {
        self.try_declare(channel).await.map_err(|error| QueueError::declaring(&error))
    }

    async fn try_declare(&self, channel: &lapin::Channel) -> lapin::Result<()> {
        let Self { queue, exchange, .. } = self;
        let (queue, exchange) = (queue.as_str(), exchange.as_str());
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        channel.exchange_declare(exchange.into(), self.kind.clone(), durable, FieldTable::default()).await?;
        let arguments = self.arguments.clone();
        channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await?;
        let (bind, none) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue.into(), exchange.into(), self.routing_key.into(), bind, none).await
    }
}

/// A duration in its largest whole unit: `15s`, `1m`, `90s`, `1h`.
fn compact(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let whole = units.into_iter().find(|(unit, _)| millis >= *unit && millis.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{millis}ms"), |(unit, name)| format!("{}{name}", millis / unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn queues_are_named_as_the_contract_says() {
        let topology = Topology::new(&Environment::default().read().expect("defaults"));
        let queues: Vec<_> = topology.destinations().into_iter().map(|to| topology.queue(to)).collect();
        let expected = [
            "089.fetch",
            "089.backfill",
            "089.retry.15s",
            "089.retry.1m",
            "089.retry.5m",
            "089.retry.15m",
            "089.retry.1h",
            "089.unfinished.1m",
            "089.unfinished.15m",
            "089.dead",
        ];
        assert_eq!(queues, expected);
        let drained = topology.drained_queues(Duration::from_mins(1));
        assert_eq!(drained, ["089.retry.15s", "089.fetch", "089.backfill"]);
    }

    #[test]
    fn durations_are_written_in_their_largest_whole_unit() {
        for (millis, expected) in
            [(200, "200ms"), (1_500, "1500ms"), (60_000, "1m"), (90_000, "90s"), (7_200_000, "2h")]
        {
            assert_eq!(compact(Duration::from_millis(millis)), expected);
        }
    }
}
