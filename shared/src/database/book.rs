//! The book, table `trabajos`: one row per conversation ever asked for, and how it died if it did.
//!
//! Whether it is stored is read in `conversaciones`. Dead letters are listed from here, never from their queue: looking into a queue disturbs it.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;

/// A conversation that was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// Its id.
    pub conversation_id: String,
    /// Its agent, as the list says.
    pub agent_id: Option<String>,
    /// Its start, as the list says.
    pub start: Option<DateTime<Utc>>,
    /// The lane of its job.
    pub lane: &'static str,
}

/// How a job died.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Death {
    /// Its conversation; for a message without a usable one, a name made of its content's hash.
    pub conversation_id: String,
    /// Its agent.
    pub agent_id: Option<String>,
    /// The pass that asked.
    pub run_id: Option<String>,
    /// The lane it came through.
    pub lane: &'static str,
    /// The class of its last error.
    pub class: String,
    /// The API's last answer, if there was one.
    pub http_status: Option<u16>,
    /// Attempts spent.
    pub attempts: u32,
    /// Replays so far.
    pub replays: u32,
}

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
}

/// What the book knows of a conversation whose message lies among the dead letters.
#[derive(Clone, Debug, QueryableByName)]
pub struct Standing {
    /// Given up, and not discarded since.
    #[diesel(sql_type = Bool)]
    pub is_dead: bool,
    /// Stored, discarded or forgotten: no message of it is needed.
    #[diesel(sql_type = Bool)]
    pub is_settled: bool,
    /// How often a person asked for it again.
    #[diesel(sql_type = Integer)]
    pub replays: i32,
    /// When the call started, as the list said.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    conversation_id: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Of these conversations, those that need not be asked for: in the book already, or stored in a final state.
///
/// # Errors
/// What the database says.
pub fn known(connection: &mut PgConnection, conversation_ids: &[String]) -> QueryResult<Vec<String>> {
    let query = sql_query(
        "SELECT id AS conversation_id FROM unnest($1) AS id \
         WHERE EXISTS (SELECT FROM trabajos WHERE id_eleven = id) \
            OR EXISTS (SELECT FROM conversaciones WHERE id_eleven = id AND estado IN ('done', 'failed'))",
    );
    let ids = query.bind::<Array<Text>, _>(conversation_ids).load::<Id>(connection)?;
    Ok(ids.into_iter().map(|row| row.conversation_id).collect())
}

/// Enters what was asked for. What is there already stays: a worker may have been faster.
///
/// # Errors
/// What the database says.
pub fn record(connection: &mut PgConnection, run_id: &str, asked: &[Asked]) -> QueryResult<usize> {
    let column = |value: fn(&Asked) -> Option<&str>| asked.iter().map(value).collect::<Vec<_>>();
    sql_query(
        "INSERT INTO trabajos (id_eleven, id_agente, inicio, carril, id_corrida) \
         SELECT *, $5 FROM unnest($1, $2, $3, $4) AS asked (id_eleven, id_agente, inicio, carril) \
         ORDER BY id_eleven ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Nullable<Text>>, _>(column(|asked| Some(&asked.conversation_id)))
    .bind::<Array<Nullable<Text>>, _>(column(|asked| asked.agent_id.as_deref()))
    .bind::<Array<Nullable<Timestamptz>>, _>(asked.iter().map(|asked| asked.start).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(column(|asked| Some(asked.lane)))
    .bind::<Text, _>(run_id)
    .execute(connection)
}

/// Enters a death. `false` when there is none: the call is stored already, or was discarded or forgotten.
///
/// # Errors
/// What the database says.
pub fn record_death(connection: &mut PgConnection, death: &Death) -> QueryResult<bool> {
    let entered = sql_query(
        "INSERT INTO trabajos AS book (id_eleven, id_agente, id_corrida, carril, muerto_en, clase, http_status, \
             intentos, repeticiones) \
         SELECT $1, $2, $3, $4, now(), $5, $6, $7, $8 \
         WHERE NOT EXISTS (SELECT FROM conversaciones WHERE id_eleven = $1) \
         ON CONFLICT (id_eleven) DO UPDATE SET muerto_en = excluded.muerto_en, clase = excluded.clase, \
             http_status = excluded.http_status, intentos = excluded.intentos \
         WHERE book.descartado_en IS NULL AND book.olvidado_en IS NULL",
    )
    .bind::<Text, _>(&death.conversation_id)
    .bind::<Nullable<Text>, _>(&death.agent_id)
    .bind::<Nullable<Text>, _>(&death.run_id)
    .bind::<Text, _>(death.lane)
    .bind::<Text, _>(&death.class)
    .bind::<Nullable<Integer>, _>(death.http_status.map(i32::from))
    .bind::<Integer, _>(i32::try_from(death.attempts).unwrap_or(i32::MAX))
    .bind::<Integer, _>(i32::try_from(death.replays).unwrap_or(i32::MAX))
    .execute(connection)?;
    Ok(entered == 1)
}

/// The dead letters that are meant, the oldest first.
///
/// # Errors
/// What the database says.
pub fn dead_letters(connection: &mut PgConnection, selection: &Selection) -> QueryResult<Vec<DeadLetter>> {
    sql_query(
        "SELECT id_eleven AS conversation_id, id_agente AS agent_id, id_corrida AS run_id, inicio AS started_at, \
             pedido_en AS asked_at, muerto_en AS died_at, clase AS class, http_status, intentos AS attempts, \
             repeticiones AS replays, descartado_en AS discarded_at, motivo AS reason \
         FROM trabajos \
         WHERE muerto_en IS NOT NULL AND olvidado_en IS NULL AND (descartado_en IS NOT NULL) = $1 \
             AND ($2 = '{}' OR id_eleven = ANY ($2)) AND ($3 IS NULL OR clase = $3) \
             AND ($4 IS NULL OR muerto_en < $4) \
         ORDER BY muerto_en, id_eleven LIMIT $5",
    )
    .bind::<Bool, _>(selection.discarded)
    .bind::<Array<Text>, _>(&selection.conversation_ids)
    .bind::<Nullable<Text>, _>(&selection.class)
    .bind::<Nullable<Timestamptz>, _>(selection.died_before)
    .bind::<Nullable<BigInt>, _>(selection.limit)
    .load(connection)
}

/// How many dead letters there are, by class, the most frequent first.
///
/// # Errors
/// What the database says.
pub fn dead_by_class(connection: &mut PgConnection) -> QueryResult<Vec<(String, i64)>> {
    let counts = sql_query(
        "SELECT clase AS class, count(*) AS count FROM trabajos \
         WHERE muerto_en IS NOT NULL AND olvidado_en IS NULL AND descartado_en IS NULL \
         GROUP BY clase ORDER BY count DESC, class",
    );
    Ok(counts.load::<Count>(connection)?.into_iter().map(|row| (row.class, row.count)).collect())
}

/// Marks dead letters as asked for again; their messages follow.
///
/// # Errors
/// What the database says.
pub fn mark_replayed(connection: &mut PgConnection, conversation_ids: &[String]) -> QueryResult<usize> {
    sql_query(
        "UPDATE trabajos SET muerto_en = NULL, pedido_en = now(), repeticiones = repeticiones + 1 \
         WHERE id_eleven = ANY ($1) AND muerto_en IS NOT NULL AND descartado_en IS NULL AND olvidado_en IS NULL",
    )
    .bind::<Array<Text>, _>(conversation_ids)
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
    sql_query(
        "UPDATE trabajos SET descartado_en = now(), motivo = $2 \
         WHERE id_eleven = ANY ($1) AND muerto_en IS NOT NULL AND descartado_en IS NULL AND olvidado_en IS NULL",
    )
    .bind::<Array<Text>, _>(conversation_ids)
    .bind::<Text, _>(reason)
    .execute(connection)
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
             inicio AS started_at, \
             descartado_en IS NOT NULL OR olvidado_en IS NOT NULL \
                 OR EXISTS (SELECT FROM conversaciones AS stored WHERE stored.id_eleven = book.id_eleven) AS is_settled \
         FROM trabajos AS book WHERE id_eleven = $1",
    )
    .bind::<Text, _>(conversation_id)
    .get_result(connection)
    .optional()
}
