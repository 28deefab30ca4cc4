//! Rows of calls, and what stands in the tables. A whole call has a value in every column, so that whatever is lost shows.

use chrono::{DateTime, NaiveDate, NaiveTime};
use consumer::persist::{Written, upsert};
use diesel::Connection;
use serde_json::json;
use sha2::{Digest, Sha256};
use shared::database::rows::{CallRows, ConversationRow, ReportRow, Retained};
use shared::ids::{AgentId, ConversationId};
use shared::testing::TestDatabase;

/// A call with a value in every column.
pub(crate) fn call(conversation_id: &str) -> CallRows {
    call_with(conversation_id, |_, _| ())
}

/// The same call after a change at its source.
pub(crate) fn call_with(
    conversation_id: &str,
    change: impl FnOnce(&mut ConversationRow, &mut ReportRow),
) -> CallRows {
    let text = |text: &str| Some(text.to_owned());
    let mut conversation = ConversationRow {
        conversation_id: ConversationId::parse(conversation_id).expect("an id"),
        agent_id: AgentId::parse("agent_1").ok(),
        fecha: NaiveDate::from_ymd_opt(2026, 11, 22),
        hora_inicio: NaiveTime::from_hms_opt(9, 0, 0),
        hora_fin: NaiveTime::from_hms_opt(9, 1, 30),
        duracion: text("90 seconds"),
        transcripcion: "[0.0s] AGENT: 089, ¿en qué puedo ayudarle?".to_owned(),
        inicio: DateTime::from_timestamp(1_795_359_600, 0),
        fin: DateTime::from_timestamp(1_795_359_690, 0),
        duracion_segundos: Some(90),
        estado: text("done"),
        resumen: text("Una llamada."),
        idioma: text("es"),
        exito: text("success"),
        datos: Some(json!({ "modo": "llamada", "monto": 5000 })),
        evaluacion: Some(json!({ "cortesia": "success", "claridad": "failure" })),
        origen: text("twilio"),
        tapado: Some(json!({ "numero": 2 })),
        rarezas: Some(json!({ "metadata.call_duration_secs": 1 })),
    };
    let mut report = ReportRow {
        id_extorsion: text("cobro de piso"),
        modo: text("llamada"),
        tiempo: text("ayer"),
        lugar: text("Toluca"),
    };
    change(&mut conversation, &mut report);
    let huella = Sha256::digest(format!("{conversation:?}{report:?}")).to_vec();
    CallRows { conversation, report: Some(report), retained: Retained::default(), huella }
}

/// What is left of a call when the source has deleted what was said.
pub(crate) fn emptied(conversation_id: &str) -> CallRows {
    call_with(conversation_id, |conversation, report| {
        *conversation = ConversationRow {
            conversation_id: conversation.conversation_id.clone(),
            agent_id: None,
            fecha: None,
            hora_inicio: None,
            hora_fin: None,
            duracion: None,
            transcripcion: String::new(),
            inicio: None,
            fin: None,
            duracion_segundos: Some(0),
            estado: None,
            resumen: None,
            idioma: None,
            exito: None,
            datos: None,
            evaluacion: None,
            origen: None,
            tapado: None,
            rarezas: None,
        };
        *report = ReportRow::default();
    })
}

/// Writes calls as a worker does, in a transaction of their own.
pub(crate) fn write(database: &TestDatabase, calls: &[CallRows]) -> Vec<Written> {
    database
        .connect()
        .transaction(|connection| upsert(connection, calls))
        .expect("the database takes these rows")
}

/// The one conversation, without what is of each writing: when it was, of which content, and how that was read.
pub(crate) fn conversation(database: &TestDatabase) -> String {
    database.value(
        "SELECT (to_jsonb(c) - '{huella, sincronizado_en, tapado, rarezas}'::text[])::text FROM conversaciones AS c",
    )
}

/// One column of the one conversation.
pub(crate) fn value(database: &TestDatabase, column: &str) -> String {
    database.value(&format!("SELECT {column} FROM conversaciones"))
}

/// The four values of the one report.
pub(crate) fn report(database: &TestDatabase) -> String {
    database.value("SELECT array[id_extorsion, modo, tiempo, lugar]::text FROM reportes")
}

/// Whether a person's edit is noted on the one report.
pub(crate) fn is_edited(database: &TestDatabase) -> bool {
    database.value("SELECT editado_en IS NOT NULL FROM reportes") == "true"
}

/// Which version of every row there is: any write, of whatever values, shows.
pub(crate) fn versions(database: &TestDatabase) -> Vec<String> {
    database.column(
        "SELECT concat_ws(' ', 'agente', id_agente, xmin, ctid) FROM agentes \
         UNION ALL SELECT concat_ws(' ', 'conversacion', id_eleven, xmin, ctid) FROM conversaciones \
         UNION ALL SELECT concat_ws(' ', 'reporte', folio, xmin, ctid) FROM reportes ORDER BY 1",
    )
}

/// How many values each sequence has given out.
pub(crate) fn drawn(database: &TestDatabase) -> Vec<String> {
    ["conversaciones_id_conversacion_seq", "reportes_folio_seq"]
        .map(|sequence| {
            database.value(&format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"))
        })
        .to_vec()
}
