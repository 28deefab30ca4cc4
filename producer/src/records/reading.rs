//! How the newest calls were read: what was odd, whether their reports were found, which have none, and how far the mask
//! could see.

use std::fmt;

use chrono::NaiveDate;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text};
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
    /// How the newest calls were masked, whatever their day.
    pub(crate) masked: Masked,
}

/// Of the newest 1,000 calls those that this release's mask has read, but for those that are nobody's.
#[derive(Clone, Copy, Debug, QueryableByName, Serialize)]
pub(crate) struct Masked {
    #[diesel(sql_type = BigInt)]
    pub(crate) read: i64,
    /// Calls of whose caller no identifier was known: nothing in them could be masked.
    #[diesel(sql_type = BigInt)]
    pub(crate) blind: i64,
    /// Calls in which something was masked that is masked in too many to be a person's.
    #[diesel(sql_type = BigInt)]
    pub(crate) repeated: i64,
}

/// Says, to programs, that too many callers are not known.
pub(crate) const UNKNOWN_CALLERS: &str = "unknown_callers";

/// Fewer calls say nothing of how many are blind.
const MIN_READ: i64 = 20;

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

/// By the index on `inicio`, backwards: a thousand rows are read, however many there are.
const MASKED: &str = "SELECT count(*) AS read, count(*) FILTER (WHERE tapado ->> 'identificadores' = '0') AS blind, \
         count(*) FILTER (WHERE tapado ? 'repetido') AS repeated \
     FROM (SELECT tapado, origen FROM conversaciones WHERE inicio IS NOT NULL ORDER BY inicio DESC LIMIT 1000) AS newest \
     WHERE tapado IS NOT NULL AND (origen IS NULL OR origen <> ALL ($1))";

/// Reads all of it, with the sources whose conversations get no report.
pub(crate) fn reading(connection: &mut PgConnection, excluded_sources: &[String]) -> QueryResult<Reading> {
    let Mapped { mapped, unmapped } =
        sql_query(MAPPED).bind::<Array<Text>, _>(excluded_sources).get_result(connection)?;
    Ok(Reading {
        odd: sql_query(ODD).load(connection)?,
        mapped,
        unmapped,
        excluded: sql_query(EXCLUDED).bind::<Array<Text>, _>(excluded_sources).load(connection)?,
        masked: sql_query(MASKED).bind::<Array<Text>, _>(excluded_sources).get_result(connection)?,
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
        self.masked.warn(&mut warnings);
        warnings
    }
}

impl Masked {
    fn warn(self, warnings: &mut Vec<(&'static str, String, &'static str)>) {
        let Self { read, blind, repeated } = self;
        if read >= MIN_READ && blind * 10 > read {
            warnings.push((
                UNKNOWN_CALLERS,
                self.to_string(),
                "behind a PBX the number stands elsewhere: docs/operations.md, Callers are not known",
            ));
        }
        if repeated > 0 {
            warnings.push((
                "repeated_identifier",
                format!(
                    "what is masked in {repeated} of the newest {read} calls is in too many to be a person's"
                ),
                "it may hide what others say: docs/operations.md, Callers are not known",
            ));
        }
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, blind, .. } = self;
        write!(
            formatter,
            "no identifier of the caller was known in {blind} of the newest {read} calls: nothing masked"
        )
    }
}

/// Rows that were read by a release of another mask, and between which days they began.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct OlderRows {
    #[diesel(sql_type = BigInt)]
    pub(crate) count: i64,
    #[diesel(sql_type = Nullable<Date>)]
    pub(crate) first: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    pub(crate) last: Option<NaiveDate>,
}

/// Counts them, by an index that has no other row.
pub(crate) fn older_rows(connection: &mut PgConnection) -> QueryResult<OlderRows> {
    sql_query(
        "SELECT count(*) AS count, (min(inicio) AT TIME ZONE 'UTC')::date - 1 AS first, \
             (max(inicio) AT TIME ZONE 'UTC')::date AS last \
         FROM conversaciones WHERE huella IS NOT NULL AND tapado IS NULL",
    )
    .get_result(connection)
}

/// `metadata.call_duration_secs 12, status 3`.
pub(crate) fn listed(named: &[Named]) -> String {
    named.iter().map(|Named { name, calls }| format!("{name} {calls}")).collect::<Vec<_>>().join(", ")
}
