//! From a conversation to its rows: pure, without a clock, and without a way to fail.
//!
//! Whatever the source sends ends as values that the tables can hold: instants outside the calendar become `None`,
//! U+0000 disappears, and the caller's line, however it is written or said, becomes [`MASK`]. Whether a conversation is
//! ready to be stored is not decided here.

mod analysis;
mod hidden;
mod huella;
mod line;
mod mask;
mod numerals;
mod search;
mod times;
mod transcript;

use serde_json::{Map, Value};
use shared::config::ReportConfig;
use shared::database::rows::{CallRows, ConversationRow};
use shared::elevenlabs::{Analysis, Conversation, Status};

pub use hidden::Hidden;
pub use huella::NORMALIZER_VERSION;
pub use mask::MASK;

use mask::Mask;
use times::Times;

/// What `estado` says of a status that is no token.
const UNKNOWN_STATUS: &str = "unknown";

/// The longest token that is kept.
const MAX_TOKEN_LENGTH: usize = 40;

/// The rows of a conversation.
#[must_use]
pub fn normalize(conversation: &Conversation, config: &ReportConfig) -> CallRows {
    normalize_and_tell(conversation, config).0
}

/// The rows of a conversation, and which identifiers were hidden in them.
#[must_use]
pub fn normalize_and_tell(conversation: &Conversation, config: &ReportConfig) -> (CallRows, Hidden) {
    let mask = Mask::new(&conversation.caller_line);
    let times = Times::new(conversation, config.timezone, &mask);
    let analysis = conversation.analysis.as_ref();
    let values = analysis.map(|found| mask.values(items(found))).unwrap_or_default();
    let origen = token(conversation.metadata.initiation_source.as_deref(), &mask);
    let report = config
        .reports(origen.as_deref())
        .then(|| analysis.map(|found| analysis::report(found, &values, &config.items)).unwrap_or_default());
    let mut row = ConversationRow {
        conversation_id: conversation.conversation_id.clone(),
        agent_id: conversation.agent_id.clone(),
        fecha: times.fecha,
        hora_inicio: times.hora_inicio,
        hora_fin: times.hora_fin,
        duracion: times.duracion,
        transcripcion: transcript::lines(&conversation.transcript, &mask),
        inicio: times.inicio,
        fin: times.fin,
        duracion_segundos: times.duracion_segundos,
        estado: Some(status(&conversation.status, &mask)),
        resumen: analysis.and_then(|found| summary(found, &mask)),
        idioma: token(conversation.metadata.main_language.as_deref(), &mask),
        exito: token(analysis.and_then(|found| found.call_successful.as_deref()), &mask),
        datos: analysis.and_then(|found| analysis::datos(found, values, &config.data_items, &mask)),
        evaluacion: analysis.and_then(|found| analysis::evaluacion(found, &mask)),
        origen,
        tapado: None,
        rarezas: None,
    };
    let retained = analysis::retained(analysis, &config.data_items, &mask);
    let huella = huella::of(&row, report.as_ref(), retained.listed.as_ref());
    // Set when the hash is taken: what was hidden, and what was odd, says how the call was read and not what it is.
    row.tapado = Some(mask.counts());
    row.rarezas = rarezas(conversation, config, report.is_some());
    (CallRows { conversation: row, report, retained, huella }, mask.into_hidden())
}

/// The collected values, by item id.
fn items(analysis: &Analysis) -> impl Iterator<Item = (&str, &Value)> + Clone {
    analysis.data_collection_results.iter().map(|(id, item)| (id.as_str(), &item.value))
}

/// Stands among the odd fields when an analysis has none of the items that fill a report.
const NO_ITEM: &str = "reporte";

/// How often each field was odd; `None` when none was.
fn rarezas(conversation: &Conversation, config: &ReportConfig, is_reported: bool) -> Option<Value> {
    let odd = conversation.oddities.iter().map(|(field, count)| (field.to_owned(), Value::from(count)));
    let unmapped = conversation
        .analysis
        .as_ref()
        .filter(|found| is_reported && !analysis::is_mapped(found, &config.items));
    let rarezas: Map<String, Value> =
        odd.chain(unmapped.map(|_| (NO_ITEM.to_owned(), Value::from(1)))).collect();
    (!rarezas.is_empty()).then_some(Value::Object(rarezas))
}

fn status(status: &Status, mask: &Mask) -> String {
    match status {
        Status::Other(text) => token(Some(text), mask).unwrap_or_else(|| UNKNOWN_STATUS.into()),
        documented => documented.to_string(),
    }
}

fn summary(analysis: &Analysis, mask: &Mask) -> Option<String> {
    let summary = mask.text(analysis.transcript_summary.as_deref()?);
    (!summary.is_empty()).then_some(summary)
}

/// A text, if it is one of the source's short words (`es`, `success`, `in-progress`): anything else does not belong
/// in a column of codes, and might say who called.
fn token(text: Option<&str>, mask: &Mask) -> Option<String> {
    let text = text?;
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let is_token = (1..=MAX_TOKEN_LENGTH).contains(&text.len()) && text.bytes().all(is_token_byte);
    (is_token && !mask.hides(text)).then(|| text.into())
}

#[cfg(test)]
mod tests;
