//! The book, table `trabajos`: one row per conversation ever asked for, and how it died if it did.
//!
//! Whether it is stored is read in `conversaciones`. Dead letters are listed from here, never from their queue: looking into a queue disturbs it.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Array, Double, Integer, Nullable, Text, Timestamptz};
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};

use super::Statement;

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

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    conversation_id: String,
}

/// Of these conversations, those that need not be asked for: in the book already, or stored in a final state.
///
/// # Errors
/// What the database says.
pub fn known(connection: &mut PgConnection, conversation_ids: &[String]) -> QueryResult<Vec<String>> {
    let query = Statement::new(
        // Subqueries of one value: an EXISTS might be answered by reading the whole table.
        "SELECT id AS conversation_id FROM unnest($1) AS id \
         WHERE (SELECT true FROM trabajos WHERE id_eleven = id) \
            OR (SELECT estado IN ('done', 'failed') FROM conversaciones WHERE id_eleven = id)",
    );
    let ids = query.bind::<Array<Text>, _>(conversation_ids).load::<Id>(connection)?;
    Ok(ids.into_iter().map(|row| row.conversation_id).collect())
}

/// Enters what was asked for so many seconds ago, each conversation once. What is there already is asked for again, and
/// keeps all else: a worker may have been faster.
///
/// # Errors
/// What the database says.
pub fn record(
    connection: &mut PgConnection,
    run_id: &str,
    asked: &[Asked],
    secs_ago: f64,
) -> QueryResult<usize> {
    let column = |value: fn(&Asked) -> Option<&str>| asked.iter().map(value).collect::<Vec<_>>();
    Statement::new(
        "INSERT INTO trabajos AS book (id_eleven, id_agente, inicio, carril, id_corrida, pedido_en) \
         SELECT *, $5, now() - make_interval(secs => $6) \
         FROM unnest($1, $2, $3, $4) AS asked (id_eleven, id_agente, inicio, carril) ORDER BY id_eleven \
         ON CONFLICT (id_eleven) DO UPDATE SET carril = excluded.carril, id_corrida = excluded.id_corrida, \
             pedido_en = greatest(book.pedido_en, excluded.pedido_en), \
             id_agente = coalesce(book.id_agente, excluded.id_agente), \
             inicio = coalesce(book.inicio, excluded.inicio)",
    )
    .bind::<Array<Nullable<Text>>, _>(column(|asked| Some(&asked.conversation_id)))
    .bind::<Array<Nullable<Text>>, _>(column(|asked| asked.agent_id.as_deref()))
    .bind::<Array<Nullable<Timestamptz>>, _>(asked.iter().map(|asked| asked.start).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(column(|asked| Some(asked.lane)))
    .bind::<Text, _>(run_id)
    .bind::<Double, _>(secs_ago)
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
         WHERE NOT EXISTS (SELECT FROM conversaciones WHERE id_eleven = $1 AND estado IN ('done', 'failed')) \
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

/// Writes a row that is larger than what may be free in the pages there are, and takes it back.
///
/// # Errors
/// What the database says.
pub fn try_write(connection: &mut PgConnection) -> QueryResult<()> {
    let written = connection.transaction(|connection| {
        sql_query(
            "INSERT INTO trabajos (id_eleven, carril, motivo) \
             SELECT 'prueba-' || gen_random_uuid(), 'fetch', string_agg(md5(random()::text), '') \
             FROM generate_series(1, 2048)",
        )
        .execute(connection)?;
        Err::<(), _>(Error::RollbackTransaction)
    });
    match written {
        Err(Error::RollbackTransaction) => Ok(()),
        outcome => outcome,
    }
}
