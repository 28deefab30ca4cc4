//! An API that answers at once: producer and one worker beside the bare reference, which does the same in one process.

use super::{Bench, CONCURRENCY};
use crate::bare::Share;
use crate::job::{self, Job, Since};
use crate::report::{Row, Unit};

const CALLS: u32 = 5_000;

/// The whole job, and the workers' part of it; each run is followed by one of the reference.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let (machine, calls) = (&bench.machine, bench.plan.calls(CALLS));
    let simulator = bench.simulator(calls).await?;
    let whole = Job::sync(calls, 1, CONCURRENCY);
    let filled = Job { is_filled: true, since: Since::FirstDetail, ..whole.clone() };
    let (mut ours, mut bare, mut ours_filled, mut bare_filled, mut no_queue) =
        (vec![], vec![], vec![], vec![], vec![]);
    for run in 0..bench.plan.runs {
        bench.progress("the whole job", run);
        ours.push(whole.run(machine, &simulator).await?);
        bare.push(job::reference(machine, &simulator, Share::Whole, calls, CONCURRENCY).await?);
        bench.progress("a filled queue", run);
        ours_filled.push(filled.run(machine, &simulator).await?);
        bare_filled.push(job::reference(machine, &simulator, Share::Consume, calls, CONCURRENCY).await?);
        bench.progress("without a queue", run);
        no_queue.push(job::reference(machine, &simulator, Share::NoQueue, calls, CONCURRENCY).await?);
    }
    let row = |name: &str, samples| Row::new("no-latency", name, Unit::CallsPerSec, samples);
    let (bare, bare_filled) = (row("bare whole job", bare)?, row("bare filled queue", bare_filled)?);
    Ok(vec![
        row("whole job", ours)?.beside(&bare),
        bare,
        row("filled queue", ours_filled)?.beside(&bare_filled),
        bare_filled,
        row("bare, without a queue", no_queue)?,
    ])
}
