//! The SQL that only the producer needs: cursors and their leases, passes, agents' names; below it, what `status` and
//! `check` read. The book is shared.

pub(crate) mod inspection;
pub(crate) mod overview;
pub(crate) mod reading;

use std::fmt;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use serde::Serialize;
use shared::database::schema::{agentes, corridas, cursores};

/// A scope's turn: held until it is given back, or not renewed in time.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Turn {
    /// The fencing number.
    #[diesel(sql_type = BigInt, column_name = valla)]
    pub(crate) fence: i64,
    /// How far the scope has been listed.
    #[diesel(sql_type = Nullable<Timestamptz>, column_name = listado_hasta)]
    pub(crate) listed_until: Option<DateTime<Utc>>,
}

/// Takes a scope's turn for so many seconds; `None` when another holds it. The clock is the database's.
pub(crate) fn take_turn(
    connection: &mut PgConnection,
    scope: &str,
    holder: &str,
    secs: f64,
) -> QueryResult<Option<Turn>> {
    sql_query(
        "INSERT INTO cursores AS held (ambito, titular, vence_en, valla) \
         VALUES ($1, $2, now() + make_interval(secs => $3), 1) \
         ON CONFLICT (ambito) DO UPDATE SET titular = excluded.titular, vence_en = excluded.vence_en, \
             valla = held.valla + 1 \
         WHERE held.titular IS NULL OR held.vence_en < now() RETURNING valla, listado_hasta",
    )
    .bind::<Text, _>(scope)
    .bind::<Text, _>(holder)
    .bind::<Double, _>(secs)
    .get_result(connection)
    .optional()
}

/// Who holds a scope's turn, and until when.
pub(crate) fn holder(
    connection: &mut PgConnection,
    scope: &str,
) -> QueryResult<(Option<String>, Option<DateTime<Utc>>)> {
    cursores::table.find(scope).select((cursores::titular, cursores::vence_en)).first(connection)
}

/// Holds a turn for longer; `false` when it was lost.
pub(crate) fn keep_turn(
    connection: &mut PgConnection,
    scope: &str,
    fence: i64,
    secs: f64,
) -> QueryResult<bool> {
    let kept = sql_query(
        "UPDATE cursores SET vence_en = now() + make_interval(secs => $3) \
         WHERE ambito = $1 AND valla = $2 AND titular IS NOT NULL",
    )
    .bind::<Text, _>(scope)
    .bind::<BigInt, _>(fence)
    .bind::<Double, _>(secs)
    .execute(connection)?;
    Ok(kept == 1)
}

/// Gives a turn back.
pub(crate) fn give_turn_back(connection: &mut PgConnection, scope: &str, fence: i64) -> QueryResult<usize> {
    diesel::update(cursores::table.find(scope).filter(cursores::valla.eq(fence)))
        .set((cursores::titular.eq(None::<String>), cursores::vence_en.eq(None::<DateTime<Utc>>)))
        .execute(connection)
}

/// Moves a scope's cursor, never back; `false` when the turn was lost.
pub(crate) fn move_cursor(
    connection: &mut PgConnection,
    scope: &str,
    fence: i64,
    listed_until: DateTime<Utc>,
) -> QueryResult<bool> {
    let moved = sql_query(
        "UPDATE cursores SET listado_hasta = greatest(listado_hasta, $3) WHERE ambito = $1 AND valla = $2",
    )
    .bind::<Text, _>(scope)
    .bind::<BigInt, _>(fence)
    .bind::<Timestamptz, _>(listed_until)
    .execute(connection)?;
    Ok(moved == 1)
}

/// Whether a scope was never reconciled, or longer ago than so many seconds; by the database's clock.
pub(crate) fn is_reconciliation_due(
    connection: &mut PgConnection,
    scope: &str,
    secs: f64,
) -> QueryResult<bool> {
    let due = sql::<Bool>("coalesce(reconciliado_en <= now() - make_interval(secs => ")
        .bind::<Double, _>(secs)
        .sql("), true)");
    cursores::table.find(scope).select(due).first(connection)
}

/// Enters that a scope was reconciled; `false` when the turn was lost.
pub(crate) fn mark_reconciled(connection: &mut PgConnection, scope: &str, fence: i64) -> QueryResult<bool> {
    let marked = diesel::update(cursores::table.find(scope).filter(cursores::valla.eq(fence)))
        .set(cursores::reconciliado_en.eq(diesel::dsl::now))
        .execute(connection)?;
    Ok(marked == 1)
}

/// Forgets how far a stretch of history is, when all of it is done; `false` when the turn was lost.
pub(crate) fn reset_cursor(connection: &mut PgConnection, scope: &str, fence: i64) -> QueryResult<bool> {
    let reset = diesel::update(cursores::table.find(scope).filter(cursores::valla.eq(fence)))
        .set(cursores::listado_hasta.eq(None::<DateTime<Utc>>))
        .execute(connection)?;
    Ok(reset == 1)
}

/// Enters a pass that begins; returns its id.
pub(crate) fn begin_run(connection: &mut PgConnection, scope: &str, verb: &str) -> QueryResult<String> {
    diesel::insert_into(corridas::table)
        .values((corridas::ambito.eq(scope), corridas::verbo.eq(verb)))
        .returning(corridas::id_corrida)
        .get_result(connection)
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Counts {
    /// Conversations that the API showed.
    pub(crate) listed: u64,
    /// Jobs published, confirmed and recorded.
    pub(crate) published: u64,
    /// Stored in a final state, or asked for already.
    pub(crate) known: u64,
    /// Jobs that could not be published, and items without a usable id.
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.published += other.published;
        self.known += other.known;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listed, published, known, failed } = self;
        write!(formatter, "{listed} listed, {published} published, {known} known, {failed} failed")
    }
}

/// Enters the end of a pass.
pub(crate) fn end_run(
    connection: &mut PgConnection,
    run_id: &str,
    counts: Counts,
    result: &str,
) -> QueryResult<usize> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    diesel::update(corridas::table.find(run_id))
        .set((
            corridas::terminada_en.eq(diesel::dsl::now),
            corridas::resultado.eq(result),
            corridas::listadas.eq(number(counts.listed)),
            corridas::publicadas.eq(number(counts.published)),
            corridas::conocidas.eq(number(counts.known)),
            corridas::fallidas.eq(number(counts.failed)),
        ))
        .execute(connection)
}

/// Of these agents and those in the table, the ones whose name was never asked for, or more than 24 h ago.
pub(crate) fn stale_agents(connection: &mut PgConnection, seen: &[String]) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Agent {
        #[diesel(sql_type = Text)]
        id: String,
    }
    let agents = sql_query(
        "SELECT id FROM (SELECT unnest($1) AS id UNION SELECT id_agente FROM agentes) AS every \
         WHERE NOT EXISTS (SELECT FROM agentes WHERE id_agente = id AND actualizado_en > now() - interval '24 hours') \
         ORDER BY id",
    );
    Ok(agents
        .bind::<Array<Text>, _>(seen)
        .load::<Agent>(connection)?
        .into_iter()
        .map(|agent| agent.id)
        .collect())
}

/// Writes the names that were asked for; a name is never replaced by NULL.
pub(crate) fn name_agents(
    connection: &mut PgConnection,
    agents: &[(String, Option<String>)],
) -> QueryResult<usize> {
    use diesel::upsert::excluded;
    let rows: Vec<_> = agents
        .iter()
        .map(|(id, name)| {
            (
                agentes::id_agente.eq(id),
                agentes::nombre.eq(name),
                agentes::actualizado_en.eq(diesel::dsl::now),
            )
        })
        .collect();
    diesel::insert_into(agentes::table)
        .values(rows)
        .on_conflict(agentes::id_agente)
        .do_update()
        .set((
            agentes::nombre.eq(diesel::dsl::sql("coalesce(excluded.nombre, agentes.nombre)")),
            agentes::actualizado_en.eq(excluded(agentes::actualizado_en)),
        ))
        .execute(connection)
}
