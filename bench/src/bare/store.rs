//! Rows by `UNNEST`, one statement a table and batch, on two connections.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Bytea, Date, Integer, Jsonb, Nullable, Text, Time, Timestamptz};
use shared::database::rows::{CallRows, ConversationRow, ReportRow};
use shared::ids::AgentId;
use tokio::sync::mpsc;

/// Connections that write.
const CONNECTIONS: usize = 2;

/// How long a writer waits for its batch to fill.
const FILL: Duration = Duration::from_millis(5);

/// Rows with the deliveries that they came by.
pub(crate) type Batch = Vec<(u64, CallRows)>;

/// Threads that write.
#[derive(Debug)]
pub(crate) struct Store(Vec<JoinHandle<anyhow::Result<()>>>);

impl Store {
    /// Begins to write what comes, and says what was committed; ends when nothing can come any more.
    pub(crate) fn start(
        url: &str,
        rows: mpsc::Receiver<(u64, CallRows)>,
        written: mpsc::UnboundedSender<Batch>,
        batch_size: usize,
    ) -> anyhow::Result<Self> {
        let rows = Arc::new(Mutex::new(rows));
        let begin = |_| {
            let mut connection = PgConnection::establish(url)?;
            let (rows, written) = (Arc::clone(&rows), written.clone());
            Ok(std::thread::spawn(move || {
                let mut agents = HashSet::new();
                loop {
                    let batch = next(&rows, batch_size);
                    if batch.is_empty() {
                        return Ok(());
                    }
                    write(&mut connection, &batch, &mut agents)?;
                    written.send(batch).ok().context("somebody acks")?;
                }
            }))
        };
        let threads = (0..CONNECTIONS).map(begin).collect::<anyhow::Result<_>>()?;
        // Those of the threads remain: who receives learns of their end.
        drop(written);
        Ok(Self(threads))
    }

    /// Waits for the end.
    pub(crate) fn finished(self) -> anyhow::Result<()> {
        for thread in self.0 {
            thread.join().ok().context("a writer panicked")??;
        }
        Ok(())
    }
}

/// What there is, up to a batch; one writer gathers while the other writes.
fn next(rows: &Mutex<mpsc::Receiver<(u64, CallRows)>>, batch_size: usize) -> Batch {
    let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
    let mut batch = Vec::with_capacity(batch_size);
    if rows.blocking_recv_many(&mut batch, batch_size) > 0 && batch.len() < batch_size && !rows.is_closed() {
        std::thread::sleep(FILL);
        while batch.len() < batch_size
            && let Ok(row) = rows.try_recv()
        {
            batch.push(row);
        }
    }
    batch
}

/// Writes a batch in a transaction.
pub(crate) fn write(
    connection: &mut PgConnection,
    batch: &[(u64, CallRows)],
    agents: &mut HashSet<AgentId>,
) -> anyhow::Result<()> {
    let new: Vec<&AgentId> = batch
        .iter()
        .filter_map(|(_, call)| call.conversation.agent_id.as_ref())
        .filter(|agent| agents.insert((*agent).clone()))
        .collect();
    if !new.is_empty() {
        sql_query("INSERT INTO agentes (id_agente) SELECT unnest($1) ON CONFLICT DO NOTHING")
            .bind::<Array<Text>, _>(new.iter().map(|agent| agent.as_str()).collect::<Vec<_>>())
            .execute(connection)?;
    }
    insert(connection, batch)?;
    Ok(())
}

/// Both tables in one statement, which is a transaction by itself.
fn insert(connection: &mut PgConnection, batch: &[(u64, CallRows)]) -> QueryResult<usize> {
    const INSERT: &str = "\
        WITH new AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
                $18, $19, $20, $21) \
            AS new (id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion, inicio, fin, \
                duracion_segundos, estado, resumen, idioma, exito, datos, evaluacion, huella, \
                id_extorsion, modo, tiempo, lugar)), \
        stored AS (INSERT INTO conversaciones (id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, \
                transcripcion, inicio, fin, duracion_segundos, estado, resumen, idioma, exito, datos, evaluacion, huella, \
                sincronizado_en) \
            SELECT id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion, inicio, fin, \
                duracion_segundos, estado, resumen, idioma, exito, datos, evaluacion, huella, now() FROM new \
            RETURNING id_eleven, id_conversacion) \
        INSERT INTO reportes (id_conversacion, id_extorsion, modo, tiempo, lugar) \
        SELECT id_conversacion, id_extorsion, modo, tiempo, lugar FROM stored JOIN new USING (id_eleven)";
    fn column<'a, T>(batch: &'a [(u64, CallRows)], value: impl Fn(&'a ConversationRow) -> T) -> Vec<T> {
        batch.iter().map(|(_, call)| value(&call.conversation)).collect()
    }
    let report = |value: fn(&ReportRow) -> Option<&str>| -> Vec<Option<&str>> {
        batch.iter().map(|(_, call)| call.report.as_ref().and_then(value)).collect()
    };
    sql_query(INSERT)
        .bind::<Array<Text>, _>(column(batch, |row| row.conversation_id.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column(batch, |row| row.agent_id.as_ref().map(AgentId::as_str)))
        .bind::<Array<Nullable<Date>>, _>(column(batch, |row| row.fecha))
        .bind::<Array<Nullable<Time>>, _>(column(batch, |row| row.hora_inicio))
        .bind::<Array<Nullable<Time>>, _>(column(batch, |row| row.hora_fin))
        .bind::<Array<Nullable<Text>>, _>(column(batch, |row| row.duracion.as_deref()))
        .bind::<Array<Text>, _>(column(batch, |row| row.transcripcion.as_str()))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(batch, |row| row.inicio))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(batch, |row| row.fin))
        .bind::<Array<Nullable<Integer>>, _>(column(batch, |row| row.duracion_segundos))
        .bind::<Array<Nullable<Text>>, _>(column(batch, |row| row.estado.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(batch, |row| row.resumen.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(batch, |row| row.idioma.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(batch, |row| row.exito.as_deref()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(batch, |row| row.datos.as_ref()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(batch, |row| row.evaluacion.as_ref()))
        .bind::<Array<Bytea>, _>(batch.iter().map(|(_, call)| call.huella.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(report(|report| report.id_extorsion.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(report(|report| report.modo.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(report(|report| report.tiempo.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(report(|report| report.lugar.as_deref()))
        .execute(connection)
}
