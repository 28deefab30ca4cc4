//! Rows of `reportes`: those of a person are left alone.

use std::collections::BTreeMap;

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use shared::database::Statement;
use shared::database::rows::{CallRows, ReportRow};

use super::Held;
use crate::normalize::MASK;

/// Binds reports as five arrays: the conversation's key and the four values.
fn bound<'a>(query: &'static str, reports: &'a [(&'a CallRows, i64)]) -> Statement<'a> {
    let column = |value: fn(&ReportRow) -> Option<&str>| -> Vec<Option<&'a str>> {
        reports.iter().map(|&(call, _)| call.report.as_ref().and_then(value)).collect()
    };
    Statement::new(query)
        .bind::<Array<BigInt>, _>(reports.iter().map(|&(_, key)| key).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(column(|report| report.id_extorsion.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(|report| report.modo.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(|report| report.tiempo.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(|report| report.lugar.as_deref()))
}

/// A report that a person edited keeps the person's values. Of an adopted one, made before the trigger could tell, only the
/// NULLs are filled; where a value differs from the source's, a person is taken to have corrected it, so that it is kept
/// for good and not only this once. A value in which the source's has the caller's line masked is no correction: the older
/// system stored it as it was said, and it must go.
pub(super) fn update(
    connection: &mut PgConnection,
    calls: &[&CallRows],
    locked: &[Held],
) -> QueryResult<usize> {
    const UPDATE: &str = "\
        UPDATE reportes AS stored SET id_extorsion = kept.id_extorsion, modo = kept.modo, tiempo = kept.tiempo, \
            lugar = kept.lugar, editado_en = CASE WHEN kept.is_corrected THEN now() END \
        FROM unnest($1, $2, $3, $4, $5, $6) \
                AS new (id_conversacion, id_extorsion, modo, tiempo, lugar, is_adopted), \
            LATERAL (SELECT \
                CASE WHEN strpos(new.id_extorsion, $7) > 0 THEN NULL ELSE id_extorsion END AS id_extorsion, \
                CASE WHEN strpos(new.modo, $7) > 0 THEN NULL ELSE modo END AS modo, \
                CASE WHEN strpos(new.tiempo, $7) > 0 THEN NULL ELSE tiempo END AS tiempo, \
                CASE WHEN strpos(new.lugar, $7) > 0 THEN NULL ELSE lugar END AS lugar \
                FROM reportes WHERE id_conversacion = new.id_conversacion) AS old, \
            LATERAL (SELECT \
                CASE WHEN is_adopted THEN coalesce(old.id_extorsion, new.id_extorsion) \
                    ELSE coalesce(new.id_extorsion, old.id_extorsion) END AS id_extorsion, \
                CASE WHEN is_adopted THEN coalesce(old.modo, new.modo) \
                    ELSE coalesce(new.modo, old.modo) END AS modo, \
                CASE WHEN is_adopted THEN coalesce(old.tiempo, new.tiempo) \
                    ELSE coalesce(new.tiempo, old.tiempo) END AS tiempo, \
                CASE WHEN is_adopted THEN coalesce(old.lugar, new.lugar) \
                    ELSE coalesce(new.lugar, old.lugar) END AS lugar, \
                is_adopted AND (coalesce(old.id_extorsion <> coalesce(new.id_extorsion, ''), false) \
                    OR coalesce(old.modo <> coalesce(new.modo, ''), false) \
                    OR coalesce(old.tiempo <> coalesce(new.tiempo, ''), false) \
                    OR coalesce(old.lugar <> coalesce(new.lugar, ''), false)) AS is_corrected) AS kept \
        WHERE stored.id_conversacion = new.id_conversacion AND stored.editado_en IS NULL \
            AND (kept.is_corrected OR (stored.id_extorsion, stored.modo, stored.tiempo, stored.lugar) \
                IS DISTINCT FROM (kept.id_extorsion, kept.modo, kept.tiempo, kept.lugar))";
    let by_id: BTreeMap<&str, &Held> =
        locked.iter().map(|held| (held.conversation_id.as_str(), held)).collect();
    let (reports, adopted): (Vec<(&CallRows, i64)>, Vec<bool>) = calls
        .iter()
        .filter(|call| call.report.is_some())
        .filter_map(|&call| {
            let held = by_id.get(call.conversation.conversation_id.as_str())?;
            Some(((call, held.key), held.is_adopted))
        })
        .unzip();
    bound(UPDATE, &reports).bind::<Array<Bool>, _>(adopted).bind::<Text, _>(MASK).execute(connection)
}

/// One report per stored call, but for those that are nobody's. Their conversations are locked by this transaction, so no other worker draws a folio for
/// one of them.
pub(super) fn insert_missing(
    connection: &mut PgConnection,
    reports: &[(&CallRows, i64)],
) -> QueryResult<usize> {
    const INSERT: &str = "\
        INSERT INTO reportes (id_conversacion, id_extorsion, modo, tiempo, lugar) \
        SELECT * FROM unnest($1, $2, $3, $4, $5) AS new (id_conversacion, id_extorsion, modo, tiempo, lugar) \
        WHERE NOT EXISTS (SELECT FROM reportes WHERE reportes.id_conversacion = new.id_conversacion) \
        ORDER BY id_conversacion ON CONFLICT DO NOTHING";
    let reported: Vec<(&CallRows, i64)> =
        reports.iter().filter(|(call, _)| call.report.is_some()).copied().collect();
    bound(INSERT, &reported).execute(connection)
}
