//! What `producer status` reads, in one look at the database: all of it is of the same moment, and nothing is locked.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use serde::Serialize;
use shared::database::dead_letters;

use super::reading::{self, Reading};

/// A pass, as `corridas` has it.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub(crate) struct Run {
    #[diesel(sql_type = Text, column_name = verbo)]
    pub(crate) verb: String,
    #[diesel(sql_type = Text, column_name = ambito)]
    pub(crate) scope: String,
    #[diesel(sql_type = Timestamptz, column_name = empezada_en)]
    pub(crate) began_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>, column_name = terminada_en)]
    pub(crate) ended_at: Option<DateTime<Utc>>,
    /// `completa`, `incompleta` or `interrumpida`; `None`: it runs, or ended without a word.
    #[diesel(sql_type = Nullable<Text>, column_name = resultado)]
    pub(crate) result: Option<String>,
    #[diesel(sql_type = BigInt, column_name = listadas)]
    pub(crate) listed: i64,
    #[diesel(sql_type = BigInt, column_name = publicadas)]
    pub(crate) published: i64,
    #[diesel(sql_type = BigInt, column_name = conocidas)]
    pub(crate) known: i64,
    #[diesel(sql_type = BigInt, column_name = fallidas)]
    pub(crate) failed: i64,
}

/// How far a scope has been listed, and who has its turn now.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub(crate) struct Cursor {
    #[diesel(sql_type = Text, column_name = ambito)]
    pub(crate) scope: String,
    #[diesel(sql_type = Nullable<Timestamptz>, column_name = listado_hasta)]
    pub(crate) listed_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>, column_name = reconciliado_en)]
    pub(crate) reconciled_at: Option<DateTime<Utc>>,
    /// Only while its turn lasts.
    #[diesel(sql_type = Nullable<Text>, column_name = titular)]
    pub(crate) holder: Option<String>,
    /// When the pass began that has no end yet.
    #[diesel(sql_type = Nullable<Timestamptz>, column_name = empezada_en)]
    pub(crate) running_since: Option<DateTime<Utc>>,
}

/// Jobs of the book that have no answer: asked for, and neither stored, dead, discarded nor forgotten.
#[derive(Clone, Copy, Debug, QueryableByName, Serialize)]
pub(crate) struct Unanswered {
    #[diesel(sql_type = BigInt)]
    pub(crate) count: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) oldest_asked_at: Option<DateTime<Utc>>,
    /// Those asked for so long ago that a job should have been answered.
    #[diesel(sql_type = BigInt)]
    pub(crate) overdue: i64,
}

/// A class of dead letters.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClassCount {
    pub(crate) class: String,
    pub(crate) count: i64,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Overview {
    /// By the database's clock, as all else here.
    pub(crate) now: DateTime<Utc>,
    pub(crate) newest_call_began_at: Option<DateTime<Utc>>,
    /// The newest pass that completed.
    pub(crate) last_complete: Option<Run>,
    /// The newest pass that is over, however it ended.
    pub(crate) last_ended: Option<Run>,
    pub(crate) cursors: Vec<Cursor>,
    pub(crate) dead: Vec<ClassCount>,
    pub(crate) discarded: i64,
    pub(crate) unanswered: Unanswered,
    pub(crate) last_runs: Vec<Run>,
    /// How the calls of the last day were read.
    pub(crate) reading: Reading,
}

#[derive(QueryableByName)]
struct Moment {
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    newest: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    discarded: i64,
}

const MOMENT: &str = "SELECT now() AS now, (SELECT max(inicio) FROM conversaciones) AS newest, \
     (SELECT count(*) FROM trabajos WHERE muerto_en IS NOT NULL AND descartado_en IS NOT NULL \
         AND olvidado_en IS NULL AND NOT EXISTS (SELECT FROM conversaciones AS stored \
             WHERE stored.id_eleven = trabajos.id_eleven AND stored.estado IN ('done', 'failed'))) AS discarded";

/// Only what lists is a pass here; what else is entered in `corridas` proves no freshness.
const PASS: &str = "SELECT * FROM corridas AS pass WHERE verbo IN ('sync', 'watch')";

/// A turn of `cursores` that is over belongs to nobody. That of the dead letters is no scope of passes.
const CURSORS: &str = "SELECT ambito, listado_hasta, reconciliado_en, CASE WHEN vence_en > now() THEN titular END \
         AS titular, pass.empezada_en \
     FROM cursores LEFT JOIN LATERAL (SELECT empezada_en FROM corridas WHERE corridas.ambito = cursores.ambito \
         AND terminada_en IS NULL AND vence_en > now() ORDER BY empezada_en DESC LIMIT 1) AS pass ON true \
     WHERE listado_hasta IS NOT NULL OR titular IS NOT NULL ORDER BY ambito";

/// A row without `huella` is the older system's, and no answer. In two halves, so that of the calls only indexes are read: a
/// million take about a second.
const UNANSWERED: &str = "WITH book AS (SELECT id_eleven, pedido_en FROM trabajos \
         WHERE muerto_en IS NULL AND descartado_en IS NULL AND olvidado_en IS NULL), \
     unanswered AS ( \
         SELECT pedido_en FROM book \
         WHERE NOT EXISTS (SELECT FROM conversaciones AS stored WHERE stored.id_eleven = book.id_eleven) \
         UNION ALL SELECT pedido_en FROM book JOIN conversaciones AS stored USING (id_eleven) \
         WHERE stored.huella IS NULL) \
     SELECT count(*) AS count, min(pedido_en) AS oldest_asked_at, \
         count(*) FILTER (WHERE pedido_en < now() - make_interval(secs => $1)) AS overdue FROM unanswered";

/// Reads all of it; a job without an answer after `overdue_secs` is overdue.
pub(crate) fn overview(
    connection: &mut PgConnection,
    overdue_secs: f64,
    excluded_sources: &[String],
) -> QueryResult<Overview> {
    connection.build_transaction().read_only().repeatable_read().run(|connection| {
        let Moment { now, newest, discarded } = sql_query(MOMENT).get_result(connection)?;
        let pass = |condition: &str, connection: &mut PgConnection| {
            let newest = format!("{PASS} AND {condition} ORDER BY empezada_en DESC LIMIT 1");
            sql_query(newest).get_result::<Run>(connection).optional()
        };
        let running = "terminada_en IS NULL AND EXISTS (SELECT FROM cursores \
            WHERE cursores.ambito = pass.ambito AND vence_en > now())";
        let dead = dead_letters::count_by_class(connection)?;
        Ok(Overview {
            now,
            newest_call_began_at: newest,
            last_complete: pass("resultado = 'completa'", connection)?,
            last_ended: pass(&format!("NOT ({running})"), connection)?,
            cursors: sql_query(CURSORS).load(connection)?,
            dead: dead.into_iter().map(|(class, count)| ClassCount { class, count }).collect(),
            discarded,
            unanswered: sql_query(UNANSWERED).bind::<Double, _>(overdue_secs).get_result(connection)?,
            last_runs: sql_query("SELECT * FROM corridas ORDER BY empezada_en DESC LIMIT 5")
                .load(connection)?,
            reading: reading::reading(connection, excluded_sources)?,
        })
    })
}
