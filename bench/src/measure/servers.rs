//! The private servers' processes, if they can be seen: in containers they cannot.

use super::stat::Stat;

/// The processes of both servers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Servers {
    postmaster: Option<u32>,
    broker: Option<u32>,
}

impl Servers {
    /// From a backend of PostgreSQL, and from what RabbitMQ says that it is.
    pub(crate) fn new(backend: Option<u32>, broker: Option<u32>) -> Self {
        let is_called = |pid: u32, name: &str| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.contains(name))
        };
        let postmaster = backend.filter(|&pid| is_called(pid, "postgres")).and_then(Stat::read);
        Self {
            postmaster: postmaster.map(|backend| backend.parent).filter(|&pid| is_called(pid, "postgres")),
            broker: broker.filter(|&pid| is_called(pid, "beam")),
        }
    }

    /// CPU time of PostgreSQL, seconds: the processes that it has, and those that it had.
    pub(crate) fn postgres_secs(&self) -> Option<f64> {
        let postmaster = self.postmaster?;
        let mut own = Stat::read(postmaster)?;
        loop {
            let backends: f64 =
                Stat::all().filter(|stat| stat.parent == postmaster).map(|stat| stat.cpu_secs).sum();
            let now = Stat::read(postmaster)?;
            // One that has ended meanwhile would be counted twice, or not at all.
            if now.children_secs <= own.children_secs {
                return Some(now.cpu_secs + now.children_secs + backends);
            }
            own = now;
        }
    }

    /// CPU time of RabbitMQ, seconds.
    pub(crate) fn rabbitmq_secs(&self) -> Option<f64> {
        Some(Stat::read(self.broker?)?.cpu_secs)
    }
}
