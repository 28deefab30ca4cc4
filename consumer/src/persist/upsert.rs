//! The worker's only SQL: the rules of writing.
//!
//! One transaction a batch, in the order agentes, conversaciones, reportes, each sorted by key. Every statement takes the
//! whole batch as arrays (`unnest`), so it costs the same number of round trips for one call as for many. What exists
//! is updated, what does not is inserted, never both in one statement: an `ON CONFLICT` draws a value from the sequence for
//! each row it then does not insert, and folios would have gaps.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date, Integer, Jsonb, Nullable, Text, Time, Timestamptz,
};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
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
/// a person's open edit.
const BEGIN: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL backend089.escritor = 'consumer'";

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
        let locked = lock(connection, &existing)?;
        update_conversations(connection, &existing)?;
        update_reports(connection, &existing, &locked)?;
        keys.extend(locked.into_iter().map(|row| (row.conversation_id, (row.key, Written::Updated))));
    }
    if !new.is_empty() {
        let inserted = insert_conversations(connection, &new)?;
        keys.extend(inserted.into_iter().map(|row| (row.conversation_id, (row.key, Written::Inserted))));
    }
    let stored: Vec<(&CallRows, i64)> = calls
        .iter()
        .filter_map(|&call| Some((call, keys.get(call.conversation.conversation_id.as_str())?.0)))
        .collect();
    insert_missing_reports(connection, &stored)?;
    revive(connection, &stored)?;
    for (outcome, call) in outcomes.iter_mut().zip(calls) {
        let key = keys.get(call.conversation.conversation_id.as_str());
        *outcome = outcome.or(key.map(|&(_, written)| written));
    }
    Ok(outcomes)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    exists: bool,
    #[diesel(sql_type = Bool)]
    is_same: bool,
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

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    conversation_id: String,
    #[diesel(sql_type = BigInt)]
    key: i64,
    #[diesel(sql_type = Bool)]
    is_adopted: bool,
}

/// Reads without a lock: a batch of unchanged calls writes nothing at all.
fn look_up(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<Vec<Found>> {
    sql_query(
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
    sql_query(
        "INSERT INTO agentes (id_agente) SELECT id FROM unnest($1) AS id \
         WHERE NOT EXISTS (SELECT FROM agentes WHERE id_agente = id) ORDER BY id ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(agents)
    .execute(connection)
}

/// Locks in the order of the key, which an UPDATE with a join would not. Who held a row before us is done when this
/// returns, so that each statement after it sees one writer's work.
fn lock(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<Vec<Key>> {
    sql_query(
        "SELECT id_eleven AS conversation_id, id_conversacion AS key, huella IS NULL AS is_adopted \
         FROM conversaciones WHERE id_eleven = ANY ($1) ORDER BY id_eleven FOR UPDATE",
    )
    .bind::<Array<Text>, _>(ids(calls))
    .load(connection)
}

/// Binds a batch of conversations as seventeen arrays, in the order of [`COLUMNS`].
macro_rules! bind_conversations {
    ($query:expr, $calls:expr) => {{
        let calls: &[&CallRows] = $calls;
        macro_rules! column {
            ($value:expr) => {
                calls.iter().map(|call| $value(&call.conversation)).collect::<Vec<_>>()
            };
        }
        type Row = shared::database::rows::ConversationRow;
        sql_query($query)
            .bind::<Array<Text>, _>(ids(calls))
            .bind::<Array<Nullable<Text>>, _>(column!(|row: &Row| row
                .agent_id
                .as_ref()
                .map(ToString::to_string)))
            .bind::<Array<Nullable<Date>>, _>(column!(|row: &Row| -> Option<NaiveDate> { row.fecha }))
            .bind::<Array<Nullable<Time>>, _>(column!(|row: &Row| -> Option<NaiveTime> { row.hora_inicio }))
            .bind::<Array<Nullable<Time>>, _>(column!(|row: &Row| -> Option<NaiveTime> { row.hora_fin }))
            .bind::<Array<Nullable<Text>>, _>(column!(|row: &Row| row.duracion.clone()))
            .bind::<Array<Text>, _>(
                calls.iter().map(|call| call.conversation.transcripcion.as_str()).collect::<Vec<_>>(),
            )
            .bind::<Array<Nullable<Timestamptz>>, _>(column!(|row: &Row| -> Option<DateTime<Utc>> {
                row.inicio
            }))
            .bind::<Array<Nullable<Timestamptz>>, _>(column!(|row: &Row| -> Option<DateTime<Utc>> {
                row.fin
            }))
            .bind::<Array<Nullable<Integer>>, _>(column!(|row: &Row| row.duracion_segundos))
            .bind::<Array<Nullable<Text>>, _>(column!(|row: &Row| row.estado.clone()))
            .bind::<Array<Nullable<Text>>, _>(column!(|row: &Row| row.resumen.clone()))
            .bind::<Array<Nullable<Text>>, _>(column!(|row: &Row| row.idioma.clone()))
            .bind::<Array<Nullable<Text>>, _>(column!(|row: &Row| row.exito.clone()))
            .bind::<Array<Nullable<Jsonb>>, _>(column!(|row: &Row| row.datos.clone()))
            .bind::<Array<Nullable<Jsonb>>, _>(column!(|row: &Row| row.evaluacion.clone()))
            .bind::<Array<Bytea>, _>(calls.iter().map(|call| &call.huella).collect::<Vec<_>>())
    }};
}

/// The columns that a batch carries, in the order of its arrays.
macro_rules! columns {
    () => {
        "id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion, inicio, fin, duracion_segundos, \
         estado, resumen, idioma, exito, datos, evaluacion, huella"
    };
}

macro_rules! batch {
    () => {
        concat!(
            "unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS new (",
            columns!(),
            ")"
        )
    };
}

fn insert_conversations(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<Vec<Key>> {
    const INSERT: &str = concat!(
        "INSERT INTO conversaciones (",
        columns!(),
        ", sincronizado_en) SELECT *, now() FROM ",
        batch!(),
        " ORDER BY id_eleven ON CONFLICT (id_eleven) DO NOTHING \
         RETURNING id_eleven AS conversation_id, id_conversacion AS key, false AS is_adopted"
    );
    bind_conversations!(INSERT, calls).load(connection)
}

/// A stored value is never replaced by NULL, a transcript never by an emptied one, a known duration never by zero, and a
/// final state never goes back. In `datos` and `evaluacion` that holds value by value. `huella` is of what was received,
/// also where the stored value was kept.
fn update_conversations(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<usize> {
    const UPDATE: &str = concat!(
        "UPDATE conversaciones AS stored SET \
             id_agente = coalesce(new.id_agente, stored.id_agente), \
             fecha = coalesce(new.fecha, stored.fecha), \
             hora_inicio = coalesce(new.hora_inicio, stored.hora_inicio), \
             hora_fin = coalesce(new.hora_fin, stored.hora_fin), \
             duracion = coalesce(new.duracion, stored.duracion), \
             transcripcion = coalesce(nullif(new.transcripcion, ''), stored.transcripcion), \
             inicio = coalesce(new.inicio, stored.inicio), \
             fin = coalesce(new.fin, stored.fin), \
             duracion_segundos = \
                 coalesce(nullif(new.duracion_segundos, 0), stored.duracion_segundos, new.duracion_segundos), \
             estado = CASE WHEN stored.estado IN ('done', 'failed') AND new.estado NOT IN ('done', 'failed') \
                 THEN stored.estado ELSE coalesce(new.estado, stored.estado) END, \
             resumen = coalesce(new.resumen, stored.resumen), \
             idioma = coalesce(new.idioma, stored.idioma), \
             exito = coalesce(new.exito, stored.exito), \
             datos = coalesce(new.datos || stored.datos || jsonb_strip_nulls(new.datos), new.datos, stored.datos), \
             evaluacion = coalesce(new.evaluacion || stored.evaluacion || jsonb_strip_nulls(new.evaluacion), \
                 new.evaluacion, stored.evaluacion), \
             huella = new.huella, sincronizado_en = now() \
         FROM ",
        batch!(),
        " WHERE stored.id_eleven = new.id_eleven"
    );
    bind_conversations!(UPDATE, calls).execute(connection)
}

/// Binds reports as five arrays: the conversation's key and the four values.
macro_rules! bind_reports {
    ($query:expr, $reports:expr) => {{
        let reports: &[(&CallRows, i64)] = $reports;
        let values = |value: fn(&CallRows) -> Option<&str>| {
            reports.iter().map(|&(call, _)| value(call)).collect::<Vec<_>>()
        };
        sql_query($query)
            .bind::<Array<BigInt>, _>(reports.iter().map(|&(_, key)| key).collect::<Vec<_>>())
            .bind::<Array<Nullable<Text>>, _>(values(|call| call.report.id_extorsion.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(values(|call| call.report.modo.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(values(|call| call.report.tiempo.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(values(|call| call.report.lugar.as_deref()))
    }};
}

/// A report that a person edited keeps the person's values. Of an adopted one, made before the trigger could tell, only the
/// NULLs are filled; where a value differs from the source's, a person is taken to have corrected it, so that it is kept
/// for good and not only this once.
fn update_reports(connection: &mut PgConnection, calls: &[&CallRows], locked: &[Key]) -> QueryResult<usize> {
    const UPDATE: &str = "\
        UPDATE reportes AS stored SET id_extorsion = kept.id_extorsion, modo = kept.modo, tiempo = kept.tiempo, \
            lugar = kept.lugar, editado_en = CASE WHEN kept.is_corrected THEN now() END \
        FROM unnest($1, $2, $3, $4, $5, $6) \
                AS new (id_conversacion, id_extorsion, modo, tiempo, lugar, is_adopted), \
            LATERAL (SELECT * FROM reportes WHERE id_conversacion = new.id_conversacion) AS old, \
            LATERAL (SELECT \
                CASE WHEN is_adopted THEN coalesce(old.id_extorsion, new.id_extorsion) \
                    ELSE coalesce(new.id_extorsion, old.id_extorsion) END AS id_extorsion, \
                CASE WHEN is_adopted THEN coalesce(old.modo, new.modo) ELSE coalesce(new.modo, old.modo) END AS modo, \
                CASE WHEN is_adopted THEN coalesce(old.tiempo, new.tiempo) \
                    ELSE coalesce(new.tiempo, old.tiempo) END AS tiempo, \
                CASE WHEN is_adopted THEN coalesce(old.lugar, new.lugar) \
                    ELSE coalesce(new.lugar, old.lugar) END AS lugar, \
                is_adopted AND coalesce(old.id_extorsion <> new.id_extorsion, false) \
                    OR is_adopted AND coalesce(old.modo <> new.modo, false) \
                    OR is_adopted AND coalesce(old.tiempo <> new.tiempo, false) \
                    OR is_adopted AND coalesce(old.lugar <> new.lugar, false) AS is_corrected) AS kept \
        WHERE stored.id_conversacion = new.id_conversacion AND stored.editado_en IS NULL \
            AND (kept.is_corrected OR (stored.id_extorsion, stored.modo, stored.tiempo, stored.lugar) \
                IS DISTINCT FROM (kept.id_extorsion, kept.modo, kept.tiempo, kept.lugar))";
    let by_id: BTreeMap<&str, &Key> = locked.iter().map(|key| (key.conversation_id.as_str(), key)).collect();
    let (reports, adopted): (Vec<(&CallRows, i64)>, Vec<bool>) = calls
        .iter()
        .filter_map(|&call| {
            let key = by_id.get(call.conversation.conversation_id.as_str())?;
            Some(((call, key.key), key.is_adopted))
        })
        .unzip();
    bind_reports!(UPDATE, &reports).bind::<Array<Bool>, _>(adopted).execute(connection)
}

/// One report per stored call. Their conversations are locked by this transaction, so no other worker draws a folio for
/// one of them.
fn insert_missing_reports(connection: &mut PgConnection, reports: &[(&CallRows, i64)]) -> QueryResult<usize> {
    const INSERT: &str = "\
        INSERT INTO reportes (id_conversacion, id_extorsion, modo, tiempo, lugar) \
        SELECT * FROM unnest($1, $2, $3, $4, $5) AS new (id_conversacion, id_extorsion, modo, tiempo, lugar) \
        WHERE NOT EXISTS (SELECT FROM reportes WHERE reportes.id_conversacion = new.id_conversacion) \
        ORDER BY id_conversacion ON CONFLICT DO NOTHING";
    bind_reports!(INSERT, reports).execute(connection)
}

/// What is stored is not dead, whatever another copy of its job came to.
fn revive(connection: &mut PgConnection, stored: &[(&CallRows, i64)]) -> QueryResult<usize> {
    sql_query("UPDATE trabajos SET muerto_en = NULL WHERE id_eleven = ANY ($1) AND muerto_en IS NOT NULL")
        .bind::<Array<Text>, _>(
            stored.iter().map(|(call, _)| call.conversation.conversation_id.as_str()).collect::<Vec<_>>(),
        )
        .execute(connection)
}
