//! How the calls of the last day were read: what was odd, whether their reports were found, and which have none.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use diesel::{QueryableByName, sql_query};
use serde::Serialize;

/// A field that came in another form than is documented, or a source.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub(crate) struct Named {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) calls: i64,
}

/// All of it; a call counts for the day on which it began, or was written when that is not known.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reading {
    /// Odd fields, the most frequent first.
    pub(crate) odd: Vec<Named>,
    /// Calls with an item that fills a report, whatever its value.
    pub(crate) mapped: i64,
    /// Calls with an analysis that has none of those items.
    pub(crate) unmapped: i64,
    /// Calls without a report, since they are nobody's, by where they began.
    pub(crate) excluded: Vec<Named>,
}

#[derive(QueryableByName)]
struct Mapped {
    #[diesel(sql_type = BigInt)]
    mapped: i64,
    #[diesel(sql_type = BigInt)]
    unmapped: i64,
}

/// By the index on `inicio`, which has those that are NULL too.
macro_rules! lately {
    () => {
        "FROM conversaciones WHERE (inicio > now() - interval '1 day' \
             OR inicio IS NULL AND sincronizado_en > now() - interval '1 day')"
    };
}

/// `reporte` among the odd fields says that no item was found; an analysis says how it ended, in whatever form.
const MAPPED: &str = concat!(
    "SELECT count(*) FILTER (WHERE (exito IS NOT NULL OR rarezas ? 'analysis.call_successful') \
             AND NOT coalesce(rarezas ? 'reporte', false) \
             AND (origen IS NULL OR origen <> ALL ($1))) AS mapped, \
         count(*) FILTER (WHERE rarezas ? 'reporte') AS unmapped ",
    lately!()
);

const ODD: &str = concat!(
    "SELECT name, count(*) AS calls FROM (SELECT jsonb_object_keys(rarezas) AS name ",
    lately!(),
    " AND rarezas IS NOT NULL) AS odd WHERE name <> 'reporte' GROUP BY name ORDER BY calls DESC, name"
);

const EXCLUDED: &str = concat!(
    "SELECT origen AS name, count(*) AS calls ",
    lately!(),
    " AND origen = ANY ($1) GROUP BY origen ORDER BY calls DESC, origen"
);

/// Reads all of it, with the sources whose conversations get no report.
pub(crate) fn reading(connection: &mut PgConnection, excluded_sources: &[String]) -> QueryResult<Reading> {
    let Mapped { mapped, unmapped } =
        sql_query(MAPPED).bind::<Array<Text>, _>(excluded_sources).get_result(connection)?;
    Ok(Reading {
        odd: sql_query(ODD).load(connection)?,
        mapped,
        unmapped,
        excluded: sql_query(EXCLUDED).bind::<Array<Text>, _>(excluded_sources).load(connection)?,
    })
}

impl Reading {
    /// What somebody should look at, each with its remedy; a word for programs comes first.
    pub(crate) fn warnings(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut warnings = Vec::new();
        if !self.odd.is_empty() {
            let what = format!(
                "fields in another form than is documented, calls of the last day: {}",
                listed(&self.odd)
            );
            warnings.push((
                "odd_fields",
                what,
                "what could not be read is NULL: upgrade, then producer reconcile --refetch",
            ));
        }
        if self.unmapped > 0 && self.mapped == 0 {
            let what =
                format!("no item of a report was found in any of the last day's {} analyses", self.unmapped);
            warnings.push((
                "no_report_item",
                what,
                "compare REPORT_* with what the agents collect: producer check",
            ));
        }
        warnings
    }
}

/// `metadata.call_duration_secs 12, status 3`.
pub(crate) fn listed(named: &[Named]) -> String {
    named.iter().map(|Named { name, calls }| format!("{name} {calls}")).collect::<Vec<_>>().join(", ")
}
