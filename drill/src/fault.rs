//! What can go wrong, and how often it does.

use std::fmt;
use std::ops::Range;

/// What can be asked of the producer beside its passes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// `backfill`, of the whole history.
    Backfill,
    /// `reconcile`.
    Reconcile,
    /// `reconcile --refetch`, of the last hours.
    Refetch,
    /// `dead replay`, of some.
    Replay,
    /// `dead discard`, of some.
    Discard,
    /// `dead discard --undo`, of some.
    Undo,
}

/// Between which two a network fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Link {
    /// Our processes and the API.
    Api,
    /// Our processes and RabbitMQ.
    Broker,
    /// Our processes and PostgreSQL.
    Database,
}

/// How the API fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Storm {
    /// 429 with a Retry-After, for most requests.
    Throttled,
    /// Most requests are a 5xx.
    Failing,
    /// All requests are a 503.
    Outage,
    /// Half of the requests are a page of HTML, with status 200 or 502.
    Html,
    /// Half of the connections are cut, before the answer or within.
    Dropped,
    /// The details of a third of the calls are broken.
    Malformed,
    /// Half of the bodies drip.
    Slow,
    /// Answers come later than anybody waits.
    Silent,
    /// The key is refused.
    KeyRefused,
}

/// One fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// SIGKILL of a worker.
    WorkerKilled(usize),
    /// SIGTERM of a worker.
    WorkerStopped(usize),
    /// SIGSTOP of a worker, and SIGCONT.
    WorkerFrozen(usize),
    /// SIGKILL of `producer watch`.
    ProducerKilled,
    /// SIGTERM of `producer watch`.
    ProducerStopped,
    /// RabbitMQ is stopped, and started.
    BrokerStopped,
    /// RabbitMQ is killed, and started.
    BrokerKilled,
    /// PostgreSQL restarts: `pg_ctl restart -m fast`.
    DatabaseRestarted,
    /// PostgreSQL crashes and recovers: `pg_ctl restart -m immediate`.
    DatabaseCrashed,
    /// `pg_terminate_backend` of all of our sessions.
    SessionsTerminated,
    /// The database's disk is full.
    DiskFull,
    /// Connections break, and no new one lasts.
    Cut(Link),
    /// Connections stay, and nothing arrives on them.
    Stalled(Link),
    /// The API fails.
    Storm(Storm),
    /// A verb runs beside everything else.
    Verb(Verb),
    /// A verb is killed on its way.
    VerbKilled(Verb),
}

/// What fails by turns: two faults of one lane never overlap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lane {
    /// The workers.
    Workers,
    /// `producer watch`.
    Producer,
    /// RabbitMQ.
    Broker,
    /// PostgreSQL.
    Database,
    /// The networks between them.
    Network,
    /// The API.
    Api,
    /// People at the command line.
    People,
}

/// How a lane goes: milliseconds between two faults, and how long one lasts.
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    pub(crate) gap_ms: Range<u64>,
    pub(crate) lasts_ms: Range<u64>,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Workers, Self::Producer, Self::Broker, Self::Database, Self::Network, Self::Api, Self::People];

    /// Whether its faults keep everybody from working.
    pub(crate) fn is_outage(self) -> bool {
        !matches!(self, Self::Workers | Self::People)
    }

    pub(crate) fn rhythm(self) -> Rhythm {
        let (gap_ms, lasts_ms) = match self {
            Self::Workers => (2_000..5_500, 500..5_000),
            Self::Producer => (5_000..13_000, 100..3_000),
            // A start takes it several seconds more.
            Self::Broker => (20_000..34_000, 0..5_000),
            Self::Database => (7_000..13_000, 3_000..8_000),
            Self::Network => (6_000..11_000, 1_000..5_000),
            Self::Api => (2_500..6_000, 1_500..4_500),
            // The time after which a verb is killed; one that is not takes its time.
            Self::People => (2_500..6_000, 50..1_500),
        };
        Rhythm { gap_ms, lasts_ms }
    }

    /// What happens in the lane until it begins anew; `worker` draws one.
    pub(crate) fn round(self, mut worker: impl FnMut() -> usize) -> Vec<Fault> {
        match self {
            Self::Workers => vec![
                Fault::WorkerKilled(worker()),
                Fault::WorkerKilled(worker()),
                Fault::WorkerStopped(worker()),
                Fault::WorkerFrozen(worker()),
            ],
            // A kill costs a minute without passes.
            Self::Producer => vec![
                Fault::ProducerKilled,
                Fault::ProducerStopped,
                Fault::ProducerStopped,
                Fault::ProducerStopped,
            ],
            Self::Broker => vec![Fault::BrokerStopped, Fault::BrokerKilled],
            Self::Database => vec![
                Fault::DatabaseRestarted,
                Fault::DatabaseCrashed,
                Fault::SessionsTerminated,
                Fault::DiskFull,
            ],
            Self::Network => [Link::Api, Link::Broker, Link::Database]
                .into_iter()
                .flat_map(|link| [Fault::Cut(link), Fault::Stalled(link)])
                .collect(),
            Self::Api => Storm::ALL.map(Fault::Storm).into(),
            Self::People => vec![
                Fault::Verb(Verb::Backfill),
                Fault::VerbKilled(Verb::Backfill),
                Fault::Verb(Verb::Reconcile),
                Fault::Verb(Verb::Refetch),
                Fault::Verb(Verb::Replay),
                Fault::VerbKilled(Verb::Replay),
                Fault::Verb(Verb::Discard),
                Fault::VerbKilled(Verb::Discard),
                Fault::Verb(Verb::Undo),
            ],
        }
    }
}

impl Storm {
    const ALL: [Self; 9] = [
        Self::Throttled,
        Self::Failing,
        Self::Outage,
        Self::Html,
        Self::Dropped,
        Self::Malformed,
        Self::Slow,
        Self::Silent,
        Self::KeyRefused,
    ];
}

impl Fault {
    /// What it is counted as.
    #[must_use]
    pub fn kind(self) -> String {
        match self {
            Self::WorkerKilled(_) => "worker: SIGKILL".to_owned(),
            Self::WorkerStopped(_) => "worker: SIGTERM".to_owned(),
            Self::WorkerFrozen(_) => "worker: SIGSTOP, SIGCONT".to_owned(),
            Self::ProducerKilled => "producer watch: SIGKILL".to_owned(),
            Self::ProducerStopped => "producer watch: SIGTERM".to_owned(),
            Self::BrokerStopped => "broker: stop, start".to_owned(),
            Self::BrokerKilled => "broker: kill -9, start".to_owned(),
            Self::DatabaseRestarted => "database: restart, fast".to_owned(),
            Self::DatabaseCrashed => "database: restart, immediate".to_owned(),
            Self::SessionsTerminated => "database: pg_terminate_backend".to_owned(),
            Self::DiskFull => "database: disk full".to_owned(),
            Self::Cut(link) => format!("network: {link} cut"),
            Self::Stalled(link) => format!("network: {link} stalled"),
            Self::Storm(storm) => format!("API: {storm}"),
            Self::Verb(verb) => format!("producer {verb}"),
            Self::VerbKilled(verb) => format!("producer {verb}: SIGKILL"),
        }
    }

    pub(crate) fn is_kill(self) -> bool {
        matches!(self, Self::WorkerKilled(_) | Self::ProducerKilled | Self::VerbKilled(_))
    }

    /// Whether a turn of a pass or a verb is lost with its holder.
    pub(crate) fn costs_a_turn(self) -> bool {
        self != self.without_turn_lost()
    }

    /// The same without a kill of whoever holds a turn.
    pub(crate) fn without_turn_lost(self) -> Self {
        match self {
            Self::ProducerKilled => Self::ProducerStopped,
            Self::VerbKilled(verb) => Self::Verb(verb),
            other => other,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.kind())?;
        match self {
            Self::WorkerKilled(worker) | Self::WorkerStopped(worker) | Self::WorkerFrozen(worker) => {
                write!(formatter, " ({})", worker + 1)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Backfill => "backfill",
            Self::Reconcile => "reconcile",
            Self::Refetch => "reconcile --refetch",
            Self::Replay => "dead replay",
            Self::Discard => "dead discard",
            Self::Undo => "dead discard --undo",
        })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Api => "API",
            Self::Broker => "broker",
            Self::Database => "database",
        })
    }
}

impl fmt::Display for Storm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Throttled => "429 for most",
            Self::Failing => "5xx for most",
            Self::Outage => "503 for all",
            Self::Html => "HTML for half",
            Self::Dropped => "half dropped",
            Self::Malformed => "garbage for a third",
            Self::Slow => "half drip",
            Self::Silent => "no answer in time",
            Self::KeyRefused => "key refused",
        })
    }
}
