//! `WORKER_*`: how much a worker holds, and how it batches.

use std::time::Duration;

use super::{Environment, FromEnvironment, Problems, Section};

/// How much a worker holds, and how it batches.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// `WORKER_PREFETCH`: most deliveries held, per lane.
    pub prefetch: u16,
    /// `WORKER_BATCH_SIZE`: most rows in a transaction.
    pub batch_size: usize,
    /// `WORKER_BATCH_DELAY`: how long the first row of a batch waits for others.
    pub batch_delay: Duration,
}

impl FromEnvironment for WorkerConfig {
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
        let mut section = Section::new(environment, "WORKER_", problems);
        let prefetch = section.number("prefetch", 512, 1, u16::MAX);
        let batch_size = section.number("batch_size", 128, 1, 10_000);
        let batch_delay = section.duration("batch_delay", Duration::from_millis(30));
        section.finish();
        Some(Self { prefetch: prefetch?, batch_size: batch_size?, batch_delay: batch_delay? })
    }
}
