//! From a body to rows, trusting that it is what is documented.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context;
use chrono::{DateTime, FixedOffset, TimeDelta};
use serde::Deserialize;
use serde_json::Value;
use shared::database::rows::{CallRows, ConversationRow, ReportRow, Retained};
use shared::ids::{AgentId, ConversationId};

/// Mexico City has had no daylight saving time since 2022.
const WEST_SECS: i32 = 6 * 3600;

#[derive(Deserialize)]
struct Detail<'a> {
    conversation_id: &'a str,
    agent_id: &'a str,
    status: String,
    transcript: Vec<Turn<'a>>,
    metadata: Metadata,
    analysis: Option<Analysis>,
}

#[derive(Deserialize)]
struct Turn<'a> {
    role: &'a str,
    message: Option<String>,
    time_in_call_secs: u32,
}

#[derive(Deserialize)]
struct Metadata {
    start_time_unix_secs: i64,
    call_duration_secs: i32,
    main_language: Option<String>,
}

#[derive(Deserialize)]
struct Analysis {
    call_successful: String,
    transcript_summary: String,
    data_collection_results: BTreeMap<String, Item>,
    evaluation_criteria_results: BTreeMap<String, Criterion>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
struct Criterion {
    result: String,
}

/// The rows of a body.
pub(crate) fn parse(body: impl AsRef<[u8]>) -> anyhow::Result<CallRows> {
    let detail: Detail<'_> = serde_json::from_slice(body.as_ref())?;
    let west = FixedOffset::west_opt(WEST_SECS).context("an offset of six hours")?;
    let Metadata { start_time_unix_secs, call_duration_secs: secs, main_language } = detail.metadata;
    let inicio = DateTime::from_timestamp(start_time_unix_secs, 0).context("a start")?;
    let fin = (secs > 0).then(|| inicio + TimeDelta::seconds(secs.into()));
    let local = inicio.with_timezone(&west);
    // Of the size that the column holds for others; it is only filled.
    let mut huella = detail.conversation_id.as_bytes().to_vec();
    huella.truncate(32);
    let mut transcripcion = String::with_capacity(2048);
    for turn in &detail.transcript {
        let Some(message) = turn.message.as_deref().filter(|message| !message.is_empty()) else { continue };
        if !transcripcion.is_empty() {
            transcripcion.push('\n');
        }
        let role = if turn.role == "agent" { "AGENT" } else { "USER" };
        write!(transcripcion, "[{}.0s] {role}: {message}", turn.time_in_call_secs)?;
    }
    let mut row = ConversationRow {
        conversation_id: ConversationId::parse(detail.conversation_id)?,
        agent_id: Some(AgentId::parse(detail.agent_id)?),
        fecha: Some(local.date_naive()),
        hora_inicio: Some(local.time()),
        hora_fin: fin.map(|fin| fin.with_timezone(&west).time()),
        duracion: (secs > 0).then(|| format!("{secs} seconds")),
        transcripcion: held(transcripcion),
        inicio: Some(inicio),
        fin,
        duracion_segundos: Some(secs),
        estado: Some(detail.status),
        resumen: None,
        idioma: main_language,
        exito: None,
        datos: None,
        evaluacion: None,
        origen: None,
        tapado: None,
        rarezas: None,
    };
    let mut report = ReportRow::default();
    if let Some(analysis) = detail.analysis {
        let text = |id: &str| match &analysis.data_collection_results.get(id)?.value {
            Value::Null => None,
            Value::String(text) => Some(held(text.clone())),
            other => Some(other.to_string()),
        };
        report.id_extorsion = text("id_extorsion");
        report.modo = text("forma").or_else(|| text("modo"));
        report.tiempo = text("tiempo");
        report.lugar = text("lugar");
        row.resumen = Some(held(analysis.transcript_summary));
        row.exito = Some(analysis.call_successful);
        let datos = analysis.data_collection_results.into_iter().map(|(id, item)| (id, plain(item.value)));
        row.datos = Some(Value::Object(datos.collect()));
        let results = analysis.evaluation_criteria_results.into_iter();
        row.evaluacion = Some(results.map(|(id, criterion)| (id, Value::String(criterion.result))).collect());
    }
    Ok(CallRows { conversation: row, report: Some(report), retained: Retained::default(), huella })
}

/// PostgreSQL holds no U+0000.
fn held(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(held(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}
