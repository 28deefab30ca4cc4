//! The book beside what is stored: what was asked for and is nowhere, and what a call of the list means to both.
//!
//! A row that one of our workers wrote is stored: its job is answered. So is one in a final state.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

/// A job without an outcome: neither stored, dead, discarded nor forgotten.
#[derive(Clone, Debug, Eq, PartialEq, QueryableByName)]
pub struct Pending {
    /// Its conversation.
    #[diesel(sql_type = Text)]
    pub conversation_id: String,
    /// Its agent, as the list said.
    #[diesel(sql_type = Nullable<Text>)]
    pub agent_id: Option<String>,
    /// When the call started, as the list said.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it was asked for last.
    #[diesel(sql_type = Timestamptz)]
    pub asked_at: DateTime<Utc>,
}

/// What is known of a conversation that the list shows.
#[derive(Clone, Debug, Default, Eq, PartialEq, QueryableByName)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one call")]
pub struct Standing {
    /// The conversation.
    #[diesel(sql_type = Text)]
    pub conversation_id: String,
    /// Asked for, at whatever time.
    #[diesel(sql_type = Bool)]
    pub is_booked: bool,
    /// Discarded or forgotten.
    #[diesel(sql_type = Bool)]
    pub is_barred: bool,
    /// Why it was given up, if it was and is not stored in a final state.
    #[diesel(sql_type = Nullable<Text>)]
    pub dead_class: Option<String>,
    /// Its row is there.
    #[diesel(sql_type = Bool)]
    pub is_stored: bool,
    /// It was asked for again after its row was written, and not longer ago than a job may take.
    #[diesel(sql_type = Bool)]
    pub is_on_its_way: bool,
    /// `estado` of its row.
    #[diesel(sql_type = Nullable<Text>)]
    pub status: Option<String>,
    /// `duracion_segundos` of its row.
    #[diesel(sql_type = Nullable<Integer>)]
    pub duration_secs: Option<i32>,
    /// `exito` of its row.
    #[diesel(sql_type = Nullable<Text>)]
    pub call_successful: Option<String>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

macro_rules! stored {
    () => {
        "(stored.estado IN ('done', 'failed') OR stored.huella IS NOT NULL)"
    };
}

macro_rules! pending {
    () => {
        concat!(
            "trabajos AS book WHERE muerto_en IS NULL AND descartado_en IS NULL AND olvidado_en IS NULL \
             AND NOT EXISTS (SELECT FROM conversaciones AS stored WHERE stored.id_eleven = book.id_eleven AND ",
            stored!(),
            ")"
        )
    };
}

/// How many jobs have no outcome yet, by lane.
///
/// # Errors
/// What the database says.
pub fn count_pending(connection: &mut PgConnection) -> QueryResult<Vec<(String, i64)>> {
    const QUERY: &str =
        concat!("SELECT carril AS lane, count(*) AS count FROM ", pending!(), " GROUP BY carril");
    Ok(sql_query(QUERY).load::<Count>(connection)?.into_iter().map(|row| (row.lane, row.count)).collect())
}

/// Jobs of a lane without an outcome that were asked for longer ago than so many seconds: at most `limit`, those that wait
/// longest first, after the one named.
///
/// # Errors
/// What the database says.
pub fn overdue(
    connection: &mut PgConnection,
    lane: &str,
    secs: f64,
    after: Option<&Pending>,
    limit: i64,
) -> QueryResult<Vec<Pending>> {
    const QUERY: &str = concat!(
        "SELECT id_eleven AS conversation_id, id_agente AS agent_id, inicio AS started_at, pedido_en AS asked_at \
         FROM ",
        pending!(),
        " AND carril = $1 AND pedido_en < now() - make_interval(secs => $2) \
             AND ($3 IS NULL OR (pedido_en, id_eleven) > ($3, $4)) \
         ORDER BY pedido_en, id_eleven LIMIT $5"
    );
    sql_query(QUERY)
        .bind::<Text, _>(lane)
        .bind::<Double, _>(secs)
        .bind::<Nullable<Timestamptz>, _>(after.map(|pending| pending.asked_at))
        .bind::<Nullable<Text>, _>(after.map(|pending| &pending.conversation_id))
        .bind::<BigInt, _>(limit)
        .load(connection)
}

/// What is known of these conversations, one row each; a job may take so many seconds.
///
/// # Errors
/// What the database says.
pub fn standings(
    connection: &mut PgConnection,
    conversation_ids: &[String],
    secs: f64,
) -> QueryResult<Vec<Standing>> {
    const QUERY: &str = concat!(
        "SELECT id AS conversation_id, book.id_eleven IS NOT NULL AS is_booked, \
             book.descartado_en IS NOT NULL OR book.olvidado_en IS NOT NULL AS is_barred, \
             CASE WHEN book.muerto_en IS NOT NULL AND coalesce(stored.estado NOT IN ('done', 'failed'), true) \
                 THEN book.clase END AS dead_class, \
             coalesce(",
        stored!(),
        ", false) AS is_stored, \
             coalesce(book.pedido_en > stored.sincronizado_en \
                 AND book.pedido_en > now() - make_interval(secs => $2), false) AS is_on_its_way, \
             stored.estado AS status, stored.duracion_segundos AS duration_secs, \
             stored.exito AS call_successful \
         FROM unnest($1) AS id LEFT JOIN trabajos AS book ON book.id_eleven = id \
             LEFT JOIN conversaciones AS stored ON stored.id_eleven = id"
    );
    sql_query(QUERY).bind::<Array<Text>, _>(conversation_ids).bind::<Double, _>(secs).load(connection)
}
