//! What processes cost: CPU time and peak memory, as Linux counts them.

mod process;
mod servers;
mod stat;

pub(crate) use process::{Running, Usage};
pub(crate) use servers::Servers;

/// CPU time that a run took, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerCpu {
    /// Of the simulator.
    pub(crate) simulator: f64,
    /// Of PostgreSQL, all its processes.
    pub(crate) postgres: Option<f64>,
    /// Of RabbitMQ.
    pub(crate) rabbitmq: Option<f64>,
}

/// CPU time of this process so far, seconds.
pub(crate) fn own_cpu_secs() -> f64 {
    stat::Stat::read(std::process::id()).map_or(0.0, |stat| stat.cpu_secs)
}

impl ServerCpu {
    /// What has come to this since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        let part = |now: Option<f64>, before: Option<f64>| Some(now? - before?);
        Self {
            simulator: self.simulator - before.simulator,
            postgres: part(self.postgres, before.postgres),
            rabbitmq: part(self.rabbitmq, before.rabbitmq),
        }
    }
}
