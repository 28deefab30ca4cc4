//! An API that takes 50 ms for each call: how much of what may be in flight is.

use super::Bench;
use crate::bare::Share;
use crate::job::{self, Job, Since};
use crate::report::{Row, Unit};

/// 160 rounds of 64: a round that is not full would count as slowness, and so does the first job, which is worked alone.
const CALLS: u32 = 10_240;

pub(super) const LATENCY_MS: u32 = 50;

/// Requests in flight, of all workers together.
const IN_FLIGHT: u32 = 64;

/// One worker with 64 requests in flight, two with 32, and the reference, which shows what can be reached here.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let calls = bench.plan.calls(CALLS);
    let simulator = bench.simulator(calls).await?;
    simulator.control.latency(LATENCY_MS).await?;
    let (mut one, mut two, mut bare) = (vec![], vec![], vec![]);
    for run in 0..bench.plan.runs {
        for (workers, samples) in [(1, &mut one), (2, &mut two)] {
            bench.progress(&format!("{workers} × {}", IN_FLIGHT / workers), run);
            let concurrency = usize::try_from(IN_FLIGHT / workers)?;
            let job =
                Job { since: Since::FirstDetail, ..Job::sync(calls, usize::try_from(workers)?, concurrency) };
            samples.push(job.run(&bench.machine, &simulator).await?);
        }
        bench.progress("bare", run);
        let concurrency = usize::try_from(IN_FLIGHT)?;
        bare.push(job::reference(&bench.machine, &simulator, Share::Consume, calls, concurrency).await?);
    }
    let ideal = f64::from(IN_FLIGHT) * 1000.0 / f64::from(LATENCY_MS);
    let row = |name: &str, samples| -> anyhow::Result<Row> {
        Ok(Row::new("latency", name, Unit::CallsPerSec, samples)?.beside_ideal("64 / 50 ms", ideal))
    };
    Ok(vec![row("1 worker × 64", one)?, row("2 workers × 32", two)?, row("bare × 64", bare)?])
}
