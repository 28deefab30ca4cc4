//! One call that has just ended, while the worker waits: how long from the list to its row.

use std::time::Duration;

use anyhow::Context;

use super::Bench;
use crate::job::{Job, Place, stop};
use crate::machine::SPAN;
use crate::report::{Row, Sample, Unit};
use crate::tables::Tables;

/// Calls, one after the other.
const TIMES: u32 = 20;

/// Stored before, so that nothing is done for the first time.
const BEFORE: u32 = 30;

const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Each call is added, and `producer sync` run.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let simulator = bench.machine.simulator(BEFORE, SPAN)?;
    let place = Place::new(&bench.machine, &simulator);
    Job::sync(BEFORE, 1, 8).run_at(&place).await?;
    let mut tables = Tables::of(&place.database);
    let workers = place.workers(1, &[]).await?;
    let mut samples = Vec::new();
    for time in 0..if bench.plan.is_quick { 3 } else { TIMES } {
        bench.line.set_message(format!("call {}", time + 1));
        simulator.control.add(1).await?;
        simulator.control.reset().await?;
        let producer = place.start("producer", &["sync"], &[])?;
        let stored_at = tables.reached(u64::from(BEFORE + time) + 1, LOOK_EVERY).await?;
        producer.finished()?;
        let listed_at =
            simulator.control.served().await?.last_list_unix_us.context("a page was asked for")?;
        let micros = Duration::from_micros(stored_at.saturating_sub(listed_at));
        samples.push(Sample::new(1, micros.as_secs_f64()));
    }
    stop(workers)?;
    Ok(vec![Row::new("fresh", "from the list to its row", Unit::Millis, samples)?])
}
