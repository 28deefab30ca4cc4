//! A pass over a source in which nothing is new, with a million calls stored.

use std::time::Instant;

use super::Bench;
use crate::job::{Job, Place, Since};
use crate::report::{Row, Sample, Unit};
use crate::tables::Tables;

const STORED: u32 = 1_000_000;

/// Calls of a quiet hour: one page.
const QUIET: u32 = 30;

/// As many more make a busy one: three pages.
const MORE: u32 = 220;

/// They began within the overlap of an hour.
const HOUR: &str = "50m";

const TOUCHED: &str = "\
    SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables \
    WHERE relname IN ('agentes', 'conversaciones', 'reportes', 'trabajos')";

/// Passes of `producer sync`, one after the other.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let simulator = bench.machine.simulator(QUIET, HOUR)?;
    let place = Place::new(&bench.machine, &simulator);
    let stored = if bench.plan.is_quick { STORED / 100 } else { STORED };
    bench.progress("filling the tables", 0);
    Job::sync(QUIET, 1, 8).run_at(&place).await?;
    Tables::of(&place.database).execute(&fill(stored))?;
    let quiet = passes(bench, &place, "quiet hour").await?;
    // They are stored as all others are, by a pass and a worker.
    simulator.control.add(MORE).await?;
    Job { since: Since::FirstDetail, ..Job::sync(QUIET + stored + MORE, 1, 8) }.run_at(&place).await?;
    let busy = passes(bench, &place, "busy hour").await?;
    Ok(vec![
        Row::new("unchanged", &format!("quiet hour, {QUIET} calls"), Unit::Millis, quiet)?,
        Row::new("unchanged", &format!("busy hour, {} calls", QUIET + MORE), Unit::Millis, busy)?,
    ])
}

async fn passes(bench: &Bench, place: &Place<'_>, name: &str) -> anyhow::Result<Vec<Sample>> {
    let mut tables = Tables::of(&place.database);
    let mut samples = Vec::new();
    for run in 0..bench.plan.runs {
        bench.progress(name, run);
        let before = tables.number(TOUCHED)?;
        place.simulator.control.reset().await?;
        let began = Instant::now();
        let usage = place.start("producer", &["sync"], &[])?.finished()?;
        // A pass is one thing, whatever it lists.
        let mut sample = Sample::new(1, began.elapsed().as_secs_f64());
        sample.programs(Some(usage), &[]);
        sample.fact("list_requests", place.simulator.control.served().await?.list);
        // A backend tells its counts at its end at the latest, and ends with the producer.
        sample.fact("rows_touched", tables.number(TOUCHED)? - before);
        samples.push(sample);
    }
    Ok(samples)
}

/// So many calls that were stored long ago.
fn fill(calls: u32) -> String {
    format!(
        "INSERT INTO conversaciones (id_eleven, transcripcion, inicio, duracion_segundos, estado, huella, \
             sincronizado_en) \
         SELECT 'conv_' || lpad(i::text, 28, '0'), repeat('[1.0s] AGENT: 089, le escucho.', 5), \
             now() - interval '2 days' - i * interval '10 seconds', 60, 'done', sha256(i::text::bytea), now() \
         FROM generate_series(1, {calls}) AS i; \
         INSERT INTO reportes (id_conversacion, modo) SELECT id_conversacion, 'telefónico' FROM conversaciones \
         ON CONFLICT DO NOTHING; \
         INSERT INTO trabajos (id_eleven, carril, inicio, pedido_en) \
         SELECT id_eleven, 'backfill', inicio, inicio FROM conversaciones ON CONFLICT DO NOTHING; \
         ANALYZE agentes, conversaciones, reportes, trabajos"
    )
}
