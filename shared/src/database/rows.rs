//! What one call becomes in the tables: the values of its row in `conversaciones` and in `reportes`.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::ids::{AgentId, ConversationId};

/// The values of a row of `conversaciones`, named as its columns are; the ids keep the source's names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConversationRow {
    /// `id_eleven`, the key.
    pub conversation_id: ConversationId,
    /// `id_agente`; its row in `agentes` is made with it.
    pub agent_id: Option<AgentId>,
    /// Day of the start in the configured time zone.
    pub fecha: Option<NaiveDate>,
    /// Time of day of the start in the configured time zone.
    pub hora_inicio: Option<NaiveTime>,
    /// Time of day of start + duration; `None` when the duration is zero or absent.
    pub hora_fin: Option<NaiveTime>,
    /// `"<n> seconds"`; `None` when zero or absent.
    pub duracion: Option<String>,
    /// One line a turn; empty when no turn has text.
    pub transcripcion: String,
    /// The start.
    pub inicio: Option<DateTime<Utc>>,
    /// Start + duration; `None` when the duration is zero or absent.
    pub fin: Option<DateTime<Utc>>,
    /// Duration, seconds; zero stays zero here.
    pub duracion_segundos: Option<i32>,
    /// The source's status: `done`, `failed`, or one we do not know.
    pub estado: Option<String>,
    /// The source's summary.
    pub resumen: Option<String>,
    /// Main language, a code such as `es`.
    pub idioma: Option<String>,
    /// The source's `call_successful`: `success`, `failure`, `unknown`.
    pub exito: Option<String>,
    /// Data-collection values by id, without rationale.
    pub datos: Option<Value>,
    /// Evaluation results by criterion id, without rationale.
    pub evaluacion: Option<Value>,
    /// The source's word for where the conversation began: `twilio`, `widget`, `subagent_tool`.
    pub origen: Option<String>,
    /// What the mask hid: counts by kind. `None` when nothing; no part of `huella`, since it says nothing of the call.
    pub tapado: Option<Value>,
    /// Fields that came in another form than is documented: name → count, never a value. `None` when none; no part of
    /// `huella` either.
    pub rarezas: Option<Value>,
}

/// The values of a row of `reportes`: what an analyst needs of the call.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ReportRow {
    /// Which kind of extortion.
    pub id_extorsion: Option<String>,
    /// How.
    pub modo: Option<String>,
    /// When.
    pub tiempo: Option<String>,
    /// Where.
    pub lugar: Option<String>,
}

/// Everything one call writes.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRows {
    /// Its conversation.
    pub conversation: ConversationRow,
    /// Its report: one per stored call, all `None` too, since the folio is the call's receipt; `None` for what is nobody's
    /// call, as a test.
    pub report: Option<ReportRow>,
    /// Which values that are stored already, and do not come again, stay.
    pub retained: Retained,
    /// Hash of both rows but `tapado` and `rarezas`, of the list that is retained and of the normalizer's version: the same
    /// `huella`, nothing to write.
    pub huella: Vec<u8>,
}

impl CallRows {
    /// About how much memory they take, in bytes: what was said, and what was written of it. All else is short.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let ConversationRow { transcripcion, resumen, datos, evaluacion, .. } = &self.conversation;
        let texts = transcripcion.len() + resumen.as_ref().map_or(0, String::len);
        texts + datos.iter().chain(evaluacion).map(bytes).sum::<usize>()
    }
}

fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(bytes).sum(),
        Value::Object(entries) => entries.iter().map(|(key, value)| key.len() + bytes(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => size_of::<Value>(),
    }
}

/// Which stored keys of `datos` and `evaluacion` stay when a call is written again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retained {
    /// The items that `datos` keeps, as it writes their ids; `None`: all.
    pub listed: Option<BTreeSet<String>>,
    /// Ids of items and criteria in which the caller's line stands, as the source writes them. They never leave this process.
    pub unmasked: BTreeSet<String>,
}

impl Retained {
    /// Whether everything stays, whatever is stored.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.listed.is_none() && self.unmasked.is_empty()
    }

    /// Whether a value in `datos` stays.
    #[must_use]
    pub fn item(&self, key: &str) -> bool {
        self.criterion(key) && self.listed.as_ref().is_none_or(|listed| listed.contains(key))
    }

    /// Whether a result in `evaluacion` stays.
    #[must_use]
    pub fn criterion(&self, key: &str) -> bool {
        !self.unmasked.contains(key)
    }
}
