//! A pass over a source in which nothing is new, with a million calls stored.

use std::time::Instant;

use super::Bench;
use crate::job::{Job, Place};
use crate::report::{Row, Sample, Unit};
use crate::tables::Tables;

const STORED: u32 = 1_000_000;

/// Within the overlap of an hour: a quiet one, and a busy one.
const LISTED: [(&str, u32); 2] = [("quiet hour, 30 calls", 30), ("busy hour, 250 calls", 250)];

/// All of them began within the overlap.
const HOUR: &str = "50m";

const TOUCHED: &str = "\
    SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables \
    WHERE relname IN ('agentes', 'conversaciones', 'reportes', 'trabajos')";

/// Passes of `producer sync`, one after the other.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, listed) in LISTED {
        let simulator = bench.machine.simulator(listed, HOUR)?;
        let place = Place::new(&bench.machine, &simulator);
        bench.progress(&format!("{name}: filling the tables"), 0);
        Job::sync(listed, 1, 8).run_at(&place).await?;
        let mut tables = Tables::of(&place.database);
        tables.execute(&fill(if bench.plan.is_quick { STORED / 100 } else { STORED }))?;
        let mut samples = Vec::new();
        for run in 0..bench.plan.runs {
            bench.progress(name, run);
            let before = tables.number(TOUCHED)?;
            simulator.control.reset().await?;
            let began = Instant::now();
            let producer = place.start("producer", &["sync"], &[])?;
            let usage = producer.finished()?;
            let mut sample = Sample::new(listed, began.elapsed().as_secs_f64());
            sample.programs(Some(usage), &[]);
            sample.fact("list_requests", simulator.control.served().await?.list);
            // A backend tells its counts at its end at the latest, and ends with the producer.
            sample.fact("rows_touched", tables.number(TOUCHED)? - before);
            samples.push(sample);
        }
        rows.push(Row::new("unchanged", name, Unit::Millis, samples)?);
    }
    Ok(rows)
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
