//! A backlog of 2,000, 20,000 and 200,000 calls: throughput and memory must not depend on it.

use super::{Bench, CONCURRENCY};
use crate::bare::Share;
use crate::job::{self, Job};
use crate::report::{Row, Unit};

/// Calls, and the most runs of so many.
const BACKLOGS: [(u32, usize); 3] = [(2_000, usize::MAX), (20_000, 3), (200_000, 1)];

/// `producer backfill` with a worker that waits; each run is followed by one of the reference.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let machine = &bench.machine;
    let mut rows = Vec::new();
    for (backlog, most_runs) in BACKLOGS {
        let plan = bench.plan.at_most(most_runs);
        let calls = if plan.is_quick { backlog / 1_000 } else { backlog };
        let simulator = bench.simulator(calls).await?;
        let verb = ["backfill".to_owned()].into_iter().chain(machine.period()).collect();
        let job = Job { verb, ..Job::sync(calls, 1, CONCURRENCY) };
        let (mut ours, mut bare) = (vec![], vec![]);
        for run in 0..plan.runs {
            bench.progress(&format!("{backlog} calls"), run);
            ours.push(job.run(machine, &simulator).await?);
            bare.push(job::reference(machine, &simulator, Share::Whole, calls, CONCURRENCY).await?);
        }
        let bare = Row::new("backlog", &format!("bare, {calls} calls"), Unit::CallsPerSec, bare)?;
        rows.push(Row::new("backlog", &format!("{calls} calls"), Unit::CallsPerSec, ours)?.beside(&bare));
        rows.push(bare);
    }
    Ok(rows)
}
