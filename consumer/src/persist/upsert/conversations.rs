//! Rows of `conversaciones`: locked, updated, inserted.

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, Bytea, Date, Integer, Jsonb, Nullable, Text, Time, Timestamptz};
use shared::database::Statement;
use shared::database::rows::{CallRows, ConversationRow};
use shared::ids::AgentId;

use super::{Held, ids};

/// The columns that a batch carries, in the order of its arrays.
macro_rules! columns {
    () => {
        "id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion, inicio, fin, duracion_segundos, \
         estado, resumen, idioma, exito, datos, evaluacion, tapado, rarezas, origen, huella"
    };
}

/// A batch as a table.
macro_rules! batch {
    () => {
        concat!(
            "unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
             $20) AS new (",
            columns!(),
            ")"
        )
    };
}

/// Binds a batch as twenty arrays, in the order of the columns.
fn bound<'a>(query: &'static str, calls: &'a [&'a CallRows]) -> Statement<'a> {
    fn column<'a, T>(calls: &[&'a CallRows], value: impl Fn(&'a ConversationRow) -> T) -> Vec<T> {
        calls.iter().map(|call| value(&call.conversation)).collect()
    }
    Statement::new(query)
        .bind::<Array<Text>, _>(ids(calls))
        .bind::<Array<Nullable<Text>>, _>(column(calls, |row| row.agent_id.as_ref().map(AgentId::as_str)))
        .bind::<Array<Nullable<Date>>, _>(column(calls, |row| row.fecha))
        .bind::<Array<Nullable<Time>>, _>(column(calls, |row| row.hora_inicio))
        .bind::<Array<Nullable<Time>>, _>(column(calls, |row| row.hora_fin))
        .bind::<Array<Nullable<Text>>, _>(column(calls, |row| row.duracion.as_deref()))
        .bind::<Array<Text>, _>(column(calls, |row| row.transcripcion.as_str()))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(calls, |row| row.inicio))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(calls, |row| row.fin))
        .bind::<Array<Nullable<Integer>>, _>(column(calls, |row| row.duracion_segundos))
        .bind::<Array<Nullable<Text>>, _>(column(calls, |row| row.estado.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(calls, |row| row.resumen.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(calls, |row| row.idioma.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(calls, |row| row.exito.as_deref()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(calls, |row| row.datos.as_ref()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(calls, |row| row.evaluacion.as_ref()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(calls, |row| row.tapado.as_ref()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(calls, |row| row.rarezas.as_ref()))
        .bind::<Array<Nullable<Text>>, _>(column(calls, |row| row.origen.as_deref()))
        .bind::<Array<Bytea>, _>(calls.iter().map(|call| call.huella.as_slice()).collect::<Vec<_>>())
}

/// Locks in the order of the key, which an UPDATE with a join would not. Who held a row before us is done when this
/// returns, so that each statement after it sees one writer's work.
pub(super) fn lock(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<Vec<Held>> {
    Statement::new(
        "SELECT id_eleven AS conversation_id, id_conversacion::bigint AS key, huella IS NULL AS is_adopted \
         FROM conversaciones WHERE id_eleven = ANY ($1) ORDER BY id_eleven FOR UPDATE",
    )
    .bind::<Array<Text>, _>(ids(calls))
    .load(connection)
}

/// Inserts what nobody else has inserted meanwhile.
pub(super) fn insert(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<Vec<Held>> {
    const INSERT: &str = concat!(
        "INSERT INTO conversaciones (",
        columns!(),
        ", sincronizado_en) SELECT *, now() FROM ",
        batch!(),
        " ORDER BY id_eleven ON CONFLICT (id_eleven) DO NOTHING \
         RETURNING id_eleven AS conversation_id, id_conversacion::bigint AS key, false AS is_adopted"
    );
    bound(INSERT, calls).load(connection)
}

/// A stored value is never replaced by NULL, a transcript never by an emptied one, a known duration never by zero, and a
/// final state never goes back. In `datos` and `evaluacion` that holds value by value. `huella`, `tapado` and `rarezas` are of
/// what was received, also where the stored value was kept.
pub(super) fn update(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<usize> {
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
             datos = coalesce(new.datos || stored.datos || (SELECT coalesce(jsonb_object_agg(key, value), '{}') \
                     FROM jsonb_each(new.datos) WHERE value <> 'null'), new.datos, stored.datos), \
             evaluacion = coalesce(new.evaluacion || stored.evaluacion || jsonb_strip_nulls(new.evaluacion), \
                 new.evaluacion, stored.evaluacion), \
             tapado = new.tapado, rarezas = new.rarezas, origen = coalesce(new.origen, stored.origen), \
             huella = new.huella, sincronizado_en = now() \
         FROM ",
        batch!(),
        " WHERE stored.id_eleven = new.id_eleven"
    );
    bound(UPDATE, calls).execute(connection)
}
