//! A database that the older system made and filled: it is completed, and no row, folio or correction of it is lost.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryableByName;
use diesel::RunQueryDsl;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde_json::{Value, json};
use shared::testing::TestDatabase;
use simulator::Settings;
use support::{World, calls};

/// As it was typed in by hand.
const OLDER_TABLES: &str = "
    CREATE TABLE agentes (id_agente TEXT PRIMARY KEY, nombre TEXT);
    CREATE TABLE conversaciones (
        id_conversacion BIGSERIAL PRIMARY KEY,
        id_eleven TEXT UNIQUE NOT NULL,
        id_agente TEXT REFERENCES agentes (id_agente),
        fecha DATE, hora_inicio TIME, hora_fin TIME, duracion TEXT, transcripcion TEXT
    );
    CREATE TABLE reportes (
        folio BIGSERIAL PRIMARY KEY,
        id_conversacion BIGINT UNIQUE NOT NULL REFERENCES conversaciones (id_conversacion),
        id_extorsion TEXT, modo TEXT, tiempo TEXT, lugar TEXT
    );";

/// A call that the source has deleted since.
const GONE: &str = "conv_de_antes_que_ya_no_existe";

/// One call with its report, as an analyst sees it.
#[derive(Clone, Debug, Eq, PartialEq, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id_eleven: String,
    #[diesel(sql_type = BigInt)]
    id_conversacion: i64,
    #[diesel(sql_type = BigInt)]
    folio: i64,
    #[diesel(sql_type = Nullable<Text>)]
    id_agente: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    fecha: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    hora_inicio: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    hora_fin: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    duracion: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    id_extorsion: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    modo: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    tiempo: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    lugar: Option<String>,
}

impl Row {
    /// What the older system wrote, and nobody but it or a person may have changed.
    fn of_the_call(&self) -> Self {
        Self { id_extorsion: None, modo: None, tiempo: None, lugar: None, ..self.clone() }
    }

    fn report(&self) -> [&Option<String>; 4] {
        [&self.id_extorsion, &self.modo, &self.tiempo, &self.lugar]
    }
}

fn rows(database: &TestDatabase) -> BTreeMap<String, Row> {
    let rows: Vec<Row> = sql_query(
        "SELECT id_eleven, id_conversacion, folio, id_agente, fecha::text, hora_inicio::text, hora_fin::text, duracion, \
             id_extorsion, modo, tiempo, lugar \
         FROM conversaciones JOIN reportes USING (id_conversacion)",
    )
    .load(&mut database.connect())
    .expect("the tables are there");
    rows.into_iter().map(|row| (row.id_eleven.clone(), row)).collect()
}

/// Stores a call as the older system did: names from the list of agents, times on its server's clock, one report with what
/// was collected.
fn store_as_before(database: &TestDatabase, detail: &Value) {
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let value = |item: &str| text(&format!("/analysis/data_collection_results/{item}/value"));
    let turns = detail["transcript"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<String> = turns
        .iter()
        .filter_map(|turn| {
            let message = turn["message"].as_str().filter(|message| !message.is_empty())?;
            let role = turn["role"].as_str()?.to_uppercase();
            Some(format!("[{:.1}s] {role}: {message}", turn["time_in_call_secs"].as_f64()?))
        })
        .collect();
    let secs = detail["metadata"]["call_duration_secs"].as_i64().unwrap_or(0);
    sql_query(
        "WITH agent AS (INSERT INTO agentes VALUES ($2, 'Agente ' || $2) ON CONFLICT DO NOTHING), \
         instant AS (SELECT to_timestamp($3) AT TIME ZONE 'America/Mexico_City' AS start), \
         call AS (INSERT INTO conversaciones (id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion) \
             SELECT $1, $2, start::date, start::time, \
                 CASE WHEN $4 > 0 THEN (start + make_interval(secs => $4))::time END, \
                 CASE WHEN $4 > 0 THEN $4 || ' seconds' END, $5 FROM instant RETURNING id_conversacion) \
         INSERT INTO reportes (id_conversacion, id_extorsion, modo, tiempo, lugar) \
             SELECT id_conversacion, $6, $7, $8, $9 FROM call",
    )
    .bind::<Text, _>(text("/conversation_id").expect("a call has an id"))
    .bind::<Text, _>(text("/agent_id").expect("a call has an agent"))
    .bind::<BigInt, _>(detail["metadata"]["start_time_unix_secs"].as_i64().expect("a call starts"))
    .bind::<BigInt, _>(secs)
    .bind::<Text, _>(lines.join("\n").replace('\0', ""))
    .bind::<Nullable<Text>, _>(value("id_extorsion"))
    .bind::<Nullable<Text>, _>(value("forma"))
    .bind::<Nullable<Text>, _>(value("tiempo"))
    .bind::<Nullable<Text>, _>(value("lugar"))
    .execute(&mut database.connect())
    .expect("the older tables take it");
}

/// The variables of the older system, from the URL of the test's database.
fn use_older_variables(world: &mut World) {
    let url = world.database.url();
    let rest = url.split_once("://").expect("a URL").1;
    let (login, place) = rest.split_once('@').expect("with a login");
    let (user, password) = login.split_once(':').expect("with a password");
    let (address, name) = place.split_once('/').expect("with a database");
    let (host, port) = address.split_once(':').expect("with a port");
    world.unset("DATABASE_URL");
    for (variable, value) in [
        ("DB_HOST", host),
        ("DB_PORT", port),
        ("DB_NAME", name),
        ("DB_USER", user),
        ("DB_PASSWORD", password),
    ] {
        world.set(variable, value);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_is_adopted_with_every_folio_and_correction() {
    let database = TestDatabase::empty();
    database.execute(OLDER_TABLES);
    let mut world = World::on(database, Settings { agents: 3, ..calls(120) }).await;
    use_older_variables(&mut world);

    let listed = world.simulator.conversation_ids();
    let (older, newer) = listed.split_at(60);
    for id in older.iter().rev() {
        store_as_before(&world.database, &world.simulator.conversation_json(id).expect("it is listed"));
    }
    world.database.execute(&format!(
        "INSERT INTO conversaciones (id_eleven, fecha, duracion, transcripcion) \
             VALUES ('{GONE}', '2024-03-01', '61 seconds', '[0.0s] AGENT: Hola'); \
         INSERT INTO reportes (id_conversacion, modo) SELECT max(id_conversacion), 'Visita' FROM conversaciones; \
         DELETE FROM reportes WHERE folio = 20; \
         UPDATE reportes SET lugar = 'Corregido: Toluca', modo = 'Corregido: mensaje' WHERE folio % 7 = 0; \
         UPDATE reportes SET tiempo = NULL WHERE folio % 5 = 0; \
         UPDATE agentes SET nombre = NULL WHERE id_agente = (SELECT min(id_agente) FROM agentes)"
    ));
    let without_report =
        world.database.value("SELECT id_eleven FROM conversaciones WHERE id_conversacion = 20");
    let (before, agents_before) = (rows(&world.database), world.count("agentes"));
    assert_eq!(before.len(), 60);
    let transcripts = "SELECT id_eleven || transcripcion FROM conversaciones WHERE transcripcion <> ''";
    let transcripts_before = world.texts(transcripts);

    world.migrate().await;
    assert_eq!(rows(&world.database), before, "migrating alone changes no value");
    assert_eq!(world.texts(transcripts), transcripts_before);
    let summary = world.sync().await;
    assert_eq!((summary.listed, summary.published), (120, 120), "older rows were never read whole");
    world.drain(2).await;

    let after = rows(&world.database);
    let every: BTreeSet<String> = listed.iter().cloned().chain([GONE.to_owned()]).collect();
    assert_eq!(after.keys().cloned().collect::<BTreeSet<_>>(), every);
    assert_eq!((world.count("conversaciones"), world.count("agentes")), (121, agents_before.max(3)));
    // The older script gave what is nobody's call a report too, and that stays.
    let reported = "SELECT id_eleven FROM conversaciones JOIN reportes USING (id_conversacion)";
    assert_eq!(world.count("reportes"), world.texts(reported).len(), "one each");
    assert!(world.somebodys().is_subset(&world.texts(reported)));
    assert!(world.letters().await.is_empty());
    for (id, was) in &before {
        let is = &after[id];
        assert_eq!(is.of_the_call(), was.of_the_call());
        for (is, was) in is.report().into_iter().zip(was.report()) {
            assert!(was.is_none() || is == was, "{id}: {was:?} became {is:?}");
        }
    }
    assert_eq!(after[GONE], before[GONE]);
    assert!(after[&without_report].folio > 61, "a call without a report draws a new folio");
    assert!(newer.iter().all(|id| after[id].folio > 61 && after[id].id_conversacion > 61));
    let filled = |row: &Row| {
        before.get(&row.id_eleven).is_some_and(|was| was.tiempo.is_none() && row.tiempo.is_some())
    };
    assert!(after.values().any(filled), "what was empty is filled");

    // The new columns are there for every call that the source still has.
    let unfilled = "conversaciones WHERE huella IS NULL OR inicio IS NULL OR estado IS NULL OR sincronizado_en IS NULL \
                    OR duracion_segundos IS NULL";
    assert_eq!(world.texts(&format!("SELECT id_eleven FROM {unfilled}")), BTreeSet::from([GONE.to_owned()]));
    assert!(world.count("conversaciones WHERE datos IS NOT NULL AND evaluacion IS NOT NULL") > 60);
    // The deleted agent's older name stays, and the others' are read.
    let deleted = world.simulator.deleted_agent_id().expect("the last one is deleted");
    assert_eq!(
        world.count(&format!("agentes WHERE id_agente = '{deleted}' AND nombre = 'Agente {deleted}'")),
        1
    );
    assert_eq!(world.count("agentes WHERE nombre IS NULL"), 0);

    // From now on a correction is known as one: the source may say what it likes, the person's word stands.
    for id in before.keys().filter(|id| *id != GONE) {
        world.simulator.set_conversation(id, |detail| {
            for item in ["id_extorsion", "modo", "forma", "tiempo", "lugar"] {
                detail["analysis"]["data_collection_results"][item]["value"] = json!(format!("otro {item}"));
            }
        });
        let job = json!({ "v": 1, "conversation_id": id }).to_string();
        world.management().publish("fetch", &json!({ "message_id": id }), &job);
    }
    world.drain(2).await;
    let later = rows(&world.database);
    let corrected =
        |value: &&Option<String>| value.as_ref().is_some_and(|value| value.starts_with("Corregido: "));
    for (id, was) in &before {
        for (is, was) in later[id].report().into_iter().zip(was.report()).filter(|(_, was)| corrected(was)) {
            assert_eq!(is, was, "{id}");
        }
    }
    let is_new = |row: &Row| row.lugar.as_deref() == Some("otro lugar");
    assert!(
        later.values().filter(|row| is_new(row)).count() > 30,
        "what nobody corrected follows its source"
    );
}
