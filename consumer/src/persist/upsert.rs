//! The worker's only SQL: the rules of writing.
//!
//! One transaction a batch, in the order agentes, conversaciones, reportes, each sorted by key. Every statement takes the
//! whole batch as arrays (`unnest`), so it costs the same number of round trips for one call as for many. What exists
//! is updated, what does not is inserted, never both in one statement: an `ON CONFLICT` draws a value from the sequence for
//! each row it then does not insert, and folios would have gaps.

mod conversations;
mod reports;
mod retained;

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Text};
use diesel::{QueryableByName, RunQueryDsl};
use shared::database::Statement;
use shared::database::rows::CallRows;

/// What became of a call's rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Written {
    /// New.
    Inserted,
    /// There before, with other content.
    Updated,
    /// There before with the same content: nothing was written.
    Unchanged,
    /// Discarded or erased by a person: not to be stored.
    Barred,
}

/// The trigger on `reportes` takes a change for a person's, unless its transaction says who it is. `lock_timeout` is for
/// a person's open edit. Every statement looks rows up by key: a planner without statistics, as after a restore, would
/// rather read the whole table for each batch.
const BEGIN: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL backend089.escritor = 'consumer'; \
    SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

/// Two workers that insert the same call meet at its key; the slower one finds it there at the next look.
const ROUNDS: usize = 3;

/// Writes the rows of calls, which must be sorted by conversation id and each there once. Returns what became of each.
///
/// # Errors
/// What the database says; [`diesel::result::Error::NotFound`] when rows keep coming and going under our hands.
pub fn upsert(connection: &mut PgConnection, calls: &[CallRows]) -> QueryResult<Vec<Written>> {
    connection.batch_execute(BEGIN)?;
    let mut written: Vec<Option<Written>> = vec![None; calls.len()];
    for _ in 0..ROUNDS {
        let open: Vec<usize> = (0..calls.len()).filter(|&index| written[index].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let pending: Vec<&CallRows> = open.iter().map(|&index| &calls[index]).collect();
        for (index, outcome) in open.into_iter().zip(round(connection, &pending)?) {
            written[index] = outcome;
        }
    }
    written.into_iter().map(|outcome| outcome.ok_or(diesel::result::Error::NotFound)).collect()
}

/// Every statement with no rows to write: it does nothing but fail where a right is missing.
///
/// # Errors
/// What the database says.
pub fn try_rights(connection: &mut PgConnection) -> QueryResult<()> {
    look_up(connection, &[])?;
    insert_missing_agents(connection, std::iter::empty())?;
    conversations::lock(connection, &[])?;
    retained::read(connection, &[])?;
    retained::keep(connection, &[])?;
    conversations::update(connection, &[])?;
    conversations::insert(connection, &[])?;
    reports::update(connection, &[], &[])?;
    reports::insert_missing(connection, &[])?;
    revive(connection, &[])?;
    Ok(())
}

/// One look at what is there, and one write of each kind; `None` for a call that somebody else inserted meanwhile.
fn round(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<Vec<Option<Written>>> {
    let found = look_up(connection, calls)?;
    let mut outcomes: Vec<Option<Written>> = found.iter().map(Found::settled).collect();
    let part = |outcomes: &[Option<Written>], exists: bool| -> Vec<&CallRows> {
        let open = found.iter().zip(calls).zip(outcomes).filter(|((_, _), outcome)| outcome.is_none());
        open.filter(|((found, _), _)| found.exists == exists).map(|((_, &call), _)| call).collect()
    };
    let (existing, new) = (part(&outcomes, true), part(&outcomes, false));
    if existing.is_empty() && new.is_empty() {
        return Ok(outcomes);
    }
    insert_missing_agents(connection, existing.iter().chain(&new).copied())?;
    let mut keys = BTreeMap::new();
    if !existing.is_empty() {
        let locked = conversations::lock(connection, &existing)?;
        retained::prune(connection, &existing)?;
        conversations::update(connection, &existing)?;
        reports::update(connection, &existing, &locked)?;
        keys.extend(locked.into_iter().map(|row| (row.conversation_id, (row.key, Written::Updated))));
    }
    if !new.is_empty() {
        let inserted = conversations::insert(connection, &new)?;
        keys.extend(inserted.into_iter().map(|row| (row.conversation_id, (row.key, Written::Inserted))));
    }
    let stored: Vec<(&CallRows, i64)> = calls
        .iter()
        .filter_map(|&call| Some((call, keys.get(call.conversation.conversation_id.as_str())?.0)))
        .collect();
    reports::insert_missing(connection, &stored)?;
    revive(connection, &stored)?;
    for (outcome, call) in outcomes.iter_mut().zip(calls) {
        let key = keys.get(call.conversation.conversation_id.as_str());
        *outcome = outcome.or(key.map(|&(_, written)| written));
    }
    Ok(outcomes)
}

/// What is there of a call, before anything is written.
#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    exists: bool,
    /// Of the same content.
    #[diesel(sql_type = Bool)]
    is_same: bool,
    /// Discarded or erased by a person.
    #[diesel(sql_type = Bool)]
    is_barred: bool,
}

impl Found {
    fn settled(&self) -> Option<Written> {
        match self {
            Self { is_barred: true, .. } => Some(Written::Barred),
            Self { is_same: true, .. } => Some(Written::Unchanged),
            _ => None,
        }
    }
}

/// A row of `conversaciones` that this transaction holds.
#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = Text)]
    conversation_id: String,
    /// Its `id_conversacion`.
    #[diesel(sql_type = BigInt)]
    key: i64,
    /// Made by the older system, and not written since.
    #[diesel(sql_type = Bool)]
    is_adopted: bool,
}

/// Reads without a lock: a batch of unchanged calls writes nothing at all.
fn look_up(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<Vec<Found>> {
    Statement::new(
        "SELECT stored.id_eleven IS NOT NULL AS exists, stored.huella IS NOT DISTINCT FROM new.huella AS is_same, \
             book.descartado_en IS NOT NULL OR book.olvidado_en IS NOT NULL AS is_barred \
         FROM unnest($1, $2) WITH ORDINALITY AS new (id_eleven, huella, position) \
         LEFT JOIN conversaciones AS stored USING (id_eleven) LEFT JOIN trabajos AS book USING (id_eleven) \
         ORDER BY position",
    )
    .bind::<Array<Text>, _>(ids(calls))
    .bind::<Array<Bytea>, _>(calls.iter().map(|call| &call.huella).collect::<Vec<_>>())
    .load(connection)
}

fn ids<'a>(calls: &[&'a CallRows]) -> Vec<&'a str> {
    calls.iter().map(|call| call.conversation.conversation_id.as_str()).collect()
}

/// Names are the producer's business: if every writer wrote them, all would queue on one hot row.
fn insert_missing_agents<'a>(
    connection: &mut PgConnection,
    calls: impl Iterator<Item = &'a CallRows>,
) -> QueryResult<usize> {
    let mut agents: Vec<&str> =
        calls.filter_map(|call| Some(call.conversation.agent_id.as_ref()?.as_str())).collect();
    agents.sort_unstable();
    agents.dedup();
    Statement::new(
        "INSERT INTO agentes (id_agente) SELECT id FROM unnest($1) AS id \
         WHERE NOT EXISTS (SELECT FROM agentes WHERE id_agente = id) ORDER BY id ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(agents)
    .execute(connection)
}

/// What is stored is not dead, whatever another copy of its job came to; nor is it to be asked for again.
fn revive(connection: &mut PgConnection, stored: &[(&CallRows, i64)]) -> QueryResult<usize> {
    Statement::new("UPDATE trabajos SET muerto_en = NULL, repetir_en = NULL WHERE id_eleven = ANY ($1) AND muerto_en IS NOT NULL")
        .bind::<Array<Text>, _>(
            stored.iter().map(|(call, _)| call.conversation.conversation_id.as_str()).collect::<Vec<_>>(),
        )
        .execute(connection)
}
