//! The dead letters, as the book has them.
//!
//! They are listed from here, never from their queue: looking into a queue disturbs it. A call that is stored in a final
//! state is not dead, whatever a copy of its job came to.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;

/// A dead letter, as the book has it.
#[derive(Clone, Debug, QueryableByName, Serialize)]
pub struct DeadLetter {
    /// Its conversation.
    #[diesel(sql_type = Text)]
    pub conversation_id: String,
    /// Its agent.
    #[diesel(sql_type = Nullable<Text>)]
    pub agent_id: Option<String>,
    /// The pass that asked for it last.
    #[diesel(sql_type = Nullable<Text>)]
    pub run_id: Option<String>,
    /// When the call started.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it was asked for last.
    #[diesel(sql_type = Timestamptz)]
    pub asked_at: DateTime<Utc>,
    /// When it died.
    #[diesel(sql_type = Timestamptz)]
    pub died_at: DateTime<Utc>,
    /// The class of its last error.
    #[diesel(sql_type = Text)]
    pub class: String,
    /// The API's last answer, if there was one.
    #[diesel(sql_type = Nullable<Integer>)]
    pub http_status: Option<i32>,
    /// Attempts spent.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    /// Replays so far.
    #[diesel(sql_type = Integer)]
    pub replays: i32,
    /// When a person discarded it.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub discarded_at: Option<DateTime<Utc>>,
    /// Why.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
}

/// A row of the book that is dead: what is stored in a final state is not, though a copy of its job may have been given up
/// just before that was committed.
macro_rules! dead {
    () => {
        "muerto_en IS NOT NULL AND olvidado_en IS NULL \
             AND NOT EXISTS (SELECT FROM conversaciones AS stored WHERE stored.id_eleven = book.id_eleven \
                 AND stored.estado IN ('done', 'failed'))"
    };
}

/// Which dead letters are meant; what is not set does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Those of these conversations; empty: of all.
    pub conversation_ids: Vec<String>,
    /// Those of this class.
    pub class: Option<String>,
    /// Those that died before this instant.
    pub died_before: Option<DateTime<Utc>>,
    /// At most so many, the oldest first.
    pub limit: Option<i64>,
    /// The discarded ones instead of the dead.
    pub discarded: bool,
    /// Only those that are marked to be asked for again.
    pub marked: bool,
}

/// What the book knows of a conversation whose message lies among the dead letters.
#[derive(Clone, Debug, QueryableByName)]
pub struct Standing {
    /// Given up, and not discarded since.
    #[diesel(sql_type = Bool)]
    pub is_dead: bool,
    /// A person has asked for it again, and it is not on its way yet.
    #[diesel(sql_type = Bool)]
    pub is_marked: bool,
    /// Stored, discarded or forgotten: no message of it is needed.
    #[diesel(sql_type = Bool)]
    pub is_settled: bool,
    /// How often it was put back.
    #[diesel(sql_type = Integer)]
    pub replays: i32,
    /// When the call started, as the list said.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it was given up.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub died_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The dead letters that are meant, the oldest first.
///
/// # Errors
/// What the database says.
pub fn select(connection: &mut PgConnection, selection: &Selection) -> QueryResult<Vec<DeadLetter>> {
    const QUERY: &str = concat!(
        "SELECT id_eleven AS conversation_id, id_agente AS agent_id, id_corrida AS run_id, inicio AS started_at, \
             pedido_en AS asked_at, muerto_en AS died_at, clase AS class, http_status, intentos AS attempts, \
             repeticiones AS replays, descartado_en AS discarded_at, motivo AS reason \
         FROM trabajos AS book WHERE ",
        dead!(),
        " AND (descartado_en IS NOT NULL) = $1 AND ($2 = '{}' OR id_eleven = ANY ($2)) \
             AND ($3 IS NULL OR clase = $3) AND ($4 IS NULL OR muerto_en < $4) \
             AND (repetir_en IS NOT NULL OR NOT $5) \
         ORDER BY muerto_en, id_eleven LIMIT $6"
    );
    sql_query(QUERY)
        .bind::<Bool, _>(selection.discarded)
        .bind::<Array<Text>, _>(&selection.conversation_ids)
        .bind::<Nullable<Text>, _>(&selection.class)
        .bind::<Nullable<Timestamptz>, _>(selection.died_before)
        .bind::<Bool, _>(selection.marked)
        .bind::<Nullable<BigInt>, _>(selection.limit)
        .load(connection)
}

/// How many dead letters there are, by class, the most frequent first.
///
/// # Errors
/// What the database says.
pub fn count_by_class(connection: &mut PgConnection) -> QueryResult<Vec<(String, i64)>> {
    const QUERY: &str = concat!(
        "SELECT clase AS class, count(*) AS count FROM trabajos AS book WHERE ",
        dead!(),
        " AND descartado_en IS NULL GROUP BY clase ORDER BY count DESC, class"
    );
    Ok(sql_query(QUERY).load::<Count>(connection)?.into_iter().map(|row| (row.class, row.count)).collect())
}

/// Whether some are marked to be asked for again and not on their way: a replay was interrupted.
///
/// # Errors
/// What the database says.
pub fn is_replay_pending(connection: &mut PgConnection) -> QueryResult<bool> {
    const QUERY: &str =
        concat!("EXISTS (SELECT FROM trabajos AS book WHERE repetir_en IS NOT NULL AND ", dead!(), ")");
    diesel::select(sql::<Bool>(QUERY)).get_result(connection)
}

/// Takes the death, and the mark, from what is stored all the same: a worker may give a call up while another stores it,
/// and neither sees the other.
///
/// # Errors
/// What the database says.
pub fn revive_stored(connection: &mut PgConnection) -> QueryResult<usize> {
    sql_query(
        "UPDATE trabajos AS book SET muerto_en = NULL, repetir_en = NULL \
         WHERE muerto_en IS NOT NULL AND descartado_en IS NULL AND olvidado_en IS NULL \
             AND EXISTS (SELECT FROM conversaciones AS stored WHERE stored.id_eleven = book.id_eleven \
                 AND stored.estado IN ('done', 'failed'))",
    )
    .execute(connection)
}

/// Marks dead letters to be asked for again. They stay dead until their message is on its way, so that none is forgotten
/// by a verb that is interrupted.
///
/// # Errors
/// What the database says.
pub fn mark_for_replay(connection: &mut PgConnection, conversation_ids: &[String]) -> QueryResult<usize> {
    const QUERY: &str = concat!(
        "UPDATE trabajos AS book SET repetir_en = coalesce(repetir_en, now()) \
         WHERE id_eleven = ANY ($1) AND descartado_en IS NULL AND ",
        dead!()
    );
    sql_query(QUERY).bind::<Array<Text>, _>(conversation_ids).execute(connection)
}

/// Takes the mark from a dead letter that cannot be asked for again.
///
/// # Errors
/// What the database says.
pub fn unmark(connection: &mut PgConnection, conversation_id: &str) -> QueryResult<usize> {
    sql_query("UPDATE trabajos SET repetir_en = NULL WHERE id_eleven = $1")
        .bind::<Text, _>(conversation_id)
        .execute(connection)
}

/// Enters that a marked dead letter is on its way again; one that has died anew since then stays dead.
///
/// # Errors
/// What the database says.
pub fn mark_replayed(
    connection: &mut PgConnection,
    conversation_id: &str,
    died_at: Option<DateTime<Utc>>,
) -> QueryResult<usize> {
    sql_query(
        "UPDATE trabajos SET repetir_en = NULL, repeticiones = repeticiones + 1, pedido_en = now(), \
             muerto_en = nullif(muerto_en, $2) WHERE id_eleven = $1",
    )
    .bind::<Text, _>(conversation_id)
    .bind::<Nullable<Timestamptz>, _>(died_at)
    .execute(connection)
}

/// Marks dead letters as discarded by a person.
///
/// # Errors
/// What the database says.
pub fn mark_discarded(
    connection: &mut PgConnection,
    conversation_ids: &[String],
    reason: &str,
) -> QueryResult<usize> {
    const QUERY: &str = concat!(
        "UPDATE trabajos AS book SET descartado_en = now(), motivo = $2, repetir_en = NULL \
         WHERE id_eleven = ANY ($1) AND descartado_en IS NULL AND ",
        dead!()
    );
    sql_query(QUERY).bind::<Array<Text>, _>(conversation_ids).bind::<Text, _>(reason).execute(connection)
}

/// Takes a discard back: it is a dead letter again.
///
/// # Errors
/// What the database says.
pub fn mark_undiscarded(connection: &mut PgConnection, conversation_ids: &[String]) -> QueryResult<usize> {
    sql_query(
        "UPDATE trabajos SET descartado_en = NULL, motivo = NULL \
         WHERE id_eleven = ANY ($1) AND descartado_en IS NOT NULL AND olvidado_en IS NULL",
    )
    .bind::<Array<Text>, _>(conversation_ids)
    .execute(connection)
}

/// What the book knows of one conversation; `None` when it was never asked for.
///
/// # Errors
/// What the database says.
pub fn standing(connection: &mut PgConnection, conversation_id: &str) -> QueryResult<Option<Standing>> {
    sql_query(
        "SELECT muerto_en IS NOT NULL AND descartado_en IS NULL AS is_dead, repeticiones AS replays, \
             inicio AS started_at, muerto_en AS died_at, repetir_en IS NOT NULL AS is_marked, \
             descartado_en IS NOT NULL OR olvidado_en IS NOT NULL \
                 OR EXISTS (SELECT FROM conversaciones AS stored WHERE stored.id_eleven = book.id_eleven \
                     AND stored.estado IN ('done', 'failed')) AS is_settled \
         FROM trabajos AS book WHERE id_eleven = $1",
    )
    .bind::<Text, _>(conversation_id)
    .get_result(connection)
    .optional()
}
