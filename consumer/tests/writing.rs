//! The rules of writing, on a real PostgreSQL: what a call becomes when it comes for the first time, unchanged, changed,
//! emptied, after a person, beside other writers.

mod support {
    pub(crate) mod rows;
    pub(crate) mod until;
}

use std::pin::pin;
use std::time::Duration;

use consumer::normalize::normalize;
use consumer::persist::{Writer, Written, upsert};
use diesel::Connection;
use diesel::connection::SimpleConnection;
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use shared::config::{ReportConfig, WorkerConfig};
use shared::database::DatabaseError;
use shared::elevenlabs::Conversation;
use shared::testing::TestDatabase;
use tokio::time::timeout;

use support::rows::{
    call, call_with, conversation, drawn, emptied, is_edited, report, value, versions, write,
};
use support::until::{LONGEST, until};

/// A report made by the older system: its conversation has no `huella`.
fn adopted(values: &str) -> TestDatabase {
    let database = TestDatabase::migrated();
    database.execute(&format!(
        "INSERT INTO agentes VALUES ('agent_1', 'Operadora'); \
         INSERT INTO conversaciones (id_eleven, id_agente) VALUES ('conv_1', 'agent_1'); \
         INSERT INTO reportes (id_conversacion, id_extorsion, modo, tiempo, lugar) VALUES (1, {values})"
    ));
    database
}

/// One whole call, stored.
fn stored() -> TestDatabase {
    let database = TestDatabase::migrated();
    assert_eq!(write(&database, &[call("conv_1")]), [Written::Inserted]);
    database
}

async fn writer(database: &TestDatabase) -> Writer {
    writer_that_waits(database, Duration::from_millis(200)).await
}

async fn writer_that_waits(database: &TestDatabase, batch_delay: Duration) -> Writer {
    let config = WorkerConfig { prefetch: 1, batch_size: 64, batch_delay };
    Writer::start(database.open().await, &config, 3)
}

#[test]
fn a_new_call_becomes_a_conversation_an_agent_and_a_report_with_a_folio() {
    let database = stored();
    assert_eq!(report(&database), r#"{"cobro de piso",llamada,ayer,Toluca}"#);
    assert_eq!(database.value("SELECT folio FROM reportes"), "1");
    assert_eq!(database.value("SELECT id_agente FROM agentes"), "agent_1");
    let row: Value = serde_json::from_str(&conversation(&database)).unwrap();
    let expected = json!({
        "id_conversacion": 1, "id_eleven": "conv_1", "id_agente": "agent_1", "fecha": "2026-11-22",
        "hora_inicio": "09:00:00", "hora_fin": "09:01:30", "duracion": "90 seconds",
        "transcripcion": "[0.0s] AGENT: 089, ¿en qué puedo ayudarle?",
        "inicio": row["inicio"], "fin": row["fin"], "duracion_segundos": 90, "estado": "done",
        "resumen": "Una llamada.", "idioma": "es", "exito": "success",
        "datos": { "modo": "llamada", "monto": 5000 },
        "evaluacion": { "cortesia": "success", "claridad": "failure" },
        "origen": "twilio",
    });
    assert_eq!(row, expected);
    let how = value(&database, "concat_ws(' ', tapado, rarezas)");
    assert_eq!(how, r#"{"numero": 2} {"metadata.call_duration_secs": 1}"#);
    assert_eq!(value(&database, "extract(epoch FROM inicio)::bigint"), "1795359600");
    assert_eq!(value(&database, "extract(epoch FROM fin)::bigint"), "1795359690");
    assert_eq!(value(&database, "sincronizado_en IS NOT NULL"), "true");
}

#[test]
fn an_unchanged_call_writes_nothing_and_draws_nothing() {
    let database = TestDatabase::migrated();
    let calls = ["conv_1", "conv_2", "conv_3"].map(call);
    write(&database, &calls);
    let before = (versions(&database), drawn(&database));
    assert_eq!(write(&database, &calls), [Written::Unchanged; 3]);
    assert_eq!((versions(&database), drawn(&database)), before);
}

#[test]
fn a_changed_call_is_updated_and_draws_nothing() {
    let database = stored();
    let before = drawn(&database);
    let changed = call_with("conv_1", |conversation, report| {
        conversation.resumen = Some("Otra.".into());
        report.lugar = Some("Metepec".into());
    });
    assert_eq!(write(&database, &[changed]), [Written::Updated]);
    assert_eq!(value(&database, "resumen"), "Otra.");
    assert_eq!(report(&database), r#"{"cobro de piso",llamada,ayer,Metepec}"#);
    assert_eq!(drawn(&database), before);
    assert_eq!(database.value("SELECT folio FROM reportes"), "1");
}

#[test]
fn a_mixed_batch_draws_only_for_the_new_calls() {
    let database = TestDatabase::migrated();
    write(&database, &["conv_1", "conv_3"].map(call));
    let changed = call_with("conv_3", |conversation, _| conversation.exito = Some("failure".into()));
    let batch = [call("conv_1"), call("conv_2"), changed, call("conv_4")];
    let expected = [Written::Unchanged, Written::Inserted, Written::Updated, Written::Inserted];
    assert_eq!(write(&database, &batch), expected);
    assert_eq!(drawn(&database), ["4", "4"]);
    assert_eq!(database.value("SELECT count(*) FROM reportes"), "4");
}

#[test]
fn a_call_with_nothing_to_report_still_gets_a_folio() {
    let database = TestDatabase::migrated();
    assert_eq!(write(&database, &[emptied("conv_1")]), [Written::Inserted]);
    assert_eq!(report(&database), "{NULL,NULL,NULL,NULL}");
    assert_eq!(database.value("SELECT folio FROM reportes"), "1");
}

#[test]
fn no_stored_value_is_replaced_by_nothing() {
    let database = stored();
    let before = (conversation(&database), report(&database));
    assert_eq!(write(&database, &[emptied("conv_1")]), [Written::Updated]);
    assert_eq!((conversation(&database), report(&database)), before);
}

#[test]
fn what_was_hidden_and_what_was_odd_are_of_what_was_received_last() {
    let database = stored();
    write(
        &database,
        &[call_with("conv_1", |conversation, _| {
            conversation.resumen = Some("Otra.".into());
            (conversation.tapado, conversation.rarezas, conversation.origen) =
                (None, Some(json!({ "user_id": 1 })), None);
        })],
    );
    let columns = "concat_ws(' ', tapado, rarezas, origen)";
    assert_eq!(value(&database, columns), r#"{"user_id": 1} twilio"#, "where it began is kept");
}

#[test]
fn what_is_nobodys_call_is_stored_without_report_and_folio() {
    let database = TestDatabase::migrated();
    let nobodys = |resumen: &str| {
        let mut call = call_with("conv_2", |conversation, _| {
            conversation.resumen = Some(resumen.into());
            conversation.origen = Some("subagent_tool".into());
        });
        call.report = None;
        call
    };
    let batch = [call("conv_1"), nobodys("Una."), call("conv_3")];
    assert_eq!(write(&database, &batch), [Written::Inserted; 3]);
    assert_eq!(write(&database, &[nobodys("Otra.")]), [Written::Updated]);
    let reported =
        "SELECT id_eleven FROM reportes JOIN conversaciones USING (id_conversacion) ORDER BY folio";
    assert_eq!(database.column(reported), ["conv_1", "conv_3"]);
    assert_eq!(database.value("SELECT max(folio) FROM reportes"), "2", "no folio is left out");
    // A report that is there already stays as it is, whatever its call turns out to be.
    let mut turned = call_with("conv_1", |conversation, _| conversation.resumen = Some("Otra.".into()));
    turned.report = None;
    assert_eq!(write(&database, &[turned]), [Written::Updated]);
    assert_eq!(database.value("SELECT lugar FROM reportes WHERE folio = 1"), "Toluca");
}

#[test]
fn huella_is_of_what_was_received_also_where_the_stored_value_was_kept() {
    let database = stored();
    write(&database, &[emptied("conv_1")]);
    let huella = format!("{:02x?}", emptied("conv_1").huella).replace(['[', ']', ',', ' '], "");
    assert_eq!(value(&database, "encode(huella, 'hex')"), huella);
    let before = versions(&database);
    assert_eq!(write(&database, &[emptied("conv_1")]), [Written::Unchanged]);
    assert_eq!(versions(&database), before);
    // The whole call is another content again, and written as such.
    assert_eq!(write(&database, &[call("conv_1")]), [Written::Updated]);
}

#[test]
fn collected_values_are_kept_one_by_one() {
    let database = stored();
    let changed = call_with("conv_1", |conversation, _| {
        conversation.datos = Some(json!({ "modo": null, "monto": 9, "lugar": "Toluca", "nota": null }));
        conversation.evaluacion = Some(json!({ "claridad": null, "cierre": "success" }));
    });
    write(&database, &[changed]);
    let (datos, evaluacion): (Value, Value) = (
        serde_json::from_str(&value(&database, "datos::text")).unwrap(),
        serde_json::from_str(&value(&database, "evaluacion::text")).unwrap(),
    );
    assert_eq!(datos, json!({ "modo": "llamada", "monto": 9, "lugar": "Toluca", "nota": null }));
    assert_eq!(evaluacion, json!({ "cortesia": "success", "claridad": "failure", "cierre": "success" }));
}

#[test]
fn a_null_inside_a_collected_value_is_part_of_it() {
    let with_address = |street: &str| {
        let datos =
            json!({ "domicilio": { "calle": street, "numero": null }, "testigos": [{ "edad": null }] });
        call_with("conv_1", |conversation, _| conversation.datos = Some(datos))
    };
    let database = TestDatabase::migrated();
    write(&database, &[with_address("Juárez")]);
    write(&database, &[with_address("Hidalgo")]);
    let datos: Value = serde_json::from_str(&value(&database, "datos::text")).unwrap();
    assert_eq!(Some(datos), with_address("Hidalgo").conversation.datos);
}

#[test]
fn a_final_state_never_goes_back_and_null_is_not_final() {
    let of = |status: Option<&str>| {
        call_with("conv_1", |conversation, _| conversation.estado = status.map(str::to_owned))
    };
    let cases = [
        (Some("done"), Some("processing"), "done"),
        (Some("failed"), Some("needs_review"), "failed"),
        (Some("done"), None, "done"),
        (Some("done"), Some("failed"), "failed"),
        (Some("failed"), Some("done"), "done"),
        (Some("needs_review"), Some("done"), "done"),
        (Some("needs_review"), Some("in_review"), "in_review"),
        (Some("needs_review"), None, "needs_review"),
        (None, Some("needs_review"), "needs_review"),
        (None, Some("done"), "done"),
    ];
    for (before, after, expected) in cases {
        let database = TestDatabase::migrated();
        write(&database, &[of(before)]);
        assert_eq!(write(&database, &[of(after)]), [Written::Updated]);
        assert_eq!(value(&database, "estado"), expected, "{before:?}, then {after:?}");
    }
}

#[test]
fn a_person_s_values_stay_nulls_included() {
    let database = stored();
    database.execute("UPDATE reportes SET modo = 'visita', lugar = NULL");
    assert!(is_edited(&database));
    let changed = call_with("conv_1", |_, report| {
        report.modo = Some("mensaje".into());
        report.lugar = Some("Metepec".into());
        report.tiempo = Some("hoy".into());
    });
    assert_eq!(write(&database, &[changed]), [Written::Updated]);
    assert_eq!(report(&database), r#"{"cobro de piso",visita,ayer,NULL}"#);
}

#[test]
fn saving_the_same_values_claims_nothing() {
    let database = stored();
    database.execute("UPDATE reportes SET modo = modo, lugar = 'Toluca'");
    assert!(!is_edited(&database));
    write(&database, &[call_with("conv_1", |_, report| report.lugar = Some("Metepec".into()))]);
    assert_eq!(report(&database), r#"{"cobro de piso",llamada,ayer,Metepec}"#);
}

#[test]
fn the_worker_s_own_write_is_no_edit_and_its_mark_ends_with_its_transaction() {
    let database = TestDatabase::migrated();
    let mut connection = database.connect();
    let mut write_here = |call| connection.transaction(|connection| upsert(connection, &[call])).unwrap();
    write_here(call("conv_1"));
    write_here(call_with("conv_1", |_, report| report.lugar = Some("Metepec".into())));
    assert!(!is_edited(&database));
    // The same session, after its transaction: whoever borrows it from a pooler is a person again.
    connection.batch_execute("UPDATE reportes SET lugar = 'Lerma'").unwrap();
    assert!(is_edited(&database));
}

#[test]
fn of_an_adopted_report_only_the_nulls_are_filled_and_corrections_stay_for_good() {
    let database = adopted("'extorsión', 'llamada', NULL, NULL");
    assert_eq!(write(&database, &[call("conv_1")]), [Written::Updated]);
    assert_eq!(report(&database), "{extorsión,llamada,ayer,Toluca}");
    assert!(is_edited(&database), "a value that differs from the source's is a correction");
    write(&database, &[call_with("conv_1", |_, report| report.id_extorsion = Some("préstamo".into()))]);
    assert_eq!(report(&database), "{extorsión,llamada,ayer,Toluca}");
    assert_eq!(drawn(&database), ["1", "1"]);
}

#[test]
fn an_adopted_report_that_says_what_the_source_says_goes_on_being_updated() {
    let database = adopted("'cobro de piso', NULL, 'ayer', NULL");
    write(&database, &[call("conv_1")]);
    assert!(!is_edited(&database));
    write(&database, &[call_with("conv_1", |_, report| report.tiempo = Some("hoy".into()))]);
    assert_eq!(report(&database), r#"{"cobro de piso",llamada,hoy,Toluca}"#);
}

#[test]
fn an_adopted_conversation_without_a_report_gets_one() {
    let database = TestDatabase::migrated();
    database.execute("INSERT INTO conversaciones (id_eleven) VALUES ('conv_1')");
    assert_eq!(write(&database, &[call("conv_1")]), [Written::Updated]);
    assert_eq!(report(&database), r#"{"cobro de piso",llamada,ayer,Toluca}"#);
}

#[test]
fn agents_are_only_added_and_their_names_left_alone() {
    let database = TestDatabase::migrated();
    database.execute("INSERT INTO agentes VALUES ('agent_1', 'Operadora')");
    let before = versions(&database);
    let of_another = call_with("conv_2", |conversation, _| conversation.agent_id = "agent_2".parse().ok());
    write(&database, &[call("conv_1"), of_another]);
    assert_eq!(
        database.column("SELECT id_agente || coalesce(' ' || nombre, '') FROM agentes ORDER BY 1"),
        ["agent_1 Operadora", "agent_2"]
    );
    assert!(versions(&database).starts_with(&before), "the row that was there was not written");
}

#[test]
fn what_a_person_discarded_or_erased_is_not_stored() {
    let database = TestDatabase::migrated();
    database.execute(
        "INSERT INTO trabajos (id_eleven, carril, muerto_en, clase, descartado_en, motivo, olvidado_en) VALUES \
             ('conv_1', 'fetch', now(), 'not_found', now(), 'prueba', NULL), \
             ('conv_2', 'fetch', NULL, NULL, NULL, 'a petición', now())",
    );
    let calls = ["conv_1", "conv_2", "conv_3"].map(call);
    assert_eq!(write(&database, &calls), [Written::Barred, Written::Barred, Written::Inserted]);
    assert_eq!(database.column("SELECT id_eleven FROM conversaciones"), ["conv_3"]);
    assert_eq!(drawn(&database), ["1", "1"]);
}

#[test]
fn what_is_stored_is_not_dead_any_more() {
    let database = TestDatabase::migrated();
    database.execute(
        "INSERT INTO trabajos (id_eleven, carril, muerto_en, clase) VALUES \
             ('conv_1', 'fetch', now(), 'timeout'), ('conv_2', 'fetch', now(), 'timeout')",
    );
    write(&database, &[call("conv_1")]);
    assert_eq!(database.column("SELECT id_eleven FROM trabajos WHERE muerto_en IS NOT NULL"), ["conv_2"]);
}

#[test]
fn u_0000_reaches_no_table() {
    let database = TestDatabase::migrated();
    let body = json!({
        "conversation_id": "conv_1", "agent_id": "agent_1", "status": "done",
        "transcript": [{ "role": "user", "message": "bue\u{0}nas", "time_in_call_secs": 1 }],
        "metadata": { "start_time_unix_secs": 1_795_359_600, "call_duration_secs": 3, "main_language": "e\u{0}s" },
        "analysis": {
            "transcript_summary": "Salu\u{0}do",
            "call_successful": "success",
            "data_collection_results": {
                "lugar": { "data_collection_id": "lugar", "value": "To\u{0}luca" },
                "cla\u{0}ve": { "data_collection_id": "cla\u{0}ve", "value": ["a\u{0}", { "b\u{0}": "\u{0}" }] },
            },
        },
    });
    let conversation = Conversation::parse(body.to_string().as_bytes()).unwrap();
    let rows = normalize(&conversation, &ReportConfig::default());
    assert_eq!(write(&database, &[rows]), [Written::Inserted]);
    assert_eq!(value(&database, "transcripcion"), "[1.0s] USER: buenas");
    assert_eq!(value(&database, "resumen"), "Saludo");
    assert_eq!(database.value("SELECT lugar FROM reportes"), "Toluca");
    assert_eq!(value(&database, "datos::text"), r#"{"clave": ["a", {"b": ""}], "lugar": "Toluca"}"#);
}

#[tokio::test]
async fn a_poison_row_does_not_sink_its_batch() {
    let database = TestDatabase::migrated();
    database.execute("ALTER TABLE conversaciones ADD CONSTRAINT sin_veneno CHECK (resumen <> 'veneno')");
    let calls = (0..5).map(|number| {
        call_with(&format!("conv_{number}"), |conversation, _| {
            if number == 2 {
                conversation.resumen = Some("veneno".into());
            }
        })
    });
    let writer = writer(&database).await;
    let mut outcomes = join_all(calls.map(|call| writer.place().write(call))).await;
    let refused = DatabaseError::Refused { sqlstate: "23514", constraint: "sin_veneno".into() };
    assert_eq!(outcomes.remove(2), Err(refused));
    assert_eq!(outcomes, [const { Ok(Written::Inserted) }; 4]);
    let ids = database.column("SELECT id_eleven FROM conversaciones ORDER BY 1");
    assert_eq!(ids, ["conv_0", "conv_1", "conv_3", "conv_4"]);
    assert_eq!(database.value("SELECT count(*) FROM reportes"), "4");
}

/// Refuses rows for a reason that nobody has told us.
fn refuse(database: &TestDatabase, table: &str, condition: &str) {
    database.execute(&format!(
        "CREATE FUNCTION no_{table}() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF {condition} THEN RAISE 'no'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER no BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION no_{table}()"
    ));
}

#[tokio::test]
async fn rows_that_fail_for_an_unknown_reason_fail_alone_also_when_they_come_first() {
    let database = TestDatabase::migrated();
    refuse(&database, "conversaciones", "NEW.id_eleven < 'conv_4'");
    let writer = writer(&database).await;
    let calls = (0..6).map(|number| call(&format!("conv_{number}")));
    let outcomes = join_all(calls.map(|call| writer.place().write(call))).await;
    let (failed, written) = outcomes.split_at(4);
    assert!(
        failed.iter().all(|outcome| matches!(outcome, Err(DatabaseError::Statement { .. }))),
        "{failed:?}"
    );
    assert_eq!(written, [const { Ok(Written::Inserted) }; 2]);
}

#[tokio::test]
async fn a_database_that_takes_no_row_at_all_is_away_for_every_row() {
    let database = TestDatabase::migrated();
    // As a full disk would.
    refuse(&database, "conversaciones", "true");
    refuse(&database, "trabajos", "true");
    let writer = writer(&database).await;
    for count in [1, 3] {
        let calls = (0..count).map(|number| call(&format!("conv_{number}")));
        for outcome in join_all(calls.map(|call| writer.place().write(call))).await {
            assert!(matches!(outcome, Err(DatabaseError::Unwritable { .. })), "{outcome:?}");
        }
    }
    let pool = database.open().await;
    assert!(matches!(pool.probe().await, Err(DatabaseError::Unwritable { .. })));
    database.execute("DROP TRIGGER no ON trabajos");
    assert_eq!(pool.probe().await, Ok(()));
    assert_eq!(database.value("SELECT count(*) FROM trabajos"), "0", "the trial is taken back");
}

#[tokio::test]
async fn copies_of_a_call_in_one_batch_are_one_row_and_all_are_answered() {
    let database = TestDatabase::migrated();
    let writer = writer(&database).await;
    let later = call_with("conv_1", |conversation, _| conversation.resumen = Some("La última.".into()));
    let copies = [call("conv_1"), call("conv_2"), call("conv_1"), later];
    let outcomes = join_all(copies.map(|copy| writer.place().write(copy))).await;
    assert_eq!(outcomes, [const { Ok(Written::Inserted) }; 4]);
    assert_eq!(database.column("SELECT resumen FROM conversaciones ORDER BY id_eleven")[0], "La última.");
    assert_eq!(drawn(&database), ["2", "2"]);
}

#[tokio::test]
async fn a_batch_waits_for_jobs_that_may_bring_rows_and_for_nothing_else() {
    let database = TestDatabase::migrated();
    let writer = writer_that_waits(&database, Duration::from_hours(1)).await;
    let [first, second, third, fails] = std::array::from_fn(|_| writer.place());
    let mut early = pin!(join(first.write(call("conv_1")), second.write(call("conv_2"))));
    assert!(early.as_mut().now_or_never().is_none());
    drop(fails);
    assert!(early.as_mut().now_or_never().is_none());
    let all = timeout(LONGEST, join(early, third.write(call("conv_3")))).await.expect("nobody else comes");
    assert_eq!(all, ((Ok(Written::Inserted), Ok(Written::Inserted)), Ok(Written::Inserted)));
    assert_eq!(database.value("SELECT count(DISTINCT xmin::text) FROM conversaciones"), "1", "one batch");
    let alone = timeout(LONGEST, writer.place().write(call("conv_4"))).await.expect("nobody else comes");
    assert_eq!(alone, Ok(Written::Inserted));
}

#[tokio::test]
async fn what_was_handed_over_is_written_when_the_last_writer_is_gone() {
    let database = TestDatabase::migrated();
    let writer = writer(&database).await;
    let abandoned = tokio::spawn({
        let writer = writer.clone();
        async move { writer.place().write(call("conv_1")).await }
    });
    writer.place().write(call("conv_2")).await.unwrap();
    drop(writer);
    assert_eq!(abandoned.await.unwrap(), Ok(Written::Inserted));
    assert_eq!(database.value("SELECT count(*) FROM conversaciones"), "2");
}

/// A person has a form open all the while, as long as it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_writers_of_the_same_calls_make_one_row_and_one_folio_each_beside_an_open_edit() {
    const CALLS: usize = 40;
    let ids: Vec<String> = (0..CALLS).map(|number| format!("conv_{number:02}")).collect();
    let edited = ids.last().unwrap().clone();
    let database = TestDatabase::migrated();
    write(&database, &[call(&edited)]);
    let mut person = database.connect();
    person.batch_execute("BEGIN; UPDATE reportes SET modo = 'visita'").unwrap();

    let mut writers = Vec::new();
    for _ in 0..8 {
        let (writer, ids) = (writer(&database).await, ids.clone());
        writers.push(tokio::spawn(async move {
            let changed = |id: &String| call_with(id, |_, report| report.modo = Some("mensaje".into()));
            join_all(ids.iter().map(|id| writer.place().write(changed(id)))).await
        }));
    }
    let waiting = "SELECT count(*) > 0 FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("somebody waits for the person", async || database.value(waiting) == "true").await;
    let others = "SELECT count(*) FROM reportes WHERE modo = 'mensaje'";
    until("the others are written, the edit still open", async || {
        database.value(others) == (CALLS - 1).to_string()
    })
    .await;
    person.batch_execute("COMMIT").unwrap();

    for outcomes in join_all(writers).await {
        let mut outcomes = outcomes.unwrap();
        // It may have waited too long, which is a reason to try it again later, and none to lose it.
        let of_edited = outcomes.pop().unwrap();
        assert!(matches!(of_edited, Ok(_) | Err(DatabaseError::Statement { .. })), "{of_edited:?}");
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }
    let changed = call_with(&edited, |_, report| report.modo = Some("mensaje".into()));
    write(&database, &[changed]);
    let modo = "SELECT modo FROM reportes JOIN conversaciones USING (id_conversacion) WHERE id_eleven = ";
    assert_eq!(database.value(&format!("{modo} '{edited}'")), "visita");
    for table in ["conversaciones", "reportes"] {
        assert_eq!(database.value(&format!("SELECT count(*) FROM {table}")), CALLS.to_string());
    }
    assert_eq!(drawn(&database)[1], CALLS.to_string(), "no folio was drawn in vain");
}
