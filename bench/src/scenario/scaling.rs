//! More workers, 50 ms a call, 8 requests in flight each: how much faster several are than one.

use super::Bench;
use super::latency::LATENCY_MS;
use crate::job::{Job, Since};
use crate::report::{Row, Sample, Unit};

/// Each worker's share, so that all runs last equally long: 80 rounds of 8.
const CALLS_PER_WORKER: u32 = 640;

const IN_FLIGHT_EACH: usize = 8;

pub(crate) const WORKERS: [u32; 4] = [1, 2, 4, 8];

/// Every number of workers in each round.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let each = bench.plan.calls(CALLS_PER_WORKER) / if bench.plan.is_quick { 8 } else { 1 };
    let mut simulators = Vec::new();
    for workers in WORKERS {
        let simulator = bench.simulator(each * workers).await?;
        simulator.control.latency(LATENCY_MS).await?;
        simulators.push((workers, simulator));
    }
    let mut samples: Vec<Vec<Sample>> = vec![vec![]; WORKERS.len()];
    for run in 0..bench.plan.runs {
        for ((workers, simulator), samples) in simulators.iter().zip(&mut samples) {
            bench.progress(&format!("{workers} workers"), run);
            let job = Job::sync(each * workers, usize::try_from(*workers)?, IN_FLIGHT_EACH);
            let job = Job { since: Since::FirstDetail, ..job };
            samples.push(job.run(&bench.machine, simulator).await?);
        }
    }
    let mut rows = Vec::new();
    for (workers, mut samples) in WORKERS.into_iter().zip(samples) {
        for sample in &mut samples {
            sample.fact("workers", workers.into());
        }
        let name = format!("{workers} × {IN_FLIGHT_EACH} in flight");
        let row = Row::new("scaling", &name, Unit::CallsPerSec, samples)?;
        rows.push(match rows.first() {
            Some(one) => row.beside(one),
            None => row,
        });
    }
    Ok(rows)
}
