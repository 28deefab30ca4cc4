//! What leaves a stored row before its call is written again: values that `DATA_ITEMS` does not keep any more, and those whose
//! id the mask has changed. Such an id holds the caller's line, so the keys that stay are sent, never those that go.

use std::collections::BTreeMap;

use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, Jsonb, Text};
use diesel::{QueryableByName, RunQueryDsl};
use serde_json::Value;
use shared::database::Statement;
use shared::database::rows::CallRows;

/// The keys of a row's two objects.
#[derive(QueryableByName)]
pub(super) struct Keys {
    #[diesel(sql_type = Text)]
    conversation_id: String,
    #[diesel(sql_type = Array<Text>)]
    datos: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    evaluacion: Vec<String>,
}

/// Takes out of locked rows what does not stay in them.
pub(super) fn prune(connection: &mut PgConnection, calls: &[&CallRows]) -> QueryResult<()> {
    let calls: BTreeMap<&str, &CallRows> = calls
        .iter()
        .filter(|call| !call.retained.is_everything())
        .map(|&call| (call.conversation.conversation_id.as_str(), call))
        .collect();
    if calls.is_empty() {
        return Ok(());
    }
    let mut stale = read(connection, &calls.keys().copied().collect::<Vec<_>>())?;
    stale.retain_mut(|keys| {
        let retained = &calls[keys.conversation_id.as_str()].retained;
        let before = keys.datos.len() + keys.evaluacion.len();
        keys.datos.retain(|key| retained.item(key));
        keys.evaluacion.retain(|key| retained.criterion(key));
        keys.datos.len() + keys.evaluacion.len() < before
    });
    if stale.is_empty() { Ok(()) } else { keep(connection, &stale).map(drop) }
}

/// Reads the keys of rows.
pub(super) fn read(connection: &mut PgConnection, ids: &[&str]) -> QueryResult<Vec<Keys>> {
    Statement::new(
        "SELECT id_eleven AS conversation_id, \
             ARRAY(SELECT jsonb_object_keys(CASE jsonb_typeof(datos) WHEN 'object' THEN datos END)) AS datos, \
             ARRAY(SELECT jsonb_object_keys(CASE jsonb_typeof(evaluacion) WHEN 'object' THEN evaluacion END)) \
                 AS evaluacion \
         FROM conversaciones WHERE id_eleven = ANY ($1)",
    )
    .bind::<Array<Text>, _>(ids)
    .load(connection)
}

/// Leaves in rows what stands under these keys alone.
pub(super) fn keep(connection: &mut PgConnection, rows: &[Keys]) -> QueryResult<usize> {
    let column = |keys: fn(&Keys) -> &Vec<String>| -> Vec<Value> {
        rows.iter().map(|row| keys(row).iter().cloned().collect()).collect()
    };
    Statement::new(
        "UPDATE conversaciones AS stored SET \
             datos = (SELECT jsonb_object_agg(key, value) FROM jsonb_each(stored.datos) WHERE new.datos ? key), \
             evaluacion = (SELECT jsonb_object_agg(key, value) FROM jsonb_each(stored.evaluacion) \
                 WHERE new.evaluacion ? key) \
         FROM unnest($1, $2, $3) AS new (id_eleven, datos, evaluacion) WHERE stored.id_eleven = new.id_eleven",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.conversation_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(column(|row| &row.datos))
    .bind::<Array<Jsonb>, _>(column(|row| &row.evaluacion))
    .execute(connection)
}
