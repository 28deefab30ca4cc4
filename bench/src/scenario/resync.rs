//! Everything once more, though nothing has changed: `producer reconcile --refetch` must write nothing.

use std::time::Duration;

use anyhow::Context;

use super::{Bench, CONCURRENCY};
use crate::control::Served;
use crate::job::{Job, Place, stop};
use crate::machine::Simulator;
use crate::report::{Row, Sample, Unit};
use crate::tables::Tables;

const CALLS: u32 = 5_000;

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A call that is not asked for so long after the one before will not be.
const LONGEST: Duration = Duration::from_mins(2);

/// Every row, and the transaction that wrote it.
const WRITTEN_BY: &str = "\
    SELECT 'agentes' AS kept_in, id_agente AS key, xmin::text AS by FROM agentes \
    UNION ALL SELECT 'conversaciones', id_conversacion::text, xmin::text FROM conversaciones \
    UNION ALL SELECT 'reportes', folio::text, xmin::text FROM reportes";

/// The first time and the second in the same place.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let calls = bench.plan.calls(CALLS);
    let simulator = bench.simulator(calls).await?;
    let (mut first, mut second) = (vec![], vec![]);
    for run in 0..bench.plan.runs {
        bench.progress("first and second time", run);
        let place = Place::new(&bench.machine, &simulator);
        let mut once = Job::sync(calls, 1, CONCURRENCY).run_at(&place).await?;
        once.secs = details_secs(&simulator.control.served().await?)?;
        first.push(once);
        second.push(refetch(&place, &simulator, calls).await?);
    }
    let first = Row::new("resync", "first time", Unit::CallsPerSec, first)?;
    let second = Row::new("resync", "second time, unchanged", Unit::CallsPerSec, second)?.beside(&first);
    Ok(vec![first, second])
}

async fn refetch(place: &Place<'_>, simulator: &Simulator, calls: u32) -> anyhow::Result<Sample> {
    let mut tables = Tables::of(&place.database);
    tables.execute(&format!("CREATE TABLE bench_before AS {WRITTEN_BY}"))?;
    simulator.control.reset().await?;
    let settings = [("ELEVENLABS_CONCURRENCY", CONCURRENCY.to_string())];
    let workers = place.workers(1, &settings).await?;
    let before = place.machine.server_cpu(simulator);
    let period = place.machine.period();
    let mut verb = vec!["reconcile", "--refetch"];
    verb.extend(period.iter().map(String::as_str));
    let producer = place.start("producer", &verb, &settings)?;
    let all = async {
        while simulator.control.served().await?.detail < u64::from(calls) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LONGEST, all).await.context("not all calls are asked for again")??;
    let producer = producer.finished()?;
    // It finishes what it holds.
    let (workers, spent_attempts) = stop(workers)?;
    let mut sample = Sample::new(calls, details_secs(&simulator.control.served().await?)?);
    sample.programs(Some(producer), &workers);
    sample.servers(place.machine.server_cpu(simulator).since(before));
    sample.fact("attempts_spent", spent_attempts);
    let changed = format!(
        "SELECT count(*) FROM bench_before AS before FULL JOIN ({WRITTEN_BY}) AS after USING (kept_in, key) \
         WHERE before.by IS DISTINCT FROM after.by"
    );
    sample.fact("rows_written", tables.number(&changed)?);
    Ok(sample)
}

/// From the first request for a call to the last answer: what can be seen of a time in which nothing is written.
fn details_secs(served: &Served) -> anyhow::Result<f64> {
    let (from, to) =
        served.first_detail_unix_us.zip(served.last_detail_unix_us).context("calls were asked for")?;
    Ok(Duration::from_micros(to.saturating_sub(from)).as_secs_f64())
}
